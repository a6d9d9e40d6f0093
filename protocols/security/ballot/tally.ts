/**
 * Counting a secret vote: the ballots are summed while encrypted, a threshold of trustees each opens its part of the sums and proves
 * it, and the counts follow. Anybody can repeat all of it.
 */
import { must, type NodeId } from "../../core/index.ts";
import { frame, textBytes } from "../bytes.ts";
import type { Ciphersuite, GroupElement } from "../ciphersuite.ts";
import { statementInvalid, tooFewShares } from "../errors.ts";
import type { GroupKey, KeyShare } from "../frost/key-share.ts";
import { type EqualLogarithms, proveEqualLogarithms, verifyEqualLogarithms } from "../proofs/dleq.ts";
import { ScalarSource } from "../scalar-source.ts";
import { type Identifier, lagrangeCoefficient } from "../shamir.ts";
import { type Ballot, type CiphertextElements, checkBallot, type Election, requireElection, sumOf } from "./ballot.ts";

/** The encrypted sums of an election, and whose ballots are in them. */
export interface BallotBox {
	/** One an option. */
	readonly sums: readonly CiphertextElements[];
	readonly counted: readonly NodeId[];
	/** Whose ballots were invalid, or second ones; what a voter has sent first counts. */
	readonly refused: readonly NodeId[];
}

/** One trustee's part in opening each option's sum, each with its proof. */
export interface TallyShare {
	readonly identifier: Identifier;
	readonly parts: readonly { readonly element: Uint8Array; readonly proof: Uint8Array }[];
}

/** An election's outcome, with what proves it to whoever has the ballots. */
export interface Tally {
	/** Votes an option. */
	readonly counts: readonly number[];
	readonly shares: readonly TallyShare[];
}

/** Checks and sums ballots, in the order of their arrival. @throws QuorateError `statement-invalid` */
export function collectBallots(election: Election, ballots: readonly Ballot[]): BallotBox {
	requireElection(election);
	const { suite } = election.key;
	const none: CiphertextElements = { ephemeral: suite.identity, masked: suite.identity };
	let sums: readonly CiphertextElements[] = Array.from({ length: election.options }, () => none);
	const counted: NodeId[] = [];
	const refused: NodeId[] = [];
	for (const ballot of ballots) {
		const marks = counted.includes(ballot.voter) ? null : checkBallot(election, ballot);
		if (marks === null) {
			refused.push(ballot.voter);
			continue;
		}
		counted.push(ballot.voter);
		sums = sums.map((sum, option) => sumOf(suite, [sum, must(marks[option], "one mark an option")]));
	}
	return { sums, counted, refused };
}

/** A trustee's part. It opens sums alone: a trustee that gave parts of single ballots would break their secrecy. */
export function openTally(election: Election, box: BallotBox, share: KeyShare, entropy: Uint8Array): TallyShare {
	const { suite } = election.key;
	const context = tallyContext(election, share.identifier);
	const source = new ScalarSource(suite, "tally", entropy, context, suite.encodeScalar(share.secret));
	const parts = box.sums.map(({ ephemeral }) => {
		if (ephemeral.is0()) throw statementInvalid({ reason: "there is nothing to open" });
		const element = ephemeral.multiply(share.secret);
		const statement = statementOf(election.key, share.identifier, ephemeral, element);
		const own = suite.encodeScalar(source.next());
		return { element: element.toBytes(), proof: proveEqualLogarithms(suite, statement, share.secret, context, own) };
	});
	return { identifier: share.identifier, parts };
}

/** Whether a trustee's part is right. False for anything malformed. */
export function isTallyShareValid(election: Election, box: BallotBox, share: TallyShare): boolean {
	const { key } = election;
	if (key.verifyingShare(share?.identifier) === undefined || share.parts?.length !== election.options) return false;
	try {
		return share.parts.every(({ element, proof }, option) => {
			const { ephemeral } = must(box.sums[option], "one sum an option");
			const opened = key.suite.decodeElement(element, "an opened part");
			const statement = statementOf(key, share.identifier, ephemeral, opened);
			return verifyEqualLogarithms(key.suite, statement, tallyContext(election, share.identifier), proof);
		});
	} catch {
		// What can not be decoded opens nothing.
		return false;
	}
}

/**
 * The counts from the parts of at least `threshold` trustees; wrong parts are left out, so see {@link isTallyShareValid} for names.
 * @throws QuorateError `too-few-shares`; `statement-invalid` if the sums hold more votes than ballots, which no valid ballots come to
 */
export function countVotes(election: Election, box: BallotBox, shares: readonly TallyShare[]): Tally {
	const { key } = election;
	const valid = new Map<Identifier, TallyShare>();
	for (const share of shares)
		if (valid.size < key.threshold && isTallyShareValid(election, box, share)) valid.set(share.identifier, share);
	if (valid.size < key.threshold) throw tooFewShares({ needed: key.threshold, given: valid.size });
	const used = [...valid.values()];
	const identifiers = [...valid.keys()];
	const weights = identifiers.map((identifier) => lagrangeCoefficient(key.suite, identifier, identifiers));
	const counts = box.sums.map(({ masked }, option) => {
		const parts = used.map(({ parts: own }) => key.suite.decodeElement(must(own[option], "checked").element, "a part"));
		const opened = masked.subtract(key.suite.sumOfProducts(parts, weights));
		return smallLogarithm(key.suite, opened, box.counted.length);
	});
	return { counts, shares: used };
}

/** Whether a tally is that of these ballots: repeats everything. Needs no secret. */
export function verifyTally(election: Election, ballots: readonly Ballot[], tally: Tally): boolean {
	try {
		const box = collectBallots(election, ballots);
		const { counts } = countVotes(election, box, tally.shares);
		return counts.length === tally.counts.length && counts.every((count, option) => count === tally.counts[option]);
	} catch {
		// What can not be counted again was not counted.
		return false;
	}
}

/** The k in 0 to `max` with k·G = element, by baby steps and giant steps (Shanks 1971). */
function smallLogarithm(suite: Ciphersuite, element: GroupElement, max: number): number {
	const stride = Math.ceil(Math.sqrt(max + 1));
	const babySteps = new Map<string, number>();
	let step = suite.identity;
	for (let at = 0; at < stride; at++) {
		babySteps.set(step.toBytes().join(), at);
		step = step.add(suite.generator);
	}
	let rest = element;
	for (let giant = 0; giant * stride <= max; giant++) {
		const baby = babySteps.get(rest.toBytes().join());
		if (baby !== undefined && giant * stride + baby <= max) return giant * stride + baby;
		rest = rest.subtract(step);
	}
	throw statementInvalid({ reason: "an option has more votes than there are ballots" });
}

function statementOf(key: GroupKey, identifier: Identifier, sum: GroupElement, opened: GroupElement): EqualLogarithms {
	const first = must(key.verifyingShare(identifier), "a trustee is a member of the key");
	return { base: key.suite.generator, first, otherBase: sum, second: opened };
}

function tallyContext({ name, key }: Election, identifier: Identifier): Uint8Array {
	return frame(textBytes("quorate/tally/v1"), key.data.publicKey, textBytes(name), textBytes(String(identifier)));
}
