/**
 * Raft for the generic host: its persists as operations on a store, its deliveries to the application, its requests as
 * they travel. No rule of Raft stands here; those are in `protocols/raft`.
 */

import type { NodeId, RequestId } from "../../protocols/core/index.ts";
import {
	type ApplierSnapshot,
	type Entry,
	type HardState,
	type LogIndex,
	membersOf,
	RaftApplier,
	type RaftConfig,
	type RaftDelivery,
	type RaftDurable,
	type RaftEvent,
	RaftMachine,
	type RaftRead,
	type RaftReadResult,
	type RaftReply,
	type RaftRequest,
	type RaftSnapshot,
	type RaftTypes,
	type RaftWrite,
	type Term,
} from "../../protocols/raft/index.ts";
import type { Metrics } from "../../runtime/actor/index.ts";
import type { StoreContents, StoreOperation } from "../../runtime/storage/index.ts";
import { decodeEntries, encodeEntries } from "./entry-records.ts";
import * as errors from "./errors.ts";
import type { HostedApplication } from "./hosted-application.ts";
import type { DeliveryHost, ProtocolAdapter, SnapshotPart, SnapshotReader } from "./protocol-adapter.ts";
import { describedSnapshot, HARD_STATE_KEY, type SnapshotDescription } from "./raft-store.ts";
import { SnapshotStaging } from "./snapshot-staging.ts";
import { decodeValue, encodeValue } from "./value-codec.ts";

const IDENTITY_KEY = "identity";
/**
 * Grows when a store that is written now can not be read by what was there before. 2: configurations in the log, and
 * with learners in the snapshot's description. 3: witnesses, and members under repair. A store of an earlier version is taken up
 * and is of this one from its first persist on.
 */
const STORE_VERSION = 3;
const STORE_VERSION_MIN = 1;
/** How long entries are applied without a look at what else there is to do: a tenth of the default heartbeat. */
export const APPLY_SLICE_MS = 5;
/** Of what the host itself says; the participant counts its clients' requests from 1. */
const NO_REQUEST: RequestId = 0;
/** Bytes of a snapshot that are read at once when it is loaded. */
const RESTORE_CHUNK_BYTES = 1024 * 1024;

/** Whose store it is: a store of another member or group is never taken for one's own. */
interface StoreIdentity {
	readonly protocol: "raft";
	readonly version: number;
	readonly group: string;
	readonly node: string;
}

/** Who this member is and what it runs. */
export interface RaftAdapterSettings {
	readonly group: string;
	/** The store's name, for errors. */
	readonly store: string;
	readonly config: RaftConfig;
	readonly application: HostedApplication;
	readonly metrics: Metrics;
}

type EntriesDelivery = Extract<RaftDelivery, { type: "entries" }>;

/** One member's translations. It lives as long as one life of the machine. */
export class RaftAdapter implements ProtocolAdapter<RaftTypes> {
	readonly protocol = "raft";
	readonly repairsLog = true;
	readonly #settings: RaftAdapterSettings;
	readonly #machine: RaftMachine;
	readonly #applier: RaftApplier;
	readonly #staging = new SnapshotStaging();
	/** The snapshot as it was read before the start, until it is loaded; `damaged`: it can not be read. */
	#found: { readonly name: string; readonly data: Uint8Array } | "damaged" | null = null;
	/** The identity still has to be written, with the first persist. */
	#identityDue = false;
	/** The name of the snapshot that is published in the store, by its last index. */
	#published: { readonly lastIndex: number; readonly name: string } | null = null;
	#appliedIndex = 0;
	/** What the machine was told of the application. */
	#isBehind = false;
	readonly #commits: { add(count: number): void };
	readonly #commitIndex: { set(value: number): void };
	readonly #term: { set(value: number): void };
	/** Positions up to here are counted as committed, or were there before this life. */
	#lastCommit = 0;

	constructor(settings: RaftAdapterSettings) {
		this.#settings = settings;
		this.#machine = new RaftMachine(settings.config);
		this.#applier = new RaftApplier(settings.application);
		const { metrics } = settings;
		const prefix = `raft.${settings.config.nodeId}`;
		this.#commits = metrics.counter(`${prefix}.commits`);
		this.#commitIndex = metrics.gauge(`${prefix}.commit_index`);
		this.#term = metrics.gauge(`${prefix}.term`);
	}

	/** The whole snapshot is read once, before the member takes part: one that has lost its state must not vote as if it had not. */
	async prepare({ snapshot }: StoreContents, read: SnapshotReader): Promise<void> {
		if (snapshot === null) return;
		const { name, sizeBytes } = snapshot;
		try {
			const data = await readWhole(name, sizeBytes, read);
			// One that ends too early, as far as the storage says now, is read again when it is loaded.
			if (data.length === sizeBytes) this.#found = { name, data };
		} catch (error) {
			if (!errors.isDamage(error)) throw error;
			this.#found = "damaged";
		}
	}

	recover(contents: StoreContents): { readonly machine: RaftMachine; readonly durable: RaftDurable } {
		this.#checkIdentity(contents);
		const hardState = this.#read<HardState>("the hard state", contents.values.get(HARD_STATE_KEY)) ?? {
			term: 0 as Term,
			votedFor: null,
		};
		const snapshot = this.#recoverSnapshot(contents);
		const { entries, damagedFrom } = readableEntries(contents);
		this.#lastCommit = contents.firstIndex + entries.length - 1;
		const ofSnapshot = this.#found === "damaged" ? ({ isSnapshotDamaged: true } as const) : {};
		const firstIndex = contents.firstIndex as LogIndex;
		return {
			machine: this.#machine,
			durable: { hardState, snapshot, firstIndex, entries, ...damagedFrom, ...ofSnapshot },
		};
	}

	operationsOf(write: RaftWrite): readonly StoreOperation[] {
		const operations: StoreOperation[] = [];
		if (this.#identityDue) {
			this.#identityDue = false;
			operations.push({ type: "put", key: IDENTITY_KEY, value: encodeValue(this.#identity()) });
		}
		const { hardState, truncateFrom, append, snapshotChunk, installSnapshot, compactThrough } = write;
		if (hardState !== undefined) {
			operations.push({ type: "put", key: HARD_STATE_KEY, value: encodeValue(hardState) });
		}
		if (truncateFrom !== undefined) operations.push({ type: "truncate-from", index: truncateFrom });
		if (append !== undefined) {
			this.#staging.abandoned();
			const { firstIndex, entries } = append;
			operations.push({ type: "append", firstIndex, records: encodeEntries(entries) });
		}
		if (snapshotChunk !== undefined) {
			const { lastIndex, lastTerm, offset, data } = snapshotChunk;
			this.#staging.received();
			operations.push({ type: "stage-snapshot", name: receivedName(lastIndex, lastTerm), offset, data });
		}
		if (installSnapshot !== undefined) operations.push(this.#install(installSnapshot));
		if (compactThrough !== undefined) operations.push({ type: "compact-through", index: compactThrough });
		return operations;
	}

	snapshotPartOf({ lastIndex, offset, lengthBytes }: RaftRead): SnapshotPart {
		const name = this.#published?.lastIndex === lastIndex ? this.#published.name : ownName(lastIndex);
		return { name, offset, lengthBytes };
	}

	readResultOf({ lastIndex, offset }: RaftRead, data: Uint8Array | null): RaftReadResult {
		return data === null ? { type: "missing", lastIndex } : { type: "chunk", lastIndex, offset, data };
	}

	damagedResultOf({ lastIndex }: RaftRead): RaftReadResult {
		return { type: "damaged", lastIndex };
	}

	requestOf(message: unknown): RaftRequest | null {
		switch ((message as RaftRequest | null)?.type) {
			case "propose":
			case "open-session":
			case "read":
			case "read-at":
			case "change-membership":
			case "leave-joint":
			case "transfer-leadership":
			case "forget-leader":
			case "request-snapshot":
				return message as RaftRequest;
			default:
				return null;
		}
	}

	answerOf(reply: RaftReply): unknown {
		return reply;
	}

	busy(limit: number): RaftReply {
		return { type: "refused", reason: "too-many-pending", limit };
	}

	deliver(delivery: RaftDelivery, host: DeliveryHost<RaftTypes>): undefined | Promise<void> {
		switch (delivery.type) {
			case "entries":
				return this.#applyFrom(delivery, 0, host);
			case "query":
				for (const { requestId, answer } of this.#applier.perform(delivery)) host.answer(requestId, answer);
				return undefined;
			case "take-snapshot":
				this.#takeSnapshot(delivery, host);
				return undefined;
			case "restore-snapshot":
				return this.#restore(delivery.snapshot, host);
		}
	}

	/**
	 * Applies in slices of {@link APPLY_SLICE_MS}: behind an application that is slow, heartbeats must not wait for all that is
	 * decided. The clock is looked at after one entry, two more, four more …, so a slice takes at most about twice its time,
	 * or the time of one entry.
	 */
	#applyFrom(delivery: EntriesDelivery, from: number, host: DeliveryHost<RaftTypes>): undefined | Promise<void> {
		const { firstIndex, entries, requestIds } = delivery;
		const startedMs = host.nowMs();
		let at = from;
		for (let count = 1; at < entries.length; count *= 2) {
			const end = Math.min(at + count, entries.length);
			const part = {
				type: "entries",
				firstIndex: (firstIndex + at) as LogIndex,
				entries: entries.slice(at, end),
				requestIds: requestIds === null ? null : requestIds.slice(at, end),
			} as const;
			for (const { requestId, answer } of this.#applier.perform(part)) host.answer(requestId, answer);
			this.#appliedIndex = firstIndex + end - 1;
			at = end;
			if (at < entries.length && host.nowMs() - startedMs >= APPLY_SLICE_MS) {
				this.#tellLag(host);
				return host.later().then(() => this.#applyFrom(delivery, at, host));
			}
		}
		this.#tellLag(host);
		return undefined;
	}

	/** Tells the machine when the application has fallen behind too far, and when it has caught up with half of that. */
	#tellLag(host: DeliveryHost<RaftTypes>): void {
		const lag = this.#machine.view.deliveredIndex - this.#appliedIndex;
		const { maxUnappliedEntries } = this.#settings.config;
		const isBehind = this.#isBehind ? 2 * lag > maxUnappliedEntries : lag > maxUnappliedEntries;
		if (isBehind === this.#isBehind) return;
		this.#isBehind = isBehind;
		host.input({ type: "request", requestId: NO_REQUEST, request: { type: "application-behind", isBehind } });
	}

	eventOf(event: RaftEvent): { readonly type: string } | null {
		if (event.type !== "commit-advanced") {
			if (event.type === "role-changed") this.#term.set(event.term);
			return event;
		}
		// Many a second: counted, not told.
		this.#commits.add(Math.max(0, event.index - this.#lastCommit));
		this.#lastCommit = Math.max(this.#lastCommit, event.index);
		this.#commitIndex.set(event.index);
		return null;
	}

	membersOf(event: RaftEvent): readonly NodeId[] | null {
		return event.type === "configuration-changed" ? membersOf(event) : null;
	}

	inspect(query: Uint8Array): Uint8Array {
		const { config } = this.#settings;
		if (this.#machine.status.isWithoutState) return encodeValue(errors.memberWithoutState({ node: config.nodeId }));
		return this.#settings.application.query(query);
	}

	status(): Readonly<Record<string, unknown>> {
		return { ...this.#machine.status, appliedIndex: this.#appliedIndex };
	}

	#checkIdentity(contents: StoreContents): void {
		const { store, group, config } = this.#settings;
		const found = this.#read<StoreIdentity>("the identity", contents.values.get(IDENTITY_KEY));
		if (found === null) {
			const empty = contents.values.size === 0 && contents.records.length === 0 && contents.snapshot === null;
			if (!empty) throw errors.storeForeign({ store, reason: "it is not empty and has no identity" });
			this.#identityDue = true;
			return;
		}
		const refuse = (reason: string): Error => errors.storeForeign({ store, reason });
		if (found.protocol !== "raft") throw refuse(`it belongs to the protocol ${found.protocol}`);
		if (!(found.version >= STORE_VERSION_MIN && found.version <= STORE_VERSION)) {
			throw refuse(`it has version ${found.version}, not ${STORE_VERSION_MIN} to ${STORE_VERSION}`);
		}
		if (found.group !== group || found.node !== config.nodeId) {
			throw refuse(`it belongs to ${found.group}/${found.node}, not to ${group}/${config.nodeId}`);
		}
		this.#identityDue = found.version < STORE_VERSION;
	}

	#identity(): StoreIdentity {
		const { group, config } = this.#settings;
		return { protocol: "raft", version: STORE_VERSION, group, node: config.nodeId };
	}

	#read<T>(what: string, bytes: Uint8Array | undefined): T | null {
		if (bytes === undefined) return null;
		try {
			return decodeValue(bytes) as T;
		} catch (cause) {
			throw errors.storeForeign({ store: this.#settings.store, reason: `${what} can not be decoded` }, { cause });
		}
	}

	#recoverSnapshot({ snapshot }: StoreContents): RaftSnapshot | null {
		if (snapshot === null) return null;
		const description = this.#read<SnapshotDescription>("the snapshot's description", snapshot.description);
		if (description === null) return null;
		this.#published = { lastIndex: description.lastIndex, name: snapshot.name };
		return describedSnapshot(description, snapshot.sizeBytes);
	}

	#install({ lastIndex, lastTerm, configuration, sizeBytes, withheld }: RaftSnapshot): StoreOperation {
		const name = receivedName(lastIndex, lastTerm);
		this.#published = { lastIndex, name };
		this.#staging.installed();
		const told: SnapshotDescription = { lastIndex, lastTerm, configuration };
		const description = encodeValue(withheld === true ? { ...told, withheld } : told);
		return { type: "publish-snapshot", name, sizeBytes, description };
	}

	#takeSnapshot(
		{ lastIndex, lastTerm, configuration }: Extract<RaftDelivery, { type: "take-snapshot" }>,
		host: DeliveryHost<RaftTypes>,
	): void {
		const data = encodeValue(this.#applier.takeSnapshot());
		const name = ownName(lastIndex);
		const description = encodeValue({ lastIndex, lastTerm, configuration } satisfies SnapshotDescription);
		this.#staging.begin(host, { name, data, description }, () => {
			this.#published = { lastIndex, name };
			host.input({
				type: "snapshot-ready",
				snapshot: { lastIndex, lastTerm, configuration, sizeBytes: data.length },
			});
		});
	}

	async #restore(snapshot: RaftSnapshot, host: DeliveryHost<RaftTypes>): Promise<void> {
		const { lastIndex, sizeBytes } = snapshot;
		const name = this.#published?.lastIndex === lastIndex ? this.#published.name : ownName(lastIndex);
		const found = this.#found;
		this.#found = null;
		const isFound = found !== null && found !== "damaged" && found.name === name;
		const data = isFound ? found.data : await readWhole(name, sizeBytes, (part) => host.readSnapshot(part));
		if (data.length < sizeBytes) throw errors.snapshotLost({ store: this.#settings.store, name, offset: data.length });
		this.#settings.application.restoringAt(lastIndex);
		this.#applier.restoreSnapshot(decodeValue(data) as ApplierSnapshot);
		this.#appliedIndex = lastIndex;
	}
}

/** A snapshot in one piece; it is shorter than it should be if the storage has another one, or ends it before. */
async function readWhole(name: string, sizeBytes: number, read: SnapshotReader): Promise<Uint8Array> {
	const data = new Uint8Array(sizeBytes);
	let offset = 0;
	while (offset < sizeBytes) {
		const lengthBytes = Math.min(RESTORE_CHUNK_BYTES, sizeBytes - offset);
		const part = await read({ name, offset, lengthBytes });
		if (part === null || part.length === 0) break;
		data.set(part, offset);
		offset += part.length;
	}
	return data.subarray(0, offset);
}

/** The log as far as its records can be decoded; what is behind one that can not is not vouched for. */
function readableEntries({ firstIndex, records, damagedFrom: found }: StoreContents): {
	readonly entries: readonly Entry[];
	readonly damagedFrom?: { readonly damagedFrom: LogIndex };
} {
	try {
		const entries = decodeEntries(records);
		return found === undefined ? { entries } : { entries, damagedFrom: { damagedFrom: found as LogIndex } };
	} catch {
		const entries: Entry[] = [];
		for (const record of records) {
			try {
				entries.push(...decodeEntries([record]));
			} catch {
				break;
			}
		}
		return { entries, damagedFrom: { damagedFrom: (firstIndex + entries.length) as LogIndex } };
	}
}

function ownName(lastIndex: number): string {
	return `own-${lastIndex}`;
}

function receivedName(lastIndex: number, lastTerm: number): string {
	return `received-${lastIndex}-${lastTerm}`;
}

/** The name of a member's store. */
export function raftStoreName(group: string, node: NodeId): string {
	return `raft/${group}/${node}`;
}
