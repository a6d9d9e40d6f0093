import { defineConfig } from "vitest/config";

// Two projects. `pure` runs on the sources, files side by side. `threads` starts worker threads, so it uses the
// built package by its own name, two files at a time: these tests wait more than they compute (half of two cores), and none
// of them asserts a pace.
export default defineConfig({
	test: {
		exclude: ["dist/**", "node_modules/**"],
		projects: [
			{
				extends: true,
				test: {
					name: "pure",
					// By default one core is left idle, for nobody.
					maxWorkers: "100%",
					// No test judges time; this only ends one that hangs.
					testTimeout: 240_000,
					include: ["test/**/*.test.ts"],
					exclude: ["dist/**", "node_modules/**", "test/threads/**"],
					setupFiles: ["test/property-seed.ts"],
					// Files of one worker share the modules, which hold no state of their own: loading them anew for each of 290 files
					// took a third of the time.
					isolate: false,
				},
			},
			{
				extends: true,
				test: {
					name: "threads",
					include: ["test/threads/**/*.test.ts"],
					pool: "forks",
					maxWorkers: 2,
					// As above; a busy machine takes seconds for each thread it starts and each one it ends.
					testTimeout: 180_000,
					hookTimeout: 60_000,
					sequence: { groupOrder: 1 },
				},
			},
		],
	},
});
