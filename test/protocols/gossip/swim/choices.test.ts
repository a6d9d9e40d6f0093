/**
 * Goal: a host can try every choice of a machine, as a model checker does, and equal states are equal (promise 2 of the
 * contract; `protocols/core/choice.ts`). Method: a script of answers; where the machine asks beyond its end, once for each further
 * answer, each on a copy of its own.
 */
import { describe, expect, it } from "vitest";
import {
	type ChoicePort,
	canonicalHash,
	type Effect,
	type Input,
	type NodeId,
} from "../../../../protocols/core/index.ts";
import { SwimMachine, type SwimTypes, swimConfig } from "../../../../protocols/gossip/index.ts";
import { a, alive, b, c, d, dead, suspected } from "./lone-member.ts";

/** Answers from a script, and notes what was asked beyond it. */
class Script implements ChoicePort {
	answers: readonly number[] = [];
	asked: number[] = [];
	below(bound: number): number {
		const answer = this.answers[this.asked.length] ?? 0;
		this.asked.push(bound);
		return answer;
	}
}

interface Branch {
	readonly machine: SwimMachine;
	readonly effects: readonly Effect<SwimTypes>[];
}

/** Every way in which a machine can take an input. */
function branches(machine: SwimMachine, script: Script, input: Input<SwimTypes>): Branch[] {
	const found: Branch[] = [];
	const open: (readonly number[])[] = [[]];
	for (let answers = open.pop(); answers !== undefined; answers = open.pop()) {
		script.answers = answers;
		script.asked = [];
		const copy = machine.copy();
		const effects: Effect<SwimTypes>[] = [];
		copy.step(input, 0, effects);
		found.push({ machine: copy, effects });
		// The answers beyond the script were 0; every other one is a branch of its own.
		for (let place = answers.length; place < script.asked.length; place++) {
			const before = [...answers, ...new Array<number>(place - answers.length).fill(0)];
			for (let other = 1; other < (script.asked[place] as number); other++) open.push([...before, other]);
		}
	}
	return found;
}

function member(script: Script, ...others: readonly NodeId[]): SwimMachine {
	const machine = new SwimMachine(swimConfig({ nodeId: a, gossipFanout: 2 }), { choices: script });
	machine.step({ type: "start", durable: { incarnation: 0 } }, 0, []);
	for (const from of others)
		machine.step({ type: "message", from, message: { type: "gossip", updates: [alive(from)], events: [] } }, 0, []);
	return machine;
}

function receivers({ effects }: Branch): string {
	return effects
		.flatMap((effect) => (effect.type === "send" ? [effect.to] : []))
		.sort()
		.join("");
}

describe("every choice", () => {
	it("reaches every pair of receivers, and no other", () => {
		const script = new Script();
		const machine = member(script, b, c, d);
		machine.step({ type: "message", from: d, message: { type: "gossip", updates: [dead(c, d)], events: [] } }, 0, []);
		const all = branches(machine, script, { type: "timer", timer: "gossip" });
		expect(all.length).toBe(3 * 2);
		expect(new Set(all.map(receivers))).toEqual(new Set(["bc", "bd", "cd"]));
	});

	it("a new order of probing can be any of them", () => {
		const script = new Script();
		const machine = member(script, b, c, d);
		for (let i = 0; i < 3; i++) machine.step({ type: "timer", timer: "probe" }, 0, []);
		const all = branches(machine, script, { type: "timer", timer: "probe" });
		const orders = all.map((branch) => (branch.machine.state as { order: NodeId[] }).order.join(""));
		expect(new Set(orders).size).toBe(6);
	});

	it("two ways to one state have one hash, and another state has another", () => {
		const hashes = (["first", "second"] as const).map((way) => {
			const script = new Script();
			const machine = member(script, b, c);
			const [one, two] = [suspected(b, c), suspected(c, b)];
			const updates = way === "first" ? [one, two] : [one, one, two, one];
			machine.step({ type: "message", from: d, message: { type: "gossip", updates, events: [] } }, 5, []);
			return canonicalHash(machine.state);
		});
		expect(hashes[0]).toBe(hashes[1]);
		expect(canonicalHash(member(new Script(), b, c).state)).not.toBe(hashes[0]);
	});

	it("a copy goes its own way", () => {
		const script = new Script();
		const machine = member(script, b, c);
		const before = canonicalHash(machine.state);
		const copy = machine.copy();
		expect(canonicalHash(copy.state)).toBe(before);
		copy.step({ type: "message", from: b, message: { type: "gossip", updates: [dead(c, b)], events: [] } }, 0, []);
		for (let i = 0; i < 30; i++) copy.step({ type: "timer", timer: "gossip" }, 0, []);
		expect(canonicalHash(machine.state)).toBe(before);
		expect(canonicalHash(copy.state)).not.toBe(before);
	});
});
