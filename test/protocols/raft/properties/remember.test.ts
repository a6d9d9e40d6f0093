/**
 * Goal: what watchers remember has a bound, and what they have forgotten they do not judge.
 * Method: more leaders and more indices than fit.
 */
import { expect, it } from "vitest";
import { electionSafety, LEADERS_MAX } from "../../../../protocols/raft/properties/election-safety.ts";
import { REMEMBERED_MAX, remember } from "../../../../protocols/raft/properties/remember.ts";
import { a, b } from "../lone-machine.ts";
import { roleChanged } from "./observations.ts";

it("the oldest are forgotten first, a sixteenth of all at a time", () => {
	const map = new Map<number, string>();
	for (let key = 0; key < REMEMBERED_MAX; key++) remember(map, key, "");
	remember(map, 1, "again");
	expect(map.size).toBe(REMEMBERED_MAX);
	remember(map, REMEMBERED_MAX, "");
	const kept = (15 * REMEMBERED_MAX) / 16;
	expect(map.size).toBe(kept + 1);
	expect([map.has(0), map.has(REMEMBERED_MAX / 16 - 1)]).toEqual([false, false]);
	expect([map.has(REMEMBERED_MAX / 16), map.has(REMEMBERED_MAX)]).toEqual([true, true]);
	for (let key = 0; key < 3 * REMEMBERED_MAX; key++) {
		remember(map, -key, "");
		if (map.size > REMEMBERED_MAX) expect.unreachable("never more than the bound");
	}
});

it("leaders of the lowest terms are forgotten", () => {
	const watcher = electionSafety.watch();
	for (let term = 1; term <= LEADERS_MAX + 1; term++) watcher.observe(roleChanged(a, term, "leader"));
	expect(watcher.observe(roleChanged(b, 2, "leader"))?.type).toBe("violated");
	expect(watcher.observe(roleChanged(b, 1, "leader"))?.type).toBe("holds");
	expect((watcher.state as Map<number, unknown>).size).toBe(LEADERS_MAX);
});
