/**
 * A replica of a document that a log orders: it changes and reads its own copy at once, keeps what was not ordered yet, and takes in what
 * was decided. Pure; who asks the log is its host.
 */
import { CausalContext } from "../causality/causal-context.ts";
import type { ReplicaId } from "../causality/replica.ts";
import type { Path } from "../document/container.ts";
import { CrdtDocument } from "../document/document.ts";
import { ByteReader } from "../encoding/byte-reader.ts";
import type { Value } from "../encoding/value.ts";
import { bufferFull } from "../errors.ts";
import { type CrdtCommand, performCommand } from "../replica/commands.ts";
import type { DocumentSchema } from "../types/schema.ts";
import { encodeContext, type OrderedAnswer, type OrderedQuery, valueAt } from "./ordered-document.ts";

/** What came of taking in what was decided. */
export interface Reconciled {
	/** Whether something was decided that was not here. */
	readonly gained: boolean;
	/** Own operations that are here and not decided. */
	readonly ahead: number;
}

/** Own updates that wait to be ordered. */
const UNORDERED_MAX = 10_000;

export class HybridReplica {
	readonly #document: CrdtDocument;
	#unordered: { readonly update: Uint8Array; readonly through: number }[] = [];
	#decided = 0;

	/** @param replica none that was in use before. @throws QuorateError `crdt-schema-invalid` */
	constructor(replica: ReplicaId, schema: DocumentSchema) {
		this.#document = new CrdtDocument({ replica, schema });
	}

	get document(): CrdtDocument {
		return this.#document;
	}

	/** Own updates that are not known to be ordered, in the order in which they have to be. */
	get unordered(): readonly Uint8Array[] {
		return this.#unordered.map(({ update }) => update);
	}

	/**
	 * Changes the own copy, at once. The update is {@link unordered} until it is decided.
	 * @throws QuorateError `crdt-buffer-full` if too much waits to be ordered, and what the commands throw; nothing is changed by the one
	 *   that failed, and what those before it have changed stays
	 */
	change(commands: readonly CrdtCommand[], nowMs: number): void {
		const buffered = this.#unordered.length;
		if (buffered >= UNORDERED_MAX) throw bufferFull({ buffered, limit: UNORDERED_MAX, unit: "updates to be ordered" });
		this.#document.advanceClock(nowMs);
		try {
			for (const command of commands) performCommand(this.#document, command);
		} finally {
			const update = this.#document.takeUpdate();
			const through = this.#document.context.sequenceOf(this.#document.replica);
			if (update !== null) this.#unordered.push({ update, through });
		}
	}

	/** What is here, decided or not. @throws QuorateError `crdt-container-unknown` */
	optimisticRead(path: Path): Value {
		return valueAt(this.#document, path);
	}

	/** What to ask the log for, to read it and to be {@link reconcile}d. */
	query(path: Path): OrderedQuery {
		return { context: encodeContext(this.#document.context), path };
	}

	/**
	 * Takes in what was decided. What was changed here meanwhile stays, and is merged with it.
	 * @throws QuorateError as `CrdtDocument.apply` and `CrdtDocument.merge`
	 */
	reconcile({ update, state, context: bytes }: Pick<OrderedAnswer, "update" | "state" | "context">): Reconciled {
		let gained = false;
		if (update !== null) gained = this.#document.apply(update) === "applied";
		if (state !== null) gained = this.#document.merge(state);
		const reader = new ByteReader(bytes);
		const decided = CausalContext.decode(reader).sequenceOf(this.#document.replica);
		reader.end();
		// Answers may overtake each other; what was decided once stays so.
		this.#decided = Math.max(this.#decided, decided);
		this.#unordered = this.#unordered.filter(({ through }) => through > this.#decided);
		const made = this.#document.context.sequenceOf(this.#document.replica);
		return { gained, ahead: made - this.#decided };
	}
}
