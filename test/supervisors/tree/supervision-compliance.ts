/**
 * The rules of supervision, one test a rule, as a function of the world they run in: the simulation's virtual threads or
 * real ones. Rules quoted as OTP are from the reference of Erlang/OTP's `supervisor`.
 *
 * Method: children tell the event stream what happens to them, the supervisor tells it what it decides; a rule is an
 * order of such events, or an answer of the supervisor. No rule waits for time to pass: each waits for an event.
 * Nothing is imported from the sources but types, so that the suite runs on the built package as well.
 */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Address } from "../../../runtime/actor/address.ts";
import type { ActorContext, ActorSpec, Behaviour, ModuleSource, Placement } from "../../../runtime/actor/behaviour.ts";
import type { ActorRef } from "../../../runtime/actor/ref.ts";
import type { Signal } from "../../../runtime/actor/signal.ts";
import type {
	ChildSpec,
	DynamicSupervisorSpec,
	StaticSupervisorSpec,
	SupervisionEvent,
	SupervisorClient,
	SupervisorSpec,
	ThreadSupervisionEvent,
} from "../../../supervisors/index.ts";
import type {
	SupervisedWorkerArgs,
	SupervisedWorkerMessage,
	WorkerEvent,
	WorkerReport,
} from "../../fixtures/supervised-worker.ts";

type TreeEvent = SupervisionEvent | ThreadSupervisionEvent | WorkerEvent;

/** One system with what the rules need of it. */
export interface SupervisionWorld {
	supervisorActor(spec: SupervisorSpec): ActorSpec;
	client(ref: ActorRef): SupervisorClient;
	/** Names an export of a fixture module. */
	source(module: "supervised-worker", exported: string, args: unknown): ModuleSource;
	/** Time is the simulation's. */
	readonly isVirtual: boolean;
	/** Where ordinary children live: all on one thread, so that their events have one order. */
	readonly placement: Placement;
	/** Starts an actor of the system itself. */
	spawn(spec: ActorSpec): Promise<ActorRef>;
	stop(ref: ActorRef): Promise<void>;
	ref(address: Address): ActorRef;
	/** All events so far. */
	readonly events: readonly { readonly type: string }[];
	/** Waits for a promise; in virtual time lets time pass until it has settled. */
	run<T>(promise: Promise<T>): Promise<T>;
	/** Waits until `done` holds, looking after each event. */
	until(what: string, done: () => boolean): Promise<void>;
	/** Ends an actor's thread as a crash would. */
	killThreadOf(ref: ActorRef): Promise<void>;
	/** From now on nobody replaces threads that end. */
	leaveThreads(): void;
	/** Replaces the ended thread of an actor. */
	replaceThreadOf(ref: ActorRef): Promise<void>;
	/** Gives the slot of an actor's ended thread back, as the thread supervisor does when it gives up. */
	giveUpThreadOf(ref: ActorRef): void;
	lookup(name: string): Promise<ActorRef | null>;
	close(): Promise<void>;
}

let stages = 0;

/** One test's supervisor, its keeper (the parent that hears its signals) and its children. */
class Stage {
	readonly #world: SupervisionWorld;
	readonly #prefix = `stage-${++stages}`;
	readonly #firstEvent: number;
	/** What the keeper has heard of the supervisor. */
	readonly signals: Signal[] = [];
	#keeper: ActorRef | null = null;
	#supervisor: ActorRef | null = null;

	constructor(world: SupervisionWorld) {
		this.#world = world;
		this.#firstEvent = world.events.length;
	}

	/** A worker child named `id`. */
	worker(id: string, spec: Partial<ChildSpec> = {}, args: SupervisedWorkerArgs = {}): ChildSpec {
		return { id, start: this.actor(id, args), ...spec };
	}

	actor(id: string, args: SupervisedWorkerArgs = {}, placement: Placement = this.#world.placement): ActorSpec {
		const behaviour = this.#world.source("supervised-worker", "SupervisedWorker", args);
		return { name: `${this.#prefix}.${id}`, behaviour, placement };
	}

	/** A nested supervisor's spec. */
	nested(id: string, spec: Omit<StaticSupervisorSpec, "name">): StaticSupervisorSpec {
		return { name: `${this.#prefix}.${id}`, ...spec };
	}

	/** Starts the supervisor under a keeper. Generous intensity unless the rule says otherwise. */
	async start(
		spec: Omit<StaticSupervisorSpec, "name"> | Omit<DynamicSupervisorSpec, "name">,
	): Promise<SupervisorClient> {
		const name = `${this.#prefix}.supervisor`;
		const tree = this.#world.supervisorActor({ name, intensity: 100, ...spec } as SupervisorSpec);
		const signals = this.signals;
		let supervisor: ActorRef | null = null;
		const keeper: Behaviour = {
			async started(context: ActorContext): Promise<void> {
				supervisor = await context.spawn(tree);
			},
			receive(): void {},
			signal(signal: Signal): void {
				signals.push(signal);
			},
		};
		const behaviour = { local: () => keeper };
		this.#keeper = await this.#world.run(this.#world.spawn({ name: `${this.#prefix}.keeper`, behaviour }));
		if (supervisor === null) throw new Error("the keeper started without its supervisor");
		this.#supervisor = supervisor;
		return this.client;
	}

	/** Its methods wait as the world waits. */
	get client(): SupervisorClient {
		if (this.#supervisor === null) throw new Error("no supervisor yet");
		const client = this.#world.client(this.#supervisor);
		const run = <T>(promise: Promise<T>): Promise<T> => this.#world.run(promise);
		return new Proxy(client, {
			get: (target, key) => {
				const member = Reflect.get(target, key, target) as unknown;
				if (typeof member !== "function") return member;
				return (...args: unknown[]) => run(Promise.resolve(Reflect.apply(member, target, args)));
			},
		});
	}

	get supervisor(): ActorRef {
		if (this.#supervisor === null) throw new Error("no supervisor yet");
		return this.#supervisor;
	}

	async stop(): Promise<void> {
		if (this.#keeper === null) return;
		const keeper = this.#keeper;
		this.#keeper = null;
		await this.#world.run(this.#world.stop(keeper));
	}

	async child(id: string): Promise<ActorRef<SupervisedWorkerMessage>> {
		const report = (await this.client.whichChildren()).find((one) => one.id === id);
		if (report?.address == null) throw new Error(`${id} has no address`);
		return this.#world.ref(report.address) as ActorRef<SupervisedWorkerMessage>;
	}

	/** The states of the children, in start order. */
	async states(): Promise<string[]> {
		return (await this.client.whichChildren()).map((child) => `${child.id} ${child.state}`);
	}

	async tell(id: string, message: SupervisedWorkerMessage): Promise<void> {
		(await this.child(id)).tell(message);
	}

	async report(id: string): Promise<WorkerReport> {
		return this.#world.run((await this.child(id)).ask<WorkerReport>({ type: "report" }));
	}

	/** Makes a child fail and waits until it runs again. */
	async failAndReturn(id: string): Promise<void> {
		const before = this.of("child-restarted", id).length;
		await this.tell(id, { type: "fail" });
		await this.until(`${id} is restarted`, () => this.of("child-restarted", id).length > before);
	}

	until(what: string, done: () => boolean): Promise<void> {
		return this.#world.until(what, done);
	}

	/** Waits for an event about a child. */
	event(type: SupervisionEvent["type"], child: string): Promise<void> {
		return this.until(`${type} of ${child}`, () => this.of(type, child).length > 0);
	}

	/** This stage's events. */
	get events(): TreeEvent[] {
		const mine = (this.#world.events as readonly TreeEvent[]).slice(this.#firstEvent);
		return mine.filter((event) => {
			const owner = "supervisor" in event ? event.supervisor : "name" in event ? event.name : "";
			return owner.startsWith(`${this.#prefix}.`);
		});
	}

	of<T extends SupervisionEvent["type"]>(type: T, child: string): Extract<SupervisionEvent, { readonly type: T }>[] {
		return this.events.filter(
			(event): event is Extract<SupervisionEvent, { readonly type: T }> =>
				event.type === type && "child" in event && event.child === child,
		);
	}

	/** What the workers did, as "started a", "stopping b", since a mark. */
	log(since = 0): string[] {
		const events = this.events.filter((event) => event.type === "worker").slice(since);
		return events
			.filter((event) => event.what !== "starting")
			.map((event) => `${event.what} ${event.name.slice(this.#prefix.length + 1)}`);
	}

	/** Everything that the workers do from now on; to be given to {@link log}. */
	async mark(): Promise<number> {
		await this.#settled();
		return this.events.filter((event) => event.type === "worker").length;
	}

	/** The workers have done this since the mark, in this order, and nothing else. */
	async expectLog(since: number, expected: readonly string[]): Promise<void> {
		await this.until(expected.join(", "), () => this.log(since).length >= expected.length);
		await this.#settled();
		expect(this.log(since)).toEqual(expected);
	}

	/** What happened on the children's thread has been told: its events come in the order of its answers. */
	async #settled(): Promise<void> {
		if (this.#keeper === null || this.signals.length > 0) return;
		const running = (await this.client.whichChildren()).find((one) => one.state === "running" && one.type === "worker");
		if (running !== undefined) await this.report(running.id);
	}
}

/** Shared memory that lets the next `count` starts of a worker fail. */
function failingStarts(count: number): SharedArrayBuffer {
	const shared = new SharedArrayBuffer(4);
	failNextStarts(shared, count);
	return shared;
}

function failNextStarts(shared: SharedArrayBuffer, count: number): void {
	Atomics.store(new Int32Array(shared), 0, count);
}

async function refusal(promise: Promise<unknown>): Promise<string> {
	try {
		await promise;
	} catch (error) {
		return (error as { code?: string }).code ?? String(error);
	}
	return "accepted";
}

const DAY_MS = 86_400_000;

export function describeSupervision(title: string, setup: () => Promise<SupervisionWorld>): void {
	describe(title, () => {
		let world: SupervisionWorld;
		let stage: Stage;

		beforeEach(async () => {
			world = await setup();
			stage = new Stage(world);
		});

		afterEach(async () => {
			await stage.stop();
			await world.close();
		});

		const three = (spec: Partial<ChildSpec> = {}): ChildSpec[] => ["a", "b", "c"].map((id) => stage.worker(id, spec));

		describe("start and stop", () => {
			it("children are started in the order of the list, each after the one before has started", async () => {
				await stage.start({ children: three() });
				await stage.mark();
				const order = stage.events.filter((event) => event.type === "worker");
				expect(order.map((event) => `${event.what} ${event.name.split(".")[1]}`)).toEqual([
					"starting a",
					"started a",
					"starting b",
					"started b",
					"starting c",
					"started c",
				]);
				expect(await stage.states()).toEqual(["a running", "b running", "c running"]);
			});

			it("children are terminated in reverse start order", async () => {
				await stage.start({ children: three() });
				const mark = await stage.mark();
				await stage.stop();
				await stage.until("all have ended", () => stage.log(mark).length === 3);
				await stage.expectLog(mark, ["stopping c", "stopping b", "stopping a"]);
			});

			it("a child that fails to start fails the start as a unit: those before it are ended in reverse", async () => {
				const broken = stage.worker("c", {}, { failingStarts: failingStarts(1) });
				const children = [stage.worker("a"), stage.worker("b"), broken, stage.worker("d")];
				expect(await refusal(stage.start({ children }))).toBe("child-start-failed");
				await stage.until("those before have ended", () => stage.log().length === 4);
				await stage.expectLog(0, ["started a", "started b", "stopping b", "stopping a"]);
			});

			it("the start of a tree is synchronous: inner children run when the outer supervisor has started", async () => {
				const inner = stage.nested("inner", { children: [stage.worker("x"), stage.worker("y")] });
				await stage.start({ children: [stage.worker("a"), { id: "inner", start: inner }, stage.worker("b")] });
				await stage.expectLog(0, ["started a", "started x", "started y", "started b"]);
			});

			it("a tree is ended from the inside out, in reverse order at each level", async () => {
				const inner = stage.nested("inner", { children: [stage.worker("x"), stage.worker("y")] });
				await stage.start({ children: [stage.worker("a"), { id: "inner", start: inner }, stage.worker("b")] });
				const mark = await stage.mark();
				await stage.stop();
				await stage.until("all have ended", () => stage.log(mark).length === 4);
				await stage.expectLog(mark, ["stopping b", "stopping y", "stopping x", "stopping a"]);
			});

			it("a child that does not end within its shutdown time is killed, and the next still ends in order", async () => {
				const hanging = stage.worker("b", { shutdownMs: 30 }, { hangsOnStop: true });
				await stage.start({ children: [stage.worker("a"), hanging] });
				const b = await stage.child("b");
				const mark = await stage.mark();
				await stage.stop();
				await stage.until("both were told", () => stage.log(mark).length === 2);
				await stage.expectLog(mark, ["stopping b", "stopping a"]);
				expect(await refusal(world.run(b.ask({ type: "report" })))).toBe("actor-dead");
			});

			it("brutal-kill ends a child without its last hook", async () => {
				await stage.start({ children: [stage.worker("a"), stage.worker("b", { shutdownMs: "brutal-kill" })] });
				const mark = await stage.mark();
				await stage.stop();
				await stage.until("a has ended", () => stage.log(mark).includes("stopping a"));
				await stage.expectLog(mark, ["stopping a"]);
			});

			it("infinity (the default of supervisors): a subtree gets all the time that its members need", async () => {
				const slow = stage.worker("y", { shutdownMs: 60 }, { hangsOnStop: true });
				const inner = stage.nested("inner", { children: [stage.worker("x"), slow] });
				await stage.start({ children: [stage.worker("a"), { id: "inner", start: inner }] });
				const mark = await stage.mark();
				await stage.stop();
				await stage.expectLog(mark, ["stopping y", "stopping x", "stopping a"]);
			});

			it("a wrong spec is refused before anything is started", async () => {
				const children = [stage.worker("a"), stage.worker("a")];
				expect(await refusal(stage.start({ children }))).toBe("duplicate-child-id");
				await stage.expectLog(0, []);
			});
		});

		describe("restart types", () => {
			it("permanent: restarted after a failure", async () => {
				await stage.start({ children: [stage.worker("a")] });
				await stage.failAndReturn("a");
				expect(await stage.states()).toEqual(["a running"]);
				expect((await stage.report("a")).restarts).toBe(1);
			});

			it("permanent: restarted even after a normal end", async () => {
				await stage.start({ children: [stage.worker("a")] });
				await stage.tell("a", { type: "end" });
				await stage.event("child-restarted", "a");
				expect(await stage.states()).toEqual(["a running"]);
			});

			it("transient: restarted after a failure", async () => {
				await stage.start({ children: [stage.worker("a", { restart: "transient" })] });
				await stage.failAndReturn("a");
				expect(await stage.states()).toEqual(["a running"]);
			});

			it("transient: not restarted after a normal end, and its spec is kept", async () => {
				await stage.start({ children: [stage.worker("a", { restart: "transient" })] });
				await stage.tell("a", { type: "end" });
				await stage.event("child-stopped", "a");
				expect(await stage.states()).toEqual(["a stopped"]);
			});

			it("temporary: not restarted after a failure, and its spec is forgotten", async () => {
				await stage.start({ children: [stage.worker("a", { restart: "temporary" }), stage.worker("b")] });
				await stage.tell("a", { type: "fail" });
				await stage.event("child-stopped", "a");
				expect(await stage.states()).toEqual(["b running"]);
			});

			it("temporary: its spec is forgotten after a normal end", async () => {
				await stage.start({ children: [stage.worker("a", { restart: "temporary" }), stage.worker("b")] });
				await stage.tell("a", { type: "end" });
				await stage.event("child-stopped", "a");
				expect(await stage.states()).toEqual(["b running"]);
			});

			it("an end that needs no restart burns no intensity", async () => {
				await stage.start({ intensity: 0, children: three({ restart: "temporary" }) });
				for (const id of ["a", "b", "c"]) {
					await stage.tell(id, { type: "fail" });
					await stage.event("child-stopped", id);
				}
				expect(await stage.states()).toEqual([]);
				expect(stage.signals).toEqual([]);
			});
		});

		describe("strategies", () => {
			it("one_for_one: only the failed child is restarted", async () => {
				await stage.start({ children: three() });
				const mark = await stage.mark();
				await stage.failAndReturn("b");
				await stage.expectLog(mark, ["started b"]);
			});

			it("one_for_all: terminates the others in reverse start order, restarts all in start order", async () => {
				await stage.start({ strategy: "one-for-all", children: three() });
				const mark = await stage.mark();
				await stage.failAndReturn("b");
				await stage.event("child-restarted", "c");
				await stage.expectLog(mark, ["stopping c", "stopping a", "started a", "started b", "started c"]);
			});

			it("rest_for_one: terminates later siblings in reverse start order, restarts in start order", async () => {
				const children = ["a", "b", "c", "d"].map((id) => stage.worker(id));
				await stage.start({ strategy: "rest-for-one", children });
				const mark = await stage.mark();
				await stage.failAndReturn("b");
				await stage.event("child-restarted", "d");
				await stage.expectLog(mark, ["stopping d", "stopping c", "started b", "started c", "started d"]);
				expect((await stage.report("a")).restarts).toBe(0);
			});

			it("rest_for_one: the last child's failure concerns nobody else", async () => {
				await stage.start({ strategy: "rest-for-one", children: three() });
				const mark = await stage.mark();
				await stage.failAndReturn("c");
				await stage.expectLog(mark, ["started c"]);
			});

			it("a temporary sibling is terminated with the others, and never restarted", async () => {
				const children = [stage.worker("a"), stage.worker("b", { restart: "temporary" }), stage.worker("c")];
				await stage.start({ strategy: "one-for-all", children });
				const mark = await stage.mark();
				await stage.failAndReturn("a");
				await stage.event("child-restarted", "c");
				await stage.expectLog(mark, ["stopping c", "stopping b", "started a", "started c"]);
				expect(await stage.states()).toEqual(["a running", "c running"]);
			});

			it("a temporary child's own failure concerns no sibling", async () => {
				const children = [stage.worker("a"), stage.worker("b", { restart: "temporary" }), stage.worker("c")];
				await stage.start({ strategy: "one-for-all", children });
				const mark = await stage.mark();
				await stage.tell("b", { type: "fail" });
				await stage.event("child-stopped", "b");
				expect(await stage.states()).toEqual(["a running", "c running"]);
				await stage.expectLog(mark, []);
			});

			it("one_for_all starts a transient sibling again that had ended normally", async () => {
				const children = [stage.worker("a", { restart: "transient" }), stage.worker("b")];
				await stage.start({ strategy: "one-for-all", children });
				await stage.tell("a", { type: "end" });
				await stage.event("child-stopped", "a");
				await stage.failAndReturn("b");
				expect(await stage.states()).toEqual(["a running", "b running"]);
			});

			it("one_for_all starts a child again that was terminated on request", async () => {
				const client = await stage.start({ strategy: "one-for-all", children: three() });
				await client.terminateChild("a");
				expect(await stage.states()).toEqual(["a stopped", "b running", "c running"]);
				await stage.failAndReturn("b");
				expect(await stage.states()).toEqual(["a running", "b running", "c running"]);
			});

			it("two siblings that fail together are one restart of the group, counted once", async () => {
				await stage.start({ strategy: "one-for-all", intensity: 1, periodMs: DAY_MS, children: three() });
				const [a, b] = [await stage.child("a"), await stage.child("b")];
				b.tell({ type: "fail" });
				a.tell({ type: "fail" });
				await stage.event("child-restarted", "c");
				expect(await stage.states()).toEqual(["a running", "b running", "c running"]);
				expect(stage.signals).toEqual([]);
			});
		});

		describe("restart in place", () => {
			it("a restarted child keeps its address", async () => {
				await stage.start({ children: [stage.worker("a")] });
				const before = await stage.child("a");
				await stage.failAndReturn("a");
				expect((await stage.child("a")).address).toEqual(before.address);
				expect(await world.run(before.ask<WorkerReport>({ type: "report" }))).toMatchObject({ restarts: 1 });
			});

			it("messages that wait behind the one that failed are handled by the next life", async () => {
				await stage.start({ children: [stage.worker("a")] });
				const a = await stage.child("a");
				a.tell({ type: "fail" });
				const reports = [1, 2, 3].map(() => a.ask<WorkerReport>({ type: "report" }));
				const handled = (await world.run(Promise.all(reports))).map((report) => [report.restarts, report.handled]);
				expect(handled).toEqual([
					[1, 1],
					[1, 2],
					[1, 3],
				]);
			});

			it("siblings that a strategy restarts keep their addresses too, and nobody hears of a death", async () => {
				await stage.start({ strategy: "one-for-all", children: three() });
				const before = (await stage.client.whichChildren()).map((child) => child.address);
				await stage.failAndReturn("c");
				expect((await stage.client.whichChildren()).map((child) => child.address)).toEqual(before);
				expect(stage.events.filter((event) => event.type === "child-stopped")).toEqual([]);
			});

			it("a permanent child that has ended by itself gets a new incarnation", async () => {
				await stage.start({ children: [stage.worker("a")] });
				const before = await stage.child("a");
				await stage.tell("a", { type: "end" });
				await stage.event("child-restarted", "a");
				expect((await stage.child("a")).address).not.toEqual(before.address);
				expect(await refusal(world.run(before.ask({ type: "report" })))).toBe("actor-dead");
			});
		});

		describe("restart intensity", () => {
			it("as many restarts as the intensity are tolerated", async () => {
				await stage.start({ intensity: 3, periodMs: DAY_MS, children: three() });
				for (const id of ["a", "b", "c"]) await stage.failAndReturn(id);
				expect(await stage.states()).toEqual(["a running", "b running", "c running"]);
			});

			it("one more: all children are ended in reverse order and the supervisor fails with intensity-exceeded", async () => {
				await stage.start({ intensity: 1, periodMs: DAY_MS, children: three() });
				await stage.failAndReturn("b");
				const mark = await stage.mark();
				await stage.tell("b", { type: "fail" });
				await stage.until("the keeper hears of it", () => stage.signals.length > 0);
				await stage.expectLog(mark, ["stopping c", "stopping a"]);
				expect(stage.signals).toMatchObject([
					{ type: "child-failed", reason: { type: "failed", error: { code: "intensity-exceeded" } } },
				]);
				expect(stage.of("supervisor-gave-up", "b")).toHaveLength(1);
			});

			it("an intensity of 0 tolerates no failure", async () => {
				await stage.start({ intensity: 0, children: [stage.worker("a")] });
				await stage.tell("a", { type: "fail" });
				await stage.until("the keeper hears of it", () => stage.signals.length > 0);
				expect(stage.of("child-restarted", "a")).toEqual([]);
			});

			it("restarts older than the period do not count", async () => {
				// The delay keeps each restart at least a period away from the next failure.
				const backoff = { minMs: 30, maxMs: 30, jitter: 0, stableMs: 0 };
				await stage.start({ intensity: 1, periodMs: 10, backoff, children: [stage.worker("a")] });
				for (let i = 0; i < 4; i++) await stage.failAndReturn("a");
				expect(await stage.states()).toEqual(["a running"]);
			});

			it("a start that fails during a restart counts as one more restart", async () => {
				const gate = failingStarts(0);
				const worker = stage.worker("a", {}, { failingStarts: gate });
				await stage.start({ intensity: 3, periodMs: DAY_MS, children: [worker] });
				failNextStarts(gate, 2);
				await stage.failAndReturn("a");
				expect(stage.of("child-start-failed", "a")).toHaveLength(2);
				await stage.tell("a", { type: "fail" });
				await stage.until("the keeper hears of it", () => stage.signals.length > 0);
				expect(stage.signals).toMatchObject([{ reason: { error: { code: "intensity-exceeded" } } }]);
			});

			it("a child that can not be started again ends the supervisor and not the patience", async () => {
				const gate = failingStarts(0);
				const worker = stage.worker("a", {}, { failingStarts: gate });
				await stage.start({ intensity: 5, periodMs: DAY_MS, children: [worker] });
				failNextStarts(gate, 1_000);
				await stage.tell("a", { type: "fail" });
				await stage.until("the keeper hears of it", () => stage.signals.length > 0);
				expect(stage.of("child-start-failed", "a")).toHaveLength(5);
			});

			it("one_for_all: a start that fails begins the whole group anew", async () => {
				const gate = failingStarts(0);
				const children = [stage.worker("a"), stage.worker("b", {}, { failingStarts: gate }), stage.worker("c")];
				await stage.start({ strategy: "one-for-all", children });
				const mark = await stage.mark();
				failNextStarts(gate, 1);
				await stage.tell("c", { type: "fail" });
				await stage.event("child-restarted", "c");
				await stage.expectLog(mark, [
					"stopping b",
					"stopping a",
					"started a",
					"stopping a",
					"started a",
					"started b",
					"started c",
				]);
			});
		});

		describe("escalation", () => {
			const inner = (spec: Partial<ChildSpec> = {}): ChildSpec => ({
				id: "inner",
				start: stage.nested("inner", { intensity: 0, children: [stage.worker("x"), stage.worker("y")] }),
				...spec,
			});
			const failInner = async (): Promise<void> => {
				const report = (await stage.client.whichChildren()).find((child) => child.id === "inner");
				if (report?.address == null) throw new Error("inner has no address");
				const client = world.client(world.ref(report.address));
				const children = await world.run(client.whichChildren());
				const x = children.find((child) => child.id === "x")?.address;
				if (x == null) throw new Error("x has no address");
				world.ref(x).tell({ type: "fail" });
			};

			it("a supervisor that gave up is restarted by its own, with all its children and a new window", async () => {
				await stage.start({ children: [stage.worker("a"), inner()] });
				const mark = await stage.mark();
				await failInner();
				await stage.event("child-restarted", "inner");
				await stage.expectLog(mark, ["stopping y", "started x", "started y"]);
				await failInner();
				await stage.until("restarted twice", () => stage.of("child-restarted", "inner").length === 2);
				expect((await stage.report("a")).restarts).toBe(0);
			});

			it("giving up climbs the tree", async () => {
				await stage.start({ intensity: 0, children: [stage.worker("a"), inner()] });
				await failInner();
				await stage.until("the keeper hears of it", () => stage.signals.length > 0);
				expect(stage.of("supervisor-gave-up", "x")).toHaveLength(1);
				expect(stage.of("supervisor-gave-up", "inner")).toHaveLength(1);
				expect(stage.signals).toMatchObject([{ reason: { error: { code: "intensity-exceeded" } } }]);
			});

			it("a transient supervisor that gave up is restarted (unlike OTP's, which exits with shutdown)", async () => {
				await stage.start({ children: [inner({ restart: "transient" })] });
				await failInner();
				await stage.event("child-restarted", "inner");
			});

			it("a temporary supervisor that gave up is not restarted", async () => {
				await stage.start({ children: [stage.worker("a"), inner({ restart: "temporary" })] });
				await failInner();
				await stage.event("child-stopped", "inner");
				expect(await stage.states()).toEqual(["a running"]);
			});

			it("rest_for_one restarts a later supervisor with its whole subtree", async () => {
				await stage.start({ strategy: "rest-for-one", children: [stage.worker("a"), inner()] });
				const mark = await stage.mark();
				await stage.failAndReturn("a");
				await stage.event("child-restarted", "inner");
				await stage.expectLog(mark, ["stopping y", "stopping x", "started a", "started x", "started y"]);
			});
		});

		describe("backoff", () => {
			const growing = { minMs: 5, maxMs: 20, jitter: 0, stableMs: DAY_MS };
			const delays = (id: string): number[] => stage.of("child-restart-delayed", id).map((event) => event.delayMs);

			it("a child that fails again soon waits longer each time, up to the maximum", async () => {
				await stage.start({ backoff: growing, children: [stage.worker("a")] });
				for (let i = 0; i < 4; i++) await stage.failAndReturn("a");
				expect(delays("a")).toEqual([5, 10, 20, 20]);
				for (const [index, event] of stage.of("child-restarted", "a").entries()) {
					expect(event.afterMs).toBeGreaterThanOrEqual(delays("a")[index] ?? 0);
				}
			});

			it("a child that ran for a stable time starts over", async () => {
				await stage.start({ backoff: { ...growing, stableMs: 0 }, children: [stage.worker("a")] });
				for (let i = 0; i < 3; i++) await stage.failAndReturn("a");
				expect(delays("a")).toEqual([5, 5, 5]);
			});

			it("each child has a backoff of its own", async () => {
				await stage.start({ backoff: growing, children: three() });
				for (const id of ["a", "a", "b"]) await stage.failAndReturn(id);
				expect([delays("a"), delays("b")]).toEqual([[5, 10], [5]]);
			});

			it("starts that fail wait longer each time too", async () => {
				const gate = failingStarts(0);
				await stage.start({ backoff: growing, children: [stage.worker("a", {}, { failingStarts: gate })] });
				failNextStarts(gate, 2);
				await stage.failAndReturn("a");
				expect(delays("a")).toEqual([5, 10, 20]);
				// Measured from the failure, over all that it took.
				expect(stage.of("child-restarted", "a")[0]?.afterMs).toBeGreaterThanOrEqual(35);
			});

			it("one_for_all: siblings are down while the delay lasts", async () => {
				const backoff = { minMs: 200, maxMs: 200, jitter: 0, stableMs: 0 };
				await stage.start({ strategy: "one-for-all", backoff, children: three() });
				await stage.tell("b", { type: "fail" });
				await stage.event("child-restart-delayed", "b");
				expect(await stage.states()).toEqual(["a restarting", "b restarting", "c restarting"]);
				await stage.event("child-restarted", "c");
				expect(await stage.states()).toEqual(["a running", "b running", "c running"]);
			});

			it("other children are supervised while one waits", async () => {
				const backoff = { minMs: DAY_MS, maxMs: DAY_MS, jitter: 0, stableMs: 0, immediate: 1 };
				await stage.start({ backoff: { ...backoff, stableMs: DAY_MS }, children: three() });
				await stage.failAndReturn("a");
				await stage.tell("a", { type: "fail" });
				await stage.event("child-restart-delayed", "a");
				await stage.failAndReturn("b");
				expect(await stage.states()).toEqual(["a restarting", "b running", "c running"]);
			});

			it("a child terminated on request while it waits is not restarted", async () => {
				const backoff = { minMs: 50, maxMs: 50, jitter: 0, stableMs: 0 };
				const client = await stage.start({ backoff, children: three() });
				await stage.tell("a", { type: "fail" });
				await stage.event("child-restart-delayed", "a");
				await client.terminateChild("a");
				// The other's delay begins later: when it has passed, the first one's has too.
				await stage.failAndReturn("b");
				expect(await stage.states()).toEqual(["a stopped", "b running", "c running"]);
			});

			it("a supervisor ends at once while a child waits", async () => {
				const backoff = { minMs: DAY_MS, maxMs: DAY_MS, jitter: 0, stableMs: 0 };
				await stage.start({ backoff, children: three() });
				await stage.tell("b", { type: "fail" });
				await stage.event("child-restart-delayed", "b");
				const mark = await stage.mark();
				await stage.stop();
				await stage.until("the others have ended", () => stage.log(mark).length === 2);
				await stage.expectLog(mark, ["stopping c", "stopping a"]);
			});
		});

		describe("significant children", () => {
			const significant = { restart: "transient", significant: true } as const;

			it("never (the default): the end of a child never ends the supervisor", async () => {
				await stage.start({ children: three({ restart: "transient" }) });
				for (const id of ["a", "b", "c"]) {
					await stage.tell(id, { type: "end" });
					await stage.event("child-stopped", id);
				}
				expect(await stage.states()).toEqual(["a stopped", "b stopped", "c stopped"]);
				expect(stage.signals).toEqual([]);
			});

			it("any_significant: the end of one significant child ends the supervisor and the others", async () => {
				const children = [stage.worker("a"), stage.worker("b", significant), stage.worker("c", significant)];
				await stage.start({ autoShutdown: "any-significant", children });
				const mark = await stage.mark();
				await stage.tell("b", { type: "end" });
				await stage.until("the keeper hears of it", () => stage.signals.length > 0);
				expect(stage.signals).toMatchObject([{ type: "child-stopped", reason: { type: "normal" } }]);
				await stage.until("the others have ended", () => stage.log(mark).length === 3);
				await stage.expectLog(mark, ["stopping b", "stopping c", "stopping a"]);
			});

			it("all_significant: the supervisor ends with the last significant child, not before", async () => {
				const children = [stage.worker("a"), stage.worker("b", significant), stage.worker("c", significant)];
				await stage.start({ autoShutdown: "all-significant", children });
				await stage.tell("b", { type: "end" });
				await stage.event("child-stopped", "b");
				expect(await stage.states()).toEqual(["a running", "b stopped", "c running"]);
				await stage.tell("c", { type: "end" });
				await stage.until("the keeper hears of it", () => stage.signals.length > 0);
				expect(stage.signals).toMatchObject([{ type: "child-stopped", reason: { type: "normal" } }]);
			});

			it("a significant transient child that fails is restarted, and the supervisor lives on", async () => {
				await stage.start({ autoShutdown: "any-significant", children: [stage.worker("a", significant)] });
				await stage.failAndReturn("a");
				expect(stage.signals).toEqual([]);
			});

			it("a significant temporary child ends the supervisor by failing", async () => {
				const children = [stage.worker("a"), stage.worker("b", { ...significant, restart: "temporary" })];
				await stage.start({ autoShutdown: "any-significant", children });
				await stage.tell("b", { type: "fail" });
				await stage.until("the keeper hears of it", () => stage.signals.length > 0);
				expect(stage.signals).toMatchObject([{ type: "child-stopped", reason: { type: "normal" } }]);
			});

			it("an insignificant child's end does not end the supervisor", async () => {
				const children = [stage.worker("a", { restart: "transient" }), stage.worker("b", significant)];
				await stage.start({ autoShutdown: "any-significant", children });
				await stage.tell("a", { type: "end" });
				await stage.event("child-stopped", "a");
				expect(await stage.states()).toEqual(["a stopped", "b running"]);
			});

			it("a significant child that the supervisor itself terminated does not end it", async () => {
				const children = [stage.worker("a"), stage.worker("b", significant)];
				const client = await stage.start({ autoShutdown: "any-significant", children });
				await client.terminateChild("b");
				expect(await stage.states()).toEqual(["a running", "b stopped"]);
				expect(stage.signals).toEqual([]);
			});

			it("a significant sibling terminated by one_for_all does not end the supervisor", async () => {
				const children = [stage.worker("a"), stage.worker("b", { ...significant, restart: "temporary" })];
				await stage.start({ strategy: "one-for-all", autoShutdown: "any-significant", children });
				await stage.failAndReturn("a");
				expect(await stage.states()).toEqual(["a running"]);
				expect(stage.signals).toEqual([]);
			});

			it("a supervisor that ended itself is restarted by its own when it is permanent, not when it is transient", async () => {
				const ends = (id: string): StaticSupervisorSpec =>
					stage.nested(id, {
						autoShutdown: "any-significant",
						children: [stage.worker(`${id}-x`, significant)],
					});
				const children: ChildSpec[] = [
					{ id: "permanent", start: ends("permanent") },
					{ id: "transient", start: ends("transient"), restart: "transient" },
				];
				await stage.start({ children });
				for (const report of await stage.client.whichChildren()) {
					if (report.address === null) throw new Error("both run");
					const client = world.client(world.ref(report.address));
					const [only] = await world.run(client.whichChildren());
					if (only?.address == null) throw new Error("it has one child");
					world.ref(only.address).tell({ type: "end" });
				}
				await stage.event("child-restarted", "permanent");
				await stage.event("child-stopped", "transient");
				expect(await stage.states()).toEqual(["permanent running", "transient stopped"]);
			});
		});

		describe("requests", () => {
			it("start_child adds a child at the end of the start order", async () => {
				const client = await stage.start({ strategy: "rest-for-one", children: three() });
				await client.startChild(stage.worker("d"));
				expect(await stage.states()).toEqual(["a running", "b running", "c running", "d running"]);
				const mark = await stage.mark();
				await stage.failAndReturn("c");
				await stage.event("child-restarted", "d");
				await stage.expectLog(mark, ["stopping d", "started c", "started d"]);
			});

			it("start_child refuses an id that runs, and one that is present but does not", async () => {
				const client = await stage.start({ children: three() });
				expect(await refusal(client.startChild(stage.worker("a")))).toBe("child-already-started");
				await client.terminateChild("a");
				expect(await refusal(client.startChild(stage.worker("a")))).toBe("child-already-present");
			});

			it("start_child: a child that fails to start is discarded, without restart and without harm", async () => {
				const client = await stage.start({ intensity: 0, children: [stage.worker("a")] });
				const broken = stage.worker("b", {}, { failingStarts: failingStarts(1) });
				expect(await refusal(client.startChild(broken))).toBe("child-start-failed");
				expect(await stage.states()).toEqual(["a running"]);
			});

			it("start_child refuses a wrong spec", async () => {
				const client = await stage.start({ children: [] });
				expect(await refusal(client.startChild(stage.worker("b", { shutdownMs: -1 })))).toBe("invalid-child-spec");
			});

			it("terminate_child ends the child and keeps its spec", async () => {
				const client = await stage.start({ children: three() });
				const mark = await stage.mark();
				await client.terminateChild("b");
				expect(await stage.states()).toEqual(["a running", "b stopped", "c running"]);
				await stage.until("it has ended", () => stage.log(mark).length === 1);
				await stage.expectLog(mark, ["stopping b"]);
				await client.terminateChild("b");
			});

			it("terminate_child forgets a temporary child", async () => {
				const client = await stage.start({ children: three({ restart: "temporary" }) });
				await client.terminateChild("b");
				expect(await stage.states()).toEqual(["a running", "c running"]);
			});

			it("restart_child starts a child that is not running, and refuses one that is", async () => {
				const client = await stage.start({ children: three() });
				expect(await refusal(client.restartChild("b"))).toBe("child-running");
				await client.terminateChild("b");
				await client.restartChild("b");
				expect(await stage.states()).toEqual(["a running", "b running", "c running"]);
			});

			it("restart_child: a child that fails to start stays down", async () => {
				const gate = failingStarts(0);
				const client = await stage.start({ children: [stage.worker("a", {}, { failingStarts: gate })] });
				await client.terminateChild("a");
				failNextStarts(gate, 1);
				expect(await refusal(client.restartChild("a"))).toBe("child-start-failed");
				expect(await stage.states()).toEqual(["a stopped"]);
				await client.restartChild("a");
				expect(await stage.states()).toEqual(["a running"]);
			});

			it("delete_child forgets a child that is not running, and refuses one that is", async () => {
				const client = await stage.start({ children: three() });
				expect(await refusal(client.deleteChild("b"))).toBe("child-running");
				await client.terminateChild("b");
				await client.deleteChild("b");
				expect(await stage.states()).toEqual(["a running", "c running"]);
				expect(await refusal(client.restartChild("b"))).toBe("child-not-found");
			});

			it("restart_child and delete_child refuse a child that is about to be restarted", async () => {
				const backoff = { minMs: DAY_MS, maxMs: DAY_MS, jitter: 0, stableMs: 0 };
				const client = await stage.start({ backoff, children: three() });
				await stage.tell("b", { type: "fail" });
				await stage.event("child-restart-delayed", "b");
				expect(await refusal(client.restartChild("b"))).toBe("child-restarting");
				expect(await refusal(client.deleteChild("b"))).toBe("child-restarting");
			});

			it("an unknown child is not found", async () => {
				const client = await stage.start({ children: three() });
				expect(await refusal(client.terminateChild("z"))).toBe("child-not-found");
				expect(await refusal(client.restartChild("z"))).toBe("child-not-found");
				expect(await refusal(client.deleteChild("z"))).toBe("child-not-found");
			});

			it("count_children counts specs, running children, supervisors and workers", async () => {
				const inner = stage.nested("inner", { children: [] });
				const client = await stage.start({ children: [...three(), { id: "inner", start: inner }] });
				await client.terminateChild("a");
				expect(await client.countChildren()).toEqual({ specs: 4, active: 3, supervisors: 1, workers: 3 });
			});

			it("a request that nobody understands is refused, and the supervisor goes on", async () => {
				await stage.start({ children: three() });
				expect(await refusal(world.run(stage.supervisor.ask({ type: "dance" })))).toBe("unknown-supervisor-request");
				expect(await refusal(world.run(stage.supervisor.ask(null)))).toBe("unknown-supervisor-request");
				expect(await stage.states()).toEqual(["a running", "b running", "c running"]);
			});

			it("a told request that is refused is published", async () => {
				await stage.start({ children: three() });
				stage.supervisor.tell({ type: "delete-child", id: "a" });
				const refused = (): boolean => stage.events.some((event) => event.type === "supervisor-request-refused");
				await stage.until("it is refused", refused);
				expect(await stage.states()).toEqual(["a running", "b running", "c running"]);
			});
		});

		describe("dynamic supervisors (simple_one_for_one)", () => {
			const pool = (more: Partial<DynamicSupervisorSpec> = {}): Omit<DynamicSupervisorSpec, "name"> => ({
				strategy: "dynamic",
				template: { start: stage.actor("pooled", { tag: "template" }) },
				...more,
			});

			it("start empty; each child is started from the template, with arguments of its own", async () => {
				const client = await stage.start(pool());
				expect(await stage.states()).toEqual([]);
				await client.startDynamicChild();
				await client.startDynamicChild({ id: "mine", args: { tag: "own" } });
				expect(await stage.states()).toEqual(["1 running", "mine running"]);
				expect((await stage.report("1")).tag).toBe("template");
				expect((await stage.report("mine")).tag).toBe("own");
			});

			it("a failed child is restarted by itself, with its own arguments", async () => {
				const client = await stage.start(pool());
				await client.startDynamicChild({ id: "x", args: { tag: "own" } });
				await client.startDynamicChild({ id: "y" });
				await stage.failAndReturn("x");
				expect(await stage.report("x")).toMatchObject({ restarts: 1, tag: "own" });
				expect(await stage.report("y")).toMatchObject({ restarts: 0 });
			});

			it("a child that has ended or was terminated is forgotten", async () => {
				const start = stage.actor("pooled");
				const client = await stage.start(pool({ template: { start, restart: "transient" } }));
				for (const id of ["x", "y", "z"]) await client.startDynamicChild({ id });
				await stage.tell("x", { type: "end" });
				await stage.event("child-stopped", "x");
				await client.terminateChild("y");
				expect(await stage.states()).toEqual(["z running"]);
			});

			it("its children have no specs to restart or delete, and take none", async () => {
				const client = await stage.start(pool());
				await client.startDynamicChild({ id: "x" });
				expect(await refusal(client.restartChild("x"))).toBe("dynamic-supervisor");
				expect(await refusal(client.deleteChild("x"))).toBe("dynamic-supervisor");
				expect(await refusal(client.startChild(stage.worker("a")))).toBe("dynamic-supervisor");
			});

			it("a supervisor with a list starts nothing from a template", async () => {
				const client = await stage.start({ children: [] });
				expect(await refusal(client.startDynamicChild())).toBe("static-supervisor");
			});

			it("all children end with their supervisor, side by side", async () => {
				const template = { start: stage.actor("pooled", { hangsOnStop: true }), shutdownMs: 300 };
				const client = await stage.start(pool({ template }));
				for (const id of ["x", "y", "z"]) await client.startDynamicChild({ id });
				const mark = await stage.mark();
				await stage.stop();
				await stage.until("all were told", () => stage.log(mark).length === 3);
				const order = stage.events.filter((event) => event.type === "child-stopped" || event.type === "worker");
				expect(order.slice(-3).map((event) => event.type)).toEqual(["child-stopped", "child-stopped", "child-stopped"]);
			});

			it("exceeding the intensity ends it as any other", async () => {
				const client = await stage.start(pool({ intensity: 0 }));
				await client.startDynamicChild({ id: "x" });
				await stage.tell("x", { type: "fail" });
				await stage.until("the keeper hears of it", () => stage.signals.length > 0);
				expect(stage.signals).toMatchObject([{ reason: { error: { code: "intensity-exceeded" } } }]);
			});
		});

		describe("poison messages", () => {
			it("the same type from the same sender that kills the same child three times is reported", async () => {
				await stage.start({ children: three() });
				for (let i = 0; i < 3; i++) {
					await stage.tell("a", { type: "poison" });
					await stage.until("restarted", () => stage.of("child-restarted", "a").length === i + 1);
				}
				expect(stage.of("poison-message", "a")).toMatchObject([{ messageType: "poison", sender: null, deaths: 3 }]);
				const [a] = await stage.client.whichChildren();
				expect(a).toMatchObject({ restarts: 3, poisoned: 1 });
			});

			it("different messages and different children are told apart", async () => {
				await stage.start({ poisonLimit: 2, children: three() });
				await stage.failAndReturn("a");
				await stage.failAndReturn("b");
				await stage.tell("a", { type: "poison" });
				await stage.until("restarted", () => stage.of("child-restarted", "a").length === 2);
				expect(stage.events.filter((event) => event.type === "poison-message")).toEqual([]);
			});
		});

		describe("threads", () => {
			const dedicated = (id: string, spec: Partial<ChildSpec> = {}): ChildSpec => ({
				id,
				start: stage.actor(id, {}, "dedicated"),
				...spec,
			});

			it("a child lost with its thread is restarted when the thread is back, in place", async () => {
				await stage.start({ children: [dedicated("a")] });
				const a = await stage.child("a");
				await world.run(world.killThreadOf(a));
				await stage.event("child-restarted", "a");
				expect((await stage.child("a")).address).toEqual(a.address);
				expect(await stage.report("a")).toMatchObject({ restarts: 1 });
			});

			it("the loss of a thread burns no intensity of the actor's supervisor", async () => {
				await stage.start({ intensity: 0, children: [dedicated("a")] });
				for (let i = 0; i < 2; i++) {
					await world.run(world.killThreadOf(await stage.child("a")));
					await stage.until("restarted", () => stage.of("child-restarted", "a").length === i + 1);
				}
				expect(stage.of("child-failed", "a")).toMatchObject([{ counted: false }, { counted: false }]);
				expect(stage.signals).toEqual([]);
			});

			it("all actors of a lost thread come back, and the crash is one event of one thread", async () => {
				const group = { group: `${stage.actor("group").name}` };
				const children = ["a", "b", "c"].map((id) => ({ id, start: stage.actor(id, {}, group) }));
				await stage.start({ intensity: 0, children });
				const ends = (): number => world.events.filter((event) => event.type === "thread-restarted").length;
				const before = ends();
				await world.run(world.killThreadOf(await stage.child("b")));
				for (const id of ["a", "b", "c"]) await stage.event("child-restarted", id);
				expect(ends() - before).toBe(1);
				expect(await stage.states()).toEqual(["a running", "b running", "c running"]);
			});

			it("one_for_all: a child lost with its thread restarts the group in start order", async () => {
				const children = [dedicated("a"), stage.worker("b"), stage.worker("c")];
				await stage.start({ strategy: "one-for-all", intensity: 0, children });
				const mark = await stage.mark();
				await world.run(world.killThreadOf(await stage.child("a")));
				await stage.event("child-restarted", "c");
				const order = stage.events.filter((event) => event.type === "child-restarted").map((event) => event.child);
				expect(order).toEqual(["a", "b", "c"]);
				const stops = stage.log(mark).filter((line) => line.startsWith("stopping"));
				expect(stops).toEqual(["stopping c", "stopping b"]);
			});

			it("temporary: a child lost with its thread is not restarted", async () => {
				await stage.start({ children: [dedicated("a", { restart: "temporary" }), stage.worker("b")] });
				await world.run(world.killThreadOf(await stage.child("a")));
				await stage.event("child-stopped", "a");
				expect(await stage.states()).toEqual(["b running"]);
			});

			it("others are supervised while a child waits for its thread", async () => {
				await stage.start({ children: [dedicated("a"), stage.worker("b")] });
				const a = await stage.child("a");
				world.leaveThreads();
				await world.run(world.killThreadOf(a));
				await stage.event("child-failed", "a");
				await stage.failAndReturn("b");
				expect(await stage.states()).toEqual(["a restarting", "b running"]);
				await world.run(world.replaceThreadOf(a));
				await stage.event("child-restarted", "a");
				expect(await stage.states()).toEqual(["a running", "b running"]);
			});

			it("a child that fails while another waits for its thread restarts the group when that is back", async () => {
				const children = [dedicated("a"), dedicated("b"), stage.worker("c")];
				await stage.start({ strategy: "rest-for-one", children });
				const [a, b] = [await stage.child("a"), await stage.child("b")];
				world.leaveThreads();
				await world.run(world.killThreadOf(b));
				await stage.event("child-suspended", "c");
				a.tell({ type: "fail" });
				await stage.event("child-restarted", "a");
				expect(await stage.states()).toEqual(["a running", "b restarting", "c restarting"]);
				await world.run(world.replaceThreadOf(b));
				await stage.event("child-restarted", "c");
				const order = stage.events.filter((event) => event.type === "child-restarted").map((event) => event.child);
				expect(order).toEqual(["a", "b", "c"]);
			});

			it("a child that comes back before an earlier sibling of its group has started waits for it", async () => {
				const backoff = { minMs: 300, maxMs: 300, jitter: 0, stableMs: 0 };
				const children = [stage.worker("a"), dedicated("b"), stage.worker("c")];
				await stage.start({ strategy: "rest-for-one", backoff, children });
				const b = await stage.child("b");
				world.leaveThreads();
				await world.run(world.killThreadOf(b));
				await stage.event("child-suspended", "c");
				await stage.tell("a", { type: "fail" });
				await stage.event("child-restart-delayed", "a");
				await world.run(world.replaceThreadOf(b));
				await stage.event("child-restarted", "c");
				const order = stage.events.filter((event) => event.type === "child-restarted").map((event) => event.child);
				expect(order).toEqual(["a", "b", "c"]);
				// In real time the thread may be slower than the delay.
				if (world.isVirtual) expect(stage.of("child-suspended", "b")).toHaveLength(1);
			});

			it("a thread that dies again under a starting child burns no intensity either", async () => {
				await stage.start({ intensity: 0, children: [dedicated("a")] });
				const a = await stage.child("a");
				const isStarting = (): boolean =>
					stage.events.some((event) => event.type === "worker" && event.what === "starting" && event.restarts === 1);
				world.leaveThreads();
				await world.run(world.killThreadOf(a));
				await stage.event("child-failed", "a");
				await world.run(world.replaceThreadOf(a));
				await stage.until("it is starting", isStarting);
				await world.run(world.killThreadOf(a));
				await world.run(world.replaceThreadOf(a));
				await stage.until("it runs", () => stage.log().filter((line) => line === "started a").length >= 2);
				await stage.event("child-restarted", "a");
				expect(stage.of("child-start-failed", "a")).toEqual([]);
				expect(stage.signals).toEqual([]);
			});

			it("a child whose thread is given up counts as a start that failed, and starts anew on another", async () => {
				await stage.start({ intensity: 1, periodMs: DAY_MS, children: [dedicated("a")] });
				const a = await stage.child("a");
				world.leaveThreads();
				await world.run(world.killThreadOf(a));
				await stage.event("child-failed", "a");
				world.giveUpThreadOf(a);
				await stage.event("child-restarted", "a");
				expect(stage.of("child-start-failed", "a")).toMatchObject([{ error: { code: "actor-dead" } }]);
				expect((await stage.child("a")).address).not.toEqual(a.address);
				expect(await stage.report("a")).toMatchObject({ restarts: 0 });
			});

			it("a thread that is given up can exceed the intensity", async () => {
				await stage.start({ intensity: 0, children: [dedicated("a")] });
				const a = await stage.child("a");
				world.leaveThreads();
				await world.run(world.killThreadOf(a));
				await stage.event("child-failed", "a");
				world.giveUpThreadOf(a);
				await stage.until("the keeper hears of it", () => stage.signals.length > 0);
				expect(stage.signals).toMatchObject([{ reason: { error: { code: "intensity-exceeded" } } }]);
			});

			it("a child terminated on request while its thread is away does not come back with it", async () => {
				const group = { group: `${stage.actor("group").name}` };
				const children = ["a", "b"].map((id) => ({ id, start: stage.actor(id, {}, group) }));
				const client = await stage.start({ children });
				const a = await stage.child("a");
				world.leaveThreads();
				await world.run(world.killThreadOf(a));
				await stage.event("child-failed", "b");
				await client.terminateChild("a");
				await world.run(world.replaceThreadOf(a));
				await stage.event("child-restarted", "b");
				expect(await stage.states()).toEqual(["a stopped", "b running"]);
				expect(await world.run(world.lookup(a.name))).toBeNull();
				expect(await refusal(world.run(a.ask({ type: "report" })))).toBe("actor-dead");
			});

			it("siblings that wait behind a lost child go on when that is terminated on request", async () => {
				const client = await stage.start({ strategy: "one-for-all", children: [dedicated("a"), stage.worker("b")] });
				const a = await stage.child("a");
				world.leaveThreads();
				await world.run(world.killThreadOf(a));
				await stage.event("child-suspended", "b");
				await client.terminateChild("a");
				await stage.event("child-restarted", "b");
				expect(await stage.states()).toEqual(["a stopped", "b running"]);
			});

			it("how the thread ended is reported with the child", async () => {
				await stage.start({ children: [dedicated("a")] });
				const a = await stage.child("a");
				await world.run(world.killThreadOf(a));
				await stage.event("child-restarted", "a");
				const [failure] = stage.of("child-failed", "a");
				expect(failure).toMatchObject({ reason: { type: "lost-with-thread", thread: { cause: "killed" } } });
			});

			it("a supervisor ends in order while a thread is being replaced", async () => {
				await stage.start({ children: [stage.worker("a"), dedicated("b")] });
				const mark = await stage.mark();
				await world.run(world.killThreadOf(await stage.child("b")));
				await stage.stop();
				await stage.until("a has ended", () => stage.log(mark).includes("stopping a"));
			});
		});
	});
}
