/**
 * A deterministic host for a whole group of Raft machines: virtual time, and one seed that decides every delay, loss,
 * duplicate, reordering, partition, crash and slow write. It does what the contract asks of a host (held effects, ordered
 * and atomic persists, timers, restart from what was durable) and shows an observer all that happens, to depth `disk`.
 */
import type { Effect, Input, LogPosition, NodeId, ReadId, RequestId, WriteId } from "../../../protocols/core/index.ts";
import { assert, assertNever, Generator, must } from "../../../protocols/core/index.ts";
import {
	type ByteApplication,
	type Entry,
	type HardState,
	type LogIndex,
	RaftApplier,
	type RaftConfig,
	type RaftDelivery,
	type RaftDurable,
	RaftMachine,
	type RaftMessage,
	type RaftRead,
	type RaftReadResult,
	type RaftReply,
	type RaftRequest,
	type RaftSnapshot,
	type RaftTimer,
	type RaftTypes,
	type RaftView,
	type RaftWrite,
	type RequestAnswer,
	type SessionLimits,
	type Term,
} from "../../../protocols/raft/index.ts";
import type { RaftObservation } from "../../../protocols/raft/properties/index.ts";
import { ObservedMachine } from "../../../protocols/verification/index.ts";
import { type Event, popEarliest, siftUp } from "./event-queue.ts";
import { decodeSnapshot, encodeSnapshot } from "./snapshot-bytes.ts";
import { kindWorld, type World } from "./world.ts";

/** What a local request is answered with in the end. */
export type Outcome = RaftReply | RequestAnswer["answer"];

/** What the disk of one node holds. */
export interface Disk {
	hardState: HardState;
	snapshot: RaftSnapshot | null;
	snapshotBytes: Uint8Array;
	firstIndex: LogIndex;
	entries: Entry[];
	/** Chunks of a snapshot in reception. */
	received: number[];
	/** What is there from this index on can not be read; 1: nor can the snapshot's description. */
	damagedFrom?: LogIndex;
	/** The snapshot's bytes can not be read. */
	isSnapshotDamaged?: true;
}

/** One node's part of the host. */
interface Node {
	readonly id: NodeId;
	readonly disk: Disk;
	machine: RaftMachine;
	/** The same, as it is stepped. */
	observed: ObservedMachine<RaftTypes, RaftView>;
	applier: RaftApplier;
	application: ByteApplication;
	isUp: boolean;
	/** Grows with each crash, so that what was scheduled for a former life is dropped. */
	life: number;
	/** Persists that are not durable yet, in order. */
	readonly writes: { writeId: WriteId; write: RaftWrite }[];
	/** Held effects and the persist that each waits for. */
	readonly held: { after: WriteId; effect: Effect<RaftTypes> }[];
	lastWriteId: WriteId;
	durableWriteId: WriteId;
	/** When the disk is free again: it writes in order. */
	diskFreeAt: number;
	readonly timers: Map<RaftTimer, number>;
	nextTimer: number;
	/** Inputs of this batch that are at hand. */
	readonly inbox: Input<RaftTypes>[];
	isBatchDue: boolean;
	/** It takes no step before that, whatever waits. */
	pausedUntil: number;
	readonly requests: Map<RequestId, (outcome: Outcome) => void>;
}

export interface DriverOptions {
	readonly seed: number;
	readonly voters: readonly NodeId[];
	readonly config: (node: NodeId) => RaftConfig;
	/** A fresh application, at the first boot and at each restart. */
	readonly application: (node: NodeId) => ByteApplication;
	readonly sessionLimits?: SessionLimits;
	readonly world?: World;
	/** How fast a node's clock runs, timers and `now` alike; 1 is true. */
	readonly clockRate?: (node: NodeId) => number;
	readonly observe?: (observation: RaftObservation) => void;
}

export class DeterministicDriver {
	readonly #options: DriverOptions;
	readonly #observe: (observation: RaftObservation) => void;
	readonly #dice: Generator;
	readonly #nodes = new Map<NodeId, Node>();
	readonly #queue: Event[] = [];
	/** Pairs `from>to` that do not get through at present. */
	readonly #cut = new Set<string>();
	#order = 0;
	#nextRequest = 1;
	world: World;
	now = 0;
	/** What happened, so that a test can see that its faults were real. */
	readonly counts: Record<
		| "messages"
		| "lost"
		| "duplicated"
		| "crashes"
		| "lostWrites"
		| "lostEffects"
		| "restarts"
		| "snapshotsTaken"
		| "restores"
		| "damages",
		number
	> = {
		messages: 0,
		lost: 0,
		duplicated: 0,
		crashes: 0,
		lostWrites: 0,
		lostEffects: 0,
		restarts: 0,
		snapshotsTaken: 0,
		restores: 0,
		damages: 0,
	};

	constructor(options: DriverOptions) {
		this.#options = options;
		this.#observe = options.observe ?? ((): void => {});
		this.#dice = new Generator(options.seed, "driver");
		this.world = options.world ?? kindWorld;
		for (const id of options.voters) this.#nodes.set(id, this.#createNode(id));
		for (const id of options.voters) this.#boot(this.#node(id));
	}

	/** Boots a server that is no member yet. */
	join(id: NodeId): void {
		assert(!this.#nodes.has(id), "a new server has a new name", { id });
		this.#nodes.set(id, this.#createNode(id));
		this.#boot(this.#node(id));
	}

	get nodes(): NodeId[] {
		return [...this.#nodes.keys()];
	}

	machine(id: NodeId): RaftMachine {
		return this.#node(id).machine;
	}

	application(id: NodeId): ByteApplication {
		return this.#node(id).application;
	}

	disk(id: NodeId): Disk {
		return this.#node(id).disk;
	}

	isUp(id: NodeId): boolean {
		return this.#node(id).isUp;
	}

	/** Asks a node that is up; `answered` is called unless the node crashes first. */
	request(id: NodeId, request: RaftRequest, answered: (outcome: Outcome) => void): void {
		const node = this.#node(id);
		assert(node.isUp, "only a node that is up can be asked");
		const requestId = this.#nextRequest++;
		node.requests.set(requestId, answered);
		this.#enqueue(node, { type: "request", requestId, request });
	}

	/** Hands a node an input of the test's own making. */
	input(id: NodeId, input: Input<RaftTypes>): void {
		this.#enqueue(this.#node(id), input);
	}

	/** Loses what is not durable, and all of memory. */
	crash(id: NodeId): void {
		const node = this.#node(id);
		assert(node.isUp, "only a node that is up can crash");
		this.counts.crashes++;
		this.counts.lostWrites += node.writes.length;
		this.counts.lostEffects += node.held.length;
		node.isUp = false;
		node.life++;
		// A write that was under way may have reached the disk without the node learning of it: a prefix of them has.
		const survived = this.#dice.below(node.writes.length + 1);
		for (const { write } of node.writes.splice(0, survived)) this.#write(node, write);
		this.#observe({ type: "ended", node: id });
		node.disk.received = [];
		node.writes.length = 0;
		node.held.length = 0;
		node.timers.clear();
		node.inbox.length = 0;
		node.isBatchDue = false;
		node.requests.clear();
	}

	/** Makes the bytes of a node's snapshot unreadable, whether it is up or not. */
	damageSnapshot(id: NodeId): void {
		const { disk } = this.#node(id);
		assert(disk.snapshot !== null, "there is a snapshot to damage");
		this.counts.damages++;
		disk.isSnapshotDamaged = true;
	}

	/** Makes the log of a node that is down unreadable from this place of its entries on; null: all that it holds. */
	damage(id: NodeId, place: number | null): void {
		const { disk, isUp } = this.#node(id);
		assert(!isUp, "only the disk of a node that is down is damaged");
		this.counts.damages++;
		const damagedFrom = (place === null ? 1 : disk.firstIndex + place - 1) as LogIndex;
		disk.damagedFrom = Math.min(damagedFrom, disk.damagedFrom ?? damagedFrom) as LogIndex;
	}

	/** Stops a node for a while, as a host that is not scheduled: its clock goes on. */
	pause(id: NodeId, durationMs: number): void {
		this.#node(id).pausedUntil = this.now + durationMs;
	}

	restart(id: NodeId): void {
		const node = this.#node(id);
		assert(!node.isUp, "only a node that is down can restart");
		this.counts.restarts++;
		this.#boot(node);
	}

	/** Lets messages pass only within each of the sides; nodes on no side are alone. */
	partition(sides: readonly (readonly NodeId[])[]): void {
		this.#cut.clear();
		for (const from of this.nodes) {
			for (const to of this.nodes) {
				if (!sides.some((side) => side.includes(from) && side.includes(to))) this.#cut.add(`${from}>${to}`);
			}
		}
	}

	/** Cuts one direction only. */
	cutLink(from: NodeId, to: NodeId): void {
		this.#cut.add(`${from}>${to}`);
	}

	heal(): void {
		this.#cut.clear();
	}

	/** Schedules something of the test's own. */
	after(delayMs: number, run: () => void): void {
		this.#queue.push({ at: this.now + delayMs, order: this.#order++, run });
		siftUp(this.#queue);
	}

	/** Performs one event. False if there is none. */
	tick(): boolean {
		const event = popEarliest(this.#queue);
		if (event === undefined) return false;
		this.now = event.at;
		event.run();
		return true;
	}

	/** Runs until `condition` holds or `limitMs` of virtual time have passed; returns whether it holds. */
	runUntil(condition: () => boolean, limitMs: number): boolean {
		const end = this.now + limitMs;
		while (!condition()) {
			const next = this.#queue[0];
			if (next === undefined || next.at > end) {
				this.now = end;
				return false;
			}
			this.tick();
		}
		return true;
	}

	run(durationMs: number): void {
		this.runUntil(() => false, durationMs);
	}

	#node(id: NodeId): Node {
		return must(this.#nodes.get(id), "the node exists");
	}

	#createNode(id: NodeId): Node {
		const application = this.#options.application(id);
		const machine = new RaftMachine(this.#options.config(id));
		return {
			id,
			disk: {
				hardState: { term: 0 as Term, votedFor: null },
				snapshot: null,
				snapshotBytes: new Uint8Array(0),
				firstIndex: 1 as LogIndex,
				entries: [],
				received: [],
			},
			machine,
			observed: new ObservedMachine(id, machine, this.#observe),
			applier: new RaftApplier(application, this.#options.sessionLimits),
			application,
			isUp: false,
			life: 0,
			writes: [],
			held: [],
			lastWriteId: 0,
			durableWriteId: 0,
			diskFreeAt: 0,
			timers: new Map(),
			nextTimer: 1,
			inbox: [],
			isBatchDue: false,
			pausedUntil: 0,
			requests: new Map(),
		};
	}

	/** The node's application, seen when it takes a command. */
	#observedApplication({ id, application }: Node): ByteApplication {
		return {
			apply: (data: Uint8Array, position: LogPosition) => {
				this.#observe({ type: "applied", node: id, index: position.index });
				return application.apply(data, position);
			},
			query: (data) => application.query(data),
			takeSnapshot: () => application.takeSnapshot(),
			restoreSnapshot: (snapshot) => application.restoreSnapshot(snapshot),
		};
	}

	#boot(node: Node): void {
		node.machine = new RaftMachine(this.#options.config(node.id));
		node.observed = new ObservedMachine(node.id, node.machine, this.#observe);
		node.application = this.#options.application(node.id);
		node.applier = new RaftApplier(this.#observedApplication(node), this.#options.sessionLimits);
		node.isUp = true;
		node.lastWriteId = 0;
		node.durableWriteId = 0;
		node.diskFreeAt = this.now;
		this.#enqueue(node, { type: "start", durable: durableOf(node.disk) });
	}

	/** Puts an input at hand; all that is at hand at the same moment is one batch. */
	#enqueue(node: Node, input: Input<RaftTypes>): void {
		node.inbox.push(input);
		if (node.isBatchDue) return;
		node.isBatchDue = true;
		this.#later(node, 0, () => this.#runBatch(node));
	}

	/** Schedules something for this life of a node. */
	#later(node: Node, delayMs: number, run: () => void): void {
		const { life } = node;
		this.after(delayMs, () => {
			if (node.life === life) run();
		});
	}

	#rateOf({ id }: Node): number {
		return this.#options.clockRate?.(id) ?? 1;
	}

	#runBatch(node: Node): void {
		if (this.now < node.pausedUntil) {
			this.#later(node, node.pausedUntil - this.now, () => this.#runBatch(node));
			return;
		}
		node.isBatchDue = false;
		const effects: Effect<RaftTypes>[] = [];
		const now = this.now * this.#rateOf(node);
		for (const input of node.inbox.splice(0)) node.observed.step(input, now, effects);
		node.observed.step({ type: "batch-ended" }, now, effects);
		for (const effect of effects) this.#perform(node, effect);
	}

	#perform(node: Node, effect: Effect<RaftTypes>): void {
		const isHeld = "release" in effect && effect.release === "after-durable" && node.lastWriteId > node.durableWriteId;
		if (isHeld) node.held.push({ after: node.lastWriteId, effect });
		else this.#release(node, effect);
	}

	#release(node: Node, effect: Effect<RaftTypes>): void {
		switch (effect.type) {
			case "send":
				this.#send(node.id, effect.to, effect.message);
				break;
			case "set-timer":
				this.#setTimer(node, effect.timer, this.#draw(effect.afterMs));
				break;
			case "cancel-timer":
				node.timers.delete(effect.timer);
				break;
			case "persist":
				this.#persist(node, effect.writeId, effect.write);
				break;
			case "read":
				this.#read(node, effect.readId, effect.read);
				break;
			case "apply":
				this.#deliver(node, effect.delivery);
				break;
			case "reply":
				this.#answer(node, effect.requestId, effect.reply);
				break;
			case "emit":
				break;
			default:
				assertNever(effect, "effect");
		}
	}

	#draw({ min, max }: { readonly min: number; readonly max: number }): number {
		return this.#dice.between(min, max);
	}

	#send(from: NodeId, to: NodeId, message: RaftMessage): void {
		this.counts.messages++;
		this.#observe({ type: "left", from, to, message, durable: this.#node(from).disk });
		if (this.#cut.has(`${from}>${to}`) || this.#dice.chance(this.world.lossChance)) {
			this.counts.lost++;
			return;
		}
		const copies = this.#dice.chance(this.world.duplicateChance) ? 2 : 1;
		if (copies === 2) this.counts.duplicated++;
		for (let i = 0; i < copies; i++) {
			this.after(this.#draw(this.world.latencyMs), () => {
				const node = this.#nodes.get(to);
				if (node?.isUp) this.#enqueue(node, { type: "message", from, message });
			});
		}
	}

	#setTimer(node: Node, timer: RaftTimer, delayMs: number): void {
		const id = node.nextTimer++;
		node.timers.set(timer, id);
		this.#later(node, delayMs / this.#rateOf(node), () => {
			if (node.timers.get(timer) !== id) return;
			node.timers.delete(timer);
			this.#enqueue(node, { type: "timer", timer });
		});
	}

	#persist(node: Node, writeId: WriteId, write: RaftWrite): void {
		assert(writeId > node.lastWriteId, "write ids grow");
		node.lastWriteId = writeId;
		node.writes.push({ writeId, write });
		const slowness = this.world.slowDisks.includes(node.id) ? 10 : 1;
		node.diskFreeAt = Math.max(node.diskFreeAt, this.now) + slowness * this.#draw(this.world.writeMs);
		this.#later(node, node.diskFreeAt - this.now, () => {
			const done = must(node.writes.shift(), "the write is under way");
			assert(done.writeId === writeId, "the disk writes in order");
			this.#write(node, done.write);
			node.durableWriteId = writeId;
			this.#enqueue(node, { type: "write-completed", writeId });
			while (node.held.length > 0 && must(node.held[0], "checked").after <= writeId) {
				this.#release(node, must(node.held.shift(), "checked").effect);
			}
		});
	}

	#write(node: Node, write: RaftWrite): void {
		performWrite(node.disk, write);
		this.#observe({ type: "persisted", node: node.id, durable: node.disk });
	}

	/** A read sees every persist before it, so it waits for the disk to get there. */
	#read(node: Node, readId: ReadId, read: RaftRead): void {
		const delayMs = Math.max(0, node.diskFreeAt - this.now) + this.#draw(this.world.writeMs);
		this.#later(node, delayMs, () => {
			this.#enqueue(node, { type: "read-completed", readId, result: readSnapshot(node.disk, read) });
		});
	}

	#deliver(node: Node, delivery: RaftDelivery): void {
		switch (delivery.type) {
			case "entries":
			case "query":
				for (const { requestId, answer } of node.applier.perform(delivery)) this.#answer(node, requestId, answer);
				break;
			case "take-snapshot":
				this.#takeSnapshot(node, delivery);
				break;
			case "restore-snapshot":
				this.counts.restores++;
				assert(node.disk.snapshot?.lastIndex === delivery.snapshot.lastIndex, "the snapshot to restore is durable");
				assert(node.disk.isSnapshotDamaged !== true, "nobody loads what can not be read");
				node.applier.restoreSnapshot(decodeSnapshot(node.disk.snapshotBytes));
				break;
			default:
				assertNever(delivery, "delivery");
		}
	}

	#takeSnapshot(node: Node, delivery: Extract<RaftDelivery, { type: "take-snapshot" }>): void {
		const { lastIndex, lastTerm, configuration } = delivery;
		const bytes = encodeSnapshot(node.applier.takeSnapshot());
		this.#later(node, this.#draw(this.world.snapshotMs), () => {
			const before = node.disk.snapshot?.lastIndex ?? 0;
			if (before > lastIndex || (before === lastIndex && node.disk.isSnapshotDamaged !== true)) return;
			delete node.disk.isSnapshotDamaged;
			const snapshot = { lastIndex, lastTerm, configuration, sizeBytes: bytes.length };
			this.counts.snapshotsTaken++;
			node.disk.snapshot = snapshot;
			node.disk.snapshotBytes = bytes;
			this.#enqueue(node, { type: "snapshot-ready", snapshot });
		});
	}

	#answer(node: Node, requestId: RequestId, outcome: Outcome): void {
		const answered = must(node.requests.get(requestId), "a request is answered once");
		node.requests.delete(requestId);
		answered(outcome);
	}
}

function durableOf(disk: Disk): RaftDurable {
	const { hardState, snapshot, firstIndex, entries, damagedFrom, isSnapshotDamaged } = disk;
	const ofSnapshot = isSnapshotDamaged === undefined ? {} : { isSnapshotDamaged };
	if (damagedFrom === undefined) return { hardState, snapshot, firstIndex, entries: entries.slice(), ...ofSnapshot };
	if (damagedFrom === 1) return { hardState, snapshot: null, firstIndex: damagedFrom, entries: [], damagedFrom };
	const readable = entries.slice(0, Math.max(0, damagedFrom - firstIndex));
	return { hardState, snapshot, firstIndex, entries: readable, damagedFrom, ...ofSnapshot };
}

/** Performs one persist on the disk, in the order of its fields; refuses what the contract does not allow. */
export function performWrite(disk: Disk, write: RaftWrite): void {
	if (write.hardState !== undefined) disk.hardState = write.hardState;
	if (write.truncateFrom !== undefined) {
		mend(disk, write.truncateFrom);
		disk.entries.length = Math.max(0, Math.min(disk.entries.length, write.truncateFrom - disk.firstIndex));
	}
	if (write.append !== undefined) {
		assert(disk.damagedFrom === undefined, "nothing is appended behind what is damaged");
		assert(write.append.firstIndex === disk.firstIndex + disk.entries.length, "an append continues the log exactly", {
			...write.append,
			expected: disk.firstIndex + disk.entries.length,
		});
		for (const entry of write.append.entries) disk.entries.push(entry);
	}
	if (write.snapshotChunk !== undefined) {
		if (write.snapshotChunk.offset === 0) disk.received = [];
		assert(write.snapshotChunk.offset === disk.received.length, "a chunk continues the reception exactly");
		for (const byte of write.snapshotChunk.data) disk.received.push(byte);
	}
	if (write.installSnapshot !== undefined) {
		assert(write.installSnapshot.sizeBytes === disk.received.length, "an installed snapshot is complete");
		delete disk.isSnapshotDamaged;
		disk.snapshot = write.installSnapshot;
		disk.snapshotBytes = Uint8Array.from(disk.received);
		disk.received = [];
	}
	if (write.compactThrough !== undefined) {
		assert((disk.snapshot?.lastIndex ?? 0) >= write.compactThrough, "a durable snapshot covers what is compacted");
		disk.entries.splice(0, Math.max(0, write.compactThrough - disk.firstIndex + 1));
		disk.firstIndex = Math.max(disk.firstIndex, write.compactThrough + 1) as LogIndex;
	}
}

/** What can not be read is gone when it is cut. */
function mend(disk: Disk, truncateFrom: LogIndex): void {
	if (disk.damagedFrom === undefined) return;
	assert(truncateFrom <= disk.damagedFrom, "what is damaged is cut first", { truncateFrom });
	if (disk.damagedFrom === 1) {
		Object.assign(disk, { snapshot: null, firstIndex: 1, entries: [] });
		delete disk.isSnapshotDamaged;
	}
	delete disk.damagedFrom;
}

function readSnapshot(disk: Disk, read: RaftRead): RaftReadResult {
	const { lastIndex, offset, lengthBytes } = read;
	if (disk.snapshot?.lastIndex !== lastIndex) return { type: "missing", lastIndex };
	if (disk.isSnapshotDamaged === true) return { type: "damaged", lastIndex };
	return { type: "chunk", lastIndex, offset, data: disk.snapshotBytes.slice(offset, offset + lengthBytes) };
}
