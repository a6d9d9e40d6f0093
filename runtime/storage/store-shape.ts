/**
 * The shape of a store: where its log begins and continues, and which snapshots there are. It is all that is needed
 * to tell a possible operation from an impossible one, so an engine checks a whole group against shapes before it
 * touches a byte: one participant's mistake is refused without harm to the others in its group.
 */
import { assert, assertNever, invalidArgument } from "../../protocols/core/index.ts";
import { STORE_KEY_LENGTH_MAX, STORE_VALUE_BYTES_MAX, type StoreOperation, type StoreWrite } from "./contract.ts";
import { logGap, snapshotGap, valueTooLarge } from "./errors.ts";

export interface StagedSnapshot {
	readonly name: string;
	readonly sizeBytes: number;
	/** Tells the chunks of one staging from those of any other, before or after. */
	readonly generation: number;
}

export interface PublishedSnapshot extends StagedSnapshot {
	readonly description: Uint8Array;
}

export interface StoreShape {
	/** Index of the first record, or of an empty log the lowest index at which it may continue. */
	readonly firstIndex: number;
	/** One past the last record; equal to `firstIndex` when the log is empty. */
	readonly nextIndex: number;
	/** An empty log may continue anywhere from `firstIndex` on: it is fresh, or all of it was compacted. */
	readonly maySkip: boolean;
	readonly staged: StagedSnapshot | null;
	readonly published: PublishedSnapshot | null;
	/** The last generation used. */
	readonly generation: number;
}

export const EMPTY_SHAPE: StoreShape = {
	firstIndex: 1,
	nextIndex: 1,
	maySkip: true,
	staged: null,
	published: null,
	generation: 0,
};

/**
 * Checks a group of writes, in order, and returns the shape of each touched store after it.
 * @throws QuorateError `log-gap`, `snapshot-gap`, `value-too-large`, with the `store`
 */
export function advanceShapes(
	writes: readonly StoreWrite[],
	shapeOf: (store: string) => StoreShape,
): Map<string, StoreShape> {
	const after = new Map<string, StoreShape>();
	for (const write of writes) {
		let shape = after.get(write.store) ?? shapeOf(write.store);
		for (const operation of write.operations) shape = advanceShape(write.store, shape, operation);
		after.set(write.store, shape);
	}
	return after;
}

/**
 * The shape after one operation.
 * @throws QuorateError `log-gap`, `snapshot-gap`, `value-too-large`
 */
export function advanceShape(store: string, shape: StoreShape, operation: StoreOperation): StoreShape {
	switch (operation.type) {
		case "put":
			checkKey("key", operation.key);
			checkSize(store, operation.value);
			return shape;
		case "append":
			return afterAppend(store, shape, operation.firstIndex, operation.records);
		case "truncate-from":
			return afterTruncate(shape, operation.index);
		case "compact-through":
			return afterCompact(shape, operation.index);
		case "stage-snapshot":
			return afterStage(store, shape, operation.name, operation.offset, operation.data);
		case "publish-snapshot":
			return afterPublish(store, shape, operation.name, operation.sizeBytes, operation.description);
		default:
			return assertNever(operation, "store operation");
	}
}

function afterAppend(store: string, shape: StoreShape, firstIndex: number, records: readonly Uint8Array[]): StoreShape {
	const empty = shape.firstIndex === shape.nextIndex;
	const continues = firstIndex === shape.nextIndex || (empty && shape.maySkip && firstIndex > shape.nextIndex);
	if (!continues || !Number.isSafeInteger(firstIndex)) {
		throw logGap({ store, expected: shape.nextIndex, found: firstIndex });
	}
	if (records.length === 0) return shape;
	for (const record of records) checkSize(store, record);
	const { staged, published, generation } = shape;
	return {
		firstIndex: empty ? firstIndex : shape.firstIndex,
		nextIndex: firstIndex + records.length,
		maySkip: false,
		staged,
		published,
		generation,
	};
}

function afterTruncate(shape: StoreShape, index: number): StoreShape {
	assert(Number.isSafeInteger(index), "an index is a safe integer");
	if (index >= shape.nextIndex) return shape;
	return { ...shape, nextIndex: Math.max(index, shape.firstIndex) };
}

function afterCompact(shape: StoreShape, index: number): StoreShape {
	assert(Number.isSafeInteger(index), "an index is a safe integer");
	if (index < shape.firstIndex) return shape;
	if (index + 1 < shape.nextIndex) return { ...shape, firstIndex: index + 1 };
	return { ...shape, firstIndex: index + 1, nextIndex: index + 1, maySkip: true };
}

function afterStage(store: string, shape: StoreShape, name: string, offset: number, data: Uint8Array): StoreShape {
	checkKey("snapshot name", name);
	checkSize(store, data);
	if (offset === 0) {
		const generation = shape.generation + 1;
		return { ...shape, generation, staged: { name, generation, sizeBytes: data.length } };
	}
	const { staged } = shape;
	if (staged === null || staged.name !== name) {
		throw snapshotGap({ store, name, problem: `a chunk at ${offset}, but its beginning is not staged` });
	}
	if (staged.sizeBytes !== offset) {
		throw snapshotGap({ store, name, problem: `a chunk at ${offset}, but ${staged.sizeBytes} bytes are staged` });
	}
	return { ...shape, staged: { ...staged, sizeBytes: offset + data.length } };
}

function afterPublish(
	store: string,
	shape: StoreShape,
	name: string,
	sizeBytes: number,
	description: Uint8Array,
): StoreShape {
	checkSize(store, description);
	const { staged } = shape;
	if (staged === null || staged.name !== name) {
		throw snapshotGap({ store, name, problem: "it is published, but not staged" });
	}
	if (staged.sizeBytes !== sizeBytes) {
		const problem = `it is published with ${sizeBytes} bytes, but ${staged.sizeBytes} are staged`;
		throw snapshotGap({ store, name, problem });
	}
	return { ...shape, staged: null, published: { ...staged, description: description.slice() } };
}

function checkSize(store: string, bytes: Uint8Array): void {
	if (bytes.length > STORE_VALUE_BYTES_MAX) {
		throw valueTooLarge({ store, sizeBytes: bytes.length, limitBytes: STORE_VALUE_BYTES_MAX });
	}
}

function checkKey(what: string, key: string): void {
	assert(key.length >= 1 && key.length <= STORE_KEY_LENGTH_MAX, `a ${what} has 1 to 128 characters`, { key });
}

const storeNamePattern = /^[A-Za-z0-9._/-]+$/;

/**
 * Checks the name of a store.
 * @throws QuorateError `invalid-argument`
 */
export function checkStoreName(store: string): void {
	if (store.length > STORE_KEY_LENGTH_MAX || !storeNamePattern.test(store)) {
		throw invalidArgument({
			argument: "store name",
			expected: `1 to ${STORE_KEY_LENGTH_MAX} characters of A-Z a-z 0-9 . _ / -`,
			actual: store.slice(0, STORE_KEY_LENGTH_MAX),
		});
	}
}
