/**
 * What a member keeps on the disk: its incarnation, which a later life must exceed, and its contacts. Nothing waits for the disk: an
 * incarnation that was not kept is a stale one, and whoever holds the former life dead tells the member so.
 */
import { type ErrorObject, errorToObject, isNodeId, type NodeId } from "../../protocols/core/index.ts";
import type { ActorContext, Address } from "../../runtime/actor/index.ts";
import { StorageClient } from "../../runtime/storage/index.ts";
import { MemberContacts } from "./member-contacts.ts";
import { memberName } from "./member-messages.ts";

const INCARNATION_KEY = "incarnation";
const CONTACTS_KEY = "contacts";
const INCARNATION_BYTES = 8;

export class MemberStore {
	readonly #client: StorageClient;
	readonly #contacts: MemberContacts;
	/** Of the former life, 0 if there was none. */
	readonly incarnation: number;
	#isUsable = true;

	/** Opens a member's store. @throws QuorateError as `StorageClient.open` */
	static async open(
		context: ActorContext,
		storage: Address,
		group: string,
		node: NodeId,
		failed: (error: ErrorObject) => void,
	): Promise<MemberStore> {
		let opened: MemberStore | null = null;
		const client = new StorageClient(context, context.ref(storage), memberName(group, node), {
			durable: () => undefined,
			failed: (error) => {
				if (opened !== null) opened.#isUsable = false;
				failed(errorToObject(error));
			},
		});
		const { values } = await client.open();
		opened = new MemberStore(client, values);
		return opened;
	}

	private constructor(client: StorageClient, values: ReadonlyMap<string, Uint8Array>) {
		this.#client = client;
		this.incarnation = decodeIncarnation(values.get(INCARNATION_KEY));
		this.#contacts = new MemberContacts(decodeContacts(values.get(CONTACTS_KEY)));
	}

	get contacts(): readonly NodeId[] {
		return this.#contacts.nodes;
	}

	/** Whether a message was the storage's, and is dealt with. */
	receive(message: unknown): boolean {
		return this.#client.receive(message);
	}

	keepIncarnation(incarnation: number): void {
		const value = new Uint8Array(INCARNATION_BYTES);
		new DataView(value.buffer).setFloat64(0, incarnation);
		this.#put(INCARNATION_KEY, value);
	}

	join(node: NodeId): void {
		if (this.#contacts.join(node)) this.#keepContacts();
	}

	leave(node: NodeId, present: () => readonly NodeId[]): void {
		if (this.#contacts.leave(node, present)) this.#keepContacts();
	}

	#keepContacts(): void {
		this.#put(CONTACTS_KEY, new TextEncoder().encode(this.#contacts.nodes.join(" ")));
	}

	/** What can not be written is left: the member goes on without a memory. */
	#put(key: string, value: Uint8Array): void {
		if (this.#isUsable && this.#client.hasRoom) this.#client.write([{ type: "put", key, value }]);
	}
}

function decodeIncarnation(value: Uint8Array | undefined): number {
	if (value?.length !== INCARNATION_BYTES) return 0;
	const incarnation = new DataView(value.buffer, value.byteOffset).getFloat64(0);
	return Number.isSafeInteger(incarnation) && incarnation > 0 ? incarnation : 0;
}

/** Ids have no blanks. */
function decodeContacts(value: Uint8Array | undefined): NodeId[] {
	return value === undefined ? [] : new TextDecoder().decode(value).split(" ").filter(isNodeId);
}
