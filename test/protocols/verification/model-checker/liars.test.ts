/**
 * Goal: members that lie say all that they can sign and nothing else, within their budget. Method: a broadcast among four
 * of whom one lies, with a quorum that bears that and one that does not.
 */
import { describe, expect, it } from "vitest";
import { nodeId } from "../../../../protocols/core/index.ts";
import {
	explore,
	type GroupBounds,
	type GroupModel,
	groupSpace,
	type SearchResult,
} from "../../../../protocols/verification/model-checker/index.ts";
import { agreement, type EchoTypes, echoPort, lies } from "./echo-protocol.ts";

type View = ReturnType<ReturnType<typeof echoPort>["view"]>;
type Model = GroupModel<EchoTypes, View>;

const free: GroupBounds = { inFlight: "any", crashes: 0, losses: "any", duplicates: "any", forgeries: "any" };
const bounded: GroupBounds = { inFlight: 6, crashes: 0, losses: 0, duplicates: 0, forgeries: 2 };

function model(quorum: number, changes: Partial<Model> = {}): Model {
	return {
		name: "echo",
		port: echoPort(quorum),
		properties: [agreement],
		bounds: free,
		disk: "synchronous",
		network: "cumulative",
		isReduced: true,
		isSymmetric: true,
		...changes,
	};
}

function check(quorum: number, changes: Partial<Model> = {}): SearchResult {
	return explore(groupSpace(model(quorum, changes)), { statesMax: 200_000 });
}

describe("a member that lies", () => {
	it("can not divide the others if quorums meet in one who does not", () => {
		expect(check(3)).toMatchObject({ verdict: "proved", exhausted: true });
	});

	it("divides them if quorums meet in the liar alone, by its own messages", () => {
		const { verdict, counterexample } = check(2);
		expect(verdict).toBe("violated");
		expect(counterexample).toMatchObject({ property: "agreement" });
		expect(counterexample?.steps.every(({ action }) => !action.startsWith("liar"))).toBe(true);
		expect(counterexample?.steps.some(({ action }) => action.includes("liar -> "))).toBe(true);
	});

	it("lies as often as its budget says", () => {
		const set = { network: "set", bounds: bounded } as const;
		// One value needs a member that is shown it and a second echo; two values need both twice.
		expect(check(2, { ...set, bounds: { ...bounded, forgeries: 2 } }).verdict).toBe("proved");
		const { counterexample } = check(2, { ...set, bounds: { ...bounded, forgeries: 4 } });
		expect(counterexample?.property).toBe("agreement");
		const forged = counterexample?.steps.filter(({ action }) => action.startsWith("forged: liar -> ")) ?? [];
		expect(forged.length).toBeGreaterThan(1);
		expect(forged.length).toBeLessThanOrEqual(4);
		expect(check(2, { bounds: { ...free, forgeries: 2 } }).verdict).toBe("proved");
		expect(check(2, { bounds: { ...free, forgeries: 4 } }).counterexample?.property).toBe("agreement");
	});

	it("is told from the others under symmetry, and they are not told from each other", () => {
		const [on, off] = [check(3), check(3, { isSymmetric: false })];
		expect([on.verdict, off.verdict]).toEqual(["proved", "proved"]);
		expect(off.distinct / on.distinct).toBeGreaterThan(3);
		expect(off.distinct / on.distinct).toBeLessThanOrEqual(6);
		// Lies to one member only leave less to rename.
		const unequal = { ...echoPort(3), forgeries: lies.filter(({ to, message }) => to !== "n3" || message.value === 1) };
		expect(check(3, { port: unequal })).toMatchObject({ verdict: "proved", exhausted: true });
	});
});

describe("bad models", () => {
	it("who lies is a member, and without a bound only on a cumulative network", () => {
		const port = { ...echoPort(3), liars: [nodeId("nobody")] };
		expect(() => groupSpace(model(3, { port }))).toThrow(expect.objectContaining({ code: "model-malformed" }));
		const bounds = { ...bounded, forgeries: "any" } as const;
		expect(() => groupSpace(model(3, { network: "set", bounds }))).toThrow(
			expect.objectContaining({ code: "model-unbounded", details: expect.objectContaining({ bound: "forgeries" }) }),
		);
	});
});
