// Goal: a control call ends in every case: with its value, the error of the other side, a timeout, or the thread's end.
// Method: both ends over a MessageChannel in one thread; the serving kernel is an object of the test.
import { MessageChannel } from "node:worker_threads";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { defineErrors, QuorateError } from "../../../protocols/core/index.ts";
import type { ThreadSlot } from "../../../runtime/actor/address.ts";
import type { KernelControl, SpawnOrder } from "../../../runtime/actor/ports.ts";
import { INSPECT_TIMEOUT_MS, RemoteKernelControl, serveControl } from "../../../runtime/threads/control-plane.ts";

const { diskFull } = defineErrors({ diskFull: ["disk-full", (d: { disk: string }) => `${d.disk} is full`] });
const address = { slot: 3 as ThreadSlot, actor: 1, incarnation: 1 };
const never = (): Promise<never> => new Promise(() => {});

let channel: MessageChannel;
let rung = 0;
let heard = 0;
beforeEach(() => {
	channel = new MessageChannel();
	rung = 0;
	heard = 0;
});
afterEach(() => {
	channel.port1.close();
	channel.port2.close();
	vi.useRealTimers();
});

function pair(kernel: Partial<KernelControl>): RemoteKernelControl {
	const idle: KernelControl = { spawn: never, suspend: never, stop: never, adopt: never, inspect: never };
	serveControl({ ...idle, ...kernel }, channel.port1);
	return new RemoteKernelControl(
		"raft/node-1",
		3,
		channel.port2,
		() => rung++,
		() => heard++,
	);
}

test("values and arguments pass, and the thread is woken for each call", async () => {
	const orders: SpawnOrder[] = [];
	const control = pair({
		spawn: async (order) => void orders.push(order),
		stop: async (_address, reason) => reason,
	});
	await control.spawn({
		address,
		parent: address,
		restarts: 2,
		spec: { name: "ledger", behaviour: { module: new URL("file:///x/ledger.js"), export: "Ledger", args: [1] } },
	});
	expect(orders[0]?.restarts).toBe(2);
	// A URL object would arrive as an empty record.
	expect(orders[0]?.spec.behaviour).toEqual({ module: "file:///x/ledger.js", export: "Ledger", args: [1] });
	expect(await control.stop(address, { type: "shutdown" }, 50)).toEqual({ type: "shutdown" });
	expect(rung).toBe(2);
	// Before each answer is acted on: what the thread had to say comes first.
	expect(heard).toBe(2);
});

test("an error of the kernel arrives with code, details and cause", async () => {
	const control = pair({
		inspect: async () => {
			throw diskFull({ disk: "/var" }, { cause: new RangeError("no space") });
		},
	});
	const error = await control.inspect().then(
		() => null,
		(thrown) => thrown,
	);
	expect(error).toBeInstanceOf(QuorateError);
	expect(error).toMatchObject({ code: "disk-full", details: { disk: "/var" }, message: "/var is full" });
	expect(error.cause).toMatchObject({ code: "internal", message: "no space", details: { name: "RangeError" } });
});

test("a call that is never answered times out", async () => {
	vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout"] });
	const control = pair({});
	const call = expect(control.inspect()).rejects.toMatchObject({
		code: "control-timeout",
		details: { call: "inspect", timeoutMs: INSPECT_TIMEOUT_MS },
	});
	vi.advanceTimersByTime(INSPECT_TIMEOUT_MS);
	await call;
});

test("the end of the thread rejects what is pending and what comes later", async () => {
	const control = pair({});
	const calls = [control.inspect(), control.stop(address, { type: "shutdown" }, 10), control.suspend(address, 10)];
	control.close({ cause: "crashed", exitCode: 1, error: null });
	for (const call of [...calls, control.inspect()]) {
		await expect(call).rejects.toMatchObject({ code: "thread-died", details: { cause: "crashed", slot: 3 } });
	}
});

test("a closure is refused before it is sent", async () => {
	const control = pair({});
	const order = {
		address,
		parent: address,
		restarts: 0,
		spec: { name: "a", behaviour: { local: () => ({}) as never } },
	};
	await expect(control.spawn(order)).rejects.toMatchObject({ code: "local-source-on-thread", details: { name: "a" } });
});
