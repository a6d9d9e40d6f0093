/**
 * A document as the application of a consensus protocol: what is decided is applied in the order of the log, so all replicas of the log have
 * the same document at each position, and a linearizable read of it is a strong read of the replicated values.
 *
 * Two kinds of change go through it (blue and red operations of Li et al., "Making geo-replicated systems fast as possible, consistent
 * when necessary", OSDI 2012). Updates that some replica has made on its own already are merged: they commute, so the order adds
 * nothing but a position from which on everybody has them. Commands that must not be done twice over by two who do not know of each other,
 * such as taking the last one of something, are performed here and nowhere else.
 */
import {
	type Application,
	assertNever,
	type ErrorObject,
	errorToObject,
	type LogPosition,
	QuorateError,
} from "../../core/index.ts";
import { CausalContext } from "../causality/causal-context.ts";
import { replicaId } from "../causality/replica.ts";
import type { Path } from "../document/container.ts";
import { CrdtDocument } from "../document/document.ts";
import { ByteReader } from "../encoding/byte-reader.ts";
import { ByteWriter } from "../encoding/byte-writer.ts";
import type { Value } from "../encoding/value.ts";
import { containerUnknown } from "../errors.ts";
import { type CrdtCommand, performCommand } from "../replica/commands.ts";
import type { DocumentSchema } from "../types/schema.ts";

export type OrderedCommand =
	/** An update of some replica; one that is merged again changes nothing. */
	| { readonly type: "merge"; readonly update: Uint8Array }
	/** Commands that are done by the log itself, if what they require holds at their position: all of them or none. */
	| { readonly type: "perform"; readonly commands: readonly CrdtCommand[]; readonly requires?: Requirement };

/** That a counter has at least this value. */
export interface Requirement {
	readonly path: Path;
	readonly atLeast: number;
}

export type OrderedResult =
	/** `waits`: something before it has not been ordered yet, so nobody sees it until that is. */
	| { readonly type: "ordered"; readonly index: number; readonly waits: boolean }
	/** Nothing was done: what it requires did not hold. */
	| { readonly type: "unmet"; readonly index: number }
	| { readonly type: "refused"; readonly index: number; readonly error: ErrorObject };

/** What was decided, for whoever has applied this: an encoded `CausalContext`. */
export interface OrderedQuery {
	readonly context: Uint8Array;
	/** What is to be read; the whole value if it is left out. */
	readonly path?: Path;
}

export interface OrderedAnswer {
	/** At the path, of the decided document; null for what is not there. */
	readonly value: Value;
	/** What brings the asker to what was decided, as an update or as a whole state; null if nothing does. */
	readonly update: Uint8Array | null;
	readonly state: Uint8Array | null;
	/** What the decided document has applied: an encoded `CausalContext`. */
	readonly context: Uint8Array;
}

/** The replica whose operations the log performs itself. */
const LOG_REPLICA = replicaId("log", 0);
/** Records that are kept for those who ask for a difference; who is further behind gets the whole state. */
export const ORDERED_LOG_RECORDS_MAX = 10_000;

export class OrderedDocument
	implements Application<OrderedCommand, OrderedResult, OrderedQuery, OrderedAnswer, Uint8Array>
{
	readonly #schema: DocumentSchema;
	#document: CrdtDocument;

	/** @throws QuorateError `crdt-schema-invalid` */
	constructor({ schema }: { readonly schema: DocumentSchema }) {
		this.#schema = schema;
		this.#document = new CrdtDocument({ replica: LOG_REPLICA, schema });
	}

	/** No clock is read: stamps follow those that were merged, and are the same wherever the log is. */
	apply(command: OrderedCommand, { index }: LogPosition): OrderedResult {
		try {
			return this.#perform(command, index);
		} catch (error) {
			if (!(error instanceof QuorateError)) throw error;
			return { type: "refused", index, error: errorToObject(error) };
		} finally {
			const { context } = this.#document;
			if (this.#document.logLength > ORDERED_LOG_RECORDS_MAX) this.#document.cutLog(context);
		}
	}

	query({ context, path }: OrderedQuery): OrderedAnswer {
		const reader = new ByteReader(context);
		const known = CausalContext.decode(reader);
		reader.end();
		const difference = this.#document.differenceTo(known);
		return {
			value: valueAt(this.#document, path ?? []),
			update: difference.type === "update" ? difference.bytes : null,
			state: difference.type === "behind" ? this.#document.encode() : null,
			context: encodeContext(this.#document.context),
		};
	}

	takeSnapshot(): Uint8Array {
		return this.#document.encode();
	}

	restoreSnapshot(snapshot: Uint8Array): void {
		this.#document = CrdtDocument.load(snapshot, { replica: LOG_REPLICA, schema: this.#schema });
	}

	#perform(command: OrderedCommand, index: number): OrderedResult {
		switch (command.type) {
			case "merge":
				return { type: "ordered", index, waits: this.#document.apply(command.update) === "waiting" };
			case "perform":
				return this.#performAll(command, index);
			default:
				return assertNever(command, "command");
		}
	}

	/** Tried on a copy first: what fails half way must leave nothing behind. */
	#performAll({ commands, requires }: Extract<OrderedCommand, { type: "perform" }>, index: number): OrderedResult {
		if (requires !== undefined) {
			const value = valueAt(this.#document, requires.path);
			if (!(typeof value === "number" && value >= requires.atLeast)) return { type: "unmet", index };
		}
		const tried = CrdtDocument.load(this.#document.encode(), { replica: LOG_REPLICA, schema: this.#schema });
		for (const command of commands) performCommand(tried, command);
		tried.takeUpdate();
		this.#document = tried;
		return { type: "ordered", index, waits: false };
	}
}

/** @throws QuorateError `crdt-container-unknown` if the schema has nothing there */
export function valueAt(document: CrdtDocument, path: Path): Value {
	let value: Value = document.value;
	for (const [depth, segment] of path.entries()) {
		const isThere = typeof value === "object" && value !== null && Object.hasOwn(value, segment);
		if (depth === 0 && !Object.hasOwn(document.schema, segment)) {
			throw containerUnknown({ path: `/${path.join("/")}`, expected: "a part of the schema", actual: "none" });
		}
		if (!isThere) return null;
		value = (value as Readonly<Record<string, Value>>)[segment] as Value;
	}
	return value;
}

export function encodeContext(context: CausalContext): Uint8Array {
	const writer = new ByteWriter();
	context.encode(writer);
	return writer.take();
}
