/**
 * Goal: certificates by a collector: the number of messages is linear, a false certificate is nothing, and nothing but time rests on the
 * collector. Method: one machine alone, to which the test says what the others say; groups in which the collector lies or is silent.
 */
import { describe, expect, it } from "vitest";
import { nodeId } from "../../../protocols/core/index.ts";
import { modeAttacks } from "../../../protocols/pbft/attacks/index.ts";
import { type Digest, type Epoch, pbftConfig, verifyCertificate } from "../../../protocols/pbft/index.ts";
import { runChaos, runSeed } from "./chaos-run.ts";
import { GroupDriver, type Outcome } from "./group-driver.ts";
import { encode, Ledger } from "./ledger.ts";
import { at, inView, LoneReplica, members, n1, n2, n3, n4 } from "./lone-replica.ts";

const epoch = 0 as Epoch;
const collecting = (self = n2): LoneReplica => new LoneReplica(self, { certificates: "collector" });

function certificate(
	replica: LoneReplica,
	phase: "prepare" | "commit",
	digest: Digest,
	by: readonly (typeof n1)[],
	view = 0,
) {
	const signers = by.reduce((sum, member) => sum + 2 ** members.indexOf(member), 0);
	const signatures = by.map((member) => replica[phase](member, 1, digest, view).signature);
	return { type: "vote-certificate", phase, epoch, view: inView(view), sequence: at(1), digest, signers, signatures };
}

describe("a backup", () => {
	it("votes to the collector alone, and takes certificates for everyone's votes", () => {
		const replica = collecting();
		const batch = replica.batch(replica.request(1));
		const digest = replica.digestOf(batch);
		replica.hear(n1, replica.prePrepare(1, batch));
		const to = (type: string): unknown[] =>
			replica.effects.flatMap((effect) => (effect.type === "send" && effect.message.type === type ? [effect.to] : []));
		expect(to("prepare")).toEqual([n1]);
		replica.hear(n1, certificate(replica, "prepare", digest, [n2, n3]));
		expect(to("commit")).toEqual([n1]);
		replica.hear(n1, certificate(replica, "commit", digest, [n1, n3, n4]));
		expect(replica.machine.view.executed).toBe(1);
		const decision = replica.machine.view.slots.get(at(1))?.decision;
		const configuration = { epoch, members, faults: 1 };
		const { cluster } = replica.config;
		expect(verifyCertificate(decision!, { cluster, verifier: replica.port(n1), configuration })).toBe(null);
	});

	it("executes what was decided before the pre-prepare came, once that brings the body", () => {
		const replica = collecting();
		const batch = replica.batch(replica.request(1));
		const digest = replica.digestOf(batch);
		replica.hear(n1, certificate(replica, "commit", digest, [n1, n3, n4]));
		expect([replica.events("decided").length, replica.machine.view.executed]).toEqual([1, 0]);
		replica.hear(n1, replica.prePrepare(1, batch));
		expect(replica.machine.view.executed).toBe(1);
	});

	it("refuses a certificate with a signature too few, of the primary as backup, of another digest, or not by its signers", () => {
		const batch = collecting().batch(collecting().request(1));
		const [digest, other] = [collecting().digestOf(batch), encode("digest-b-0123456")];
		const good = certificate(collecting(), "prepare", digest, [n3, n4]);
		const lies = [
			certificate(collecting(), "prepare", digest, [n3]),
			certificate(collecting(), "prepare", digest, [n1, n3]),
			{ ...good, digest: other },
			{ ...good, signers: 0b0110 },
			{ ...good, signers: 0b11100 },
			{ ...good, phase: "commit" },
			certificate(collecting(), "commit", digest, [n1, n4]),
			{ ...good, signatures: [good.signatures[0]!, good.signatures[0]!] },
		];
		for (const lie of lies) {
			const replica = collecting();
			replica.hear(n1, replica.prePrepare(1, batch)).hear(n1, lie);
			expect(replica.said("commit")).toEqual([]);
			expect(replica.machine.view.executed).toBe(0);
			expect(replica.events("suspicion").map(({ member, reason }) => [member, reason])).toEqual([
				[n1, "unproved-certificate"],
			]);
		}
		const replica = collecting();
		expect(replica.hear(n1, replica.prePrepare(1, batch)).hear(n1, good).said("commit").length).toBe(1);
	});

	it("votes to everyone when no certificate comes in time, until the next view", () => {
		const replica = collecting();
		const batch = replica.batch(replica.request(1));
		const digest = replica.digestOf(batch);
		replica.hear(n1, replica.prePrepare(1, batch));
		expect(replica.timersSet()).toContain("collector");
		// The slot may have been opened just before the first look.
		expect(replica.fire("collector").said("prepare")).toEqual([]);
		expect(replica.fire("collector").said("prepare").length).toBe(3);
		expect(replica.events("suspicion")).toMatchObject([{ member: n1, reason: "slow-collector" }]);
		replica.hear(n3, replica.prepare(n3, 1, digest));
		expect(replica.said("commit").length).toBe(3);
		for (const by of [n3, n4]) replica.hear(by, replica.commit(by, 1, digest));
		expect(replica.machine.view.executed).toBe(1);
		for (const by of [n3, n4]) replica.hear(by, replica.viewChange(by, 2));
		const bodies = [n1, n3, n4].map((by) => [by, replica.viewChange(by, 2)] as const);
		replica.hear(n1, bodies[0]![1]).hear(n3, replica.newView(2, bodies));
		expect(replica.machine.view).toMatchObject({ view: 2, isActive: true });
		replica.hear(n3, replica.prePrepare(1, replica.batch(replica.request(2)), 2));
		expect(replica.said("prepare").length).toBe(1);
	});
});

describe("the collector", () => {
	it("shows a quorum's signatures in one message for each phase, with its own commit among them", () => {
		const replica = collecting(n1);
		replica.ask(replica.request(1));
		const { digest } = replica.said("pre-prepare")[0]!;
		replica.hear(n3, replica.prepare(n3, 1, digest)).hear(n4, replica.prepare(n4, 1, digest));
		expect(replica.said("vote-certificate")).toMatchObject(
			[{}, {}, {}].map(() => ({ phase: "prepare", signers: 0b1100 })),
		);
		expect(replica.said("commit")).toEqual([]);
		replica.hear(n2, replica.commit(n2, 1, digest)).hear(n4, replica.commit(n4, 1, digest));
		expect(replica.said("vote-certificate")).toMatchObject(
			[{}, {}, {}].map(() => ({ phase: "commit", signers: 0b1011 })),
		);
		expect(replica.machine.view.executed).toBe(1);
	});

	it("makes the messages of a slot linear in the members", () => {
		const votesOf = (count: number, faults: number): number => {
			const c1 = nodeId("c1");
			const driver = new GroupDriver({
				seed: 1,
				members: count,
				faults,
				clients: [c1],
				application: () => new Ledger(),
				tuning: { certificates: "collector", batchMaxRequests: 1, openSlotsMax: 1 },
			});
			const outcomes: Outcome[] = [];
			for (let i = 1; i <= 10; i++)
				driver.request(driver.members[0]!, driver.signed(c1, i, encode(`op${i}`)), (o) => outcomes.push(o));
			expect(driver.runUntil(() => outcomes.length === 10, 5000)).toBe(true);
			driver.run(10);
			const types = ["pre-prepare", "prepare", "commit", "vote-certificate"];
			return types.reduce((sum, type) => sum + (driver.sent.get(type) ?? 0), 0) / 10;
		};
		expect([votesOf(4, 1), votesOf(7, 2), votesOf(13, 4)]).toEqual([15, 30, 60]);
	});

	it("needs votes that convince others, and time before the view is left", () => {
		const given = {
			nodeId: n1,
			cluster: collecting().config.cluster,
			members,
			faults: 1,
			certificates: "collector",
		} as const;
		expect(() => pbftConfig({ ...given, votes: "authenticated" })).toThrow(/votes/);
		expect(() => pbftConfig({ ...given, collectorTimeoutMs: 1_000 })).toThrow(/collectorTimeoutMs/);
	});
});

describe("groups with a collector", () => {
	const modes = { certificates: "collector", collectorTimeoutMs: 40 } as const;

	const attacks = modeAttacks.filter(({ name }) => name.endsWith("collector"));
	it.each(attacks.map(({ name }, i) => [name, i] as const))("bear one member with %s", (name, i) => {
		const done = runChaos({ seed: 7200 + i, members: 4, faults: 1, liars: [[name]], isDisturbed: i % 2 === 0, modes });
		expect(done.acknowledged).toBeGreaterThan(5);
	});

	it("bear up to f members that lie in several ways, with crashes, losses and partitions of the others", () => {
		let convicted = 0;
		for (let seed = 7300; seed < 7306; seed++) convicted += runSeed(seed, modes).convicted.size;
		expect(convicted).toBeGreaterThan(0);
	});
});
