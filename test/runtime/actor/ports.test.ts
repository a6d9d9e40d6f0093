/** Goal: sequences keep their order where int32 wraps. Method: pairs around the wrap and far from it. */
import { expect, it } from "vitest";
import { sequenceReached } from "../../../runtime/actor/index.ts";

it.each([
	[5, 5, true],
	[6, 5, true],
	[4, 5, false],
	[-(2 ** 31), 2 ** 31 - 1, true],
	[2 ** 31 - 1, -(2 ** 31), false],
	[-1, 0, false],
	[0, -1, true],
])("a sequence of %s has reached %s: %s", (sequence, through, expected) => {
	expect(sequenceReached(sequence, through)).toBe(expected);
});
