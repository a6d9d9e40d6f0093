/**
 * Finds members that sign two different things for one place. The pair is a proof that anybody who has the member's key can check:
 * a member that signs honestly can not be framed, because a forged half does not verify.
 */
import type { CryptoPort, NodeId } from "../../core/index.ts";
import { equalBytes } from "../bytes.ts";
import { type Finding, requireSetting, type SignedStatement } from "./finding.ts";

/** Places remembered for each sender by default. */
export const SLOTS_PER_SENDER_DEFAULT = 1_024;

export class ContradictionDetector {
	readonly #crypto: Pick<CryptoPort, "verify">;
	readonly #slotsPerSender: number;
	readonly #members: ReadonlySet<NodeId>;
	/** By sender and slot, the oldest first. */
	readonly #seen = new Map<NodeId, Map<string, SignedStatement>>();
	readonly #convicted = new Map<NodeId, Finding>();

	/** @throws QuorateError `detector-config-invalid` */
	constructor(
		members: readonly NodeId[],
		crypto: Pick<CryptoPort, "verify">,
		slotsPerSender: number = SLOTS_PER_SENDER_DEFAULT,
	) {
		requireSetting("slotsPerSender", slotsPerSender, 1, 1_048_576);
		this.#members = new Set(members);
		this.#crypto = crypto;
		this.#slotsPerSender = slotsPerSender;
	}

	/** Those with a proof against them; of each the first. */
	get convicted(): ReadonlyMap<NodeId, Finding> {
		return this.#convicted;
	}

	/** Takes a statement; a finding if it contradicts an earlier one. Unsigned ones and those of strangers are passed over. */
	observe(statement: SignedStatement): Finding | null {
		const { sender, slot, bytes, signature } = statement;
		if (!this.#members.has(sender)) return null;
		const slots = this.#seen.get(sender) ?? new Map<string, SignedStatement>();
		const earlier = slots.get(slot);
		if (earlier !== undefined && equalBytes(earlier.bytes, bytes)) return null;
		if (!this.#crypto.verify(sender, bytes, signature)) return null;
		if (earlier !== undefined) return this.#convict(sender, earlier, statement);
		if (slots.size >= this.#slotsPerSender) {
			const [oldest] = slots.keys();
			if (oldest !== undefined) slots.delete(oldest);
		}
		slots.set(slot, statement);
		this.#seen.set(sender, slots);
		return null;
	}

	#convict(sender: NodeId, earlier: SignedStatement, later: SignedStatement): Finding {
		const finding: Finding = {
			kind: "contradiction",
			severity: "high",
			weight: "proof",
			culprits: [sender],
			evidence: [earlier, later],
		};
		if (!this.#convicted.has(sender)) this.#convicted.set(sender, finding);
		return finding;
	}
}

/** Whether two statements convict their sender, for whoever was not there. */
export function isContradiction(
	[one, other]: readonly [SignedStatement, SignedStatement],
	crypto: Pick<CryptoPort, "verify">,
): boolean {
	return (
		one.sender === other.sender &&
		one.slot === other.slot &&
		!equalBytes(one.bytes, other.bytes) &&
		[one, other].every(({ sender, bytes, signature }) => crypto.verify(sender, bytes, signature))
	);
}
