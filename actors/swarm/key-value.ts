/**
 * The application that a group runs when it is given none: a key-value store. Values are plain data. Commands never
 * throw; what can not be done is a result with `error`.
 */
import { isDeepStrictEqual } from "node:util";
import type { Application } from "../../protocols/core/index.ts";

export type KeyValueCommand =
	/** Sets the value; the result is the former one. */
	| { readonly type: "put"; readonly key: string; readonly value: unknown }
	/** Reads through the log; cheaper as a query. */
	| { readonly type: "get"; readonly key: string }
	/** Removes the value; the result is the former one. */
	| { readonly type: "delete"; readonly key: string }
	/** Sets the value if the present one equals `expected` (null: there is none). */
	| { readonly type: "cas"; readonly key: string; readonly expected: unknown; readonly value: unknown }
	/** Adds a value to the end of the list under the key; a missing one is empty. */
	| { readonly type: "append"; readonly key: string; readonly value: unknown };

export type KeyValueResult =
	/** Of put, get and delete: the value that was there, null if none. */
	| { readonly value: unknown }
	/** Of cas: whether it was set, and what was there. */
	| { readonly swapped: boolean; readonly value: unknown }
	/** Of append: the list's new length. */
	| { readonly length: number }
	| { readonly error: "unknown-command" | "not-a-list" };

export type KeyValueQuery =
	| { readonly type: "get"; readonly key: string }
	| { readonly type: "size" }
	| { readonly type: "keys"; readonly prefix?: string };

export type KeyValueAnswer =
	| { readonly value: unknown }
	| { readonly size: number }
	| { readonly keys: readonly string[] }
	| { readonly error: "unknown-query" };

/** Keys and values, in the order of their first put. */
export type KeyValueSnapshot = readonly (readonly [string, unknown])[];

/** A replicated map. */
export class KeyValueStore
	implements Application<KeyValueCommand, KeyValueResult, KeyValueQuery, KeyValueAnswer, KeyValueSnapshot>
{
	#values = new Map<string, unknown>();

	apply(command: KeyValueCommand): KeyValueResult {
		const present = this.#values.get(command?.key) ?? null;
		switch (command?.type) {
			case "put":
				this.#values.set(command.key, command.value);
				return { value: present };
			case "get":
				return { value: present };
			case "delete":
				this.#values.delete(command.key);
				return { value: present };
			case "cas":
				if (!isDeepStrictEqual(present, command.expected)) return { swapped: false, value: present };
				this.#values.set(command.key, command.value);
				return { swapped: true, value: present };
			case "append":
				return this.#append(command.key, command.value);
			default:
				return { error: "unknown-command" };
		}
	}

	#append(key: string, value: unknown): KeyValueResult {
		const list = this.#values.get(key) ?? [];
		if (!Array.isArray(list)) return { error: "not-a-list" };
		list.push(value);
		this.#values.set(key, list);
		return { length: list.length };
	}

	query(query: KeyValueQuery): KeyValueAnswer {
		switch (query?.type) {
			case "get":
				return { value: this.#values.get(query.key) ?? null };
			case "size":
				return { size: this.#values.size };
			case "keys": {
				const prefix = query.prefix ?? "";
				return { keys: [...this.#values.keys()].filter((key) => key.startsWith(prefix)) };
			}
			default:
				return { error: "unknown-query" };
		}
	}

	takeSnapshot(): KeyValueSnapshot {
		// Lists are the only values that change in place.
		return [...this.#values].map(([key, value]) => [key, Array.isArray(value) ? [...value] : value] as const);
	}

	restoreSnapshot(snapshot: KeyValueSnapshot): void {
		this.#values = new Map(snapshot.map(([key, value]) => [key, value]));
	}
}

/** Where this module is, for an `ApplicationSource`. */
export const keyValueModule: string = import.meta.url;
