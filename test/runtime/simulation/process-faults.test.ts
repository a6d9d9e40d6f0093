/**
 * Goal: threads die where they are told to, stand still, lag and come back, and their clocks run as wrong as asked for; the
 * others notice nothing but the consequences.
 * Method: two actors on threads of their own, and a keeper that replaces what dies; each fault is seen to act, and seen
 * not to after its removal or on the other thread.
 */
import { describe, expect, it } from "vitest";
import {
	type ActorContext,
	type ActorRef,
	ActorSystem,
	type Behaviour,
	type ThreadEvent,
} from "../../../runtime/actor/index.ts";
import {
	FaultyNetwork,
	type KillPoint,
	type ProcessFault,
	Simulation,
	type SimulationOptions,
} from "../../../runtime/simulation/index.ts";

const MODULE = "file:///simulated/ticker.js";
const TICK_MS = 10;

interface Told {
	readonly type: string;
}

/** Ticks, publishes what it hears, and sends `sent` to another when told to `send`. */
class Ticker implements Behaviour<Told> {
	#ticks = 0;

	started(context: ActorContext<Told>): void {
		context.timers.run("tick", TICK_MS, () => {
			this.#ticks += 1;
			this.#publish(context, `tick ${this.#ticks}`);
			this.started(context);
		});
	}

	async receive({ type }: Told, context: ActorContext<Told>): Promise<void> {
		this.#publish(context, type);
		if (type === "send") {
			for (const name of ["b", "c"]) {
				const target = await context.lookup(name);
				target?.tell({ type: `sent to ${name}` });
			}
		}
	}

	#publish(context: ActorContext<Told>, what: string): void {
		const event = { type: "did", node: context.name, what, atMs: context.clock.nowMs() };
		context.publish(event as { readonly type: string });
	}
}

class World {
	readonly simulation: Simulation;
	readonly system: ActorSystem;
	readonly did: { readonly node: string; readonly what: string; readonly localMs: number; readonly atMs: number }[] =
		[];
	readonly ended: Extract<ThreadEvent, { type: "thread-ended" }>[] = [];
	readonly refs = new Map<string, ActorRef>();

	constructor(options: Partial<SimulationOptions> = {}) {
		this.simulation = new Simulation({ seed: 2, modules: new Map([[MODULE, { Ticker }]]), ...options });
		this.system = new ActorSystem(this.simulation.backend);
		this.system.events$.subscribe((event) => {
			if (event.type !== "did") return;
			const { node, what, atMs } = event as unknown as { node: string; what: string; atMs: number };
			this.did.push({ node, what, localMs: atMs, atMs: this.simulation.nowMs });
		});
		this.system.threads.observe((event) => {
			if (event.type !== "thread-ended" || event.end.cause === "stopped") return;
			this.ended.push(event);
			this.system.threads.replace(event.slot).catch(() => undefined);
		});
	}

	async start(): Promise<this> {
		const { simulation, system, refs } = this;
		const parent: Behaviour = {
			async started(context) {
				for (const name of ["a", "b", "c"]) {
					const behaviour = { module: MODULE, export: "Ticker" };
					refs.set(name, await context.spawn({ name, behaviour, placement: "dedicated" }));
				}
			},
			receive() {},
			async signal(signal, context) {
				if (signal.type === "child-failed") await context.restart(signal.child).catch(() => undefined);
			},
		};
		await simulation.complete(system.spawn({ name: "parent", behaviour: { local: () => parent } }));
		this.did.length = 0;
		return this;
	}

	add(fault: ProcessFault): { remove(): void } {
		return this.simulation.processes.add(fault);
	}

	tell(name: string, type: string): void {
		this.refs.get(name)?.tell({ type });
	}

	async pass(ms: number): Promise<void> {
		await this.simulation.run({ untilMs: this.simulation.nowMs + ms });
	}

	/** How often that actor has ticked since this was asked last. */
	async ticks(name: string, ms: number): Promise<number> {
		this.did.length = 0;
		await this.pass(ms);
		return this.did.filter(({ node, what }) => node === name && what.startsWith("tick")).length;
	}

	of(name: string): string[] {
		return this.did.flatMap(({ node, what }) => (node === name && !what.startsWith("tick") ? [what] : []));
	}
}

describe("a pause", () => {
	it("lets nothing of the thread run, and then everything, in order", async () => {
		const world = await new World().start();
		const pause = world.add({ kind: "pause", thread: "a" });
		expect(world.simulation.processes.active).toEqual([{ kind: "pause", thread: "a" }]);
		world.tell("a", "one");
		world.tell("a", "two");
		expect(await world.ticks("a", 5_000)).toBe(0);
		expect(world.of("a")).toEqual([]);
		expect(world.did.filter(({ node }) => node === "b").length).toBeGreaterThan(490);
		world.did.length = 0;
		pause.remove();
		await world.pass(2);
		expect(world.of("a")).toEqual(["one", "two"]);
		expect(world.simulation.processes.active).toEqual([]);
		expect(await world.ticks("a", 1_000)).toBeGreaterThan(95);
	});

	it("holds control calls too, and ends with the thread", async () => {
		const world = await new World().start();
		world.add({ kind: "pause", thread: "a" });
		const slot = world.refs.get("a")?.address.slot as never;
		let isAnswered = false;
		const inspected = world.simulation.threads.control(slot).inspect();
		inspected.then(
			() => {
				isAnswered = true;
			},
			() => undefined,
		);
		await world.pass(1_000);
		expect(isAnswered).toBe(false);
		world.add({ kind: "kill", thread: "a" });
		await expect(world.simulation.complete(inspected)).rejects.toMatchObject({ code: "thread-died" });
		await world.pass(500);
		expect(await world.ticks("a", 1_000)).toBeGreaterThan(95);
	});

	it("lasts as long as the longest of two, even of the same words", async () => {
		const world = await new World().start();
		const fault = { kind: "pause", thread: "a" } as const;
		const [one, two] = [world.add(fault), world.add(fault)];
		one.remove();
		one.remove();
		expect(await world.ticks("a", 100)).toBe(0);
		two.remove();
		expect(await world.ticks("a", 100)).toBeGreaterThan(8);
	});

	it("of the main thread leaves the others at work", async () => {
		const world = await new World().start();
		const pause = world.add({ kind: "pause", thread: "main" });
		expect(await world.ticks("a", 100)).toBe(0);
		pause.remove();
		await world.pass(1);
		expect(world.did.filter(({ node }) => node === "a").length).toBeGreaterThan(8);
	});
});

describe("a slow thread", () => {
	it("takes longer to begin what it is woken for", async () => {
		const lag = async (factor: number | null): Promise<number> => {
			const world = await new World({ turnMs: { min: 0.01, max: 0.02 } }).start();
			if (factor !== null) world.add({ kind: "slow", thread: "a", factor });
			const fromMs = world.simulation.nowMs;
			world.tell("a", "one");
			await world.simulation.run({ until: () => world.of("a").length > 0 });
			return world.simulation.nowMs - fromMs;
		};
		expect(await lag(null)).toBeLessThan(1);
		expect(await lag(1_000)).toBeGreaterThan(10);
	});

	it("is as fast as before when that is over", async () => {
		const world = await new World().start();
		const slow = world.add({ kind: "slow", thread: "a", factor: 1e6 });
		world.tell("a", "one");
		await world.pass(5);
		expect(world.of("a")).toEqual([]);
		slow.remove();
		world.tell("b", "one");
		await world.pass(1);
		expect(world.of("b")).toEqual(["one"]);
	});
});

describe("deaths", () => {
	it("come at once", async () => {
		const world = await new World().start();
		world.add({ kind: "kill", thread: "b", cause: "out-of-memory" });
		await world.pass(10);
		expect(world.ended.map(({ name, end }) => [name, end.cause])).toEqual([["b", "out-of-memory"]]);
		expect(world.simulation.processes.counts).toEqual(new Map([["kill", 1]]));
		expect(world.simulation.processes.active).toEqual([]);
	});

	it("are not known at once: an order that is given meanwhile reaches nobody", async () => {
		const world = await new World().start();
		const { threads } = world.simulation;
		const slot = world.refs.get("b")?.address.slot as never;
		world.add({ kind: "kill", thread: "b" });
		expect(threads.status().find(({ spec }) => spec.name === "b")?.state).toBe("running");
		await expect(world.simulation.complete(threads.control(slot).inspect())).rejects.toMatchObject({
			code: "thread-died",
		});
	});

	it("come only to what lives", async () => {
		const world = await new World().start();
		world.add({ kind: "kill", thread: "b" });
		expect(() => world.add({ kind: "kill", thread: "b" })).toThrow(
			expect.objectContaining({ code: "fault-not-applicable" }),
		);
		await world.pass(50);
		expect(world.ended).toHaveLength(1);
	});

	it("come at the n-th message of a type, before it is handled or after, once", async () => {
		for (const phase of ["before", "after"] as const) {
			const world = await new World().start();
			let points = 0;
			world.simulation.killRule = ({ thread, phase: reached, messageType }) => {
				if (thread === "a" && reached === phase && messageType === "poison" && world.ended.length === 0) points += 1;
				return null;
			};
			let pointsAtDeath = 0;
			world.system.threads.observe(({ type }) => {
				if (type === "thread-ended" && pointsAtDeath === 0) pointsAtDeath = points;
			});
			world.add({ kind: "kill-at", thread: "a", phase, messageType: "poison", nth: 2 });
			for (const type of ["poison", "other", "poison", "poison"]) world.tell("a", type);
			world.tell("b", "poison");
			world.tell("b", "poison");
			await world.pass(200);
			expect(world.ended.map(({ name }) => name)).toEqual(["a"]);
			expect(pointsAtDeath).toBe(2);
			expect(world.simulation.processes.counts).toEqual(new Map([["kill-at", 1]]));
			expect(world.simulation.processes.active).toEqual([]);
			// What it was at work on is told by its death, and comes again.
			expect(world.ended[0]?.interrupted?.message).toMatchObject({ messageType: "poison", deliveries: 1 });
			expect(world.of("a").slice(-2)).toEqual(["poison", "poison"]);
		}
	});

	it("do not come when they are called off", async () => {
		const world = await new World().start();
		const fault = world.add({ kind: "kill-at", thread: "a", phase: "before", messageType: "poison" });
		fault.remove();
		world.tell("a", "poison");
		await world.pass(50);
		expect(world.ended).toEqual([]);
	});

	it("come between two messages of one flush: one is out, the other never was", async () => {
		const outcome = async (at: string | null): Promise<string> => {
			const world = await new World().start();
			const names = new Map([...world.refs].map(([name, { address }]) => [address.slot, name]));
			world.simulation.network = new FaultyNetwork({
				generator: world.simulation.generator("network"),
				nodeOf: ({ slot }) => names.get(slot) ?? null,
			});
			if (at !== null) world.add({ kind: "kill-at", thread: "a", phase: "published", messageType: at });
			world.tell("a", "send");
			await world.pass(3);
			return [...world.of("b"), ...world.of("c")].join(", ");
		};
		expect(await outcome(null)).toBe("sent to b, sent to c");
		expect(await outcome("sent to b")).toBe("sent to b");
		expect(await outcome("sent to c")).toBe("sent to b, sent to c");
	});

	it("come again and again in a loop, and then stop", async () => {
		const world = await new World().start();
		world.add({ kind: "crash-loop", thread: "c", lives: 4, afterMs: { min: 5, max: 20 } });
		await world.pass(2_000);
		expect(world.ended.map(({ name }) => name)).toEqual(["c", "c", "c", "c"]);
		expect(world.simulation.processes.counts).toEqual(new Map([["crash-loop", 4]]));
		expect(world.simulation.processes.active).toEqual([]);
		expect(await world.ticks("c", 1_000)).toBeGreaterThan(95);
	});

	it("in a loop that is called off, come no more", async () => {
		const world = await new World().start();
		world.add({ kind: "crash-loop", thread: "c", lives: 100, afterMs: { min: 5, max: 20 } });
		await world.pass(300);
		const deaths = world.ended.length;
		expect(deaths).toBeGreaterThan(1);
		world.simulation.processes.clear();
		await world.pass(2_000);
		expect(world.ended.length).toBe(deaths);
	});

	it("come beside a rule of a test's own: both are asked", async () => {
		const world = await new World().start();
		const points: KillPoint["phase"][] = [];
		world.simulation.killRule = ({ thread, phase }) => {
			if (thread === "a") points.push(phase);
			return null;
		};
		world.add({ kind: "kill-at", thread: "a", phase: "after", messageType: "one" });
		world.tell("a", "one");
		await world.pass(5);
		expect(points.slice(0, 2)).toEqual(["before", "after"]);
		expect(world.ended.map(({ name }) => name)).toEqual(["a"]);
	});
});

describe("a clock", () => {
	it("that drifts fires more or fewer timers, on its own thread only", async () => {
		const world = await new World().start();
		const drift = world.add({ kind: "clock-drift", thread: "a", ppm: 500_000 });
		world.add({ kind: "clock-drift", thread: "b", ppm: -500_000 });
		expect(Math.abs((await world.ticks("a", 1_000)) - 150)).toBeLessThanOrEqual(2);
		expect(Math.abs((await world.ticks("b", 1_000)) - 50)).toBeLessThanOrEqual(2);
		expect(Math.abs((await world.ticks("c", 1_000)) - 100)).toBeLessThanOrEqual(2);
		drift.remove();
		expect(Math.abs((await world.ticks("a", 1_000)) - 100)).toBeLessThanOrEqual(2);
		// What it gained it keeps: a monotonic clock does not go back.
		const last = world.did.findLast(({ node }) => node === "a");
		expect((last?.localMs ?? 0) - (last?.atMs ?? 0)).toBeGreaterThan(1_400);
	});

	it("is right again whichever of two faults ends first", async () => {
		const world = await new World().start();
		const drift = world.add({ kind: "clock-drift", thread: "a", ppm: 500_000 });
		const freeze = world.add({ kind: "clock-freeze", thread: "a" });
		drift.remove();
		expect(await world.ticks("a", 500)).toBe(0);
		freeze.remove();
		expect(Math.abs((await world.ticks("a", 1_000)) - 100)).toBeLessThanOrEqual(2);
	});

	it("keeps its pace over the lives of its thread", async () => {
		const world = await new World().start();
		world.add({ kind: "clock-drift", thread: "a", ppm: 1_000_000 });
		world.add({ kind: "kill", thread: "a" });
		await world.pass(500);
		expect(Math.abs((await world.ticks("a", 1_000)) - 200)).toBeLessThanOrEqual(3);
	});

	it("that leaps ahead fires what has become due, at once", async () => {
		const world = await new World().start();
		await world.pass(20);
		world.did.length = 0;
		const fromMs = world.simulation.nowMs;
		world.add({ kind: "clock-jump", thread: "a", aheadMs: 60_000 });
		await world.pass(1);
		const [tick] = world.did.filter(({ node }) => node === "a");
		expect(tick?.localMs).toBeGreaterThan(fromMs + 60_000);
		expect(world.did.some(({ node }) => node === "b" && (tick?.localMs ?? 0) < fromMs + 60_000)).toBe(false);
	});

	it("that is ahead lets no ask expire: what travels is the time that is left", async () => {
		const world = await new World().start();
		world.add({ kind: "clock-jump", thread: "a", aheadMs: 60_000 });
		world.refs
			.get("a")
			?.ask({ type: "one" }, { timeoutMs: 500 })
			.catch(() => undefined);
		await world.pass(100);
		expect(world.of("a")).toEqual(["one"]);
		expect(world.system.deadLetters.counts.get("expired")).toBeUndefined();
	});

	it("that is frozen fires nothing, but messages are handled; then it goes on where it stood", async () => {
		const world = await new World().start();
		const freeze = world.add({ kind: "clock-freeze", thread: "a" });
		world.tell("a", "one");
		expect(await world.ticks("a", 1_000)).toBe(0);
		expect(world.of("a")).toEqual(["one"]);
		const at = world.did.find(({ what }) => what === "one");
		world.tell("a", "two");
		await world.pass(5);
		expect(world.did.find(({ what }) => what === "two")?.localMs).toBe(at?.localMs);
		freeze.remove();
		expect(Math.abs((await world.ticks("a", 1_000)) - 100)).toBeLessThanOrEqual(2);
	});
});

describe("a clock that is set off", () => {
	/** How far that actor's clock is ahead of virtual time at the last of the ticks that follow. */
	async function offsetMs(world: World, ms: number): Promise<number> {
		await world.ticks("a", ms);
		const last = world.did.findLast(({ node }) => node === "a");
		// Adding 0 makes -0 a 0.
		return Math.round((last?.localMs ?? 0) - (last?.atMs ?? 0)) + 0;
	}

	it.each([400, -400])("by %s ms is so until that is over, and never goes back", async (offset) => {
		const world = await new World().start();
		const times: number[] = [];
		const skew = world.add({ kind: "clock-skew", thread: "a", offsetMs: offset });
		await world.pass(1_000);
		expect(await offsetMs(world, 100)).toBe(offset);
		times.push(...world.did.filter(({ node }) => node === "a").map(({ localMs }) => localMs));
		skew.remove();
		await world.pass(1_000);
		expect(await offsetMs(world, 100)).toBe(0);
		times.push(...world.did.filter(({ node }) => node === "a").map(({ localMs }) => localMs));
		expect(times).toEqual([...times].sort((a, b) => a - b));
		expect(world.simulation.processes.active).toEqual([]);
	});

	it("is right again when it is called off half way", async () => {
		const world = await new World().start();
		const skew = world.add({ kind: "clock-skew", thread: "a", offsetMs: -400 });
		await world.pass(200);
		skew.remove();
		expect(await offsetMs(world, 200)).toBe(0);
	});
});

describe("full lanes", () => {
	it("to a thread refuse what is told to it, by anybody, and let through what it says", async () => {
		const world = await new World().start();
		const full = world.add({ kind: "lane-full", thread: "b", direction: "in" });
		expect(world.refs.get("b")?.tell({ type: "from main" })).toBe("full");
		expect(world.refs.get("c")?.tell({ type: "from main" })).toBe("ok");
		world.tell("a", "send");
		await world.pass(20);
		expect([world.of("b"), world.of("c")]).toEqual([[], ["from main", "sent to c"]]);
		full.remove();
		world.tell("a", "send");
		await world.pass(20);
		expect(world.of("b")).toEqual(["sent to b"]);
		expect(world.simulation.processes.counts.get("lane-full")).toBe(1);
	});

	it("from a thread refuse what it tells to others, and let it hear", async () => {
		const world = await new World().start();
		world.add({ kind: "lane-full", thread: "a", direction: "out" });
		world.tell("a", "send");
		world.tell("b", "from main");
		await world.pass(20);
		expect([world.of("a"), world.of("b"), world.of("c")]).toEqual([["send"], ["from main"], []]);
	});

	it("keep those who wait for room waiting until the last of two such faults is over", async () => {
		const world = await new World().start();
		const [first, second] = [1, 2].map(() => world.add({ kind: "lane-full", thread: "b", direction: "in" }));
		let isTold = false;
		world.refs
			.get("b")
			?.tellWhenReady({ type: "patient" })
			.then(() => {
				isTold = true;
			});
		await world.pass(50);
		first?.remove();
		await world.pass(50);
		expect(isTold).toBe(false);
		second?.remove();
		await world.pass(50);
		expect([isTold, world.of("b")]).toEqual([true, ["patient"]]);
	});
});

describe("a fault that can not be", () => {
	const bad: readonly (readonly [string, object, string])[] = [
		["of no thread", { kind: "pause", thread: "z" }, "fault-not-applicable"],
		["that ends the main thread", { kind: "kill", thread: "main" }, "fault-not-applicable"],
		["of a kind that is none", { kind: "hiccup", thread: "a" }, "fault-invalid"],
		["at the zeroth point", { kind: "kill-at", thread: "a", phase: "before", nth: 0 }, "fault-invalid"],
		["of no lives", { kind: "crash-loop", thread: "a", lives: 0, afterMs: { min: 1, max: 2 } }, "fault-invalid"],
		["by no factor", { kind: "slow", thread: "a", factor: 0 }, "fault-invalid"],
		["of a clock that goes back", { kind: "clock-jump", thread: "a", aheadMs: -5 }, "fault-invalid"],
		["of lanes in no direction", { kind: "lane-full", thread: "a", direction: "up" }, "fault-invalid"],
		[
			"of a clock that is off by nothing known",
			{ kind: "clock-skew", thread: "a", offsetMs: Number.NaN },
			"fault-invalid",
		],
		["of a clock that runs backwards", { kind: "clock-drift", thread: "a", ppm: -2_000_000 }, "fault-invalid"],
	];
	it.each(bad)("is refused: %s", async (_, fault, code) => {
		const world = await new World().start();
		expect(() => world.add(fault as ProcessFault)).toThrow(expect.objectContaining({ code }));
		expect(world.simulation.processes.active).toEqual([]);
		expect(world.simulation.processes.counts.size).toBe(0);
	});
});
