/**
 * Goal: changes that wait for nobody and reads in the order of a log, of the same values (CRDT-22: an update is ordered, CRDT-23: an optimistic
 * read is local, CRDT-24: a strong read sees all that was acknowledged, CRDT-25: both are reconciled). It fails when a strong read
 * misses something acknowledged, an update is lost with an outage, or two ordered commands both take the last one of something.
 * Method: the application of the log itself, twice: what one decides the other one replays, and restores; a client in memory with outages.
 */
import { describe, expect, it } from "vitest";
import { CRDTConsensusIntegrator, type OrderedClient } from "../../../actors/crdt-synchronizer/index.ts";
import { Generator, QuorateError } from "../../../protocols/core/index.ts";
import { type DocumentSchema, type OrderedCommand, OrderedDocument } from "../../../protocols/crdt/index.ts";

const schema: DocumentSchema = { stock: "pn-counter", text: "text", owner: "lww-register", tags: "add-wins-set" };
const take = [{ type: "decrement", path: ["stock"], amount: 1 }] as const;

/** A log of one process. */
class Log implements OrderedClient {
	readonly application = new OrderedDocument({ schema });
	readonly commands: OrderedCommand[] = [];
	isDown = false;
	/** The next so many commands are decided, and nobody hears of it. */
	silent = 0;

	async propose(command: OrderedCommand): Promise<unknown> {
		if (this.isDown) throw new QuorateError("no-leader", "nobody leads", {});
		this.commands.push(command);
		const result = this.application.apply(command, { index: this.commands.length, term: 1 });
		if (this.silent === 0) return result;
		this.silent -= 1;
		throw new QuorateError("outcome-unknown", "nobody knows", {});
	}

	async read(query: Parameters<OrderedClient["read"]>[0]): Promise<unknown> {
		if (this.isDown) throw new QuorateError("no-leader", "nobody leads", {});
		return this.application.query(query);
	}
}

function integrators(log: Log, count: number): CRDTConsensusIntegrator[] {
	return Array.from(
		{ length: count },
		(_unused, i) => new CRDTConsensusIntegrator(`n${i}`, schema, log, { incarnation: 0 }),
	);
}

function add(amount: number): Parameters<CRDTConsensusIntegrator["hybridUpdate"]>[0] {
	return [{ type: "increment", path: ["stock"], amount }];
}

describe("a hybrid update", () => {
	it("is here at once and, when it is decided, in every strong read (CRDT-22, CRDT-23, CRDT-24)", async () => {
		const log = new Log();
		const [a, b] = integrators(log, 2);
		const updating = a!.hybridUpdate(add(3));
		expect(a!.optimisticRead("stock")).toBe(3);
		expect(await updating).toEqual({ success: true, index: 1, value: expect.objectContaining({ stock: 3 }) as never });
		expect(b!.optimisticRead("stock")).toBe(0);
		expect(await b!.strongRead("stock")).toBe(3);
		expect(b!.optimisticRead("stock")).toBe(3);
	});

	it("that can not be decided now stays here, and is decided with the next that can (CRDT-25)", async () => {
		const log = new Log();
		const [a, b] = integrators(log, 2);
		log.isDown = true;
		expect(await a!.hybridUpdate(add(1))).toMatchObject({
			success: false,
			error: { code: "no-leader" },
			value: { stock: 1 },
		});
		await a!.hybridUpdate(add(2));
		expect(a!.unordered).toBe(2);
		await expect(a!.strongRead("stock")).rejects.toMatchObject({ code: "no-leader" });
		log.isDown = false;
		expect(await b!.strongRead("stock")).toBe(0);
		expect(await a!.strongRead("stock")).toBe(3);
		expect(a!.unordered).toBe(0);
		expect(await b!.strongRead("stock")).toBe(3);
	});

	it("whose outcome is not known is proposed again, and counts once", async () => {
		const log = new Log();
		const [a] = integrators(log, 1);
		log.silent = 1;
		expect((await a!.hybridUpdate(add(5))).success).toBe(false);
		expect(await a!.strongRead("stock")).toBe(5);
		expect(log.commands).toHaveLength(2);
	});
});

describe("an ordered update", () => {
	it("is done for one of two who want the last one of something", async () => {
		const log = new Log();
		const [a, b] = integrators(log, 2);
		await a!.hybridUpdate(add(1));
		await b!.reconcile();
		// Each of them has one, as far as it knows.
		expect([a!.optimisticRead("stock"), b!.optimisticRead("stock")]).toEqual([1, 1]);
		const requires = { path: ["stock"], atLeast: 1 };
		const outcomes = await Promise.all([a!.orderedUpdate(take, requires), b!.orderedUpdate(take, requires)]);
		expect(outcomes.map(({ type }) => type).sort()).toEqual(["done", "unmet"]);
		expect(await a!.strongRead("stock")).toBe(0);
	});

	it("is refused as a whole when a part of it can not be done", async () => {
		const log = new Log();
		const [a] = integrators(log, 1);
		const bad = [...add(1), { type: "delete", path: ["text"], position: 4, count: 1 }] as const;
		await expect(a!.orderedUpdate(bad)).rejects.toMatchObject({ code: "crdt-position-out-of-range" });
		expect(await a!.strongRead("stock")).toBe(0);
		await expect(a!.strongRead("nothing")).rejects.toMatchObject({ code: "crdt-container-unknown" });
	});
});

describe("reconciliation", () => {
	it("tells what was gained and how far it is ahead, and merges both sides (CRDT-25)", async () => {
		const log = new Log();
		const [a, b] = integrators(log, 2);
		await b!.hybridUpdate([{ type: "insert", path: ["text"], position: 0, content: "b" }]);
		const heard: unknown[] = [];
		a!.reconciled$.subscribe((reconciled) => heard.push(reconciled));
		log.isDown = true;
		await a!.hybridUpdate([{ type: "insert", path: ["text"], position: 0, content: "aa" }]);
		log.isDown = false;
		expect(await a!.reconcile()).toEqual({ gained: true, ahead: 2 });
		expect(heard).toEqual([{ gained: true, ahead: 2 }]);
		expect(String(a!.optimisticRead("text")).split("").sort().join("")).toBe("aab");
		// What is decided does not have it yet.
		expect(log.application.query({ context: new Uint8Array([0]), path: ["text"] }).value).toBe("b");
	});

	it("comes to one state at all, whatever was updated where and when the log was down; a replayed and a restored log have it too", async () => {
		const log = new Log();
		const all = integrators(log, 4);
		const draw = new Generator(3, "hybrid");
		for (let i = 0; i < 120; i++) {
			const one = draw.pick(all);
			log.isDown = draw.below(3) === 0;
			log.silent = draw.below(5) === 0 ? 1 : 0;
			const length = String(one.optimisticRead("text")).length;
			await one.hybridUpdate([
				{ type: "insert", path: ["text"], position: draw.below(length + 1), content: `${i}` },
				{ type: "write", path: ["owner"], value: `w${i}` },
				{ type: draw.below(2) === 0 ? "add" : "remove", path: ["tags"], value: draw.below(4) },
			]);
		}
		log.isDown = false;
		log.silent = 0;
		for (const one of all) await one.strongRead("text");
		for (const one of all) await one.reconcile();
		const views = all.map((one) => ["text", "owner", "tags"].map((part) => one.optimisticRead(part)));
		for (const view of views) expect(view).toEqual(views[0]);
		const lengths = Array.from({ length: 120 }, (_unused, i) => `${i}`.length);
		expect(views[0]![0]).toHaveLength(lengths.reduce((sum, length) => sum + length));
		const replayed = new OrderedDocument({ schema });
		for (const [at, command] of log.commands.entries()) replayed.apply(command, { index: at + 1, term: 9 });
		expect(replayed.takeSnapshot()).toEqual(log.application.takeSnapshot());
		const half = new OrderedDocument({ schema });
		for (const [at, command] of log.commands.slice(0, 40).entries()) half.apply(command, { index: at + 1, term: 9 });
		const restored = new OrderedDocument({ schema });
		restored.restoreSnapshot(half.takeSnapshot());
		const { context } = half.query({ context: new Uint8Array([0]) });
		for (const [at, command] of log.commands.entries())
			if (at >= 40) restored.apply(command, { index: at + 1, term: 9 });
		// A client of a Byzantine group believes what f + 1 members answer alike, byte for byte, whenever each was restored (BYZ-25).
		for (const known of [new Uint8Array([0]), context])
			expect(restored.query({ context: known })).toEqual(replayed.query({ context: known }));
		const more: OrderedCommand = { type: "perform", commands: [{ type: "write", path: ["owner"], value: "last" }] };
		for (const one of [replayed, restored]) one.apply(more, { index: 500, term: 9 });
		expect(restored.takeSnapshot()).toEqual(replayed.takeSnapshot());
		// The log's own write comes after everything that was merged before it.
		expect(restored.query({ context: new Uint8Array([0]), path: ["owner"] }).value).toBe("last");
	});
});
