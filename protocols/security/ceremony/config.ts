/** What all participants of a key ceremony must have been told alike, and its bounds. */
import { compareIds, isNodeId, type NodeId } from "../../core/index.ts";
import { frame, textBytes, uint32, uint53 } from "../bytes.ts";
import { isSuiteName, type SuiteName } from "../ciphersuite.ts";
import { ceremonyConfigInvalid } from "../errors.ts";
import { GroupKey, type GroupKeyData } from "../frost/key-share.ts";
import { MEMBERS_MAX } from "../limits.ts";
import { type Identifier, requireThreshold } from "../shamir.ts";

/** Settings of one ceremony. All but the times must be the same at all participants: they are part of what is signed. */
export interface CeremonyConfig {
	/** A name that no other ceremony of these participants has, 1 to 128 characters. */
	readonly ceremony: string;
	/** Default `ristretto255`; of a resharing, that of its key. */
	readonly suite?: SuiteName;
	/** Who shall hold the key; 1 to 64 distinct nodes. Their identifiers are their places in code-unit order, from 1. */
	readonly members: readonly NodeId[];
	/** Shares that a signature will need; 1 to the number of members. */
	readonly threshold: number;
	/**
	 * The key that is shared anew: refreshed if its members and threshold stay, handed over if they change. Its members deal.
	 * Absent: a new key is made, and all members deal.
	 */
	readonly previous?: GroupKeyData;
	/**
	 * How long each phase waits for who is late; milliseconds, 1 to 3,600,000, default 5,000. The deadline of the nth phase is n times that
	 * after the start. Longer bears slower networks.
	 */
	readonly phaseMs?: number;
	/** After how long what was said is said again; milliseconds, 1 to 3,600,000, default 1,000. */
	readonly resendMs?: number;
}

export const PHASE_MS_DEFAULT = 5_000;
export const RESEND_MS_DEFAULT = 1_000;
const PHASE_MS_MAX = 3_600_000;
const CEREMONY_NAME_LENGTH_MAX = 128;

/** Checked settings, with what follows from them. */
export interface CeremonyPlan {
	readonly name: string;
	readonly suite: SuiteName;
	readonly threshold: number;
	readonly epoch: number;
	/** Who will hold the key, by identifier. */
	readonly receivers: ReadonlyMap<NodeId, Identifier>;
	/** Who deals, by the identifier under which its polynomial counts. */
	readonly dealers: ReadonlyMap<NodeId, Identifier>;
	/** Dealers without whom there is no outcome: as many as it takes that one of them is honest, or that the old key is whole. */
	readonly dealersNeeded: number;
	/** Everybody, in code-unit order. */
	readonly participants: readonly NodeId[];
	readonly previous: GroupKey | null;
	readonly phaseMs: number;
	readonly resendMs: number;
	/** The bytes that name this ceremony with all its terms. */
	readonly terms: Uint8Array;
}

/** @throws QuorateError `ceremony-config-invalid`, `threshold-invalid`, and what {@link GroupKey} throws */
export function planCeremony(config: CeremonyConfig): CeremonyPlan {
	const { ceremony, members, threshold, phaseMs = PHASE_MS_DEFAULT, resendMs = RESEND_MS_DEFAULT } = config;
	const previous = config.previous === undefined ? null : new GroupKey(config.previous);
	const suite = config.suite ?? previous?.data.suite ?? "ristretto255";
	check(
		"ceremony",
		typeof ceremony === "string" && ceremony.length > 0 && ceremony.length <= CEREMONY_NAME_LENGTH_MAX,
		{
			expected: `1 to ${CEREMONY_NAME_LENGTH_MAX} characters`,
			actual: String(ceremony).slice(0, CEREMONY_NAME_LENGTH_MAX),
		},
	);
	check("suite", isSuiteName(suite) && (previous === null || previous.data.suite === suite), {
		expected: previous?.data.suite ?? "ristretto255 or ed25519",
		actual: String(suite),
	});
	check("members", isRoster(members), {
		expected: `1 to ${MEMBERS_MAX} distinct node ids`,
		actual: Array.isArray(members) ? members.slice(0, MEMBERS_MAX).join(", ") : typeof members,
	});
	requireThreshold(threshold, members.length);
	for (const [field, value] of [
		["phaseMs", phaseMs],
		["resendMs", resendMs],
	] as const)
		check(field, Number.isInteger(value) && value >= 1 && value <= PHASE_MS_MAX, {
			expected: `an integer in 1 to ${PHASE_MS_MAX}`,
			actual: String(value),
		});

	const receivers = new Map([...members].sort(compareIds).map((node, at) => [node, at + 1]));
	const dealers =
		previous === null ? receivers : new Map(previous.members.map(({ node, identifier }) => [node, identifier]));
	const epoch = previous === null ? 0 : previous.epoch + 1;
	const roster = [...receivers].flatMap(([node, identifier]) => [textBytes(node), uint32(identifier)]);
	return {
		name: ceremony,
		suite,
		threshold,
		epoch,
		receivers,
		dealers,
		dealersNeeded: previous?.threshold ?? threshold,
		participants: [...new Set([...receivers.keys(), ...dealers.keys()])].sort(compareIds),
		previous,
		phaseMs,
		resendMs,
		terms: frame(
			textBytes("quorate/key-ceremony/v1"),
			textBytes(ceremony),
			textBytes(suite),
			uint32(threshold),
			uint53(epoch),
			frame(...roster),
			previous?.canonicalBytes ?? new Uint8Array(),
		),
	};
}

function check(field: string, holds: boolean, said: { expected: string; actual: string }): void {
	if (!holds) throw ceremonyConfigInvalid({ field, ...said });
}

function isRoster(members: readonly NodeId[]): boolean {
	return (
		Array.isArray(members) &&
		members.length >= 1 &&
		members.length <= MEMBERS_MAX &&
		members.every(isNodeId) &&
		new Set(members).size === members.length
	);
}
