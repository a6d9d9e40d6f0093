/** A synchronizer's state in a directory, kept by the runtime's storage engine in the thread of the synchronizer. */
import type { NodeId } from "../../protocols/core/index.ts";
import type { CrdtDurable, CrdtWrite } from "../../protocols/crdt/index.ts";
import type { Settle, StorageEngine, StoreContents } from "../../runtime/storage/index.ts";
import { CrdtStore, crdtStoreName, decodeValue, encodeValue } from "../participant/index.ts";
import type { CRDTType } from "./handles.ts";

/** What values there are, by name: without it the state could not be read. */
export type RegisteredTypes = Readonly<Record<string, CRDTType>>;

const TYPES_KEY = "types";
const GROUP = "crdt";

export class ReplicaStorage {
	readonly incarnation: number;
	readonly durable: CrdtDurable;
	readonly types: RegisteredTypes;
	readonly #engine: StorageEngine;
	readonly #name: string;
	readonly #store: CrdtStore;

	/**
	 * @param incarnation of the replica if nothing is there
	 * @throws QuorateError `data-directory-in-use`, `data-directory-foreign`, `data-directory-corrupt`, `store-corrupt`,
	 *   `store-foreign`, `disk-failed`
	 */
	static async open(directory: string, node: NodeId, incarnation: number): Promise<ReplicaStorage> {
		// Loaded where it is used: nobody else needs the native module.
		const { LmdbEngine } = await import("../../runtime/storage/lmdb-engine.ts");
		const owner = { clusterId: GROUP, nodeIds: [node], application: "crdt-synchronizer" };
		const engine = LmdbEngine.open(directory, owner);
		try {
			const name = crdtStoreName(GROUP, node);
			const contents = await new Promise<StoreContents>((resolve, reject) => {
				engine.load(name, (outcome) => (outcome.ok ? resolve(outcome.value) : reject(outcome.error)));
			});
			return new ReplicaStorage(engine, node, contents, incarnation);
		} catch (error) {
			await engine.close();
			throw error;
		}
	}

	private constructor(engine: StorageEngine, node: NodeId, contents: StoreContents, incarnation: number) {
		this.#engine = engine;
		this.#name = crdtStoreName(GROUP, node);
		this.#store = new CrdtStore(GROUP, node);
		const types = contents.values.get(TYPES_KEY);
		this.types = types === undefined ? {} : (decodeValue(types) as RegisteredTypes);
		const recovered = this.#store.recover(contents, incarnation);
		this.incarnation = recovered.incarnation;
		this.durable = recovered.durable;
	}

	/** Makes writes durable, after all before them and as one. */
	write(writes: readonly CrdtWrite[], settle: Settle<void>): void {
		const operations = writes.flatMap((write) => this.#store.operationsOf(write));
		this.#engine.commit([{ store: this.#name, operations }], settle);
	}

	writeTypes(types: RegisteredTypes, settle: Settle<void>): void {
		const operations = [
			...this.#store.identityOperations(),
			{ type: "put", key: TYPES_KEY, value: encodeValue(types) } as const,
		];
		this.#engine.commit([{ store: this.#name, operations }], settle);
	}

	close(): Promise<void> {
		return this.#engine.close();
	}
}
