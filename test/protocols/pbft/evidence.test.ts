/**
 * Goal: evidence and certificates stand by themselves: anyone with the keys accepts what a correct member has made of them, and nobody
 * accepts a forgery or a true statement under a wrong heading. Method: evidence from a lone machine, judged off line, whole and spoilt.
 */
import { describe, expect, it } from "vitest";
import { newViewFault } from "../../../protocols/pbft/evidence.ts";
import {
	type DecisionProof,
	type Evidence,
	requestDigest,
	verifyCertificate,
	verifyConflict,
	verifyDecision,
	verifyEvidence,
} from "../../../protocols/pbft/index.ts";
import { verifyViewChange } from "../../../protocols/pbft/new-view-plan.ts";
import { encode } from "./ledger.ts";
import { at, inView, LoneReplica, members, n1, n2, n3, n4 } from "./lone-replica.ts";

const other = (digest: Uint8Array): Uint8Array => digest.map((byte) => byte ^ 1);
const digest = encode("digest-a-0123456");

/** Evidence that a machine has come to, one of each kind. */
function collected(): Record<Evidence["type"], readonly [LoneReplica, Evidence]> {
	const first = (replica: LoneReplica): readonly [LoneReplica, Evidence] => [
		replica,
		replica.events("evidence")[0]!.evidence,
	];
	const equivocation = new LoneReplica();
	equivocation.hear(n1, equivocation.prePrepare(1, equivocation.batch(equivocation.request(1))));
	equivocation.hear(n3, equivocation.prepare(n3, 1, digest));
	expect(equivocation.said("fetch-proposal").length).toBe(1);
	const another = equivocation.prePrepare(1, equivocation.batch(equivocation.request(2)));
	equivocation.hear(n3, { ...another, type: "proposal-shown" });
	const refuted = new LoneReplica();
	const decided = refuted.decide(1, refuted.request(1));
	refuted.hear(n4, refuted.commit(n4, 1, other(decided)));
	// It has committed to both by now, which is equivocation; one that has committed to the other alone is refuted.
	const lone = new LoneReplica();
	const batch = lone.batch(lone.request(1));
	lone.hear(n1, lone.prePrepare(1, batch)).hear(n3, lone.prepare(n3, 1, lone.digestOf(batch)));
	for (const by of [n1, n3]) lone.hear(by, lone.commit(by, 1, lone.digestOf(batch)));
	lone.hear(n4, lone.commit(n4, 1, digest));
	const bad = new LoneReplica();
	bad.hear(n3, bad.viewChange(n3, 1, [{ ...bad.prepared(1, digest), prepares: [] }]));
	const omission = new LoneReplica();
	omission.hear(n1, omission.prePrepare(1, omission.batch(omission.request(1))));
	omission.hear(n4, omission.commit(n4, 1, omission.digestOf(omission.batch(omission.request(1)))));
	omission.hear(n4, omission.viewChange(n4, 1));
	const opening = new LoneReplica(n4);
	const bodies = [n1, n2, n3].map((by) => [by, opening.viewChange(by, 1)] as const);
	for (const [by, body] of bodies) opening.hear(by, body);
	opening.hear(n2, opening.newView(1, bodies, [[1, digest]]));
	return {
		equivocation: first(equivocation),
		"contradicts-certificate": first(lone),
		"bad-view-change": first(bad),
		"false-view-change": first(omission),
		"bad-new-view": first(opening),
	};
}

describe("evidence", () => {
	it.each(Object.entries(collected()))("%s convinces anyone, and names nobody else", (type, [replica, evidence]) => {
		expect(evidence.type).toBe(type);
		expect(verifyEvidence(evidence, replica.judge)).toBe(true);
		for (const culprit of members.filter((id) => id !== evidence.culprit)) {
			expect(verifyEvidence({ ...evidence, culprit }, replica.judge)).toBe(false);
		}
		const judge = { ...replica.judge, cluster: "another" };
		expect(verifyEvidence(evidence, judge)).toBe(false);
	});

	it("is not made of what a correct member may say", () => {
		const replica = new LoneReplica();
		const signed = (type: "prepare" | "commit", view: number, sequence: number, of: Uint8Array) => {
			const statement = { type, epoch: 0 as never, view: inView(view), sequence: at(sequence), digest: of };
			return { statement, signature: replica.sign(n3, statement) };
		};
		const judge = (first: ReturnType<typeof signed>, second: ReturnType<typeof signed>): boolean =>
			verifyEvidence({ type: "equivocation", culprit: n3, first, second }, replica.judge);
		expect(judge(signed("prepare", 0, 1, digest), signed("commit", 0, 1, digest))).toBe(false);
		expect(judge(signed("prepare", 0, 1, digest), signed("prepare", 1, 1, other(digest)))).toBe(false);
		expect(judge(signed("prepare", 0, 1, digest), signed("prepare", 0, 2, other(digest)))).toBe(false);
		expect(judge(signed("prepare", 0, 1, digest), signed("commit", 0, 1, other(digest)))).toBe(true);
		const honest = {
			type: "bad-view-change",
			culprit: n3,
			viewChange: replica.viewChange(n3, 1, [replica.prepared(1, digest)]),
		};
		expect(verifyEvidence(honest as Evidence, replica.judge)).toBe(false);
		const commit = signed("commit", 0, 1, digest);
		const telling = replica.viewChange(n3, 1, [replica.prepared(1, digest)]);
		expect(verifyEvidence({ type: "false-view-change", culprit: n3, commit, viewChange: telling }, replica.judge)).toBe(
			false,
		);
		const covered = replica.viewChange(n3, 1, [], replica.stable(4, digest));
		expect(verifyEvidence({ type: "false-view-change", culprit: n3, commit, viewChange: covered }, replica.judge)).toBe(
			false,
		);
	});

	it("is not made of a commit in the very view that its sender had asked for, nor of one in another view than a certificate's", () => {
		const replica = new LoneReplica();
		const statement = { type: "commit", epoch: 0 as never, view: inView(1), sequence: at(1), digest } as const;
		const commit = { statement, signature: replica.sign(n3, statement) };
		const judge = (evidence: Evidence): boolean => verifyEvidence(evidence, replica.judge);
		const asking = replica.viewChange(n3, 1);
		expect(judge({ type: "false-view-change", culprit: n3, commit, viewChange: asking })).toBe(false);
		const later = replica.viewChange(n3, 2);
		expect(judge({ type: "false-view-change", culprit: n3, commit, viewChange: later })).toBe(true);
		const certificate = replica.certificate(1, other(digest));
		expect(certificate.view).toBe(0);
		expect(judge({ type: "contradicts-certificate", culprit: n3, said: commit, certificate })).toBe(false);
		const inItsView = { ...statement, view: certificate.view };
		const said = { statement: inItsView, signature: replica.sign(n3, inItsView) };
		expect(judge({ type: "contradicts-certificate", culprit: n3, said, certificate })).toBe(true);
		const elsewhere = { ...inItsView, sequence: at(2) };
		const saidElsewhere = { statement: elsewhere, signature: replica.sign(n3, elsewhere) };
		expect(judge({ type: "contradicts-certificate", culprit: n3, said: saidElsewhere, certificate })).toBe(false);
	});

	it("says of a view change what is wrong with it, up to the edge of its view and of its window", () => {
		const replica = new LoneReplica();
		const { judge } = replica;
		const faultOf = (sequence: number, provedIn: number) =>
			verifyViewChange(
				judge,
				replica.viewChange(n3, 2, [replica.prepared(sequence, digest, provedIn, provedIn === 1 ? [n3, n4] : [n1, n4])]),
			);
		expect(faultOf(8, 1)).toBeNull();
		expect(faultOf(9, 1)).toBe("sequence-out-of-window");
		expect(faultOf(8, 2)).toBe("wrong-view");
	});

	it("says of a new view that its primary has not signed what it proposes again: it could be shown to nobody later", () => {
		const replica = new LoneReplica();
		const { judge } = replica;
		const bodies = [n1, n3, n4].map(
			(sender) => ({ sender, viewChange: replica.viewChange(sender, 1, [replica.prepared(1, digest)]) }) as const,
		);
		const named = bodies.map(({ sender, viewChange }) => [sender, viewChange] as const);
		const newView = replica.newView(1, named, [[1, digest]]);
		expect(newViewFault(judge, n2, newView, bodies)).toBeNull();
		const unsigned = newView.proposals.map((proposal) => ({ ...proposal, signature: new Uint8Array(8) }));
		expect(newViewFault(judge, n2, { ...newView, proposals: unsigned }, bodies)).toBe("bad-signature");
		expect(newViewFault(judge, n1, newView, bodies)).toBe("not-the-primary");
	});

	it("against a primary needs the view changes that it named, unspoilt", () => {
		const [replica, evidence] = collected()["bad-new-view"];
		if (evidence.type !== "bad-new-view") throw new Error("another kind");
		const spoilt = evidence.viewChanges.map((body, i) =>
			i === 0 ? { ...body, viewChange: { ...body.viewChange, signature: new Uint8Array(8) } } : body,
		);
		expect(verifyEvidence({ ...evidence, viewChanges: spoilt }, replica.judge)).toBe(false);
		expect(verifyEvidence({ ...evidence, viewChanges: evidence.viewChanges.slice(1) }, replica.judge)).toBe(false);
	});
});

describe("certificates", () => {
	const replica = new LoneReplica();
	const context = {
		cluster: "lone",
		verifier: replica.port(n1),
		configuration: { epoch: 0 as never, members, faults: 1 },
	};

	it("decide with commits of a quorum of distinct members, and with nothing less", () => {
		const certificate = replica.certificate(1, digest);
		expect(verifyCertificate(certificate, context)).toBeNull();
		const [first, second, third] = certificate.commits as [never, { sender: never; signature: Uint8Array }, never];
		const faults = [
			["too-few-signers", { ...certificate, commits: [first, second] }],
			// monad-bft #2086: the same signer twice.
			["repeated-signer", { ...certificate, commits: [first, second, second] }],
			["not-a-member", { ...certificate, commits: [first, second, { ...second, sender: "n9" as never }] }],
			["bad-signature", { ...certificate, digest: other(digest) }],
			["bad-signature", { ...certificate, view: inView(1) }],
			[
				"bad-signature",
				{
					...certificate,
					commits: [first, second, { ...(third as object), sender: n4, signature: second.signature } as never],
				},
			],
			["wrong-epoch", { ...certificate, epoch: 1 as never }],
		] as const;
		for (const [fault, spoilt] of faults) expect(verifyCertificate(spoilt, context)).toBe(fault);
		expect(verifyCertificate(certificate, { ...context, cluster: "another" })).toBe("bad-signature");
	});

	it("show a third party one request of a batch, without the others", () => {
		const requests = [1, 2, 3].map((timestamp) => replica.request(timestamp));
		const certificate = replica.certificate(1, replica.digestOf(replica.batch(...requests)));
		const digests = requests.map((request) => requestDigest("lone", replica.port(n1).digest, request));
		const proof: DecisionProof = {
			cluster: "lone",
			certificate,
			requests: digests,
			choice: new Uint8Array(0),
			index: 1,
			request: requests[1]!,
		};
		expect(verifyDecision(proof, context)).toBeNull();
		expect(verifyDecision({ ...proof, index: 2 }, context)).toBe("wrong-digest");
		expect(verifyDecision({ ...proof, request: replica.request(2, "other") }, context)).toBe("wrong-digest");
		expect(verifyDecision({ ...proof, choice: encode("x") }, context)).toBe("wrong-digest");
		expect(verifyDecision({ ...proof, requests: digests.slice(0, 2) }, context)).toBe("wrong-digest");
	});

	it("that contradict each other stop a member for good, with both kept, and name who signed both", () => {
		const alone = new LoneReplica();
		const decided = alone.decide(1, alone.request(1));
		const second = alone.certificate(1, other(decided), 0, [n1, n3, n4]);
		alone.hear(n3, { type: "decision", certificate: { ...second, commits: second.commits.slice(1) }, batch: null });
		expect(alone.events("alarm")).toEqual([]);
		alone.hear(n3, { type: "decision", certificate: second, batch: null });
		const [alarm] = alone.events("alarm");
		expect(alarm?.culprits).toEqual(["n1", "n3"]);
		expect(verifyConflict(alarm!.conflict, alone.judge)).toEqual(["n1", "n3"]);
		expect(verifyConflict({ ...alarm!.conflict, second: alarm!.conflict.first }, alone.judge)).toBeNull();
		expect(alone.said("decision").length).toBe(6);
		alone.hear(n1, alone.prePrepare(2, alone.batch(alone.request(2))));
		expect(alone.effects).toEqual([]);
		alone.restart();
		expect(alone.machine.status.isHalted).toBe(true);
	});

	it("of different views that contradict each other name nobody", () => {
		const conflict = { first: replica.certificate(1, digest), second: replica.certificate(1, other(digest), 1) };
		expect(verifyConflict(conflict, replica.judge)).toEqual([]);
	});
});
