/**
 * The one actor of the storage thread. It gathers the writes of all stores while the engine flushes the group before
 * (group commit, after DeWitt et al. 1984): participants that write at the same time share one sync of the disk.
 * A write is acknowledged only after the engine has resolved, which means flushed; per store in order.
 */
import { assertNever, errorToObject, must, type QuorateError } from "../../protocols/core/index.ts";
import type { ActorContext, Behaviour, Replier } from "../actor/behaviour.ts";
import type { ActorRef } from "../actor/ref.ts";
import type { StorageEngine, StoreContents } from "./contract.ts";
import { type EngineSource, openEngine, type StorageContext } from "./engine-source.ts";
import { readsWaiting, storageUnusable, storeFenced, storeLost, storesOpen, writeLost } from "./errors.ts";
import { GroupQueue, type QueuedWrite } from "./group-queue.ts";
import {
	STORAGE_GATHER_ABSENCES,
	STORAGE_GATHER_MS_MAX,
	STORAGE_GATHER_MS_MIN,
	STORAGE_GATHER_SHARE,
	STORAGE_PAGE_BYTES,
	STORAGE_QUEUE_BYTES_MAX,
	STORAGE_READS_WAITING_MAX,
	STORAGE_RETRY_MS,
	STORES_FOUNDED_MAX,
	STORES_OPEN_MAX,
} from "./limits.ts";
import {
	fromWire,
	operationBytes,
	type StorageChunk,
	type StorageFailed,
	type StorageNotice,
	type StorageOpen,
	type StorageReadSnapshot,
	type StorageRequest,
	type StorageWrite,
} from "./messages.ts";
import { type StorageInstruments, storageInstruments } from "./metrics.ts";
import { newSession, noParts, type Session } from "./session.ts";
import { StorePages } from "./store-pages.ts";
import { checkStoreName } from "./store-shape.ts";

/** What the storage actor is started with. */
export interface StorageActorArgs {
	readonly engine: EngineSource;
}

/** A load or read that waits until all writes that came before it are flushed. */
interface WaitingRead {
	readonly ticket: number;
	readonly run: () => void;
	readonly replier: Replier;
}

export class StorageActor implements Behaviour<StorageRequest> {
	readonly #args: StorageActorArgs;
	#context: StorageContext | undefined;
	#instruments: StorageInstruments | undefined;
	#engine: StorageEngine | undefined;
	/** The living session of each store. */
	readonly #sessions: Map<string, Session> = new Map();
	#lastSession = 0;
	readonly #founded: Set<string>;
	readonly #queue: GroupQueue = new GroupQueue();
	/** Sessions that were in one of the last groups, and how many groups each may still be absent from. */
	readonly #writers: Map<Session, number> = new Map();
	#lastFlushMs = 0;
	/** The next group waits for more. */
	#gathering = false;
	/** It has waited long enough. */
	#gathered = false;
	readonly #reads: WaitingRead[] = [];
	/** The ticket of the first write of the group that the engine flushes now. */
	#committingTicket: number | null = null;
	/** Waits for the end of that group, to stop in order. */
	#groupSettled: (() => void) | null = null;
	#failure: QuorateError | null = null;
	/** Lets the held-back mailbox go on. */
	#roomMade: (() => void) | null = null;

	/**
	 * @param founded names stores that hold values, as far as is known; it is kept up to date. Values are never removed, so one
	 *   of these that is empty when it is opened has been lost, and is refused with `store-lost`: whoever has made promises by it
	 *   must not come back as somebody new under the same name
	 */
	constructor(args: StorageActorArgs, founded: Set<string> = new Set()) {
		this.#args = args;
		this.#founded = founded;
	}

	/** @throws QuorateError what opening the engine throws: `data-directory-in-use`, `-foreign`, `-corrupt`, `disk-failed` */
	async started(context: StorageContext): Promise<void> {
		this.#context = context;
		this.#instruments = storageInstruments(context.metrics);
		this.#engine = await openEngine(this.#args.engine, context);
	}

	receive(
		message: StorageRequest,
		context: Pick<ActorContext<StorageRequest>, "sender" | "replier">,
	): void | Promise<void> {
		switch (message.type) {
			case "storage-write":
				return this.#write(message, context.sender);
			case "storage-open":
				return this.#open(message, context.sender, context.replier());
			case "storage-next-page":
				return this.#nextPage(message.store, message.session, context.replier());
			case "storage-read-snapshot":
				return this.#readSnapshot(message, context.replier());
			default:
				return assertNever(message, "storage request");
		}
	}

	/** What one batch of messages has brought goes to the disk together, unless more is about to come. */
	drained(): void {
		if (!this.#gathers()) this.#commitNext();
	}

	/**
	 * True while the next group waits for writers that were in one of the last groups and have not written yet. Replicas write
	 * the same entries a moment after each other: a group that begins with the first of them makes the others wait for a
	 * whole flush. The wait is a small part of what the last flush took, and nothing for a fast disk.
	 */
	#gathers(): boolean {
		if (this.#committingTicket !== null || this.#queue.length === 0 || this.#gathered) return false;
		const waitMs = Math.min(this.#lastFlushMs * STORAGE_GATHER_SHARE, STORAGE_GATHER_MS_MAX);
		if (waitMs < STORAGE_GATHER_MS_MIN || !this.#queue.misses(this.#writers)) return false;
		if (!this.#gathering) {
			this.#gathering = true;
			must(this.#context, "started").timers.run("gather", waitMs, () => {
				this.#gathering = false;
				this.#gathered = true;
				this.#commitNext();
			});
		}
		return true;
	}

	/** Flushes what is gathered, then closes the engine: an orderly stop loses nothing. */
	async stopping(): Promise<void> {
		while (this.#failure === null && (this.#committingTicket !== null || this.#queue.length > 0)) {
			this.#commitNext();
			if (this.#committingTicket !== null) {
				await new Promise<void>((resolve) => {
					this.#groupSettled = resolve;
				});
			}
		}
		await this.#engine?.close();
	}

	#write(message: StorageWrite, sender: ActorRef | null): void | Promise<void> {
		const session = this.#sessions.get(message.store);
		if (session === undefined || session.number !== message.session || !session.alive) {
			this.#refuseStranger(message, sender);
			return;
		}
		if (message.sequence !== session.received + 1 || message.part !== session.parts.count) {
			const expected = session.received + 1;
			this.#failSession(session, writeLost({ store: message.store, expected, found: message.sequence }));
			this.#goOn();
			return;
		}
		const { parts } = session;
		parts.count += 1;
		for (const wire of message.operations) {
			const operation = fromWire(wire);
			parts.operations.push(operation);
			parts.sizeBytes += operationBytes(operation);
		}
		if (!message.last) return;
		session.parts = noParts();
		session.received = message.sequence;
		const { operations, sizeBytes } = parts;
		this.#queue.add({ store: message.store, session, sequence: message.sequence, operations, sizeBytes });
		if (this.#queue.sizeBytes < STORAGE_QUEUE_BYTES_MAX) return;
		this.#commitNext();
		return this.#untilRoom();
	}

	/** Holding back the mailbox fills the lanes, and then the writers wait: the bound on memory here. */
	#untilRoom(): Promise<void> | void {
		if (this.#queue.sizeBytes < STORAGE_QUEUE_BYTES_MAX) return;
		return new Promise((resolve) => {
			this.#roomMade = resolve;
		});
	}

	#refuseStranger(message: StorageWrite, sender: ActorRef | null): void {
		// Every later part and write of that session comes here too; one word for each is enough.
		if (sender === null || message.part !== 0) return;
		const error = this.#failure === null ? storeFenced({ store: message.store }) : this.#unusable();
		this.#notify(
			sender.speaking<StorageNotice>("storage"),
			failedNotice(message.store, message.session, error),
			`refuse/${message.store}/${message.session}`,
		);
	}

	#open({ store }: StorageOpen, sender: ActorRef | null, replier: Replier | null): void {
		if (replier === null) return;
		const refusal = this.#refusalOfOpen(store);
		if (refusal !== null) {
			replier.fail(refusal);
			return;
		}
		const former = this.#sessions.get(store);
		if (former !== undefined) this.#endSession(former);
		const client = must(sender ?? undefined, "an actor opens a store").speaking<StorageNotice>("storage");
		this.#lastSession += 1;
		const session = newSession(store, this.#lastSession, client);
		this.#sessions.set(store, session);
		this.#afterEarlierWrites(replier, () => {
			must(this.#engine, "started").load(store, (outcome) => {
				if (!outcome.ok) this.#readFailed(replier, outcome.error);
				else if (!session.alive) replier.fail(storeFenced({ store }));
				else if (this.#isLost(store, outcome.value)) {
					this.#endSession(session);
					replier.fail(storeLost({ store }));
				} else {
					session.pages = new StorePages(outcome.value, session.number);
					this.#replyPage(session, replier);
				}
			});
		});
	}

	#isLost(store: string, { values }: StoreContents): boolean {
		if (values.size > 0) this.#founded.add(store);
		return values.size === 0 && this.#founded.has(store);
	}

	#refusalOfOpen(store: string): unknown {
		if (this.#failure !== null) return this.#unusable();
		try {
			checkStoreName(store);
		} catch (error) {
			return error;
		}
		if (this.#sessions.size >= STORES_OPEN_MAX && !this.#sessions.has(store)) {
			return storesOpen({ store, limit: STORES_OPEN_MAX });
		}
		const isKnown = this.#founded.size < STORES_FOUNDED_MAX || this.#founded.has(store);
		return isKnown ? null : storesOpen({ store, limit: STORES_FOUNDED_MAX });
	}

	#nextPage(store: string, number: number, replier: Replier | null): void {
		if (replier === null) return;
		const session = this.#sessions.get(store);
		if (this.#failure !== null) replier.fail(this.#unusable());
		else if (session === undefined || session.number !== number) replier.fail(storeFenced({ store }));
		else this.#replyPage(session, replier);
	}

	#replyPage(session: Session, replier: Replier): void {
		const page = must(session.pages ?? undefined, "pages are asked for until the last one").next();
		if (page.left === 0) session.pages = null;
		replier.reply(page);
	}

	#readSnapshot(request: StorageReadSnapshot, replier: Replier | null): void {
		if (replier === null) return;
		if (this.#failure !== null) {
			replier.fail(this.#unusable());
			return;
		}
		const { store, name, offset } = request;
		const lengthBytes = Math.min(request.lengthBytes, STORAGE_PAGE_BYTES);
		this.#afterEarlierWrites(replier, () => {
			must(this.#engine, "started").readSnapshot(store, name, offset, lengthBytes, (outcome) => {
				if (outcome.ok) replier.reply(chunkOf(outcome.value));
				else this.#readFailed(replier, outcome.error);
			});
		});
	}

	/** Runs a read of the engine once all writes that came before it are settled. */
	#afterEarlierWrites(replier: Replier, run: () => void): void {
		const ticket = this.#queue.lastTicket;
		if (this.#settledTicket() >= ticket) run();
		else if (this.#reads.length < STORAGE_READS_WAITING_MAX) this.#reads.push({ ticket, run, replier });
		else replier.fail(readsWaiting({ waiting: this.#reads.length, limit: STORAGE_READS_WAITING_MAX }));
	}

	#readFailed(replier: Replier, error: QuorateError): void {
		replier.fail(error);
		if (ENGINE_FAILURES.has(error.code)) this.#failAll(error);
	}

	#commitNext(): void {
		if (this.#committingTicket !== null || this.#queue.length === 0 || this.#failure !== null) return;
		const { clock, timers } = must(this.#context, "started");
		if (this.#gathering) timers.cancel("gather");
		this.#gathering = false;
		this.#gathered = false;
		const group = this.#queue.take();
		this.#noteWriters(group);
		this.#committingTicket = must(group[0], "a group is not empty").ticket;
		const startedMs = clock.nowMs();
		must(this.#engine, "started").commit(group, (outcome) => {
			this.#committingTicket = null;
			if (outcome.ok) this.#committed(group, startedMs);
			else this.#commitFailed(group, outcome.error);
			this.#groupSettled?.();
			this.#groupSettled = null;
		});
	}

	#noteWriters(group: readonly QueuedWrite[]): void {
		for (const [session, absences] of this.#writers) {
			if (absences === 0 || !session.alive) this.#writers.delete(session);
			else this.#writers.set(session, absences - 1);
		}
		for (const { session } of group) this.#writers.set(session, STORAGE_GATHER_ABSENCES);
	}

	#committed(group: readonly QueuedWrite[], startedMs: number): void {
		this.#lastFlushMs = must(this.#context, "started").clock.nowMs() - startedMs;
		this.#measure(group, startedMs);
		const touched = new Set<Session>();
		for (const { store, session, sequence, operations } of group) {
			session.durable = sequence;
			touched.add(session);
			if (!this.#founded.has(store) && operations.some(({ type }) => type === "put")) this.#founded.add(store);
		}
		for (const session of touched) this.#acknowledge(session);
		this.#goOn();
	}

	/** All writes up to this ticket are flushed, or given up with their session. */
	#settledTicket(): number {
		return (this.#committingTicket ?? this.#queue.firstTicket) - 1;
	}

	/** After writes were settled: the reads that waited for it, the mailbox if it was held back, the next group. */
	#goOn(): void {
		let ready = 0;
		const settled = this.#settledTicket();
		while (ready < this.#reads.length && must(this.#reads[ready], "waiting read").ticket <= settled) {
			ready += 1;
		}
		for (const read of this.#reads.splice(0, ready)) read.run();
		this.#commitNext();
		if (this.#queue.sizeBytes < STORAGE_QUEUE_BYTES_MAX) {
			this.#roomMade?.();
			this.#roomMade = null;
		}
	}

	#acknowledge(session: Session): void {
		if (!session.alive || session.told === session.durable) return;
		const { store, number, durable: sequence, client } = session;
		const verdict = client.tell({ type: "storage-durable", store, session: number, sequence });
		if (verdict === "ok") session.told = sequence;
		else if (verdict === "dead") this.#endSession(session);
		// Acknowledgements are cumulative: by the time of the next try there may be more to tell, never more to keep.
		else this.#context?.timers.run(`ack/${store}`, STORAGE_RETRY_MS, () => this.#acknowledge(session));
	}

	/** A refusal concerns one store: it fails, and the rest of the group goes again. Anything else concerns all. */
	#commitFailed(group: readonly QueuedWrite[], error: QuorateError): void {
		const refused = refusedStore(error);
		const session = refused === null ? undefined : group.find(({ store }) => store === refused)?.session;
		if (session === undefined) {
			this.#failAll(error);
			return;
		}
		this.#queue.putBack(group);
		this.#failSession(session, error);
		this.#goOn();
	}

	#failSession(session: Session, error: QuorateError): void {
		this.#queue.drop(session);
		this.#endSession(session);
		this.#notify(
			session.client,
			failedNotice(session.store, session.number, error),
			`fail/${session.store}/${session.number}`,
		);
		this.#context?.publish({ type: "store-failed", store: session.store, code: error.code, message: error.message } as {
			readonly type: string;
		});
	}

	#endSession(session: Session): void {
		session.alive = false;
		session.pages = null;
		session.parts = noParts();
		if (this.#sessions.get(session.store) === session) this.#sessions.delete(session.store);
	}

	/** The engine is unusable: everybody hears of it, and nothing is taken any more. */
	#failAll(error: QuorateError): void {
		if (this.#failure !== null) return;
		this.#failure = error;
		this.#queue.clear();
		for (const session of [...this.#sessions.values()]) this.#failSession(session, error);
		for (const { replier } of this.#reads.splice(0)) replier.fail(this.#unusable());
		this.#context?.publish({ type: "storage-failed", error: errorToObject(error) } as { readonly type: string });
		this.#roomMade?.();
		this.#roomMade = null;
	}

	#unusable(): QuorateError {
		return storageUnusable({ failure: must(this.#failure ?? undefined, "there was a failure").code });
	}

	#notify(client: ActorRef<StorageNotice>, notice: StorageNotice, key: string): void {
		if (client.tell(notice) !== "full") return;
		this.#context?.timers.run(key, STORAGE_RETRY_MS, () => this.#notify(client, notice, key));
	}

	#measure(group: readonly QueuedWrite[], startedMs: number): void {
		const instruments = must(this.#instruments, "started");
		let sizeBytes = 0;
		for (const write of group) sizeBytes += write.sizeBytes;
		instruments.commits.add(1);
		instruments.writes.add(group.length);
		instruments.writtenBytes.add(sizeBytes);
		instruments.commitMicros.record(Math.round((must(this.#context, "started").clock.nowMs() - startedMs) * 1000));
		instruments.groupWrites.record(group.length);
		instruments.queueBytes.set(this.#queue.sizeBytes);
	}
}

function failedNotice(store: string, session: number, error: QuorateError): StorageFailed {
	const { code, message, details } = error;
	return { type: "storage-failed", store, session, code, message, details: JSON.stringify(details) };
}

function chunkOf(data: Uint8Array | null): StorageChunk {
	return { type: "storage-chunk", found: data !== null, data: data ?? new Uint8Array(0) };
}

/** The store whose write made the engine refuse a group; null if that is not what happened. */
function refusedStore(error: QuorateError): string | null {
	const { store } = error.details as { readonly store?: unknown };
	return REFUSALS.has(error.code) && typeof store === "string" ? store : null;
}

const REFUSALS: ReadonlySet<string> = new Set(["log-gap", "snapshot-gap", "value-too-large", "store-corrupt"]);
const ENGINE_FAILURES: ReadonlySet<string> = new Set(["disk-full", "disk-failed", "storage-unusable"]);
