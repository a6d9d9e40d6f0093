/**
 * Goal: the crowd's host keeps time, order, timers and faults as the contract says. Method: a machine that answers what it
 * hears and writes down what it was given.
 */
import { describe, expect, it } from "vitest";
import {
	type Effect,
	type Input,
	nodeId,
	type ProtocolTypes,
	type StateMachine,
} from "../../../protocols/core/index.ts";
import { Crowd, type CrowdOptions } from "../../../protocols/verification/index.ts";

interface EchoTypes extends ProtocolTypes {
	readonly message: { readonly type: "echo"; readonly n: number };
	readonly request: { readonly effects: readonly Effect<EchoTypes>[] };
	readonly reply: string;
	readonly timer: string;
	readonly write: number;
	readonly read: never;
	readonly readResult: never;
	readonly delivery: never;
	readonly snapshot: never;
	readonly event: { readonly type: "noted" };
	readonly durable: number;
}

class Echo implements StateMachine<EchoTypes> {
	readonly heard: string[] = [];
	readonly state = null;
	step(input: Input<EchoTypes>, now: number, effects: Effect<EchoTypes>[]): void {
		if (input.type === "request") effects.push(...input.request.effects);
		else if (input.type === "message") this.heard.push(`${now}:${input.from}:${input.message.n}`);
		else if (input.type === "timer") this.heard.push(`${now}:${input.timer}`);
		else if (input.type === "start") this.heard.push(`start:${input.durable}`);
		else if (input.type === "peer-unreachable") this.heard.push(`${now}:lost:${input.peer}`);
	}
	copy(): Echo {
		return new Echo();
	}
}

const [a, b] = [nodeId("a"), nodeId("b")];
function pair(options: Partial<CrowdOptions<EchoTypes>> = {}): Crowd<EchoTypes> {
	const crowd = new Crowd<EchoTypes>({
		seed: 1,
		nodes: [a, b],
		machine: () => new Echo(),
		durable: () => 0,
		perform: (_durable, write) => write,
		...options,
	});
	crowd.startAll();
	return crowd;
}
const send = (n: number): Effect<EchoTypes> => ({
	type: "send",
	to: b,
	message: { type: "echo", n },
	release: "immediate",
});
const timer = (name: string, min: number, max = min): Effect<EchoTypes> => ({
	type: "set-timer",
	timer: name,
	afterMs: { min, max },
});
const heard = (crowd: Crowd<EchoTypes>, place: number): string[] => (crowd.machine(place) as Echo).heard;

describe("Crowd", () => {
	it("delivers after the latency, in order of sending", () => {
		const crowd = pair({ network: { latencyMs: { min: 7, max: 7 } } });
		crowd.request(0, { effects: [send(1), send(2)] });
		crowd.run(6);
		expect(heard(crowd, 1)).toEqual(["start:0"]);
		crowd.run(7);
		expect(heard(crowd, 1).slice(1)).toEqual(["7:a:1", "7:a:2"]);
	});

	it("fires timers at their time, in this window and in later ones; replaced and cancelled ones never", () => {
		const crowd = pair();
		crowd.request(0, {
			effects: [timer("soon", 10), timer("late", 100_000), timer("replaced", 5), timer("cancelled", 20)],
		});
		crowd.request(0, { effects: [timer("replaced", 4_096), { type: "cancel-timer", timer: "cancelled" }] });
		crowd.run(200_000);
		expect(heard(crowd, 0).slice(1)).toEqual(["10:soon", "4096:replaced", "100000:late"]);
	});

	it("a crash ends timers; the disk is kept, and messages meet nobody", () => {
		const crowd = pair({ network: { reportsUnreachable: true } });
		crowd.request(1, { effects: [timer("t", 50), { type: "persist", writeId: 1, write: 42 }] });
		crowd.crash(1);
		crowd.request(0, { effects: [send(1)] });
		crowd.run(100);
		crowd.start(1);
		expect(heard(crowd, 1)).toEqual(["start:42"]);
		expect(heard(crowd, 0).slice(1)).toEqual(["1:lost:b"]);
		expect(crowd.counts.undeliverable).toBe(1);
	});

	it("a muted member neither hears nor is heard until it is over, while its timers go on", () => {
		const crowd = pair();
		crowd.mute(1, 100);
		crowd.request(0, { effects: [send(1)] });
		crowd.request(1, { effects: [timer("t", 50)] });
		crowd.run(200);
		expect(heard(crowd, 1).slice(1)).toEqual(["50:t", "100:a:1"]);
		crowd.mute(0, 100);
		crowd.request(0, { effects: [send(2)] });
		crowd.run(400);
		expect(heard(crowd, 1).at(-1)).toBe("301:a:2");
	});

	it("loses and cuts what it is told to, and counts it", () => {
		const crowd = pair({ bytesOf: ({ n }) => n });
		crowd.network.lossChance = 0.5;
		crowd.request(0, { effects: Array.from({ length: 1_000 }, () => send(3)) });
		crowd.run(10);
		expect(heard(crowd, 1).length - 1).toBe(1_000 - crowd.counts.lost);
		// Binomial: mean 500, standard deviation 15.8.
		expect(Math.abs(crowd.counts.lost - 500)).toBeLessThan(4 * 15.8);
		expect(crowd.counts.bytes).toBe(3_000);
		crowd.network.lossChance = 0;
		crowd.network.isCut = (from, to) => from === 0 && to === 1;
		const before = heard(crowd, 1).length;
		crowd.request(0, { effects: [send(1)] });
		crowd.run(20);
		expect(heard(crowd, 1).length).toBe(before);
	});

	it("stops as soon as it is done", () => {
		const crowd = pair();
		crowd.request(0, { effects: [timer("a", 10), timer("b", 20), timer("c", 30)] });
		expect(crowd.run(100, () => heard(crowd, 0).length > 2)).toBe(true);
		expect(heard(crowd, 0)).toEqual(["start:0", "10:a", "20:b"]);
		expect(crowd.nowMs).toBe(30);
		expect(crowd.run(100, () => false)).toBe(false);
	});
});
