/**
 * One replica of a document: what applications and protocols hold. All of its parts share one causal context.
 *
 * Calls on parts are applied at once and gathered; {@link CrdtDocument.takeUpdate} gives them as one update, for others to
 * {@link CrdtDocument.apply}. Updates may be lost, doubled and come in any order: what is missing is told by the context, and
 * {@link CrdtDocument.differenceTo} gives exactly that. Whole states can be {@link CrdtDocument.merge}d, too.
 */
import { canonicalText, invalidArgument, requireBytes } from "../../core/index.ts";
import type { CausalContext, CausalOrder } from "../causality/causal-context.ts";
import { CLOCK_TOLERANCE_MS_DEFAULT, HybridClock, type Stamp, zeroStamp } from "../causality/hybrid-clock.ts";
import {
	INCARNATION_MAX,
	incarnationOf,
	nodeOf,
	type ReplicaId,
	replicaId,
	SETTLED_REPLICA,
} from "../causality/replica.ts";
import type { Value } from "../encoding/value.ts";
import { containerUnknown, replicaReused, schemaInvalid } from "../errors.ts";
import { BoundedCounter } from "../types/bounded-counter.ts";
import { Counter } from "../types/counter.ts";
import { Flag } from "../types/flag.ts";
import { CrdtList } from "../types/list.ts";
import { CrdtMap } from "../types/map.ts";
import { documentValue } from "../types/part-value.ts";
import { LwwRegister, MvRegister } from "../types/register.ts";
import { type DocumentSchema, type LeafType, type Schema, validateSchema } from "../types/schema.ts";
import { CrdtSet } from "../types/set.ts";
import { CrdtText } from "../types/text.ts";
import { type ApplyOutcome, applyUpdate, drainPending } from "./apply.ts";
import type { CrdtChange } from "./changes.ts";
import { type Collected, collectAt, cutLog } from "./collection.ts";
import { describePath, locate, type Path } from "./container.ts";
import { DocumentCore } from "./core.ts";
import { type Difference, differenceTo } from "./difference.ts";
import { joinState } from "./join.ts";
import { KnownEntries } from "./known-entries.ts";
import { type PendingLimits, PendingUpdates, pendingLimitsDefault } from "./pending.ts";
import { containerBytes, decodeState, encodeShared, encodeState } from "./state-codec.ts";
import { UNDO_GROUPS_MAX_DEFAULT, UndoHistory } from "./undo.ts";
import { scopeOf, type UpdateScope } from "./update-scope.ts";

export interface DocumentOptions {
	/** This replica; never one that is or was in use elsewhere. */
	readonly replica: ReplicaId;
	readonly schema: DocumentSchema;
	/** Bounds of the buffer for updates that came too early. */
	readonly pendingLimits?: PendingLimits;
	/** How far a foreign stamp may be ahead of {@link CrdtDocument.advanceClock}, in milliseconds. Default one minute. */
	readonly clockToleranceMs?: number;
}

/** Sizes that metrics show. */
export interface DocumentSize {
	/** Runs of all sequences, tombstones included. */
	readonly runs: number;
	readonly logRecords: number;
	/** Updates that wait for what they depend on. */
	readonly pending: number;
	/** Bytes of the shared part of the state. */
	readonly stateBytes: number;
}

export class CrdtDocument {
	#options: DocumentOptions;
	readonly #holder: { core: DocumentCore };
	#undo: UndoHistory | null = null;

	/** An empty document. @throws QuorateError `crdt-schema-invalid`, `invalid-argument` for the replica {@link SETTLED_REPLICA} */
	constructor(options: DocumentOptions) {
		validateSchema(options.schema);
		const { replica } = options;
		if (replica === SETTLED_REPLICA)
			throw invalidArgument({ argument: "replica", expected: "a replica other than what is settled", actual: replica });
		this.#options = options;
		this.#holder = { core: newCore(options, zeroStamp) };
	}

	/**
	 * A document from {@link CrdtDocument.encode}. With the replica that encoded it, it goes on as that one, and is entitled to only if
	 * nothing was done since; any other replica must be new to the state.
	 * @throws QuorateError `crdt-replica-reused` if the replica has operations in a state that it has not encoded, or its node a
	 *   later incarnation; `crdt-update-damaged`, `crdt-format-unsupported`, `crdt-container-unknown`, `crdt-schema-invalid`
	 */
	static load(bytes: Uint8Array, options: DocumentOptions): CrdtDocument {
		const document = new CrdtDocument(options);
		document.#adopt(bytes);
		return document;
	}

	/**
	 * This replica after a restart: its last encoded state, if there is one, and in order the updates that it has made or
	 * applied since.
	 * @throws QuorateError as {@link CrdtDocument.load} and {@link CrdtDocument.apply}
	 */
	static recover(state: Uint8Array | null, updates: readonly Uint8Array[], options: DocumentOptions): CrdtDocument {
		const document = state === null ? new CrdtDocument(options) : CrdtDocument.load(state, options);
		document.#holder.core.isRecovering = true;
		for (const update of updates) document.apply(update);
		document.#holder.core.isRecovering = false;
		return document;
	}

	get replica(): ReplicaId {
		return this.#holder.core.replica;
	}

	/**
	 * Adds a named part; the same one again changes nothing.
	 * @throws QuorateError `crdt-schema-invalid` if the name has another schema, or the schema is none
	 */
	define(name: string, schema: Schema): void {
		const existing = Object.hasOwn(this.#holder.core.schema, name) ? this.#holder.core.schema[name] : undefined;
		if (existing !== undefined) {
			if (canonicalText(existing) === canonicalText(schema)) return;
			throw schemaInvalid({ path: `/${name}`, expected: canonicalText(existing), actual: canonicalText(schema) });
		}
		const extended = { ...this.#holder.core.schema, [name]: schema };
		validateSchema(extended);
		this.#holder.core.schema = extended;
		this.#options = { ...this.#options, schema: extended };
	}

	/** What the schema has at a path: a leaf's type, or null. */
	typeAt(path: Path): LeafType | null {
		const { schema } = locate(this.#holder.core.schema, path);
		return typeof schema === "string" ? schema : null;
	}

	/** Records of the log: operations that a member may still have to be told of. */
	get logLength(): number {
		return this.#holder.core.log.reduce((sum, log) => sum + log.length, 0);
	}

	get schema(): DocumentSchema {
		return this.#holder.core.schema;
	}

	/** What is applied here: a version vector, since nothing is applied before what it depends on. */
	get context(): CausalContext {
		return this.#holder.core.context;
	}

	/** How often it was collected. */
	get epoch(): number {
		return this.#holder.core.epoch;
	}

	/** Where this state stands to another document's. */
	compare(other: CrdtDocument): CausalOrder {
		return this.context.compare(other.context);
	}

	/** The whole value as plain data. */
	get value(): Readonly<Record<string, Value>> {
		return documentValue(this.#holder.core);
	}

	/** Told of every change from now on; null for none. One a document. */
	set observer(observer: ((change: CrdtChange) => void) | null) {
		this.#holder.core.observer = observer;
	}

	/** What the host's wall clock shows, in milliseconds: stamps of last-writer-wins registers follow it. */
	advanceClock(nowMs: number): void {
		this.#holder.core.clock.advance(nowMs);
	}

	/** A `g-counter` or `pn-counter`. Of this and its siblings: @throws QuorateError `crdt-container-unknown` */
	counter(...path: Path): Counter {
		return new Counter(this.#holder, path, ["g-counter", "pn-counter"]);
	}

	boundedCounter(...path: Path): BoundedCounter {
		return new BoundedCounter(this.#holder, path, ["bounded-counter"]);
	}

	/** An `enable-wins-flag` or `disable-wins-flag`. */
	flag(...path: Path): Flag {
		return new Flag(this.#holder, path, ["enable-wins-flag", "disable-wins-flag"]);
	}

	lwwRegister(...path: Path): LwwRegister {
		return new LwwRegister(this.#holder, path, ["lww-register"]);
	}

	mvRegister(...path: Path): MvRegister {
		return new MvRegister(this.#holder, path, ["mv-register"]);
	}

	/** An `add-wins-set` or `remove-wins-set`. */
	set(...path: Path): CrdtSet {
		return new CrdtSet(this.#holder, path, ["add-wins-set", "remove-wins-set"]);
	}

	text(...path: Path): CrdtText {
		return new CrdtText(this.#holder, path, ["text"]);
	}

	list(...path: Path): CrdtList {
		return new CrdtList(this.#holder, path, ["list"]);
	}

	map(...path: Path): CrdtMap {
		const { schema } = locate(this.#holder.core.schema, path);
		if (typeof schema === "string" || !("map" in schema)) {
			const actual = typeof schema === "string" ? schema : "a record";
			throw containerUnknown({ path: describePath(path), expected: "a map", actual });
		}
		return new CrdtMap(this.#holder, path);
	}

	/** What was done here since the last time, as one update; null if nothing was. */
	takeUpdate(): Uint8Array | null {
		return this.#holder.core.own.take();
	}

	/**
	 * Applies another replica's update, at once or as soon as what it depends on is there.
	 * @throws QuorateError `crdt-update-damaged`, `crdt-format-unsupported`, `crdt-container-unknown`, `crdt-clock-ahead`,
	 *   `crdt-replica-reused` or `crdt-buffer-full`
	 */
	apply(update: Uint8Array): ApplyOutcome {
		return applyUpdate(this.#holder.core, requireBytes("update", update));
	}

	/**
	 * What an update does and needs, without applying it.
	 * @throws QuorateError `crdt-update-damaged`, `crdt-format-unsupported`, `crdt-container-unknown`
	 */
	scopeOf(update: Uint8Array): UpdateScope {
		return scopeOf(this.#holder.core, requireBytes("update", update));
	}

	/** Updates that wait for what they depend on. */
	get waiting(): number {
		return this.#holder.core.pending.size;
	}

	/** What a replica with this context lacks. */
	differenceTo(context: CausalContext): Difference {
		return differenceTo(this.#holder.core, context);
	}

	/** The whole state, for a restart or for a replica that is behind. */
	encode(): Uint8Array {
		return encodeState(this.#holder.core);
	}

	/** Bytes that the parts at or below a path take in an encoded state. */
	encodedBytes(...path: Path): number {
		const { core } = this.#holder;
		const below = core.containers.filter((container) => path.every((segment, i) => container.path[i] === segment));
		return below.reduce((sum, container) => sum + containerBytes(core, container), 0);
	}

	/** The part of the state that is the same for all replicas that have applied and collected the same. */
	encodeShared(): Uint8Array {
		return encodeShared(this.#holder.core);
	}

	/**
	 * Joins a whole state.
	 * @param state from {@link CrdtDocument.encode} of another replica
	 * @returns whether anything was new
	 * @throws QuorateError `crdt-behind-floor` if exactly one of both was collected and each has something new;
	 *   `crdt-replica-reused`, `crdt-update-damaged`, `crdt-format-unsupported`, `crdt-container-unknown`
	 */
	merge(state: Uint8Array): boolean {
		const other = newCore({ ...this.#options, replica: reader }, zeroStamp);
		const { heads, replicas } = this.#holder.core;
		const known = new KnownEntries((replica) => heads[replicas.find(replica)] ?? 0);
		decodeState(other, requireBytes("state", state), known);
		const order = this.context.compare(other.context);
		if (other.epoch > this.epoch && (order === "before" || order === "equal") && !this.#holder.core.own.isOpen) {
			const observer = this.#holder.core.observer;
			this.#adopt(state);
			this.#holder.core.observer = observer;
			return order === "before";
		}
		const isNew = joinState(this.#holder.core, other, known);
		drainPending(this.#holder.core);
		return isNew;
	}

	/** Forgets what only a replica below `stable` would need to be told. Returns the log records that went. */
	cutLog(stable: CausalContext): number {
		return cutLog(this.#holder.core, stable);
	}

	/**
	 * Frees tombstones and folds entries, at a point that every replica passes with the same operations applied.
	 * @throws QuorateError `crdt-behind-floor` if that is not exactly what is applied here
	 */
	collectAt(point: CausalContext): Collected {
		const collected = collectAt(this.#holder.core, point);
		this.#undo?.clear();
		// Updates from behind the same point may have come already.
		drainPending(this.#holder.core);
		return collected;
	}

	/**
	 * Undo and redo of what is done here from now on; the same one each time.
	 * @param groupsMax groups of changes that it keeps, 1 to 1,000,000; by default {@link UNDO_GROUPS_MAX_DEFAULT}
	 */
	undoHistory(groupsMax: number = UNDO_GROUPS_MAX_DEFAULT): UndoHistory {
		this.#undo ??= new UndoHistory(this.#holder.core, groupsMax);
		return this.#undo;
	}

	get size(): DocumentSize {
		const { runs } = this.#holder.core.space;
		return {
			runs: runs.count,
			logRecords: this.logLength,
			pending: this.waiting,
			stateBytes: this.encodeShared().length,
		};
	}

	/** Becomes the replica of a decoded state; after an error it is what it was. */
	#adopt(bytes: Uint8Array): void {
		const former = this.#holder.core;
		const core = newCore(this.#options, former.clock.last);
		const { owner, clock, pending } = decodeState(core, requireBytes("state", bytes), null);
		const goesOn = owner === core.replica;
		if (goesOn) core.clock.see(clock);
		else {
			const seen = core.heads[core.self]!;
			if (seen > former.heads[former.self]!) {
				throw replicaReused({ replica: core.replica, seen, reason: "a state of another replica has operations of it" });
			}
			refuseOlderIncarnation(core);
		}
		this.#holder.core = core;
		this.#undo?.clear();
		this.#undo?.attach(core);
		for (const update of [...(goesOn ? pending : []), ...former.pending.updates]) this.apply(update);
	}
}

/** Reads foreign states; it has no operations, and is in no table that leaves this file. */
const reader = replicaId("reader", INCARNATION_MAX);

function newCore(options: DocumentOptions, stamp: Stamp): DocumentCore {
	const clock = new HybridClock(stamp, options.clockToleranceMs ?? CLOCK_TOLERANCE_MS_DEFAULT);
	const pending = new PendingUpdates(options.pendingLimits ?? pendingLimitsDefault);
	return new DocumentCore(options.schema, options.replica, clock, pending);
}

/** @throws QuorateError `crdt-replica-reused` */
function refuseOlderIncarnation(core: DocumentCore): void {
	const { replica } = core;
	for (const [number, head] of core.heads.entries()) {
		const other = core.replicas.at(number);
		if (head === 0 || nodeOf(other) !== nodeOf(replica) || incarnationOf(other) <= incarnationOf(replica)) continue;
		throw replicaReused({ replica, seen: head, reason: `the node has a later incarnation, ${other}` });
	}
}
