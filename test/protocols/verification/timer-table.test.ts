/** Goal: a table of timers answers as a map would, whether it keeps them as a list or, when there are many, as one. Method: both side by side. */
import { expect, test } from "vitest";
import { Generator } from "../../../protocols/core/index.ts";
import { NOTHING, TimerTable } from "../../../protocols/verification/timer-table.ts";

test.each([4, 40])("with %d names", (names) => {
	const dice = new Generator(1, `timers/${names}`);
	const [table, reference] = [new TimerTable<string>(), new Map<string, number>()];
	for (let event = 0; event < 2_000; event++) {
		const timer = `timer/${dice.below(names)}`;
		expect(table.take(timer)).toBe(reference.get(timer) ?? NOTHING);
		reference.delete(timer);
		if (dice.chance(0.6)) {
			table.set(timer, event);
			reference.set(timer, event);
		}
		if (dice.chance(0.01)) {
			expect(table.clear().sort()).toEqual([...reference.values()].sort());
			reference.clear();
		}
	}
});
