/** A user's application as Raft's applier sees it: bytes in, bytes out, and every throw a typed failure with its place. */
import type { Application, LogPosition } from "../../protocols/core/index.ts";
import type { ByteApplication } from "../../protocols/raft/index.ts";
import * as errors from "./errors.ts";
import { decodeValue, encodeValue } from "./value-codec.ts";

const methods = ["apply", "query", "takeSnapshot", "restoreSnapshot"] as const;

/**
 * Constructs the application that a module exports.
 * @throws QuorateError `application-invalid` when it is no class, throws in its constructor or lacks a method
 */
export function constructApplication(name: string, exported: unknown, args: unknown): Application {
	if (typeof exported !== "function") {
		throw errors.applicationInvalid({ application: name, reason: `it is ${typeof exported}, not a class` });
	}
	let application: Application;
	try {
		application = new (exported as new (args: unknown) => Application)(args);
	} catch (cause) {
		throw errors.applicationInvalid({ application: name, reason: `its constructor threw ${cause}` }, { cause });
	}
	const missing = methods.find((method) => typeof application[method] !== "function");
	if (missing !== undefined) {
		throw errors.applicationInvalid({ application: name, reason: `it has no method ${missing}` });
	}
	return application;
}

/**
 * Bytes of an encoded result or answer, as many as a command may have. One over it would hold up the lane that all answers of a
 * member take, and each repetition of its command again. It is a constant, so that it is the same on all replicas.
 */
export const RESULT_BYTES_MAX = 1_048_512;

/** Wraps an application; what it throws becomes `application-failed`, which stops the participant. */
export class HostedApplication implements ByteApplication {
	readonly #name: string;
	readonly #application: Application;
	readonly #applying: { set(value: number): void };
	#index = 0;

	/** @param applying is told the index of the command that is being applied, and 0 when it is done */
	constructor(
		name: string,
		application: Application,
		applying: { set(value: number): void } = { set: () => undefined },
	) {
		this.#name = name;
		this.#application = application;
		this.#applying = applying;
	}

	/** The snapshot that is restored next reaches up to this index. */
	restoringAt(index: number): void {
		this.#index = index;
	}

	apply(data: Uint8Array, position: LogPosition): Uint8Array {
		this.#index = position.index;
		this.#applying.set(position.index);
		try {
			const command = this.#guarded("apply", "the command can not be decoded", () => decodeValue(data));
			const result = this.#called("apply", () => this.#application.apply(command, position));
			return this.#bounded("apply", this.#encoded("apply", "its result", result));
		} finally {
			// Not reached when the thread ends in it.
			this.#applying.set(0);
		}
	}

	/**
	 * A query that throws changes nothing, so no replica differs: who asked is told, and the participant goes on. Stopping
	 * would let one bad question, asked again of each next leader, end the whole group.
	 */
	query(data: Uint8Array): Uint8Array {
		let encoded: Uint8Array;
		try {
			const answer = this.#application.query(decodeValue(data));
			requireNoPromise("query", answer);
			encoded = encodeValue(answer);
		} catch (cause) {
			return encodeValue(errors.queryFailed({ application: this.#name, reason: messageOf(cause) }));
		}
		return this.#bounded("query", encoded);
	}

	takeSnapshot(): Uint8Array {
		const snapshot = this.#called("takeSnapshot", () => this.#application.takeSnapshot());
		return this.#encoded("takeSnapshot", "the snapshot", snapshot);
	}

	restoreSnapshot(snapshot: Uint8Array): void {
		const state = this.#guarded("restoreSnapshot", "the snapshot can not be decoded", () => decodeValue(snapshot));
		this.#called("restoreSnapshot", () => this.#application.restoreSnapshot(state));
	}

	#called<T>(hook: string, run: () => T): T {
		const value = this.#guarded(hook, "it threw", run);
		this.#guarded(hook, "it is asynchronous", () => requireNoPromise(hook, value));
		return value;
	}

	#encoded(hook: string, what: string, value: unknown): Uint8Array {
		return this.#guarded(hook, `${what} is no plain data that could be encoded`, () => encodeValue(value));
	}

	/** A result over the limit takes the way of a result, as an error: the same on every replica. */
	#bounded(hook: string, encoded: Uint8Array): Uint8Array {
		if (encoded.length <= RESULT_BYTES_MAX) return encoded;
		const sizes = { sizeBytes: encoded.length, limitBytes: RESULT_BYTES_MAX };
		const error = errors.resultTooLarge({ application: this.#name, hook, ...sizes });
		// Replicas keep results, and come to this one from different places.
		error.stack = "";
		return encodeValue(error);
	}

	#guarded<T>(hook: string, what: string, run: () => T): T {
		try {
			return run();
		} catch (cause) {
			const reason = `${what}: ${messageOf(cause)}`;
			throw errors.applicationFailed({ application: this.#name, hook, index: this.#index, reason }, { cause });
		}
	}
}

/** What was thrown, in one line that is not too long for a message. */
function messageOf(thrown: unknown): string {
	return (thrown instanceof Error ? thrown.message : String(thrown)).slice(0, 500);
}

/** A replica that waits in the middle of its order would go on with another state than the others. */
function requireNoPromise(hook: string, value: unknown): void {
	if (typeof (value as { readonly then?: unknown } | null | undefined)?.then !== "function") return;
	// It is refused whatever comes of it; its rejection would be a second, misleading failure of the thread.
	Promise.resolve(value).catch(() => undefined);
	throw new TypeError(`${hook} returned a promise; it must return its value, so it can be no async function`);
}
