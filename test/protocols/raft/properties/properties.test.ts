/**
 * Goal: every property of Raft finds what breaks it, by its id and with the values that show it, keeps quiet about what
 * does not, and is watched by a small state machine that can be copied, compared and printed.
 * Method: observations made by hand, two streams a property (`twins.ts`): one that keeps it and one that does not.
 */
import { describe, expect, it } from "vitest";
import { canonicalText, must } from "../../../../protocols/core/index.ts";
import { type RaftObservation, raftProperties } from "../../../../protocols/raft/properties/index.ts";
import { type Property, type PropertyResult, WatchList } from "../../../../protocols/verification/index.ts";
import { a, b, command } from "../lone-machine.ts";
import { leading, roleChanged } from "./observations.ts";
import { twins } from "./twins.ts";

function propertyOf(id: string): Property<RaftObservation> {
	return must(
		raftProperties.find((property) => property.id === id),
		`there is a property ${id}`,
	);
}

/** What a watch list makes of these observations. */
function judge(id: string, observations: readonly RaftObservation[]): PropertyResult<RaftObservation> {
	const list = new WatchList([propertyOf(id)]);
	for (const observation of observations) list.observe(observation);
	return must(list.results[0], "one property, one result");
}

describe("properties of Raft", () => {
	it("have all been given twins, a statement and a source", () => {
		expect(new Set(twins.map(({ id }) => id))).toEqual(new Set(raftProperties.map(({ id }) => id)));
		for (const { id, statement, source } of raftProperties) {
			expect(id).toMatch(/^[a-z]+(-[a-z]+)+$/);
			expect(statement, id).toMatch(/^[A-Z].*\.$/);
			expect(source, id).toMatch(/Raft|thesis/);
		}
	});

	it.each(twins)("$id: kept or witnessed by $about", ({ id, good }) => {
		const { verdict, evaluations, violation } = judge(id, good);
		expect({ verdict, violation }).toEqual({ verdict: "holds", violation: null });
		expect(evaluations).toBeGreaterThan(0);
	});

	it.each(twins)("$id: seen to be broken or missing, beside $about", ({ id, bad, details }) => {
		const { verdict, violation } = judge(id, bad);
		if (propertyOf(id).kind === "sometimes") {
			expect(details).toBeNull();
			expect({ verdict, violation }).toEqual({ verdict: "vacuous", violation: null });
			return;
		}
		expect({ verdict, violation }).toEqual({
			verdict: "violated",
			violation: { property: id, position: bad.length - 1, details },
		});
		// The observation before the last breaks nothing: it is the last that is found.
		if (propertyOf(id).kind === "always") expect(judge(id, bad.slice(0, -1)).violation).toBeNull();
	});

	it.each(twins)("$id: its watcher is plain data and can be copied at any time ($about)", ({ id, good, bad }) => {
		for (const observations of [good, bad]) {
			const watcher = propertyOf(id).watch();
			for (const observation of observations) {
				const [copy, stateBefore] = [watcher.copy(), canonicalText(watcher.state)];
				const finding = watcher.observe(observation);
				expect(canonicalText(copy.state)).toBe(stateBefore);
				expect(copy.observe(observation)).toEqual(finding);
				expect(canonicalText(copy.state)).toBe(canonicalText(watcher.state));
			}
		}
	});

	it("look at what they say they look at: the rest leaves their watchers as they are", () => {
		for (const { id, good, bad } of twins) {
			const { observes } = propertyOf(id);
			const watcher = propertyOf(id).watch();
			for (const observation of [...good, ...bad]) {
				if (observes === undefined || observes.includes(observation.type)) continue;
				const before = canonicalText(watcher.state);
				expect(watcher.observe(observation), id).toBeNull();
				expect(canonicalText(watcher.state), id).toBe(before);
			}
		}
	});

	it("judge a machine whatever it has broken: no watcher throws", () => {
		const broken = leading(a, {
			term: 2,
			commit: 9,
			delivered: 12,
			base: [3, 1],
			log: [command(1), command(3)],
			durable: 20,
		});
		const list = new WatchList(raftProperties);
		for (const observation of twins.flatMap(({ good, bad }) => [...good, broken, ...bad, broken])) {
			expect(() => list.observe(observation)).not.toThrow();
		}
		expect(list.results.filter(({ verdict }) => verdict === "violated").length).toBeGreaterThan(10);
	});

	it("are watched as far as an observer sees: events alone show elections, terms and whether there is a leader", () => {
		const list = new WatchList(raftProperties, "events");
		for (const observation of [roleChanged(a, 1, "leader"), roleChanged(b, 2, "candidate")]) list.observe(observation);
		const seen = list.results.filter(({ evaluations }) => evaluations > 0).map(({ property }) => property.id);
		expect(seen).toEqual(["election-safety", "monotone-term", "leader-elected", "leader-exists"]);
		for (const { property, verdict } of list.results) {
			expect(verdict === "out-of-sight", property.id).toBe(property.needs !== "events");
		}
	});
});
