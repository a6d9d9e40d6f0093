/**
 * A secret vote with a tally that anybody can check: choices encrypted to a key that no single trustee holds (exponential ElGamal,
 * Cramer, Gennaro and Schoenmakers 1997), each ballot with proofs that it is one valid choice, summed while encrypted.
 *
 * Hidden: what anybody has chosen, as long as fewer than the threshold of trustees work together. Not hidden: who has voted, and what
 * follows from the result itself. A voter can prove its choice to others by giving its randomness away: no defence against bought votes.
 */
import { must, type NodeId } from "../../core/index.ts";
import { frame, textBytes, uint32 } from "../bytes.ts";
import type { Ciphersuite, GroupElement } from "../ciphersuite.ts";
import { statementInvalid } from "../errors.ts";
import type { GroupKey } from "../frost/key-share.ts";
import { proveEqualLogarithms, verifyEqualLogarithms } from "../proofs/dleq.ts";
import { Transcript } from "../proofs/transcript.ts";
import { ScalarSource } from "../scalar-source.ts";
import { generatorTimes } from "../shamir.ts";

/** Choices that one election may have. */
export const OPTIONS_MAX = 32;

/** What is voted on, by whom and under which key: the same for everybody. */
export interface Election {
	/** 1 to 128 characters, of no other election under this key. */
	readonly name: string;
	/** Choices; 2 to 32. */
	readonly options: number;
	/** Who may vote, once. */
	readonly voters: readonly NodeId[];
	/** The trustees' key. */
	readonly key: GroupKey;
}

/** r·G and r·PK + m·G, encoded. */
export interface Ciphertext {
	readonly ephemeral: Uint8Array;
	readonly masked: Uint8Array;
}

/** One option's encrypted 0 or 1, with the proof that it is one of them: challenges and responses of both cases. */
export interface EncryptedMark {
	readonly ciphertext: Ciphertext;
	readonly challenges: readonly [Uint8Array, Uint8Array];
	readonly responses: readonly [Uint8Array, Uint8Array];
}

/** One voter's ballot: one mark an option, and the proof that they add up to exactly 1. */
export interface Ballot {
	readonly voter: NodeId;
	readonly marks: readonly EncryptedMark[];
	readonly sumProof: Uint8Array;
}

/** A decoded ciphertext. */
export interface CiphertextElements {
	readonly ephemeral: GroupElement;
	readonly masked: GroupElement;
}

/** @throws QuorateError `statement-invalid` for an election that is none */
export function requireElection({ name, options, voters }: Election): void {
	const isNamed = typeof name === "string" && name.length >= 1 && name.length <= 128;
	if (!isNamed || !Number.isInteger(options) || options < 2 || options > OPTIONS_MAX || voters.length === 0)
		throw statementInvalid({ reason: `an election has a name, 2 to ${OPTIONS_MAX} options and voters` });
}

/**
 * A ballot for the option `choice`, counted from 0.
 * @throws QuorateError `statement-invalid` for an option or a voter that the election has not; `bytes-malformed`
 */
export function castBallot(election: Election, voter: NodeId, choice: number, entropy: Uint8Array): Ballot {
	requireElection(election);
	if (!election.voters.includes(voter)) throw statementInvalid({ reason: `${voter} has no vote` });
	if (!Number.isInteger(choice) || choice < 0 || choice >= election.options)
		throw statementInvalid({ reason: `there is no option ${choice}` });
	const { suite, publicElement } = election.key;
	const context = ballotContext(election, voter);
	const source = new ScalarSource(suite, "ballot", entropy, context, uint32(choice));
	const randomness = source.take(election.options);
	const ciphertexts = randomness.map((r, option): CiphertextElements => {
		const masked = publicElement.multiply(r);
		return { ephemeral: generatorTimes(suite, r), masked: option === choice ? masked.add(suite.generator) : masked };
	});
	const transcript = transcriptOf(suite, context, ciphertexts);
	const marks = ciphertexts.map((ciphertext, option) =>
		proveMark(
			election.key,
			transcript,
			ciphertext,
			must(randomness[option], "as many"),
			option === choice ? 1 : 0,
			source,
		),
	);
	const sum = sumOf(suite, ciphertexts);
	const total = suite.reduce(randomness.reduce((whole, r) => whole + r, 0n));
	const statement = sumStatement(election.key, sum);
	return { voter, marks, sumProof: proveEqualLogarithms(suite, statement, total, context, entropy) };
}

/** The ballot's ciphertexts, if it is a valid choice by one of the voters; null otherwise. Never throws. */
export function checkBallot(election: Election, ballot: Ballot): readonly CiphertextElements[] | null {
	if (!election.voters.includes(ballot?.voter) || ballot.marks?.length !== election.options) return null;
	const { suite } = election.key;
	const context = ballotContext(election, ballot.voter);
	try {
		const ciphertexts = ballot.marks.map(({ ciphertext }) => decodeCiphertext(suite, ciphertext));
		const transcript = transcriptOf(suite, context, ciphertexts);
		const areBits = ballot.marks.every((mark, option) =>
			verifyMark(election.key, transcript, must(ciphertexts[option], "as many"), mark),
		);
		const statement = sumStatement(election.key, sumOf(suite, ciphertexts));
		return areBits && verifyEqualLogarithms(suite, statement, context, ballot.sumProof) ? ciphertexts : null;
	} catch {
		// What can not be decoded is no ballot.
		return null;
	}
}

/** The encryption of the sum of what is encrypted. */
export function sumOf(suite: Ciphersuite, ciphertexts: readonly CiphertextElements[]): CiphertextElements {
	return ciphertexts.reduce(
		(sum, { ephemeral, masked }) => ({ ephemeral: sum.ephemeral.add(ephemeral), masked: sum.masked.add(masked) }),
		{ ephemeral: suite.identity, masked: suite.identity },
	);
}

export function decodeCiphertext(suite: Ciphersuite, { ephemeral, masked }: Ciphertext): CiphertextElements {
	return {
		ephemeral: suite.decodeElement(ephemeral, "a ciphertext's first half"),
		masked: suite.decodeElement(masked, "a ciphertext's second half"),
	};
}

/** What proofs of this ballot are bound to. */
function ballotContext(election: Election, voter: NodeId): Uint8Array {
	const { key, name, options } = election;
	const terms = frame(textBytes("quorate/ballot/v1"), key.data.publicKey, textBytes(name), uint32(options));
	return frame(terms, textBytes(voter));
}

function transcriptOf(suite: Ciphersuite, context: Uint8Array, ciphertexts: readonly CiphertextElements[]): Transcript {
	const elements = ciphertexts.flatMap(({ ephemeral, masked }) => [ephemeral, masked]);
	return new Transcript(suite, "ballot", context).appendElements("ciphertexts", ...elements);
}

/** That the sum encrypts 1: its second half less G has the same logarithm to PK as the first to G. */
function sumStatement({ suite, publicElement }: GroupKey, { ephemeral, masked }: CiphertextElements) {
	return {
		base: suite.generator,
		first: ephemeral,
		otherBase: publicElement,
		second: masked.subtract(suite.generator),
	};
}

/** The commitments of one case of a mark's proof: `s·G + c·first` and `s·PK + c·(masked − value·G)`. */
function caseCommitments(
	{ suite, publicElement }: GroupKey,
	{ ephemeral, masked }: CiphertextElements,
	value: number,
	challenge: bigint,
	response: bigint,
): readonly [GroupElement, GroupElement] {
	const unmasked = value === 1 ? masked.subtract(suite.generator) : masked;
	return [
		suite.sumOfProducts([suite.generator, ephemeral], [response, challenge]),
		suite.sumOfProducts([publicElement, unmasked], [response, challenge]),
	];
}

/** The case that holds is proven, the other simulated with a challenge of its own; they add up to the transcript's (CDS 1994). */
function proveMark(
	key: GroupKey,
	transcript: Transcript,
	ciphertext: CiphertextElements,
	randomness: bigint,
	value: 0 | 1,
	source: ScalarSource,
): EncryptedMark {
	const { suite, publicElement } = key;
	const [nonce, simulatedChallenge, simulatedResponse] = [source.next(), source.next(), source.next()];
	const honest = [generatorTimes(suite, nonce), publicElement.multiply(nonce)] as const;
	const simulated = caseCommitments(key, ciphertext, 1 - value, simulatedChallenge, simulatedResponse);
	const inOrder = value === 0 ? [...honest, ...simulated] : [...simulated, ...honest];
	const common = transcript.appendElements("case", ...inOrder).challenge("mark");
	const challenge = suite.reduce(common - simulatedChallenge);
	const response = suite.reduce(nonce - challenge * randomness);
	const encode = (own: bigint, other: bigint): readonly [Uint8Array, Uint8Array] => {
		const [zero, one] = value === 0 ? [own, other] : [other, own];
		return [suite.encodeScalar(zero), suite.encodeScalar(one)];
	};
	return {
		ciphertext: { ephemeral: ciphertext.ephemeral.toBytes(), masked: ciphertext.masked.toBytes() },
		challenges: encode(challenge, simulatedChallenge),
		responses: encode(response, simulatedResponse),
	};
}

function verifyMark(
	key: GroupKey,
	transcript: Transcript,
	ciphertext: CiphertextElements,
	{ challenges, responses }: EncryptedMark,
): boolean {
	const { suite } = key;
	if (challenges.length !== 2 || responses.length !== 2) return false;
	const scalars = challenges.map((challenge) => suite.decodeScalar(challenge, "a challenge"));
	const commitments = scalars.flatMap((challenge, value) => [
		...caseCommitments(
			key,
			ciphertext,
			value,
			challenge,
			suite.decodeScalar(must(responses[value], "two"), "a response"),
		),
	]);
	const common = transcript.appendElements("case", ...commitments).challenge("mark");
	return suite.reduce(scalars.reduce((sum, challenge) => sum + challenge, 0n)) === common;
}
