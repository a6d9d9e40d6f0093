/**
 * `npm run bench:peers [-- --rounds N --seconds S --directory DIR --json FILE]`: three of our replicas on LMDB and three
 * members of etcd (Debian's `etcd-server`), on the same disk, in turns: the same number of clients, the same size of
 * values, each client with one put outstanding. Both are driven by a Node client in this process; etcd's is `etcd3`
 * (gRPC, one connection to the leader). Where Debian's golang-go and golang-etcd-server-dev are installed, etcd is also
 * driven by a small client in Go, since with a Node client the client is etcd's bottleneck.
 *
 * What to know when reading the ratios: etcd's members run in three processes and flush one disk three times; our
 * replicas share one flush, and one process with their clients.
 */
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, statfsSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Etcd3 } from "etcd3";
import { Swarm } from "quorate";
import { formatMs, formatNumber, formatTable } from "../../actors/console/index.ts";
import { closedLoop, type LoopResult, median } from "./peers/closed-loop.ts";
import { EtcdCluster, findProgram } from "./peers/etcd-cluster.ts";
import { buildGoClient, goClosedLoop } from "./peers/go-client.ts";

const CLIENTS = 64;
const VALUE_BYTES = 256;
const KEYS = 10_000;
const WARM_UP_MS = 1_000;
/** The figures to reach: puts per second against etcd driven by a Node client, and by the Go client. */
const TARGET = 3;
const STRETCH = 1;
const ROUNDS_MAX = 20;
const SECONDS_MAX = 60;

const fileSystems: Readonly<Record<number, string>> = {
	61267: "ext",
	1481003842: "xfs",
	2435016766: "btrfs",
	2035054128: "overlayfs",
	16914836: "tmpfs",
};

const { values } = parseArgs({
	options: {
		rounds: { type: "string", default: "3" },
		seconds: { type: "string", default: "5" },
		directory: { type: "string", default: tmpdir() },
		json: { type: "string" },
	},
});
process.exitCode = await compare(
	bounded("rounds", values.rounds, ROUNDS_MAX),
	bounded("seconds", values.seconds, SECONDS_MAX) * 1_000,
	values.directory,
	values.json,
);

function bounded(name: string, text: string, max: number): number {
	const value = Number(text);
	if (Number.isInteger(value) && value >= 1 && value <= max) return value;
	throw new Error(`--${name}: an integer from 1 to ${max}`);
}

/** One turn of each. */
interface Round {
	readonly ours: LoopResult;
	readonly etcdFromNode: LoopResult;
	/** Null where the Go client can not be built. */
	readonly etcdFromGo: LoopResult | null;
}

async function compare(rounds: number, measureMs: number, parent: string, json: string | undefined): Promise<number> {
	const program = findProgram("etcd");
	if (program === null) {
		console.error("etcd is not installed. On Debian: apt-get install --no-install-recommends etcd-server");
		return 1;
	}
	const type = statfsSync(parent).type;
	const fileSystem = fileSystems[type] ?? `type 0x${type.toString(16)}`;
	if (fileSystem === "tmpfs") {
		console.error(`${parent} is in memory: a flush costs nothing there. Name a directory on a disk: --directory DIR`);
		return 1;
	}
	const directory = mkdtempSync(join(parent, "quorate-peers-"));
	const results: Round[] = [];
	try {
		const goClient = await buildGoClient(directory);
		if (goClient === null) {
			console.error("without a Go client; on Debian: apt-get install golang-go golang-etcd-server-dev");
		}
		for (let round = 0; round < rounds; round++) {
			const home = (who: string): string => mkdtempSync(join(directory, `${who}-`));
			// Who goes first changes from round to round, so that neither always finds the disk as the other left it.
			const early = round % 2 === 0 ? await measureSwarm(home("quorate"), measureMs) : null;
			const etcd = await measureEtcd(program, goClient, home("etcd"), measureMs);
			const ours = early ?? (await measureSwarm(home("quorate"), measureMs));
			results.push({ ours, ...etcd });
			const figures = Object.entries({ ours, ...etcd }).map(
				([who, loop]) => `${who} ${formatNumber(loop?.perSecond ?? 0)}`,
			);
			console.error(`round ${round + 1}, puts/s: ${figures.join(", ")}`);
		}
	} finally {
		rmSync(directory, { recursive: true, force: true });
	}
	report(results, fileSystem);
	if (json !== undefined)
		writeFileSync(json, `${JSON.stringify({ fileSystem, clients: CLIENTS, results }, null, "\t")}\n`);
	return 0;
}

/** Three replicas; each client has a session of its own and one command outstanding. */
async function measureSwarm(directory: string, measureMs: number): Promise<LoopResult> {
	const swarm = await Swarm.start({ raft: { nodes: 3 }, storage: { type: "lmdb", directory } });
	try {
		const clients = Array.from({ length: CLIENTS }, () => swarm.client({ window: 1 }));
		const value = randomBytes(VALUE_BYTES);
		return await closedLoop(CLIENTS, WARM_UP_MS, measureMs, (client) =>
			clients[client]!.propose({ type: "put", key: randomKey(), value }),
		);
	} finally {
		await swarm.stop();
	}
}

async function measureEtcd(
	program: string,
	goClient: string | null,
	directory: string,
	measureMs: number,
): Promise<Omit<Round, "ours">> {
	const cluster = await EtcdCluster.start(program, directory);
	try {
		const endpoint = await cluster.leader(10_000);
		const client = new Etcd3({ hosts: endpoint });
		let etcdFromNode: LoopResult;
		try {
			const value = randomBytes(VALUE_BYTES);
			etcdFromNode = await closedLoop(CLIENTS, WARM_UP_MS, measureMs, () =>
				client.put(randomKey()).value(value).exec(),
			);
		} finally {
			client.close();
		}
		const etcdFromGo =
			goClient === null ? null : await goClosedLoop(goClient, endpoint, CLIENTS, VALUE_BYTES, WARM_UP_MS, measureMs);
		return { etcdFromNode, etcdFromGo };
	} finally {
		await cluster.stop();
	}
}

function randomKey(): string {
	return `key-${Math.floor(Math.random() * KEYS)}`;
}

function report(results: readonly Round[], fileSystem: string): void {
	const row = (name: string, runs: readonly LoopResult[]): string[] => [
		name,
		formatNumber(median(runs.map(({ perSecond }) => perSecond))),
		formatMs(median(runs.map(({ p50Ms }) => p50Ms))),
		formatMs(median(runs.map(({ p99Ms }) => p99Ms))),
	];
	const fromGo = results.flatMap(({ etcdFromGo }) => (etcdFromGo === null ? [] : [etcdFromGo]));
	const rows = [
		["", "puts/s", "p50", "p99"],
		row(
			"quorate, 3 replicas",
			results.map(({ ours }) => ours),
		),
		row(
			"etcd, 3 members, Node client",
			results.map(({ etcdFromNode }) => etcdFromNode),
		),
	];
	if (fromGo.length > 0) rows.push(row("etcd, 3 members, Go client", fromGo));
	for (const line of formatTable(rows, ["left", "right", "right", "right"])) console.log(line);
	const ratio = (peer: (round: Round) => LoopResult | null, aim: number, name: string): void => {
		const ratios = results.flatMap((round) => {
			const loop = peer(round);
			return loop === null ? [] : [round.ours.perSecond / loop.perSecond];
		});
		if (ratios.length === 0) return;
		const middle = median(ratios);
		console.log(`${middle.toFixed(2)}x etcd with a ${name} client; ${aim}x ${middle >= aim ? "reached" : "missed"}`);
	};
	ratio(({ etcdFromNode }) => etcdFromNode, TARGET, "Node");
	ratio(({ etcdFromGo }) => etcdFromGo, STRETCH, "Go");
	console.log(
		`${CLIENTS} clients, ${VALUE_BYTES}-byte values, flushed to ${fileSystem}, ${results.length} rounds in turns; medians. ` +
			"Our replicas share one disk's flush, etcd's members flush it each.",
	);
}
