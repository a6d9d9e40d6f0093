/**
 * How fast the Raft core is by itself: three machines in one thread, function calls for a network, memory for a disk
 * whose writes are durable one round later. Nothing is sampled or assumed: every proposal must be answered by its
 * delivery, and in the end all three must have delivered and stored the same entries.
 *
 * By itself it runs as `node dist/test/bench/raft-core.js`; `npm run bench -- raft-core` compares with the targets.
 */
import { performance } from "node:perf_hooks";
import { fileURLToPath } from "node:url";
import {
	assert,
	type Effect,
	type Input,
	must,
	type NodeId,
	nodeId,
	type StateMachine,
	type WriteId,
} from "../../protocols/core/index.ts";
import {
	type Entry,
	type LogIndex,
	type RaftDelivery,
	RaftMachine,
	type RaftTypes,
	type RaftWrite,
	raftConfig,
	type SessionId,
	type Term,
} from "../../protocols/raft/index.ts";
import type { RaftObservation } from "../../protocols/raft/properties/index.ts";
import { ObservedMachine } from "../../protocols/verification/index.ts";
import type { BenchRow } from "./row.ts";

/** One measured setting. */
export interface RaftCoreRow {
	/** Proposals that wait for their answer at any time. */
	readonly outstanding: number;
	readonly commits: number;
	readonly seconds: number;
	readonly commitsPerCpuSecond: number;
	readonly commitsPerSecond: number;
	readonly messagesPerCommit: number;
	/** From the start of the round that takes a proposal to the delivery that answers it. */
	readonly p50Us: number;
	readonly p99Us: number;
}

const ENTRY_BYTES = 256;
const WARM_UP_MS = 400;
const MEASURED_MS = 1000;
/** A heartbeat after so many rounds: by the clock of a deterministic driver that is often. */
const ROUNDS_PER_HEARTBEAT = 1024;
const voters = ["a", "b", "c"].map(nodeId);

/** The memory disk of one machine; refuses what a real one could not do. */
class MemoryStore {
	firstIndex = 1;
	entries: Entry[] = [];

	perform(write: RaftWrite): void {
		const { truncateFrom, append, compactThrough } = write;
		if (truncateFrom !== undefined) this.entries.length = truncateFrom - this.firstIndex;
		if (append !== undefined) {
			assert(append.firstIndex === this.firstIndex + this.entries.length, "an append continues the log exactly");
			for (const entry of append.entries) this.entries.push(entry);
		}
		if (compactThrough !== undefined) {
			this.entries = this.entries.slice(compactThrough - this.firstIndex + 1);
			this.firstIndex = compactThrough + 1;
		}
	}
}

/** Sees what each machine does. */
type Observe = (observation: RaftObservation) => void;

/** One machine and the duties of its host. */
class BenchNode {
	readonly id: NodeId;
	readonly raft: RaftMachine;
	readonly machine: StateMachine<RaftTypes>;
	readonly store = new MemoryStore();
	/** What this round steps, and what the next will. */
	inbox: Input<RaftTypes>[] = [];
	nextInbox: Input<RaftTypes>[] = [];
	readonly #effects: Effect<RaftTypes>[] = [];
	/** Persists of this round, durable at the start of the next. */
	#writes: { writeId: WriteId; write: RaftWrite }[] = [];
	#held: Effect<RaftTypes>[] = [];
	deliveredCount = 0;
	/** Chained over everything delivered, in order. */
	deliveredHash = 0;

	constructor(id: NodeId, observe: Observe | null) {
		this.id = id;
		this.raft = new RaftMachine(raftConfig({ nodeId: id, voters }));
		this.machine = observe === null ? this.raft : new ObservedMachine(id, this.raft, observe);
		const hardState = { term: 0 as Term, votedFor: null };
		const durable = { hardState, snapshot: null, firstIndex: 1 as LogIndex, entries: [] };
		this.inbox.push({ type: "start", durable });
	}

	/** Steps one batch and performs its effects; `answered` is told how many local proposals were answered. */
	round(group: BenchGroup): void {
		for (const { writeId, write } of this.#writes) {
			this.store.perform(write);
			this.inbox.push({ type: "write-completed", writeId });
		}
		if (this.#writes.length > 0) this.#writes = [];
		const released = this.#held;
		if (released.length > 0) this.#held = [];
		for (const effect of released) this.#release(effect, group);
		if (this.inbox.length === 0) return;
		const effects = this.#effects;
		effects.length = 0;
		for (const input of this.inbox) this.machine.step(input, 0, effects);
		this.machine.step({ type: "batch-ended" }, 0, effects);
		this.inbox.length = 0;
		for (const effect of effects) {
			const isHeld = this.#writes.length > 0 && "release" in effect && effect.release === "after-durable";
			if (isHeld) this.#held.push(effect);
			else this.#release(effect, group);
		}
	}

	#release(effect: Effect<RaftTypes>, group: BenchGroup): void {
		switch (effect.type) {
			case "send":
				group.send(this.id, effect.to, effect.message);
				break;
			case "persist":
				this.#writes.push(effect);
				break;
			case "apply":
				this.#deliver(effect.delivery, group);
				break;
			default:
				// Timers are driven by rounds, events have no observer here; refusals would be a mistake of the bench.
				assert(effect.type !== "reply" && effect.type !== "read", "nothing is refused and nobody lags");
		}
	}

	#deliver(delivery: RaftDelivery, group: BenchGroup): void {
		if (delivery.type === "take-snapshot") {
			const { lastIndex, lastTerm, configuration } = delivery;
			this.nextInbox.push({ type: "snapshot-ready", snapshot: { lastIndex, lastTerm, configuration, sizeBytes: 0 } });
			return;
		}
		assert(delivery.type === "entries", "nothing is queried or restored");
		const { entries, requestIds, firstIndex } = delivery;
		let hash = this.deliveredHash;
		for (let i = 0; i < entries.length; i++) {
			const entry = entries[i] as Entry;
			hash = Math.imul(hash ^ (firstIndex + i) ^ (entry.data[0] ?? 0), 0x01000193);
		}
		this.deliveredHash = hash;
		this.deliveredCount += entries.length;
		if (requestIds === null) return;
		const nowMs = performance.now();
		for (const requestId of requestIds) if (requestId !== null) group.answered(requestId, nowMs);
	}
}

/** Three machines and a closed loop of proposals. */
class BenchGroup {
	readonly nodes: readonly BenchNode[];
	readonly #leader: BenchNode;
	readonly #payloads = Array.from({ length: 4096 }, (_, i) => new Uint8Array(ENTRY_BYTES).fill(i));
	/** When each outstanding proposal was made, by its request id modulo the length. */
	readonly #askedAt: Float64Array;
	#roundAt = 0;
	#rounds = 0;
	#asked = 0;
	#answered = 0;
	#toAsk = 0;
	messages = 0;
	latenciesMs: number[] | null = null;

	constructor(outstanding: number, observe: Observe | null) {
		this.nodes = voters.map((id) => new BenchNode(id, observe));
		this.#leader = must(this.nodes[0], "there is a first node");
		this.#askedAt = new Float64Array(2 ** Math.ceil(Math.log2(outstanding + 1)));
		this.#elect();
		this.#toAsk = outstanding;
	}

	get commits(): number {
		return this.#answered;
	}

	send(from: NodeId, to: NodeId, message: RaftTypes["message"]): void {
		this.messages++;
		const node = must(this.nodes[voters.indexOf(to)], "peers are known");
		node.nextInbox.push({ type: "message", from, message });
	}

	answered(requestId: number, nowMs: number): void {
		this.#answered++;
		this.#toAsk++;
		this.latenciesMs?.push(nowMs - must(this.#askedAt[requestId & (this.#askedAt.length - 1)], "asked before"));
	}

	/** Proposes as much as is wanted and lets each machine do one batch. */
	round(): void {
		this.#roundAt = performance.now();
		for (; this.#toAsk > 0; this.#toAsk--) this.#propose();
		if (++this.#rounds % ROUNDS_PER_HEARTBEAT === 0) this.#leader.inbox.push({ type: "timer", timer: "heartbeat" });
		this.#exchange();
	}

	/** Answers what is outstanding, without new proposals, and compares the replicas. */
	finish(): void {
		this.#toAsk = Number.NEGATIVE_INFINITY;
		for (let i = 0; i < 64; i++) this.#exchange();
		this.#leader.inbox.push({ type: "timer", timer: "heartbeat" });
		for (let i = 0; i < 8; i++) this.#exchange();
		assert(this.#asked === this.#answered, "every proposal is answered once", { asked: this.#asked });
		for (const node of this.nodes) {
			assert(node.deliveredCount === this.#asked + 1, "every replica delivers each proposal and the no-op");
			assert(node.deliveredHash === this.#leader.deliveredHash, "every replica delivers the same, in one order");
			assertSameLogs(node.store, this.#leader.store);
		}
	}

	#propose(): void {
		const requestId = this.#asked++;
		this.#askedAt[requestId & (this.#askedAt.length - 1)] = this.#roundAt;
		const data = must(this.#payloads[requestId & 4095], "in range");
		const session = 0 as SessionId;
		this.#leader.inbox.push({
			type: "request",
			requestId,
			request: { type: "propose", session, serial: 0, firstIncomplete: 0, data },
		});
	}

	#exchange(): void {
		for (const node of this.nodes) node.round(this);
		for (const node of this.nodes) {
			for (const input of node.nextInbox) node.inbox.push(input);
			node.nextInbox.length = 0;
		}
	}

	#elect(): void {
		this.#exchange();
		this.#leader.inbox.push({ type: "timer", timer: "election" });
		for (let i = 0; i < 16; i++) this.#exchange();
		assert(this.#leader.raft.status.role === "leader", "the first node is elected");
	}
}

function assertSameLogs(a: MemoryStore, b: MemoryStore): void {
	const last = a.firstIndex + a.entries.length;
	assert(last === b.firstIndex + b.entries.length, "the stored logs end alike");
	for (let index = Math.max(a.firstIndex, b.firstIndex); index < last; index++) {
		assert(a.entries[index - a.firstIndex] === b.entries[index - b.firstIndex], "the stored logs are equal");
	}
}

/** One setting; `observe` sees every batch and every event of every machine. */
export function measureRaftCore(outstanding: number, observe: Observe | null = null): RaftCoreRow {
	const group = new BenchGroup(outstanding, observe);
	const warmUntil = performance.now() + WARM_UP_MS;
	while (performance.now() < warmUntil) group.round();
	const [commitsBefore, messagesBefore, start] = [group.commits, group.messages, performance.now()];
	const latenciesMs: number[] = [];
	group.latenciesMs = latenciesMs;
	const cpuBefore = process.cpuUsage();
	while (performance.now() < start + MEASURED_MS) group.round();
	const seconds = (performance.now() - start) / 1000;
	const { user, system } = process.cpuUsage(cpuBefore);
	const commits = group.commits - commitsBefore;
	const messages = group.messages - messagesBefore;
	group.latenciesMs = null;
	group.finish();
	const sorted = Float64Array.from(latenciesMs).sort();
	const percentileUs = (p: number): number => must(sorted[Math.floor((sorted.length - 1) * p)], "measured") * 1000;
	return {
		outstanding,
		commits,
		seconds,
		commitsPerCpuSecond: (commits * 1e6) / (user + system),
		commitsPerSecond: commits / seconds,
		messagesPerCommit: messages / commits,
		p50Us: percentileUs(0.5),
		p99Us: percentileUs(0.99),
	};
}

/** Measures every setting, one after the other. */
export async function benchRaftCore(): Promise<RaftCoreRow[]> {
	const rows: RaftCoreRow[] = [];
	for (const outstanding of [1, 64, 256, 4096]) {
		rows.push(measureRaftCore(outstanding));
		// Lets the collector and the caller's timers run between settings.
		await new Promise((resolve) => setImmediate(resolve));
	}
	return rows;
}

const ROUNDS = 3;
/** Commits per second; what etcd's Go library did in the same kind of driver on the same kind of machine. */
const targets = new Map([
	[64, 150_000],
	[4096, 450_000],
]);

/** The settings with a target, as medians over several rounds; the stretch is twice the target. */
export default async function bench(): Promise<BenchRow[]> {
	const rounds: RaftCoreRow[][] = [];
	for (let i = 0; i < ROUNDS; i++) rounds.push(await benchRaftCore());
	return must(rounds[0], "at least one round").map(({ outstanding }, i) => {
		const rows = rounds.map((rows) => must(rows[i], "every round has every setting"));
		const median = (value: (row: RaftCoreRow) => number): number =>
			must(rows.map(value).sort((a, b) => a - b)[Math.floor(ROUNDS / 2)], "in range");
		const target = targets.get(outstanding) ?? null;
		const messages = median((row) => row.messagesPerCommit).toFixed(4);
		const [p50, p99] = [median((row) => row.p50Us), median((row) => row.p99Us)].map((us) => us.toFixed(1));
		return {
			name: `Raft core, 3 nodes, ${ENTRY_BYTES}-byte entries, ${outstanding} outstanding`,
			ours: median((row) => row.commitsPerSecond),
			unit: "commits/s",
			target,
			stretch: target === null ? null : 2 * target,
			note: `memory storage, one thread; ${messages} messages per commit, p50 ${p50} µs, p99 ${p99} µs`,
		};
	});
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
	console.log("outstanding  commits/s  messages/commit   p50 µs   p99 µs");
	for (const row of await benchRaftCore()) {
		const { outstanding, commitsPerSecond, messagesPerCommit, p50Us, p99Us } = row;
		const cells = [
			outstanding,
			Math.round(commitsPerSecond),
			messagesPerCommit.toFixed(4),
			p50Us.toFixed(1),
			p99Us.toFixed(1),
		];
		const widths = [11, 10, 16, 8, 8];
		console.log(cells.map((cell, i) => String(cell).padStart(must(widths[i], "in range"))).join(" "));
	}
}
