/**
 * Goal: where votes carry authenticators, nothing rests on what only one member can check: rule 25 (view changes of claims) and rule 31
 * (session keys). Method: the choice of a new view from what members claim, as a table; one machine alone, to which the test says what
 * the others say; groups in which members lie.
 */
import { describe, expect, it } from "vitest";
import type { NodeId } from "../../../protocols/core/index.ts";
import { modeAttacks } from "../../../protocols/pbft/attacks/index.ts";
import { planClaimedView } from "../../../protocols/pbft/claimed-view.ts";
import type { CheckpointCertificate, Digest, Epoch, PreparedProof, ViewChange } from "../../../protocols/pbft/index.ts";
import type { SlotClaim, ViewChangeAck, ViewChangeClaims } from "../../../protocols/pbft/messages.ts";
import {
	acknowledgementStatement,
	newKeyStatement,
	statementBytes,
	viewChangeDigest,
} from "../../../protocols/pbft/statements.ts";
import { runChaos, runSeed } from "./chaos-run.ts";
import { encode } from "./ledger.ts";
import { at, inView, LoneReplica, members, n1, n2, n3, n4 } from "./lone-replica.ts";

const epoch = 0 as Epoch;
const configuration = { epoch, members, faults: 1 };
const [a, b, nothing] = ["digest-a-0123456", "digest-b-0123456", "nothing"].map(encode) as [Digest, Digest, Digest];
const none = new Uint8Array(0);

/** `[slot, view, digest]`, as P or Q has it. */
type Entry = readonly [sequence: number, view: number, digest: Digest];
const claim = ([sequence, view, digest]: Entry): SlotClaim => ({ sequence: at(sequence), view: inView(view), digest });
const proof = (entry: Entry): PreparedProof => ({ ...claim(entry), prePrepare: none, prepares: [] });

/** The parts of a view change that claims these P, Q and C; `low` is the first of C. */
function claimed(p: readonly Entry[], q: readonly Entry[] = p, c: readonly (readonly [number, Digest])[] = []) {
	const checkpoints = c.map(([sequence, digest]) => ({ sequence: at(sequence), digest }));
	const [first] = checkpoints;
	const stable: CheckpointCertificate | null = first === undefined ? null : { epoch, ...first, votes: [] };
	const claims: ViewChangeClaims = { checkpoints, prePrepared: q.map(claim) };
	return { prepared: p.map(proof), stable, claims };
}

function planOf(...said: ReturnType<typeof claimed>[]) {
	const bodies = said.map(
		(body): ViewChange => ({ type: "view-change", epoch, view: inView(3), ...body, signature: none }),
	);
	const plan = planClaimedView(bodies, configuration, nothing);
	return plan === null ? null : { from: plan.stable?.sequence ?? 0, digests: plan.slots.map(({ digest }) => digest) };
}

describe("rule 25: what a new view takes over when nothing is proved", () => {
	const blank = claimed([]);

	it("A: what a quorum does not contradict, and f + 1 have pre-prepared in that view or later", () => {
		const prepared = claimed([[1, 1, a]]);
		expect(planOf(prepared, claimed([], [[1, 1, a]]), blank)).toEqual({ from: 0, digests: [a] });
		expect(planOf(prepared, claimed([], [[1, 2, a]]), blank)).toEqual({ from: 0, digests: [a] });
		// Pre-prepared by its claimant alone, by another in an earlier view, or as another digest: it may be an invention.
		expect(planOf(prepared, blank, blank)).toBe(null);
		expect(planOf(prepared, claimed([], [[1, 0, a]]), blank)).toBe(null);
		expect(planOf(prepared, claimed([], [[1, 1, b]]), blank)).toBe(null);
	});

	it("A: a later view's entry, or another digest of the same view, contradicts; more view changes may decide", () => {
		const [first, lie] = [claimed([[1, 0, a]]), claimed([[1, 1, b]])];
		expect(planOf(first, first, lie)).toBe(null);
		expect(planOf(first, first, lie, claimed([], [[1, 0, a]]))).toEqual({ from: 0, digests: [a] });
		expect(planOf(first, first, claimed([[1, 0, b]]))).toBe(null);
		// The later view wins where enough have it, whoever prepared in the earlier.
		expect(planOf(first, lie, claimed([], [[1, 1, b]]))).toEqual({ from: 0, digests: [b] });
	});

	it("B: null where a quorum has prepared nothing, though somebody claims it; nothing behind the last that is taken over", () => {
		const lie = claimed([[1, 2, b]]);
		expect(planOf(blank, blank, lie)).toBe(null);
		expect(planOf(blank, blank, blank, lie)).toEqual({ from: 0, digests: [] });
		const two = claimed([[2, 0, a]]);
		expect(planOf(two, two, blank)).toEqual({ from: 0, digests: [nothing, a] });
	});

	it("begins at the highest checkpoint that f + 1 have and a quorum, of all of them, has not passed", () => {
		const [four, eight] = [
			[4, a],
			[8, b],
		] as const;
		const behind = claimed([], [], [four]);
		expect(planOf(blank, behind, claimed([], [], [four]))?.from).toBe(4);
		// One member's word for a checkpoint is not enough.
		expect(planOf(blank, blank, behind)).toBe(null);
		expect(planOf(claimed([], [], [four, eight]), claimed([], [], [four, eight]), blank)?.from).toBe(8);
		// Only the matching ones reach it, and it is chosen all the same (fabric #1111).
		expect(planOf(behind, claimed([], [], [eight]), claimed([], [], [eight]))?.from).toBe(8);
		expect(planOf(behind, behind, claimed([], [], [eight]))).toBe(null);
	});
});

const authenticated = (self: NodeId = n2, tuning = {}): LoneReplica =>
	new LoneReplica(self, { votes: "authenticated", ...tuning });

function changeOf(replica: LoneReplica, by: NodeId, view: number, said = claimed([])): ViewChange {
	return replica.viewChange(by, view, said.prepared, said.stable, said.claims);
}

function ackOf(
	replica: LoneReplica,
	by: NodeId,
	sender: NodeId,
	viewChange: ViewChange,
	digest?: Digest,
): ViewChangeAck {
	const named = { epoch, view: viewChange.view, sender, digest: digest ?? digestOf(replica, viewChange) };
	const signature = replica.sign(by, acknowledgementStatement(replica.port(by).digest, named));
	return { type: "view-change-ack", ...named, signature };
}
const digestOf = (replica: LoneReplica, body: ViewChange): Digest => viewChangeDigest(replica.port(n1).digest, body);

describe("rule 25: view changes that are acknowledged", () => {
	it("a new view rests on view changes that a quorum has, each with its sender and the primary", () => {
		const replica = authenticated();
		const [of3, of4] = [changeOf(replica, n3, 1), changeOf(replica, n4, 1)];
		replica.hear(n3, of3).hear(n4, of4);
		expect(replica.machine.view).toMatchObject({ view: 1, isActive: false });
		// Its sender's own word, another's view change, an acknowledgement of something else, and one that says it is n1's.
		replica.hear(n3, ackOf(replica, n3, n3, of3)).hear(n4, ackOf(replica, n4, n3, of3));
		replica.hear(n1, ackOf(replica, n1, n4, of3, a));
		replica.hear(n1, ackOf(replica, n3, n4, of4));
		expect(replica.machine.view.isActive).toBe(false);
		replica.hear(n1, ackOf(replica, n1, n4, of4));
		expect(replica.said("new-view")[0]?.viewChanges.map(({ sender }) => sender)).toEqual(["n2", "n3", "n4"]);
		expect(replica.machine.view).toMatchObject({ view: 1, isActive: true });
	});

	it("the primary waits while the choice is open, and takes over what it may not lose", () => {
		const replica = authenticated();
		const lie = changeOf(replica, n3, 1, claimed([[1, 0, b]]));
		const [of1, of4] = [changeOf(replica, n1, 1, claimed([[1, 0, a]])), changeOf(replica, n4, 1, claimed([[1, 0, a]]))];
		replica.hear(n3, lie).hear(n4, of4);
		replica.hear(n1, ackOf(replica, n1, n3, lie), ackOf(replica, n1, n4, of4));
		expect(replica.machine.view).toMatchObject({ view: 1, isActive: false });
		replica.hear(n1, of1).hear(n4, ackOf(replica, n4, n1, of1));
		expect(replica.said("new-view")[0]?.proposals.map(({ digest }) => digest)).toEqual([a]);
	});

	it("a backup acknowledges to the new primary, tells P and Q of its own, and recomputes the new view", () => {
		const replica = authenticated(n4);
		const batch = replica.batch(replica.request(1));
		const digest = replica.digestOf(batch);
		replica.hear(n1, replica.prePrepare(1, batch)).hear(n3, replica.prepare(n3, 1, digest));
		replica.hear(n1, replica.prePrepare(2, replica.batch(replica.request(2))));
		const of3 = changeOf(replica, n3, 1, claimed([[1, 0, digest]]));
		replica.hear(n3, of3);
		expect(replica.effects).toContainEqual(
			expect.objectContaining({ type: "send", to: n2, message: expect.objectContaining({ type: "view-change-ack" }) }),
		);
		const of2 = changeOf(replica, n2, 1);
		replica.hear(n2, of2);
		const [own] = replica.said("view-change");
		expect(own?.prepared).toEqual([proof([1, 0, digest])]);
		expect(own?.claims?.prePrepared.map(({ sequence }) => sequence)).toEqual([1, 2]);
		const bodies = [[n2, of2] as const, [n3, of3] as const, [n4, own!] as const];
		replica.hear(n2, replica.newView(1, bodies, []));
		expect(replica.machine.view).toMatchObject({ view: 2, isActive: false });
		expect(replica.events("evidence")).toEqual([]);
	});

	it("what is pre-prepared is told of after a restart, and its body is kept over views", () => {
		const replica = authenticated(n4);
		const batch = replica.batch(replica.request(1));
		replica.hear(n1, replica.prePrepare(1, batch));
		replica.restart();
		for (const by of [n2, n3]) replica.hear(by, changeOf(replica, by, 1));
		expect(replica.said("view-change")[0]?.claims?.prePrepared.length).toBe(1);
		const bodies = [n1, n2, n3].map((by) => [by, changeOf(replica, by, 1)] as const);
		replica.hear(n1, bodies[0]![1]).hear(n2, replica.newView(1, bodies, []));
		expect(replica.machine.view).toMatchObject({ view: 1, isActive: true });
		replica.hear(n3, { type: "fetch-batch", sequence: at(1), digest: replica.digestOf(batch) });
		expect(replica.said("batch").length).toBe(1);
	});

	it("a view change that is not good here is believed when f + 1 members have it", () => {
		const replica = authenticated(n4);
		const good = [n1, n2].map((by) => [by, changeOf(replica, by, 1)] as const);
		const of3 = changeOf(replica, n3, 1);
		const statement = {
			type: "view-change",
			epoch,
			view: inView(1),
			sequence: at(0),
			digest: digestOf(replica, of3),
		} as const;
		// n3's vector is good for all but this one.
		const spoilt = { ...of3, signature: replica.sign(n3, statement, [n1, n2]) };
		for (const [by, body] of good) replica.hear(by, body);
		replica.hear(n3, spoilt).hear(n2, replica.newView(1, [...good, [n3, of3]], []));
		expect(replica.said("fetch-view-change").length).toBe(3);
		const body = { type: "view-change-body", sender: n3, viewChange: spoilt };
		replica.hear(n2, body, body);
		expect(replica.machine.view.isActive).toBe(false);
		replica.hear(n1, body);
		expect(replica.machine.view).toMatchObject({ view: 1, isActive: true });
	});
});

describe("authenticators", () => {
	it("count for this member by its own part alone, and convict nobody", () => {
		const replica = authenticated();
		const batch = replica.batch(replica.request(1));
		const digest = replica.digestOf(batch);
		const slot = { epoch, view: inView(0), sequence: at(1), digest };
		replica.hear(n1, replica.prePrepare(1, batch));
		const signature = replica.sign(n3, { type: "prepare", ...slot }, [n1, n4]);
		replica.hear(n3, { type: "prepare", ...slot, signature });
		expect(replica.said("commit")).toEqual([]);
		replica.hear(n3, replica.prepare(n3, 1, digest));
		expect(replica.said("commit").length).toBe(3);
		replica.hear(n3, replica.commit(n3, 1, a));
		expect(replica.events("evidence")).toEqual([]);
		expect(replica.events("suspicion").map(({ reason }) => reason)).toContain("contradicts-itself");
		expect(replica.machine.view.convicted.size).toBe(0);
	});

	it("prove nothing to a third: there is no proof of a decision to show", () => {
		const replica = authenticated();
		replica.decide(1, replica.request(1));
		expect(replica.machine.view.executed).toBe(1);
		expect(replica.machine.proofOfDecision(at(1), replica.request(1).client, 1)).toBe(null);
	});

	it("a decision that is not proved here is believed when f + 1 members have it", () => {
		const replica = authenticated();
		const batch = replica.batch(replica.request(1));
		const certificate = { epoch, view: inView(0), sequence: at(1), digest: replica.digestOf(batch), commits: [] };
		const decision = { type: "decision", certificate, batch };
		replica.hear(n3, decision, decision);
		expect(replica.machine.view.executed).toBe(0);
		replica.hear(n4, decision);
		expect(replica.machine.view.executed).toBe(1);
	});
});

describe("rule 31: session keys", () => {
	const newKey = (replica: LoneReplica, by: NodeId, generation: number, as = by) => {
		const bytes = statementBytes(replica.config.cluster, as, newKeyStatement(generation));
		return { type: "new-key", generation, signature: replica.port(by).sign(bytes) };
	};

	it("are renewed on a period, durably before others are told; what comes under older ones is refused", () => {
		const replica = authenticated(n2, { keyPeriodMs: 1000 });
		expect(replica.timersSet()).toContain("keys");
		const batch = replica.batch(replica.request(1));
		const digest = replica.digestOf(batch);
		replica.hear(n1, replica.prePrepare(1, batch));
		const [early, old] = [replica.commit(n3, 1, digest), replica.prepare(n3, 1, digest)];
		replica.hear(n3, early).fire("keys");
		expect(replica.said("new-key").map(({ generation }) => generation)).toEqual([1, 1, 1]);
		expect(replica.isPersistedBefore("new-key")).toBe(true);
		expect(replica.timersSet()).toContain("keys");
		replica.hear(n3, old);
		expect(replica.said("commit")).toEqual([]);
		expect(replica.events("suspicion")).toEqual([]);
		replica.hear(n3, replica.prepare(n3, 1, digest));
		expect(replica.said("commit").length).toBe(3);
		// What was heard under the old keys before they were renewed still counts: n3's commit.
		replica.hear(n4, replica.commit(n4, 1, digest));
		expect(replica.machine.view.executed).toBe(1);
		replica.restart();
		expect(replica.said("new-key")[0]?.generation).toBe(1);
		replica.fire("keys");
		expect(replica.said("new-key")[0]?.generation).toBe(2);
	});

	it("that are renewed put nobody under suspicion whose words were under way: they are counted apart, and the number told again", () => {
		const replica = authenticated(n2, { keyPeriodMs: 1000 });
		const batch = replica.batch(replica.request(1));
		const digest = replica.digestOf(batch);
		const change = changeOf(replica, n4, 1);
		const old = [replica.prePrepare(1, batch), replica.prepare(n3, 1, digest), replica.commit(n3, 1, digest), change];
		const [proposal, ...votes] = [replica.prePrepare(1, batch), ...old.slice(1, 3)];
		replica.fire("keys").fire("keys").hear(n1, proposal);
		expect(replica.said("new-key").map(({ generation }) => generation)).toEqual([2]);
		replica
			.hear(n1, replica.prePrepare(1, batch))
			.hear(n3, ...votes)
			.hear(n4, change);
		expect(replica.events("suspicion")).toEqual([]);
		// Of a good pre-prepare, in a slot with votes that are good no more.
		expect(replica.machine.view.isActive).toBe(true);
		expect(replica.machine.view.executed).toBe(0);
		replica.fire("status");
		const counted = replica.events("stale-words").map(({ member, count }) => [member, count]);
		expect(counted).toEqual(
			expect.arrayContaining([
				[n1, 1],
				[n4, 1],
			]),
		);
		expect(replica.fire("status").events("stale-words")).toEqual([]);
		// What names an older number and was not good under that either is a bad signature.
		replica.hear(n1, { ...proposal, sequence: at(2) });
		expect(replica.events("suspicion").map(({ reason }) => reason)).toEqual(["bad-signature"]);
	});

	it("may be renewed while a view is left: the votes of that view are not held against their senders", () => {
		const replica = authenticated(n4, { keyPeriodMs: 1000 });
		replica.hear(n3, replica.commit(n3, 1, a));
		for (const by of [n2, n3]) replica.hear(by, changeOf(replica, by, 1));
		expect(replica.machine.view).toMatchObject({ view: 1, isActive: false });
		expect(replica.fire("keys").events("suspicion")).toEqual([]);
	});

	it("of others are taken from their own signed word, and only newer ones; words are repeated under them", () => {
		const replica = authenticated();
		const known = (): number | undefined => replica.machine.view.peerGenerations.get(n3);
		replica.hear(n3, newKey(replica, n4, 5, n3)).hear(n4, newKey(replica, n3, 5));
		expect(known()).toBe(undefined);
		replica.hear(n3, newKey(replica, n3, 5)).hear(n3, newKey(replica, n3, 4));
		expect(known()).toBe(5);
		const batch = replica.batch(replica.request(1));
		replica.hear(n1, replica.prePrepare(1, batch));
		const [before] = replica.said("prepare");
		const isAgain = (): void => {
			const [again] = replica.said("prepare");
			expect(again?.digest).toEqual(before?.digest);
			expect(again?.signature).not.toEqual(before?.signature);
		};
		replica.fire("status").hear(n3, newKey(replica, n3, 6));
		isAgain();
		// At once, but no more than once in a status period: who renews its keys all the time gets no more for it.
		expect(replica.hear(n3, newKey(replica, n3, 7)).said("prepare")).toEqual([]);
		replica.fire("status");
		const chain = none;
		replica.hear(n3, { type: "status", configurationEpoch: 0, view: 0, isActive: true, low: 0, executed: 0, chain });
		isAgain();
	});

	it("are renewed by who recovers", () => {
		const replica = authenticated(n2, { recoveryPeriodMs: 1000 });
		replica.fire("recovery");
		expect(replica.said("new-key").length).toBe(3);
		const signed = new LoneReplica(n2, { recoveryPeriodMs: 1000, keyPeriodMs: 1000 });
		expect(signed.timersSet()).not.toContain("keys");
		expect(signed.fire("recovery").said("new-key")).toEqual([]);
	});
});

describe("groups with authenticated votes", () => {
	const modes = { votes: "authenticated", keyPeriodMs: 300 } as const;

	const attacks = modeAttacks.filter(({ name }) => !name.endsWith("collector"));
	it.each(attacks.map(({ name }, i) => [name, i] as const))("bear one member with %s", (name, i) => {
		const done = runChaos({ seed: 7000 + i, members: 4, faults: 1, liars: [[name]], isDisturbed: i % 2 === 0, modes });
		expect(done.acknowledged).toBeGreaterThan(5);
		expect(done.convicted.size).toBe(0);
	});

	it("bear up to f members that lie in several ways, crashes, losses, partitions, recoveries and new keys", () => {
		let views = 0;
		for (let seed = 7100; seed < 7105; seed++) views += runSeed(seed, modes).viewMax;
		expect(views).toBeGreaterThan(5);
	});
});
