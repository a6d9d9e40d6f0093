/**
 * A deterministic host for a whole group of PBFT machines: virtual time, and one seed that decides every delay, loss, duplicate,
 * reordering, partition, crash and slow write. It does what the contract asks of a host (held effects, ordered and atomic persists,
 * timers, restart from what was durable) and shows an observer what the correct members do, to depth `disk`.
 */
import type {
	CryptoPort,
	Effect,
	Input,
	NodeId,
	RequestId,
	StateMachine,
	WriteId,
} from "../../../protocols/core/index.ts";
import { assert, assertNever, Generator, type GroupId, groupId, must, nodeId } from "../../../protocols/core/index.ts";
import {
	authenticatorsFor,
	type CapturedState,
	type ClientRequest,
	type OrderedApplication,
	type PbftAnswer,
	PbftApplier,
	type PbftConfig,
	type PbftDelivery,
	type PbftDurable,
	PbftMachine,
	type PbftMessage,
	type PbftReadResult,
	type PbftReply,
	type PbftTimer,
	type PbftTypes,
	type PbftView,
	type PbftWrite,
	partsOf,
	pbftConfig,
	type RequestKind,
	requestDigest,
	requestStatement,
	type SequenceNumber,
	StateTree,
	type ViewNumber,
} from "../../../protocols/pbft/index.ts";
import type { PbftObservation } from "../../../protocols/pbft/properties/index.ts";
import { IdealAuthority, ObservedMachine } from "../../../protocols/verification/index.ts";
import { type Event, popEarliest, siftUp } from "../raft/event-queue.ts";

/** What a local request is answered with in the end. */
export type Outcome = PbftReply | PbftAnswer;

/** How bad the world is. Probabilities in [0, 1], times in milliseconds. */
export interface World {
	readonly lossChance: number;
	readonly duplicateChance: number;
	readonly latencyMs: { readonly min: number; readonly max: number };
	readonly writeMs: { readonly min: number; readonly max: number };
}

export const kindWorld: World = {
	lossChance: 0,
	duplicateChance: 0,
	latencyMs: { min: 1, max: 3 },
	writeMs: { min: 0, max: 2 },
};

/** What the disk of one node holds. */
interface Disk {
	durable: PbftDurable;
	/** The bytes of the base's state. */
	baseBytes: Uint8Array;
	/** Parts of a state in reception. */
	received: Uint8Array[];
}

interface Node {
	readonly id: NodeId;
	readonly disk: Disk;
	machine: StateMachine<PbftTypes>;
	/** The correct machine inside, if it is one that can be looked into. */
	honest: PbftMachine | null;
	application: OrderedApplication;
	applier: PbftApplier;
	captures: Map<number, CapturedState>;
	isUp: boolean;
	life: number;
	readonly writes: { writeId: WriteId; write: PbftWrite }[];
	readonly held: { after: WriteId; effect: Effect<PbftTypes> }[];
	lastWriteId: WriteId;
	durableWriteId: WriteId;
	diskFreeAt: number;
	readonly timers: Map<PbftTimer, number>;
	nextTimer: number;
	readonly inbox: Input<PbftTypes>[];
	isBatchDue: boolean;
	readonly requests: Map<RequestId, (outcome: Outcome) => void>;
}

export interface DriverOptions {
	readonly seed: number;
	readonly members: number;
	readonly faults: number;
	/** Nodes beyond the members that run and may be added; default none. */
	readonly candidates?: number;
	readonly clients?: readonly NodeId[];
	readonly tuning?: Partial<Omit<PbftConfig, "nodeId" | "members" | "faults" | "cluster">>;
	readonly application: (node: NodeId) => OrderedApplication;
	readonly world?: World;
	/** Something else than a correct machine, for a member that lies; null for a correct one. */
	readonly corrupt?: (node: NodeId, config: PbftConfig, crypto: CryptoPort) => StateMachine<PbftTypes> | null;
	readonly observe?: (observation: PbftObservation) => void;
	/** Default: ideal ones. */
	readonly portOf?: (id: NodeId) => CryptoPort;
}

export const cluster: GroupId = groupId("test-group");

export class GroupDriver {
	readonly #options: DriverOptions;
	readonly #observe: (observation: PbftObservation) => void;
	readonly #dice: Generator;
	readonly #nodes = new Map<NodeId, Node>();
	readonly #queue: Event[] = [];
	readonly #cut = new Set<string>();
	readonly #ports: (id: NodeId) => CryptoPort;
	#order = 0;
	#nextRequest = 1;
	/** Of the first configuration. */
	readonly members: readonly NodeId[];
	/** Everyone who runs: members, and those that may be added. */
	readonly everyone: readonly NodeId[];
	world: World;
	now = 0;
	readonly counts: Record<
		"messages" | "lost" | "duplicated" | "crashes" | "lostWrites" | "lostEffects" | "restores" | "captures",
		number
	> = { messages: 0, lost: 0, duplicated: 0, crashes: 0, lostWrites: 0, lostEffects: 0, restores: 0, captures: 0 };
	/** Messages that left, by type. */
	readonly sent: Map<string, number> = new Map();

	constructor(options: DriverOptions) {
		this.#options = options;
		this.#observe = options.observe ?? ((): void => {});
		this.#dice = new Generator(options.seed, "driver");
		this.world = options.world ?? kindWorld;
		const running = options.members + (options.candidates ?? 0);
		this.everyone = Array.from({ length: running }, (_, i) => nodeId(`n${i + 1}`));
		this.members = this.everyone.slice(0, options.members);
		const authority = new IdealAuthority(options.seed, [...this.everyone, ...(options.clients ?? [])]);
		this.#ports = options.portOf ?? ((id): CryptoPort => authority.portOf(id));
		for (const id of this.everyone) this.#nodes.set(id, this.#createNode(id));
		for (const id of this.everyone) this.#boot(this.#node(id));
	}

	config(id: NodeId): PbftConfig {
		const { faults, tuning, clients = [] } = this.#options;
		// Any of them may have been removed, and be wanted again.
		const group = { cluster, members: this.members, faults, candidates: this.everyone, administrators: clients };
		return pbftConfig({ ...group, ...tuning, nodeId: id });
	}

	port(id: NodeId): CryptoPort {
		return this.#ports(id);
	}

	/** A client's request, signed by it. */
	signed(client: NodeId, timestamp: number, operation: Uint8Array, kind: RequestKind = "command"): ClientRequest {
		const port = this.port(client);
		const body = { client, timestamp, kind, operation };
		const digest = requestDigest(cluster, port.digest, body);
		return { ...body, signature: port.sign(requestStatement(digest)), macs: new Uint8Array(0) };
	}

	/** The same with an authenticator for each member. */
	authenticated(client: NodeId, timestamp: number, operation: Uint8Array): ClientRequest {
		const port = this.port(client);
		const body = { client, timestamp, kind: "command", operation } as const;
		const statement = requestStatement(requestDigest(cluster, port.digest, body));
		const macs = authenticatorsFor(this.everyone, (member) => port.authenticate(member, statement));
		return { ...body, signature: new Uint8Array(0), macs };
	}

	machine(id: NodeId): PbftMachine {
		return must(this.#node(id).honest ?? undefined, "the node is correct");
	}

	isCorrect(id: NodeId): boolean {
		return this.#node(id).honest !== null;
	}

	get correct(): NodeId[] {
		return this.everyone.filter((id) => this.isCorrect(id));
	}

	application(id: NodeId): OrderedApplication {
		return this.#node(id).application;
	}

	durable(id: NodeId): PbftDurable {
		return this.#node(id).disk.durable;
	}

	isUp(id: NodeId): boolean {
		return this.#node(id).isUp;
	}

	/** Asks a node that is up; `answered` is called unless the node crashes first. */
	request(id: NodeId, request: ClientRequest, answered: (outcome: Outcome) => void = (): void => {}): void {
		const node = this.#node(id);
		if (!node.isUp) return;
		const requestId = this.#nextRequest++;
		node.requests.set(requestId, answered);
		this.#enqueue(node, { type: "request", requestId, request: { type: "submit", request } });
	}

	/** Hands a node an input of the test's own making. */
	input(id: NodeId, input: Input<PbftTypes>): void {
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
		const survived = this.#dice.below(node.writes.length + 1);
		for (const { write } of node.writes.splice(0, survived)) this.#write(node, write);
		if (node.honest !== null) this.#observe({ type: "ended", node: id });
		node.disk.received = [];
		node.writes.length = 0;
		node.held.length = 0;
		node.timers.clear();
		node.inbox.length = 0;
		node.isBatchDue = false;
		node.requests.clear();
	}

	restart(id: NodeId): void {
		const node = this.#node(id);
		assert(!node.isUp, "only a node that is down can restart");
		this.#boot(node);
	}

	/** Lets messages pass only within each of the sides; nodes on no side are alone. */
	partition(sides: readonly (readonly NodeId[])[]): void {
		this.#cut.clear();
		for (const from of this.everyone) {
			for (const to of this.everyone) {
				if (!sides.some((side) => side.includes(from) && side.includes(to))) this.#cut.add(`${from}>${to}`);
			}
		}
	}

	cutLink(from: NodeId, to: NodeId): void {
		this.#cut.add(`${from}>${to}`);
	}

	heal(): void {
		this.#cut.clear();
	}

	after(delayMs: number, run: () => void): void {
		this.#queue.push({ at: this.now + delayMs, order: this.#order++, run });
		siftUp(this.#queue);
	}

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
		const machine = new PbftMachine(this.config(id), this.port(id));
		return {
			id,
			disk: { durable: blankDurable, baseBytes: new Uint8Array(0), received: [] },
			machine,
			honest: null,
			application,
			applier: this.#applierOf(id, application),
			captures: new Map(),
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
			requests: new Map(),
		};
	}

	#applierOf(id: NodeId, application: OrderedApplication): PbftApplier {
		const { clientWindow, statePartBytes } = this.config(id);
		return new PbftApplier({ application, digest: this.port(id).digest, clientWindow, statePartBytes });
	}

	#boot(node: Node): void {
		const config = this.config(node.id);
		const crypto = this.port(node.id);
		const corrupt = this.#options.corrupt?.(node.id, config, crypto) ?? null;
		if (corrupt === null) {
			node.honest = new PbftMachine(config, crypto);
			node.machine = new ObservedMachine<PbftTypes, PbftView>(node.id, node.honest, this.#observe);
		} else {
			node.honest = null;
			node.machine = corrupt;
		}
		node.application = this.#options.application(node.id);
		node.applier = this.#applierOf(node.id, node.application);
		node.captures = new Map();
		node.isUp = true;
		node.lastWriteId = 0;
		node.durableWriteId = 0;
		node.diskFreeAt = this.now;
		this.#enqueue(node, { type: "start", durable: node.disk.durable });
	}

	#enqueue(node: Node, input: Input<PbftTypes>): void {
		node.inbox.push(input);
		if (node.isBatchDue) return;
		node.isBatchDue = true;
		this.#later(node, 0, () => this.#runBatch(node));
	}

	#later(node: Node, delayMs: number, run: () => void): void {
		const { life } = node;
		this.after(delayMs, () => {
			if (node.life === life) run();
		});
	}

	#runBatch(node: Node): void {
		node.isBatchDue = false;
		const effects: Effect<PbftTypes>[] = [];
		for (const input of node.inbox.splice(0)) node.machine.step(input, this.now, effects);
		node.machine.step({ type: "batch-ended" }, this.now, effects);
		for (const effect of effects) this.#perform(node, effect);
	}

	#perform(node: Node, effect: Effect<PbftTypes>): void {
		const isHeld = "release" in effect && effect.release === "after-durable" && node.lastWriteId > node.durableWriteId;
		if (isHeld) node.held.push({ after: node.lastWriteId, effect });
		else this.#release(node, effect);
	}

	#release(node: Node, effect: Effect<PbftTypes>): void {
		switch (effect.type) {
			case "send":
				this.#send(node, effect.to, effect.message);
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
			case "read": {
				const { sequence, index } = effect.read;
				const part = this.#partOf(node, sequence, index);
				const result: PbftReadResult = part ?? { type: "missing", sequence, index };
				this.#later(node, this.#draw(this.world.writeMs), () => {
					this.#enqueue(node, { type: "read-completed", readId: effect.readId, result });
				});
				break;
			}
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

	#send(node: Node, to: NodeId, message: PbftMessage): void {
		const from = node.id;
		this.counts.messages++;
		const type = String((message as { readonly type?: unknown } | null)?.type);
		this.sent.set(type, (this.sent.get(type) ?? 0) + 1);
		if (node.honest !== null) this.#observe({ type: "left", from, to, message, durable: node.disk.durable });
		if (this.#cut.has(`${from}>${to}`) || this.#dice.chance(this.world.lossChance)) {
			this.counts.lost++;
			return;
		}
		const copies = this.#dice.chance(this.world.duplicateChance) ? 2 : 1;
		if (copies === 2) this.counts.duplicated++;
		for (let i = 0; i < copies; i++) {
			this.after(this.#draw(this.world.latencyMs), () => {
				const receiver = this.#nodes.get(to);
				if (receiver?.isUp) this.#enqueue(receiver, { type: "message", from, message });
			});
		}
	}

	#setTimer(node: Node, timer: PbftTimer, delayMs: number): void {
		const id = node.nextTimer++;
		node.timers.set(timer, id);
		this.#later(node, delayMs, () => {
			if (node.timers.get(timer) !== id) return;
			node.timers.delete(timer);
			this.#enqueue(node, { type: "timer", timer });
		});
	}

	#persist(node: Node, writeId: WriteId, write: PbftWrite): void {
		assert(writeId > node.lastWriteId, "write ids grow");
		node.lastWriteId = writeId;
		node.writes.push({ writeId, write });
		node.diskFreeAt = Math.max(node.diskFreeAt, this.now) + this.#draw(this.world.writeMs);
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

	#write(node: Node, write: PbftWrite): void {
		performWrite(node.disk, write, (sequence) => node.captures.get(sequence)?.bytes);
		if (write.base !== undefined) {
			for (const sequence of node.captures.keys()) {
				if (sequence < write.base.certificate.sequence) node.captures.delete(sequence);
			}
		}
		if (node.honest !== null) this.#observe({ type: "persisted", node: node.id, durable: node.disk.durable });
	}

	#partOf(node: Node, sequence: SequenceNumber, index: number): PbftReadResult | null {
		const { base } = node.disk.durable;
		const bytes = base?.certificate.sequence === sequence ? node.disk.baseBytes : node.captures.get(sequence)?.bytes;
		if (bytes === undefined) return null;
		const parts = partsOf(bytes, this.config(node.id).statePartBytes);
		const data = parts[index];
		if (data === undefined) return null;
		const path = new StateTree(this.port(node.id).digest, parts).pathOf(index);
		return { type: "part", sequence, index, data, path };
	}

	#deliver(node: Node, delivery: PbftDelivery): void {
		switch (delivery.type) {
			case "execute":
			case "repeat-reply":
			case "query":
			case "execute-tentatively":
			case "confirm":
			case "roll-back":
				for (const { requestId, answer } of node.applier.perform(delivery)) this.#answer(node, requestId, answer);
				break;
			case "take-checkpoint": {
				const capture = node.applier.capture(delivery.sequence);
				node.captures.set(delivery.sequence, capture);
				this.counts.captures++;
				this.#later(node, this.#draw(this.world.writeMs), () => {
					this.#enqueue(node, { type: "snapshot-ready", snapshot: capture.snapshot });
				});
				break;
			}
			case "restore-checkpoint":
				this.counts.restores++;
				assert(node.disk.durable.base?.state.sequence === delivery.state.sequence, "the state to restore is durable");
				node.applier.restore(node.disk.baseBytes);
				break;
			default:
				assertNever(delivery, "delivery");
		}
	}

	#answer(node: Node, requestId: RequestId, outcome: Outcome): void {
		const answered = must(node.requests.get(requestId), "a request is answered once");
		node.requests.delete(requestId);
		answered(outcome);
	}
}

const blankDurable: PbftDurable = {
	view: { view: 0 as ViewNumber, isActive: true, viewChange: null, opened: null, alarm: null },
	stable: null,
	base: null,
	firstIndex: 1,
	records: [],
};

/** Performs one persist on the disk, in the order of its fields; refuses what the contract does not allow. */
function performWrite(disk: Disk, write: PbftWrite, captured: (sequence: number) => Uint8Array | undefined): void {
	let { view, stable, base, firstIndex, records } = disk.durable;
	if (write.view !== undefined) view = write.view;
	if (write.stable !== undefined) stable = write.stable;
	if (write.append !== undefined) {
		assert(write.append.firstIndex === firstIndex + records.length, "an append continues the journal exactly", {
			first: write.append.firstIndex,
			expected: firstIndex + records.length,
		});
		records = [...records, ...write.append.records];
	}
	for (const part of write.parts ?? []) {
		if (part.index === 0) disk.received = [];
		assert(part.index === disk.received.length, "a part continues the reception exactly");
		disk.received.push(part.data);
	}
	if (write.base !== undefined) {
		const { isReceived, ...written } = write.base;
		const { certificate, state } = written;
		base = written;
		if (isReceived) {
			disk.baseBytes = Uint8Array.from(disk.received.flatMap((part) => [...part]));
			disk.received = [];
		} else disk.baseBytes = must(captured(certificate.sequence), "the base was captured");
		assert(disk.baseBytes.length === state.sizeBytes, "the base is complete");
	}
	if (write.compactThrough !== undefined && write.compactThrough >= firstIndex) {
		records = records.slice(write.compactThrough - firstIndex + 1);
		firstIndex = write.compactThrough + 1;
	}
	disk.durable = { view, stable, base, firstIndex, records };
}
