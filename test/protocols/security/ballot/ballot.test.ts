/**
 * Goal: a vote whose outcome anybody can check and whose choices nobody can see (SEC-45). Method: real trustees' key, an election, and
 * each way to cheat with a ballot, a part of the tally, or the result.
 */
import { randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { nodeId, type QuorateError } from "../../../../protocols/core/index.ts";
import {
	type Ballot,
	castBallot,
	checkBallot,
	ciphersuite,
	collectBallots,
	countVotes,
	dealKey,
	type Election,
	isTallyShareValid,
	openTally,
	verifyTally,
} from "../../../../protocols/security/index.ts";

const suite = ciphersuite("ristretto255");
const entropy = (): Uint8Array => new Uint8Array(randomBytes(32));
const trustees = [1, 2, 3].map((identifier) => ({ node: nodeId(`trustee-${identifier}`), identifier }));
const { key, shares } = dealKey("ristretto255", [91n, 17n].map(suite.encodeScalar), trustees);
const voters = [1, 2, 3, 4, 5].map((number) => nodeId(`voter-${number}`));
const election: Election = { name: "primary of view 9", options: 3, voters, key };
const choices = [2, 0, 2, 2, 1];
const ballots = voters.map((voter, at) => castBallot(election, voter, choices[at]!, entropy()));
const box = collectBallots(election, ballots);
const parts = shares.map((share) => openTally(election, box, share, entropy()));

describe("SEC-45: a secret vote", () => {
	it("counts what was chosen, with any threshold of trustees, and anybody can check it", () => {
		expect(box.counted).toEqual(voters);
		for (const some of [parts.slice(0, 2), parts.slice(1), [parts[2]!, parts[0]!]]) {
			const tally = countVotes(election, box, some);
			expect(tally.counts).toEqual([1, 1, 3]);
			expect(verifyTally(election, ballots, tally)).toBe(true);
		}
	});

	it("a ballot does not show its choice: the same choice gives other bytes, and one trustee can not open it", () => {
		const again = castBallot(election, voters[0]!, 2, entropy());
		expect(again.marks[2]!.ciphertext).not.toEqual(ballots[0]!.marks[2]!.ciphertext);
		expect(() => countVotes(election, box, parts.slice(0, 1))).toThrow("2 shares are needed");
	});

	it("a voter counts once: its second ballot is refused, the first stands", () => {
		const second = castBallot(election, voters[0]!, 1, entropy());
		const { counted, refused } = collectBallots(election, [...ballots, second]);
		expect(counted).toHaveLength(5);
		expect(refused).toEqual([voters[0]]);
	});

	it("somebody else's ballot can not be handed in as one's own, nor in another election", () => {
		const copied: Ballot = { ...ballots[0]!, voter: voters[1]! };
		expect(checkBallot(election, copied)).toBeNull();
		expect(checkBallot({ ...election, name: "another" }, ballots[0]!)).toBeNull();
		expect(checkBallot({ ...election, voters: voters.slice(1) }, ballots[0]!)).toBeNull();
	});

	it("two votes in one ballot, none, or one of many for an option do not pass", () => {
		const [one, other] = [
			castBallot(election, voters[0]!, 0, entropy()),
			castBallot(election, voters[0]!, 1, entropy()),
		];
		// Each mark is a proven 0 or 1, but of another ballot, and their sum is 2, or 0.
		const two: Ballot = { ...one, marks: [one.marks[0]!, other.marks[1]!, one.marks[2]!] };
		const none: Ballot = { ...one, marks: [other.marks[0]!, one.marks[1]!, one.marks[2]!] };
		expect(checkBallot(election, two)).toBeNull();
		expect(checkBallot(election, none)).toBeNull();
		const heavy = one.marks[0]!.ciphertext;
		const masked = suite.decodeElement(heavy.masked, "it").add(suite.generator.multiply(9n)).toBytes();
		const stuffed: Ballot = {
			...one,
			marks: [{ ...one.marks[0]!, ciphertext: { ...heavy, masked } }, ...one.marks.slice(1)],
		};
		expect(checkBallot(election, stuffed)).toBeNull();
	});

	it.each([
		["no marks", { marks: [] }],
		["too few marks", { marks: ballots[0]!.marks.slice(1) }],
		[
			"a malformed element",
			{
				marks: ballots[0]!.marks.map((mark) => ({
					...mark,
					ciphertext: { ephemeral: new Uint8Array(32), masked: mark.ciphertext.masked },
				})),
			},
		],
		[
			"swapped cases",
			{ marks: ballots[0]!.marks.map((mark) => ({ ...mark, challenges: [...mark.challenges].reverse() })) },
		],
		["one case only", { marks: ballots[0]!.marks.map((mark) => ({ ...mark, challenges: mark.challenges.slice(1) })) }],
		["no proof of the sum", { sumProof: new Uint8Array(64) }],
	])("a ballot with %s is refused", (_, change) => {
		expect(checkBallot(election, { ...ballots[0]!, ...change } as Ballot)).toBeNull();
		expect(collectBallots(election, [{ ...ballots[0]!, ...change } as Ballot]).refused).toEqual([voters[0]]);
	});

	it("a trustee that opens wrongly is told apart, and the others' parts are enough", () => {
		const lie = { ...parts[0]!, parts: parts[0]!.parts.map((part, at) => (at === 0 ? parts[0]!.parts[1]! : part)) };
		expect(isTallyShareValid(election, box, lie)).toBe(false);
		expect(isTallyShareValid(election, box, { ...parts[0]!, identifier: 2 })).toBe(false);
		expect(isTallyShareValid(election, box, parts[1]!)).toBe(true);
		expect(countVotes(election, box, [lie, parts[1]!, parts[2]!]).counts).toEqual([1, 1, 3]);
		expect(() => countVotes(election, box, [lie, parts[1]!, parts[1]!])).toThrow("2 shares are needed");
	});

	it("another result, or other ballots, do not verify", () => {
		const tally = countVotes(election, box, parts);
		expect(verifyTally(election, ballots, { ...tally, counts: [2, 0, 3] })).toBe(false);
		expect(verifyTally(election, ballots.slice(1), tally)).toBe(false);
		expect(verifyTally(election, ballots, { ...tally, shares: [] })).toBe(false);
	});

	it("an election without voters or options, a stranger and an option that is not there are refused", () => {
		const codeOf = (action: () => unknown): string => {
			try {
				action();
			} catch (error) {
				return (error as QuorateError).code;
			}
			return "none";
		};
		for (const change of [{ options: 1 }, { options: 33 }, { voters: [] }, { name: "" }])
			expect(codeOf(() => collectBallots({ ...election, ...change }, []))).toBe("statement-invalid");
		expect(codeOf(() => castBallot(election, nodeId("stranger"), 0, entropy()))).toBe("statement-invalid");
		expect(codeOf(() => castBallot(election, voters[0]!, 3, entropy()))).toBe("statement-invalid");
	});
});
