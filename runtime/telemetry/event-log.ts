/** Typed events with time and origin, as a stream that late subscribers can still follow, and as JSON lines. */
import type { Writable } from "node:stream";
import type { Observable, Subscription } from "rxjs";
import { ReplaySubject } from "rxjs/internal/ReplaySubject";
import { errorToObject, requireInteger } from "../../protocols/core/index.ts";

/** One event as it was recorded. */
export interface LoggedEvent<Event extends { readonly type: string }> {
	/** Counts the events of this log from 1. */
	readonly sequence: number;
	/** On the clock of the log. */
	readonly atMs: number;
	/** Who tells it: an actor's or thread's name. */
	readonly origin: string;
	readonly event: Event;
}

export interface EventLogOptions {
	/** The clock; milliseconds. */
	readonly nowMs: () => number;
	/** How many past events a new subscriber gets; 1 to 100,000, default 1,024. */
	readonly replay?: number;
}

const REPLAY_DEFAULT = 1_024;
const REPLAY_MAX = 100_000;

export class EventLog<Event extends { readonly type: string } = { readonly type: string }> {
	readonly #subject: ReplaySubject<LoggedEvent<Event>>;
	readonly #nowMs: () => number;
	#sequence = 0;

	/** @throws QuorateError `invalid-argument` */
	constructor({ nowMs, replay = REPLAY_DEFAULT }: EventLogOptions) {
		requireInteger("replay", replay, 1, REPLAY_MAX);
		this.#nowMs = nowMs;
		this.#subject = new ReplaySubject(replay);
	}

	/** The last events, as many as are kept, then each as it is recorded. Completes when the log is closed. */
	get events$(): Observable<LoggedEvent<Event>> {
		return this.#subject.asObservable();
	}

	record(origin: string, event: Event): void {
		this.#sequence += 1;
		this.#subject.next({ sequence: this.#sequence, atMs: this.#nowMs(), origin, event });
	}

	close(): void {
		this.#subject.complete();
	}
}

/** Bytes that may wait in a stream before events are left out. */
export const JSON_LINES_PENDING_BYTES_MAX: number = 8 * 1024 * 1024;

/**
 * Writes each value as one line of JSON (see {@link jsonLine}). A reader that is too slow costs lines, not memory: what
 * finds the stream over {@link JSON_LINES_PENDING_BYTES_MAX} is left out, and a line `{"type":"lines-left-out","count":n}`
 * says so when there is room again. It neither ends the stream nor listens to its errors: both are its owner's.
 */
export function writeJsonLines(values$: Observable<unknown>, stream: Writable): Subscription {
	let leftOut = 0;
	const settle = (): void => {
		if (leftOut === 0) return;
		stream.write(jsonLine({ type: "lines-left-out", count: leftOut }));
		leftOut = 0;
	};
	return values$.subscribe({
		next: (value) => {
			if (stream.writableLength > JSON_LINES_PENDING_BYTES_MAX) {
				leftOut += 1;
				return;
			}
			settle();
			stream.write(jsonLine(value));
		},
		complete: settle,
		error: (error: unknown) => {
			settle();
			stream.write(jsonLine({ type: "stream-failed", error: errorToObject(error) }));
		},
	});
}

/**
 * A value as one line of JSON, with its newline. Maps become records, sets arrays, errors their code, message and
 * details, byte arrays `{base64}`; bigints, `NaN` and infinities become strings.
 */
export function jsonLine(value: unknown): string {
	return `${JSON.stringify(value, replacer)}\n`;
}

function replacer(this: unknown, key: string, seen: unknown): unknown {
	// `toJSON` of a Buffer or Date has already run on `seen`; the original is in the holder.
	const value = (this as Record<string, unknown>)[key];
	if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString("base64") };
	if (value instanceof Map) return Object.fromEntries(value);
	if (value instanceof Set) return [...value];
	if (value instanceof Error) return errorToObject(value);
	if (typeof value === "bigint") return String(value);
	if (typeof value === "number" && !Number.isFinite(value)) return String(value);
	return seen;
}
