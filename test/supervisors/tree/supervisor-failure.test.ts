/**
 * Goal: a supervisor that fails just when it is needed is restarted by its own supervisor, and its children live again.
 * Method: three levels in virtual time; a worker fails, and a fault makes its supervisor fail at that very signal. Without
 * the fault the supervisor stays the same.
 */
import { expect, it } from "vitest";
import { type ActorRef, ActorSystem } from "../../../runtime/actor/index.ts";
import { Simulation } from "../../../runtime/simulation/index.ts";
import { supervisorActor, ThreadSupervisor } from "../../../supervisors/index.ts";

const MODULE = "file:///simulated/frail.js";

class Frail {
	receive(message: string, context: { reply(value: unknown): void }): void {
		if (message === "fail") throw new Error("told to");
		context.reply("alive");
	}
}

it.each([true, false])("comes back, and its children with it (fault: %s)", async (isFaulty) => {
	const simulation = new Simulation({ seed: 4, modules: new Map([[MODULE, { Frail }]]) });
	const system = new ActorSystem(simulation.backend);
	const restarted: string[] = [];
	system.events$.subscribe((event) => {
		if (event.type === "child-restarted") restarted.push(String((event as { readonly child?: unknown }).child));
	});
	const children = ["one", "two"].map((id) => ({
		id,
		start: { name: id, behaviour: { module: MODULE, export: "Frail" }, placement: "dedicated" as const },
	}));
	const inner = { id: "inner", start: supervisorActor({ name: "inner", children }) };
	await simulation.complete(system.spawn(supervisorActor({ name: "outer", children: [inner] })));
	const find = async (name: string): Promise<ActorRef> =>
		(await simulation.complete(system.lookup(name))) ?? expect.fail(`${name} lives`);
	const { actor } = (await find("inner")).address;
	if (isFaulty) simulation.processes.add({ kind: "fail-actor", thread: "main", actor });
	(await find("one")).tell("fail");
	await simulation.run({ untilMs: simulation.nowMs + 2_000 });
	for (const name of ["one", "two"]) {
		expect(await simulation.complete((await find(name)).ask("hello"))).toBe("alive");
	}
	expect(simulation.processes.counts.get("fail-actor")).toBe(isFaulty ? 1 : undefined);
	expect(restarted.includes("inner")).toBe(isFaulty);
	expect(simulation.processes.active).toEqual([]);
	await simulation.complete(system.stop());
});

it("leaves no thread behind: not even that of a child which was being replaced when its supervisor failed", async () => {
	const simulation = new Simulation({ seed: 4, modules: new Map([[MODULE, { Frail }]]) });
	const system = new ActorSystem(simulation.backend);
	const threads = new ThreadSupervisor({
		threads: simulation.threads,
		clock: simulation.clock,
		generator: simulation.generator("threads"),
		publish: () => undefined,
	});
	threads.start();
	const children = ["one", "two"].map((id) => ({
		id,
		start: { name: id, behaviour: { module: MODULE, export: "Frail" }, placement: "dedicated" as const },
	}));
	const inner = { id: "inner", start: supervisorActor({ name: "inner", children }) };
	await simulation.complete(system.spawn(supervisorActor({ name: "outer", children: [inner] })));
	const supervisor = (await simulation.complete(system.lookup("inner"))) ?? expect.fail("inner lives");
	simulation.processes.add({ kind: "fail-actor", thread: "main", actor: supervisor.address.actor });
	simulation.processes.add({ kind: "kill", thread: "one" });
	await simulation.run({ untilMs: simulation.nowMs + 2_000 });
	const running = simulation.threads.status().map(({ spec, state }) => `${spec.name} ${state}`);
	expect(running.sort()).toEqual(["main running", "one running", "two running"]);
	threads.stop();
	await simulation.complete(system.stop());
});
