/**
 * Goal: a key that nobody ever held as a whole, the same for all or for nobody, whoever misbehaves (SEC-2, SEC-33, SEC-34).
 * Method: whole ceremonies in virtual time; an adversary is a bent network plus that node's own signing key, so it can say whatever
 * it could say in earnest and nothing in another's name.
 */
import { createHash, randomBytes } from "node:crypto";
import { describe, expect, it } from "vitest";
import { Generator, type NodeId, QuorateError } from "../../../../protocols/core/index.ts";
import {
	type CeremonyMessage,
	ciphersuite,
	commitNonces,
	GroupKey,
	type GroupKeyData,
	type KeyShare,
	type Post,
	planCeremony,
	SigningSession,
	type SuiteName,
	verifyCeremonyCertificate,
	verifySignature,
} from "../../../../protocols/security/index.ts";
import { type Bend, CeremonyWorld, channelOf, cryptoOf, names, type Sent } from "./world.ts";

const suite = ciphersuite("ristretto255");
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

function sharesOf(world: CeremonyWorld): Map<NodeId, KeyShare> {
	const shares = new Map<NodeId, KeyShare>();
	for (const [node, machine] of world.machines) {
		const share = machine.takeShare();
		if (share !== null) shares.set(node, share);
	}
	return shares;
}

/** Signs with these members' shares, each on its own, and checks the result under the key. */
function expectToSign(key: GroupKeyData, shares: readonly KeyShare[]): void {
	const group = new GroupKey(key);
	const message = new Uint8Array(randomBytes(32));
	const nonces = shares.map((share) => commitNonces(share, new Uint8Array(randomBytes(64))));
	const session = new SigningSession(group, { message, commitments: nonces.map(({ commitment }) => commitment) });
	const signature = session.aggregate(shares.map((share, at) => session.sign(share, nonces[at]!)));
	expect(verifySignature(key.suite, key.publicKey, message, signature)).toBe(true);
}

function completed(world: CeremonyWorld, node: NodeId): GroupKeyData {
	const end = world.end(node);
	if (end.type !== "ceremony-completed") throw new Error(`${node}: ${end.reason}`);
	return end.key;
}

const isPost = (message: CeremonyMessage, kind: Post["body"]["type"], author?: NodeId): message is Post =>
	message.type === "post" && message.body.type === kind && (author === undefined || message.author === author);

describe("SEC-2: a key without a dealer", () => {
	it.each([
		[1, 1, "ristretto255"],
		[4, 3, "ristretto255"],
		[7, 5, "ristretto255"],
		[3, 2, "ed25519"],
	] as [number, number, SuiteName][])("%i members, threshold %i, %s", (count, threshold, name) => {
		const members = names(count);
		const world = new CeremonyWorld({ config: { members, threshold, suite: name } }).run();
		const keys = members.map((node) => completed(world, node));
		for (const key of keys) expect(key).toEqual(keys[0]);
		expect(keys[0]).toMatchObject({ suite: name, epoch: 0, threshold });
		const shares = sharesOf(world);
		expect([...shares.keys()]).toEqual(members);
		expectToSign(keys[0]!, [...shares.values()].slice(count - threshold));
		expectToSign(keys[0]!, [...shares.values()].slice(0, threshold));
		expect(world.nowMs).toBe(5_000);
	});

	it("hands each share over once, and only after the end", () => {
		const world = new CeremonyWorld({ config: { members: names(3), threshold: 2 } });
		const [machine] = world.machines.values();
		expect(machine!.takeShare()).toBeNull();
		world.run();
		expect(machine!.takeShare()).not.toBeNull();
		expect(machine!.takeShare()).toBeNull();
	});

	it("no order of messages changes the key, and none of them is lost", () => {
		const seen = new Set<string>();
		for (let seed = 0; seed < 12; seed++) {
			const generator = new Generator(seed);
			const pick = (waiting: number): number => generator.below(waiting);
			const world = new CeremonyWorld({ config: { members: names(4), threshold: 3 }, pick }).run();
			for (const node of names(4)) {
				seen.add(hex(completed(world, node).publicKey));
				expect(world.faults(node)).toEqual([]);
			}
		}
		expect(seen.size).toBe(1);
	});

	it("survives a network that loses a third of all messages, by saying things again", () => {
		const generator = new Generator(5);
		const bend: Bend = (sent) => (generator.below(3) === 0 ? null : sent);
		const config = { members: names(4), threshold: 3, phaseMs: 60_000, resendMs: 100 };
		const world = new CeremonyWorld({ config, bend }).run();
		const keys = names(4).map((node) => completed(world, node));
		for (const key of keys) expect(key).toEqual(keys[0]);
	});

	it("a copied machine ends like the original, and shows no secrets in its state", () => {
		const world = new CeremonyWorld({ config: { members: names(3), threshold: 2 } }).run();
		const machine = world.machines.get(names(3)[0]!)!;
		const copy = machine.copy();
		expect(copy.state).toEqual(machine.state);
		const share = machine.takeShare()!;
		expect(hex(copy.takeShare()!.exportSecret())).toBe(hex(share.exportSecret()));
		expect(JSON.stringify(machine.state, (_, value) => (value instanceof Map ? [...value] : value))).not.toContain(
			share.secret.toString(16),
		);
	});

	it("its certificate is checkable by who was not there, and is of this key, these terms and these signers", () => {
		const world = new CeremonyWorld({ config: { members: names(4), threshold: 3 } }).run();
		const end = world.end(names(4)[0]!);
		if (end.type !== "ceremony-completed") throw new Error(end.reason);
		const { key, certificate } = end;
		const stranger = cryptoOf(names(1, 9)[0]!);
		const plan = planCeremony(world.config);
		const holds = (changedKey: GroupKeyData, changed: typeof certificate, terms = plan): boolean =>
			verifyCeremonyCertificate(terms, new GroupKey(changedKey), changed, stranger);
		expect(holds(key, certificate)).toBe(true);
		expect(holds({ ...key, epoch: 1 }, certificate)).toBe(false);
		expect(holds(key, { ...certificate, basis: new Uint8Array(32) })).toBe(false);
		expect(holds(key, { ...certificate, confirmations: certificate.confirmations.slice(1) })).toBe(false);
		const doubled = [...certificate.confirmations.slice(1), certificate.confirmations[1]!];
		expect(holds(key, { ...certificate, confirmations: doubled })).toBe(false);
		expect(holds(key, certificate, planCeremony({ ...world.config, ceremony: "another" }))).toBe(false);
		const other = new CeremonyWorld({ config: { members: names(4), threshold: 3 }, seed: "other" }).run();
		expect(holds(completed(other, names(4)[0]!), certificate)).toBe(false);
	});
});

describe("SEC-2: misbehaviour in a ceremony of 4, threshold 2", () => {
	const members = names(4);
	const [first, second, third, liar] = members as [NodeId, NodeId, NodeId, NodeId];
	const honest = [first, second, third];
	const config = { members, threshold: 2 };

	/** The honest ones end with one key, without the liar, for this reason. */
	function expectLeftOut(world: CeremonyWorld, fault: string): void {
		const keys = honest.map((node) => completed(world, node));
		for (const key of keys) expect(key).toEqual(keys[0]);
		expect(keys[0]!.members.map(({ node }) => node)).toEqual(honest);
		for (const node of honest) expect(world.faults(node)).toEqual([`${liar}: ${fault}`]);
		const shares = sharesOf(world);
		expectToSign(keys[0]!, [shares.get(first)!, shares.get(third)!]);
	}

	it("a missing party is left out after one phase", () => {
		expectLeftOut(new CeremonyWorld({ config, absent: [liar] }).run(), "absent");
	});

	it("a party that falls silent after its introduction is left out", () => {
		const bend: Bend = (sent) => (sent.from === liar && !isPost(sent.message, "introduction") ? null : sent);
		expectLeftOut(new CeremonyWorld({ config, bend }).run(), "absent");
	});

	it("a dealer that commits to different polynomials before different parties is convicted, with transferable proof", () => {
		let twin: Post | null = null;
		const face = new CeremonyWorld({
			config,
			seed: "second face",
			bend: (sent) => {
				if (isPost(sent.message, "introduction", liar)) twin ??= sent.message;
				return null;
			},
		});
		face.run();
		const bend: Bend = (sent) =>
			sent.from === liar && sent.to === second && isPost(sent.message, "introduction", liar)
				? { ...sent, message: twin! }
				: sent;
		const world = new CeremonyWorld({ config, bend }).run();
		expectLeftOut(world, "equivocation");
		const { evidence } = world.end(first).faults[0]!;
		expect(evidence).toHaveLength(2);
		const checked = (evidence as readonly Post[]).map(({ author, body, signature }) => {
			const post = world.post(author, body) as Post;
			return author === liar && hex(post.signature) === hex(signature) ? JSON.stringify(body) : "unsigned";
		});
		expect(new Set(checked).size).toBe(2);
		expect(checked).not.toContain("unsigned");
	});

	it("a dealer whose share is off its polynomial justifies itself in the open, or is left out", () => {
		const wrongShare = (sent: Sent): Sent =>
			sent.from === liar && sent.to === second && sent.message.type === "sealed-share"
				? { ...sent, message: { type: "sealed-share", sealed: new Uint8Array(64) } }
				: sent;
		// It is still able to show the right share: all four keep their places.
		const justified = new CeremonyWorld({ config, bend: wrongShare }).run();
		for (const node of members) expect(completed(justified, node).members).toHaveLength(4);
		for (const node of members) expect(justified.faults(node)).toEqual([]);
		const shares = sharesOf(justified);
		expectToSign(completed(justified, second), [shares.get(second)!, shares.get(liar)!]);

		const silent: Bend = (sent) => (isPost(sent.message, "justification", liar) ? null : wrongShare(sent));
		expectLeftOut(new CeremonyWorld({ config, bend: silent }).run(), "share-unjustified");

		let world: CeremonyWorld | null = null;
		const lying: Bend = (sent) => {
			if (!isPost(sent.message, "justification", liar)) return wrongShare(sent);
			const body = { type: "justification", shares: [{ to: second, share: suite.encodeScalar(5n) }] } as const;
			return { ...sent, message: world!.post(liar, body) };
		};
		world = new CeremonyWorld({ config, bend: lying });
		expectLeftOut(world.run(), "share-unjustified");
	});

	it("a dealer that cheats as many as the threshold is left out however it answers", () => {
		const bend: Bend = (sent) =>
			sent.from === liar && sent.to !== third && sent.message.type === "sealed-share" ? null : sent;
		expectLeftOut(new CeremonyWorld({ config, bend }).run(), "too-many-complaints");
	});

	it("a false complaint costs the complainer the secrecy of one share, and nobody else anything", () => {
		let world: CeremonyWorld | null = null;
		const bend: Bend = (sent) =>
			isPost(sent.message, "complaints", liar)
				? { ...sent, message: world!.post(liar, { ...sent.message.body, accused: [first] } as never) }
				: sent;
		world = new CeremonyWorld({ config, bend });
		world.run();
		// The liar's own machine goes by what it had posted itself, so only the others are judged.
		for (const node of honest) {
			expect(completed(world, node).members).toHaveLength(4);
			expect(world.faults(node)).toEqual([]);
		}
	});

	it("a rogue key, chosen so that it cancels the others', is refused for want of a proof of possession", () => {
		const introductions = new Map<NodeId, Post>();
		let world: CeremonyWorld | null = null;
		const held: Sent[] = [];
		const bend: Bend = (sent) => {
			if (isPost(sent.message, "introduction") && sent.from !== liar) introductions.set(sent.from, sent.message);
			if (sent.from !== liar || !isPost(sent.message, "introduction", liar)) {
				if (introductions.size < 3 || held.length === 0) return sent;
				// The last to speak: its constant is 7·G less all the others' constants.
				const constants = [...introductions.values()].map(({ body }) =>
					suite.decodeElement((body as Extract<Post["body"], { type: "introduction" }>).commitment[0]!, "it"),
				);
				const rogue = constants.reduce((sum, one) => sum.subtract(one), suite.generator.multiply(7n));
				const own = (held[0]!.message as Post).body as Extract<Post["body"], { type: "introduction" }>;
				const body = { ...own, commitment: [rogue.toBytes(), own.commitment[1]!] };
				const late = held.splice(0).map((item) => ({ ...item, message: world!.post(liar, body) }));
				return [sent, ...late];
			}
			held.push(sent);
			return null;
		};
		// The liar starts first, so its introduction is held until the others have spoken.
		world = new CeremonyWorld({ config, bend });
		expectLeftOut(world.run(), "proof-invalid");
	});

	it.each([
		["too short a commitment", (own: Uint8Array[]) => own.slice(1), "commitment-invalid"],
		["a malformed element", (own: Uint8Array[]) => [own[0]!, new Uint8Array(32).fill(255)], "commitment-invalid"],
		["the identity", (own: Uint8Array[]) => [own[0]!, new Uint8Array(32)], "commitment-invalid"],
	] as const)("a commitment that is none is refused: %s", (_, change, fault) => {
		let world: CeremonyWorld | null = null;
		const bend: Bend = (sent) => {
			if (!isPost(sent.message, "introduction", liar) || sent.from !== liar) return sent;
			const own = sent.message.body as Extract<Post["body"], { type: "introduction" }>;
			return { ...sent, message: world!.post(liar, { ...own, commitment: change([...own.commitment]) }) };
		};
		world = new CeremonyWorld({ config, bend });
		expectLeftOut(world.run(), fault);
	});

	it("posts that their author has not signed, malformed ones and strangers are refused by name, and change nothing", () => {
		const world: CeremonyWorld = new CeremonyWorld({
			config,
			bend: (sent) => {
				if (sent.from !== liar || sent.to !== first || !isPost(sent.message, "introduction", liar)) return sent;
				const forged = { ...sent.message, author: second, signature: new Uint8Array(32) };
				const wrong = [{ type: "post" }, { type: "nonsense" }, null, { ...sent.message, signature: "x" }, forged];
				const strange = { ...sent, from: names(1, 9)[0]! };
				return [sent, strange, ...wrong.map((message) => ({ ...sent, message: message as never }))];
			},
		}).run();
		for (const node of members) expect(completed(world, node).members).toHaveLength(4);
		const refused = world.events.get(first)!.filter((event) => event.type === "ceremony-refused");
		// What was said is said again five times after the end, and refused again.
		expect(
			refused.slice(0, 6).map((event) => (event.type === "ceremony-refused" ? [event.from, event.reason] : [])),
		).toEqual([
			["node-9", "not a participant"],
			[liar, "malformed"],
			[liar, "of unknown kind"],
			[liar, "malformed"],
			[liar, "malformed"],
			[liar, "not signed by its author"],
		]);
	});

	it("who confirms another transcript makes the ceremony fail for all, and is named", () => {
		let world: CeremonyWorld | null = null;
		const bend: Bend = (sent) =>
			isPost(sent.message, "confirmation", liar)
				? { ...sent, message: world!.post(liar, { type: "confirmation", transcript: new Uint8Array(32) }) }
				: sent;
		world = new CeremonyWorld({ config, bend });
		world.run();
		for (const node of honest) {
			expect(world.end(node)).toMatchObject({ type: "ceremony-failed", reason: "not all go by the same transcript" });
			expect(world.faults(node)).toEqual([`${liar}: dissent`]);
			expect(world.machines.get(node)!.takeShare()).toBeNull();
		}
	});

	it("who does not confirm makes the ceremony fail for all, and is named", () => {
		const bend: Bend = (sent) => (isPost(sent.message, "confirmation", liar) ? null : sent);
		const world = new CeremonyWorld({ config, bend }).run();
		for (const node of honest) {
			expect(world.end(node)).toMatchObject({ type: "ceremony-failed", reason: "not all have confirmed" });
			expect(world.faults(node)).toEqual([`${liar}: unconfirmed`]);
		}
	});

	it("with too few left there is no key", () => {
		const world = new CeremonyWorld({ config: { members, threshold: 3 }, absent: [third, liar] }).run();
		expect(world.end(first).type).toBe("ceremony-failed");
		expect(world.faults(first)).toEqual([`${third}: absent`, `${liar}: absent`]);
	});

	it("safety: whatever is lost, no two honest parties end with different keys", () => {
		let ends = 0;
		for (let seed = 0; seed < 15; seed++) {
			const generator = new Generator(1_000 + seed);
			const loss = 1 + generator.below(3);
			const bend: Bend = (sent) => (generator.below(loss + 1) === 0 ? null : sent);
			const pick = (waiting: number): number => generator.below(waiting);
			const lossy = { ...config, phaseMs: 100, resendMs: 400 };
			const world = new CeremonyWorld({ config: lossy, bend, pick }).run();
			const keys = members.map((node) => world.end(node)).filter((end) => end.type === "ceremony-completed");
			ends += keys.length;
			expect(
				new Set(keys.map((end) => hex(new GroupKey((end as { key: GroupKeyData }).key).canonicalBytes))).size,
			).toBeLessThan(2);
		}
		expect(ends).toBeGreaterThan(0);
		expect(ends).toBeLessThan(60);
	});
});

describe("SEC-34: shares travel encrypted, from their dealer to their receiver", () => {
	it("no message holds a share in the open, and another context, direction or key does not open one", () => {
		const messages: Sent[] = [];
		const bend: Bend = (sent) => {
			messages.push(sent);
			return sent;
		};
		const members = names(3);
		const world = new CeremonyWorld({ config: { members, threshold: 2 }, bend }).run();
		const sealedShares = messages.flatMap(({ message }) =>
			message.type === "sealed-share" ? [hex(message.sealed)] : [],
		);
		expect(new Set(sealedShares).size).toBe(6);
		const all = JSON.stringify(messages, (_, value) => (value instanceof Uint8Array ? hex(value) : value));
		for (const share of sharesOf(world).values()) expect(all).not.toContain(hex(share.exportSecret()));
		const [one, other, third] = members.map((node) => channelOf(`seed${node}`));
		const context = new Uint8Array([1]);
		const sealed = one!.seal(other!.publicKey, context, new Uint8Array(32).fill(7))!;
		expect(other!.open(one!.publicKey, context, sealed)).toEqual(new Uint8Array(32).fill(7));
		expect(other!.open(one!.publicKey, new Uint8Array([2]), sealed)).toBeNull();
		expect(third!.open(one!.publicKey, context, sealed)).toBeNull();
	});
});

describe("SEC-33: the same key, shared anew", () => {
	const members = names(4);
	const world = new CeremonyWorld({ config: { members, threshold: 3 } }).run();
	const key = completed(world, members[0]!);
	const shares = sharesOf(world);

	it("refresh: the public key stays, every share changes, and old and new shares do not mix", () => {
		const refreshed = new CeremonyWorld({
			config: { members, threshold: 3, previous: key, ceremony: "refresh-1" },
			shares,
			seed: "refresh",
		}).run();
		const next = completed(refreshed, members[1]!);
		expect(next.publicKey).toEqual(key.publicKey);
		expect(next.epoch).toBe(1);
		const renewed = sharesOf(refreshed);
		for (const node of members)
			expect(hex(renewed.get(node)!.exportSecret())).not.toBe(hex(shares.get(node)!.exportSecret()));
		expectToSign(next, [...renewed.values()].slice(1));
		expectToSign(key, [...shares.values()].slice(1));
		const mixed = [shares.get(members[0]!)!, renewed.get(members[1]!)!, renewed.get(members[2]!)!];
		expect(() => expectToSign(next, mixed)).toThrow(QuorateError);
	});

	it("resharing: to a new committee with another threshold, some staying, some leaving, some new", () => {
		const committee = [members[1]!, members[2]!, ...names(3, 11)];
		const handed = new CeremonyWorld({
			config: { members: committee, threshold: 4, previous: key, ceremony: "handover" },
			shares,
		}).run();
		const next = completed(handed, committee[4]!);
		expect(next).toMatchObject({ epoch: 1, threshold: 4, publicKey: key.publicKey });
		expect(completed(handed, members[0]!)).toEqual(next);
		const renewed = sharesOf(handed);
		expect([...renewed.keys()].sort()).toEqual([...committee].sort());
		expectToSign(next, [...renewed.values()].slice(0, 4));
	});

	it("as many old members as the old threshold are enough; one fewer is not", () => {
		const without = (count: number) =>
			new CeremonyWorld({
				config: { members: names(3, 11), threshold: 2, previous: key },
				shares,
				absent: members.slice(4 - count),
			}).run();
		const newcomer = names(1, 11)[0]!;
		expect(completed(without(1), newcomer).publicKey).toEqual(key.publicKey);
		expect(without(2).end(newcomer).type).toBe("ceremony-failed");
	});

	it("an old member that deals another secret than its share is left out", () => {
		const stranger = new CeremonyWorld({ config: { members, threshold: 3 }, seed: "stranger" }).run();
		let body: Post["body"] | null = null;
		new CeremonyWorld({
			config: { members, threshold: 3, previous: completed(stranger, members[0]!), ceremony: "refresh-1" },
			shares: sharesOf(stranger),
			bend: (sent) => {
				if (isPost(sent.message, "introduction", members[3])) body ??= sent.message.body;
				return null;
			},
		}).run();
		let cheated: CeremonyWorld | null = null;
		cheated = new CeremonyWorld({
			config: { members, threshold: 3, previous: key, ceremony: "refresh-1" },
			shares,
			bend: (sent) =>
				isPost(sent.message, "introduction", members[3])
					? { ...sent, message: cheated!.post(members[3]!, body!) }
					: sent,
		});
		cheated.run();
		expect(cheated.faults(members[0]!)).toEqual([`${members[3]}: constant-differs`]);
		expect(completed(cheated, members[0]!).publicKey).toEqual(key.publicKey);
	});
});

describe("terms", () => {
	const members = names(3);
	const codeOf = (change: object): string => {
		try {
			planCeremony({ ceremony: "c", members, threshold: 2, ...change });
		} catch (error) {
			return (error as QuorateError).code;
		}
		return "none";
	};

	it.each([
		[{ threshold: 0 }, "threshold-invalid"],
		[{ threshold: 4 }, "threshold-invalid"],
		[{ members: [] }, "ceremony-config-invalid"],
		[{ members: [members[0], members[0]] }, "ceremony-config-invalid"],
		[{ members: ["a b"] }, "ceremony-config-invalid"],
		[{ members: names(65) }, "ceremony-config-invalid"],
		[{ ceremony: "" }, "ceremony-config-invalid"],
		[{ phaseMs: 0 }, "ceremony-config-invalid"],
		[{ suite: "p256" }, "ceremony-config-invalid"],
		[{}, "none"],
	])("%o", (change, code) => {
		expect(codeOf(change)).toBe(code);
	});

	it("the threshold is part of what is signed: parties told different ones do not end with a key", () => {
		const digest = (threshold: number): string =>
			createHash("sha256")
				.update(planCeremony({ ceremony: "c", members, threshold }).terms)
				.digest("hex");
		expect(digest(2)).not.toBe(digest(3));
	});
});
