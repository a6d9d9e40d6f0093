/** Goal: a process believes a change of membership when f + 1 members of the configuration before tell it alike, and nothing less. */
import { expect, it } from "vitest";
import { GroupMembership } from "../../../actors/byzantine-coordinator/group-membership.ts";
import { nodeId } from "../../../protocols/core/index.ts";
import type { Configuration } from "../../../protocols/pbft/index.ts";

const ids = ["a", "b", "c", "d", "e", "f"].map((name) => nodeId(name));
const [a, b, c, , e] = ids as [never, never, never, never, never];
const configuration = (epoch: number, members: readonly string[]): Configuration =>
	({ epoch, members, faults: 1 }) as never;
const first = configuration(0, ids.slice(0, 4));
const second = configuration(1, ids.slice(1, 5));

it("BYZ-19: one liar, a stranger or words that differ change nothing", async () => {
	const membership = new GroupMembership([first]);
	let isEntered = false;
	const entered = membership.entered(1).done.then(() => {
		isEntered = true;
	});
	expect(membership.told(a, second)).toBeNull();
	expect(membership.told(a, second)).toBeNull();
	expect(membership.told(e, second)).toBeNull();
	expect(membership.told(b, configuration(1, ids.slice(2, 6)))).toBeNull();
	await Promise.resolve();
	expect([isEntered, membership.configuration]).toEqual([false, first]);
	expect(membership.told(c, second)).toEqual(second);
	await entered;
	expect(membership.told(b, first)).toBeNull();
	expect([membership.of(0), membership.of(1), membership.of(2)]).toEqual([first, second, null]);
	// The next needs f + 1 of the members that there are now.
	const third = configuration(2, ids.slice(2, 6));
	expect([membership.told(a, third), membership.told(b, third)]).toEqual([null, null]);
	expect(membership.told(e, third)).toEqual(third);
	await membership.entered(1).done;
});
