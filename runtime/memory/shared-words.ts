/**
 * The shared accesses of this room, behind one small port. Everything that two threads race on goes through it:
 * the words of the headers and the bulk copy out of a ring. So a test can put a scheduler in its place and walk
 * through every interleaving of the shipped code.
 *
 * With one implementation in a process every call site is monomorphic and V8 inlines it to the bare `Atomics` call.
 */
import { performance } from "node:perf_hooks";

/** Sequentially consistent operations on 32-bit words; an index counts words. */
export interface SharedWords {
	load(index: number): number;
	store(index: number, value: number): void;
	/** Adds and returns the old value. */
	add(index: number, value: number): number;
	/** Sets bits and returns the old value. */
	or(index: number, bits: number): number;
	/** Replaces and returns the old value. */
	exchange(index: number, value: number): number;
	/** Replaces `expected` by `value`; returns the old value, which equals `expected` exactly if it was replaced. */
	compareExchange(index: number, expected: number, value: number): number;
	/** Wakes at most `count` waiters of the word; returns how many. */
	notify(index: number, count: number): number;
	/** Blocks the thread while the word holds `expected`, at most `timeoutMs`. */
	wait(index: number, expected: number, timeoutMs: number): "ok" | "not-equal" | "timed-out";
	/**
	 * Waits without blocking and without timeout: the promise resolves on the notify, or at once if the word no
	 * longer holds `expected`. It does not keep a Node 20 thread alive: the caller must hold its event loop.
	 */
	waitAsync(index: number, expected: number): Promise<"ok" | "not-equal" | "timed-out">;
	/** Copies `ring[start, end)` to `target` at `at`: the one way bytes leave shared memory. */
	copyOut(ring: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void;
	/** Stores the time in a word, plainly: it is a measurement, on which nothing may rest. */
	stampTime(index: number): void;
	/** Microseconds since the word was last stamped; anything at all if another thread stamps it now, or nobody did. */
	microsSince(index: number): number;
}

/** What `performance.now()` of this thread lacks to the clock that all threads of the process share. */
const SHARED_OFFSET_MICROS = Number(process.hrtime.bigint() / 1_000n) - performance.now() * 1_000;

/** Microseconds on the shared clock, modulo 2^32 as a signed integer. */
function sharedMicros(): number {
	return (SHARED_OFFSET_MICROS + performance.now() * 1_000) | 0;
}

type WaitAsync = (
	words: Int32Array,
	index: number,
	expected: number,
) =>
	| { readonly async: false; readonly value: "not-equal" | "timed-out" }
	| { readonly async: true; readonly value: Promise<"ok" | "timed-out"> };

// ES2024: Node 20 has it, the ES2023 library types do not.
const waitAsync = (Atomics as unknown as { readonly waitAsync: WaitAsync }).waitAsync;

/** The port on real shared memory. */
export class AtomicWords implements SharedWords {
	readonly #words: Int32Array;

	constructor(words: Int32Array) {
		this.#words = words;
	}

	load(index: number): number {
		return Atomics.load(this.#words, index);
	}

	store(index: number, value: number): void {
		Atomics.store(this.#words, index, value);
	}

	add(index: number, value: number): number {
		return Atomics.add(this.#words, index, value);
	}

	or(index: number, bits: number): number {
		return Atomics.or(this.#words, index, bits);
	}

	exchange(index: number, value: number): number {
		return Atomics.exchange(this.#words, index, value);
	}

	compareExchange(index: number, expected: number, value: number): number {
		return Atomics.compareExchange(this.#words, index, expected, value);
	}

	notify(index: number, count: number): number {
		return Atomics.notify(this.#words, index, count);
	}

	wait(index: number, expected: number, timeoutMs: number): "ok" | "not-equal" | "timed-out" {
		return Atomics.wait(this.#words, index, expected, timeoutMs);
	}

	waitAsync(index: number, expected: number): Promise<"ok" | "not-equal" | "timed-out"> {
		const result = waitAsync(this.#words, index, expected);
		return result.async ? result.value : Promise.resolve(result.value);
	}

	copyOut(ring: Uint8Array, start: number, end: number, target: Uint8Array, at: number): void {
		target.set(ring.subarray(start, end), at);
	}

	stampTime(index: number): void {
		this.#words[index] = sharedMicros();
	}

	microsSince(index: number): number {
		return (sharedMicros() - (this.#words[index] as number)) | 0;
	}
}

/** Bytes between two words that different threads write often: two cache lines, since CPUs fetch them in pairs. */
export const LINE_BYTES = 128;
/** {@link LINE_BYTES} in words. */
export const LINE_WORDS: number = LINE_BYTES / 4;
