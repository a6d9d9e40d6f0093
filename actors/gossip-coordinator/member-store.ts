/**
 * What a member keeps on the disk: its incarnation, which a later life must exceed, its tags and its contacts. None waits for the disk: an
 * incarnation that was not kept is a stale one, and whoever holds the former life dead tells the member so. Values that the group
 * shares, and the number of the life that changes them, are answered when they are kept.
 */
import { type ErrorObject, errorToObject, isNodeId, type NodeId } from "../../protocols/core/index.ts";
import type { SwimDurable } from "../../protocols/gossip/index.ts";
import type { ActorContext, Address } from "../../runtime/actor/index.ts";
import { StorageClient } from "../../runtime/storage/index.ts";
import { MemberContacts } from "./member-contacts.ts";
import { memberName } from "./member-messages.ts";

const INCARNATION_KEY = "incarnation";
const TAGS_KEY = "tags";
const CONTACTS_KEY = "contacts";
const LIFE_KEY = "life";
const VALUES_KEY = "values";
const NUMBER_BYTES = 8;
const NO_TAGS = new Uint8Array(0);

export class MemberStore {
	readonly #client: StorageClient;
	readonly #contacts: MemberContacts;
	/** Of the former life, 0 if there was none. */
	readonly incarnation: number;
	/** The highest number of a life that has changed shared values; -1 if none has. */
	readonly life: number;
	/** The shared values of the former life, as they were encoded. */
	readonly values: Uint8Array | null;
	#tags: Uint8Array;
	#isUsable = true;
	/** Those that wait for a write to be durable, in order of the writes. */
	#waiting: { readonly sequence: number; readonly done: (isKept: boolean) => void }[] = [];

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
			durable: (sequence) => {
				if (opened !== null) opened.#durable(sequence);
			},
			failed: (error) => {
				if (opened !== null) opened.#lose();
				failed(errorToObject(error));
			},
		});
		const { values } = await client.open();
		opened = new MemberStore(client, values);
		return opened;
	}

	private constructor(client: StorageClient, values: ReadonlyMap<string, Uint8Array>) {
		this.#client = client;
		this.incarnation = decodeNumber(values.get(INCARNATION_KEY)) ?? 0;
		this.#tags = values.get(TAGS_KEY) ?? NO_TAGS;
		this.life = decodeNumber(values.get(LIFE_KEY)) ?? -1;
		this.values = values.get(VALUES_KEY) ?? null;
		this.#contacts = new MemberContacts(decodeContacts(values.get(CONTACTS_KEY)));
	}

	get contacts(): readonly NodeId[] {
		return this.#contacts.nodes;
	}

	/** Whether a message was the storage's, and is dealt with. */
	receive(message: unknown): boolean {
		return this.#client.receive(message);
	}

	/** What the member says of itself. */
	keepStatement({ incarnation, tags = NO_TAGS }: SwimDurable): void {
		this.#put(INCARNATION_KEY, encodeNumber(incarnation));
		if (Buffer.compare(tags, this.#tags) === 0) return;
		if (this.#put(TAGS_KEY, tags) !== null) this.#tags = tags;
	}

	/** As the member has set them last, in this life or a former one. */
	get tags(): Uint8Array {
		return this.#tags;
	}

	/** Whether a change could be kept now. */
	get hasRoom(): boolean {
		return this.#isUsable && this.#client.hasRoom;
	}

	get isUsable(): boolean {
		return this.#isUsable;
	}

	/** `done` hears whether it is durable: later, or at once if it never will be. */
	keepLife(life: number, done: (isKept: boolean) => void): void {
		this.#keep(LIFE_KEY, encodeNumber(life), done);
	}

	/** As {@link keepLife}. The bytes must not change any more. */
	keepValues(values: Uint8Array, done: (isKept: boolean) => void): void {
		this.#keep(VALUES_KEY, values, done);
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

	#keep(key: string, value: Uint8Array, done: (isKept: boolean) => void): void {
		const sequence = this.#put(key, value);
		if (sequence === null) done(false);
		else this.#waiting.push({ sequence, done });
	}

	#durable(through: number): void {
		const durable = this.#waiting.filter(({ sequence }) => sequence <= through);
		this.#waiting = this.#waiting.slice(durable.length);
		for (const { done } of durable) done(true);
	}

	#lose(): void {
		this.#isUsable = false;
		for (const { done } of this.#waiting.splice(0)) done(false);
	}

	/** What can not be written is left, and is null: the member goes on without a memory. */
	#put(key: string, value: Uint8Array): number | null {
		return this.hasRoom ? this.#client.write([{ type: "put", key, value }]) : null;
	}
}

function encodeNumber(number: number): Uint8Array {
	const value = new Uint8Array(NUMBER_BYTES);
	new DataView(value.buffer).setFloat64(0, number);
	return value;
}

function decodeNumber(value: Uint8Array | undefined): number | null {
	if (value?.length !== NUMBER_BYTES) return null;
	const number = new DataView(value.buffer, value.byteOffset).getFloat64(0);
	return Number.isSafeInteger(number) && number >= 0 ? number : null;
}

/** Ids have no blanks. */
function decodeContacts(value: Uint8Array | undefined): NodeId[] {
	return value === undefined ? [] : new TextDecoder().decode(value).split(" ").filter(isNodeId);
}
