/**
 * Three members of etcd on loopback, with their data on the disk, for comparison. It starts Debian's `etcd` as child
 * processes and ends exactly those.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { accessSync, constants, mkdirSync, openSync } from "node:fs";
import { delimiter, join } from "node:path";
import { Etcd3 } from "etcd3";

const MEMBERS = 3;
const CLIENT_PORT = 23_791;
const PEER_PORT = 23_801;
const START_TIMEOUT_MS = 20_000;
const STOP_TIMEOUT_MS = 5_000;

/** A program on the search path; null if it is not installed. */
export function findProgram(name: string): string | null {
	for (const directory of (process.env["PATH"] ?? "").split(delimiter)) {
		const program = join(directory, name);
		try {
			accessSync(program, constants.X_OK);
			return program;
		} catch {
			// Not in this directory; the next one may have it.
		}
	}
	return null;
}

export class EtcdCluster {
	readonly #members: readonly ChildProcess[];

	private constructor(members: readonly ChildProcess[]) {
		this.#members = members;
		process.once("exit", this.#killAll);
	}

	/** Starts the members in `directory` and resolves when a leader answers. */
	static async start(program: string, directory: string): Promise<EtcdCluster> {
		const peer = (member: number): string => `http://127.0.0.1:${PEER_PORT + member}`;
		const all = Array.from({ length: MEMBERS }, (_, member) => `m${member}=${peer(member)}`).join(",");
		const members = Array.from({ length: MEMBERS }, (_, member) => {
			const home = join(directory, `m${member}`);
			mkdirSync(home, { recursive: true, mode: 0o700 });
			const log = openSync(join(directory, `m${member}.log`), "w");
			const options = {
				name: `m${member}`,
				"data-dir": home,
				"listen-client-urls": clientUrl(member),
				"advertise-client-urls": clientUrl(member),
				"listen-peer-urls": peer(member),
				"initial-advertise-peer-urls": peer(member),
				"initial-cluster": all,
				"initial-cluster-state": "new",
			};
			const args = Object.entries(options).flatMap(([option, value]) => [`--${option}`, value]);
			return spawn(program, args, { stdio: ["ignore", log, log] });
		});
		const cluster = new EtcdCluster(members);
		try {
			await cluster.leader(START_TIMEOUT_MS);
		} catch (error) {
			await cluster.stop();
			throw error;
		}
		return cluster;
	}

	/** The leader's address for clients. */
	async leader(timeoutMs: number): Promise<string> {
		const deadlineMs = performance.now() + timeoutMs;
		for (;;) {
			for (let member = 0; member < MEMBERS; member++) {
				if (await leads(clientUrl(member))) return clientUrl(member);
			}
			if (performance.now() > deadlineMs) throw new Error(`etcd has elected no leader in ${timeoutMs} ms`);
			await new Promise((resume) => setTimeout(resume, 100));
		}
	}

	/** Ends the members; kills those that do not end in time. */
	async stop(): Promise<void> {
		process.off("exit", this.#killAll);
		await Promise.all(
			this.#members.map(async (member) => {
				if (member.exitCode !== null || member.signalCode !== null) return;
				const ended = new Promise((resume) => member.once("exit", resume));
				const limit = setTimeout(() => member.kill("SIGKILL"), STOP_TIMEOUT_MS);
				member.kill("SIGTERM");
				await ended;
				clearTimeout(limit);
			}),
		);
	}

	readonly #killAll = (): void => {
		for (const member of this.#members) member.kill("SIGKILL");
	};
}

function clientUrl(member: number): string {
	return `http://127.0.0.1:${CLIENT_PORT + member}`;
}

async function leads(url: string): Promise<boolean> {
	const client = new Etcd3({ hosts: url, dialTimeout: 1_000 });
	try {
		const { header, leader } = await client.maintenance.status();
		return leader !== "0" && header.member_id === leader;
	} catch {
		// It does not listen yet, or knows of no leader: asked again.
		return false;
	} finally {
		client.close();
	}
}
