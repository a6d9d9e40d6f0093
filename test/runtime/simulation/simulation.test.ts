/**
 * Goal: one seed decides a run, and virtual threads live and die as real ones do.
 * Method: small systems on the simulator; traces of whole runs compared; threads killed at chosen points.
 */
import { describe, expect, it } from "vitest";
import {
	type ActorContext,
	type ActorRef,
	type ActorSpec,
	ActorSystem,
	type Address,
	type Behaviour,
	type Placement,
	type Signal,
	type ThreadEvent,
	type ThreadSlot,
} from "../../../runtime/actor/index.ts";
import { REDELIVERIES_MAX, Simulation, type SimulationOptions } from "../../../runtime/simulation/index.ts";

const MODULE = "file:///actors.js";

/** Adds one; fails on request. */
class Adder implements Behaviour<{ x?: number; type?: string }> {
	receive(message: { x?: number; type?: string }, context: ActorContext): void {
		if (message.type === "fail") throw new Error("told to");
		context.reply((message.x ?? 0) + 1);
	}
}

/** Publishes what it handles, and how often that was interrupted before. */
class Publisher implements Behaviour<{ readonly type: string }> {
	receive(message: { readonly type: string }, context: ActorContext): void {
		context.publish({ type: "handled", message: message.type, redelivered: context.redelivered } as {
			readonly type: string;
		});
	}
}

/** Draws a number when asked. */
class Drawer implements Behaviour {
	receive(_message: unknown, context: ActorContext): void {
		context.reply(context.generator.uint32());
	}
}

const modules = new Map([[MODULE, { Adder, Publisher, Drawer }]]);
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

/** A thread that dies in the middle of a restart rejects it: the parent tries again, as a supervisor would. */
async function restartUntilAlive(context: ActorContext, child: ActorRef): Promise<void> {
	for (;;) {
		try {
			await context.restart(child);
			return;
		} catch (error) {
			if ((error as { code?: string }).code !== "thread-died") throw error;
		}
	}
}

/** Brings a dead thread back, unless its slot is given back meanwhile. */
function replace(system: ActorSystem, slot: ThreadSlot): void {
	system.threads.replace(slot).catch((error: { code?: string }) => {
		if (error.code !== "thread-not-running") throw error;
	});
}

/** A world with a parent on the main thread that restarts its one child, and a keeper that replaces dead threads. */
async function world(
	exported: "Adder" | "Publisher",
	placement: Placement,
	options: Partial<SimulationOptions> = {},
): Promise<{
	simulation: Simulation;
	system: ActorSystem;
	child: ActorRef;
	/** Owns the ref: what is told by it comes from the parent. */
	parent: Address;
	signals: Signal[];
	handled: string[];
	ended: Extract<ThreadEvent, { type: "thread-ended" }>[];
}> {
	const simulation = new Simulation({ seed: 5, modules, ...options });
	const system = new ActorSystem(simulation.backend);
	const signals: Signal[] = [];
	const handled: string[] = [];
	const ended: Extract<ThreadEvent, { type: "thread-ended" }>[] = [];
	system.events$.subscribe((event) => {
		if (event.type !== "handled") return;
		const { message, redelivered } = event as unknown as { message: string; redelivered: number };
		handled.push(redelivered === 0 ? message : `${message} (${redelivered})`);
	});
	system.threads.observe((event) => {
		if (event.type !== "thread-ended" || event.end.cause === "stopped") return;
		ended.push(event);
		replace(system, event.slot);
	});
	let child: ActorRef | null = null;
	const parent: Behaviour = {
		async started(context) {
			child = await context.spawn({ name: "child", behaviour: { module: MODULE, export: exported }, placement });
		},
		receive() {},
		async signal(signal, context) {
			signals.push(signal);
			if (signal.type === "child-failed") await restartUntilAlive(context, signal.child);
		},
	};
	const spawned = await simulation.complete(system.spawn({ name: "parent", behaviour: { local: () => parent } }));
	return { simulation, system, child: child as unknown as ActorRef, parent: spawned.address, signals, handled, ended };
}

const tellTypes = (ref: ActorRef, ...types: string[]): void => {
	for (const type of types) expect(ref.tell({ type })).toBe("ok");
};

describe("a thread that dies at work", () => {
	it("on a dedicated thread names the message, and delivers it again, marked", async () => {
		const { simulation, system, child, parent, signals, handled, ended } = await world("Publisher", "dedicated");
		let deaths = 0;
		simulation.killRule = ({ phase, messageType }) => {
			if (phase !== "before" || messageType !== "poison" || deaths === 2) return null;
			deaths += 1;
			return "crashed";
		};
		tellTypes(child, "one");
		await simulation.run({ until: () => handled.length === 1 });
		tellTypes(child, "poison", "two");
		await simulation.run({ until: () => handled.length === 3 });
		expect(handled).toEqual(["one", "poison (2)", "two"]);
		expect(ended.map(({ interrupted }) => interrupted)).toEqual(
			[1, 2].map((deliveries) => ({
				actor: child.address.actor,
				message: { messageType: "poison", sender: parent, deliveries },
			})),
		);
		expect(signals[0]?.reason).toMatchObject({
			type: "lost-with-thread",
			interrupted: { messageType: "poison", deliveries: 1 },
		});
		await simulation.complete(system.stop());
	});

	it("too often by one message, gives that message up", async () => {
		const { simulation, system, child, handled, ended } = await world("Publisher", "dedicated");
		simulation.killRule = ({ phase, messageType }) =>
			phase === "before" && messageType === "poison" ? "crashed" : null;
		tellTypes(child, "one");
		await simulation.run({ until: () => handled.length === 1 });
		tellTypes(child, "poison", "two");
		await simulation.run({ until: () => handled.length === 2 });
		expect(handled).toEqual(["one", "two"]);
		expect(ended.length).toBe(REDELIVERIES_MAX + 1);
		expect(system.deadLetters.counts.get("quarantined")).toBe(1);
		const asked = child.ask({ type: "poison" }, { timeoutMs: 10_000 });
		await expect(simulation.complete(asked)).rejects.toMatchObject({ code: "actor-dead" });
		await simulation.run({ until: () => system.deadLetters.counts.get("quarantined") === 2 });
		expect(ended.length).toBe(2 * (REDELIVERIES_MAX + 1));
		await simulation.complete(system.stop());
	});

	it("by lack of memory never sees that message again", async () => {
		const { simulation, system, child, handled, ended } = await world("Publisher", "dedicated");
		simulation.killRule = ({ phase, messageType }) =>
			phase === "before" && messageType === "large" ? "out-of-memory" : null;
		tellTypes(child, "large", "two");
		await simulation.run({ until: () => handled.length === 1 });
		expect(handled).toEqual(["two"]);
		expect(ended.length).toBe(1);
		expect(system.deadLetters.counts.get("quarantined")).toBe(1);
		await simulation.complete(system.stop());
	});

	it("after its work has published it or lost it: at most once more, never silently", async () => {
		const { simulation, system, child, handled } = await world("Publisher", "dedicated");
		let deaths = 0;
		simulation.killRule = ({ phase, messageType }) => {
			if (phase !== "after" || messageType !== "work" || deaths === 1) return null;
			deaths += 1;
			return "crashed";
		};
		tellTypes(child, "work", "two");
		await simulation.run({ until: () => handled.includes("two") });
		// What was not flushed died with the thread; the message came again.
		expect(handled).toEqual(["work (1)", "two"]);
		await simulation.complete(system.stop());
	});

	it("when shared loses and counts the private mailboxes", async () => {
		const { simulation, system, child, handled, ended } = await world("Publisher", "shared");
		let deaths = 0;
		simulation.killRule = ({ phase, messageType }) => {
			if (phase !== "before" || messageType !== "poison" || deaths === 1) return null;
			deaths += 1;
			return "crashed";
		};
		tellTypes(child, "one", "poison", "two", "three");
		await simulation.run({ until: () => ended.length === 1 });
		tellTypes(child, "four");
		await simulation.run({ until: () => handled.includes("four") });
		expect(ended[0]?.interrupted?.message.messageType).toBe("poison");
		expect(system.deadLetters.counts.get("lost-with-thread")).toBe(2);
		await simulation.complete(system.stop());
	});
});

describe("lanes", () => {
	it("are full at their capacity, and tellWhenReady waits for room", async () => {
		const { simulation, system, child, handled } = await world("Publisher", "dedicated", { laneCapacity: 4 });
		const verdicts = Array.from({ length: 6 }, (_, i) => child.tell({ type: `m${i}` }));
		expect(verdicts).toEqual(["ok", "ok", "ok", "ok", "full", "full"]);
		const waiting = Array.from({ length: 20 }, (_, i) => child.tellWhenReady({ type: `w${i}` }));
		await simulation.complete(Promise.all(waiting));
		await simulation.run({ until: () => handled.length === 24 });
		expect(handled).toEqual([...[0, 1, 2, 3].map((i) => `m${i}`), ...waiting.map((_, i) => `w${i}`)]);
		await simulation.complete(system.stop());
	});

	it("refuse what is too large", async () => {
		const { simulation, system, child } = await world("Publisher", "dedicated", {
			codec: { layouts: [], records: [], messageBytesMax: 1000 },
		});
		expect(child.tell({ type: "x".repeat(2000) })).toBe("too-large");
		await expect(child.ask({ type: "x".repeat(2000) })).rejects.toMatchObject({ code: "message-too-large" });
		expect(system.deadLetters.counts.get("too-large")).toBe(2);
		await simulation.complete(system.stop());
	});
});

describe("what can not travel", () => {
	/** Publishes, or answers, something that no lane can carry. */
	class Careless implements Behaviour<string> {
		receive(message: string, context: ActorContext): void {
			const unsendable = { type: "unsendable", run: () => 1 };
			if (message === "reply") context.reply(unsendable);
			context.publish({ type: "before" });
			context.publish(unsendable);
			context.publish({ type: "after" });
		}
	}

	async function careless(): Promise<{ simulation: Simulation; system: ActorSystem; ref: ActorRef; events: string[] }> {
		const simulation = new Simulation({ seed: 3, modules: new Map([[MODULE, { Careless }]]) });
		const system = new ActorSystem(simulation.backend);
		const events: string[] = [];
		system.events$.subscribe((event) => events.push(event.type));
		const behaviour = { module: MODULE, export: "Careless" };
		const ref = await simulation.complete(system.spawn({ name: "careless", behaviour, placement: "dedicated" }));
		events.length = 0;
		return { simulation, system, ref, events };
	}

	it("as an event is named, and the others arrive", async () => {
		const { simulation, system, ref, events } = await careless();
		ref.tell("publish");
		await simulation.run({ until: () => events.length === 3 });
		expect(events).toEqual(["before", "event-unsendable", "after"]);
		await simulation.complete(system.stop());
	});

	it("as an answer fails the actor, and its asker is told", async () => {
		const { simulation, system, ref, events } = await careless();
		await expect(simulation.complete(ref.ask("reply"))).rejects.toMatchObject({ code: "message-unencodable" });
		await simulation.run({ until: () => events.includes("top-actor-failed") });
		await simulation.complete(system.stop());
	});

	it("as a message throws to its sender", async () => {
		const { simulation, system, ref } = await careless();
		expect(() => ref.tell(() => 1)).toThrow(expect.objectContaining({ code: "message-unencodable" }));
		await expect(ref.ask(() => 1)).rejects.toMatchObject({ code: "message-unencodable" });
		await expect(ref.tellWhenReady(() => 1)).rejects.toMatchObject({ code: "message-unencodable" });
		await simulation.complete(system.stop());
	});
});

describe("a network policy", () => {
	it("loses, duplicates and reorders what it chooses, and nothing else", async () => {
		const fates: Record<string, { afterMs: number }[] | null> = {
			lost: [],
			twice: [{ afterMs: 1 }, { afterMs: 2 }],
			late: [{ afterMs: 50 }],
		};
		const { simulation, system, child, handled } = await world("Publisher", "dedicated", {
			network: {
				deliveries: (_head, payload) => fates[(payload as { type: string }).type] ?? null,
			},
		});
		tellTypes(child, "late", "lost", "twice", "plain");
		await simulation.run({ untilMs: simulation.nowMs + 100 });
		expect(handled).toEqual(["plain", "twice", "twice", "late"]);
		await simulation.complete(system.stop());
	});
});

describe("slots", () => {
	it("are used again, but their old addresses lead nowhere", async () => {
		const simulation = new Simulation({ seed: 9, modules });
		const system = new ActorSystem(simulation.backend);
		const spec: ActorSpec = { name: "a", behaviour: adder, placement: "dedicated" };
		const first = await simulation.complete(system.spawn(spec));
		await simulation.complete(system.stopActor(first));
		await simulation.run({ until: () => system.threads.status().length === 1 });
		const second = await simulation.complete(system.spawn(spec));
		expect(second.address.slot).toBe(first.address.slot);
		first.tell({ x: 1 });
		await expect(simulation.complete(first.ask({ x: 1 }))).rejects.toMatchObject({ code: "actor-dead" });
		expect(await simulation.complete(second.ask({ x: 1 }))).toBe(2);
		await simulation.complete(system.stop());
	});

	it("are bounded", async () => {
		const simulation = new Simulation({ seed: 9, modules });
		const system = new ActorSystem(simulation.backend);
		const spawned = Array.from({ length: 63 }, (_, i) =>
			system.spawn({ name: `a${i}`, behaviour: adder, placement: "dedicated" }),
		);
		await simulation.complete(Promise.all(spawned));
		const more = system.spawn({ name: "more", behaviour: adder, placement: "dedicated" });
		await expect(simulation.complete(more)).rejects.toMatchObject({ code: "too-many-threads" });
		await simulation.complete(system.stop());
	});
});

describe("a restart whose thread is not replaced", () => {
	it("rejects in time, and the actor has ended", async () => {
		const simulation = new Simulation({ seed: 11, modules });
		const system = new ActorSystem(simulation.backend, { threadReplacementTimeoutMs: 500 });
		const seen: string[] = [];
		const parent: Behaviour = {
			async started(context) {
				const child = await context.spawn({ name: "child", behaviour: adder, placement: "dedicated" });
				context.watch(child);
			},
			receive() {},
			async signal(signal, context) {
				seen.push(signal.type);
				if (signal.type !== "child-failed") return;
				await context.restart(signal.child).catch((error: { code: string }) => seen.push(error.code));
			},
		};
		await simulation.complete(system.spawn({ name: "parent", behaviour: { local: () => parent } }));
		const child = await system.lookup("child");
		const slot = (child as ActorRef).address.slot;
		await simulation.complete(system.threads.kill(slot, "killed"));
		const fromMs = simulation.nowMs;
		await simulation.run({ until: () => seen.length === 4 });
		expect(simulation.nowMs - fromMs).toBeGreaterThanOrEqual(500);
		expect(seen).toEqual(["child-failed", "actor-dead", "child-stopped", "terminated"]);
		expect(await system.lookup("child")).toBeNull();
		await simulation.complete(system.stop());
	});
});

describe("time", () => {
	/** Imports a module after it has awaited something else, and answers how long that took. */
	class Importer implements Behaviour {
		async receive(_message: unknown, context: ActorContext): Promise<void> {
			await context.lookup("nobody");
			const beforeMs = context.clock.nowMs();
			await context.loadModule({ module: new URL("./pair.ts", import.meta.url), export: "Pair" });
			context.reply(context.clock.nowMs() - beforeMs);
		}
	}

	it("stands still while a module is imported, whenever that begins", async () => {
		const simulation = new Simulation({ seed: 1, modules: new Map([[MODULE, { Importer }]]) });
		const system = new ActorSystem(simulation.backend);
		const behaviour = { module: MODULE, export: "Importer" };
		const ref = await simulation.complete(system.spawn({ name: "a", behaviour, placement: "dedicated" }));
		const tick = (): void => {
			simulation.clock.schedule(0.01, tick);
		};
		tick();
		expect(await simulation.complete(ref.ask(null))).toBe(0);
		await simulation.complete(system.stop());
	});

	it("stops at a limit, and at rest", async () => {
		const simulation = new Simulation({ seed: 1, modules });
		const system = new ActorSystem(simulation.backend);
		expect(await simulation.run({ untilMs: 50 })).toBe("time");
		expect(simulation.nowMs).toBe(50);
		expect(await simulation.run({})).toBe("idle");
		await expect(simulation.complete(new Promise(() => {}))).rejects.toThrow("idle");
		await simulation.complete(system.stop());
	});

	it("gives each actor draws of its own, whoever else there is", async () => {
		const draw = async (others: number): Promise<unknown> => {
			const simulation = new Simulation({ seed: 21, modules });
			const system = new ActorSystem(simulation.backend);
			const drawer = { module: MODULE, export: "Drawer" };
			for (let i = 0; i < others; i++) {
				const other = await simulation.complete(
					system.spawn({ name: `o${i}`, behaviour: drawer, placement: "shared" }),
				);
				await simulation.complete(other.ask(null));
			}
			const ref = await simulation.complete(system.spawn({ name: "a", behaviour: drawer, placement: "dedicated" }));
			const drawn = await simulation.complete(ref.ask(null));
			await simulation.complete(system.stop());
			return drawn;
		};
		expect(await draw(0)).toBe(await draw(3));
	});
});

describe("a death notice", () => {
	/** Says farewell to a watcher in many messages, and stops. */
	class Leaver implements Behaviour<Address> {
		receive(watcher: Address, context: ActorContext): void {
			for (let i = 0; i < 20; i++) context.ref(watcher).tell(i);
			context.stopSelf();
		}
	}
	/** Publishes what it hears. */
	class Listener implements Behaviour<unknown> {
		receive(message: unknown, context: ActorContext): void {
			if (typeof message === "number") context.publish({ type: "heard", what: message } as { readonly type: string });
			else {
				context.watch(context.ref(message as Address));
				context.reply(null);
			}
		}
		signal(signal: Signal, context: ActorContext): void {
			context.publish({ type: "heard", what: signal.type } as { readonly type: string });
		}
	}

	it.each(["dedicated", "shared", "local"] as const)(
		"never overtakes a message, by any seed; watcher %s",
		async (placement) => {
			for (let seed = 1; seed <= 25; seed++) {
				const simulation = new Simulation({
					seed,
					modules: new Map([[MODULE, { Leaver, Listener }]]),
					latencyMs: { min: 0, max: 20 },
				});
				const system = new ActorSystem(simulation.backend);
				const heard: unknown[] = [];
				system.events$.subscribe((event) => {
					if (event.type === "heard") heard.push((event as unknown as { what: unknown }).what);
				});
				const start = (name: string, exported: string, where: Placement): Promise<ActorRef> =>
					simulation.complete(
						system.spawn({ name, behaviour: { module: MODULE, export: exported }, placement: where }),
					);
				const leaver = await start("leaver", "Leaver", "dedicated");
				const listener = await start("listener", "Listener", placement);
				await simulation.complete(listener.ask(leaver.address));
				await simulation.run({ untilMs: simulation.nowMs + 100 });
				leaver.tell(listener.address);
				await simulation.run({ untilMs: simulation.nowMs + 200 });
				expect(heard, `seed ${seed}`).toEqual([...Array.from({ length: 20 }, (_, i) => i), "terminated"]);
				await simulation.complete(system.stop());
			}
		},
	);
});

describe("under random kills", () => {
	/** Actors on threads of their own are asked while threads die at random and come back. */
	async function storm(
		seed: number,
		placement: Placement,
	): Promise<{ hash: string; heard: number; notices: number; deaths: number }> {
		const simulation = new Simulation({ seed, modules });
		const system = new ActorSystem(simulation.backend);
		const tally = { heard: 0, notices: 0, deaths: 0 };
		const parent: Behaviour = {
			async started(context) {
				for (const name of ["x", "y", "z"]) {
					const ref = await context.spawn({ name, behaviour: adder, placement });
					context.watch(ref);
				}
			},
			receive() {},
			async signal(signal, context) {
				if (signal.type === "terminated") tally.notices += 1;
				if (signal.type === "child-failed") await restartUntilAlive(context, signal.child);
			},
		};
		await simulation.complete(system.spawn({ name: "parent", behaviour: { local: () => parent } }));
		const draws = simulation.backend.ports.generator.fork("storm");
		system.threads.observe((event) => {
			if (event.type !== "thread-ended" || event.end.cause === "stopped") return;
			tally.deaths += 1;
			replace(system, event.slot);
		});
		const refs = await Promise.all(["x", "y", "z"].map((name) => system.lookup(name)));
		for (let round = 0; round < 15; round++) {
			const ref = draws.pick(refs) as ActorRef;
			const asked = ref.ask({ x: round }, { timeoutMs: 2000 }).then(
				() => {
					tally.heard += 1;
				},
				() => {},
			);
			if (draws.chance(0.4)) void system.threads.kill(draws.pick(refs)?.address.slot as ThreadSlot, "killed");
			await simulation.complete(asked);
		}
		await simulation.run({ untilMs: simulation.nowMs + 5000 });
		expect(tally.notices).toBe(0);
		for (const ref of refs) expect(await simulation.complete((ref as ActorRef).ask({ x: 1 }))).toBe(2);
		await simulation.complete(system.stop());
		return { hash: simulation.traceHash, ...tally };
	}

	it.each(["dedicated", "shared"] as const)(
		"every %s actor comes back and no watcher is told, twice the same by seed",
		async (placement) => {
			let deaths = 0;
			for (let seed = 1; seed <= 15; seed++) {
				const outcome = await storm(seed, placement);
				expect(await storm(seed, placement), `seed ${seed}`).toEqual(outcome);
				deaths += outcome.deaths;
			}
			expect(deaths).toBeGreaterThan(50);
		},
	);
});
