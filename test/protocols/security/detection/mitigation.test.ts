/**
 * Goal: Sybils, eclipses and floods meet limits that live as long as the node, and honest traffic does not (SEC-15..28). Method: time is
 * a number here; each limit is driven to its edge and over it.
 */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Generator, nodeId } from "../../../../protocols/core/index.ts";
import {
	CircuitBreaker,
	credentialBytes,
	DosLadder,
	EclipseGuard,
	type JoinRequest,
	type PeerLabels,
	RequestQueue,
	SybilAdmission,
	type SybilAdmissionOptions,
	TokenBucket,
	workBytes,
} from "../../../../protocols/security/index.ts";
import { cryptoOf, names } from "../ceremony/world.ts";

describe("SEC-15: Sybil admission", () => {
	const authority = nodeId("authority");
	const crypto = cryptoOf(nodeId("gate"));
	const workChallenge = new Uint8Array([9]);
	const options: SybilAdmissionOptions = { crypto, authority, workChallenge, workBits: 8 };
	const candidate = nodeId("candidate");
	const publicKey = new Uint8Array(32).fill(3);
	const bare: JoinRequest = { node: candidate, publicKey, origin: "10.0.0" };
	const unsigned = { node: candidate, publicKey, expiresAtMs: 1_000 };
	const credential = { ...unsigned, signature: cryptoOf(authority).sign(credentialBytes(unsigned)) };
	const workFor = (challenge: Uint8Array) => {
		const digestOf = (nonce: number) =>
			createHash("sha256")
				.update(workBytes(challenge, candidate, publicKey, nonce))
				.digest();
		let nonce = 0;
		while (digestOf(nonce)[0] !== 0) nonce++;
		return { challenge, nonce };
	};
	const work = workFor(workChallenge);
	const judge = (request: JoinRequest, change: Partial<SybilAdmissionOptions> = {}, nowMs = 0) =>
		new SybilAdmission({ ...options, ...change }, 0).judge(request, nowMs);

	it("takes a candidate with a credential and one factor more", () => {
		expect(judge({ ...bare, credential, work })).toEqual({
			isAdmitted: true,
			factors: ["credential", "work"],
			reasons: [],
			isAlarm: false,
		});
		expect(judge({ ...bare, credential }, { stakeOf: () => 1 }).factors).toEqual(["credential", "stake"]);
		expect(judge({ ...bare, credential }, { reputationOf: () => 0.7 }).factors).toEqual(["credential", "history"]);
	});

	it("one factor is too few, and all others do not buy a credential, unless the operator opens the group", () => {
		expect(judge({ ...bare, credential }).reasons).toEqual(["too-few-factors"]);
		const rich = { stakeOf: () => 1e9, reputationOf: () => 1 };
		expect(judge({ ...bare, work }, rich).reasons).toEqual(["no-credential"]);
		expect(judge({ ...bare, work }, { ...rich, needsCredential: false }).isAdmitted).toBe(true);
	});

	it("SEC-18: a credential of another node, another key, another signer, or out of date is none", () => {
		const signedBy = (signer: string, content: typeof unsigned) => ({
			...content,
			signature: cryptoOf(nodeId(signer)).sign(credentialBytes(content)),
		});
		for (const wrong of [
			signedBy("candidate", unsigned),
			signedBy("authority", { ...unsigned, node: nodeId("other") }),
			signedBy("authority", { ...unsigned, publicKey: new Uint8Array(32) }),
			{ ...credential, expiresAtMs: 9_000 },
		])
			expect(judge({ ...bare, credential: wrong, work }).factors).toEqual(["work"]);
		expect(judge({ ...bare, credential, work }, {}, 1_000).factors).toEqual(["work"]);
	});

	it("SEC-16: work for another challenge, node or key, or too little of it, is none", () => {
		const factors = (request: JoinRequest, change = {}): readonly string[] => judge(request, change).factors;
		expect(factors({ ...bare, work })).toEqual(["work"]);
		expect(factors({ ...bare, work }, { workBits: 64 })).toEqual([]);
		expect(factors({ ...bare, work: { ...work, nonce: work.nonce + 1 } }, { workBits: 24 })).toEqual([]);
		// Real work, done before this challenge was given out.
		const stored = workFor(new Uint8Array([8]));
		expect(factors({ ...bare, work: stored }, { workChallenge: stored.challenge })).toEqual(["work"]);
		expect(factors({ ...bare, work: stored })).toEqual([]);
		expect(factors({ ...bare, node: nodeId("thief"), work })).toEqual([]);
		expect(factors({ ...bare, publicKey: new Uint8Array(32).fill(4), work })).toEqual([]);
		expect(factors({ ...bare, work: { ...work, nonce: 0.5 } })).toEqual([]);
	});

	it("SEC-17, SEC-19: too little stake, and a reputation no better than a stranger's, do not count", () => {
		expect(judge(bare, { stakeOf: () => 5, stakeMin: 6 }).factors).toEqual([]);
		expect(judge(bare, { reputationOf: () => 0.5 }).factors).toEqual([]);
	});

	it("SEC-20: many from one origin are refused with an alarm, others are not, and later it is forgotten", () => {
		const gate = new SybilAdmission({ ...options, originWindowMs: 100, rate: { capacity: 99, refillPerSecond: 1 } }, 0);
		const request = { ...bare, credential, work };
		const verdicts = [0, 1, 2, 3].map((atMs) => gate.judge(request, atMs));
		expect(verdicts.map(({ isAdmitted }) => isAdmitted)).toEqual([true, true, true, false]);
		expect(verdicts[3]).toMatchObject({ reasons: ["origin-pattern"], isAlarm: true });
		expect(gate.judge({ ...request, origin: "10.9.9" }, 4).isAdmitted).toBe(true);
		expect(gate.judge(request, 104).isAdmitted).toBe(true);
	});

	it("SEC-20: origins that are watched have a bound: the one silent for longest is forgotten", () => {
		const gate = new SybilAdmission({ ...options, originLimit: 1 }, 0);
		gate.judge(bare, 0);
		for (let i = 0; i < 4_095; i++) gate.judge({ ...bare, origin: `${i}` }, 1);
		expect(gate.judge(bare, 2).isAlarm).toBe(true);
		for (let i = 0; i < 4_096; i++) gate.judge({ ...bare, origin: `${i}/` }, 3);
		expect(gate.judge(bare, 4).isAlarm).toBe(false);
	});

	it("admissions are rate-limited, and failed requests cost none", () => {
		const gate = new SybilAdmission({ ...options, originLimit: 999, rate: { capacity: 1, refillPerSecond: 10 } }, 0);
		for (let time = 0; time < 5; time++) gate.judge(bare, 0);
		expect(gate.judge({ ...bare, credential, work }, 0).isAdmitted).toBe(true);
		expect(gate.judge({ ...bare, credential, work }, 0).reasons).toEqual(["rate"]);
		expect(gate.judge({ ...bare, credential, work }, 100).isAdmitted).toBe(true);
	});
});

describe("eclipse", () => {
	const peer = (
		number: number,
		source = `10.0.${number}`,
		place = `region-${number % 4}`,
		network = `as-${number % 3}`,
	): PeerLabels => ({
		node: nodeId(`peer-${number}`),
		source,
		place,
		network,
	});

	it("SEC-21, SEC-22: diversity is judged on the whole table, and relative to its size", () => {
		const guard = new EclipseGuard();
		const generator = new Generator(1);
		for (let number = 0; number < 16; number++) guard.connect(peer(number), generator);
		expect(guard.diversity()).toMatchObject({ placeBits: 2, placeBitsMin: 2, networkBitsMin: 1.5, isDiverse: true });
		expect(guard.diversity().networkBits).toBeCloseTo(1.58, 2);
		for (const small of [1, 2, 3]) {
			const group = new EclipseGuard();
			for (let number = 0; number < small; number++) group.connect(peer(number), generator);
			expect(group.diversity().isDiverse).toBe(true);
		}
		const onePlace = new EclipseGuard();
		for (let number = 0; number < 8; number++) onePlace.connect(peer(number, `10.0.${number}`, "here"), generator);
		expect(onePlace.diversity()).toMatchObject({ placeBits: 0, placeBitsMin: 1.5, isDiverse: false });
		const oneNetwork = new EclipseGuard();
		for (let number = 0; number < 8; number++)
			oneNetwork.connect(peer(number, `10.0.${number}`, `region-${number}`, "one"), generator);
		expect(oneNetwork.diversity()).toMatchObject({ networkBits: 0, isDiverse: false });
	});

	it("SEC-23: at most 3 of a source, of the table and the newcomers together", () => {
		const guard = new EclipseGuard();
		const generator = new Generator(1);
		const verdicts = [0, 1, 2, 3, 4].map((number) => guard.connect(peer(number, "evil"), generator).isAccepted);
		expect(verdicts).toEqual([true, true, true, false, false]);
		expect(guard.connect(peer(9), generator).isAccepted).toBe(true);
		// A peer that is there already does not get round it by another name for its source.
		expect(guard.connect(peer(9, "evil"), generator)).toEqual({ isAccepted: false, reason: "source-limit" });
		guard.disconnect(peer(0).node);
		expect(guard.connect(peer(4, "evil"), generator).isAccepted).toBe(true);
	});

	it("SEC-23: of many requests at once the survivors are random, 3 a source", () => {
		const guard = new EclipseGuard();
		const requests = Array.from({ length: 10 }, (_, number) => peer(number, number < 8 ? "evil" : "good"));
		const firsts = new Set<string>();
		for (let seed = 0; seed < 30; seed++) {
			const survivors = guard.selectSurvivors(requests, new Generator(seed));
			expect(survivors.filter(({ source }) => source === "evil")).toHaveLength(3);
			expect(survivors.filter(({ source }) => source === "good")).toHaveLength(2);
			firsts.add(survivors[0]!.node);
		}
		expect(firsts.size).toBeGreaterThan(4);
	});

	it("an attacker that fills the table again and again does not get the anchors out, and can not choose who goes", () => {
		const guard = new EclipseGuard({ capacity: 8, anchors: 4, perSource: 8 });
		const generator = new Generator(7);
		for (let number = 0; number < 8; number++) guard.connect(peer(number), generator);
		const evicted = new Set<string>();
		for (let number = 100; number < 200; number++) {
			const verdict = guard.connect(peer(number, `attack-${number}`), generator);
			if (verdict.isAccepted && verdict.evicted !== null) evicted.add(verdict.evicted);
		}
		for (let number = 0; number < 4; number++) expect(evicted.has(peer(number).node)).toBe(false);
		expect(guard.peers).toHaveLength(8);
		const full = new EclipseGuard({ capacity: 2, anchors: 2 });
		for (const number of [0, 1]) full.connect(peer(number), generator);
		expect(full.connect(peer(2), generator)).toEqual({ isAccepted: false, reason: "no-room" });
	});
});

describe("floods", () => {
	it("SEC-24: a bucket gives its burst, then its rate, and no more for a clock that goes back", () => {
		const bucket = new TokenBucket({ capacity: 3, refillPerSecond: 10 }, 0);
		expect([0, 0, 0, 0].map((at) => bucket.take(at))).toEqual([true, true, true, false]);
		expect(bucket.take(99)).toBe(false);
		expect(bucket.take(100)).toBe(true);
		expect(bucket.take(50)).toBe(false);
		// From where it was before, not from where the clock had gone back to.
		expect([100, 150, 199, 200].map((at) => bucket.take(at))).toEqual([false, false, false, true]);
		expect(bucket.level(1e9)).toBe(3);
		expect(() => new TokenBucket({ capacity: 0, refillPerSecond: 1 }, 0)).toThrow("capacity");
	});

	it("SEC-24: one sender's flood does not cost the others anything, and load narrows the common budget", () => {
		const ladder = new DosLadder(
			[],
			{ perSender: { capacity: 5, refillPerSecond: 1 }, global: { capacity: 20, refillPerSecond: 10 } },
			0,
		);
		const verdicts = Array.from({ length: 1_000 }, () => ladder.admit("flooder", 0).verdict);
		expect(verdicts.filter((verdict) => verdict === "admitted")).toHaveLength(5);
		for (let honest = 0; honest < 15; honest++) expect(ladder.admit(`honest-${honest}`, 0).verdict).toBe("admitted");
		expect(ladder.admit("late", 0)).toEqual({ verdict: "throttled", by: "global" });
		ladder.adapt(0.9, 0);
		expect(ladder.admit("late", 500)).toEqual({ verdict: "throttled", by: "global" });
		expect(ladder.admit("late", 1_000).verdict).toBe("admitted");
	});

	it("SEC-27: who goes on is banned, longer each time, and is free again when the ban ends", () => {
		const options = { perSender: { capacity: 1, refillPerSecond: 1 }, strikes: 3, banMs: 1_000, banMsMax: 3_000 };
		const ladder = new DosLadder([], options, 0);
		const flood = (nowMs: number) => Array.from({ length: 4 }, () => ladder.admit("x", nowMs)).at(-1);
		expect(flood(0)).toEqual({ verdict: "banned", untilMs: 1_000 });
		expect(ladder.banned(999)).toEqual(new Map([["x", 1_000]]));
		expect(ladder.admit("x", 1_000).verdict).toBe("admitted");
		expect(flood(1_000)).toEqual({ verdict: "banned", untilMs: 3_000 });
		expect(flood(3_000)).toEqual({ verdict: "banned", untilMs: 6_000 });
		expect(ladder.banned(6_000).size).toBe(0);
	});

	it("SEC-27: refusals count in a row: who is let through in between begins anew", () => {
		const ladder = new DosLadder([], { perSender: { capacity: 1, refillPerSecond: 1 }, strikes: 3 }, 0);
		const verdicts = [0, 1, 2, 3].flatMap((second) =>
			[0, 1, 2].map((more) => ladder.admit("x", 1_000 * second + more).verdict),
		);
		expect(new Set(verdicts)).toEqual(new Set(["admitted", "throttled"]));
	});

	it("SEC-27: a consensus peer is throttled and never banned without a proof", () => {
		const [peer] = names(1);
		const ladder = new DosLadder([peer!], { perSender: { capacity: 1, refillPerSecond: 1 }, strikes: 2 }, 0);
		for (let time = 0; time < 1_000; time++) expect(ladder.admit(peer!, 0).verdict).not.toBe("banned");
		expect(ladder.banConvicted(peer!, 0)).toBe(1_000);
		expect(ladder.admit(peer!, 1).verdict).toBe("banned");
	});

	it("SEC-27: new names do not lift bans: whoever is banned is forgotten last", () => {
		const ladder = new DosLadder(
			[],
			{ perSender: { capacity: 1, refillPerSecond: 1 }, strikes: 1, senders: 4, banMs: 60_000 },
			0,
		);
		ladder.admit("bad", 0);
		expect(ladder.admit("bad", 0).verdict).toBe("banned");
		for (let name = 0; name < 50; name++) ladder.admit(`name-${name}`, 1);
		expect(ladder.admit("bad", 2).verdict).toBe("banned");
	});

	it("SEC-28: a sender far above the others is named, an even crowd is not", () => {
		const ladder = new DosLadder([], {}, 0);
		for (let sender = 0; sender < 10; sender++)
			for (let time = 0; time < 20 + sender; time++) ladder.admit(`s-${sender}`, time);
		expect(ladder.anomalies()).toEqual([]);
		for (let sender = 0; sender < 10; sender++) for (let time = 0; time < 20; time++) ladder.admit(`s-${sender}`, time);
		for (let time = 0; time < 500; time++) ladder.admit("s-3", time);
		expect(ladder.anomalies()).toEqual(["s-3"]);
		expect(ladder.anomalies()).toEqual([]);
	});

	it("SEC-25: urgent requests go first, each class has its own room, and none starves", () => {
		const queue = new RequestQueue<string>(2, 3);
		expect(["a", "b", "c"].map((name) => queue.push(`low-${name}`, "low"))).toEqual([true, true, false]);
		expect(queue.push("vote", "critical")).toBe(true);
		expect(queue.shift()).toBe("vote");
		const served: string[] = [];
		for (let round = 0; round < 8; round++) {
			queue.push(`vote-${round}`, "critical");
			served.push(queue.shift()!);
		}
		expect(served.filter((name) => name.startsWith("low"))).toEqual(["low-a", "low-b"]);
		// Eight votes, of which six were served and one found its class full.
		expect(queue.size).toBe(1);
		expect(new RequestQueue(1).shift()).toBeUndefined();
	});

	it("SEC-26: a breaker opens at its failure rate, tries one call after its time, and closes or opens again by it", () => {
		const breaker = new CircuitBreaker({ window: 4, failureRate: 0.5, openMs: 100 });
		for (const outcome of [true, false, true]) breaker.record(outcome, 0);
		expect(breaker.state(0)).toBe("closed");
		breaker.record(false, 0);
		expect(breaker.state(99)).toBe("open");
		expect(breaker.allows(99)).toBe(false);
		// A call from before it opened ends late: that neither closes nor prolongs it.
		breaker.record(true, 50);
		expect(breaker.allows(100)).toBe(true);
		expect(breaker.allows(100)).toBe(false);
		breaker.record(false, 100);
		expect(breaker.state(150)).toBe("open");
		expect(breaker.allows(200)).toBe(true);
		breaker.record(true, 200);
		expect(breaker.state(200)).toBe("closed");
		for (let i = 0; i < 3; i++) breaker.record(false, 200);
		// All have failed, and they are too few to say anything yet.
		expect(breaker.allows(200)).toBe(true);
		breaker.record(false, 200);
		expect(breaker.allows(200)).toBe(false);
	});

	it("SEC-26: a call whose outcome nobody ever tells keeps a breaker from trying another for its time, and no longer", () => {
		const breaker = new CircuitBreaker({ window: 1, openMs: 100 });
		breaker.record(false, 0);
		expect([100, 199, 200].map((atMs) => breaker.allows(atMs))).toEqual([true, false, true]);
		breaker.record(true, 210);
		expect(breaker.state(210)).toBe("closed");
	});
});
