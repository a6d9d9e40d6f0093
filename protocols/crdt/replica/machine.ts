/**
 * A replica as a state machine: it makes clients' changes durable, sends each at once to all other members, and in turns tells
 * one of them what it has, to be told what it lacks. So a lost update comes with a later exchange, and what has come is not sent
 * again: neither back to where it came from nor on to who has it (Enes et al., ICDE 2019, §4: BP and RR).
 *
 * Nothing is assumed of the network but that members can exchange messages again and again. An own update leaves after it is
 * durable: a replica that forgot operations which others have seen would use their dots again.
 */
import {
	assertNever,
	type Effect,
	errorToObject,
	type Input,
	type MonotonicMs,
	type NodeId,
	type RequestId,
	type StateMachine,
	type WriteId,
} from "../../core/index.ts";
import { CausalContext } from "../causality/causal-context.ts";
import { nodeOf } from "../causality/replica.ts";
import { CrdtDocument } from "../document/document.ts";
import { ByteReader } from "../encoding/byte-reader.ts";
import { ByteWriter } from "../encoding/byte-writer.ts";
import { behindFloor, changesHeld } from "../errors.ts";
import type { Schema } from "../types/schema.ts";
import { CollectionAgreement } from "./collection-agreement.ts";
import { performCommand } from "./commands.ts";
import { type ReplicaConfig, validateReplicaConfig } from "./config.ts";
import type {
	CrdtDurable,
	CrdtEvent,
	CrdtMessage,
	CrdtReply,
	CrdtRequest,
	CrdtTypes,
	CrdtWrite,
	Digest,
} from "./vocabulary.ts";

type ChangeCommands = Extract<CrdtRequest, { type: "change" }>["commands"];

export class ReplicaMachine implements StateMachine<CrdtTypes> {
	readonly #config: ReplicaConfig;
	readonly #peers: readonly NodeId[];
	#document: CrdtDocument;
	/** What each member has said that it has applied. */
	readonly #acknowledged = new Map<NodeId, CausalContext>();
	readonly #answers = new Map<NodeId, number>();
	/** Which peer is next. */
	#turn = 0;
	/** Between two exchanges, see `syncIntervalMaxMs`. */
	#intervalMs: number;
	/** Whether there was anything to exchange since all peers have had their turn. */
	#isBusy = false;
	/** Updates appended since the last whole state. */
	#appends = 0;
	readonly #agreement: CollectionAgreement;
	/** The epoch of a group that was collected without this replica, and can not take in what it has made; 0 if there is none. */
	#missedEpoch = 0;
	/** Own changes that wait for the end of a round, at most `heldChangesMax`. */
	#held: { readonly requestId: RequestId; readonly commands: ChangeCommands }[] = [];
	#writeId: WriteId = 0;
	#effects: Effect<CrdtTypes>[] = [];

	/** @throws QuorateError as `validateReplicaConfig` */
	constructor(config: ReplicaConfig) {
		validateReplicaConfig(config);
		this.#config = config;
		this.#peers = config.members.filter((member) => member !== nodeOf(config.replica));
		this.#intervalMs = config.syncIntervalMs;
		this.#document = new CrdtDocument(config);
		this.#agreement = this.#makeAgreement();
	}

	#makeAgreement(): CollectionAgreement {
		const { replica, members, collectionAttemptsMax, syncIntervalMs } = this.#config;
		const read = (): CrdtDocument => this.#document;
		return new CollectionAgreement(nodeOf(replica), members, collectionAttemptsMax, {
			get epoch() {
				return read().epoch;
			},
			settledContext: () => (this.#document.waiting === 0 ? this.#document.context : null),
			send: (to, message) => this.#send(to, message),
			persist: (record) => this.#write({ type: "collection", record }),
			collect: () => {
				const collected = this.#document.collectAt(this.#document.context);
				this.#persistState();
				this.#emit({ type: "collected", epoch: this.#document.epoch, ...collected });
			},
			exchange: () => {
				for (const peer of this.#peers) this.#sendDigest(peer, false);
			},
			thawed: () => {
				for (const { requestId, commands } of this.#held.splice(0)) this.#change(requestId, commands);
			},
			schedule: () => {
				const afterMs = { min: syncIntervalMs, max: syncIntervalMs };
				this.#effects.push({ type: "set-timer", timer: "collection", afterMs });
			},
			emit: (event) => this.#emit(event),
		});
	}

	/** The replica's document: to read, never to change. */
	get document(): CrdtDocument {
		return this.#document;
	}

	/** What a member has said last that it has applied. */
	acknowledgedBy(member: NodeId): CausalContext | undefined {
		return this.#acknowledged.get(member);
	}

	/** How many questions of this replica a member has answered, each after it has sent what was missing here. */
	answersOf(member: NodeId): number {
		return this.#answers.get(member) ?? 0;
	}

	step(input: Input<CrdtTypes>, _now: MonotonicMs, effects: Effect<CrdtTypes>[]): void {
		this.#effects = effects;
		switch (input.type) {
			case "start":
				this.#start(input.durable);
				return;
			case "request":
				this.#request(input.requestId, input.request);
				return;
			case "message":
				this.#receive(input.from, input.message);
				return;
			case "timer":
				if (input.timer === "sync") this.#exchangeInTurn();
				else this.#agreement.tick();
				return;
			case "peer-reachable":
				if (this.#peers.includes(input.peer)) this.#sendDigest(input.peer, false);
				return;
			case "peer-unreachable":
			case "write-completed":
			case "batch-ended":
			case "read-completed":
			case "snapshot-ready":
				return;
			default:
				assertNever(input, "input");
		}
	}

	get state(): unknown {
		return {
			document: this.#document.encode(),
			acknowledged: new Map([...this.#acknowledged].map(([member, context]) => [member, context.view])),
			answers: new Map(this.#answers),
			turn: this.#turn,
			appends: this.#appends,
			writeId: this.#writeId,
			agreement: this.#agreement.state,
			missedEpoch: this.#missedEpoch,
			intervalMs: this.#intervalMs,
			isBusy: this.#isBusy,
			held: this.#held.map(({ requestId }) => requestId),
		};
	}

	copy(): ReplicaMachine {
		const copy = new ReplicaMachine(this.#config);
		copy.#document = CrdtDocument.load(this.#document.encode(), this.#config);
		copy.#attend();
		for (const [member, context] of this.#acknowledged) copy.#acknowledged.set(member, context.copy());
		for (const [member, answers] of this.#answers) copy.#answers.set(member, answers);
		copy.#turn = this.#turn;
		copy.#appends = this.#appends;
		copy.#writeId = this.#writeId;
		copy.#agreement.adopt(this.#agreement);
		copy.#held = [...this.#held];
		copy.#missedEpoch = this.#missedEpoch;
		copy.#intervalMs = this.#intervalMs;
		copy.#isBusy = this.#isBusy;
		return copy;
	}

	#start({ state, updates, collection }: CrdtDurable): void {
		this.#document = CrdtDocument.recover(state, updates, this.#config);
		this.#appends = updates.length;
		this.#attend();
		this.#setTimer();
		this.#agreement.start(collection);
		for (const peer of this.#peers) this.#sendDigest(peer, false);
	}

	/** Follows the document that this replica has from now on. */
	#attend(): void {
		this.#document.observer = (change) => this.#emit(change);
		if (this.#config.undoGroupsMax > 0) this.#document.undoHistory(this.#config.undoGroupsMax);
	}

	#request(requestId: RequestId, request: CrdtRequest): void {
		switch (request.type) {
			case "change":
				if (this.#agreement.isFrozen) this.#hold(requestId, request.commands);
				else this.#change(requestId, request.commands);
				return;
			case "define":
				this.#define(requestId, request.name, request.schema);
				return;
			case "read":
				this.#reply(requestId, { type: "value", value: this.#document.value });
				return;
			case "synchronize": {
				const members = this.#peers.filter((peer) => request.members?.includes(peer) ?? true);
				for (const member of members) this.#sendDigest(member, false);
				this.#reply(requestId, { type: "synchronizing", members });
				return;
			}
			case "collect":
				this.#reply(requestId, { type: "collecting", leader: this.#agreement.want() });
				return;
			default:
				assertNever(request, "request");
		}
	}

	#define(requestId: RequestId, name: string, schema: Schema): void {
		try {
			this.#document.define(name, schema);
			this.#reply(requestId, { type: "defined" });
		} catch (error) {
			this.#reply(requestId, { type: "refused", error: errorToObject(error), done: 0 });
			return;
		}
		// What others have done to it could not be taken in before.
		for (const peer of this.#peers) this.#sendDigest(peer, false);
	}

	#hold(requestId: RequestId, commands: ChangeCommands): void {
		const { heldChangesMax: limit } = this.#config;
		if (this.#held.length < limit) {
			this.#held.push({ requestId, commands });
			return;
		}
		const error = errorToObject(changesHeld({ held: this.#held.length, limit }));
		this.#reply(requestId, { type: "refused", error, done: 0 });
	}

	#change(requestId: RequestId, commands: ChangeCommands): void {
		if (this.#missedEpoch > this.#document.epoch) {
			const { replica, epoch: known } = this.#document;
			const error = errorToObject(behindFloor({ replica, known, floor: this.#missedEpoch }));
			this.#reply(requestId, { type: "refused", error, done: 0 });
			return;
		}
		if (this.#config.undoGroupsMax > 0) this.#document.undoHistory().separate();
		let done = 0;
		let refusal: CrdtReply | null = null;
		try {
			for (const command of commands) {
				performCommand(this.#document, command);
				done += 1;
			}
		} catch (error) {
			refusal = { type: "refused", error: errorToObject(error), done };
		}
		const update = this.#document.takeUpdate();
		if (update !== null) {
			this.#noteBusy();
			this.#persistUpdate(update);
			const message: CrdtMessage = { type: "delta", update };
			for (const peer of this.#peers) this.#send(peer, message);
		}
		const { replica } = this.#document;
		const through = this.#document.context.sequenceOf(replica);
		this.#reply(requestId, refusal ?? { type: "changed", replica, through });
	}

	#receive(from: NodeId, message: CrdtMessage): void {
		if (!this.#peers.includes(from)) {
			this.#emit({ type: "stranger", from });
			return;
		}
		try {
			this.#handle(from, message);
		} catch (error) {
			this.#emit({ type: "message-refused", from, error: errorToObject(error) });
		}
	}

	#handle(from: NodeId, message: CrdtMessage): void {
		switch (message.type) {
			case "digest":
				if (message.epoch < this.#document.epoch) this.#agreement.tellEpoch(from, message.epoch);
				this.#answerDigest(from, message);
				return;
			case "delta": {
				// It comes again when it can be taken in.
				if (this.#agreement.hasPromised) return;
				const outcome = this.#document.apply(message.update);
				if (outcome === "known") return;
				this.#noteBusy();
				this.#persistUpdate(message.update.slice());
				// Something before it is missing here, and its sender has that.
				if (outcome === "waiting") this.#sendDigest(from, true);
				else this.#agreement.advanced();
				return;
			}
			case "state":
				if (this.#agreement.hasPromised || !this.#document.merge(message.state)) return;
				this.#noteBusy();
				this.#persistState();
				this.#agreement.advanced();
				return;
			case "collection":
				this.#agreement.receive(from, message);
				return;
			default:
				assertNever(message, "message");
		}
	}

	/** Tells the sender what it lacks, and asks for what is lacking here. */
	#answerDigest(from: NodeId, { context: bytes, epoch, isAnswer }: Digest): void {
		const reader = new ByteReader(bytes);
		const context = CausalContext.decode(reader);
		reader.end();
		if (epoch > this.#document.epoch && !this.#agreement.hasPromised) this.#noteMissed(epoch, context);
		this.#acknowledged.set(from, context);
		if (isAnswer) this.#answers.set(from, this.answersOf(from) + 1);
		const difference = this.#document.differenceTo(context);
		if (difference.type !== "nothing") this.#noteBusy();
		if (difference.type === "update") this.#send(from, { type: "delta", update: difference.bytes });
		if (difference.type === "behind") {
			const state = this.#document.encode();
			this.#send(from, { type: "state", state });
			this.#emit({ type: "state-sent", to: from, bytes: state.length });
		}
		if (!isAnswer) this.#sendDigest(from, true);
		this.#cutLog();
	}

	/** A replica that has lost its state, and made operations before it heard of the group: nobody can take them in any more. */
	#noteMissed(epoch: number, theirs: CausalContext): void {
		if (this.#missedEpoch >= epoch || theirs.includes(this.#document.context)) return;
		this.#missedEpoch = epoch;
		this.#emit({ type: "epoch-missed", epoch });
	}

	/** The log keeps what some member has not acknowledged, up to its bound. */
	#cutLog(): void {
		const document = this.#document;
		if (this.#peers.every((peer) => this.#acknowledged.has(peer))) {
			let stable = document.context;
			for (const context of this.#acknowledged.values()) stable = stable.meet(context);
			const records = document.cutLog(stable);
			if (records > 0) this.#emit({ type: "log-cut", records, reason: "acknowledged" });
		}
		if (document.logLength > this.#config.logRecordsMax) {
			const records = document.cutLog(document.context);
			this.#emit({ type: "log-cut", records, reason: "bound" });
		}
	}

	#exchangeInTurn(): void {
		if (this.#turn === 0) {
			const { syncIntervalMaxMs } = this.#config;
			if (!this.#isBusy) this.#intervalMs = Math.min(syncIntervalMaxMs, Math.ceil(this.#intervalMs * 1.5));
			this.#isBusy = false;
		}
		this.#setTimer();
		const peer = this.#peers[this.#turn];
		if (peer === undefined) return;
		this.#turn = (this.#turn + 1) % this.#peers.length;
		this.#sendDigest(peer, false);
		this.#cutLog();
	}

	/** There is something to exchange: now it is worth asking often. */
	#noteBusy(): void {
		this.#isBusy = true;
		if (this.#intervalMs === this.#config.syncIntervalMs) return;
		this.#intervalMs = this.#config.syncIntervalMs;
		this.#setTimer();
	}

	#sendDigest(to: NodeId, isAnswer: boolean): void {
		const writer = new ByteWriter();
		this.#document.context.encode(writer);
		this.#send(to, { type: "digest", context: writer.take(), epoch: this.#document.epoch, isAnswer });
	}

	#persistUpdate(update: Uint8Array): void {
		this.#appends += 1;
		if (this.#appends > this.#config.appendsMax || update.length > this.#config.appendBytesMax) this.#persistState();
		else this.#write({ type: "append", update });
	}

	#persistState(): void {
		this.#appends = 0;
		this.#write({ type: "replace", state: this.#document.encode() });
	}

	#write(write: CrdtWrite): void {
		this.#writeId += 1;
		this.#effects.push({ type: "persist", writeId: this.#writeId, write });
	}

	#send(to: NodeId, message: CrdtMessage): void {
		// A digest tells what others may forget; like an update it must not run ahead of what is durable here.
		this.#effects.push({ type: "send", to, message, release: "after-durable" });
	}

	#reply(requestId: RequestId, reply: CrdtReply): void {
		this.#effects.push({ type: "reply", requestId, reply, release: "after-durable" });
	}

	#emit(event: CrdtEvent): void {
		this.#effects.push({ type: "emit", event });
	}

	#setTimer(): void {
		const min = this.#intervalMs;
		this.#effects.push({ type: "set-timer", timer: "sync", afterMs: { min, max: Math.ceil(min * 1.5) } });
	}
}
