/**
 * Goal: groups leave in the order in which their writes came, within both limits, and what is given back, dropped or dead
 * is accounted for. Method: the queue alone, with writes that are only numbers.
 */
import { expect, test } from "vitest";
import { GroupQueue } from "../../../runtime/storage/group-queue.ts";
import { STORAGE_GROUP_BYTES_MAX, STORAGE_GROUP_WRITES_MAX } from "../../../runtime/storage/limits.ts";
import type { Session } from "../../../runtime/storage/session.ts";

const sessionOf = (alive = true): Session => ({ alive }) as Session;
const alone = sessionOf();

function queueOf(sizes: readonly number[], session: Session = alone): GroupQueue {
	const queue = new GroupQueue();
	for (const [at, sizeBytes] of sizes.entries()) add(queue, at + 1, sizeBytes, session);
	return queue;
}

function add(queue: GroupQueue, sequence: number, sizeBytes: number, session: Session = alone): void {
	queue.add({ store: "s", session, sequence, operations: [], sizeBytes });
}

const sequences = (writes: readonly { readonly sequence: number }[]): number[] =>
	writes.map(({ sequence }) => sequence);

test("a group holds what fits in its bytes, but at least one write", () => {
	const queue = queueOf([STORAGE_GROUP_BYTES_MAX + 1, STORAGE_GROUP_BYTES_MAX - 1, 1, 1]);
	expect(sequences(queue.take())).toEqual([1]);
	expect(sequences(queue.take())).toEqual([2, 3]);
	expect(sequences(queue.take())).toEqual([4]);
	expect(queue.take()).toEqual([]);
	expect(queue.sizeBytes).toBe(0);
});

test("a group holds so many writes and no more", () => {
	const queue = queueOf(Array.from({ length: STORAGE_GROUP_WRITES_MAX + 1 }, () => 1));
	expect(queue.take()).toHaveLength(STORAGE_GROUP_WRITES_MAX);
	expect(sequences(queue.take())).toEqual([STORAGE_GROUP_WRITES_MAX + 1]);
});

test("writes that are put back leave first, and are counted", () => {
	const queue = queueOf([10, 20]);
	const group = queue.take();
	add(queue, 3, 5);
	queue.putBack(group);
	expect(queue.sizeBytes).toBe(35);
	expect(queue.firstTicket).toBe(1);
	expect(sequences(queue.take())).toEqual([1, 2, 3]);
	expect(queue.firstTicket).toBe(4);
});

test("a dropped session's writes are gone with their bytes, another's stay", () => {
	const other = sessionOf();
	const queue = queueOf([10, 20]);
	add(queue, 3, 5, other);
	queue.drop(alone);
	expect(queue.sizeBytes).toBe(5);
	expect(sequences(queue.take())).toEqual([3]);
});

test("only a living session without a write is missed", () => {
	const queue = queueOf([1]);
	const misses = (...sessions: readonly Session[]): boolean =>
		queue.misses(new Map(sessions.map((session) => [session, null])));
	expect(misses(alone)).toBe(false);
	expect(misses(alone, sessionOf(false))).toBe(false);
	expect(misses(alone, sessionOf())).toBe(true);
});
