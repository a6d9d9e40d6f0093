/** What a store is, told with a map and a sparse array and nothing else; and random histories for it. */
import fc from "fast-check";
import type { StoreContents, StoreOperation } from "../../../runtime/storage/contract.ts";

export class StoreModel {
	#values: Map<string, Uint8Array> = new Map();
	#log: Map<number, Uint8Array> = new Map();
	/** Where the log continues, and whether it may skip. */
	#next = 1;
	#skip = true;
	#staged: { name: string; bytes: Uint8Array } | null = null;
	snapshot: { name: string; bytes: Uint8Array; description: Uint8Array } | null = null;

	/** Performs a write, or leaves everything as it was and says false. */
	write(operations: readonly StoreOperation[]): boolean {
		const { snapshot } = this;
		const before = [new Map(this.#values), new Map(this.#log), this.#next, this.#skip, this.#staged] as const;
		if (operations.every((operation) => this.#perform(operation))) return true;
		[this.#values, this.#log, this.#next, this.#skip, this.#staged] = before;
		this.snapshot = snapshot;
		return false;
	}

	#perform(operation: StoreOperation): boolean {
		switch (operation.type) {
			case "put":
				this.#values.set(operation.key, operation.value);
				return true;
			case "append": {
				const skips = this.#log.size === 0 && this.#skip && operation.firstIndex > this.#next;
				if (operation.firstIndex !== this.#next && !skips) return false;
				for (const [i, record] of operation.records.entries()) {
					this.#log.set(operation.firstIndex + i, record);
					this.#next = operation.firstIndex + i + 1;
					this.#skip = false;
				}
				return true;
			}
			case "truncate-from":
				for (const index of [...this.#log.keys()].filter((key) => key >= operation.index).sort((a, b) => b - a)) {
					this.#log.delete(index);
					this.#next = index;
				}
				return true;
			case "compact-through": {
				const covered = [...this.#log.keys()].filter((index) => index <= operation.index);
				for (const index of covered) this.#log.delete(index);
				if (this.#log.size === 0 && operation.index >= this.#next - covered.length) {
					this.#next = Math.max(this.#next, operation.index + 1);
					this.#skip = true;
				}
				return true;
			}
			case "stage-snapshot": {
				const { name, offset, data } = operation;
				if (offset === 0) this.#staged = { name, bytes: data };
				else if (this.#staged?.name !== name || this.#staged.bytes.length !== offset) return false;
				else this.#staged = { name, bytes: Uint8Array.from([...this.#staged.bytes, ...data]) };
				return true;
			}
			case "publish-snapshot": {
				const { name, sizeBytes, description } = operation;
				if (this.#staged?.name !== name || this.#staged.bytes.length !== sizeBytes) return false;
				this.snapshot = { name, bytes: this.#staged.bytes, description };
				this.#staged = null;
				return true;
			}
		}
	}

	contents(): StoreContents {
		const { snapshot } = this;
		const indices = [...this.#log.keys()].sort((a, b) => a - b);
		return {
			values: this.#values,
			snapshot:
				snapshot === null
					? null
					: { name: snapshot.name, sizeBytes: snapshot.bytes.length, description: snapshot.description },
			firstIndex: indices[0] ?? this.#next,
			records: indices.map((index) => this.#log.get(index) ?? new Uint8Array(0)),
		};
	}
}

const bytes = fc.uint8Array({ maxLength: 12 });
const index = fc.integer({ min: 1, max: 12 });
const snapshotName = fc.constantFrom("x", "y");
const operation: fc.Arbitrary<StoreOperation> = fc.oneof(
	fc.record({ type: fc.constant("put" as const), key: fc.constantFrom("term", "vote", "ключ"), value: bytes }),
	{
		weight: 4,
		arbitrary: fc.record({
			type: fc.constant("append" as const),
			firstIndex: index,
			records: fc.array(bytes, { maxLength: 4 }),
		}),
	},
	fc.record({ type: fc.constant("truncate-from" as const), index }),
	fc.record({ type: fc.constant("compact-through" as const), index }),
	fc.record({
		type: fc.constant("stage-snapshot" as const),
		name: snapshotName,
		offset: fc.constantFrom(0, 0, 3, 6),
		data: fc.uint8Array({ minLength: 3, maxLength: 3 }),
	}),
	fc.record({
		type: fc.constant("publish-snapshot" as const),
		name: snapshotName,
		sizeBytes: fc.constantFrom(3, 3, 6),
		description: bytes,
	}),
);

/** Writes and reopenings in turn. */
export const histories: fc.Arbitrary<("reopen" | StoreOperation[])[]> = fc.array(
	fc.oneof(
		{ weight: 5, arbitrary: fc.array(operation, { minLength: 1, maxLength: 4 }) },
		{ weight: 1, arbitrary: fc.constant("reopen" as const) },
	),
	{ maxLength: 12 },
);
