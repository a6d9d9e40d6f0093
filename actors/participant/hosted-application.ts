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

/** Wraps an application; what it throws becomes `application-failed`, which stops the participant. */
export class HostedApplication implements ByteApplication {
	readonly #name: string;
	readonly #application: Application;
	#appliedIndex = 0;

	constructor(name: string, application: Application) {
		this.#name = name;
		this.#application = application;
	}

	/** The position of the last command that was applied in this life. */
	get appliedIndex(): number {
		return this.#appliedIndex;
	}

	apply(data: Uint8Array, position: LogPosition): Uint8Array {
		this.#appliedIndex = position.index;
		return this.#guarded("apply", () => encodeValue(this.#application.apply(decodeValue(data), position)));
	}

	/**
	 * A query that throws changes nothing, so no replica differs: who asked is told, and the participant goes on. Stopping
	 * would let one bad question, asked again of each next leader, end the whole group.
	 */
	query(data: Uint8Array): Uint8Array {
		try {
			return encodeValue(this.#application.query(decodeValue(data)));
		} catch (cause) {
			const reason = cause instanceof Error ? cause.message : String(cause);
			return encodeValue(errors.queryFailed({ application: this.#name, reason }));
		}
	}

	takeSnapshot(): Uint8Array {
		return this.#guarded("takeSnapshot", () => encodeValue(this.#application.takeSnapshot()));
	}

	restoreSnapshot(snapshot: Uint8Array): void {
		this.#guarded("restoreSnapshot", () => this.#application.restoreSnapshot(decodeValue(snapshot)));
	}

	#guarded<T>(hook: string, run: () => T): T {
		try {
			return run();
		} catch (cause) {
			throw errors.applicationFailed({ application: this.#name, hook, index: this.#appliedIndex }, { cause });
		}
	}
}
