/**
 * A participant's way to its store. Writes are the hot path: synchronous, numbered, told without waiting, and reported
 * durable by number. Opening and reading a snapshot are promises: they happen once in a life and while a snapshot travels.
 *
 * It uses nothing but the actor's context, so it runs unchanged on worker threads and in simulation.
 */
import { assert, errorFromObject, invalidArgument, must, QuorateError } from "../../protocols/core/index.ts";
import type { ActorContext } from "../actor/behaviour.ts";
import type { ActorRef } from "../actor/ref.ts";
import { STORE_VALUE_BYTES_MAX, type StoreContents, type StoreOperation } from "./contract.ts";
import { backlogFull, storageUnreachable, valueTooLarge } from "./errors.ts";
import {
	STORAGE_ANSWER_TIMEOUT_MS,
	STORAGE_ASK_ATTEMPTS_MAX,
	STORAGE_ASK_RETRY_MS,
	STORAGE_OUTSTANDING_BYTES_MAX,
	STORAGE_PAGE_BYTES,
	STORAGE_PAGES_AHEAD,
	STORAGE_RETRY_MS,
	STORAGE_ROOM_BYTES,
} from "./limits.ts";
import {
	operationBytes,
	type StorageChunk,
	type StorageNotice,
	type StoragePage,
	type StorageRequest,
	type StorageWrite,
	toWire,
} from "./messages.ts";
import { PageCollector } from "./store-pages.ts";
import { checkStoreName } from "./store-shape.ts";
import { cutIntoParts } from "./write-parts.ts";

/** What the client tells its participant; called in the participant's turn, from {@link StorageClient.receive} or a timer. */
export interface StorageClientHandlers {
	/** This write, and so every earlier one, is flushed to the disk. Numbers grow and may skip. */
	durable(sequence: number): void;
	/** Nothing more becomes durable in this life: the participant must stop. Called at most once. */
	failed(error: QuorateError): void;
	/** {@link StorageClient.hasRoom} is true again. */
	room?(): void;
}

/** One life's session with one store. A restarted participant makes a new client. */
export class StorageClient {
	readonly store: string;
	readonly #context: ActorContext;
	readonly #storage: ActorRef<StorageRequest>;
	readonly #handlers: StorageClientHandlers;
	/** 0 until the store is open. */
	#session = 0;
	#failure: QuorateError | null = null;

	#lastSequence = 0;
	#durableSequence = 0;
	/** Sizes of the writes after `#durableSequence`, in order; `[0]` belongs to the next one. */
	readonly #sizes: number[] = [];
	#outstandingBytes = 0;
	#askedToHoldBack = false;
	/** Parts that found the way full, in order. While it holds any, nothing is told past it. Bounded by the outstanding bytes. */
	readonly #unsent: StorageWrite[] = [];
	/** Snapshot reads that wait until nothing is unsent. */
	readonly #sentWaiters: (() => void)[] = [];

	/**
	 * @param storage the storage actor
	 * @param store 1 to 128 characters of `A-Z a-z 0-9 . _ / -`; one living participant each
	 * @throws QuorateError `invalid-argument`
	 */
	constructor(context: ActorContext, storage: ActorRef, store: string, handlers: StorageClientHandlers) {
		checkStoreName(store);
		this.store = store;
		this.#context = context;
		this.#storage = storage.speaking<StorageRequest>("storage");
		this.#handlers = handlers;
	}

	/**
	 * Opens the store and reads all of it but the snapshot's bytes. It sees everything that an earlier session wrote and
	 * that reached the storage, and fences that session. First of all calls, once; may be awaited in `started`.
	 * @throws QuorateError `store-corrupt`, `storage-unusable`, `store-fenced`, `ask-timeout`, `actor-dead`
	 */
	async open(): Promise<StoreContents> {
		assert(this.#session === 0, "a session opens its store once", { store: this.store });
		const { store } = this;
		const collector = new PageCollector();
		const first = await this.#ask<StoragePage>({ type: "storage-open", store });
		const { session } = first;
		collector.add(first);
		for (let left = first.left; left > 0; left -= STORAGE_PAGES_AHEAD) {
			const asked = Math.min(left, STORAGE_PAGES_AHEAD);
			const pages = Array.from({ length: asked }, () => {
				return this.#ask<StoragePage>({ type: "storage-next-page", store, session });
			});
			for (const page of await Promise.all(pages)) collector.add(page);
		}
		this.#session = session;
		return collector.contents();
	}

	/**
	 * Sends a write on its way and returns its number, from 1 without gaps. Writes are performed in order, each whole or not
	 * at all. The bytes must not change until it is durable.
	 * @throws QuorateError `value-too-large`; `storage-backlog-full` if {@link hasRoom} was not heeded for long; the
	 *   failure, after `failed` was called. Nothing was sent then.
	 */
	write(operations: readonly StoreOperation[]): number {
		assert(this.#session !== 0, "a store is opened before it is written", { store: this.store });
		if (this.#failure !== null) throw this.#failure;
		const sizeBytes = this.#sizeOf(operations);
		this.#admit(sizeBytes);
		this.#lastSequence += 1;
		const sequence = this.#lastSequence;
		this.#sizes.push(sizeBytes);
		this.#outstandingBytes += sizeBytes;
		const parts = cutIntoParts(operations);
		for (const [part, piece] of parts.entries()) {
			this.#send({
				type: "storage-write",
				store: this.store,
				session: this.#session,
				sequence,
				part,
				last: part === parts.length - 1,
				operations: piece.map(toWire),
			});
		}
		return sequence;
	}

	/**
	 * Makes sure, if it can, that all writes so far reach the storage whatever becomes of this thread. For a storage in memory, on a thread
	 * that lives as long as the process, they are as durable then as they will be: whatever loses them loses the storage too.
	 */
	handOver(): boolean {
		return this.#failure === null && this.#unsent.length === 0 && this.#storage.handOver("soon");
	}

	/**
	 * Up to `lengthBytes` of the published snapshot, fewer at its end; null if that is not the published one (any more).
	 * Sees every write made before the call.
	 * @throws QuorateError as {@link open}
	 */
	async readSnapshot(name: string, offset: number, lengthBytes: number): Promise<Uint8Array | null> {
		assert(this.#session !== 0, "a store is opened before it is read", { store: this.store });
		const parts: Uint8Array[] = [];
		let readBytes = 0;
		while (readBytes < lengthBytes) {
			const wantedBytes = Math.min(lengthBytes - readBytes, STORAGE_PAGE_BYTES);
			const { store } = this;
			const position = offset + readBytes;
			const request = {
				type: "storage-read-snapshot",
				store,
				name,
				offset: position,
				lengthBytes: wantedBytes,
			} as const;
			const chunk = await this.#askAfterWrites<StorageChunk>(request);
			if (!chunk.found) return null;
			parts.push(chunk.data);
			readBytes += chunk.data.length;
			if (chunk.data.length < wantedBytes) break;
		}
		return parts.length === 1 ? must(parts[0], "one part") : Buffer.concat(parts);
	}

	/** Handles a message of the storage; false if it is none, then it is the participant's. */
	receive(message: unknown): boolean {
		if (!isNotice(message)) return false;
		// Told to a former life of this participant: the mailbox outlives it.
		if (message.store !== this.store || message.session !== this.#session) return true;
		if (message.type === "storage-durable") this.#durable(message.sequence);
		else this.#fail(errorOfNotice(message));
		return true;
	}

	/** The last write known to be durable; 0 before the first. */
	get durableSequence(): number {
		return this.#durableSequence;
	}

	/** False while more than `STORAGE_ROOM_BYTES` wait to become durable: take no new work that needs writes. */
	get hasRoom(): boolean {
		return this.#outstandingBytes < STORAGE_ROOM_BYTES;
	}

	/**
	 * A storage whose lane is full has not heard of the ask: it is asked again. Who starts and gave up at once would be started
	 * again at once, until its supervisor tolerates it no more, for a storage that is only busy.
	 */
	async #ask<Answer>(request: StorageRequest): Promise<Answer> {
		for (let attempt = 1; ; attempt++) {
			try {
				return await this.#storage.ask<Answer>(request, { timeoutMs: STORAGE_ANSWER_TIMEOUT_MS });
			} catch (error) {
				const isFull = error instanceof QuorateError && error.code === "mailbox-full";
				if (!isFull || attempt >= STORAGE_ASK_ATTEMPTS_MAX) throw error;
			}
			await new Promise<void>((resolve) => void this.#context.clock.schedule(STORAGE_ASK_RETRY_MS, resolve));
		}
	}

	#sizeOf(operations: readonly StoreOperation[]): number {
		let sizeBytes = 0;
		for (const operation of operations) {
			if (operation.type === "append") for (const record of operation.records) this.#checkSize(record.length);
			const bytes = operationBytes(operation);
			if (operation.type !== "append") this.#checkSize(bytes - operationBytes({ type: "truncate-from", index: 0 }));
			sizeBytes += bytes;
		}
		return sizeBytes;
	}

	#checkSize(sizeBytes: number): void {
		if (sizeBytes > STORE_VALUE_BYTES_MAX) {
			throw valueTooLarge({ store: this.store, sizeBytes, limitBytes: STORE_VALUE_BYTES_MAX });
		}
	}

	#admit(sizeBytes: number): void {
		const outstandingBytes = this.#outstandingBytes + sizeBytes;
		// A write larger than the limit passes alone: it can not be made smaller by waiting.
		if (this.#outstandingBytes > 0 && outstandingBytes > STORAGE_OUTSTANDING_BYTES_MAX) {
			throw backlogFull({ store: this.store, outstandingBytes, limitBytes: STORAGE_OUTSTANDING_BYTES_MAX });
		}
		if (outstandingBytes >= STORAGE_ROOM_BYTES) this.#askedToHoldBack = true;
	}

	#send(write: StorageWrite): void {
		if (this.#unsent.length > 0 || !this.#told(write)) {
			this.#unsent.push(write);
			if (this.#unsent.length === 1) this.#retryLater();
		}
	}

	#retryLater(): void {
		this.#context.timers.run(this.#timerKey, STORAGE_RETRY_MS, () => this.#retry());
	}

	#retry(): void {
		let sent = 0;
		while (sent < this.#unsent.length && this.#told(must(this.#unsent[sent], "unsent part"))) sent += 1;
		this.#unsent.splice(0, sent);
		if (this.#unsent.length > 0) this.#retryLater();
		else this.#wakeWhenSent();
	}

	/** False: the way is full. */
	#told(write: StorageWrite): boolean {
		if (this.#failure !== null) return true;
		const verdict = this.#storage.tell(write);
		switch (verdict) {
			case "ok":
				return true;
			case "full":
				return false;
			case "dead":
				this.#failSoon(storageUnreachable({ store: this.store }));
				return true;
			case "too-large":
				// Parts are cut well below the limit of a message.
				assert(false, "a part of a write fits in a message", { store: this.store });
				return true;
			default:
				return verdict satisfies never;
		}
	}

	/**
	 * An ask must not overtake writes that found the way full. It is sent in the same turn as the last of them: in simulation
	 * only a pending ask keeps promises going.
	 */
	#askAfterWrites<Answer>(request: StorageRequest): Promise<Answer> {
		if (this.#unsent.length === 0) return this.#ask<Answer>(request);
		return new Promise((resolve, reject) => {
			this.#sentWaiters.push(() => {
				if (this.#failure === null) this.#ask<Answer>(request).then(resolve, reject);
				else reject(this.#failure);
			});
		});
	}

	#wakeWhenSent(): void {
		if (this.#unsent.length > 0) return;
		for (const go of this.#sentWaiters.splice(0)) go();
	}

	#durable(sequence: number): void {
		assert(sequence <= this.#lastSequence, "only what was written becomes durable", { sequence });
		if (sequence <= this.#durableSequence) return;
		const sizes = this.#sizes.splice(0, sequence - this.#durableSequence);
		for (const sizeBytes of sizes) this.#outstandingBytes -= sizeBytes;
		this.#durableSequence = sequence;
		this.#handlers.durable(sequence);
		if (this.#askedToHoldBack && this.hasRoom) {
			this.#askedToHoldBack = false;
			this.#handlers.room?.();
		}
	}

	/** From within a call of the participant: the participant hears of it in a turn of its own. */
	#failSoon(error: QuorateError): void {
		this.#context.timers.run(`${this.#timerKey}/failed`, 0, () => this.#fail(error));
	}

	#fail(error: QuorateError): void {
		if (this.#failure !== null) return;
		this.#failure = error;
		this.#unsent.length = 0;
		this.#wakeWhenSent();
		this.#handlers.failed(error);
	}

	get #timerKey(): string {
		return `storage/${this.store}`;
	}
}

function isNotice(message: unknown): message is StorageNotice {
	if (typeof message !== "object" || message === null || !("type" in message)) return false;
	return message.type === "storage-durable" || message.type === "storage-failed";
}

function errorOfNotice({ code, message, details }: Extract<StorageNotice, { type: "storage-failed" }>): QuorateError {
	const parsed: unknown = JSON.parse(details);
	if (typeof parsed !== "object" || parsed === null) {
		throw invalidArgument({ argument: "details of storage-failed", expected: "a record", actual: details });
	}
	return errorFromObject({ code, message, details: parsed as QuorateError["details"] });
}
