/**
 * Goal: an actor that asks the real world for time or chance is found and named, also after an `await`; everybody else in
 * the process is answered as always, and afterwards all is as it was.
 * Method: one actor that calls what it is told to, guarded and not.
 */
import * as esmCrypto from "node:crypto";
import { randomUUID } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type ActorContext, type ActorRef, ActorSystem, type Behaviour } from "../../../runtime/actor/index.ts";
import { Simulation } from "../../../runtime/simulation/index.ts";

const MODULE = "file:///simulated/caller.js";

const calls: Readonly<Record<string, () => unknown>> = {
	"Date.now": () => Date.now(),
	"new Date": () => new Date(),
	Date: () => Date(),
	"performance.now": () => performance.now(),
	"Math.random": () => Math.random(),
	"process.hrtime": () => process.hrtime(),
	"process.hrtime.bigint": () => process.hrtime.bigint(),
	"crypto.randomUUID": () => crypto.randomUUID(),
	"crypto.getRandomValues": () => crypto.getRandomValues(new Uint8Array(4)),
	"crypto.randomBytes": () => esmCrypto.randomBytes(4),
	setTimeout: () => setTimeout(() => {}, 0),
	setInterval: () => clearInterval(setInterval(() => {}, 1_000)),
	setImmediate: () => setImmediate(() => {}),
};

/** What is decided by its arguments, and what the guard must leave alone. */
const harmless: Readonly<Record<string, () => unknown>> = {
	"a given date": () => new Date(5).toISOString() + new Date("2020-01-01").getTime() + Date.UTC(2020, 1),
	"a date's class": () => new Date(5) instanceof Date,
	rounding: () => Math.floor(1.5),
	digests: () => esmCrypto.createHash("sha256").update("x").digest("hex"),
	microtasks: () => queueMicrotask(() => {}),
};

interface Call {
	readonly type: string;
	readonly name: string;
}

/** Calls what it is told to, at once or after an answer that it awaits. */
class Caller implements Behaviour<Call> {
	async receive({ type, name }: Call, context: ActorContext<Call>): Promise<void> {
		if (type === "late") await context.lookup("caller");
		if (type === "timer") {
			context.timers.run("soon", 5, () => {
				this.#call(name);
			});
			context.reply("set");
			return;
		}
		this.#call(name);
		context.reply("done");
	}

	#call(name: string): void {
		(calls[name] ?? harmless[name])?.();
	}
}

async function guarded(guardGlobals: boolean): Promise<{
	simulation: Simulation;
	ref: ActorRef;
	ask(message: Call): Promise<unknown>;
	stop(): Promise<void>;
}> {
	const simulation = new Simulation({ seed: 1, guardGlobals, modules: new Map([[MODULE, { Caller }]]) });
	const system = new ActorSystem(simulation.backend);
	const parent: Behaviour = {
		async started(context) {
			await context.spawn({ name: "caller", behaviour: { module: MODULE, export: "Caller" }, placement: "dedicated" });
		},
		receive() {},
		async signal(signal, context) {
			if (signal.type === "child-failed") await context.restart(signal.child);
		},
	};
	await simulation.complete(system.spawn({ name: "parent", behaviour: { local: () => parent } }));
	const ref = (await simulation.complete(system.lookup("caller"))) as ActorRef;
	return {
		simulation,
		ref,
		ask: (message) => simulation.complete(ref.ask(message).catch((error: unknown) => error)),
		stop: () => simulation.complete(system.stop()),
	};
}

describe("a guarded simulation", () => {
	it.each(Object.keys(calls))("refuses %s, and names the actor and its handler", async (name) => {
		const { simulation, ask, stop } = await guarded(true);
		expect(await ask({ type: "call", name })).toMatchObject({ code: "hidden-nondeterminism" });
		expect(simulation.nondeterminism.map(({ details }) => details)).toEqual([
			{
				function: expect.stringMatching(new RegExp(`^(timers\\.)?${name.replaceAll(".", "\\.")}$`)),
				thread: "caller",
				actor: "1/1#1",
				handler: "ask call",
			},
		]);
		await stop();
	});

	it("refuses it after an await, and in a timer", async () => {
		const { simulation, ask, stop } = await guarded(true);
		expect(await ask({ type: "late", name: "Math.random" })).toMatchObject({ code: "hidden-nondeterminism" });
		await simulation.run({ untilMs: simulation.nowMs + 50 });
		expect(await ask({ type: "timer", name: "Date.now" })).toBe("set");
		await simulation.run({ untilMs: simulation.nowMs + 50 });
		expect(simulation.nondeterminism.map(({ details }) => [details["function"], details["handler"]])).toEqual([
			["Math.random", "ask late"],
			["Date.now", "timer soon"],
		]);
		await stop();
	});

	it.each(Object.keys(harmless))("allows %s", async (name) => {
		const { simulation, ask, stop } = await guarded(true);
		expect(await ask({ type: "call", name })).toBe("done");
		expect(simulation.nondeterminism).toEqual([]);
		await stop();
	});

	it("answers everybody else while it runs", async () => {
		const { simulation, ask, stop } = await guarded(true);
		let outside = 0;
		const limits = {
			until: () => {
				outside = Date.now() + Math.random() + performance.now() + new Date().getFullYear();
				randomUUID();
				return false;
			},
			untilMs: simulation.nowMs + 20,
		};
		await ask({ type: "call", name: "rounding" });
		await simulation.run(limits);
		expect(outside).toBeGreaterThan(0);
		expect(simulation.nondeterminism).toEqual([]);
		await stop();
	});

	it("leaves the process as it was", async () => {
		const before = [Date, Math.random, performance.now, setTimeout, crypto.randomUUID, process.hrtime, randomUUID];
		const { ask, stop } = await guarded(true);
		await ask({ type: "call", name: "Date.now" });
		await stop();
		expect([Date, Math.random, performance.now, setTimeout, crypto.randomUUID, process.hrtime, randomUUID]).toEqual(
			before,
		);
		expect(
			before.every((value, i) =>
				Object.is(
					value,
					[Date, Math.random, performance.now, setTimeout, crypto.randomUUID, process.hrtime, randomUUID][i],
				),
			),
		).toBe(true);
		expect(Object.hasOwn(crypto, "randomUUID")).toBe(false);
	});

	it("stays up for one while another ends, and does not mix them up", async () => {
		const one = await guarded(true);
		const other = await guarded(true);
		const [first, second] = await Promise.all([
			one.ask({ type: "late", name: "Date.now" }),
			other.ask({ type: "call", name: "rounding" }),
		]);
		expect(first).toMatchObject({ code: "hidden-nondeterminism" });
		expect(second).toBe("done");
		expect(other.simulation.nondeterminism).toEqual([]);
		await one.stop();
		await other.stop();
	});
});

describe("a simulation that is not guarded", () => {
	it.each(Object.keys(calls))("answers %s", async (name) => {
		const { simulation, ask, stop } = await guarded(false);
		expect(await ask({ type: "call", name })).toBe("done");
		expect(simulation.nondeterminism).toEqual([]);
		await stop();
	});
});

describe("the guard and the seed", () => {
	it("do not change each other: the trace is the same", async () => {
		const hash = async (isGuarded: boolean): Promise<string> => {
			const { simulation, ask, stop } = await guarded(isGuarded);
			for (const type of ["call", "late"]) await ask({ type, name: "rounding" });
			await stop();
			return simulation.traceHash;
		};
		expect(await hash(true)).toBe(await hash(false));
	});
});
