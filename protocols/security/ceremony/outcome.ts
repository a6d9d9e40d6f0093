/** What a key ceremony comes to: the key, one's share of it, and the certificate that all have confirmed. */

import type { CryptoPort } from "../../core/index.ts";
import { must, type NodeId } from "../../core/index.ts";
import { equalBytes, frame, textBytes } from "../bytes.ts";
import type { Ciphersuite, GroupElement } from "../ciphersuite.ts";
import { GroupKey, type GroupKeyData } from "../frost/key-share.ts";
import { evaluateCommitment, lagrangeCoefficient } from "../shamir.ts";
import type { CeremonyPlan } from "./config.ts";
import { bodyBytes, type Introduction, type Post, signedBytes } from "./messages.ts";

/** The dealers that count, each with its decoded commitment. */
export type QualifiedDealers = ReadonlyMap<NodeId, readonly GroupElement[]>;

/** Signed confirmations of one key by everybody who took part to the end: checkable by anyone who knows the participants' keys. */
export interface CeremonyCertificate {
	readonly ceremony: string;
	/** The digest of the introductions that the key rests on. */
	readonly basis: Uint8Array;
	readonly confirmations: readonly Post[];
}

/** The weight of each dealer's polynomial in the sum: 1 in a generation, Lagrange's in a resharing. */
export function dealerWeights(
	plan: CeremonyPlan,
	suite: Ciphersuite,
	dealers: Iterable<NodeId>,
): ReadonlyMap<NodeId, bigint> {
	const nodes = [...dealers];
	if (plan.previous === null) return new Map(nodes.map((node) => [node, 1n]));
	const identifierOf = (node: NodeId): number => must(plan.dealers.get(node), "a qualified dealer has an identifier");
	const identifiers = nodes.map(identifierOf);
	return new Map(nodes.map((node) => [node, lagrangeCoefficient(suite, identifierOf(node), identifiers)]));
}

/** The key that these dealers give to these receivers. Null if its public key is the identity, which no honest run comes to. */
export function groupKeyOf(
	plan: CeremonyPlan,
	suite: Ciphersuite,
	dealers: QualifiedDealers,
	receivers: readonly NodeId[],
): GroupKey | null {
	const weights = dealerWeights(plan, suite, dealers.keys());
	const sum = Array.from({ length: plan.threshold }, (_, at) => {
		const elements = [...dealers.values()].map((commitment) => must(commitment[at], "commitments are as long as t"));
		if (plan.previous === null) return elements.reduce((total, element) => total.add(element), suite.identity);
		return suite.sumOfProducts(elements, [...weights.values()]);
	});
	const publicElement = must(sum[0], "a polynomial has a constant");
	if (publicElement.is0()) return null;
	const data: GroupKeyData = {
		suite: plan.suite,
		epoch: plan.epoch,
		threshold: plan.threshold,
		publicKey: publicElement.toBytes(),
		members: receivers.map((node) => {
			const identifier = must(plan.receivers.get(node), "a receiver has an identifier");
			return { node, identifier, verifyingShare: evaluateCommitment(suite, sum, identifier).toBytes() };
		}),
	};
	return new GroupKey(data, "derived");
}

/** The digest of the introductions that count, each with its author. */
export function basisOf(
	crypto: Pick<CryptoPort, "digest">,
	terms: Uint8Array,
	introductions: ReadonlyMap<NodeId, Introduction>,
): Uint8Array {
	const parts = [...introductions].map(([node, body]) => frame(textBytes(node), bodyBytes(body)));
	return crypto.digest(frame(textBytes("quorate/key-ceremony/basis/v1"), terms, ...parts));
}

/** What participants confirm: the basis and the key that follows from it. */
export function transcriptOf(crypto: Pick<CryptoPort, "digest">, basis: Uint8Array, key: GroupKey): Uint8Array {
	return crypto.digest(frame(textBytes("quorate/key-ceremony/transcript/v1"), basis, key.canonicalBytes));
}

/**
 * Whether a certificate shows that every member of the key has confirmed it in the ceremony of these terms. Needs no secret, and the
 * enrolled keys of the members.
 */
export function verifyCeremonyCertificate(
	plan: CeremonyPlan,
	key: GroupKey,
	certificate: CeremonyCertificate,
	crypto: Pick<CryptoPort, "digest" | "verify">,
): boolean {
	if (certificate.ceremony !== plan.name || key.epoch !== plan.epoch || key.threshold !== plan.threshold) return false;
	const ceremony = crypto.digest(plan.terms);
	const transcript = transcriptOf(crypto, certificate.basis, key);
	const confirmed = new Set<NodeId>();
	for (const { author, body, signature } of certificate.confirmations) {
		if (body.type !== "confirmation" || !equalBytes(body.transcript, transcript)) return false;
		if (!crypto.verify(author, signedBytes(ceremony, author, body), signature)) return false;
		confirmed.add(author);
	}
	return key.members.every(({ node, identifier }) => confirmed.has(node) && plan.receivers.get(node) === identifier);
}
