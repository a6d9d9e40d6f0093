/**
 * Where a worker thread begins. It loads the runtime and reports; then it waits for its assignment, perhaps for long, as
 * a warm spare. From the assignment on it is the thread of a slot.
 */
import { parentPort, workerData } from "node:worker_threads";
import { assert } from "../../protocols/core/index.ts";
import { Kernel } from "../actor/index.ts";
import { serveControl } from "./control-plane.ts";
import { ThreadHost } from "./thread-host.ts";
import type { Assignment, BootData, OrderToThread, ReportFromThread } from "./thread-orders.ts";

const port = parentPort;
assert(port !== null, "a worker's entry runs in a worker");
let host: ThreadHost | null = null;

// What actors are made of, loaded while nobody waits. A module that does not load is the spawn's to report.
await Promise.allSettled((workerData as BootData).preload.map((module) => import(module)));

// This listener also holds the event loop open, which a parked thread does not.
port.on("message", (order: OrderToThread) => {
	if (order.type === "assign") {
		assert(host === null, "a worker is assigned once");
		host = begin(order.assignment);
		report({ type: "assigned" });
	} else {
		assert(host !== null, "lanes are for a thread that has a slot");
		host.learn(order);
	}
});
report({ type: "booted" });

function begin(assignment: Assignment): ThreadHost {
	const made = new ThreadHost({ ...assignment, announce: report });
	const kernel = new Kernel(made.ports);
	serveControl(kernel.control, assignment.controlPort);
	made.start(kernel);
	return made;
}

function report(message: ReportFromThread): void {
	port?.postMessage(message);
}
