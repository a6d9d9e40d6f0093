/** One life of a participant, as the storage actor knows it. */
import type { ActorRef } from "../actor/ref.ts";
import type { StoreOperation } from "./contract.ts";
import type { StorageNotice } from "./messages.ts";
import type { StorePages } from "./store-pages.ts";

export interface Session {
	readonly store: string;
	/** Given by the actor, from 1; never the same again in its life. */
	readonly number: number;
	readonly client: ActorRef<StorageNotice>;
	/** What is still to be handed out of the contents; null once all is. */
	pages: StorePages | null;
	/** The last write that came in whole. */
	received: number;
	/** Parts of the next write, in order. */
	parts: { operations: StoreOperation[]; sizeBytes: number; count: number };
	/** The last write told to be durable, and the last one that is. */
	told: number;
	durable: number;
	/** False once it is fenced or failed: nothing of it is taken any more. */
	alive: boolean;
}

export function newSession(store: string, number: number, client: ActorRef<StorageNotice>): Session {
	return {
		store,
		number,
		client,
		pages: null,
		received: 0,
		parts: noParts(),
		told: 0,
		durable: 0,
		alive: true,
	};
}

export function noParts(): Session["parts"] {
	return { operations: [], sizeBytes: 0, count: 0 };
}
