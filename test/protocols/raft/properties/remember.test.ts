/**
 * Goal: what watchers remember has a bound, and what they have forgotten they do not judge.
 * Method: more leaders and more indices than fit.
 */
import { expect, it } from "vitest";
import { electionSafety, LEADERS_MAX } from "../../../../protocols/raft/properties/election-safety.ts";
import { REMEMBERED_MAX, remember } from "../../../../protocols/raft/properties/remember.ts";
import { a, b } from "../lone-machine.ts";
import { roleChanged } from "./observations.ts";

it("the oldest is forgotten first", () => {
	const map = new Map<number, string>();
	for (let key = 0; key <= REMEMBERED_MAX; key++) remember(map, key, "");
	expect(map.size).toBe(REMEMBERED_MAX);
	expect([map.has(0), map.has(1), map.has(REMEMBERED_MAX)]).toEqual([false, true, true]);
	remember(map, 1, "again");
	expect(map.size).toBe(REMEMBERED_MAX);
});

it("leaders of the lowest terms are forgotten", () => {
	const watcher = electionSafety.watch();
	for (let term = 1; term <= LEADERS_MAX + 1; term++) watcher.observe(roleChanged(a, term, "leader"));
	expect(watcher.observe(roleChanged(b, 2, "leader"))?.type).toBe("violated");
	expect(watcher.observe(roleChanged(b, 1, "leader"))?.type).toBe("holds");
	expect((watcher.state as Map<number, unknown>).size).toBe(LEADERS_MAX);
});
