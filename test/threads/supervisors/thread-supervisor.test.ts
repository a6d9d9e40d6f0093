/**
 * Goal: whatever ends a real thread, it is replaced, its actor goes on in its place, and the actor's supervisor, which
 * tolerates no failure at all, is not troubled.
 * Method: an actor that ends its thread in each of the ways there are, by a message; then it must answer again.
 */
import { Generator } from "quorate/protocols/core";
import { ActorSystem, createThreadBackend, type ThreadBackendOptions } from "quorate/runtime";
import {
	type SupervisionEvent,
	supervisorActor,
	type ThreadSupervisionEvent,
	ThreadSupervisor,
} from "quorate/supervisors";
import { afterEach, expect, it } from "vitest";

const module = new URL("../../../dist/test/fixtures/thread-actors.js", import.meta.url);
/** Only ends a hang: a busy machine may take many seconds for each thread it starts. */
const PATIENCE_MS = 120_000;
/** Where a stall is not what is tested: collecting a full heap on a busy machine takes seconds, and is none. */
const NO_STALL_MS = 3_600_000;

type TreeEvent = SupervisionEvent | ThreadSupervisionEvent;

interface Stage {
	readonly system: ActorSystem;
	readonly events: TreeEvent[];
	/** The recorder's shared words: setting the third lets it leave a loop. */
	readonly words: SharedArrayBuffer;
	of<T extends TreeEvent["type"]>(type: T): Extract<TreeEvent, { readonly type: T }>[];
	until(what: string, done: () => boolean): Promise<void>;
	stop(): Promise<void>;
}

let stage: Stage | null = null;

afterEach(async () => {
	await stage?.stop();
	stage = null;
});

async function start(options: ThreadBackendOptions = {}): Promise<Stage> {
	const backend = await createThreadBackend({ seed: 1, stallAfterMs: NO_STALL_MS, ...options });
	const system = new ActorSystem(backend);
	const events: TreeEvent[] = [];
	system.events$.subscribe((event) => events.push(event as TreeEvent));
	const supervisor = new ThreadSupervisor({
		threads: system.threads,
		clock: backend.ports.clock,
		generator: new Generator(1, "threads"),
		publish: (event) => system.publish(event),
		backoff: { minMs: 10, maxMs: 40, jitter: 0, stableMs: 60_000, immediate: 1 },
		outOfMemoryBackoff: { minMs: 80, maxMs: 80, jitter: 0, stableMs: 60_000 },
	});
	supervisor.start();
	const words = new SharedArrayBuffer(400);
	const behaviour = { module, export: "Recorder", args: { words } };
	const child = { name: "recorder", behaviour, placement: "dedicated" } as const;
	const tree = supervisorActor({ name: "root", intensity: 0, children: [{ id: "recorder", start: child }] });
	await system.spawn(tree);
	return {
		system,
		events,
		words,
		of: <T extends TreeEvent["type"]>(type: T) =>
			events.filter((event): event is Extract<TreeEvent, { readonly type: T }> => event.type === type),
		until: (what, done) =>
			new Promise((resolve, reject) => {
				const look = (): void => {
					if (!done()) return;
					clearTimeout(deadline);
					subscription.unsubscribe();
					resolve();
				};
				const deadline = setTimeout(() => reject(new Error(`${what}: not within ${PATIENCE_MS} ms`)), PATIENCE_MS);
				const subscription = system.events$.subscribe(look);
				look();
			}),
		stop: async () => {
			supervisor.stop();
			await system.stop();
		},
	};
}

/** Ends the recorder's thread by a message and waits until it has come back so many times and answers. */
async function endAndReturn(on: Stage, message: object, times: number): Promise<void> {
	const recorder = await on.system.lookup("recorder");
	if (recorder === null) throw new Error("it was just started");
	recorder.tell(message);
	// One restart of the actor may take care of several deaths of its thread.
	await on.until("its thread has come back", () => on.of("thread-restarted").length === times);
	expect(await recorder.ask({ type: "echo", value: "here" }, { timeoutMs: PATIENCE_MS })).toBe("here");
	expect(on.of("supervisor-gave-up")).toEqual([]);
}

it("an uncaught error outside of any handler", async () => {
	stage = await start();
	await endAndReturn(stage, { type: "crash" }, 1);
	expect(stage.of("thread-restarted")).toMatchObject([{ name: "recorder", cause: "crashed" }]);
});

it("process.exit, by a message that is delivered three times, then quarantined", async () => {
	stage = await start();
	await endAndReturn(stage, { type: "exit", code: 0 }, 3);
	expect(stage.of("thread-restarted").map((event) => event.cause)).toEqual(["exited", "exited", "exited"]);
	expect(stage.of("thread-restart-delayed").map((event) => event.delayMs)).toEqual([10, 20]);
	// As the system reports it; what the supervisor has heard of depends on which deaths one restart takes care of.
	const quarantined = stage.events.filter(({ type }) => (type as string) === "message-quarantined");
	expect(quarantined).toMatchObject([{ messageType: "exit" }]);
});

it("out of memory: a longer delay, and the message is not delivered again", async () => {
	stage = await start();
	await endAndReturn(stage, { type: "hoard" }, 1);
	expect(stage.of("thread-restarted")).toMatchObject([{ cause: "out-of-memory" }]);
	expect(stage.of("thread-restart-delayed")).toMatchObject([{ delayMs: 80, cause: "out-of-memory" }]);
});

it("a stall: the watchdog ends the thread, and the message may go on in the next one", async () => {
	stage = await start({ stallAfterMs: 500 });
	const { words, system } = stage;
	const unobserve = system.threads.observe((event) => {
		// The message is delivered again; this time it comes to its end.
		if (event.type === "thread-ended") Atomics.store(new Int32Array(words), 2, 1);
	});
	await endAndReturn(stage, { type: "hang" }, 1);
	unobserve();
	expect(stage.of("thread-restarted")).toMatchObject([{ cause: "stalled" }]);
	const [failure] = stage.of("child-failed");
	expect(failure).toMatchObject({ counted: false, reason: { interrupted: { messageType: "hang" } } });
});
