/**
 * A replica's durable state as a store: the updates since the last whole state are the log, and the whole state is cut into values,
 * for a value is bounded. One write replaces all pieces and empties the log, so a crash leaves either the old state or the new one.
 */
import type { CollectionRecord, CrdtDurable, CrdtWrite } from "../../protocols/crdt/index.ts";
import type { StoreContents, StoreOperation } from "../../runtime/storage/index.ts";
import * as errors from "./errors.ts";
import { decodeValue, encodeValue } from "./value-codec.ts";

const IDENTITY_KEY = "identity";
const STATE_KEY = "state";
const COLLECTION_KEY = "collection";
/** Bytes of one piece of a state. */
const PIECE_BYTES = 1_048_576;
/** Grows when a store that is written now can not be read by what was there before. */
const STORE_VERSION = 1;

/** Whose store it is: a store of another member or group is never taken for one's own. */
interface StoreIdentity {
	readonly protocol: "crdt";
	readonly version: number;
	readonly group: string;
	readonly node: string;
	/** The replica's incarnation, since the store was empty. */
	readonly incarnation: number;
}

interface StateHeader {
	readonly pieces: number;
	readonly sizeBytes: number;
}

/** What a store has held. */
export interface RecoveredReplica {
	readonly incarnation: number;
	readonly durable: CrdtDurable;
}

/** The name of a replica's store. */
export function crdtStoreName(group: string, node: string): string {
	return `crdt/${group}/${node}`;
}

export class CrdtStore {
	readonly #store: string;
	readonly #group: string;
	readonly #node: string;
	/** The identity still has to be written, with the first write. */
	#identityDue: StoreIdentity | null = null;
	/** Where the log goes on. */
	#nextIndex = 1;
	/** Pieces that there are, of the present state or of a longer one before it. */
	#pieces = 0;

	constructor(group: string, node: string) {
		this.#store = crdtStoreName(group, node);
		this.#group = group;
		this.#node = node;
	}

	/**
	 * @param incarnation of a replica whose store is empty; one that has a store goes on as what it was
	 * @throws QuorateError `store-foreign`
	 */
	recover(contents: StoreContents, incarnation: number): RecoveredReplica {
		const { values, records, firstIndex } = contents;
		this.#nextIndex = firstIndex + records.length;
		const identity = this.#checkIdentity(contents, incarnation);
		const header = this.#read<StateHeader>("the state", values.get(STATE_KEY));
		this.#pieces = header?.pieces ?? 0;
		const collection = this.#read<CollectionRecord>("the record of collections", values.get(COLLECTION_KEY));
		const state = header === null ? null : this.#join(values, header);
		return { incarnation: identity.incarnation, durable: { state, updates: records, collection } };
	}

	/** Says whose store it is, once: belongs to its first write. */
	identityOperations(): readonly StoreOperation[] {
		if (this.#identityDue === null) return [];
		const value = encodeValue(this.#identityDue);
		this.#identityDue = null;
		return [{ type: "put", key: IDENTITY_KEY, value }];
	}

	operationsOf(write: CrdtWrite): readonly StoreOperation[] {
		const operations: StoreOperation[] = [...this.identityOperations()];
		switch (write.type) {
			case "append":
				operations.push({ type: "append", firstIndex: this.#nextIndex, records: [write.update] });
				this.#nextIndex += 1;
				break;
			case "replace":
				operations.push(...this.#replace(write.state));
				break;
			case "collection":
				operations.push({ type: "put", key: COLLECTION_KEY, value: encodeValue(write.record) });
				break;
		}
		return operations;
	}

	#replace(state: Uint8Array): StoreOperation[] {
		const operations: StoreOperation[] = [];
		const pieces = Math.ceil(state.length / PIECE_BYTES);
		for (let piece = 0; piece < Math.max(pieces, this.#pieces); piece++) {
			// Values can not be removed: what a longer state has left is made empty.
			const value = state.subarray(piece * PIECE_BYTES, (piece + 1) * PIECE_BYTES);
			operations.push({ type: "put", key: pieceKey(piece), value });
		}
		this.#pieces = Math.max(pieces, this.#pieces);
		const header: StateHeader = { pieces: this.#pieces, sizeBytes: state.length };
		operations.push({ type: "put", key: STATE_KEY, value: encodeValue(header) });
		if (this.#nextIndex > 1) operations.push({ type: "compact-through", index: this.#nextIndex - 1 });
		return operations;
	}

	#join(values: StoreContents["values"], { pieces, sizeBytes }: StateHeader): Uint8Array {
		const state = new Uint8Array(sizeBytes);
		let at = 0;
		for (let piece = 0; piece < pieces; piece++) {
			const value = values.get(pieceKey(piece));
			if (value === undefined || at + value.length > sizeBytes) break;
			state.set(value, at);
			at += value.length;
		}
		if (at === sizeBytes) return state;
		throw errors.storeForeign({ store: this.#store, reason: `its state has ${at} of ${sizeBytes} bytes` });
	}

	#checkIdentity({ values, records }: StoreContents, incarnation: number): StoreIdentity {
		const found = this.#read<StoreIdentity>("the identity", values.get(IDENTITY_KEY));
		const refuse = (reason: string): Error => errors.storeForeign({ store: this.#store, reason });
		if (found === null) {
			if (values.size > 0 || records.length > 0) throw refuse("it is not empty and has no identity");
			const { protocol, version } = { protocol: "crdt", version: STORE_VERSION } as const;
			this.#identityDue = { protocol, version, group: this.#group, node: this.#node, incarnation };
			return this.#identityDue;
		}
		if (found.protocol !== "crdt") throw refuse(`it belongs to the protocol ${String(found.protocol)}`);
		if (found.version !== STORE_VERSION) throw refuse(`it has version ${found.version}, not ${STORE_VERSION}`);
		if (found.group === this.#group && found.node === this.#node) return found;
		throw refuse(`it belongs to ${found.group}/${found.node}, not to ${this.#group}/${this.#node}`);
	}

	#read<T>(what: string, bytes: Uint8Array | undefined): T | null {
		if (bytes === undefined) return null;
		try {
			return decodeValue(bytes) as T;
		} catch (cause) {
			throw errors.storeForeign({ store: this.#store, reason: `${what} can not be decoded` }, { cause });
		}
	}
}

function pieceKey(piece: number): string {
	return `state/${piece}`;
}
