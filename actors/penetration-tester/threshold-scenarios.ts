/** Attacks on keys that members hold together: by signers that lie, by thieves of shares, and by who asks for one signature twice. */
import { type Effect, Generator, type NodeId, nodeId } from "../../protocols/core/index.ts";
import {
	ciphersuite,
	combineShares,
	type DealtKey,
	dealKey,
	type NonceCommitment,
	RoastCoordinator,
	type RoastTypes,
	type SignRequest,
	ThresholdSigner,
	verifySignature,
} from "../../protocols/security/index.ts";
import { Attempts, isRefused } from "./attempt.ts";
import type { Beyond, Scenario, ScenarioContext, Tally } from "./contract.ts";
import { maxFaults } from "./group-size.ts";

const SUITE = "ristretto255";
const suite = ciphersuite(SUITE);
const text = (words: string): Uint8Array => new TextEncoder().encode(words);

/** Bytes for nonces and keys of a trial: its figures, not its secrets, are what matters. */
function bytesOf(dice: Generator, count: number): Uint8Array {
	return Uint8Array.from({ length: count }, () => dice.below(256));
}

function scalarOf(dice: Generator): Uint8Array {
	return suite.encodeScalar(suite.hashToScalar("pentest", bytesOf(dice, 64)));
}

/** A key of n members, of whom it takes as many as are left without f. */
function dealt(dice: Generator, nodes: number): DealtKey {
	const coefficients = Array.from({ length: nodes - maxFaults(nodes) }, () => scalarOf(dice));
	const members = Array.from({ length: nodes }, (_, at) => ({ node: nodeId(`node-${at + 1}`), identifier: at + 1 }));
	return dealKey(SUITE, coefficients, members);
}

/** What a lying signer answers in the place of its share. */
const lies: readonly ((share: Uint8Array, dice: Generator) => Uint8Array)[] = [
	(share) => suite.encodeScalar(suite.reduce(suite.decodeScalar(share, "a share") + 1n)),
	(_share, dice) => scalarOf(dice),
	() => new Uint8Array(32),
	() => new Uint8Array(32).fill(0xff),
	() => new Uint8Array(7),
];

interface SigningEnd {
	readonly isSigned: boolean;
	readonly named: readonly NodeId[];
}

/** One run of ROAST. The liars are the first to be ready, so that they are asked. */
function sign({ key, shares }: DealtKey, liars: number, dice: Generator): SigningEnd {
	const message = text("decision 1");
	const signers = new Map(shares.map((share) => [key.nodeOf(share.identifier) as NodeId, new ThresholdSigner(share)]));
	const lying = new Set([...signers.keys()].slice(0, liars));
	const coordinator = new RoastCoordinator(key, message);
	const waiting: { readonly from: NodeId; readonly message: RoastTypes["message"] }[] = [];
	for (const [from, signer] of signers)
		waiting.push({ from, message: { type: "ready", commitment: signer.offer(bytesOf(dice, 64)) } });
	for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
		const effects: Effect<RoastTypes>[] = [];
		coordinator.step({ type: "message", ...next }, 0, effects);
		for (const effect of effects) {
			if (effect.type !== "send" || effect.message.type !== "sign-request") continue;
			const signer = signers.get(effect.to) as ThresholdSigner;
			const { session, message: asked, commitments }: SignRequest = effect.message;
			const { share } = signer.sign({ message: asked, commitments });
			const said = lying.has(effect.to) ? dice.pick(lies)(share, dice) : share;
			const answer = { type: "sign-response", session, share: said, next: signer.offer(bytesOf(dice, 64)) } as const;
			waiting.push({ from: effect.to, message: answer });
		}
	}
	const { signature } = coordinator;
	const isSigned = signature !== null && verifySignature(SUITE, key.data.publicKey, message, signature);
	return { isSigned, named: coordinator.faults.map(({ node }) => node) };
}

function wrongShares({ seed, nodes, trials }: ScenarioContext): Tally {
	const attempts = new Attempts();
	const faults = maxFaults(nodes);
	let signed = 0;
	const runs = [...Array.from({ length: trials }, () => faults), 0];
	for (const [at, liars] of runs.entries()) {
		const dice = new Generator(seed + at, "wrong-shares");
		const { isSigned, named } = sign(dealt(dice, nodes), liars, dice);
		if (isSigned) signed += 1;
		for (let member = 0; member < nodes; member++) {
			const isNamed = named.includes(nodeId(`node-${member + 1}`));
			if (member < liars) attempts.attack("a wrong share was not noticed", isNamed);
			else attempts.honest(isNamed);
		}
	}
	let [broken, alarmed] = [0, 0];
	for (let at = 0; at < trials; at++) {
		const dice = new Generator(seed + at, "wrong-shares/beyond");
		const { isSigned, named } = sign(dealt(dice, nodes), faults + 1, dice);
		if (isSigned) continue;
		broken += 1;
		if (named.length === faults + 1) alarmed += 1;
	}
	const damage = broken === 0 ? [] : ["no signature came about"];
	const beyond: Beyond = { attackers: `${faults + 1} of ${nodes} signers`, trials, broken, alarmed, damage };
	const { attacks, detected, innocents, accused } = attempts;
	return {
		trials,
		attacks,
		detected,
		innocents,
		accused,
		latenciesMs: [],
		isSafe: attempts.damage.length === 0,
		hasProgress: signed === runs.length,
		damage: attempts.damage,
		mitigation: `${signed} of ${runs.length} signatures came about`,
		beyond,
	};
}

/** A signature by whoever knows a secret that it takes for the key's (Schnorr's, as FROST's verify). */
function forge(secret: bigint, publicKey: Uint8Array, message: Uint8Array, dice: Generator): Uint8Array {
	const nonce = suite.decodeScalar(scalarOf(dice), "a nonce");
	const commitment = suite.generator.multiplyUnsafe(nonce).toBytes();
	const challenge = suite.h2(Buffer.concat([commitment, publicKey, message]));
	return Buffer.concat([commitment, suite.encodeScalar(suite.reduce(nonce + challenge * secret))]);
}

function stolenShares({ seed, nodes, trials }: ScenarioContext): Tally {
	const attempts = new Attempts();
	let broken = 0;
	const threshold = nodes - maxFaults(nodes);
	for (let at = 0; at < trials; at++) {
		const dice = new Generator(seed + at, "stolen-shares");
		const { key, shares } = dealt(dice, nodes);
		const { publicKey } = key.data;
		const message = text(`theft ${at}`);
		const stolen = shares.map(({ identifier, secret }) => ({ identifier, value: secret }));
		const isForged = (count: number): boolean => {
			const secret = combineShares(suite, stolen.slice(0, count), count);
			return verifySignature(SUITE, publicKey, message, forge(secret, publicKey, message, dice));
		};
		for (let count = 1; count < threshold; count++)
			attempts.attack(`${count} shares were enough to forge`, !isForged(count));
		attempts.honest(!sign({ key, shares }, 0, dice).isSigned);
		if (isForged(threshold)) broken += 1;
	}
	const { attacks, detected, innocents, accused, damage } = attempts;
	const [isSafe, hasProgress] = [damage.length === 0, accused === 0];
	const figures = { trials, attacks, detected, innocents, accused, latenciesMs: [], isSafe, hasProgress, damage };
	// Who has the shares signs like their owners: nobody can tell, so this is no limit at which an alarm could be asked for.
	const mitigation = `${attacks - detected} of ${attacks} forgeries with fewer than ${threshold} shares; ${broken} of ${trials} with ${threshold}`;
	// That a threshold of shares does forge shows that the attempts with fewer were in earnest.
	return { ...figures, attacks: broken === trials ? attacks : 0, mitigation, beyond: null };
}

function reusedNonces({ seed, nodes, trials }: ScenarioContext): Tally {
	const attempts = new Attempts();
	for (let at = 0; at < trials; at++) {
		const dice = new Generator(seed + at, "reused-nonces");
		const { key, shares } = dealt(dice, nodes);
		const signers = shares.slice(0, key.threshold).map((share) => new ThresholdSigner(share));
		const commitments = signers.map((signer) => signer.offer(bytesOf(dice, 64)));
		const [victim] = signers as [ThresholdSigner, ...ThresholdSigner[]];
		const first = { message: text("one"), commitments };
		for (const signer of signers) attempts.honest(isRefused(() => signer.sign(first)));
		const twice = "nonces were used twice, which gives the share away";
		attempts.attack(
			twice,
			isRefused(() => victim.sign(first)),
		);
		attempts.attack(
			twice,
			isRefused(() => victim.sign({ message: text("two"), commitments })),
		);
		const fresh = victim.offer(bytesOf(dice, 64));
		const mixed = commitments.map(
			(other): NonceCommitment =>
				other.identifier === fresh.identifier ? { ...fresh, binding: other.binding } : other,
		);
		attempts.attack(
			"half of a commitment was exchanged",
			isRefused(() => victim.sign({ message: text("three"), commitments: mixed })),
		);
		attempts.attack(
			twice,
			isRefused(() => victim.sign({ message: text("four"), commitments: mixed })),
		);
		const doubled = [...commitments.slice(1), commitments[1] as NonceCommitment];
		attempts.attack(
			"one signer was counted twice",
			isRefused(() => victim.sign({ message: text("five"), commitments: doubled })),
		);
		attempts.attack(
			"too few signers were asked",
			isRefused(() => victim.sign({ message: text("six"), commitments: commitments.slice(0, 1) })),
		);
	}
	const { attacks, detected, innocents, accused, damage } = attempts;
	const [isSafe, hasProgress] = [damage.length === 0, accused === 0];
	const mitigation = `${detected} of ${attacks} requests refused`;
	const figures = { trials, attacks, detected, innocents, accused, latenciesMs: [] };
	return { ...figures, isSafe, hasProgress, damage, mitigation, beyond: null };
}

const threshold = {
	kind: "security",
	mode: null,
	means: "refusal",
	floors: { detection: 1, falsePositives: 0 },
} as const;

export const thresholdScenarios: readonly Scenario[] = [
	{
		...threshold,
		name: "wrong-shares",
		means: "proof",
		description: "f signers answer with wrong shares; beyond: one more, so that too few are left to sign.",
		run: wrongShares,
	},
	{
		...threshold,
		name: "stolen-shares",
		description: "Forges signatures with every number of stolen shares below the threshold.",
		run: stolenShares,
	},
	{
		...threshold,
		name: "reused-nonces",
		description: "Asks a signer to use its nonces twice, to compute its share from the two answers.",
		run: reusedNonces,
	},
];
