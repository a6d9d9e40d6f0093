/**
 * Key generation by one who knows the secret (RFC 9591 Appendix C). It exists to import a key that is whole today, and to hold the
 * signing protocol against the RFC's figures; a key that was never whole comes from the key ceremony.
 */
import type { NodeId } from "../../core/index.ts";
import { ciphersuite, type SuiteName } from "../ciphersuite.ts";
import { generatorTimes, type Identifier, requireThreshold, splitSecret } from "../shamir.ts";
import { GroupKey, KeyShare } from "./key-share.ts";

/** A key and all its shares, in one hand. */
export interface DealtKey {
	readonly key: GroupKey;
	readonly shares: readonly KeyShare[];
}

/**
 * Splits a secret by the polynomial of these coefficients, the secret first; their number is the threshold.
 * @throws QuorateError `threshold-invalid`, `identifier-invalid`, `scalar-malformed`
 */
export function dealKey(
	suiteName: SuiteName,
	coefficients: readonly Uint8Array[],
	members: readonly { readonly node: NodeId; readonly identifier: Identifier }[],
): DealtKey {
	const suite = ciphersuite(suiteName);
	requireThreshold(coefficients.length, members.length);
	const polynomial = coefficients.map((coefficient) => suite.decodeScalar(coefficient, "a coefficient"));
	const identifiers = members.map(({ identifier }) => identifier);
	const values = splitSecret(suite, polynomial, identifiers);
	const key = new GroupKey({
		suite: suiteName,
		epoch: 0,
		threshold: coefficients.length,
		publicKey: generatorTimes(suite, polynomial[0] as bigint).toBytes(),
		members: members.map(({ node, identifier }, at) => ({
			node,
			identifier,
			verifyingShare: generatorTimes(suite, values[at]?.value ?? 0n).toBytes(),
		})),
	});
	const shares = values.map(({ identifier, value }) => new KeyShare(key, identifier, suite.encodeScalar(value)));
	return { key, shares };
}
