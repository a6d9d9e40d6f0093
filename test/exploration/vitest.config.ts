import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { ViteUserConfig } from "vitest/config";

const root = fileURLToPath(new URL("../..", import.meta.url));

// Where `npm test` has not been: the files with properties alone, many more runs, random seeds.
const withProperties = readdirSync(join(root, "test"), { recursive: true, encoding: "utf8" })
	.filter((file) => file.endsWith(".test.ts") && !file.startsWith("threads"))
	.filter((file) => readFileSync(join(root, "test", file), "utf8").includes('from "fast-check"'));

const config: ViteUserConfig = {
	resolve: { alias: [{ find: /^fast-check$/, replacement: join(root, "test/exploration/fast-check.ts") }] },
	test: { root, include: withProperties.map((file) => `test/${file}`), testTimeout: 3_600_000 },
};
export default config;
