/** The other thread of the lane benchmark: handles what arrives, answers asks, and reports what it handled. */
import { type MessagePort, workerData } from "node:worker_threads";
import type { AppendEntries, Vote } from "../../../protocols/raft/messages.ts";
import { AsyncParking, BlockingParking, type OnRecord, recordKinds } from "../../../runtime/memory/index.ts";
import { LaneEnd, type PairMemory } from "./end.ts";
import { weightOf } from "./messages.ts";

export interface PeerData {
	readonly memory: PairMemory;
	readonly port: MessagePort;
	readonly strategy: "async" | "blocking";
}
/** What the peer is told by its port. */
export type PeerMessage =
	| { readonly type: "expect"; readonly count: number }
	| (Omit<Vote, "type"> & { readonly type: "echo" })
	| Vote
	| AppendEntries
	| readonly (Vote | AppendEntries)[];

const { memory, port, strategy } = workerData as PeerData;
const end = new LaneEnd(memory, 1);
let expected = 0;
let handled = 0;
let weight = 0;

function handle(message: Vote | AppendEntries): void {
	handled++;
	weight += weightOf(message);
}

function reportIfDone(): void {
	if (expected === 0 || handled < expected) return;
	port.postMessage({ handled, weight });
	expected = 0;
	handled = 0;
	weight = 0;
}

let stopped = false;
const onUser: OnRecord = (header, bytes, start, stop) => {
	if (header.kind === recordKinds.signal) {
		stopped = true;
		return "next";
	}
	const message = end.codec.decode(header.schema, bytes, start, stop) as Vote | AppendEntries;
	if (header.kind === recordKinds.ask) end.tell(message, recordKinds.reply, header.correlation);
	else handle(message);
	return "next";
};

port.on("message", (message: PeerMessage) => {
	if (Array.isArray(message)) {
		for (const item of message as readonly (Vote | AppendEntries)[]) handle(item);
	} else if ("type" in message && message.type === "expect") {
		expected = message.count;
	} else if ("type" in message && message.type === "echo") {
		port.postMessage(message);
	} else {
		handle(message as Vote | AppendEntries);
	}
	reportIfDone();
});

if (strategy === "blocking") {
	const parking = new BlockingParking(end.block);
	while (!stopped) {
		const outcome = end.turn(onUser);
		end.outbound.flush();
		if (outcome === "idle") parking.park(1000);
	}
	process.exit(0);
} else {
	// The port holds the event loop.
	const run = (): void => {
		const outcome = end.turn(onUser);
		end.outbound.flush();
		reportIfDone();
		if (outcome === "more" || parking.park(0) === "work") setImmediate(run);
	};
	const parking = new AsyncParking(end.block, run);
	run();
}
