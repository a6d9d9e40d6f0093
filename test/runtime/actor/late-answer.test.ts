/**
 * Goal: a start that is answered only after its thread has ended is a start that failed: nobody takes the actor for running.
 * Method: a simulated backend whose control plane kills the thread behind the answer of a start, before it passes it on.
 */
import { describe, expect, it } from "vitest";
import {
	type ActorContext,
	type ActorRef,
	type ActorSpec,
	ActorSystem,
	type Behaviour,
	type KernelControl,
	type Signal,
	type ThreadDirectory,
} from "../../../runtime/actor/index.ts";
import { Simulation } from "../../../runtime/simulation/index.ts";

const MODULE = "file:///simulated/idle.js";

class Idle implements Behaviour {
	receive(): void {
		// It only has to run.
	}
}

const spec: ActorSpec = { name: "idle", behaviour: { module: MODULE, export: "Idle" }, placement: "dedicated" };

function world() {
	const simulation = new Simulation({ seed: 5, modules: new Map([[MODULE, { Idle }]]) });
	const { threads } = simulation;
	const late = { next: false };
	const directory: ThreadDirectory = {
		start: (thread) => threads.start(thread),
		replace: (slot) => threads.replace(slot),
		kill: (slot, cause) => threads.kill(slot, cause),
		release: (slot) => threads.release(slot),
		status: () => threads.status(),
		observe: (listener) => threads.observe(listener),
		control: (slot): KernelControl => {
			const control = threads.control(slot);
			return {
				spawn: async (order) => {
					await control.spawn(order);
					if (!late.next) return;
					late.next = false;
					await threads.kill(slot, "killed");
				},
				suspend: (address, timeoutMs) => control.suspend(address, timeoutMs),
				stop: (address, reason, timeoutMs) => control.stop(address, reason, timeoutMs),
				adopt: (actors) => control.adopt(actors),
				inspect: () => control.inspect(),
			};
		},
	};
	const system = new ActorSystem({ ...simulation.backend, threads: directory });
	const settle = <T>(promise: Promise<T>): Promise<T> => simulation.complete(promise);
	return { simulation, system, late, settle };
}

describe("the answer of a thread that has ended meanwhile", () => {
	it("is no first start, and leaves the name free", async () => {
		const { system, late, settle } = world();
		late.next = true;
		await expect(settle(system.spawn(spec))).rejects.toMatchObject({ code: "thread-died" });
		const again = await settle(system.spawn(spec));
		expect(again.name).toBe("idle");
		await settle(system.stop());
	});

	it("is no restart", async () => {
		const { simulation, system, late, settle } = world();
		const outcomes: string[] = [];
		class Parent implements Behaviour {
			async started(context: ActorContext): Promise<void> {
				await context.spawn(spec);
			}
			receive(): void {
				// It hears signals only.
			}
			async signal(signal: Signal, context: ActorContext): Promise<void> {
				if (signal.type !== "child-failed") return;
				outcomes.push("failed");
				outcomes.push(await restarted(context, signal.child));
			}
		}
		const restarted = (context: ActorContext, child: ActorRef): Promise<string> =>
			context.restart(child).then(
				() => "restarted",
				(error: { readonly code: string }) => error.code,
			);
		await settle(system.spawn({ name: "parent", behaviour: { local: () => new Parent() } }));
		const idle = await settle(system.lookup("idle"));
		const slot = idle?.address.slot as never;
		late.next = true;
		await settle(simulation.threads.kill(slot, "killed"));
		await settle(simulation.threads.replace(slot));
		await simulation.run({ untilMs: simulation.nowMs + 1_000 });
		expect(outcomes).toEqual(["failed", "thread-died"]);
		await settle(system.stop());
	});
});
