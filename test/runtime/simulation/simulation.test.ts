/**
 * Goal: one seed decides a run, and virtual threads live and die as real ones do.
 * Method: small systems on the simulator; traces of whole runs compared; threads killed at chosen points.
 */
import { describe, expect, it } from "vitest";
import { type ActorContext, type ActorRef, ActorSystem, type Behaviour } from "../../../runtime/actor/index.ts";
import { Simulation } from "../../../runtime/simulation/index.ts";

const MODULE = "file:///actors.js";

/** Adds one; fails on request. */
class Adder implements Behaviour<{ x?: number; type?: string }> {
	receive(message: { x?: number; type?: string }, context: ActorContext): void {
		if (message.type === "fail") throw new Error("told to");
		context.reply((message.x ?? 0) + 1);
	}
}

const modules = new Map([[MODULE, { Adder }]]);
const adder = { module: MODULE, export: "Adder" };

async function adders(seed: number): Promise<{ hash: string; sum: number }> {
	const simulation = new Simulation({ seed, modules });
	const system = new ActorSystem(simulation.backend);
	const names = ["a", "b", "c"];
	const refs = await simulation.complete(
		Promise.all(names.map((name) => system.spawn({ name, behaviour: adder, placement: "dedicated" }))),
	);
	let sum = 0;
	for (let round = 0; round < 20; round++) {
		const replies = Promise.all(refs.map((ref) => ref.ask<number>({ type: "add", x: round })));
		for (const reply of await simulation.complete(replies)) sum += reply;
	}
	await simulation.complete(system.stop());
	return { hash: simulation.traceHash, sum };
}

describe("a simulation", () => {
	it("gives the same trace for the same seed, another for another", async () => {
		const first = await adders(1);
		expect(await adders(1)).toEqual(first);
		const other = await adders(2);
		expect(other.sum).toBe(first.sum);
		expect(other.hash).not.toBe(first.hash);
	});

	it("answers an ask at once when the thread dies, and keeps the mailbox for the replacement", async () => {
		const simulation = new Simulation({ seed: 3, modules });
		const system = new ActorSystem(simulation.backend);
		const signals: unknown[] = [];
		let child: ActorRef | null = null;
		const parent: Behaviour = {
			async started(context: ActorContext) {
				child = await context.spawn({ name: "child", behaviour: adder, placement: "dedicated" });
			},
			receive() {},
			async signal(signal, context) {
				signals.push(`${signal.type} ${signal.type === "terminated" ? "" : signal.reason.type}`);
				if (signal.type === "child-failed") signals.push(await context.restart(signal.child));
			},
		};
		await simulation.complete(system.spawn({ name: "parent", behaviour: { local: () => parent } }));
		const ref = child as unknown as ActorRef;
		const { slot } = ref.address;
		const beforeMs = simulation.nowMs;
		const cutOff = ref.ask({ type: "add", x: 1 }, { timeoutMs: 60_000 });
		const killed = system.threads.kill(slot, "killed");
		await expect(simulation.complete(cutOff)).rejects.toMatchObject({ code: "actor-dead" });
		expect(simulation.nowMs - beforeMs).toBeLessThan(100);
		await simulation.complete(killed);
		const waiting = ref.ask<number>({ type: "add", x: 7 }, { timeoutMs: 60_000 });
		await simulation.complete(system.threads.replace(slot));
		expect(await simulation.complete(waiting)).toBe(8);
		await simulation.run({ until: () => signals.length === 2 });
		expect(signals).toEqual(["child-failed lost-with-thread", 1]);
		await simulation.complete(system.stop());
	});
});
