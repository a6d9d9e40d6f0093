/**
 * A replica of replicated values for the generic host: its writes as operations on a store, its requests as they travel, and what
 * it sends, counted. No rule of the replication stands here; those are in `protocols/crdt`.
 */
import { createHash } from "node:crypto";
import { must, type NodeId, type StateMachine } from "../../protocols/core/index.ts";
import {
	type CrdtDocument,
	type CrdtDurable,
	type CrdtEvent,
	type CrdtReply,
	type CrdtRequest,
	type CrdtTypes,
	type CrdtWrite,
	crdtLayouts,
	type ReplicaConfig,
	ReplicaMachine,
	replicaConfig,
	replicaId,
} from "../../protocols/crdt/index.ts";
import type { Metrics } from "../../runtime/actor/index.ts";
import type { StoreContents, StoreOperation } from "../../runtime/storage/index.ts";
import { CrdtStore } from "./crdt-store.ts";
import type { ProtocolAdapter, SnapshotPart } from "./protocol-adapter.ts";
import { encodeValue } from "./value-codec.ts";

/** What a group may change of a replica's configuration: all but who it is, and with whom. */
export type CrdtTuning = Partial<Omit<ReplicaConfig, "replica" | "members" | "schema">>;

/** Asked of a replica: what it has now. */
export interface CrdtSummaryQuestion {
	readonly type: "crdt-summary";
}

/** The answer to a {@link CrdtSummaryQuestion}. */
export interface CrdtSummary {
	readonly node: string;
	readonly replica: string;
	/** What is applied: the last operation of each replica. */
	readonly context: Readonly<Record<string, number>>;
	/** How often it was collected. */
	readonly epoch: number;
	/** SHA-256 of the shared part of the state, hexadecimal: equal for replicas that have applied and collected the same. */
	readonly digest: string;
	/** Bytes of the shared part of the state, and of all of it as it is written to the disk. */
	readonly sharedBytes: number;
	readonly stateBytes: number;
	readonly runs: number;
	readonly logRecords: number;
	/** Updates that wait for what they depend on. */
	readonly waiting: number;
}

export interface CrdtAdapterSettings extends Pick<ReplicaConfig, "members" | "schema"> {
	readonly group: string;
	readonly node: NodeId;
	readonly tuning: CrdtTuning;
	/** The replica's incarnation if its store is empty: none that its node has had. */
	readonly incarnation: number;
	readonly metrics: Metrics;
	/** The wall clock, in milliseconds since 1970. */
	readonly wallMs: () => number;
	/** Requests of another form, as changes; null for what is none. Default: none is. */
	readonly translate?: (message: unknown, document: CrdtDocument) => CrdtRequest | null;
}

export class CrdtAdapter implements ProtocolAdapter<CrdtTypes> {
	readonly protocol: string = crdtLayouts.protocol;
	readonly #settings: CrdtAdapterSettings;
	readonly #store: CrdtStore;
	#machine: ReplicaMachine | undefined;

	constructor(settings: CrdtAdapterSettings) {
		this.#settings = settings;
		this.#store = new CrdtStore(settings.group, settings.node);
	}

	recover(contents: StoreContents): { readonly machine: StateMachine<CrdtTypes>; readonly durable: CrdtDurable } {
		const { node, members, schema, tuning } = this.#settings;
		const { incarnation, durable } = this.#store.recover(contents, this.#settings.incarnation);
		const replica = replicaId(node, incarnation);
		this.#machine = new ReplicaMachine(replicaConfig({ ...tuning, replica, members, schema }));
		return { machine: this.#counted(this.#machine), durable };
	}

	/** The replica's document: to read, never to change. */
	get document(): CrdtDocument {
		return must(this.#machine, "a replica is recovered before it is asked").document;
	}

	operationsOf(write: CrdtWrite): readonly StoreOperation[] {
		return this.#store.operationsOf(write);
	}

	requestOf(message: unknown): CrdtRequest | null {
		switch ((message as CrdtRequest | null)?.type) {
			case "change":
			case "define":
			case "read":
			case "synchronize":
			case "collect":
				return message as CrdtRequest;
			default:
				return this.#settings.translate?.(message, this.document) ?? null;
		}
	}

	answerOf(reply: CrdtReply): CrdtReply {
		return reply;
	}

	busy(limit: number): CrdtReply {
		const error = { code: "too-many-pending", message: `${limit} requests wait already`, details: { limit } };
		return { type: "refused", error, done: 0 };
	}

	answerAside(message: unknown): CrdtSummary | undefined {
		const isAsked = (message as CrdtSummaryQuestion | null)?.type === "crdt-summary";
		return isAsked ? this.#summary() : undefined;
	}

	/** Changes of values are for those in the same thread; the rest is told. */
	eventOf(event: CrdtEvent): { readonly type: string } | null {
		return "path" in event ? null : event;
	}

	membersOf(): null {
		return null;
	}

	inspect(): Uint8Array {
		return encodeValue(this.document.value);
	}

	status(): Readonly<Record<string, unknown>> {
		return { ...this.#summary() };
	}

	snapshotPartOf(read: never): SnapshotPart {
		return read;
	}

	readResultOf(read: never): never {
		return read;
	}

	deliver(): undefined {
		// A replica delivers nothing: its value is read where it is.
		return undefined;
	}

	#summary(): CrdtSummary {
		const { document } = this;
		const shared = document.encodeShared();
		return {
			node: this.#settings.node,
			replica: document.replica,
			context: Object.fromEntries(document.context.entries),
			epoch: document.epoch,
			digest: createHash("sha256").update(shared).digest("hex"),
			sharedBytes: shared.length,
			stateBytes: document.encode().length,
			runs: document.size.runs,
			logRecords: document.logLength,
			waiting: document.waiting,
		};
	}

	/** The machine with its clock set before each step, and what it sends counted: counters outlive the thread. */
	#counted(machine: ReplicaMachine): StateMachine<CrdtTypes> {
		const { metrics, node, wallMs } = this.#settings;
		const counters = (["digest", "delta", "state", "collection"] as const).map((type) => {
			const messages = metrics.counter(`crdt.${node}.${type}_messages`);
			return [type, { messages, bytes: metrics.counter(`crdt.${node}.${type}_bytes`) }] as const;
		});
		const sent = new Map(counters);
		return {
			step: (input, now, effects) => {
				machine.document.advanceClock(wallMs());
				const from = effects.length;
				machine.step(input, now, effects);
				for (let at = from; at < effects.length; at++) {
					const effect = effects[at]!;
					if (effect.type !== "send") continue;
					const { message } = effect;
					const bytes = "context" in message ? message.context : "update" in message ? message.update : message.state;
					sent.get(message.type)?.messages.add(1);
					sent.get(message.type)?.bytes.add(bytes.length);
				}
			},
			get state() {
				return machine.state;
			},
			copy: () => machine.copy(),
		};
	}
}
