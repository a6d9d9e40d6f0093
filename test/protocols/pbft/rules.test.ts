/**
 * Goal: the rules of PBFT that implementations are known to get wrong, one test a rule, by number: 1 to 8 the normal case, 9 to 13
 * clients, 14 to 18 checkpoints, 19 to 30 view changes, 31 to 36 what lies around. Method: one machine alone (n2, a backup of view 0 and
 * the primary of view 1), to which the test says word by word what the others say.
 */
import { describe, expect, it } from "vitest";
import { nodeId } from "../../../protocols/core/index.ts";
import {
	type Epoch,
	PbftApplier,
	type PbftSnapshot,
	partsOf,
	ReplyCollector,
	StateTree,
	ViewEstimate,
} from "../../../protocols/pbft/index.ts";
import { checkpointDigest } from "../../../protocols/pbft/statements.ts";
import { encode, Ledger } from "./ledger.ts";
import { at, c1, c2, inView, LoneReplica, members, n1, n2, n3, n4 } from "./lone-replica.ts";

const configuration = { epoch: 0 as never, members, faults: 1 };
const other = (digest: Uint8Array): Uint8Array => digest.map((byte) => byte ^ 1);

/** The application's part of a checkpoint, for tests that do not care for it. */
const captured = (replica: LoneReplica, sequence: number, state = "state"): PbftSnapshot => {
	const parts = partsOf(encode(state), replica.config.statePartBytes);
	const { root } = new StateTree(replica.port(n1).digest, parts);
	return { sequence: at(sequence), root, sizeBytes: encode(state).length };
};

/** Brings slots 1 to 4 to their decision, and the checkpoint there to this replica's own vote. */
function reachCheckpoint(replica: LoneReplica): Uint8Array {
	for (let i = 1; i <= 4; i++) replica.decide(i, replica.request(i));
	replica.step({ type: "snapshot-ready", snapshot: captured(replica, 4) });
	return replica.said("checkpoint")[0]!.digest;
}

describe("the normal case", () => {
	it("rule 1: certificates count distinct members by their authenticated sender, and no prepare of the primary", () => {
		const replica = new LoneReplica();
		const batch = replica.batch(replica.request(1));
		const digest = replica.digestOf(batch);
		replica.hear(n1, replica.prePrepare(1, batch));
		expect(replica.said("prepare").length).toBe(3);
		const prepare = replica.prepare(n3, 1, digest);
		// The primary's prepare, a stranger's, and one that says it is n3's but comes from n4.
		replica.hear(n1, replica.prepare(n1, 1, digest));
		replica.hear(nodeId("n9"), prepare);
		replica.hear(n4, prepare);
		expect(replica.said("commit")).toEqual([]);
		replica.hear(n3, prepare, prepare);
		expect(replica.said("commit").length).toBe(3);
		// A quorum of commits is three members, not three messages.
		const commit = replica.commit(n3, 1, digest);
		replica.hear(n3, commit, commit, commit);
		expect(replica.delivered("execute")).toEqual([]);
		replica.hear(n4, replica.commit(n4, 1, digest));
		expect(replica.delivered("execute").length).toBe(1);
	});

	it("rule 2: one pre-prepare is accepted for a view and slot; another is evidence", () => {
		const replica = new LoneReplica();
		replica.hear(n1, replica.prePrepare(1, replica.batch(replica.request(1))));
		replica.hear(n1, replica.prePrepare(1, replica.batch(replica.request(2))));
		expect(replica.said("prepare")).toEqual([]);
		expect(replica.events("evidence").map(({ evidence }) => evidence)).toMatchObject([
			{ type: "equivocation", culprit: "n1" },
		]);
	});

	it("rule 3: votes match on view, slot and digest; those that come early are kept apart by digest", () => {
		const replica = new LoneReplica();
		const batch = replica.batch(replica.request(1));
		const digest = replica.digestOf(batch);
		replica.hear(n3, replica.prepare(n3, 1, digest)).hear(n4, replica.prepare(n4, 1, other(digest)));
		replica.hear(n4, replica.prepare(n4, 2, digest));
		const early = new LoneReplica();
		early.hear(n3, early.prepare(n3, 1, digest)).hear(n4, early.prepare(n4, 1, digest));
		replica.hear(n1, replica.prePrepare(1, batch));
		// Its own prepare and n3's are the two that it needs; n4's names another digest.
		expect(replica.machine.view.slots.get(at(1))?.prepared?.prepares.map(({ sender }) => sender)).toEqual(["n3", "n2"]);
		early.hear(n1, early.prePrepare(1, batch));
		expect(early.said("commit").length).toBe(3);
		const lone = new LoneReplica();
		lone.hear(n3, lone.prepare(n3, 1, other(digest))).hear(n4, lone.prepare(n4, 1, other(digest)));
		lone.hear(n1, lone.prePrepare(1, batch));
		expect(lone.said("commit")).toEqual([]);
	});

	it("rule 4: accepts h < sequence <= H in the active view alone, and nothing of it once a view change has left", () => {
		const replica = new LoneReplica();
		const batch = replica.batch(replica.request(1));
		for (const outside of [0, 9, 2 ** 50])
			expect(replica.hear(n1, replica.prePrepare(outside, batch)).said("prepare")).toEqual([]);
		expect(replica.hear(n1, replica.prePrepare(8, batch)).said("prepare").length).toBe(3);
		replica.ask(replica.request(5)).fire("request");
		expect(replica.said("view-change").length).toBe(3);
		replica.hear(n1, replica.prePrepare(2, batch));
		expect(replica.said("prepare")).toEqual([]);
	});

	it("rule 5: committed is prepared and a quorum of commits; execution is by number, and holes block", () => {
		const replica = new LoneReplica();
		const [first, second] = [replica.batch(replica.request(1)), replica.batch(replica.request(2))];
		replica.hear(n1, replica.prePrepare(2, second));
		const digest = replica.digestOf(second);
		// Commits of everyone else do not make up for prepares.
		for (const by of [n1, n3, n4]) replica.hear(by, replica.commit(by, 2, digest));
		expect(replica.events("decided")).toEqual([]);
		replica.hear(n3, replica.prepare(n3, 2, digest));
		expect(replica.events("decided").length).toBe(1);
		expect(replica.delivered("execute")).toEqual([]);
		replica.decide(1, ...first.requests);
		expect(replica.machine.view.executed).toBe(2);
		expect(replica.delivered("execute").map(({ sequence }) => sequence)).toEqual([1, 2]);
	});

	it("rule 6: a signature names type, cluster, epoch, view, slot, sender and digest, so a prepare is no commit", () => {
		const replica = new LoneReplica();
		const batch = replica.batch(replica.request(1));
		const digest = replica.digestOf(batch);
		replica.hear(n1, replica.prePrepare(1, batch)).hear(n3, replica.prepare(n3, 1, digest));
		for (const by of [n1, n3, n4]) replica.hear(by, { ...replica.prepare(by, 1, digest), type: "commit" });
		expect(replica.machine.view.executed).toBe(0);
		const statement = { type: "commit", epoch: 0, view: inView(0), sequence: at(1), digest } as never;
		const good = replica.sign(n3, statement);
		const changes = [
			{ view: inView(1) },
			{ sequence: at(2) },
			{ type: "prepare" },
			{ epoch: 1 },
			{ digest: other(digest) },
		];
		for (const change of changes) {
			expect(replica.sign(n3, { ...(statement as object), ...change } as never)).not.toEqual(good);
		}
		expect(replica.sign(n4, statement)).not.toEqual(good);
	});

	it("rule 7: a vote is durable before it leaves, and a restart does not vote otherwise", () => {
		const replica = new LoneReplica();
		const batch = replica.batch(replica.request(1));
		const digest = replica.digestOf(batch);
		replica.hear(n1, replica.prePrepare(1, batch));
		expect(replica.isPersistedBefore("prepare")).toBe(true);
		replica.hear(n3, replica.prepare(n3, 1, digest));
		expect(replica.isPersistedBefore("commit")).toBe(true);
		replica.restart();
		replica.hear(n1, replica.prePrepare(1, replica.batch(replica.request(2))));
		expect(replica.said("prepare")).toEqual([]);
		expect(replica.events("evidence").length).toBe(1);
		expect(replica.isPersistedBefore("view-change")).toBe(true);
		// What was prepared in the former life is in the view change of this one; and the same again in the next.
		const [sent] = replica.said("view-change");
		expect(sent?.prepared.map((proof) => proof.digest)).toEqual([digest]);
		replica.restart();
		expect(replica.said("view-change")[0]).toEqual(sent);
	});

	it("rule 8: every request of a batch is checked here, by its own client's proof", () => {
		const replica = new LoneReplica();
		const forged = { ...replica.request(1), signature: new Uint8Array(8) };
		replica.hear(n1, replica.prePrepare(1, replica.batch(replica.request(2), forged)));
		expect(replica.said("prepare")).toEqual([]);
		const wrong = replica.prePrepare(2, replica.batch(replica.request(3)));
		replica.hear(n1, { ...wrong, batch: replica.batch(replica.request(4)) });
		expect(replica.said("prepare")).toEqual([]);
		expect(replica.events("suspicion")).toMatchObject([{ member: "n1", reason: "wrong-digest" }]);
		// An authenticator that only others can check is taken on the word of f + 1 of them: the primary and one that has prepared.
		const mac = new LoneReplica();
		const batch = mac.batch(mac.authenticated(1, [n1, n3]));
		expect(mac.hear(n1, mac.prePrepare(1, batch)).said("prepare")).toEqual([]);
		expect(mac.hear(n3, mac.prepare(n3, 1, mac.digestOf(batch))).said("prepare").length).toBe(3);
	});
});

describe("clients", () => {
	it("rule 9: an executed timestamp is answered from the kept reply, an older one is dropped, and the table is in the checkpoint", () => {
		const replica = new LoneReplica(n2, { clientWindow: 1 });
		replica.decide(1, replica.request(5));
		expect(replica.ask(replica.request(5)).delivered("repeat-reply")).toMatchObject([{ client: "c1", timestamp: 5 }]);
		replica.ask(replica.request(4));
		expect(replica.effects).toMatchObject([{ type: "reply", reply: { type: "refused", reason: "stale-timestamp" } }]);
		replica.decide(2, replica.request(5), replica.request(6));
		expect(replica.delivered("execute")[0]?.requests.map(({ timestamp }) => timestamp)).toEqual([6]);
		replica.decide(3, replica.request(7));
		replica.decide(4, replica.request(8));
		const { digest } = replica.step({ type: "snapshot-ready", snapshot: captured(replica, 4) }).said("checkpoint")[0]!;
		const another = new LoneReplica(n2, { clientWindow: 1 });
		for (const [i, timestamp] of [5, 6, 7, 9].entries()) another.decide(i + 1, another.request(timestamp));
		another.step({ type: "snapshot-ready", snapshot: captured(another, 4) });
		expect(another.said("checkpoint")[0]?.digest).not.toEqual(digest);
	});

	it("rule 9: the kept replies are part of the state that is captured and restored", () => {
		const settings = { digest: new LoneReplica().port(n1).digest, clientWindow: 2, statePartBytes: 16 };
		const applier = new PbftApplier({ ...settings, application: new Ledger() });
		const requests = [1, 2, 3].map((timestamp) => new LoneReplica().request(timestamp));
		const execute = { type: "execute", sequence: at(1), view: inView(0), requests, requestIds: null } as const;
		applier.perform({ ...execute, choice: new Uint8Array(0) });
		const restored = new PbftApplier({ ...settings, application: new Ledger() });
		restored.restore(applier.capture(at(1)).bytes);
		const repeat = (timestamp: number) =>
			restored.perform({ type: "repeat-reply", requestId: 1, client: c1, timestamp, view: inView(0) })[0]?.answer;
		expect(repeat(3)).toMatchObject({ type: "result", data: encode("3") });
		expect(repeat(1)).toMatchObject({ type: "reply-forgotten" });
		expect(restored.capture(at(1)).snapshot.root).toEqual(applier.capture(at(1)).snapshot.root);
	});

	it("rule 10: f + 1 equal replies of distinct members make a result, a quorum makes a read", () => {
		const result = (data: string) =>
			({ type: "result", client: c1, timestamp: 1, sequence: at(1), view: inView(0), data: encode(data) }) as const;
		const results = new ReplyCollector(configuration, 1);
		expect(results.add(n1, result("lie"))).toBeNull();
		expect(results.add(n1, result("lie"))).toBeNull();
		expect(results.add(nodeId("stranger"), result("lie"))).toBeNull();
		expect(results.add(n2, result("true"))).toBeNull();
		expect(results.add(n3, result("true"))).toMatchObject({ data: encode("true"), members: ["n2", "n3"] });
		const read = (data: string) =>
			({ type: "read-result", client: c1, timestamp: 1, view: inView(0), data: encode(data) }) as const;
		const reads = new ReplyCollector(configuration, 1);
		expect(reads.add(n1, read("a"))).toBeNull();
		expect(reads.add(n2, read("a"))).toBeNull();
		expect(reads.add(n3, read("b"))).toBeNull();
		expect(reads.isHopeless).toBe(false);
		expect(reads.add(n4, read("a"))).toMatchObject({ members: ["n1", "n2", "n4"] });
	});

	it("rule 10: replies to another request, or executed in another place, do not add up", () => {
		const result = (timestamp: number, sequence: number) =>
			({
				type: "result",
				client: c1,
				timestamp,
				sequence: at(sequence),
				view: inView(0),
				data: encode("same"),
			}) as const;
		const results = new ReplyCollector(configuration, 2);
		expect(results.add(n1, result(2, 5))).toBeNull();
		expect(results.add(n2, result(1, 5))).toBeNull();
		expect(results.add(n3, result(2, 4))).toBeNull();
		expect(results.add(n4, result(2, 5))).toMatchObject({ members: ["n1", "n4"], sequence: 5 });
	});

	it("rule 8: a batch with a read in it, or larger than the settings allow, is not prepared", () => {
		const replica = new LoneReplica(n2, { batchMaxBytes: 1_024, requestMaxBytes: 1_024 });
		const read = replica.batch(replica.request(1, "what", c1, "read"));
		const half = "x".repeat(600);
		const large = replica.batch(replica.request(2, half), replica.request(3, half));
		for (const batch of [read, large]) {
			expect(replica.hear(n1, replica.prePrepare(1, batch)).said("prepare")).toEqual([]);
			expect(replica.events("suspicion")).toMatchObject([{ member: "n1", reason: "malformed-message" }]);
		}
		expect(
			replica.hear(n1, replica.prePrepare(1, replica.batch(replica.request(2, half)))).said("prepare").length,
		).toBe(3);
	});

	it("rule 11: a client follows the highest view that f + 1 members have reached", () => {
		const estimate = new ViewEstimate(configuration);
		estimate.note(n1, inView(1_000_000));
		expect(estimate.view).toBe(0);
		estimate.note(n2, inView(3));
		estimate.note(n3, inView(2));
		expect(estimate.view).toBe(3);
		const replica = new LoneReplica();
		replica.decide(1, replica.request(1));
		expect(replica.delivered("execute")[0]?.view).toBe(0);
	});

	it("rule 12: a backup passes a request on and times it; the timer stops with its execution, and runs again only for others", () => {
		const replica = new LoneReplica();
		replica.ask(replica.request(1));
		expect(replica.said("forward").map(({ requests }) => requests.length)).toEqual([1]);
		expect(replica.timersSet()).toEqual(["request"]);
		expect(replica.ask(replica.request(2)).timersSet()).toEqual([]);
		replica.decide(1, replica.request(1));
		// Set again, which replaces it.
		expect([...replica.timersCancelled(), ...replica.timersSet()]).toEqual(["request"]);
		replica.decide(2, replica.request(2));
		expect([replica.timersCancelled(), replica.timersSet()]).toEqual([["request"], []]);
	});

	it("rule 13: a read is answered from the state that all decided commands have made, and asked again in order if it must be", () => {
		const replica = new LoneReplica();
		const read = { ...replica.request(1), kind: "read" } as const;
		// Signed as a command, it is no read.
		expect(replica.ask(read).delivered("query")).toEqual([]);
		replica.decide(1, replica.request(2));
		expect(replica.hear(n1, replica.prePrepare(2, replica.batch(read))).said("prepare")).toEqual([]);
		const reads = new ReplyCollector(configuration, 1);
		const answers = ["a", "b", "a", "b"].map((data) => encode(data));
		for (const [i, data] of answers.entries()) {
			reads.add(members[i]!, { type: "read-result", client: c1, timestamp: 1, view: inView(0), data });
		}
		expect(reads.isHopeless).toBe(true);
	});
});

describe("checkpoints", () => {
	it("rule 14: a checkpoint is stable with a quorum of equal states of distinct members, and its certificate is kept", () => {
		const replica = new LoneReplica();
		const digest = reachCheckpoint(replica);
		replica.hear(n3, replica.checkpoint(n3, 4, digest), replica.checkpoint(n3, 4, digest));
		replica.hear(n4, replica.checkpoint(n4, 4, other(digest)));
		expect(replica.machine.view.low).toBe(0);
		replica.hear(n1, replica.checkpoint(n1, 4, digest));
		expect(replica.machine.view.low).toBe(4);
		expect(replica.machine.view.stable?.votes.map(({ sender }) => sender)).toEqual(["n2", "n3", "n1"]);
		const [base] = replica.writes.flatMap(({ base: written }) => written ?? []);
		expect(base?.certificate.sequence).toBe(4);
	});

	it("rule 15: h is the stable checkpoint and H = h + L", () => {
		const replica = new LoneReplica();
		const batch = replica.batch(replica.request(20));
		expect(replica.hear(n1, replica.prePrepare(12, batch)).said("prepare")).toEqual([]);
		const digest = reachCheckpoint(replica);
		// 4 is executed and not stable yet: H is 8 still.
		expect(replica.hear(n1, replica.prePrepare(9, replica.batch(replica.request(9)))).said("prepare")).toEqual([]);
		for (const by of [n1, n3]) replica.hear(by, replica.checkpoint(by, 4, digest));
		// What had come too early counts now.
		expect(replica.said("prepare").map(({ sequence }) => sequence)).toEqual([12, 12, 12, 9, 9, 9]);
		expect(replica.hear(n1, replica.prePrepare(13, batch)).said("prepare")).toEqual([]);
	});

	it("rule 16: what a stable checkpoint covers is forgotten; f + 1 checkpoints beyond H make a member say where it is", () => {
		const replica = new LoneReplica();
		const digest = reachCheckpoint(replica);
		for (const by of [n1, n3]) replica.hear(by, replica.checkpoint(by, 4, digest));
		expect(replica.hear(n1, replica.prePrepare(3, replica.batch(replica.request(30)))).said("prepare")).toEqual([]);
		expect(replica.hear(n3, replica.checkpoint(n3, 40, digest)).said("status")).toEqual([]);
		expect(replica.hear(n3, replica.checkpoint(n3, 44, digest)).said("status")).toEqual([]);
		expect(replica.hear(n4, replica.checkpoint(n4, 40, digest)).said("status").length).toBe(2);
		for (let i = 5; i <= 8; i++) replica.decide(i, replica.request(i));
		replica.step({ type: "snapshot-ready", snapshot: captured(replica, 8) });
		const second = replica.said("checkpoint")[0]!.digest;
		for (const by of [n1, n3]) replica.hear(by, replica.checkpoint(by, 8, second));
		expect([...replica.machine.view.slots.keys()].filter((sequence) => sequence <= 4)).toEqual([]);
	});

	it("rule 17: the digest covers the service, the clients and the history", () => {
		const digests = [0, 1, 2, 3].map((variant) => {
			const replica = new LoneReplica();
			for (let i = 1; i <= 4; i++) {
				const client = variant === 1 && i === 4 ? c2 : c1;
				const requests = [replica.request(i, "op", client)];
				replica.decide(i, ...(variant === 2 && i === 4 ? [...requests, ...requests] : requests));
			}
			replica.step({ type: "snapshot-ready", snapshot: captured(replica, 4, variant === 3 ? "another" : "state") });
			return replica.said("checkpoint")[0]!.digest.join();
		});
		expect(new Set(digests).size).toBe(4);
		// The table of clients by itself too, whatever the history says.
		const replica = new LoneReplica();
		const { digest: hash } = replica.port(n1);
		const [sequence, chain, nothing] = [at(4), replica.nothing, new Uint8Array(0)];
		const configuration = { epoch: 0 as Epoch, members, faults: 1 };
		const state = { sequence, configuration, pending: null, history: [], chain, choice: nothing, root: chain };
		const tables = [[], [{ client: c1, timestamps: [1] }], [{ client: c1, timestamps: [2] }]];
		const named = tables.map((clients) => checkpointDigest(hash, { ...state, clients, sizeBytes: 1, partBytes: 64 }));
		expect(new Set(named.map((digest) => digest.join())).size).toBe(3);
	});

	it("rule 18: a transfer trusts a certified root alone, checks each part, changes its source, and votes meanwhile", () => {
		const donor = new LoneReplica(n3, { statePartBytes: 4 });
		const bytes = encode("0123456789");
		const parts = partsOf(bytes, 4);
		const tree = new StateTree(donor.port(n1).digest, parts);
		for (let i = 1; i <= 4; i++) donor.decide(i, donor.request(i));
		donor.step({ type: "snapshot-ready", snapshot: { sequence: at(4), root: tree.root, sizeBytes: bytes.length } });
		const { digest } = donor.said("checkpoint")[0]!;
		for (const by of [n1, n4]) donor.hear(by, donor.checkpoint(by, 4, digest));
		const base = donor.writes.flatMap((write) => write.base ?? [])[0]!;
		const replica = new LoneReplica(n2, { statePartBytes: 4, transferWindow: 1 });
		const shown = {
			type: "stable-checkpoint",
			certificate: base.certificate,
			state: base.state,
			epochs: base.epochs,
		} as const;
		const two = { ...base.certificate, votes: base.certificate.votes.slice(0, 2) };
		replica.hear(n3, { ...shown, certificate: two }, { ...shown, state: { ...base.state, root: other(tree.root) } });
		expect(replica.said("fetch-part")).toEqual([]);
		replica.hear(n3, shown);
		const part = (index: number) =>
			({ type: "state-part", sequence: at(4), index, data: parts[index]!, path: tree.pathOf(index) }) as const;
		expect(replica.said("fetch-part").map(({ index }) => index)).toEqual([0]);
		// A part that is not in the tree: its sender is suspected, and the next is asked.
		replica.hear(n3, { ...part(0), data: encode("lies") });
		expect(replica.events("suspicion")).toMatchObject([{ member: "n3", reason: "bad-state-part" }]);
		expect(replica.effects).toContainEqual(expect.objectContaining({ type: "send", to: "n1" }));
		replica.hear(n1, replica.prePrepare(5, replica.batch(replica.request(9))));
		expect(replica.said("prepare").length).toBe(3);
		replica.hear(n1, part(0)).fire("transfer").fire("transfer");
		expect(replica.said("fetch-part").map(({ index }) => index)).toEqual([1]);
		replica.hear(n4, part(1)).hear(n4, part(2));
		expect(replica.machine.view.executed).toBe(4);
		expect(replica.delivered("restore-checkpoint").length).toBe(1);
		expect(replica.writes.flatMap((write) => write.parts ?? []).map(({ index }) => index)).toEqual([0, 1, 2]);
	});
});

describe("view changes", () => {
	/** This replica prepares slot 1 in view 0. */
	function prepareOne(replica: LoneReplica): Uint8Array {
		const batch = replica.batch(replica.request(1));
		const digest = replica.digestOf(batch);
		replica.hear(n1, replica.prePrepare(1, batch)).hear(n3, replica.prepare(n3, 1, digest));
		return digest;
	}

	it("rule 19: a view change carries the stable checkpoint with proof, and what is prepared above it in its latest view", () => {
		const replica = new LoneReplica();
		const state = reachCheckpoint(replica);
		for (const by of [n1, n3]) replica.hear(by, replica.checkpoint(by, 4, state));
		const batch = replica.batch(replica.request(5));
		const digest = replica.digestOf(batch);
		replica.hear(n1, replica.prePrepare(5, batch)).hear(n3, replica.prepare(n3, 5, digest));
		replica.hear(n1, replica.prePrepare(6, replica.batch(replica.request(6))));
		replica.ask(replica.request(9)).fire("request");
		const [first] = replica.said("view-change");
		expect(first?.stable?.votes.length).toBe(3);
		expect(first?.prepared.map(({ sequence, view, prepares }) => [sequence, view, prepares.length])).toEqual([
			[5, 0, 2],
		]);
		// Prepared again in view 1, it is told of with view 1.
		for (const by of [n3, n4]) replica.hear(by, replica.viewChange(by, 1, [], replica.stable(4, state)));
		replica.hear(n3, replica.prepare(n3, 5, digest, 1)).hear(n4, replica.prepare(n4, 5, digest, 1));
		for (const by of [n3, n4]) replica.hear(by, replica.viewChange(by, 2));
		expect(replica.said("view-change")[0]?.prepared.map(({ sequence, view }) => [sequence, view])).toEqual([[5, 1]]);
	});

	it("rule 20: a view change that is not proved is ignored as a whole, convicts its sender, and hides no other", () => {
		const replica = new LoneReplica();
		const good = replica.prepared(1, encode("digest-of-one-01"));
		const lies = [
			[good, { ...good, sequence: at(2), prepares: [] }],
			[{ ...good, prepares: [good.prepares[0]!, good.prepares[0]!] }],
			[{ ...good, prepares: [good.prepares[0]!, { sender: n1, signature: good.prePrepare }] }],
			[{ ...good, view: inView(3) }],
			[{ ...good, sequence: at(99) }],
		];
		for (const lie of lies) {
			const alone = new LoneReplica();
			alone.hear(n3, alone.viewChange(n3, 1, lie));
			expect(alone.events("evidence")[0]?.evidence).toMatchObject({ type: "bad-view-change", culprit: "n3" });
		}
		// The bug of concord-bft #50: a false one must not stand in for the others'.
		replica.hear(n3, replica.viewChange(n3, 1, lies[0]));
		replica.hear(n1, replica.viewChange(n1, 1)).hear(n4, replica.viewChange(n4, 1, [good]));
		expect(replica.said("new-view")[0]?.proposals.map(({ sequence }) => sequence)).toEqual([1]);
		expect(replica.said("new-view")[0]?.viewChanges.map(({ sender }) => sender)).toEqual(["n1", "n2", "n4"]);
	});

	it("rule 21: a new view rests on a quorum, begins at the highest stable checkpoint, and takes the highest view's digest or null", () => {
		const replica = new LoneReplica();
		const [a, b] = [encode("digest-a-0123456"), encode("digest-b-0123456")];
		replica.hear(n3, replica.viewChange(n3, 5, [replica.prepared(2, a, 0), replica.prepared(4, a, 1, [n3, n4])]));
		expect(replica.said("new-view")).toEqual([]);
		replica.hear(n4, replica.viewChange(n4, 5, [replica.prepared(2, b, 1), replica.prepared(4, a, 0)]));
		const [newView] = replica.said("new-view");
		const [nothing] = [replica.nothing];
		expect(newView?.viewChanges.length).toBe(3);
		expect(newView?.proposals.map(({ sequence, digest }) => [sequence, digest])).toEqual([
			[1, nothing],
			[2, b],
			[3, nothing],
			[4, a],
		]);
		const later = new LoneReplica();
		later.hear(n3, later.viewChange(n3, 5, [later.prepared(2, a, 0)]));
		later.hear(n4, later.viewChange(n4, 5, [later.prepared(5, b, 1)], later.stable(4, a)));
		expect(later.said("new-view")[0]?.proposals.map(({ sequence }) => sequence)).toEqual([5]);
		expect(later.machine.view.low).toBe(4);
	});

	it("rule 22: a backup recomputes the new view, refuses another, and convicts its primary", () => {
		const replica = new LoneReplica(n4);
		const digest = encode("digest-a-0123456");
		const bodies = [n1, n2, n3].map((by) => [by, replica.viewChange(by, 1, [replica.prepared(1, digest)])] as const);
		for (const [by, body] of bodies.filter(([by]) => by !== n1)) replica.hear(by, body);
		const enter = (proposals: readonly (readonly [number, Uint8Array])[], named = bodies): LoneReplica => {
			const alone = new LoneReplica(n4);
			for (const [by, body] of named) alone.hear(by, body);
			return alone.hear(n2, alone.newView(1, named, proposals));
		};
		for (const proposals of [
			[],
			[[1, replica.nothing]],
			[
				[1, digest],
				[2, digest],
			],
			[[2, digest]],
		] as [number, Uint8Array][][]) {
			const refused = enter(proposals);
			expect(refused.events("evidence")[0]?.evidence).toMatchObject({ type: "bad-new-view", culprit: "n2" });
			expect(refused.machine.view.view).toBe(2);
		}
		expect(enter([[1, digest]], bodies.slice(0, 2)).machine.view.isActive).toBe(false);
		const entered = enter([[1, digest]]);
		expect(entered.machine.view).toMatchObject({ view: 1, isActive: true });
		expect(entered.said("prepare").length).toBe(3);
	});

	it("rule 23: the null request occupies its number and executes as nothing", () => {
		const replica = new LoneReplica();
		const batch = replica.batch(replica.request(1));
		const digest = replica.digestOf(batch);
		replica.hear(n3, replica.viewChange(n3, 1, [replica.prepared(2, digest)])).hear(n4, replica.viewChange(n4, 1));
		for (const [sequence, of] of [
			[1, replica.nothing],
			[2, digest],
		] as const) {
			for (const by of [n3, n4]) replica.hear(by, replica.prepare(by, sequence, of, 1));
			for (const by of [n3, n4]) replica.hear(by, replica.commit(by, sequence, of, 1));
		}
		expect(replica.machine.view.executed).toBe(1);
		// The body of what was prepared elsewhere is fetched.
		expect(
			replica
				.hear(n3, { type: "batch", sequence: at(2), batch })
				.delivered("execute")
				.map(({ sequence }) => sequence),
		).toEqual([2]);
	});

	it("rule 24: what is proposed again runs through all phases, and is not executed twice", () => {
		const replica = new LoneReplica();
		const digest = replica.decide(1, replica.request(1));
		expect(replica.delivered("execute").length).toBe(1);
		for (const by of [n3, n4]) replica.hear(by, replica.viewChange(by, 1, [replica.prepared(1, digest)]));
		expect(replica.said("new-view")[0]?.proposals.map((proposal) => proposal.digest)).toEqual([digest]);
		replica.hear(n3, replica.prepare(n3, 1, digest, 1)).hear(n4, replica.prepare(n4, 1, digest, 1));
		expect(replica.said("commit").map(({ view }) => view)).toEqual([1, 1, 1]);
		for (const by of [n3, n4]) replica.hear(by, replica.commit(by, 1, digest, 1));
		expect(replica.delivered("execute")).toEqual([]);
		// Its number is taken: what is new comes behind it.
		replica.ask(replica.request(2));
		expect(replica.said("pre-prepare")[0]).toMatchObject({ sequence: 2, batch: { requests: [{ timestamp: 2 }] } });
		// In a slot of its own for the second time it occupies that, and takes no effect.
		const again = replica.batch(replica.request(1));
		const certificate = replica.certificate(2, replica.digestOf(again), 1);
		replica.hear(n3, { type: "decision", certificate, batch: again });
		expect(replica.machine.view.executed).toBe(2);
		expect(replica.delivered("execute").flatMap(({ requests }) => requests)).toEqual([]);
	});

	it("rule 26: the checkpoint is chosen from all view changes, whichever of them reach it", () => {
		// Where one view change names a later checkpoint and others do not, choosing within the matching ones alone dead-locks (fabric #1111).
		const replica = new LoneReplica();
		const digest = encode("digest-a-0123456");
		replica.hear(n3, replica.viewChange(n3, 1, [], replica.stable(4, digest)));
		replica.hear(n4, replica.viewChange(n4, 1, [replica.prepared(3, digest)]));
		expect(replica.said("new-view")[0]?.proposals).toEqual([]);
		expect(replica.machine.view).toMatchObject({ view: 1, isActive: true, low: 4 });
	});

	it("rule 27: a quorum starts the timer, a late view doubles it, f + 1 later views are followed to the least, fewer move nobody", () => {
		const replica = new LoneReplica(n4);
		replica.ask(replica.request(1)).fire("request");
		expect(replica.timersSet()).toEqual([]);
		replica.hear(n1, replica.viewChange(n1, 1));
		expect(replica.timersSet()).toEqual([]);
		replica.hear(n3, replica.viewChange(n3, 1));
		const delays = (): number[] =>
			replica.effects.flatMap((e) => (e.type === "set-timer" && e.timer === "view-change" ? [e.afterMs.min] : []));
		expect(delays()).toEqual([1000]);
		replica.fire("view-change");
		expect(replica.machine.view.view).toBe(2);
		for (const by of [n1, n3]) replica.hear(by, replica.viewChange(by, 2));
		expect(delays()).toEqual([2000]);
		replica.hear(n1, replica.viewChange(n1, 50));
		expect(replica.machine.view.view).toBe(2);
		replica.hear(n3, replica.viewChange(n3, 7));
		expect(replica.machine.view.view).toBe(7);
	});

	it("rule 28: no message but a known request starts the timer", () => {
		const replica = new LoneReplica();
		const batch = replica.batch(replica.request(1));
		replica.hear(n1, replica.prePrepare(1, batch)).hear(n3, replica.commit(n3, 1, replica.digestOf(batch)));
		replica.hear(n3, replica.checkpoint(n3, 4, replica.nothing), replica.viewChange(n3, 1));
		expect(replica.timersSet()).toEqual([]);
		replica.ask({ ...replica.request(2), signature: new Uint8Array(8) });
		expect(replica.timersSet()).toEqual([]);
		replica.hear(n3, { type: "forward", requests: [replica.request(3)] });
		expect(replica.timersSet()).toEqual(["request"]);
	});

	it("rule 29: a view change that a new view names and that is not here is fetched", () => {
		const replica = new LoneReplica(n4);
		const bodies = [n1, n2, n3].map((by) => [by, replica.viewChange(by, 1)] as const);
		replica.hear(n2, replica.newView(1, bodies));
		expect(replica.said("fetch-view-change").map(({ sender }) => sender)).toEqual(["n1", "n2", "n3"]);
		expect(replica.machine.view.view).toBe(0);
		const body = (i: number) =>
			({ type: "view-change-body", sender: bodies[i]![0], viewChange: bodies[i]![1] }) as const;
		// One that was spoilt on its way says nothing of the primary.
		replica.hear(n3, { ...body(0), viewChange: { ...body(0).viewChange, signature: new Uint8Array(8) } });
		replica.hear(n3, body(0), body(1), body(2));
		expect(replica.machine.view).toMatchObject({ view: 1, isActive: true });
		const asked = replica.hear(n3, {
			type: "fetch-view-change",
			view: inView(1),
			sender: n1,
			digest: replica.newView(1, bodies).viewChanges[0]!.digest,
		});
		expect(asked.said("view-change-body")).toEqual([body(0)]);
	});

	it("rule 30: sequence numbers go on after a view change", () => {
		const replica = new LoneReplica();
		replica.decide(1, replica.request(1));
		const digest = prepareTwo(replica);
		for (const by of [n3, n4]) replica.hear(by, replica.viewChange(by, 1, [replica.prepared(2, digest)]));
		replica.ask(replica.request(9));
		expect(replica.said("pre-prepare")[0]).toMatchObject({ view: 1, sequence: 3 });
	});

	function prepareTwo(replica: LoneReplica): Uint8Array {
		const batch = replica.batch(replica.request(2));
		replica.hear(n1, replica.prePrepare(2, batch)).hear(n3, replica.prepare(n3, 2, replica.digestOf(batch)));
		return replica.digestOf(batch);
	}

	it("a correct member is not convicted for a view change after a restart", () => {
		const replica = new LoneReplica();
		const digest = prepareOne(replica);
		replica.restart();
		replica.ask(replica.request(9)).fire("request");
		expect(replica.said("view-change")[0]?.prepared.map((proof) => proof.digest)).toEqual([digest]);
	});
});

describe("around it", () => {
	it("rule 33: what the application can not compute alike is proposed by the primary and checked by backups", () => {
		const replica = new LoneReplica();
		const batch = { ...replica.batch(replica.request(1)), choice: encode("now") };
		replica.hear(n1, replica.prePrepare(1, batch));
		expect(replica.said("prepare")).toEqual([]);
		expect(replica.events("suspicion")).toMatchObject([{ member: "n1", reason: "bad-choice" }]);
	});

	it("rule 34: a peer has a budget: when it has offended too often its costly messages are not looked at, its votes are", () => {
		const replica = new LoneReplica(n2, { offencesMax: 3 });
		const forged = (i: number) => ({ ...replica.request(i), signature: new Uint8Array(8) });
		replica.hear(n3, { type: "forward", requests: [1, 2, 3, 4, 5].map(forged) });
		expect(replica.events("suspicion").map(({ reason }) => reason)).toEqual([
			"unauthenticated-request",
			"unauthenticated-request",
			"unauthenticated-request",
			"too-many-offences",
		]);
		replica.hear(n3, { type: "forward", requests: [replica.request(1)] });
		expect(replica.timersSet()).toEqual([]);
		const batch = replica.batch(replica.request(1));
		replica.hear(n1, replica.prePrepare(1, batch)).hear(n3, replica.prepare(n3, 1, replica.digestOf(batch)));
		expect(replica.said("commit").length).toBe(3);
		replica.fire("status").hear(n3, { type: "forward", requests: [replica.request(2)] });
		expect(replica.timersSet()).toEqual(["request"]);
	});

	it("rule 34: a client whose authenticators fail at f + 1 members has to sign", () => {
		const replica = new LoneReplica();
		const batch = replica.batch(replica.authenticated(1, [n1]));
		replica.ask(replica.authenticated(7, [n2])).hear(n1, replica.prePrepare(1, batch));
		expect(replica.said("unverifiable")).toMatchObject([{ client: "c1" }, { client: "c1" }, { client: "c1" }]);
		// One member, which may lie, does not bring it about.
		expect(replica.ask(replica.authenticated(2, [n2])).effects).toMatchObject([{ type: "send" }]);
		replica.hear(n3, { type: "unverifiable", client: c1 });
		const refused = { type: "reply", reply: { reason: "signature-required" } };
		expect(replica.effects.filter(({ type }) => type === "reply")).toMatchObject([refused, refused]);
		expect(replica.ask(replica.authenticated(3, [n2])).effects).toMatchObject([refused]);
		expect(replica.ask(replica.request(4)).timersSet()).toEqual(["request"]);
	});

	it("rule 36: what is kept for one sender is bounded: future views, future slots, unknown clients, malformed messages", () => {
		const replica = new LoneReplica(n2, { futureMax: 4, waitingMax: 2 });
		const digest = replica.nothing;
		for (let i = 1; i <= 50; i++) {
			replica.hear(n3, replica.prepare(n3, 1 + (i % 8), digest, 1 + i), replica.prepare(n3, 1000 + i, digest));
			replica.hear(n3, replica.viewChange(n3, 1000 + i), replica.checkpoint(n3, 4000 + 4 * i, digest));
		}
		const state = replica.machine.state as {
			future: ReadonlyMap<string, unknown[]>;
			slots: ReadonlyMap<number, unknown>;
			viewChanges: ReadonlyMap<string, unknown>;
			ahead: ReadonlyMap<string, unknown>;
			checkpoints: ReadonlyMap<number, unknown>;
		};
		expect(state.future.get("n3")?.length).toBe(4);
		expect([state.slots.size, state.viewChanges.size, state.ahead.size, state.checkpoints.size]).toEqual([0, 1, 1, 0]);
		for (const timestamp of [1, 2, 3]) replica.ask(replica.request(timestamp));
		expect(replica.effects).toMatchObject([{ type: "reply", reply: { reason: "too-many-waiting" } }]);
		replica.ask(replica.request(1, "x", nodeId("stranger")));
		expect(replica.effects).toMatchObject([{ type: "reply", reply: { reason: "unauthenticated" } }]);
		const malformed = [
			null,
			1,
			"x",
			{},
			{ type: "prepare" },
			{ type: "toString" },
			{ ...replica.prepare(n3, 1, digest), view: 0.5 },
		];
		replica.hear(n3, ...malformed);
		expect(replica.events("suspicion").length).toBe(malformed.length);
	});
});
