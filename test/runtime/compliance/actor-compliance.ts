/**
 * What every backend owes to actors, as a function of the world they run in: virtual threads or real ones.
 *
 * Method: puppets (test/fixtures/actors.ts) do what they are told and publish what happens to them; a rule is an order
 * of such notes, or an answer. No rule waits for time to pass, each waits for what it expects. Nothing is imported from
 * the sources but types, so that the suite runs on the built package as well.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Address } from "../../../runtime/actor/address.ts";
import type { ActorSpec, MailboxSpec, ModuleSource, Placement } from "../../../runtime/actor/behaviour.ts";
import type { DeadLetterReason } from "../../../runtime/actor/ports.ts";
import type { ActorRef } from "../../../runtime/actor/ref.ts";
import type { Noted, Order, Outcome, PuppetArgs, StreamOrder } from "../../fixtures/actors.ts";

/** One system with what the rules need of it. A new one for each test. */
export interface ActorWorld {
	/** Names an export of test/fixtures/actors. */
	source(exported: "Puppet" | "Careless" | "doubling" | "nowhere", args?: unknown): ModuleSource;
	/** Starts a top actor. */
	spawn<M>(spec: ActorSpec): Promise<ActorRef<M>>;
	stopActor(ref: ActorRef, timeoutMs?: number): Promise<void>;
	lookup(name: string): Promise<ActorRef | null>;
	ref<M>(address: Address): ActorRef<M>;
	/** All events so far. */
	readonly events: readonly { readonly type: string }[];
	deadLetters(reason: DeadLetterReason): number;
	/** Waits for a promise; in virtual time lets time pass until it has settled. */
	run<T>(promise: Promise<T>): Promise<T>;
	/** Waits until `done` holds, looking after each event. */
	until(what: string, done: () => boolean): Promise<void>;
	/** Ends an actor's thread as a crash would, and resolves when the system knows. */
	killThreadOf(ref: ActorRef): Promise<void>;
	replaceThreadOf(ref: ActorRef): Promise<void>;
	close(): Promise<void>;
}

/** Where the actor under test lives: with the asker on the main thread, alone on a thread, or among others on one. */
const PLACEMENTS: readonly Placement[] = ["local", "dedicated", "shared"];
/** Long enough never to pass in a test that is right. */
const LONG_MS = 60_000;

export function actorCompliance(name: string, setup: () => Promise<ActorWorld>): void {
	describe(`actors on ${name}`, () => {
		let world: ActorWorld;
		beforeEach(async () => {
			world = await setup();
		});
		afterEach(() => world.close());

		const puppet = (
			actor: string,
			placement: Placement = "local",
			args: PuppetArgs = {},
			mailbox: MailboxSpec = {},
		): ActorSpec => ({ name: actor, behaviour: world.source("Puppet", args), placement, mailbox });
		const spawn = (
			actor: string,
			placement?: Placement,
			args?: PuppetArgs,
			mailbox?: MailboxSpec,
		): Promise<ActorRef<Order>> => world.run(world.spawn<Order>(puppet(actor, placement, args, mailbox)));
		const ask = <R>(ref: ActorRef<Order>, order: Order, timeoutMs = LONG_MS): Promise<R> =>
			world.run(ref.ask<R>(order, { timeoutMs }));
		const notes = (actor: string): string[] =>
			world.events
				.filter((event): event is Noted => event.type === "noted" && (event as Noted).actor === actor)
				.map((event) => event.note);
		const noted = async (actor: string, ...expected: string[]): Promise<void> => {
			await world.until(`${actor} has noted ${expected.length} times`, () => notes(actor).length >= expected.length);
			expect(notes(actor)).toEqual(expected);
		};
		const noteWith = async (actor: string, text: string): Promise<void> => {
			await world.until(`${actor} has noted ${text}`, () => notes(actor).includes(text));
		};
		/** A child of a puppet on the main thread, which restarts it if told to. */
		const family = async (
			placement: Placement,
			args: PuppetArgs = {},
			parentArgs: PuppetArgs = { restartsChildren: true },
			mailbox: MailboxSpec = {},
		): Promise<{ parent: ActorRef<Order>; child: ActorRef<Order> }> => {
			const parent = await spawn("parent", "local", parentArgs);
			const spec = puppet("child", placement, args, mailbox);
			const spawned = await ask<Outcome>(parent, { type: "spawn", spec });
			expect(spawned).toHaveProperty("value");
			return { parent, child: world.ref<Order>((spawned as { value: Address }).value) };
		};
		const tell = (ref: ActorRef<Order>, ...orders: Order[]): void => {
			for (const order of orders) expect(ref.tell(order)).toBe("ok");
		};
		const note = (text: string): Order => ({ type: "note", note: text });
		const fails = (promise: Promise<unknown>, code: string): Promise<void> =>
			expect(world.run(promise)).rejects.toMatchObject({ code });

		describe.each(PLACEMENTS)("placed %o", (placement) => {
			describe("messages", () => {
				it("are handled in the order in which one sender told them", async () => {
					const ref = await spawn("a", placement);
					const texts = Array.from({ length: 300 }, (_, i) => `n${i}`);
					tell(ref, ...texts.map(note));
					await noted("a", "started 0", ...texts);
				});

				it("come with their sender, which is an actor, or nobody", async () => {
					const ref = await spawn("a", placement);
					const other = await spawn("b", "local");
					expect(await ask(ref, { type: "who-sends" })).toBeNull();
					const asked = await ask(other, { type: "ask", to: ref.address, message: { type: "who-sends" } });
					expect(asked).toEqual({ value: other.address });
				});

				it("wait while an asynchronous handler is at work; those of neighbours do not", async () => {
					const ref = await spawn("a", placement);
					const other = await spawn("b", placement);
					tell(ref, { type: "work", ms: 50, note: "worked" }, note("after"));
					expect(await ask(other, { type: "echo", value: 1 })).toBe(1);
					await noted("a", "started 0", "worked", "after");
				});

				it("end in one drained hook for each batch", async () => {
					const ref = await spawn("a", placement, { notesDrained: true });
					tell(ref, note("1"), note("2"));
					await noteWith("a", "drained");
					const all = notes("a").filter((text) => text !== "drained");
					expect(all.slice(0, 2)).toEqual(["started 0", "1"]);
					expect(notes("a").at(-1)).toBe("drained");
				});
			});

			describe("asks", () => {
				it("are answered by value", async () => {
					const ref = await spawn("a", placement);
					const value = { text: "x", list: [1, 2.5, null], nested: { yes: true } };
					expect(await ask(ref, { type: "echo", value })).toEqual(value);
				});

				it("can be answered after the hook", async () => {
					const ref = await spawn("a", placement);
					expect(await ask(ref, { type: "echo-after", ms: 5, value: 7 })).toBe(7);
				});

				it("reject with what the handler threw, or refused with", async () => {
					const ref = await spawn("a", placement);
					await expect(ask(ref, { type: "refuse" })).rejects.toMatchObject({ code: "internal", message: "refused" });
					await expect(ask(ref, { type: "fail" })).rejects.toMatchObject({ message: "told to fail" });
				});

				it("reject when time is up, and a late answer vanishes", async () => {
					const ref = await spawn("a", placement);
					await fails(ref.ask({ type: "echo-after", ms: 30, value: 1 }, { timeoutMs: 5 }), "ask-timeout");
					expect(await ask(ref, { type: "echo-after", ms: 60, value: 2 })).toBe(2);
				});

				it("whose time is up are dropped unseen", async () => {
					const ref = await spawn("a", placement);
					tell(ref, { type: "work", ms: 40, note: "worked" });
					await fails(ref.ask({ type: "echo", value: 1 }, { timeoutMs: 5 }), "ask-timeout");
					await world.until("the ask is reported", () => world.deadLetters("expired") === 1);
				});

				it("reject at once when the actor stops before it answers", async () => {
					const ref = await spawn("a", placement);
					const asked = ref.ask({ type: "echo-after", ms: LONG_MS, value: 1 }, { timeoutMs: LONG_MS });
					tell(ref, { type: "stop-self" });
					await fails(asked, "actor-dead");
				});

				it("reject at once when the actor is no more", async () => {
					const ref = await spawn("a", placement);
					await world.run(world.stopActor(ref));
					await fails(ref.ask({ type: "echo", value: 1 }, { timeoutMs: LONG_MS }), "actor-dead");
				});

				it("between two actors go both ways", async () => {
					const a = await spawn("a", placement);
					const b = await spawn("b", placement);
					const order: Order = { type: "ask", to: b.address, message: { type: "echo", value: "x" } };
					expect(await ask(a, order)).toEqual({ value: "x" });
					const back: Order = { type: "ask", to: a.address, message: { type: "echo", value: "y" } };
					expect(await ask(b, back)).toEqual({ value: "y" });
				});
			});

			describe("a life", () => {
				it("goes started, messages, stopping", async () => {
					const ref = await spawn("a", placement);
					tell(ref, note("1"));
					await noteWith("a", "1");
					await world.run(world.stopActor(ref));
					await noted("a", "started 0", "1", "stopping shutdown");
				});

				it("ends normally by stopSelf, after the present message", async () => {
					const ref = await spawn("a", placement);
					tell(ref, { type: "stop-self" }, note("never"));
					await noted("a", "started 0", "stopping normal");
					await world.until("the message is reported", () => world.deadLetters("stopped") === 1);
				});

				it("that fails to start rejects with what was thrown, and leaves nothing", async () => {
					await expect(spawn("a", placement, { failStarts: [0] })).rejects.toMatchObject({ message: "start 0 fails" });
					expect(await world.run(world.lookup("a"))).toBeNull();
					await spawn("a", placement);
				});

				it("whose module does not exist rejects", async () => {
					const spec: ActorSpec = { name: "a", behaviour: world.source("nowhere"), placement };
					await fails(world.spawn(spec), "export-missing");
				});

				it("is killed when its last hook takes too long", async () => {
					const ref = await spawn("a", placement, { hangs: true });
					const watcher = await spawn("w");
					tell(watcher, { type: "watch", target: ref.address });
					await ask(watcher, { type: "echo", value: 0 });
					await ask(ref, { type: "echo", value: 0 });
					await world.run(world.stopActor(ref, 20));
					await noted("w", "started 0", "terminated a killed");
				});

				it("killed at once has no last hook", async () => {
					const ref = await spawn("a", placement);
					await world.run(world.stopActor(ref, 0));
					await noted("a", "started 0");
				});
			});

			describe("names", () => {
				it("lead to their actor while it lives, from every thread", async () => {
					const ref = await spawn("a", placement);
					const other = await spawn("b", placement);
					expect((await world.run(world.lookup("a")))?.address).toEqual(ref.address);
					expect(await ask(other, { type: "lookup", name: "a" })).toEqual(ref.address);
					expect(await ask(other, { type: "lookup", name: "nobody" })).toBeNull();
				});

				it("are taken once, and free again after the end", async () => {
					const ref = await spawn("a", placement);
					await fails(world.spawn(puppet("a", placement)), "name-taken");
					await world.run(world.stopActor(ref));
					const again = await spawn("a", placement);
					expect(again.address).not.toEqual(ref.address);
				});
			});

			describe("a failure", () => {
				it("suspends the actor, and its parent hears of it with the message", async () => {
					const { child } = await family(placement, {}, {});
					tell(child, { type: "fail" }, note("kept"));
					await noted("parent", "started 0", "child-failed child failed at fail");
					expect(notes("child")).toEqual(["started 0"]);
				});

				it("of an asynchronous handler counts alike", async () => {
					const { child } = await family(placement, {}, {});
					tell(child, { type: "fail", async: true });
					await noted("parent", "started 0", "child-failed child failed at fail");
				});

				it("is mended by a restart, which keeps address and mailbox and drops the message", async () => {
					const { child } = await family(placement);
					tell(child, { type: "fail" }, note("kept"));
					await noted("child", "started 0", "restarting told to fail", "started 1", "kept");
					expect(await ask(child, { type: "echo", value: 1 })).toBe(1);
				});

				it("counts restarts up, and a failed one leaves the child suspended", async () => {
					const { parent, child } = await family(placement, { failStarts: [1] }, {});
					tell(child, { type: "fail" });
					await noteWith("parent", "child-failed child failed at fail");
					const first = await ask<Outcome>(parent, { type: "restart-child", child: child.address });
					expect(first).toHaveProperty("error");
					const second = await ask(parent, { type: "restart-child", child: child.address });
					expect(second).toEqual({ value: 2 });
					tell(child, note("alive"));
					await noteWith("child", "alive");
				});

				it("fails a parent that has no signal hook", async () => {
					const top = await spawn("top", "local");
					const spec: ActorSpec = { name: "careless", behaviour: world.source("Careless") };
					const { value } = await ask<{ value: Address }>(top, { type: "spawn", spec });
					const careless = world.ref<Order>(value);
					const inner = await ask<Address>(careless, { type: "spawn", spec: puppet("inner", placement) });
					tell(world.ref<Order>(inner), { type: "fail" });
					await noted("top", "started 0", "child-failed careless failed at nothing");
				});

				it("ends an actor whose parent stops it, with the failure as reason", async () => {
					const { parent, child } = await family(placement, {}, {});
					tell(child, { type: "fail" }, note("lost"));
					await noteWith("parent", "child-failed child failed at fail");
					await ask(parent, { type: "stop-child", child: child.address });
					await noteWith("parent", "child-stopped child failed at fail");
					await noted("child", "started 0", "stopping failed");
				});
			});

			describe("a suspension", () => {
				it("ends the life in order and keeps the place until a restart", async () => {
					const { parent, child } = await family(placement, {}, {});
					await ask(parent, { type: "suspend-child", child: child.address });
					tell(child, note("waits"));
					await noted("child", "started 0", "stopping shutdown");
					expect(await ask(parent, { type: "restart-child", child: child.address })).toEqual({ value: 1 });
					await noted("child", "started 0", "stopping shutdown", "started 1", "waits");
					expect(notes("parent")).toEqual(["started 0"]);
				});
			});

			describe("children", () => {
				it("end before their parent, the last started first", async () => {
					const parent = await spawn("parent", "local");
					await ask(parent, { type: "spawn", spec: puppet("first", placement) });
					await ask(parent, { type: "spawn", spec: puppet("second", placement) });
					await world.run(world.stopActor(parent));
					await noteWith("parent", "stopping shutdown");
					const ends = world.events.filter(
						(event): event is Noted => event.type === "noted" && (event as Noted).note === "stopping shutdown",
					);
					expect(ends.map(({ actor }) => actor)).toEqual(["second", "first", "parent"]);
				});

				it("are their parent's only", async () => {
					const { child } = await family(placement);
					const stranger = await spawn("stranger");
					expect(await ask(stranger, { type: "restart-child", child: child.address })).toEqual({
						error: "not-a-child",
					});
				});

				it("that end by themselves are reported once", async () => {
					const { parent, child } = await family(placement);
					tell(child, { type: "stop-self" });
					await noteWith("parent", "child-stopped child normal");
					await ask(parent, { type: "echo", value: 0 });
					await noted("parent", "started 0", "child-stopped child normal");
				});
			});

			describe("a watch", () => {
				it("is answered once, after every message that the dead had sent", async () => {
					const watcher = await spawn("w", "local");
					const target = await spawn("a", placement);
					tell(watcher, { type: "watch", target: target.address });
					await ask(watcher, { type: "echo", value: 0 });
					await ask(target, { type: "echo", value: 0 });
					const last = Array.from({ length: 50 }, (_, i) => note(`m${i}`));
					tell(target, { type: "tell-and-stop", to: watcher.address, messages: last });
					await noted("w", "started 0", ...last.map((_, i) => `m${i}`), "terminated a normal");
				});

				it("across threads is answered after every message too", async () => {
					const watcher = await spawn("w", placement);
					const target = await spawn("a", "dedicated");
					tell(watcher, { type: "watch", target: target.address });
					await ask(watcher, { type: "echo", value: 0 });
					await ask(target, { type: "echo", value: 0 });
					const last = Array.from({ length: 50 }, (_, i) => note(`m${i}`));
					tell(target, { type: "tell-and-stop", to: watcher.address, messages: last });
					await noted("w", "started 0", ...last.map((_, i) => `m${i}`), "terminated a normal");
				});

				it("on a dead actor is answered at once", async () => {
					const watcher = await spawn("w", "local");
					const target = await spawn("a", placement);
					await world.run(world.stopActor(target));
					tell(watcher, { type: "watch", target: target.address });
					await world.until("the watcher is told", () => notes("w").length === 2);
					expect(notes("w")[1]).toMatch(/^terminated /);
				});

				it("given up is not answered", async () => {
					const watcher = await spawn("w", placement);
					const target = await spawn("a", "local");
					tell(watcher, { type: "watch", target: target.address }, { type: "unwatch", target: target.address });
					await ask(watcher, { type: "echo", value: 0 });
					await world.run(world.stopActor(target));
					await ask(watcher, { type: "echo", value: 0 });
					await noted("w", "started 0");
				});

				it("outlives restarts of the watched", async () => {
					const watcher = await spawn("w", "local");
					const { parent, child } = await family(placement);
					tell(watcher, { type: "watch", target: child.address });
					await ask(watcher, { type: "echo", value: 0 });
					tell(child, { type: "fail" });
					await noteWith("child", "started 1");
					await ask(parent, { type: "stop-child", child: child.address });
					await noted("w", "started 0", "terminated child shutdown");
				});

				it("by a link fails the actor when the other fails, not when it ends normally", async () => {
					const { child } = await family(placement, {}, {});
					const calm = await spawn("calm", "local");
					const upset = await spawn("upset", "local");
					tell(child, { type: "link", target: calm.address }, { type: "link", target: upset.address });
					await ask(child, { type: "echo", value: 0 });
					tell(calm, { type: "stop-self" });
					await noteWith("child", "terminated calm normal");
					tell(upset, { type: "fail" });
					await noteWith("parent", "child-failed child failed at nothing");
				});
			});

			describe("a stash", () => {
				it("comes back first in first out, before what waits", async () => {
					const ref = await spawn("a", placement);
					tell(ref, { type: "become" });
					tell(ref, { type: "unbecome" });
					await noted("a", "started 0", "as another: unbecome");
				});

				it("survives a restart", async () => {
					const { child } = await family(placement);
					tell(child, { type: "stash" }, { type: "fail" }, note("after"));
					// The stashed order is handled again by the new life, which stashes it again.
					await noted("child", "started 0", "restarting told to fail", "started 1", "after");
				});

				it("is reported when the actor stops", async () => {
					const ref = await spawn("a", placement);
					tell(ref, { type: "stash" }, { type: "stash" }, { type: "stop-self" });
					await world.until("both are reported", () => world.deadLetters("stopped") === 2);
				});
			});

			describe("timers", () => {
				it("tick once, are replaced by key, and cancelled", async () => {
					const ref = await spawn("a", placement);
					tell(
						ref,
						{ type: "timer", key: "replaced", afterMs: 5, message: note("never") },
						{ type: "timer", key: "replaced", afterMs: 10, message: note("tick") },
						{ type: "timer", key: "cancelled", afterMs: 5, message: note("never") },
						{ type: "cancel", key: "cancelled" },
						{ type: "run", key: "run", afterMs: 30, note: "ran" },
					);
					await noted("a", "started 0", "tick", "ran");
				});

				it("end with the life that set them", async () => {
					const { child } = await family(placement);
					tell(child, { type: "timer", key: "old", afterMs: 20, message: note("never") }, { type: "fail" });
					await noteWith("child", "started 1");
					tell(child, { type: "timer", key: "new", afterMs: 40, message: note("tick") });
					await noted("child", "started 0", "restarting told to fail", "started 1", "tick");
				});
			});

			describe("a reactive behaviour", () => {
				const stream = async (): Promise<ActorRef<StreamOrder>> => {
					const parent = await spawn("parent", "local", { restartsChildren: true });
					const spec: ActorSpec = { name: "stream", behaviour: world.source("doubling"), placement };
					const { value } = await ask<{ value: Address }>(parent, { type: "spawn", spec });
					return world.ref<StreamOrder>(value);
				};

				it("performs the effects that its stream emits", async () => {
					const ref = await stream();
					expect(await world.run(ref.ask({ type: "double", x: 21 }))).toBe(42);
				});

				it.each(["operator-throws", "effect-throws", "observer-throws"] as const)(
					"fails with the message that caused it: %s",
					async (type) => {
						const ref = await stream();
						ref.tell({ type });
						await noteWith("parent", `child-failed stream failed at ${type}`);
						await noteWith("parent", "restarted stream 1");
						expect(await world.run(ref.ask({ type: "double", x: 2 }))).toBe(4);
					},
				);

				it("tells time by its actor's clock, and fails by what throws there", async () => {
					const ref = await stream();
					ref.tell({ type: "later", ms: 5 });
					await noted("stream", "tick 0", "tick 1");
					ref.tell({ type: "error-later", ms: 5 });
					await noteWith("parent", "child-failed stream failed at nothing");
				});

				it("ends normally by its stop effect", async () => {
					const ref = await stream();
					ref.tell({ type: "finish" });
					await noteWith("parent", "child-stopped stream normal");
				});
			});
		});

		describe("dead letters", () => {
			it("name what nobody takes", async () => {
				const ref = await spawn("a", "dedicated");
				const nobody = world.ref<Order>({ ...ref.address, actor: 4711 });
				nobody.tell(note("x"));
				await world.until("it is reported", () => world.deadLetters("no-such-actor") === 1);
			});

			it("count what finds a full mailbox on another thread", async () => {
				const ref = await spawn("a", "shared", {}, { capacity: 2 });
				tell(ref, { type: "work", ms: 30, note: "worked" });
				await ask(await spawn("b", "shared"), { type: "echo", value: 0 });
				for (let i = 0; i < 5; i++) ref.tell(note(`n${i}`));
				await noted("a", "started 0", "worked", "n0", "n1");
				expect(world.deadLetters("mailbox-full")).toBe(3);
			});
		});

		describe("placement", () => {
			it("of other threads is refused off the main thread; local children are not", async () => {
				const ref = await spawn("a", "dedicated");
				expect(await ask(ref, { type: "spawn", spec: puppet("b", "dedicated") })).toEqual({
					error: "placement-needs-main-thread",
				});
				const { value } = await ask<{ value: Address }>(ref, { type: "spawn", spec: puppet("c", "local") });
				expect(value.slot).toBe(ref.address.slot);
				expect(await ask(world.ref<Order>(value), { type: "echo", value: 3 })).toBe(3);
				await fails(world.spawn(puppet("c")), "name-taken");
			});

			it("in a group shares one thread", async () => {
				const a = await spawn("a", { group: "g" });
				const b = await spawn("b", { group: "g" });
				const c = await spawn("c", { group: "h" });
				expect(b.address.slot).toBe(a.address.slot);
				expect(c.address.slot).not.toBe(a.address.slot);
			});
		});

		describe("the death of a thread", () => {
			it("fails the asks to its actors at once", async () => {
				const ref = await spawn("a", "dedicated");
				const asked = ref.ask({ type: "echo-after", ms: LONG_MS, value: 0 }, { timeoutMs: LONG_MS });
				const killed = world.killThreadOf(ref);
				await fails(asked, "actor-dead");
				await world.run(killed);
			});

			it("loses nothing that an actor said before its start was answered", async () => {
				const { child } = await family("dedicated", {}, {});
				await world.run(world.killThreadOf(child));
				await noteWith("parent", "child-failed child lost-with-thread at nothing");
				expect(notes("child")).toEqual(["started 0"]);
			});

			it("suspends a dedicated actor, whose mailbox waits for the replacement", async () => {
				const { child } = await family("dedicated", {}, { restartsChildren: true });
				await ask(child, { type: "echo", value: 0 });
				await world.run(world.killThreadOf(child));
				await noteWith("parent", "child-failed child lost-with-thread at nothing");
				tell(child, note("waited"));
				const asked = child.ask({ type: "echo", value: 8 }, { timeoutMs: LONG_MS });
				await world.run(world.replaceThreadOf(child));
				expect(await world.run(asked)).toBe(8);
				await noteWith("parent", "restarted child 1");
				expect(notes("child")).toEqual(["started 0", "started 1", "waited"]);
			});

			it("delivers the interrupted message of a dedicated actor again", async () => {
				const { child } = await family("dedicated", {}, { restartsChildren: true });
				tell(child, { type: "work", ms: 200, note: "worked" }, note("after"));
				await world.until("the handler is at work", () => true);
				await ask(await spawn("other", "local"), { type: "echo", value: 0 });
				await world.run(world.killThreadOf(child));
				await world.run(world.replaceThreadOf(child));
				await noted("child", "started 0", "started 1", "worked", "after");
			});

			it("keeps watches: no notice while the actor can come back, one when it can not", async () => {
				const watcher = await spawn("w", "local");
				const { parent, child } = await family("dedicated", {}, { restartsChildren: true });
				tell(watcher, { type: "watch", target: child.address });
				await ask(watcher, { type: "echo", value: 0 });
				await ask(child, { type: "echo", value: 0 });
				await world.run(world.killThreadOf(child));
				await world.run(world.replaceThreadOf(child));
				await noteWith("parent", "restarted child 1");
				expect(notes("w")).toEqual(["started 0"]);
				await ask(parent, { type: "stop-child", child: child.address });
				await noted("w", "started 0", "terminated child shutdown");
			});

			it("ends an actor that is stopped while its thread is dead", async () => {
				const watcher = await spawn("w", "local");
				const { parent, child } = await family("dedicated", {}, {});
				tell(watcher, { type: "watch", target: child.address });
				await ask(watcher, { type: "echo", value: 0 });
				await world.run(world.killThreadOf(child));
				await noteWith("parent", "child-failed child lost-with-thread at nothing");
				await ask(parent, { type: "stop-child", child: child.address });
				await noteWith("w", "terminated child killed");
				expect(await world.run(world.lookup("child"))).toBeNull();
			});

			it("takes the mailboxes of shared actors with it, and counts them", async () => {
				const { child } = await family("shared", {}, { restartsChildren: true });
				tell(child, { type: "work", ms: 10_000, note: "never" }, note("lost"), note("lost"));
				const neighbour = await spawn("neighbour", "shared");
				await ask(neighbour, { type: "echo", value: 0 });
				await world.run(world.killThreadOf(child));
				await noteWith("parent", "child-failed child lost-with-thread at nothing");
				await world.run(world.replaceThreadOf(child));
				expect(await ask(child, { type: "echo", value: 1 })).toBe(1);
				// The one that was at work, too: its handler had awaited.
				expect(world.deadLetters("lost-with-thread")).toBe(3);
			});
		});
	});
}
