/** What happened in a run, event by event, and its fingerprint: equal runs have equal hashes. */
import type { EnvelopeKind, ThreadSlot } from "../actor/index.ts";

const WORDS = new Uint32Array(2);
const NUMBER = new Float64Array(WORDS.buffer);

/** Spellings whose hashes are kept; message types are few, but applications may make them up. */
const SPELLINGS_MAX = 10_000;

/** One event of a trace. */
export interface TraceEvent {
	/** Counted from 0. */
	readonly index: number;
	readonly atMs: number;
	/**
	 * - `handled`: a hook of the actor is about to run;
	 * - `sent`: a message to the actor leaves the thread;
	 * - `refused`: a message came to the actor's thread damaged.
	 */
	readonly step: "handled" | "sent" | "refused";
	/** Where it happens. */
	readonly slot: ThreadSlot;
	/** Who handles it, or whom it is sent to: actor number 0 is a kernel. */
	readonly actorSlot: ThreadSlot;
	readonly actor: number;
	readonly kind: EnvelopeKind | "timer" | "hook";
	/** The message's type, the signal's, or the timer's or hook's name; empty if it has none. */
	readonly messageType: string;
	/** Of the encoded message's bytes; 0 if it was never encoded. */
	readonly payloadHash: number;
	/** Of what is sent over a faulty network: how many will arrive; else 1. */
	readonly copies: number;
}

/** A rolling 64-bit hash in two 32-bit halves; for telling runs apart, not for cryptography. */
export class Trace {
	readonly #observe: ((event: TraceEvent) => void) | null;
	readonly #spellings = new Map<string, number>();
	#a = 0x9e3779b9;
	#b = 0x85ebca6b;
	/** Events so far. */
	length = 0;

	constructor(observe: ((event: TraceEvent) => void) | null) {
		this.#observe = observe;
	}

	get hash(): string {
		return hex(this.#a) + hex(this.#b);
	}

	add(
		atMs: number,
		step: TraceEvent["step"],
		slot: ThreadSlot,
		actorSlot: ThreadSlot,
		actor: number,
		kind: TraceEvent["kind"],
		messageType: string,
		payloadHash: number,
		copies: number,
	): void {
		NUMBER[0] = atMs;
		this.#word(WORDS[0] as number);
		this.#word(WORDS[1] as number);
		this.#word(this.#spelling(step) ^ ((slot << 16) | (actorSlot << 8) | copies));
		this.#word(actor ^ this.#spelling(kind));
		this.#word(this.#spelling(messageType));
		if (payloadHash !== 0) this.#word(payloadHash);
		const index = this.length;
		this.length += 1;
		this.#observe?.({ index, atMs, step, slot, actorSlot, actor, kind, messageType, payloadHash, copies });
	}

	#spelling(text: string): number {
		const known = this.#spellings.get(text);
		if (known !== undefined) return known;
		let hash = text.length;
		for (let i = 0; i < text.length; i++) hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
		if (this.#spellings.size < SPELLINGS_MAX) this.#spellings.set(text, hash);
		return hash;
	}

	#word(word: number): void {
		let a = Math.imul(this.#a ^ word, 0xcc9e2d51);
		a = (a << 13) | (a >>> 19);
		let b = Math.imul(this.#b ^ word, 0x1b873593);
		b = (b << 15) | (b >>> 17);
		this.#a = a;
		this.#b = (b + a) | 0;
	}
}

/** One line for readers: `12.345 ms  slot 3 handles tell append-entries as 3/1  #9f86d081`. */
export function traceText(event: TraceEvent): string {
	const { atMs, step, slot, actorSlot, actor, kind, messageType, payloadHash, copies } = event;
	const what = messageType === "" ? kind : `${kind} ${messageType}`;
	const bytes = payloadHash === 0 ? "" : `  #${hex(payloadHash)}`;
	const fate = copies === 1 ? "" : copies === 0 ? "  lost" : `  ${copies} copies`;
	const whom = `${actorSlot}/${actor}`;
	const deed = {
		handled: `handles ${what} as ${whom}`,
		sent: `sends ${what} to ${whom}`,
		refused: `refuses ${what} for ${whom}`,
	}[step];
	return `${atMs.toFixed(3)} ms  slot ${slot} ${deed}${bytes}${fate}`;
}

function hex(word: number): string {
	return (word >>> 0).toString(16).padStart(8, "0");
}
