/** The system's services as the kernel of a worker thread has them: by asking the main kernel. */
import { type ErrorObject, errorFromObject, errorToObject } from "../../protocols/core/index.ts";
import type { Address, ThreadSlot } from "./address.ts";
import type { ActorSpec } from "./behaviour.ts";
import type { DeadLetter } from "./dead-letters.ts";
import { actorDead, asksExhausted, placementNeedsMainThread } from "./errors.ts";
import type { SystemServices } from "./services.ts";
import type { StopReason } from "./signal.ts";
import type { KernelRequest, NamedAddress, SystemMessage } from "./system-message.ts";

/** Events and dead letters, each, that one turn reports; the rest is counted. */
export const REPORTS_PER_TURN_MAX = 1024;
/** Requests to the main kernel that may wait at a time. */
export const REQUESTS_PENDING_MAX = 65_536;

interface PendingRequest {
	readonly resolve: (result: NamedAddress | null) => void;
	readonly reject: (error: unknown) => void;
}

export class RemoteServices implements SystemServices {
	readonly #slot: ThreadSlot;
	readonly #send: (message: SystemMessage) => void;
	readonly #requests = new Map<number, PendingRequest>();
	#lastRequest = 0;
	#events: { readonly type: string }[] = [];
	#deadLetters: DeadLetter[] = [];
	#eventsDropped = 0;
	#deadLettersUnlisted = 0;

	/** @param send puts a signal on the lane to the main kernel */
	constructor(slot: ThreadSlot, send: (message: SystemMessage) => void) {
		this.#slot = slot;
		this.#send = send;
	}

	/** Requests that wait for the main kernel. */
	get pending(): number {
		return this.#requests.size;
	}

	lookup(name: string): Promise<NamedAddress | null> {
		return this.#request({ type: "lookup", name });
	}

	async register(name: string, address: Address, parent: Address): Promise<void> {
		await this.#request({ type: "register", name, address, parent });
	}

	place(spec: ActorSpec): Promise<NamedAddress> {
		return Promise.reject(placementNeedsMainThread({ name: spec.name, slot: this.#slot }));
	}

	restart(address: Address): Promise<number> {
		return Promise.reject(foreign(address));
	}

	suspend(address: Address): Promise<void> {
		return Promise.reject(foreign(address));
	}

	stop(address: Address): Promise<void> {
		return Promise.reject(foreign(address));
	}

	ended(address: Address, reason: StopReason): void {
		this.#send({ type: "ended", address, reason });
	}

	suspended(): void {
		// The child-failed signal on its way to the main thread says it.
	}

	event(event: { readonly type: string }): void {
		if (this.#events.length < REPORTS_PER_TURN_MAX) this.#events.push(event);
		else this.#eventsDropped += 1;
	}

	deadLetter(letter: DeadLetter): void {
		if (this.#deadLetters.length < REPORTS_PER_TURN_MAX) this.#deadLetters.push(letter);
		else this.#deadLettersUnlisted += letter.count;
	}

	flush(): void {
		if (this.#events.length === 0 && this.#deadLetters.length === 0) return;
		const events = this.#events;
		const deadLetters = this.#deadLetters;
		const eventsDropped = this.#eventsDropped;
		const deadLettersUnlisted = this.#deadLettersUnlisted;
		this.#events = [];
		this.#deadLetters = [];
		this.#eventsDropped = 0;
		this.#deadLettersUnlisted = 0;
		try {
			this.#send({ type: "report", events, deadLetters, eventsDropped, deadLettersUnlisted });
		} catch {
			// One of the events can not travel: each goes alone, and those that can not are named instead.
			this.#send({ type: "report", events: [], deadLetters, eventsDropped, deadLettersUnlisted });
			for (const event of events) this.#sendAlone(event);
		}
	}

	#sendAlone(event: { readonly type: string }): void {
		const report = { type: "report", deadLetters: [], eventsDropped: 0, deadLettersUnlisted: 0 } as const;
		try {
			this.#send({ ...report, events: [event] });
		} catch (error) {
			const unsendable = { type: "event-unsendable", event: String(event.type), error: errorToObject(error) };
			this.#send({ ...report, events: [unsendable] });
		}
	}

	/** The main kernel's answer to a request. */
	respond(id: number, result: NamedAddress | null, error: ErrorObject | null): void {
		const request = this.#requests.get(id);
		this.#requests.delete(id);
		if (error !== null) request?.reject(errorFromObject(error));
		else request?.resolve(result);
	}

	#request(request: KernelRequest): Promise<NamedAddress | null> {
		if (this.#requests.size >= REQUESTS_PENDING_MAX) {
			return Promise.reject(asksExhausted({ pendingMax: REQUESTS_PENDING_MAX }));
		}
		this.#lastRequest += 1;
		const id = this.#lastRequest;
		return new Promise((resolve, reject) => {
			this.#requests.set(id, { resolve, reject });
			this.#send({ type: "request", id, request });
		});
	}
}

/** A worker's kernel has no children elsewhere, so one that is not here has ended. */
function foreign(address: Address): Error {
	return actorDead({ actor: `${address.slot}/${address.actor}`, why: "it is not alive on this thread" });
}
