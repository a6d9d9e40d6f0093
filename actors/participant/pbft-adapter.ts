/**
 * PBFT for the generic host: its persists as operations on a store, its deliveries to the application, its requests as they
 * travel. No rule of PBFT stands here; those are in `protocols/pbft`.
 */
import type { CryptoPort, NodeId, StateMachine } from "../../protocols/core/index.ts";
import {
	type BaseRecord,
	type CheckpointCertificate,
	type CheckpointState,
	type OrderedApplication,
	PbftApplier,
	type PbftConfig,
	type PbftDelivery,
	type PbftDurable,
	type PbftEvent,
	PbftMachine,
	type PbftRead,
	type PbftReadResult,
	type PbftReply,
	type PbftRequest,
	type PbftTypes,
	type PbftWrite,
	type SequenceNumber,
	type ViewRecord,
} from "../../protocols/pbft/index.ts";
import type { Metrics } from "../../runtime/actor/index.ts";
import type { StoreContents, StoreOperation } from "../../runtime/storage/index.ts";
import * as errors from "./errors.ts";
import type { HostedApplication } from "./hosted-application.ts";
import { decodeJournalRecord, encodeJournal } from "./journal-records.ts";
import { PbftCheckpoints } from "./pbft-checkpoints.ts";
import {
	isClientRequests,
	type PbftClientAnswer,
	type PbftDecisionAnswer,
	type PbftDecisionQuestion,
	pbftAnswerMessages,
	pbftClientLayouts,
} from "./pbft-requests.ts";
import { firstView, STABLE_KEY, VIEW_KEY } from "./pbft-store.ts";
import type { DeliveryHost, ProtocolAdapter, SnapshotPart, ToldRequest } from "./protocol-adapter.ts";
import { decodeValue, encodeValue } from "./value-codec.ts";

const IDENTITY_KEY = "identity";
const RECEIVED_KEY = "received";
/** Grows when a store that is written now can not be read by what was there before. */
const STORE_VERSION = 3;
/** Bytes of a state that are read at once when it is loaded. */
const RESTORE_CHUNK_BYTES = 1024 * 1024;

/** Whose store it is: a store of another member or group is never taken for one's own. */
interface StoreIdentity {
	readonly protocol: "pbft";
	readonly version: number;
	readonly group: string;
	readonly node: string;
}

/** Who this member is and what it runs. */
export interface PbftAdapterSettings {
	/** The store's name, for errors. */
	readonly store: string;
	readonly config: PbftConfig;
	readonly crypto: CryptoPort;
	readonly application: HostedApplication;
	readonly metrics: Metrics;
	/** What runs in the place of the correct machine, for a member that is to misbehave; default: the machine itself. */
	readonly replace?: (machine: PbftMachine) => StateMachine<PbftTypes>;
}

/** One member's translations. It lives as long as one life of the machine. */
export class PbftAdapter implements ProtocolAdapter<PbftTypes> {
	readonly protocol = "pbft";
	readonly clientProtocol: string = pbftClientLayouts.protocol;
	readonly #settings: PbftAdapterSettings;
	readonly #machine: PbftMachine;
	readonly #applier: PbftApplier;
	readonly #checkpoints: PbftCheckpoints;
	/** The identity still has to be written, with the first persist. */
	#identityDue = false;
	#appliedIndex = 0;
	readonly #decided: { add(count: number): void };
	readonly #executed: { set(value: number): void };
	readonly #view: { set(value: number): void };

	constructor(settings: PbftAdapterSettings) {
		const { config, crypto, application, metrics } = settings;
		const { clientWindow, statePartBytes, nodeId } = config;
		this.#settings = settings;
		this.#machine = new PbftMachine(config, crypto);
		this.#applier = new PbftApplier({
			application: orderedApplication(application),
			digest: crypto.digest,
			clientWindow,
			statePartBytes,
		});
		this.#checkpoints = new PbftCheckpoints(crypto.digest, statePartBytes);
		const prefix = `pbft.${nodeId}`;
		this.#decided = metrics.counter(`${prefix}.decided`);
		this.#executed = metrics.gauge(`${prefix}.executed`);
		this.#view = metrics.gauge(`${prefix}.view`);
	}

	recover(contents: StoreContents): { readonly machine: StateMachine<PbftTypes>; readonly durable: PbftDurable } {
		this.#checkIdentity(contents);
		const view = this.#read<ViewRecord>("the view", contents.values.get(VIEW_KEY)) ?? firstView;
		const records = contents.records.map((record) => this.#decoded("a record", () => decodeJournalRecord(record)));
		const stable = this.#read<CheckpointCertificate>("the stable checkpoint", contents.values.get(STABLE_KEY));
		const durable = { view, stable, base: this.#recoverBase(contents), firstIndex: contents.firstIndex, records };
		return { machine: this.#settings.replace?.(this.#machine) ?? this.#machine, durable };
	}

	operationsOf({ view, stable, append, parts, base, compactThrough }: PbftWrite): readonly StoreOperation[] {
		const operations: StoreOperation[] = [];
		const put = (key: string, value: unknown): void => {
			operations.push({ type: "put", key, value: encodeValue(value) });
		};
		if (this.#identityDue) {
			this.#identityDue = false;
			put(IDENTITY_KEY, this.#identity());
		}
		if (view !== undefined) put(VIEW_KEY, view);
		if (stable !== undefined) put(STABLE_KEY, stable);
		if (append !== undefined) {
			operations.push({ type: "append", firstIndex: append.firstIndex, records: encodeJournal(append.records) });
		}
		if (parts !== undefined) {
			this.#checkpoints.receive(parts);
			// The write has to have an end that can be told.
			put(RECEIVED_KEY, parts.at(-1)?.index ?? 0);
		}
		if (base !== undefined) operations.push(...this.#checkpoints.publish(base));
		if (compactThrough !== undefined && compactThrough > 0) {
			operations.push({ type: "compact-through", index: compactThrough });
		}
		return operations;
	}

	snapshotPartOf({ sequence, index }: PbftRead): SnapshotPart {
		const { statePartBytes } = this.#settings.config;
		const name = this.#checkpoints.nameAt(sequence);
		return { name, offset: index * statePartBytes, lengthBytes: statePartBytes };
	}

	readResultOf({ sequence, index }: PbftRead, data: Uint8Array | null): PbftReadResult {
		return this.#checkpoints.part(sequence, index, data);
	}

	requestOf(): PbftRequest | null {
		return null;
	}

	requestsOf(message: unknown): readonly ToldRequest<PbftTypes>[] | null {
		return isClientRequests(message)
			? message.asks.map(({ id, request }) => ({ id, request: { type: "submit", request } }))
			: null;
	}

	answersTo(answers: readonly { readonly id: number; readonly answer: unknown }[]): readonly unknown[] {
		return pbftAnswerMessages(answers as readonly { readonly id: number; readonly answer: PbftClientAnswer }[]);
	}

	answerAside(message: unknown): PbftDecisionAnswer | undefined {
		if ((message as PbftDecisionQuestion | null)?.type !== "pbft-decision") return undefined;
		const { sequence, client, timestamp } = message as PbftDecisionQuestion;
		return { proof: this.#machine.proofOfDecision(sequence as SequenceNumber, client as NodeId, timestamp) };
	}

	answerOf(reply: PbftReply): unknown {
		return reply;
	}

	busy(limit: number): PbftReply {
		return { type: "refused", reason: "too-many-waiting", limit };
	}

	deliver(delivery: PbftDelivery, host: DeliveryHost<PbftTypes>): undefined | Promise<void> {
		switch (delivery.type) {
			case "execute":
				this.#appliedIndex = delivery.sequence;
				this.#executed.set(delivery.sequence);
				this.#decided.add(delivery.requests.length);
				break;
			case "take-checkpoint": {
				const state = this.#applier.capture(delivery.sequence);
				this.#checkpoints.captured(state);
				host.input({ type: "snapshot-ready", snapshot: state.snapshot });
				return undefined;
			}
			case "restore-checkpoint":
				return this.#restore(delivery.state, host);
			case "confirm":
				this.#appliedIndex = delivery.sequence;
				this.#executed.set(delivery.sequence);
				this.#decided.add(delivery.requests.length);
				break;
			case "execute-tentatively":
			case "roll-back":
			case "query":
			case "repeat-reply":
				break;
		}
		for (const { requestId, answer } of this.#applier.perform(delivery)) host.answer(requestId, answer);
		return undefined;
	}

	eventOf(event: PbftEvent): { readonly type: string } | null {
		// Many a second: counted, not told.
		if (event.type === "decided" || event.type === "executed" || event.type === "checkpoint-stable") return null;
		if (event.type === "view-entered") this.#view.set(event.view);
		return event;
	}

	membersOf(event: PbftEvent): readonly NodeId[] | null {
		// A newcomer is looked for as soon as it is ordered, and who goes is heard until its actor is gone.
		const isChange = event.type === "change-ordered" || event.type === "configuration-entered";
		return isChange ? event.configuration.members : null;
	}

	inspect(query: Uint8Array): Uint8Array {
		return this.#settings.application.query(query);
	}

	status(): Readonly<Record<string, unknown>> {
		return { ...this.#machine.status, appliedIndex: this.#appliedIndex };
	}

	#checkIdentity(contents: StoreContents): void {
		const { store, config } = this.#settings;
		const found = this.#read<StoreIdentity>("the identity", contents.values.get(IDENTITY_KEY));
		const refuse = (reason: string): Error => errors.storeForeign({ store, reason });
		if (found === null) {
			const empty = contents.values.size === 0 && contents.records.length === 0 && contents.snapshot === null;
			if (!empty) throw refuse("it is not empty and has no identity");
			this.#identityDue = true;
			return;
		}
		if (found.protocol !== "pbft") throw refuse(`it belongs to the protocol ${found.protocol}`);
		if (found.version !== STORE_VERSION) throw refuse(`it has version ${found.version}, not ${STORE_VERSION}`);
		if (found.group !== config.cluster || found.node !== config.nodeId) {
			throw refuse(`it belongs to ${found.group}/${found.node}, not to ${config.cluster}/${config.nodeId}`);
		}
	}

	#identity(): StoreIdentity {
		const { cluster, nodeId } = this.#settings.config;
		return { protocol: "pbft", version: STORE_VERSION, group: cluster, node: nodeId };
	}

	#recoverBase({ snapshot }: StoreContents): BaseRecord | null {
		if (snapshot === null) return null;
		const base = this.#read<BaseRecord>("the snapshot's description", snapshot.description);
		if (base !== null) this.#checkpoints.found(snapshot.name, base.state);
		return base;
	}

	async #restore({ sequence, sizeBytes }: CheckpointState, host: DeliveryHost<PbftTypes>): Promise<void> {
		const name = this.#checkpoints.nameAt(sequence);
		const data = new Uint8Array(sizeBytes);
		for (let offset = 0; offset < sizeBytes; ) {
			const lengthBytes = Math.min(RESTORE_CHUNK_BYTES, sizeBytes - offset);
			const part = await host.readSnapshot({ name, offset, lengthBytes });
			if (part === null || part.length === 0) {
				throw errors.snapshotLost({ store: this.#settings.store, name, offset });
			}
			data.set(part, offset);
			offset += part.length;
		}
		this.#checkpoints.restored(sequence, data);
		this.#settings.application.restoringAt(sequence);
		this.#applier.restore(data);
		this.#appliedIndex = sequence;
	}

	#read<T>(what: string, bytes: Uint8Array | undefined): T | null {
		return bytes === undefined ? null : this.#decoded(what, () => decodeValue(bytes) as T);
	}

	#decoded<T>(what: string, decode: () => T): T {
		try {
			return decode();
		} catch (cause) {
			throw errors.storeForeign({ store: this.#settings.store, reason: `${what} can not be decoded` }, { cause });
		}
	}
}

/** Replicas may decide one slot in different views, so there is no term that all of them could tell the application. */
function orderedApplication(application: HostedApplication): OrderedApplication {
	return {
		apply: (operation, { index }) => application.apply(operation, { index, term: 0 }),
		query: (operation) => application.query(operation),
		takeSnapshot: () => application.takeSnapshot(),
		restoreSnapshot: (snapshot) => application.restoreSnapshot(snapshot),
	};
}

/** The name of a member's store. */
export function pbftStoreName(group: string, node: NodeId): string {
	return `pbft/${group}/${node}`;
}
