/**
 * Goal: the rules of one kernel that the compliance suite does not reach: bounds, overflow, priorities, reports.
 * Method: closures as behaviours on the simulator's main thread, so that a test can look at each step.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DEAD_LETTER_EVENTS_MAX, DEAD_LETTER_SILENCE_MS } from "../../../runtime/actor/dead-letters.ts";
import {
	type Activity,
	type ActorContext,
	type ActorRef,
	type ActorSpec,
	ActorSystem,
	BECOME_MAX,
	type Behaviour,
	type DeadLetterReason,
	type MailboxSpec,
	type Signal,
	STASH_MAX,
} from "../../../runtime/actor/index.ts";
import { Simulation } from "../../../runtime/simulation/index.ts";

let simulation: Simulation;
let system: ActorSystem;
let events: { readonly type: string }[];

beforeEach(() => {
	simulation = new Simulation({ seed: 1 });
	system = new ActorSystem(simulation.backend);
	events = [];
	system.events$.subscribe((event) => events.push(event));
});
afterEach(() => simulation.complete(system.stop()));

const dead = (reason: DeadLetterReason): number => system.deadLetters.counts.get(reason) ?? 0;
const rest = async (): Promise<void> => {
	await simulation.run({ untilMs: simulation.nowMs + 100 });
};

async function spawn(
	receive: (message: never, context: ActorContext) => unknown,
	mailbox: MailboxSpec = {},
	name = "a",
): Promise<ActorRef> {
	const behaviour = { local: (): Behaviour => ({ receive: receive as Behaviour["receive"] }) };
	return simulation.complete(system.spawn({ name, behaviour, mailbox }));
}

/** A parent that keeps the signals it gets. */
async function parentOf(spec: ActorSpec): Promise<{ child: ActorRef; parent: ActorRef; signals: Signal[] }> {
	const signals: Signal[] = [];
	let child: ActorRef | null = null;
	const parent = await simulation.complete(
		system.spawn({
			name: "parent",
			behaviour: {
				local: (): Behaviour => ({
					async started(context) {
						child = await context.spawn(spec);
					},
					receive: async (message, context) => {
						if (message === "restart" && child !== null) await context.restart(child);
					},
					signal(signal) {
						signals.push(signal);
					},
				}),
			},
		}),
	);
	return { parent, child: child as unknown as ActorRef, signals };
}

describe("a full mailbox", () => {
	const seen: unknown[] = [];
	beforeEach(() => {
		seen.length = 0;
	});
	const collect = (message: unknown): void => {
		seen.push(message);
	};

	it("with policy reject says full, and nothing is reported", async () => {
		const ref = await spawn(collect, { capacity: 2 });
		expect([1, 2, 3].map((n) => ref.tell(n))).toEqual(["ok", "ok", "full"]);
		await rest();
		expect(seen).toEqual([1, 2]);
		expect(dead("mailbox-full")).toBe(0);
	});

	it("with policy drop-new loses the newest to dead letters", async () => {
		const ref = await spawn(collect, { capacity: 2, overflow: "drop-new" });
		expect([1, 2, 3].map((n) => ref.tell(n))).toEqual(["ok", "ok", "full"]);
		await rest();
		expect(seen).toEqual([1, 2]);
		expect(dead("mailbox-full")).toBe(1);
	});

	it("with policy drop-old loses the oldest to dead letters, and its asker is told", async () => {
		const ref = await spawn(collect, { capacity: 2, overflow: "drop-old" });
		const asked = ref.ask(1);
		expect([2, 3].map((n) => ref.tell(n))).toEqual(["ok", "ok"]);
		await expect(simulation.complete(asked)).rejects.toMatchObject({ code: "mailbox-full" });
		await rest();
		expect(seen).toEqual([2, 3]);
		expect(dead("mailbox-full")).toBe(1);
	});

	it("with policy fail-actor fails the actor, and keeps what waits", async () => {
		const { child, parent, signals } = await parentOf({
			name: "a",
			behaviour: { local: () => ({ receive: collect }) },
			mailbox: { capacity: 2, overflow: "fail-actor" },
		});
		expect([1, 2, 3].map((n) => child.tell(n))).toEqual(["ok", "ok", "full"]);
		await rest();
		expect(signals).toMatchObject([{ type: "child-failed", reason: { error: { code: "mailbox-overflow" } } }]);
		expect(seen).toEqual([]);
		parent.tell("restart");
		await rest();
		expect(seen).toEqual([1, 2]);
	});

	it("rejects an ask with mailbox-full", async () => {
		const ref = await spawn(collect, { capacity: 1 });
		ref.tell(1);
		await expect(simulation.complete(ref.ask(2))).rejects.toMatchObject({ code: "mailbox-full" });
	});

	it("lets tellWhenReady wait, in order, and ends the wait when the actor stops", async () => {
		const ref = await spawn(
			async (message: unknown, context) => {
				collect(message);
				if (message === 3) await new Promise<void>((resolve) => void context.clock.schedule(60_000, resolve));
			},
			{ capacity: 1 },
		);
		const waits = [1, 2, 3, 4, 5].map((n) => ref.tellWhenReady(n).then(() => n));
		expect(await simulation.complete(Promise.all(waits.slice(0, 3)))).toEqual([1, 2, 3]);
		await rest();
		expect(seen).toEqual([1, 2, 3]);
		const lost = Promise.allSettled(waits.slice(3));
		await simulation.complete(system.stopActor(ref, 0));
		const outcomes = await simulation.complete(lost);
		expect(outcomes.map(({ status }) => status)).toEqual(["fulfilled", "rejected"]);
	});
});

describe("priorities", () => {
	it("let high messages overtake, where the mailbox has them", async () => {
		const seen: unknown[] = [];
		const ref = await spawn((message: unknown) => seen.push(message), { priorities: true });
		ref.tell("normal");
		ref.tell("high", { priority: "high" });
		await rest();
		expect(seen).toEqual(["high", "normal"]);
	});
});

describe("bounds", () => {
	it("of the stash: one more fails the actor, is reported, and leaves those before it", async () => {
		const { child, signals } = await parentOf({
			name: "a",
			behaviour: { local: () => ({ receive: (_message, context) => context.stash() }) },
		});
		for (let i = 0; i <= STASH_MAX; i++) child.tell(i);
		await rest();
		expect(signals).toMatchObject([{ type: "child-failed", reason: { error: { code: "stash-overflow" } } }]);
		expect(dead("stash-overflow")).toBe(1);
		const inspected = (await simulation.complete(system.inspect())).find(({ name }) => name === "a");
		expect(inspected).toMatchObject({ state: "suspended", waiting: STASH_MAX, stashed: 0 });
	});

	it("of become", async () => {
		const { child, signals } = await parentOf({
			name: "a",
			behaviour: {
				local: () => ({
					receive(_message, context) {
						const again = { receive: (): void => context.become(again) };
						context.become(again);
					},
				}),
			},
		});
		for (let i = 0; i < BECOME_MAX; i++) child.tell(i);
		await rest();
		expect(signals).toEqual([]);
		child.tell("one more");
		await rest();
		expect(signals).toMatchObject([{ reason: { error: { code: "become-overflow" } } }]);
	});

	it("of timers and timeouts are checked", async () => {
		const ref = await spawn((message: number, context) => context.timers.set("key", message, null));
		const events$ = system.events$;
		let failed = 0;
		events$.subscribe((event) => {
			if (event.type === "top-actor-failed") failed += 1;
		});
		ref.tell(-1);
		await rest();
		expect(failed).toBe(1);
		const other = await spawn(() => {}, {}, "b");
		await expect(other.ask(1, { timeoutMs: 0 })).rejects.toMatchObject({ code: "invalid-argument" });
	});
});

describe("a stash", () => {
	it("comes back in order before what waits", async () => {
		const seen: unknown[] = [];
		let isOpen = false;
		const ref = await spawn((message: unknown, context) => {
			if (message === "open") {
				isOpen = true;
				context.unstashAll();
			} else if (isOpen) seen.push(message);
			else context.stash();
		});
		for (const message of [1, 2, "open", 3, 4]) ref.tell(message);
		await rest();
		expect(seen).toEqual([1, 2, 3, 4]);
	});

	it("keeps an ask answerable", async () => {
		let isOpen = false;
		const ref = await spawn((message: unknown, context) => {
			if (message === "open") {
				isOpen = true;
				context.unstashAll();
			} else if (isOpen) context.reply(message);
			else context.stash();
		});
		const asked = ref.ask(5);
		ref.tell("open");
		expect(await simulation.complete(asked)).toBe(5);
	});
});

describe("a timer", () => {
	it("that has fired but waits in the mailbox is cancelled, replaced or outlived all the same", async () => {
		const seen: unknown[] = [];
		const { child, parent } = await parentOf({
			name: "a",
			behaviour: {
				local: () => ({
					async receive(message, context) {
						seen.push(message);
						if (message !== "cancel" && message !== "replace" && message !== "fail") return;
						context.timers.set("key", 5, `tick of ${message}`);
						// At work beyond the tick, which so lies in the mailbox.
						await new Promise<void>((resolve) => void context.clock.schedule(20, resolve));
						if (message === "cancel") context.timers.cancel("key");
						if (message === "replace") context.timers.set("key", 5, "second tick");
						if (message === "fail") throw new Error("failed");
					},
				}),
			},
		});
		for (const message of ["cancel", "replace", "fail"]) {
			child.tell(message);
			await rest();
		}
		parent.tell("restart");
		child.tell("last");
		await rest();
		expect(seen).toEqual(["cancel", "replace", "second tick", "fail", "last"]);
	});
});

describe("become", () => {
	it("replaces the handler until unbecome, and ends with the life", async () => {
		const seen: unknown[] = [];
		const { child, parent } = await parentOf({
			name: "a",
			behaviour: {
				local: () => ({
					receive(message, context) {
						seen.push(`first ${message}`);
						if (message === "become") {
							context.become({
								receive(inner) {
									seen.push(`second ${inner}`);
									if (inner === "back") context.unbecome();
									if (inner === "fail") throw new Error("failed");
								},
							});
						}
					},
				}),
			},
		});
		for (const message of ["become", 1, "back", 2, "become", "fail"]) child.tell(message);
		await rest();
		parent.tell("restart");
		child.tell(3);
		await rest();
		expect(seen).toEqual([
			"first become",
			"second 1",
			"second back",
			"first 2",
			"first become",
			"second fail",
			"first 3",
		]);
	});
});

describe("reports", () => {
	it("a top actor that fails is stopped, with an event", async () => {
		const ref = await spawn(() => {
			throw new Error("boom");
		});
		ref.tell(1);
		await rest();
		expect(events).toMatchObject([{ type: "top-actor-failed", name: "a", reason: { error: { message: "boom" } } }]);
		expect(ref.tell(2)).toBe("dead");
		expect(dead("stopped")).toBe(1);
		expect(await system.lookup("a")).toBeNull();
	});

	it("dead letters are kept, streamed, and announced until there are too many", async () => {
		const ref = await spawn(() => {});
		await simulation.complete(system.stopActor(ref));
		const streamed: string[] = [];
		system.deadLetters$.subscribe(({ messageType }) => streamed.push(String(messageType)));
		const announced = (): number => events.filter(({ type }) => type === "dead-letter").length;
		for (let i = 0; i < DEAD_LETTER_EVENTS_MAX + 5; i++) ref.tell({ type: `m${i}` });
		expect(announced()).toBe(DEAD_LETTER_EVENTS_MAX);
		expect(streamed.length).toBe(DEAD_LETTER_EVENTS_MAX + 5);
		expect(system.deadLetters.recent().at(-1)).toMatchObject({
			reason: "stopped",
			messageType: `m${DEAD_LETTER_EVENTS_MAX + 4}`,
			target: ref.address,
			sender: null,
		});
		await simulation.run({ untilMs: simulation.nowMs + DEAD_LETTER_SILENCE_MS });
		ref.tell({ type: "later" });
		expect(announced()).toBe(DEAD_LETTER_EVENTS_MAX + 1);
	});

	it("an observer of events that throws is reported to the others", async () => {
		system.events$.subscribe(() => {
			throw new Error("observer");
		});
		system.publish({ type: "something" });
		await rest();
		expect(events.map(({ type }) => type)).toEqual(["something", "observer-failed"]);
		system.publish({ type: "again" });
		expect(events.length).toBe(3);
	});

	it("a handler that fails after its actor was killed is not swallowed", async () => {
		const ref = await spawn(async (_message: unknown, context) => {
			await new Promise<void>((resolve) => {
				context.clock.schedule(20, resolve);
			});
			throw new Error("too late");
		});
		ref.tell(1);
		await simulation.run({ untilMs: simulation.nowMs + 5 });
		await simulation.complete(system.stopActor(ref, 0));
		await rest();
		expect(events).toMatchObject([{ type: "late-failure", name: "a", error: { message: "too late" } }]);
	});

	it("messages told and handled are counted", async () => {
		const ref = await spawn(() => {});
		for (let i = 0; i < 5; i++) ref.tell(i);
		await rest();
		const read = (system.metrics as unknown as { read(): ReadonlyMap<string, unknown> }).read();
		expect(read.get("actor.told")).toMatchObject({ value: 5 });
		expect(read.get("actor.handled")).toMatchObject({ value: 5 });
	});
});

describe("the end of a life", () => {
	/** A parent of two children, which notes the order of its last hooks and of their ends. */
	async function ending(): Promise<{ parent: ActorRef; keeper: ActorRef; order: string[] }> {
		const order: string[] = [];
		const leaf = (name: string): ActorSpec => ({
			name,
			behaviour: { local: (): Behaviour => ({ receive() {}, stopping: () => void order.push(`${name} stopping`) }) },
		});
		const middle: ActorSpec = {
			name: "middle",
			behaviour: {
				local: (): Behaviour => {
					let first: ActorRef | null = null;
					return {
						async started(context, restarts) {
							order.push(`started ${restarts}`);
							first = await context.spawn(leaf("first"));
							await context.spawn(leaf("second"));
						},
						receive() {
							throw new Error("failed");
						},
						signal(signal) {
							order.push(signal.type);
						},
						async stopChildren(context) {
							order.push("stopChildren");
							if (first !== null) await context.stop(first);
						},
						restarting: () => void order.push("restarting"),
						stopping: () => void order.push("stopping"),
					};
				},
			},
		};
		const { child, parent } = await parentOf(middle);
		return { parent: child, keeper: parent, order };
	}

	it("stops children as the behaviour wants, the rest in reverse, then itself", async () => {
		const { keeper, order } = await ending();
		await simulation.complete(system.stopActor(keeper));
		expect(order).toEqual(["started 0", "stopChildren", "first stopping", "second stopping", "stopping"]);
	});

	it("before a restart does the same, and tells the new life nothing of it", async () => {
		const { parent, keeper, order } = await ending();
		parent.tell("fail");
		await rest();
		keeper.tell("restart");
		await rest();
		expect(order).toEqual([
			"started 0",
			"stopChildren",
			"first stopping",
			"second stopping",
			"restarting",
			"started 1",
		]);
	});
});

describe("a system that stops", () => {
	it("ends its actors in reverse order of their start and refuses new ones", async () => {
		const ended: string[] = [];
		for (const name of ["first", "second"]) {
			const behaviour = { local: (): Behaviour => ({ receive() {}, stopping: () => void ended.push(name) }) };
			await simulation.complete(system.spawn({ name, behaviour }));
		}
		const stopped = system.stop();
		expect(system.stop()).toBe(stopped);
		await simulation.complete(stopped);
		expect(ended).toEqual(["second", "first"]);
		const spec: ActorSpec = { name: "late", behaviour: { local: (): Behaviour => ({ receive() {} }) } };
		await expect(system.spawn(spec)).rejects.toMatchObject({ code: "system-stopped" });
	});

	it("ends everything when an actor can not be ended in order, and only then says so", async () => {
		const module = "file:///idle.js";
		class Idle implements Behaviour {
			receive(): void {}
		}
		const other = new Simulation({ seed: 2, modules: new Map([[module, { Idle }]]) });
		const { threads } = other.backend;
		let closed = false;
		const disturbed = new ActorSystem(
			overriding(other.backend, {
				threads: overriding(threads, {
					control: (slot) => overriding(threads.control(slot), { stop: () => Promise.reject(new Error("no answer")) }),
				}),
				close: async () => {
					closed = true;
				},
			}),
		);
		const ended: string[] = [];
		const local = { local: (): Behaviour => ({ receive() {}, stopping: () => void ended.push("first") }) };
		await other.complete(disturbed.spawn({ name: "first", behaviour: local }));
		const behaviour = { module, export: "Idle" };
		await other.complete(disturbed.spawn({ name: "second", behaviour, placement: "dedicated" }));
		await expect(other.complete(disturbed.stop())).rejects.toThrow("no answer");
		expect(ended).toEqual(["first"]);
		expect(threads.status().map(({ spec }) => spec.name)).toEqual(["main"]);
		expect(closed).toBe(true);
	});
});

describe("what the kernel says it is at", () => {
	it("is nothing any more after a hook that threw", async () => {
		const at: string[] = [];
		const activity: Activity = {
			enter: (_actor, kind) => void at.push(kind),
			leave: () => void at.pop(),
			holds() {},
		};
		const other = new Simulation({ seed: 2 });
		const observed = new ActorSystem(overriding(other.backend, { ports: { ...other.backend.ports, activity } }));
		const behaviour = {
			local: (): Behaviour => ({
				receive(message, context) {
					if (message === "throw") throw new Error("in receive");
					context.timers.run("late", 1, () => {
						throw new Error("in a timer");
					});
				},
			}),
		};
		for (const [name, message] of [
			["a", "throw"],
			["b", "later"],
		] as const) {
			const ref = await other.complete(observed.spawn({ name, behaviour }));
			ref.tell(message);
			await other.run({ untilMs: other.nowMs + 100 });
			expect(at).toEqual([]);
		}
		await other.complete(observed.stop());
	});
});

/** The same object, with some of its members replaced. */
function overriding<T extends object>(target: T, members: Partial<T>): T {
	return new Proxy(target, {
		get(_, key) {
			if (key in members) return members[key as keyof T];
			const value: unknown = Reflect.get(target, key);
			return typeof value === "function" ? value.bind(target) : value;
		},
	});
}
