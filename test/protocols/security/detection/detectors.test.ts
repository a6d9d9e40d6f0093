/**
 * Goal: attacks are seen, and the innocent are left alone (SEC-11..14). Method: traffic with known guilt, from a seed; detection
 * and false positives are counted against it.
 */
import { describe, expect, it } from "vitest";
import { Generator, type NodeId, nodeId } from "../../../../protocols/core/index.ts";
import {
	CollusionDetector,
	ContradictionDetector,
	isContradiction,
	ReputationBook,
	type SignedStatement,
	TimingDetector,
} from "../../../../protocols/security/index.ts";
import { cryptoOf, names } from "../ceremony/world.ts";

const members = names(7);
const [one, two, three] = members as [NodeId, NodeId, NodeId];
const observer = cryptoOf(nodeId("observer"));

function statement(sender: NodeId, slot: string, text: string): SignedStatement {
	const bytes = new TextEncoder().encode(`${slot}/${text}`);
	return { sender, slot, bytes, signature: cryptoOf(sender).sign(bytes) };
}

describe("SEC-11: contradictory messages", () => {
	it("two signed words for one place convict their sender, with proof for third parties", () => {
		const detector = new ContradictionDetector(members, observer);
		expect(detector.observe(statement(one, "view 1, seq 4", "a"))).toBeNull();
		expect(detector.observe(statement(two, "view 1, seq 4", "b"))).toBeNull();
		const finding = detector.observe(statement(one, "view 1, seq 4", "b"));
		expect(finding).toMatchObject({ kind: "contradiction", severity: "high", weight: "proof", culprits: [one] });
		if (finding?.kind !== "contradiction") throw new Error("a contradiction");
		expect(isContradiction(finding.evidence, cryptoOf(nodeId("judge")))).toBe(true);
		expect([...detector.convicted.keys()]).toEqual([one]);
	});

	it("repetition, another place and another sender are no contradiction, and no evidence", () => {
		const detector = new ContradictionDetector(members, observer);
		const said = statement(one, "s", "a");
		for (const next of [said, said, statement(one, "t", "b"), statement(two, "s", "b")])
			expect(detector.observe(next)).toBeNull();
		expect(isContradiction([said, said], observer)).toBe(false);
		expect(isContradiction([said, statement(two, "s", "b")], observer)).toBe(false);
		expect(isContradiction([said, statement(one, "t", "b")], observer)).toBe(false);
	});

	it("nobody is framed by what was not signed by it, or said by strangers", () => {
		const detector = new ContradictionDetector(members, observer);
		detector.observe(statement(one, "s", "a"));
		const forged = { ...statement(two, "s", "b"), sender: one };
		expect(detector.observe(forged)).toBeNull();
		expect(isContradiction([statement(one, "s", "a"), forged], observer)).toBe(false);
		const stranger = nodeId("stranger");
		detector.observe(statement(stranger, "s", "a"));
		expect(detector.observe(statement(stranger, "s", "b"))).toBeNull();
		// Nor does a forgery that came first hide the real contradiction.
		const other = new ContradictionDetector(members, observer);
		other.observe(forged);
		other.observe(statement(one, "s", "a"));
		expect(other.observe(statement(one, "s", "b"))).not.toBeNull();
	});

	it("its memory is bounded: the oldest place of a sender is forgotten first", () => {
		const detector = new ContradictionDetector(members, observer, 2);
		for (const slot of ["1", "2", "3"]) detector.observe(statement(one, slot, "a"));
		expect(detector.observe(statement(one, "1", "b"))).toBeNull();
		expect(detector.observe(statement(one, "3", "b"))).not.toBeNull();
		expect(() => new ContradictionDetector(members, observer, 0)).toThrow("slotsPerSender");
	});
});

describe("SEC-12: timing anomalies", () => {
	it("names the late one, whatever its link is like, and not the noisy nor the early one", () => {
		const generator = new Generator(3);
		const detector = new TimingDetector(members);
		const suspects = new Map<NodeId, number>();
		for (let round = 0; round < 200; round++) {
			for (const [at, member] of members.entries()) {
				const base = 10 * (at + 1);
				const delay = base + generator.below(1_000) / 100;
				const isAttack = member === three && round >= 100 && round % 10 === 0;
				const isEarly = member === two && round % 7 === 0;
				const finding = detector.observe(member, isAttack ? base * 6 : isEarly ? 1 : delay);
				if (finding !== null) suspects.set(member, (suspects.get(member) ?? 0) + 1);
			}
		}
		expect(suspects).toEqual(new Map([[three, 10]]));
	});

	it("is MEDIUM and suspicion, never proof; and waits until it knows the link", () => {
		const detector = new TimingDetector(members);
		for (let round = 0; round < 7; round++) expect(detector.observe(one, 5)).toBeNull();
		expect(detector.observe(one, 5_000)).toBeNull();
		expect(detector.observe(one, 5_000)).toMatchObject({ severity: "medium", weight: "suspicion", culprits: [one] });
		for (const delay of [Number.NaN, -1, Number.POSITIVE_INFINITY]) expect(detector.observe(one, delay)).toBeNull();
		expect(detector.observe(nodeId("stranger"), 9_999)).toBeNull();
	});

	it("a steady link is not suspect for a millisecond, and a few outliers in the window do not hide the next", () => {
		const detector = new TimingDetector(members);
		for (let round = 0; round < 60; round++) detector.observe(one, 5);
		expect(detector.observe(one, 6)).toBeNull();
		for (let outlier = 0; outlier < 20; outlier++) expect(detector.observe(one, 100)).not.toBeNull();
	});
});

describe("SEC-13: collusion", () => {
	function look(seed: number, colluding: boolean): Set<string> {
		const generator = new Generator(seed);
		const detector = new CollusionDetector(members);
		const accused = new Set<string>();
		for (let round = 0; round < 100; round++) {
			const misvoters = members.filter(() => generator.below(20) === 0);
			if (colluding && round % 8 === 0) misvoters.push(one, two);
			for (const { culprits } of detector.observe(misvoters)) accused.add(culprits.join(" "));
		}
		return accused;
	}

	it("names the pair that misvotes together, and only it", () => {
		for (let seed = 0; seed < 20; seed++) expect([...look(seed, true)]).toEqual([`${one} ${two}`]);
	});

	it("keeps its false-positive rate: one look at independent members accuses somebody in at most 1 of 1,000", () => {
		let accused = 0;
		const looks = 2_000;
		for (let seed = 0; seed < looks; seed++) {
			const generator = new Generator(10_000 + seed);
			const detector = new CollusionDetector(members, { window: 32 });
			let found = 0;
			for (let round = 0; round < 32; round++)
				found = detector.observe(members.filter(() => generator.below(6) === 0)).length;
			if (found > 0) accused += 1;
		}
		expect(accused / looks).toBeLessThanOrEqual(0.003);
	});

	it("two members that both misvote always are not thereby colluding with each other", () => {
		const detector = new CollusionDetector(members);
		for (let round = 0; round < 50; round++) expect(detector.observe([one, two])).toEqual([]);
	});
});

describe("SEC-14: reputation", () => {
	const suspicion = { kind: "timing", severity: "medium", weight: "suspicion", culprits: [one], score: 9 } as const;
	const proof = {
		kind: "contradiction",
		severity: "high",
		weight: "proof",
		culprits: [two],
		evidence: [statement(two, "s", "a"), statement(two, "s", "b")],
	} as const;

	it("a finding moves its culprits, and says whom", () => {
		const book = new ReputationBook(members);
		expect(book.record(suspicion, 0)).toEqual([one]);
		expect(book.score(one, 0)).toBeCloseTo(0.45);
		expect(book.score(three, 0)).toBe(0.5);
		expect(book.record({ ...suspicion, culprits: [nodeId("stranger")] }, 0)).toEqual([]);
		expect(book.score(nodeId("stranger"), 0)).toBeUndefined();
	});

	it("stays in 0 to 1, and comes half the way back in a half-life", () => {
		const book = new ReputationBook(members, { halfLifeMs: 1_000 });
		for (let round = 0; round < 100; round++) book.record(suspicion, 0);
		expect(book.score(one, 0)).toBe(0);
		expect(book.score(one, 1_000)).toBeCloseTo(0.25);
		expect(book.score(one, 2_000)).toBeCloseTo(0.375);
		for (let round = 0; round < 500; round++) book.reward(three, 0);
		expect(book.score(three, 0)).toBe(1);
		expect(book.score(three, 1_000)).toBeCloseTo(0.75);
	});

	it("one proof outweighs any score, and neither time nor merit undoes it", () => {
		const book = new ReputationBook(members);
		for (let round = 0; round < 500; round++) book.reward(two, 0);
		book.record(proof, 1);
		for (let round = 0; round < 500; round++) book.reward(two, 2);
		expect(book.score(two, 1e12)).toBe(0);
		expect(book.isConvicted(two)).toBe(true);
		// Any number of suspicions is still no proof.
		for (let round = 0; round < 100; round++) book.record(suspicion, 3);
		expect(book.isConvicted(one)).toBe(false);
	});

	it("survives its snapshot, and a clock that goes back", () => {
		const book = new ReputationBook(members);
		book.record(suspicion, 5_000);
		book.record(proof, 5_000);
		const restored = new ReputationBook(members, {}, structuredClone(book.snapshot));
		for (const member of members) expect(restored.score(member, 9_000)).toBe(book.score(member, 9_000));
		book.record(suspicion, 1_000);
		expect(book.score(one, 5_000)).toBeCloseTo(0.4);
		// What has faded by then must not fade a second time when the clock comes back.
		const fading = new ReputationBook(members, { halfLifeMs: 1_000 });
		for (const nowMs of [10_000, 0]) fading.record(suspicion, nowMs);
		expect(fading.score(one, 10_000)).toBeCloseTo(0.4);
	});
});
