/**
 * Goal: membership changes in the order and in no other way (BYZ-13, BYZ-19, BYZ-23; SEC: epochs): additions, removals, isolations on
 * evidence, another f; refused below 3f + 1; in force behind a stated slot; votes of the removed do not count; newcomers take over a
 * certified state; the quorum follows the committed configuration. Method: the verdict alone, then groups in the deterministic host under
 * all properties.
 */
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId } from "../../../protocols/core/index.ts";
import { type Attack, ByzantineMachine, pbftAttacks } from "../../../protocols/pbft/attacks/index.ts";
import {
	type Configuration,
	decodeMembershipOutcome,
	type Evidence,
	encodeMembershipOperation,
	type MembershipOperation,
	type MembershipOutcome,
	quorumOf,
} from "../../../protocols/pbft/index.ts";
import { judgeMembershipChange } from "../../../protocols/pbft/membership.ts";
import { MessageShapes } from "../../../protocols/pbft/shape.ts";
import { GroupDriver, type Outcome } from "./group-driver.ts";
import { encode, Ledger } from "./ledger.ts";
import { at, c1, c2, inView, LoneReplica, members, n1, n2, n3, n4 } from "./lone-replica.ts";
import { StrictWatch } from "./strict-watch.ts";

const n5 = nodeId("n5");
const admin = nodeId("admin");

describe("the verdict on a change", () => {
	const replica = new LoneReplica();
	const shapes = new MessageShapes(replica.config);
	const four: Configuration = { epoch: 0 as never, members, faults: 1 };
	const five: Configuration = { ...four, members: [...members, n5] };
	const judged = (operation: MembershipOperation, configuration = five, client: NodeId = c1): unknown => {
		const {
			type: _type,
			operation: _operation,
			...verdict
		} = judgeMembershipChange(encodeMembershipOperation(operation), {
			configuration,
			client,
			administrators: [c1],
			candidates: [n5],
			isOperation: (value) => shapes.isMembershipOperation(value),
			judge: replica.judge,
		}) as { type: string; operation?: unknown };
		return verdict;
	};
	const equivocation = ((): Evidence => {
		const statement = (digest: string) =>
			({ type: "prepare", epoch: 0, view: inView(0), sequence: at(1), digest: encode(digest) }) as never;
		const signed = (digest: string) => ({
			statement: statement(digest),
			signature: replica.sign(n4, statement(digest)),
		});
		return { type: "equivocation", culprit: n4, first: signed("digest-a"), second: signed("digest-b") };
	})();

	it("adds, removes, replaces and isolates, one epoch on, in code-unit order", () => {
		const next = (ids: readonly NodeId[], faults = 1) => ({ configuration: { epoch: 1, members: ids, faults } });
		expect(judged({ type: "add", member: n5 }, four)).toEqual(next([n1, n2, n3, n4, n5]));
		expect(judged({ type: "remove", member: n2, replacement: null })).toEqual(next([n1, n3, n4, n5]));
		expect(judged({ type: "remove", member: n1, replacement: n5 }, four)).toEqual(next([n2, n3, n4, n5]));
		// Whoever has the evidence may bring it.
		expect(judged({ type: "isolate", evidence: equivocation, replacement: null }, five, c2)).toEqual(
			next([n1, n2, n3, n5]),
		);
		expect(judged({ type: "isolate", evidence: equivocation, replacement: n5 }, four, c2)).toEqual(
			next([n1, n2, n3, n5]),
		);
		expect(judged({ type: "tolerate", faults: 0 }, four)).toEqual(next([n1, n2, n3, n4], 0));
	});

	it("BYZ-1, BYZ-13: refuses what would leave fewer than 3f + 1 members, with the figures", () => {
		const tooFew = (count: number, faults: number, needed: number) => ({
			reason: "too-few-members",
			members: count,
			faults,
			needed,
		});
		expect(judged({ type: "remove", member: n2, replacement: null }, four)).toEqual(tooFew(3, 1, 4));
		expect(judged({ type: "isolate", evidence: equivocation, replacement: null }, four)).toEqual(tooFew(3, 1, 4));
		expect(judged({ type: "tolerate", faults: 2 })).toEqual(tooFew(5, 2, 7));
	});

	it("refuses strangers, the unknown, the superfluous and the malformed", () => {
		expect(judged({ type: "add", member: n5 }, four, c2)).toEqual({ reason: "not-an-administrator", client: "c2" });
		expect(judged({ type: "tolerate", faults: 0 }, four, c2)).toMatchObject({ reason: "not-an-administrator" });
		expect(judged({ type: "add", member: n4 }, four)).toEqual({ reason: "already-a-member", member: "n4" });
		expect(judged({ type: "remove", member: n1, replacement: n4 }, four)).toMatchObject({ reason: "already-a-member" });
		expect(judged({ type: "add", member: nodeId("n9") }, four)).toEqual({ reason: "not-a-candidate", member: "n9" });
		expect(judged({ type: "remove", member: nodeId("n9"), replacement: null })).toMatchObject({
			reason: "not-a-member",
		});
		expect(judged({ type: "tolerate", faults: 1 })).toEqual({ reason: "unchanged" });
		for (const malformed of [
			{ type: "add" },
			{ type: "add", member: 5 },
			{ type: "tolerate", faults: 2 ** 52 },
			{ type: "isolate", evidence: { type: "hearsay", culprit: n4 }, replacement: null },
			{ type: "isolate", evidence: { ...equivocation, second: null }, replacement: null },
			{ type: "__proto__" },
			[1, "x", null],
		]) {
			expect(judged(malformed as never)).toEqual({ reason: "malformed" });
		}
	});

	it("BYZ-13: isolates on evidence that holds, and on nothing else", () => {
		const isolate = (evidence: unknown): unknown => judged({ type: "isolate", evidence, replacement: null } as never);
		expect(isolate({ ...equivocation, culprit: n3 })).toEqual({ reason: "evidence-refuted", member: "n3" });
		if (equivocation.type !== "equivocation") throw new Error("another kind");
		expect(isolate({ ...equivocation, second: equivocation.first })).toMatchObject({ reason: "evidence-refuted" });
		// Of an epoch that the replicated state does not know it can not be judged, and so it proves nothing.
		const strange = { ...equivocation.first, statement: { ...equivocation.first.statement, epoch: 9 } };
		expect(isolate({ ...equivocation, first: strange })).toMatchObject({ reason: "evidence-refuted" });
		const proof = replica.prepared(1, encode("digest-a-0123456"));
		const prepares = Array.from({ length: 31 }, () => proof.prepares[0]!);
		const many = Array.from({ length: 8 }, (_, i) => ({ ...proof, sequence: at(1 + i), prepares }));
		const viewChange = { ...replica.viewChange(n4, 1), prepared: many };
		const bodies = Array.from({ length: 4 }, () => ({ sender: n3, viewChange }));
		const huge = { type: "bad-new-view", culprit: n4, newView: replica.newView(3, []), viewChanges: bodies };
		expect(isolate(huge)).toEqual({ reason: "evidence-too-large", limit: 512 });
	});

	it("is not disturbed by any bytes", () => {
		const bytes = encodeMembershipOperation({ type: "isolate", evidence: equivocation, replacement: null });
		const judge = (operation: Uint8Array) =>
			judgeMembershipChange(operation, {
				configuration: five,
				client: c1,
				administrators: [c1],
				candidates: [],
				isOperation: (value) => shapes.isMembershipOperation(value),
				judge: replica.judge,
			});
		expect(judge(bytes).type).toBe("changed");
		for (let i = 0; i < bytes.length; i++) {
			expect(judge(bytes.subarray(0, i))).toEqual({ type: "refused", reason: "malformed" });
			for (const mask of [1, 0x80]) {
				const verdict = judge(bytes.map((byte, place) => (place === i ? byte ^ mask : byte)));
				// Spoilt anywhere it proves nothing, and never against somebody else.
				expect(verdict.type).toBe("refused");
			}
		}
	});
});

interface Group {
	readonly driver: GroupDriver;
	readonly watch: StrictWatch;
	readonly evidence: Evidence[];
	readonly decided: { readonly epoch: number; readonly signers: readonly NodeId[] }[];
}

function group(size: number, faults: number, candidates: number, lying: Readonly<Record<string, string>> = {}): Group {
	const watch = new StrictWatch();
	const evidence: Evidence[] = [];
	const decided: Group["decided"] = [];
	const driver: GroupDriver = new GroupDriver({
		seed: 11,
		members: size,
		faults,
		candidates,
		clients: [c1, admin],
		application: () => new Ledger(),
		tuning: {
			checkpointInterval: 4,
			windowSize: 8,
			statePartBytes: 16,
			batchMaxRequests: 2,
			viewTimeoutMs: 100,
			statusMs: 40,
			administrators: [admin],
		},
		corrupt: (id, config, crypto) => {
			const attack = pbftAttacks.find(({ name }) => name === lying[id]) as Attack | undefined;
			return attack === undefined ? null : new ByzantineMachine(config, crypto, [attack], 1);
		},
		observe: (observation) => {
			watch.observe(observation);
			if (observation.type !== "event") return;
			const { event } = observation;
			if (event.type === "evidence") evidence.push(event.evidence);
			if (event.type !== "decided") return;
			const { epoch, commits } = event.certificate;
			decided.push({ epoch, signers: commits.map(({ sender }) => sender) });
		},
	});
	return { driver, watch, evidence, decided };
}

/** Asks everyone until the limit; the outcome that correct members give, which is the same. */
function change(
	driver: GroupDriver,
	timestamp: number,
	operation: MembershipOperation,
	client = admin,
): MembershipOutcome | null {
	const outcomes: Outcome[] = [];
	const request = driver.signed(client, timestamp, encodeMembershipOperation(operation), "configure");
	for (const id of driver.correct) driver.request(id, request, (outcome) => outcomes.push(outcome));
	const results = (): MembershipOutcome[] =>
		outcomes.flatMap((outcome) => (outcome.type === "result" ? [decodeMembershipOutcome(outcome.data)!] : []));
	if (!driver.runUntil(() => results().length > 1, 10_000)) return null;
	for (const result of results()) expect(result).toEqual(results()[0]);
	return results()[0]!;
}

function put(driver: GroupDriver, from: number, count: number, limitMs = 20_000): boolean {
	let answered = 0;
	for (let i = from; i < from + count; i++) {
		const answers = new Set<NodeId>();
		const request = driver.signed(c1, i, encode(`op${i}`));
		for (const id of driver.correct) {
			driver.request(id, request, ({ type }) => {
				if (type === "result" && answers.add(id).size === 2) answered++;
			});
		}
	}
	return driver.runUntil(() => answered === count, limitMs);
}

const isIn = (driver: GroupDriver, epoch: number, ids: readonly NodeId[]): boolean =>
	ids.every((id) => driver.machine(id).status.epoch === epoch);
const ledgerOf = (driver: GroupDriver, id: NodeId): string => (driver.application(id) as Ledger).applied.join(" ");

describe("a group whose members change", () => {
	it("BYZ-13, BYZ-23: adds a member behind the slot that it states, which takes over the certified state and counts from there on", () => {
		const { driver, watch, decided } = group(4, 1, 1);
		expect(put(driver, 1, 6)).toBe(true);
		const outcome = change(driver, 1, { type: "add", member: n5 });
		expect(outcome).toMatchObject({ type: "ordered", epoch: 1, members: ["n1", "n2", "n3", "n4", "n5"] });
		// An idle group fills the slots up to there by itself.
		expect(driver.runUntil(() => isIn(driver, 1, driver.everyone) && watch.isRecovered, 10_000)).toBe(true);
		expect(outcome).toMatchObject({ effectiveAfter: driver.durable(n1).base?.certificate.sequence });
		expect(put(driver, 7, 6)).toBe(true);
		const isEqual = (): boolean => ledgerOf(driver, n5) === ledgerOf(driver, n1);
		expect(driver.runUntil(() => watch.isRecovered && isEqual(), 10_000)).toBe(true);
		const later = decided.filter(({ epoch }) => epoch === 1);
		expect(later.length).toBeGreaterThan(0);
		for (const { signers } of later) expect(signers.length).toBe(4);
		// Without two of five there is no quorum, though they were enough before.
		driver.crash(n3);
		driver.crash(n4);
		expect(put(driver, 13, 1, 3000)).toBe(false);
		driver.restart(n3);
		expect(put(driver, 14, 1)).toBe(true);
	});

	it("BYZ-13, BYZ-19: does not count the votes of who was removed, nor listens to it", () => {
		const { driver, watch, decided } = group(5, 1, 0);
		expect(put(driver, 1, 4)).toBe(true);
		expect(change(driver, 1, { type: "remove", member: n5, replacement: null })).toMatchObject({ type: "ordered" });
		expect(driver.runUntil(() => isIn(driver, 1, driver.everyone), 10_000)).toBe(true);
		expect(put(driver, 5, 4)).toBe(true);
		for (const { signers } of decided.filter(({ epoch }) => epoch === 1)) expect(signers).not.toContain("n5");
		let refused = "";
		driver.request(n5, driver.signed(c1, 9, encode("op9")), (outcome) => {
			refused = outcome.type === "refused" ? outcome.reason : outcome.type;
		});
		driver.run(50);
		expect(refused).toBe("not-a-member");
		// The quorum is of four now; the fifth does not make up for two that are away.
		driver.crash(n3);
		driver.crash(n4);
		expect(put(driver, 10, 1, 3000)).toBe(false);
		driver.restart(n4);
		expect(put(driver, 11, 1)).toBe(true);
		expect(watch.isRecovered).toBe(false);
		driver.restart(n3);
		expect(driver.runUntil(() => watch.isRecovered, 20_000)).toBe(true);
	});

	it("BYZ-13: refuses to go below 3f + 1, and nothing has changed", () => {
		const { driver } = group(4, 1, 0);
		const refused = { type: "refused", reason: "too-few-members", members: 3, faults: 1, needed: 4 };
		expect(change(driver, 1, { type: "remove", member: n4, replacement: null })).toEqual(refused);
		expect(put(driver, 1, 12)).toBe(true);
		expect(isIn(driver, 0, driver.everyone)).toBe(true);
	});

	it("BYZ-13: isolates a primary that equivocates, by the evidence alone, for a replacement", () => {
		const { driver, watch, evidence, decided } = group(4, 1, 1, { n1: "equivocate" });
		expect(put(driver, 1, 4)).toBe(true);
		expect(driver.runUntil(() => evidence.length > 0, 10_000)).toBe(true);
		const proof = evidence[0]!;
		expect(change(driver, 50, { type: "isolate", evidence: { ...proof, culprit: n2 }, replacement: n5 }, c1)).toEqual({
			type: "refused",
			reason: "evidence-refuted",
			member: "n2",
		});
		expect(change(driver, 100, { type: "isolate", evidence: proof, replacement: n5 }, c1)).toMatchObject({
			type: "ordered",
			members: ["n2", "n3", "n4", "n5"],
		});
		expect(driver.runUntil(() => isIn(driver, 1, [n2, n3, n4, n5]), 10_000)).toBe(true);
		expect(put(driver, 101, 8)).toBe(true);
		expect(driver.runUntil(() => watch.isRecovered, 10_000)).toBe(true);
		for (const { signers } of decided.filter(({ epoch }) => epoch === 1)) expect(signers).not.toContain("n1");
	});

	it("BYZ-19: is never changed by who can be reached", () => {
		const { driver, watch } = group(4, 1, 0);
		expect(put(driver, 1, 2)).toBe(true);
		driver.partition([
			[n1, n2],
			[n3, n4],
		]);
		for (const [i, id] of driver.everyone.entries()) {
			driver.input(id, { type: "peer-unreachable", peer: driver.everyone[(i + 2) % 4]! });
		}
		expect(put(driver, 3, 1, 5000)).toBe(false);
		for (const id of driver.everyone) {
			expect(driver.machine(id).status).toMatchObject({ epoch: 0, members: ["n1", "n2", "n3", "n4"] });
			expect(quorumOf(driver.machine(id).view.configuration)).toBe(3);
		}
		driver.heal();
		expect(driver.runUntil(() => watch.isRecovered, 60_000)).toBe(true);
	});

	it("votes for no slot of which the configuration may not be settled, however wide the window is", () => {
		const replica = new LoneReplica(n2, { windowSize: 32 });
		const propose = (sequence: number): number =>
			replica.hear(n1, replica.prePrepare(sequence, replica.batch(replica.request(sequence)))).said("prepare").length;
		expect([propose(8), propose(9), propose(12)]).toEqual([3, 0, 0]);
		for (let i = 1; i <= 4; i++) replica.decide(i, replica.request(i));
		expect(new Set(replica.said("prepare").map(({ sequence }) => sequence))).toEqual(new Set([4, 9, 12]));
		expect(propose(13)).toBe(0);
	});

	it("one change at a time; another f is one", () => {
		const { driver } = group(7, 1, 0);
		const outcomes: (MembershipOutcome | null)[] = [];
		for (const [i, operation] of [
			{ type: "tolerate", faults: 2 } as const,
			{ type: "remove", member: n1, replacement: null } as const,
		].entries()) {
			const request = driver.signed(admin, i + 1, encodeMembershipOperation(operation), "configure");
			driver.request(n1, request, (outcome) => {
				if (outcome.type === "result") outcomes.push(decodeMembershipOutcome(outcome.data));
			});
		}
		expect(driver.runUntil(() => outcomes.length === 2, 10_000)).toBe(true);
		expect(outcomes).toMatchObject([
			{ type: "ordered", faults: 2, effectiveAfter: 8 },
			{ type: "refused", reason: "change-pending", effectiveAfter: 8 },
		]);
		expect(driver.runUntil(() => isIn(driver, 1, driver.everyone), 10_000)).toBe(true);
		expect(quorumOf(driver.machine(n1).view.configuration)).toBe(5);
		expect(change(driver, 3, { type: "remove", member: n1, replacement: null })).toMatchObject({
			reason: "too-few-members",
			members: 6,
			needed: 7,
		});
	});

	it("leaves a primary that does not bring a change into force", () => {
		// It orders what clients ask, and nothing that nobody asks for.
		const { driver } = group(4, 1, 1, { n1: "silent" });
		expect(change(driver, 1, { type: "add", member: n5 })).toMatchObject({ type: "ordered" });
		expect(driver.runUntil(() => isIn(driver, 1, [n2, n3, n4, n5]), 20_000)).toBe(true);
	});

	it("BYZ-10: takes members along that were away, over several changes, and tells one that it was removed", () => {
		const { driver, watch } = group(5, 1, 1);
		const n6 = nodeId("n6");
		expect(put(driver, 1, 2)).toBe(true);
		driver.crash(n5);
		expect(change(driver, 1, { type: "add", member: n6 })).toMatchObject({ type: "ordered" });
		expect(driver.runUntil(() => isIn(driver, 1, [n1, n2, n3, n4, n6]), 10_000)).toBe(true);
		expect(put(driver, 3, 10)).toBe(true);
		expect(change(driver, 2, { type: "remove", member: n1, replacement: null })).toMatchObject({ type: "ordered" });
		expect(driver.runUntil(() => isIn(driver, 2, [n2, n3, n4, n6]), 10_000)).toBe(true);
		driver.restart(n5);
		const isEqual = (): boolean => ledgerOf(driver, n5) === ledgerOf(driver, n2);
		expect(driver.runUntil(() => isIn(driver, 2, [n1, n5]) && watch.isRecovered && isEqual(), 20_000)).toBe(true);
		// What was entered is on the disk.
		for (const id of [n2, n3, n4, n5]) driver.crash(id);
		for (const id of [n2, n3, n4, n5]) driver.restart(id);
		driver.run(100);
		expect(isIn(driver, 2, [n2, n3, n4, n5, n6])).toBe(true);
		expect(put(driver, 20, 4)).toBe(true);
		driver.crash(n5);
		expect(change(driver, 3, { type: "remove", member: n5, replacement: n1 })).toMatchObject({ type: "ordered" });
		expect(driver.runUntil(() => isIn(driver, 3, [n1, n2, n3, n4, n6]), 20_000)).toBe(true);
		driver.restart(n5);
		expect(driver.runUntil(() => !driver.machine(n5).status.isMember, 20_000)).toBe(true);
		expect(put(driver, 30, 4)).toBe(true);
	});
});
