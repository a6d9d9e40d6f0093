/** The small Go client of etcd, built once from `etcd-load.go` where Debian's Go packages are installed. */
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import type { LoopResult } from "./closed-loop.ts";
import { findProgram } from "./etcd-cluster.ts";

/** Where Debian's Go libraries live. */
const DEBIAN_GOPATH = "/usr/share/gocode";
const BUILD_TIMEOUT_MS = 300_000;

/** Builds the client into `directory` and returns its path; null where Go or etcd's client library is missing. */
export async function buildGoClient(directory: string): Promise<string | null> {
	const go = findProgram("go");
	const paths = [process.env["GOPATH"], DEBIAN_GOPATH].filter((path) => path !== undefined).join(delimiter);
	const library = join("src", "go.etcd.io", "etcd", "clientv3");
	if (go === null || !paths.split(delimiter).some((path) => existsSync(join(path, library)))) return null;
	const source = fileURLToPath(new URL("../../../../test/bench/peers/etcd-load.go", import.meta.url));
	const program = join(directory, "etcd-load");
	const environment = { ...process.env, GO111MODULE: "off", GOPATH: paths, GOCACHE: join(directory, "go-cache") };
	await run(go, ["build", "-o", program, source], BUILD_TIMEOUT_MS, environment);
	return program;
}

/** Runs the closed loop of puts from Go. */
export async function goClosedLoop(
	program: string,
	endpoint: string,
	clients: number,
	valueBytes: number,
	warmUpMs: number,
	measureMs: number,
): Promise<LoopResult> {
	const options = {
		endpoint,
		clients: String(clients),
		"value-bytes": String(valueBytes),
		"warm-up": `${warmUpMs}ms`,
		measure: `${measureMs}ms`,
	};
	const args = Object.entries(options).map(([name, value]) => `-${name}=${value}`);
	return JSON.parse(await run(program, args, warmUpMs + measureMs + 30_000, process.env)) as LoopResult;
}

function run(program: string, args: readonly string[], timeout: number, env: NodeJS.ProcessEnv): Promise<string> {
	return new Promise((resolve, reject) => {
		execFile(program, args, { timeout, env }, (error, stdout, stderr) => {
			if (error === null) resolve(stdout);
			else reject(new Error(`${program}: ${stderr.trim() || error.message}`, { cause: error }));
		});
	});
}
