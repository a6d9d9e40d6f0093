/**
 * Goal: a machine under observation does what it does alone, and each of its batches is reported once, whole and in
 * order, however its host gathers effects.
 * Method: a Raft machine that is alone in its group, stepped beside one that nobody observes.
 */
import { describe, expect, it } from "vitest";
import { canonicalText, type Effect, type Input } from "../../../protocols/core/index.ts";
import { RaftMachine, type RaftTypes, raftConfig } from "../../../protocols/raft/index.ts";
import type { RaftObservation } from "../../../protocols/raft/properties/index.ts";
import { ObservedMachine } from "../../../protocols/verification/index.ts";
import { a, index, proposal, term } from "../raft/lone-machine.ts";

const config = raftConfig({ nodeId: a, voters: [a] });
const ended: Input<RaftTypes> = { type: "batch-ended" };
const batches: readonly (readonly Input<RaftTypes>[])[] = [
	[
		{
			type: "start",
			durable: { hardState: { term: term(0), votedFor: null }, snapshot: null, firstIndex: index(1), entries: [] },
		},
	],
	[{ type: "timer", timer: "election" }],
	[
		{ type: "write-completed", writeId: 1 },
		{ type: "request", requestId: 1, request: proposal("x") },
	],
	[],
	[{ type: "write-completed", writeId: 2 }],
];

interface Run {
	readonly observed: ObservedMachine<RaftTypes, RaftMachine["view"]>;
	readonly observations: RaftObservation[];
	readonly effects: readonly Effect<RaftTypes>[][];
}

/** Steps all batches; the host takes the effects away after every step, or gathers a whole batch. */
function run(takes: "every step" | "every batch"): Run {
	const observations: RaftObservation[] = [];
	const observed = new ObservedMachine(a, new RaftMachine(config), (observation) => {
		observations.push(observation);
	});
	const effects = batches.map((inputs) => {
		const taken: Effect<RaftTypes>[] = [];
		const list: Effect<RaftTypes>[] = [];
		for (const input of [...inputs, ended]) {
			observed.step(input, 0, list);
			if (takes === "every step") taken.push(...list.splice(0));
		}
		return [...taken, ...list];
	});
	return { observed, observations, effects };
}

describe("an observed machine", () => {
	it.each(["every step", "every batch"] as const)(
		"reports each batch whole when its host takes effects at %s",
		(takes) => {
			const { observations, effects } = run(takes);
			const reported = observations.flatMap((observation) =>
				observation.type === "batch" ? [observation.effects] : [],
			);
			expect(reported).toEqual(effects);
			expect(effects.flat().some(({ type }) => type === "apply")).toBe(true);
		},
	);

	it("reports its start first, and the events of a batch after it", () => {
		const { observations } = run("every batch");
		expect(observations[0]).toEqual({ type: "started", node: a });
		expect(observations.map(({ type }) => type)).toEqual([
			"started",
			"batch",
			"batch",
			"event",
			"event",
			"batch",
			"event",
			"batch",
			"batch",
			"event",
		]);
		const events = observations.flatMap((observation) =>
			observation.type === "event" ? [observation.event.type] : [],
		);
		expect(events).toEqual(["role-changed", "role-changed", "role-changed", "commit-advanced"]);
	});

	it("shows the machine as it stands after the batch", () => {
		const machine = new RaftMachine(config);
		const terms: number[] = [];
		const observed = new ObservedMachine<RaftTypes, RaftMachine["view"]>(a, machine, (observation) => {
			if (observation.type === "batch") terms.push(observation.machine.term);
		});
		for (const inputs of batches) for (const input of [...inputs, ended]) observed.step(input, 0, []);
		expect(terms).toEqual([0, 1, 1, 1, 1]);
		expect(machine.view).toMatchObject({ role: "leader", commitIndex: 2, votedFor: a });
		expect(machine.view.log).toMatchObject({ baseIndex: 0, baseTerm: 0, lastIndex: 2, lastTerm: 1 });
	});

	it("does what the machine does alone", () => {
		const { observed, effects } = run("every batch");
		const alone = new RaftMachine(config);
		const list: Effect<RaftTypes>[] = [];
		for (const inputs of batches) for (const input of [...inputs, ended]) alone.step(input, 0, list);
		expect(effects.flat()).toEqual(list);
		expect(canonicalText(observed.state)).toBe(canonicalText(alone.state));
	});

	it("has a copy that goes on by itself in the middle of a batch", () => {
		const { observed, observations } = run("every batch");
		observed.step({ type: "request", requestId: 2, request: proposal("y") }, 0, []);
		const [before, copy] = [canonicalText(observed.state), observed.copy()];
		expect(canonicalText(copy.state)).toBe(before);
		copy.step(ended, 0, []);
		expect(canonicalText(copy.state)).not.toBe(before);
		expect(canonicalText(observed.state)).toBe(before);
		expect(observations.at(-1)).toMatchObject({ type: "batch", effects: [{ type: "persist" }] });
	});
});
