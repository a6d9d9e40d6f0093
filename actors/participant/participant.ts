/**
 * The host of a protocol: it turns what reaches an actor into inputs and what the machine answers into messages, timers,
 * writes and replies. Here, and nowhere else, is the promise kept that nothing leaves before what it rests on is durable
 * (see `protocols/core/state-machine.ts`; the rule itself is in `release-queue.ts`).
 *
 * A batch is what the mailbox holds at one moment: every message is stepped at once, and only when the batch is over are
 * its effects performed. So a hundred proposals cost one write and one message to each member.
 */

import type { Effect, Input, NodeId, ProtocolTypes, RequestId, StateMachine } from "../../protocols/core/index.ts";
import { must } from "../../protocols/core/index.ts";
import type { ActorContext, ActorRef, Address, Behaviour, Replier, Signal } from "../../runtime/actor/index.ts";
import { StorageClient, type StoreOperation, storeCorrupt } from "../../runtime/storage/index.ts";
import { Askers } from "./askers.ts";
import * as errors from "./errors.ts";
import { Peers } from "./peers.ts";
import type { DeliveryHost, ProtocolAdapter, SnapshotPart } from "./protocol-adapter.ts";
import { ReleaseQueue } from "./release-queue.ts";

/** Requests of local clients that may wait for an answer in one participant. */
export const REQUESTS_WAITING_MAX = 65_536;
/** Deliveries that may wait while a snapshot is being loaded. */
export const DELIVERIES_WAITING_MAX = 65_536;

/** Who a participant is, and what it is made of once its context is known. */
export interface ParticipantSettings<P extends ProtocolTypes> {
	readonly group: string;
	readonly node: NodeId;
	/** All members that are known of now, this one included; later ones are told by the protocol, or by {@link PeersNotice}. */
	readonly members: readonly NodeId[];
	/** The name of its store in the storage. */
	readonly store: string;
	/** Where the storage actor is. Its thread is never replaced, so the address stays true. */
	readonly storage: Address;
	/**
	 * When a write counts as durable. `flushed` (default): when the storage has said so. `handed-over`: already when it is in the memory that
	 * this thread shares with the storage's, and where that can not be known, when flushed. Only for a storage in memory, which is lost
	 * with the process as that memory is: it spares each vote two hand-overs between threads.
	 */
	readonly durability?: Durability;
	readonly open: (context: ActorContext) => Promise<ProtocolAdapter<P>>;
	/**
	 * Whether it speaks to members without the protocol's layouts, which refuse to encode what is no message of it: for members that
	 * are to say that, too. Default false.
	 */
	readonly speaksFreely?: boolean;
}

export type Durability = "flushed" | "handed-over";

/** What anyone may ask a participant of any protocol. */
export type InspectionRequest =
	/** Its status, as plain data. */
	| { readonly type: "participant-status" }
	/** What its own application answers now, by itself: no member confirms it, and it may be out of date. */
	| { readonly type: "participant-inspect"; readonly query: Uint8Array };

/** Told by whoever starts members, who is no actor: these are there, whether this one has heard of them or not. */
export interface PeersNotice {
	readonly type: "participant-peers";
	readonly nodes: readonly string[];
}

/**
 * Told by whoever watches threads, who is no actor: the thread of this member has ended. It will come back under its address, so the
 * system has no death to tell of; but a silent group must not wait for one that is down.
 */
export interface PeerDownNotice {
	readonly type: "participant-peer-down";
	readonly node: string;
}

/** What a participant has once it has started. */
interface Life<P extends ProtocolTypes> {
	readonly context: ActorContext;
	readonly machine: StateMachine<P>;
	readonly adapter: ProtocolAdapter<P>;
	readonly store: StorageClient;
	readonly peers: Peers;
	readonly lostMessages: { add(count: number): void };
	readonly persistUs: { record(value: number): void };
}

/** A protocol as an actor. One life of the machine is one instance of this class. */
export class Participant<P extends ProtocolTypes> implements Behaviour {
	readonly #settings: ParticipantSettings<P>;
	readonly #queue = new ReleaseQueue<P>();
	/** Effects of the open batch, in order of emission. */
	#emitted: Effect<P>[] = [];
	/** True from the first input of a batch to its end. */
	#batchOpen = false;
	/** True once this instance may do nothing more. */
	#ended = false;
	readonly #askers = new Askers();
	readonly #deliveries: P["delivery"][] = [];
	#delivering = false;
	/** Operations of persists that are not handed to the store yet; the last of them is `#unwrittenId`. */
	#unwritten: StoreOperation[] = [];
	#unwrittenId = 0;
	/** Writes on their way to the disk, in order. As many as the storage client admits. */
	readonly #writing: { readonly sequence: number; readonly durable: () => void }[] = [];

	#life: Life<P> | undefined;
	readonly #host: DeliveryHost<P>;

	constructor(settings: ParticipantSettings<P>) {
		this.#settings = settings;
		this.#host = {
			answer: (requestId, value) => this.#answer(requestId, value),
			write: (operations, durable) => this.#writeApart(operations, durable),
			readSnapshot: (part) => this.#readSnapshot(part),
			input: (input) => this.#inputApart(input),
			nowMs: () => this.#running.context.clock.nowMs(),
			later: () => new Promise((resolve) => this.#running.context.timers.run("deliver", 0, resolve)),
			fail: (error) => this.#fail(error),
		};
	}

	async started(context: ActorContext, restarts: number): Promise<void> {
		const { group, node, members, speaksFreely = false } = this.#settings;
		const store = this.#connect(context);
		const [adapter, contents] = await Promise.all([this.#settings.open(context), store.open()]);
		if (contents.damagedFrom !== undefined && adapter.repairsLog !== true) {
			const key = String(contents.damagedFrom);
			throw storeCorrupt({ store: store.store, part: "record", key, problem: "nobody repairs it" });
		}
		await adapter.prepare?.(contents, ({ name, offset, lengthBytes }) => store.readSnapshot(name, offset, lengthBytes));
		const { machine, durable } = adapter.recover(contents);
		const peers = new Peers(context, group, speaksFreely ? null : adapter.protocol, this.#others(members), {
			back: (peer) => this.#inputApart({ type: "peer-reachable", peer }),
			failed: (error) => this.#fail(error),
		});
		const lostMessages = context.metrics.counter("participant.lost_messages");
		const persistUs = context.metrics.histogram("participant.persist_us");
		this.#life = { context, machine, adapter, store, peers, lostMessages, persistUs };
		this.#step({ type: "start", durable });
		this.#endBatch();
		peers.find();
		context.publish({ type: "participant-started", group, node, restarts } as { readonly type: string });
	}

	#others(members: readonly NodeId[]): NodeId[] {
		return members.filter((member) => member !== this.#settings.node);
	}

	get #running(): Life<P> {
		return must(this.#life, "nothing reaches a participant before it has started");
	}

	#connect(context: ActorContext): StorageClient {
		const { storage, store } = this.#settings;
		return new StorageClient(context, context.ref(storage), store, {
			durable: (sequence) => this.#flushed(sequence),
			failed: (error) => this.#storageFailed(error),
		});
	}

	receive(message: unknown, context: ActorContext): void {
		const { store, peers } = this.#running;
		if (store.receive(message)) return;
		const replier = context.replier();
		if (replier !== null) {
			this.#request(message, replier);
			return;
		}
		const { sender } = context;
		if (sender === null && isPeersNotice(message)) {
			peers.know(this.#others(message.nodes as readonly NodeId[]));
			return;
		}
		if (sender === null && isPeerDownNotice(message)) {
			this.#step({ type: "peer-unreachable", peer: message.node as NodeId });
			return;
		}
		const from = sender === null ? undefined : peers.nodeAt(sender.address);
		// Told by somebody who is no member, or not known as one yet: a client's requests, or what the network may lose.
		if (from === undefined) {
			if (sender !== null) this.#requestsTold(message, sender);
			return;
		}
		this.heard(from, message as P["message"]);
	}

	/**
	 * A member's message has come in. What stands between the mailbox and the machine, such as the experiments' network
	 * faults, overrides this; who lets a message in later than in its own turn calls {@link drained} after it.
	 */
	protected heard(from: NodeId, message: P["message"]): void {
		this.#step({ type: "message", from, message });
	}

	drained(): void {
		this.#endBatch();
		this.#flushAnswers();
	}

	signal(signal: Signal): void {
		if (signal.type !== "terminated") return;
		const peer = this.#running.peers.nodeAt(signal.ref.address);
		if (peer !== undefined) this.#peerLost(peer);
	}

	restarting(): void {
		this.#ended = true;
	}

	stopping(): void {
		this.#ended = true;
	}

	#request(message: unknown, replier: Replier): void {
		const { adapter, store } = this.#running;
		if (isInspection(message)) {
			replier.reply(message.type === "participant-status" ? adapter.status() : adapter.inspect(message.query));
			return;
		}
		const aside = adapter.answerAside?.(message);
		if (aside !== undefined) {
			replier.reply(aside);
			return;
		}
		const request = adapter.requestOf(message);
		if (request === null) {
			replier.fail(errors.requestUnknown({ node: this.#settings.node }));
			return;
		}
		if (this.#askers.size >= REQUESTS_WAITING_MAX || !store.hasRoom) {
			replier.reply(adapter.busy(REQUESTS_WAITING_MAX));
			return;
		}
		this.#step({ type: "request", requestId: this.#askers.asked(replier), request });
	}

	#requestsTold(message: unknown, sender: ActorRef): void {
		const { adapter, store } = this.#running;
		const told = adapter.requestsOf?.(message) ?? null;
		if (told === null) return;
		const ref = sender.speaking(adapter.clientProtocol ?? adapter.protocol);
		const teller = this.#askers.tellerAt(ref);
		for (const { id, request } of told) {
			const isBusy = this.#askers.size >= REQUESTS_WAITING_MAX || !store.hasRoom;
			const requestId = this.#askers.told(teller, id);
			if (isBusy) this.#askers.answer(requestId, adapter.busy(REQUESTS_WAITING_MAX));
			else this.#step({ type: "request", requestId, request });
		}
	}

	#flushAnswers(): void {
		this.#askers.flush((answers) => this.#running.adapter.answersTo?.(answers) ?? []);
	}

	#step(input: Input<P>): void {
		const { machine, context } = this.#running;
		this.#batchOpen = true;
		machine.step(input, context.clock.nowMs(), this.#emitted);
	}

	/** Closes the open batch and performs its effects; then the one that the durability of its writes has opened. */
	#endBatch(): void {
		while (this.#batchOpen && !this.#ended) {
			this.#step({ type: "batch-ended" });
			this.#batchOpen = false;
			const emitted = this.#emitted;
			this.#emitted = [];
			const released: Effect<P>[] = [];
			this.#queue.emit(emitted, released);
			this.#perform(released);
			if (this.#settings.durability === "handed-over") this.#handOver();
		}
	}

	/** What rests on these writes may leave behind them: the storage gets them first, even if this thread ends now. */
	#handOver(): void {
		const last = this.#writing.at(-1);
		if (last !== undefined && this.#running.store.handOver()) this.#flushed(last.sequence);
	}

	/** An input that did not come with a message: a completion. Those of one moment share a batch. */
	#inputApart(input: Input<P>): void {
		if (this.#ended) return;
		try {
			if (!this.#batchOpen) queueMicrotask(() => this.#endBatchApart());
			this.#step(input);
		} catch (error) {
			this.#fail(error);
		}
	}

	#endBatchApart(): void {
		try {
			this.#endBatch();
		} catch (error) {
			this.#fail(error);
		}
	}

	/** Fails the actor from outside of its hooks, in a turn of its own. */
	#fail(error: unknown): void {
		if (this.#ended) return;
		this.#ended = true;
		this.#running.context.timers.run("fail", 0, () => {
			throw error;
		});
	}

	#perform(effects: readonly Effect<P>[]): void {
		for (const effect of effects) {
			switch (effect.type) {
				case "send":
					this.#send(effect.to, effect.message);
					break;
				case "set-timer":
					this.#setTimer(effect.timer, effect.afterMs);
					break;
				case "cancel-timer":
					this.#running.context.timers.cancel(timerKey(effect.timer));
					break;
				case "persist":
					for (const operation of this.#running.adapter.operationsOf(effect.write)) {
						this.#unwritten.push(operation);
					}
					this.#unwrittenId = effect.writeId;
					break;
				case "read":
					this.#read(effect.readId, effect.read);
					break;
				case "apply":
					this.#deliver(effect.delivery);
					break;
				case "reply":
					this.#answer(effect.requestId, this.#running.adapter.answerOf(effect.reply));
					break;
				case "emit":
					this.#tellObservers(effect.event);
					break;
			}
		}
		this.#flushWrites();
		this.#flushAnswers();
	}

	#send(to: NodeId, message: P["message"]): void {
		const { peers, lostMessages } = this.#running;
		const verdict = peers.ref(to)?.tell(message);
		if (verdict === "ok") return;
		// What found no way is lost, which the protocol survives; only a dead peer is worth a word to it.
		lostMessages.add(1);
		if (verdict === "dead") this.#peerLost(to);
	}

	#peerLost(peer: NodeId): void {
		this.#running.peers.lost(peer);
		this.#inputApart({ type: "peer-unreachable", peer });
	}

	#setTimer(timer: P["timer"], { min, max }: { readonly min: number; readonly max: number }): void {
		const { timers, generator } = this.#running.context;
		const afterMs = min + generator.fraction() * (max - min);
		timers.run(timerKey(timer), afterMs, () => {
			this.#step({ type: "timer", timer });
			this.#endBatch();
		});
	}

	/** Hands gathered persists to the store as one write: one flush for all, and atomic at least as far as asked. */
	#flushWrites(): void {
		if (this.#unwritten.length === 0) return;
		const operations = this.#unwritten;
		const writeId = this.#unwrittenId;
		this.#unwritten = [];
		const { context, persistUs } = this.#running;
		const startedMs = context.clock.nowMs();
		this.#write(operations, () => {
			persistUs.record(Math.round((context.clock.nowMs() - startedMs) * 1_000));
			this.#durable(writeId);
		});
	}

	#write(operations: readonly StoreOperation[], durable: () => void): void {
		const sequence = this.#running.store.write(operations);
		this.#writing.push({ sequence, durable });
	}

	/** The storage has flushed all writes up to this one. */
	#flushed(sequence: number): void {
		let done = 0;
		while ((this.#writing[done]?.sequence ?? Number.POSITIVE_INFINITY) <= sequence) done += 1;
		for (const { durable } of this.#writing.splice(0, done)) {
			if (!this.#ended) durable();
		}
	}

	/** What waited for this write leaves, and only then the machine hears of it. */
	#durable(writeId: number): void {
		const released: Effect<P>[] = [];
		this.#queue.durable(writeId, released);
		this.#perform(released);
		this.#step({ type: "write-completed", writeId });
	}

	#writeApart(operations: readonly StoreOperation[], durable: () => void): void {
		this.#flushWrites();
		this.#write(operations, durable);
	}

	#readSnapshot({ name, offset, lengthBytes }: SnapshotPart): Promise<Uint8Array | null> {
		// A read sees every persist emitted before it.
		this.#flushWrites();
		return this.#running.store.readSnapshot(name, offset, lengthBytes);
	}

	#read(readId: number, read: P["read"]): void {
		const { adapter } = this.#running;
		const completed = (result: P["readResult"]): void => this.#inputApart({ type: "read-completed", readId, result });
		this.#readSnapshot(adapter.snapshotPartOf(read)).then(
			(data) => completed(adapter.readResultOf(read, data)),
			(error: unknown) => {
				const damaged = errors.isDamage(error) ? adapter.damagedResultOf?.(read) : undefined;
				if (damaged === undefined) this.#storageFailed(error);
				else completed(damaged);
			},
		);
	}

	#storageFailed(cause: unknown): void {
		const code = cause instanceof Error && "code" in cause ? String(cause.code) : "internal";
		this.#fail(errors.storageFailed({ store: this.#settings.store, code }, { cause }));
	}

	#deliver(delivery: P["delivery"]): void {
		if (this.#delivering) {
			if (this.#deliveries.length >= DELIVERIES_WAITING_MAX) {
				throw errors.deliveriesOverflow({
					waiting: this.#deliveries.length + 1,
					limit: DELIVERIES_WAITING_MAX,
				});
			}
			this.#deliveries.push(delivery);
			return;
		}
		const pending = this.#running.adapter.deliver(delivery, this.#host);
		if (pending === undefined) return;
		this.#delivering = true;
		pending.then(
			() => this.#deliverWaiting(),
			(error: unknown) => this.#fail(error),
		);
	}

	#deliverWaiting(): void {
		this.#delivering = false;
		try {
			while (!this.#ended && !this.#delivering) {
				const next = this.#deliveries.shift();
				if (next === undefined) break;
				this.#deliver(next);
			}
			this.#flushAnswers();
		} catch (error) {
			this.#fail(error);
		}
	}

	#answer(requestId: RequestId, value: unknown): void {
		this.#askers.answer(requestId, value);
	}

	#tellObservers(event: P["event"]): void {
		const { adapter, peers } = this.#running;
		const members = adapter.membersOf(event);
		if (members !== null) peers.follow(this.#others(members));
		const told = adapter.eventOf(event);
		if (told === null) return;
		const { group, node } = this.#settings;
		this.#running.context.publish({ ...told, group, node } as { readonly type: string });
	}
}

/** One text for each timer of a protocol: a new one would be hashed anew each time that a timer is set. */
const timerKeys = new Map<string, string>();

function timerKey(timer: string): string {
	let key = timerKeys.get(timer);
	if (key === undefined) {
		key = `protocol/${timer}`;
		timerKeys.set(timer, key);
	}
	return key;
}

function isPeersNotice(message: unknown): message is PeersNotice {
	return (message as PeersNotice | null)?.type === "participant-peers";
}

function isPeerDownNotice(message: unknown): message is PeerDownNotice {
	return (message as PeerDownNotice | null)?.type === "participant-peer-down";
}

function isInspection(message: unknown): message is InspectionRequest {
	const type = (message as { readonly type?: unknown } | null)?.type;
	return type === "participant-status" || type === "participant-inspect";
}
