/**
 * Goal: a signature comes about whenever a threshold of the signers is honest, whatever the others do, and liars are named (SEC-3,
 * SEC-4). Method: one coordinator, real signers, and for every set of bad members up to n − t each of their behaviours, in many orders.
 */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import { type Effect, Generator, type NodeId, nodeId, type QuorateError } from "../../../../protocols/core/index.ts";
import {
	ciphersuite,
	dealKey,
	RoastCoordinator,
	type RoastEvent,
	type RoastMessage,
	type RoastTypes,
	ThresholdSigner,
	verifySignature,
} from "../../../../protocols/security/index.ts";

const suite = ciphersuite("ristretto255");
const members = [1, 2, 3, 4, 5].map((identifier) => ({ node: nodeId(`node-${identifier}`), identifier }));
const { key, shares } = dealKey("ristretto255", [3n, 1n, 4n].map(suite.encodeScalar), members);
const message = new Uint8Array([1, 2, 3]);
let drawn = 0;
const fresh = (): Uint8Array => new Uint8Array(createHash("sha512").update(`randomness ${drawn++}`).digest());

type Behaviour =
	| "honest"
	| "silent"
	| "wrong-share"
	| "bad-commitment"
	| "answers-unasked"
	| "stale-nonces"
	| "repeats";

/** What a member of this behaviour says to a message; `signer` is its honest self. */
function answer(behaviour: Behaviour, signer: ThresholdSigner, request: RoastMessage): readonly RoastMessage[] {
	if (request.type !== "sign-request" || behaviour === "silent") return [];
	const signed = signer.sign({ message: request.message, commitments: request.commitments });
	const next = signer.offer(fresh());
	const response = { type: "sign-response", session: request.session, share: signed.share, next } as const;
	switch (behaviour) {
		case "wrong-share":
			return [{ ...response, share: suite.encodeScalar(5n) }];
		case "bad-commitment":
			return [{ ...response, next: { ...next, hiding: new Uint8Array(32) } }];
		case "answers-unasked":
			return [{ ...response, session: request.session + 7 }];
		case "repeats":
			return [response, response, { type: "ready", commitment: next }];
		default:
			return [response];
	}
}

function run(
	behaviours: ReadonlyMap<number, Behaviour>,
	seed: number,
): { events: RoastEvent[]; coordinator: RoastCoordinator } {
	const generator = new Generator(seed);
	const coordinator = new RoastCoordinator(key, message);
	const signers = new Map(shares.map((share) => [members[share.identifier - 1]!.node, new ThresholdSigner(share)]));
	const behaviourOf = (node: NodeId): Behaviour => behaviours.get(key.identifierOf(node)!) ?? "honest";
	const events: RoastEvent[] = [];
	const waiting: { from: NodeId; message: RoastMessage }[] = [];
	for (const [node, signer] of signers)
		if (behaviourOf(node) !== "silent")
			waiting.push({ from: node, message: { type: "ready", commitment: signer.offer(fresh()) } });
	while (waiting.length > 0) {
		const [{ from, message: said }] = waiting.splice(generator.below(waiting.length), 1) as [(typeof waiting)[0]];
		const effects: Effect<RoastTypes>[] = [];
		coordinator.step({ type: "message", from, message: said }, 0, effects);
		for (const effect of effects) {
			if (effect.type === "emit") events.push(effect.event);
			else if (effect.type === "send") {
				const signer = signers.get(effect.to)!;
				for (const reply of answer(behaviourOf(effect.to), signer, effect.message))
					waiting.push({ from: effect.to, message: reply });
			}
		}
	}
	return { events, coordinator };
}

const faultsOf = ({ coordinator }: ReturnType<typeof run>): string[] =>
	coordinator.faults.map(({ node, kind }) => `${node}: ${kind}`).sort();

describe("ROAST, 3 of 5", () => {
	it("signs when all are honest, whom it accuses of nothing", () => {
		const ended = run(new Map(), 1);
		expect(verifySignature("ristretto255", key.data.publicKey, message, ended.coordinator.signature!)).toBe(true);
		expect(ended.events.filter(({ type }) => type === "roast-session").length).toBeLessThanOrEqual(3);
		expect(faultsOf(ended)).toEqual([]);
	});

	const bad: Behaviour[] = ["silent", "wrong-share", "bad-commitment", "answers-unasked", "repeats"];
	const named: Partial<Record<Behaviour, string>> = {
		"wrong-share": "share-invalid",
		"bad-commitment": "commitment-invalid",
		"answers-unasked": "unasked",
	};
	it.each(bad.flatMap((one) => bad.map((other) => [one, other] as const)))(
		"signs with two bad signers, %s and %s, within n - t + 1 sessions, and accuses no honest one",
		(one, other) => {
			for (let seed = 0; seed < 2; seed++) {
				const first = 1 + (seed % 5);
				const second = 1 + ((seed + 2) % 5);
				const ended = run(
					new Map([
						[first, one],
						[second, other],
					]),
					seed,
				);
				expect(verifySignature("ristretto255", key.data.publicKey, message, ended.coordinator.signature!)).toBe(true);
				expect(ended.events.filter(({ type }) => type === "roast-session").length).toBeLessThanOrEqual(3);
				const possible = [`node-${first}: ${named[one]}`, `node-${second}: ${named[other]}`];
				for (const fault of faultsOf(ended)) expect(possible).toContain(fault);
			}
		},
	);

	it("gives no signature with one bad signer too many, and says so when they are convicted", () => {
		const ended = run(
			new Map([
				[1, "wrong-share"],
				[2, "wrong-share"],
				[3, "wrong-share"],
			]),
			3,
		);
		expect(ended.coordinator.signature).toBeNull();
		const silent = run(
			new Map([
				[1, "silent"],
				[2, "silent"],
				[3, "silent"],
			]),
			3,
		);
		expect(silent.coordinator.signature).toBeNull();
		expect(faultsOf(silent)).toEqual([]);
	});

	it("hears nobody who is no member", () => {
		const coordinator = new RoastCoordinator(key, message);
		const effects: Effect<RoastTypes>[] = [];
		const commitment = new ThresholdSigner(shares[0]!).offer(fresh());
		coordinator.step({ type: "message", from: nodeId("stranger"), message: { type: "ready", commitment } }, 0, effects);
		expect(effects).toEqual([]);
		coordinator.step({ type: "message", from: nodeId("node-2"), message: { type: "ready", commitment } }, 0, effects);
		expect(faultsOf({ events: [], coordinator })).toEqual(["node-2: commitment-invalid"]);
	});
});

describe("a threshold signer's ledger", () => {
	const codeOf = (action: () => unknown): string => {
		try {
			action();
		} catch (error) {
			return (error as QuorateError).code;
		}
		return "none";
	};

	it("signs once with what it offered, never for commitments that it did not make, and is bounded", () => {
		const signers = [1, 2, 3].map((identifier) => new ThresholdSigner(shares[identifier - 1]!));
		const commitments = signers.map((signer) => signer.offer(fresh()));
		expect(signers[0]!.offered).toBe(1);
		expect(codeOf(() => signers[0]!.sign({ message, commitments }))).toBe("none");
		expect(signers[0]!.offered).toBe(0);
		expect(codeOf(() => signers[0]!.sign({ message: new Uint8Array(9), commitments }))).toBe("nonces-spent");
		const swapped = [{ ...commitments[0]!, identifier: 2 }, { ...commitments[1]!, identifier: 1 }, commitments[2]!];
		expect(codeOf(() => signers[1]!.sign({ message, commitments: swapped }))).toBe("nonces-spent");
		// A refusal spends them too: nobody gets to try the same nonces on one package after the other.
		const half = [commitments[0]!, { ...commitments[1]!, binding: commitments[0]!.binding }, commitments[2]!];
		expect(codeOf(() => signers[1]!.sign({ message, commitments: half }))).toBe("signing-package-invalid");
		expect(codeOf(() => signers[1]!.sign({ message, commitments }))).toBe("nonces-spent");
		signers[2]!.discardNonces();
		expect(codeOf(() => signers[2]!.sign({ message, commitments }))).toBe("nonces-spent");
		// With 256 waiting, the next one takes the place of the oldest.
		const oldest = signers[2]!.offer(fresh());
		for (let count = 0; count < 256; count++) signers[2]!.offer(fresh());
		expect(signers[2]!.offered).toBe(256);
		const others = [signers[0]!.offer(fresh()), signers[1]!.offer(fresh())];
		expect(codeOf(() => signers[2]!.sign({ message, commitments: [...others, oldest] }))).toBe("nonces-spent");
	});
});
