/** A document's data. Each concern beside this file works on it; `CrdtDocument` is the face. */
import { CausalContext } from "../causality/causal-context.ts";
import type { HybridClock } from "../causality/hybrid-clock.ts";
import { type ReplicaId, ReplicaTable, SETTLED_REPLICA } from "../causality/replica.ts";
import type { Value } from "../encoding/value.ts";
import { containerUnknown } from "../errors.ts";
import { ListContent, TextContent } from "../sequence/content.ts";
import { IdIndex } from "../sequence/id-index.ts";
import { RunArena } from "../sequence/run-arena.ts";
import { Sequence, type SequenceSpace } from "../sequence/sequence.ts";
import { type DocumentSchema, type LeafType, leafTypes } from "../types/schema.ts";
import type { CrdtChange } from "./changes.ts";
import { Container, describePath, locate, type Path } from "./container.ts";
import type { LogRecord } from "./entry.ts";
import { OwnUpdate } from "./own-update.ts";
import type { PendingUpdates } from "./pending.ts";

export class DocumentCore {
	schema: DocumentSchema;
	readonly replicas: ReplicaTable = new ReplicaTable();
	/** This replica's number. */
	readonly self: number;
	/** By replica: its operations up to here are applied. Everything that they depend on is, too: the state is causally closed. */
	readonly heads: number[] = [];
	/**
	 * By replica: its operations up to here have left the log, because every replica has applied them. `floor <= heads`.
	 * Who has less than the floor can not be given a difference, only the whole state.
	 */
	readonly floors: number[] = [];
	/** By replica: its deletions and entries above the floor, ascending by dot. */
	readonly log: LogRecord[][] = [];
	/** How often this document was collected: see `collection.ts`. */
	epoch = 0;
	/** The number of {@link SETTLED_REPLICA}; -1 before the first collection. */
	settled = -1;
	readonly space: SequenceSpace;
	readonly text: TextContent = new TextContent();
	readonly list: ListContent = new ListContent();
	/** The containers of sequences, by the sequence's number. */
	readonly sequences: Container[] = [];
	readonly clock: HybridClock;
	readonly own: OwnUpdate;
	readonly pending: PendingUpdates;
	/** Own operations come from this replica's own disk: they are no reuse. */
	isRecovering = false;
	/** Told of every change of a value, or null. */
	observer: ((change: CrdtChange) => void) | null = null;
	/** What the last update was about, by the bytes that name it: most often the next one is about the same. */
	lastAuthor: { readonly number: number; readonly bytes: Uint8Array } | null = null;
	lastContainer: Container | null = null;
	readonly #parts = new Map<string, Container>();
	readonly #nested = new Map<string, Container>();

	constructor(schema: DocumentSchema, replica: ReplicaId, clock: HybridClock, pending: PendingUpdates) {
		this.schema = schema;
		this.clock = clock;
		this.pending = pending;
		const runs = new RunArena();
		this.space = { runs, ids: new IdIndex(runs), replicas: this.replicas };
		this.self = this.intern(replica);
		this.own = new OwnUpdate(this);
	}

	get replica(): ReplicaId {
		return this.replicas.at(this.self);
	}

	/** The replica's number; a new one has no operations yet. */
	intern(replica: ReplicaId): number {
		const number = this.replicas.intern(replica);
		if (number === this.heads.length) {
			this.heads.push(0);
			this.floors.push(0);
			this.log.push([]);
			if (replica === SETTLED_REPLICA) this.settled = number;
		}
		return number;
	}

	/** The dots that are applied: always a plain version vector. What is settled goes without saying: the epoch says it. */
	get context(): CausalContext {
		return this.contextOf(this.heads);
	}

	/** A vector by replica number as a context. */
	contextOf(vector: readonly number[]): CausalContext {
		const entries = vector.map((sequence, replica) => [this.replicas.at(replica), sequence] as const);
		return CausalContext.of(entries.filter(([replica]) => replica !== SETTLED_REPLICA));
	}

	/** All containers that were ever touched here, in no order that matters. */
	get containers(): Container[] {
		return [...this.#parts.values(), ...this.#nested.values()];
	}

	/** Puts content under consecutive ids. */
	writeContent(replica: number, sequence: number, content: string | readonly Value[]): void {
		if (typeof content === "string") {
			this.text.write(replica, sequence, content);
			return;
		}
		for (const [i, value] of content.entries()) this.list.put(replica, sequence + i, value);
	}

	/** The container at a path if it was ever touched. */
	findContainer(path: Path): Container | undefined {
		return path.length === 1 ? this.#parts.get(path[0]!) : this.#nested.get(JSON.stringify(path));
	}

	/**
	 * The container at a path, made now if need be.
	 * @throws QuorateError `crdt-container-unknown` if the schema has no leaf there, or none of these types
	 */
	container(path: Path, types: readonly LeafType[] = leafTypes): Container {
		const found = this.findContainer(path) ?? this.#addContainer(path);
		if (!types.includes(found.type)) {
			throw containerUnknown({ path: describePath(path), expected: types.join(" or "), actual: found.type });
		}
		return found;
	}

	#addContainer(path: Path): Container {
		const { schema, inMap } = locate(this.schema, path);
		if (typeof schema !== "string") {
			const actual = "map" in schema ? "a map" : "a record";
			throw containerUnknown({ path: describePath(path), expected: "a leaf", actual });
		}
		const isSequence = schema === "text" || schema === "list";
		const sequence = isSequence ? new Sequence(this.space, this.sequences.length) : null;
		const container = new Container([...path], schema, inMap, sequence);
		if (isSequence) this.sequences.push(container);
		if (path.length === 1) this.#parts.set(path[0]!, container);
		else this.#nested.set(JSON.stringify(path), container);
		return container;
	}
}
