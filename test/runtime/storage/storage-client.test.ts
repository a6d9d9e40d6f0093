/**
 * Goal: who opens its store while the lane to the storage is full waits for room, within a bound: failing at once, a participant was
 * started again until its supervisor gave it up, and the swarm with it (`quorate simulate --seed 11`, of 26 November 2026). Writes are
 * handed over when all of them are with the storage's thread, not before.
 * Method: a client with a storage and a clock of the test's.
 */
import { expect, it } from "vitest";
import { QuorateError } from "../../../protocols/core/index.ts";
import type { ActorContext } from "../../../runtime/actor/behaviour.ts";
import type { ActorRef } from "../../../runtime/actor/ref.ts";
import { STORAGE_ASK_ATTEMPTS_MAX, STORAGE_ASK_RETRY_MS } from "../../../runtime/storage/limits.ts";
import { StorageClient } from "../../../runtime/storage/storage-client.ts";
import { StorePages } from "../../../runtime/storage/store-pages.ts";

/** A client whose storage refuses the first asks with this code; and the pauses that it makes. */
function clientOf(refusals: number, code = "mailbox-full") {
	const pauses: number[] = [];
	let asks = 0;
	const contents = { values: new Map(), snapshot: null, firstIndex: 1, records: [] };
	const ref = {
		speaking: () => ref,
		ask: async () => {
			asks += 1;
			if (asks <= refusals) throw new QuorateError(code, "refused", {});
			return new StorePages(contents, 7).next();
		},
	};
	const clock = {
		schedule: (ms: number, run: () => void) => {
			pauses.push(ms);
			queueMicrotask(run);
		},
	};
	const handlers = { durable: () => undefined, failed: () => undefined };
	const context = { clock } as unknown as ActorContext;
	const client = new StorageClient(context, ref as unknown as ActorRef, "s", handlers);
	return { client, pauses, asks: () => asks };
}

it("asks again after a pause when the lane was full, and then has its store", async () => {
	const { client, pauses, asks } = clientOf(3);
	expect(await client.open()).toMatchObject({ firstIndex: 1, records: [] });
	expect([asks(), pauses]).toEqual([4, Array.from({ length: 3 }, () => STORAGE_ASK_RETRY_MS)]);
});

it("gives up after so many times, and at once for any other reason", async () => {
	const full = clientOf(Number.POSITIVE_INFINITY);
	await expect(full.client.open()).rejects.toMatchObject({ code: "mailbox-full" });
	expect(full.asks()).toBe(STORAGE_ASK_ATTEMPTS_MAX);
	const dead = clientOf(1, "actor-dead");
	await expect(dead.client.open()).rejects.toMatchObject({ code: "actor-dead" });
	expect(dead.asks()).toBe(1);
});

it("has handed its writes over when none waits here and the lane has them all", async () => {
	let verdict = "ok";
	let isThrough = true;
	const retries: (() => void)[] = [];
	const told: unknown[] = [];
	const ref = {
		speaking: () => ref,
		ask: async () => new StorePages({ values: new Map(), snapshot: null, firstIndex: 1, records: [] }, 7).next(),
		tell: (message: unknown) => {
			if (verdict === "ok") told.push(message);
			return verdict;
		},
		handOver: () => isThrough,
	};
	const timers = { run: (_key: string, _ms: number, run: () => void) => void retries.push(run) };
	const handlers = { durable: () => undefined, failed: () => undefined };
	const client = new StorageClient({ timers } as unknown as ActorContext, ref as unknown as ActorRef, "s", handlers);
	await client.open();
	const write = (): number => client.write([{ type: "put", key: "k", value: new Uint8Array(1) }]);
	write();
	expect(client.handOver()).toBe(true);
	isThrough = false;
	expect(client.handOver()).toBe(false);
	isThrough = true;
	verdict = "full";
	write();
	expect(client.handOver()).toBe(false);
	verdict = "ok";
	retries.pop()?.();
	expect([client.handOver(), told.length]).toEqual([true, 2]);
});
