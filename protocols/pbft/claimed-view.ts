/**
 * View changes where votes are authenticated (TOCS §4.5; Castro's thesis §3.2.4): a view change only claims what its sender has prepared
 * (P) and pre-prepared (Q), so a new view is computed from what enough of them say.
 *
 * A slot above the start gets a digest d of view v if (A1) a quorum has nothing there that contradicts it: no entry in P, or one of an
 * earlier view, or the same, and (A2) f + 1 have pre-prepared d there in v or later, one of them correct, so d is no invention. It gets the
 * null request if (B) a quorum has no entry in P. Otherwise the primary waits for more view changes rather than guesses.
 *
 * Why it is safe: (1) a decided slot is prepared at a quorum, so every quorum has a correct member with an entry of that view in P: B does
 * not hold, and A1 holds for no earlier view and no other digest of that view; (2) another digest of a later view would have to be
 * pre-prepared there by a correct member (A2), which has accepted a new view that chose it against this rule: by induction over views
 * there is none. (A3), that the primary has the body of d, follows: members keep the bodies of all entries of Q, and the first of the
 * correct members in A2 had the body before it accepted.
 */
import type { NodeId } from "../core/index.ts";
import { equalBytes } from "./bytes.ts";
import type { PbftCore, Slot } from "./core.ts";
import { type Configuration, type Digest, primaryOf, type SequenceNumber, sequenceAfter } from "./entities.ts";
import type { NewViewFault } from "./evidence.ts";
import type { NewView, SlotClaim, ViewChange, ViewChangeClaims } from "./messages.ts";
import { type NewViewPlan, planNewView, type ViewChangeFault } from "./new-view-plan.ts";
import { quorumOf, weakQuorumOf } from "./quorum.ts";
import { isAuthenticated } from "./vote-authentication.ts";

/**
 * Digests of one slot that Q remembers, the latest views'. A decided one is among them for ever, since nothing else is accepted after it.
 * So many primaries that lie in a row could crowd out one that is prepared and not decided, which then waits for a later view.
 */
export const ACCEPTED_MAX = 16;

/** A slot's Q, with one more pre-prepare in it. */
export function withAccepted(slot: Slot, claim: SlotClaim): readonly SlotClaim[] {
	const others = slot.everAccepted.filter(({ digest }) => !equalBytes(digest, claim.digest));
	return [...others, claim].slice(-ACCEPTED_MAX);
}

/** C and Q as this member claims them. */
export function claimsOf(core: PbftCore): ViewChangeClaims {
	const { stable, low } = core;
	const checkpoints = stable === null ? [] : [{ sequence: stable.sequence, digest: stable.digest }];
	for (const [sequence, { complete }] of [...core.captures].sort(([a], [b]) => a - b)) {
		if (sequence > low && complete !== null) checkpoints.push({ sequence, digest: complete.digest });
	}
	const slots = [...core.slots.values()].filter(({ sequence }) => sequence > low);
	slots.sort((a, b) => a.sequence - b.sequence);
	return { checkpoints, prePrepared: slots.flatMap(({ everAccepted }) => everAccepted) };
}

/** What is wrong with the form of a view change that only claims. */
export function claimFault(message: ViewChange, windowSize: number): ViewChangeFault | null {
	const { view, stable, prepared, claims } = message;
	if (claims === undefined || view < 1) return "wrong-view";
	const low = stable?.sequence ?? 0;
	const [first] = claims.checkpoints;
	const hasStable = stable === null || (first?.sequence === low && equalBytes(first.digest, stable.digest));
	if (!hasStable) return "wrong-digest";
	if (!isAscending(claims.checkpoints, low - 1) || !isAscending(prepared, low)) return "sequences-not-ascending";
	const isOutside = ({ sequence }: SlotClaim): boolean => sequence <= low || sequence > low + windowSize;
	if ([...prepared, ...claims.prePrepared].some((claim) => claim.view >= view)) return "wrong-view";
	if ([...prepared, ...claims.prePrepared].some(isOutside)) return "sequence-out-of-window";
	return null;
}

function isAscending(claims: readonly { readonly sequence: SequenceNumber }[], above: number): boolean {
	return claims.every(({ sequence }, i) => sequence > (claims[i - 1]?.sequence ?? above));
}

/** The plan of a new view that rests on these view changes, in whichever mode; null while they do not suffice. */
export function planView(core: PbftCore, viewChanges: readonly ViewChange[]): NewViewPlan | null {
	if (!isAuthenticated(core)) return planNewView(viewChanges, core.nothing);
	return planClaimedView(viewChanges, core.configuration, core.nothing);
}

/** The plan by conditions A and B; null while a slot or the start is open. */
export function planClaimedView(
	viewChanges: readonly ViewChange[],
	configuration: Configuration,
	nothing: Digest,
): NewViewPlan | null {
	const start = chooseStart(viewChanges, configuration);
	if (start === null) return null;
	const highest = Math.max(start.sequence, ...viewChanges.map(({ prepared }) => prepared.at(-1)?.sequence ?? 0));
	const slots: { sequence: SequenceNumber; digest: Digest }[] = [];
	for (let sequence = sequenceAfter(start.sequence); sequence <= highest; sequence = sequenceAfter(sequence)) {
		const digest = chooseDigest(viewChanges, configuration, sequence, nothing);
		if (digest === null) return null;
		slots.push({ sequence, digest });
	}
	// Behind the last choice nothing can be decided: the new primary gives those numbers to new batches.
	while (slots.length > 0 && equalBytes(slots.at(-1)?.digest ?? nothing, nothing)) slots.pop();
	const { sequence, digest } = start;
	const [any] = viewChanges;
	const isBeginning = digest === null || any === undefined;
	return { stable: isBeginning ? null : { epoch: any.epoch, sequence, digest, votes: [] }, slots };
}

interface Start {
	readonly sequence: SequenceNumber;
	/** Null at the beginning of the order. */
	readonly digest: Digest | null;
}

/**
 * The highest checkpoint that f + 1 have, one of them correct, and that a quorum has not passed. Who has passed it is counted among all
 * view changes, not among those that have it (hyperledger-archives/fabric #1111 stood still for that).
 */
function chooseStart(viewChanges: readonly ViewChange[], configuration: Configuration): Start | null {
	const candidates: Start[] = [{ sequence: 0 as SequenceNumber, digest: null }];
	for (const { claims } of viewChanges) candidates.push(...(claims?.checkpoints ?? []));
	candidates.sort((a, b) => b.sequence - a.sequence);
	const isChosen = ({ sequence, digest }: Start): boolean => {
		const notPassed = viewChanges.filter(({ stable }) => (stable?.sequence ?? 0) <= sequence).length;
		if (notPassed < quorumOf(configuration)) return false;
		const having = viewChanges.filter(({ claims }) =>
			claims?.checkpoints.some((other) => other.sequence === sequence && isSame(other.digest, digest)),
		).length;
		return digest === null || having >= weakQuorumOf(configuration);
	};
	return candidates.find(isChosen) ?? null;
}

/** By A or B; null while neither holds. */
function chooseDigest(
	viewChanges: readonly ViewChange[],
	configuration: Configuration,
	sequence: SequenceNumber,
	nothing: Digest,
): Digest | null {
	const reached = viewChanges.filter(({ stable }) => (stable?.sequence ?? 0) < sequence);
	const preparedIn = ({ prepared }: ViewChange): SlotClaim | undefined =>
		prepared.find((claim) => claim.sequence === sequence);
	const quorum = quorumOf(configuration);
	for (const { view, digest } of reached.flatMap((viewChange) => preparedIn(viewChange) ?? [])) {
		const agreeing = reached.filter((viewChange) => {
			const other = preparedIn(viewChange);
			if (other === undefined || other.view < view) return true;
			return other.view === view && equalBytes(other.digest, digest);
		}).length;
		const supporting = viewChanges.filter(({ claims }) =>
			claims?.prePrepared.some(
				(claim) => claim.sequence === sequence && claim.view >= view && equalBytes(claim.digest, digest),
			),
		).length;
		if (agreeing >= quorum && supporting >= weakQuorumOf(configuration)) return digest;
	}
	return reached.filter((viewChange) => preparedIn(viewChange) === undefined).length >= quorum ? nothing : null;
}

function isSame(a: Digest, b: Digest | null): boolean {
	return b !== null && equalBytes(a, b);
}

/** Recomputes a new view from view changes that this member has good reason to believe. */
export function claimedViewFault(
	core: PbftCore,
	{ epoch, view, proposals }: NewView,
	bodies: readonly { readonly sender: NodeId; readonly viewChange: ViewChange }[],
): NewViewFault | null {
	const { configuration, config } = core;
	if (epoch !== configuration.epoch) return "unknown-epoch";
	if (new Set(bodies.map(({ sender }) => sender)).size !== bodies.length) return "repeated-signer";
	const members = bodies.filter(({ sender }) => configuration.members.includes(sender)).length;
	if (members !== bodies.length || members < quorumOf(configuration)) return "too-few-view-changes";
	for (const { viewChange } of bodies) {
		const isOfThisView = viewChange.view === view && viewChange.epoch === epoch;
		if (!isOfThisView || claimFault(viewChange, config.windowSize) !== null) return "unproved-view-change";
	}
	const plan = planClaimedView(
		bodies.map(({ viewChange }) => viewChange),
		configuration,
		core.nothing,
	);
	const isPlan =
		plan !== null &&
		plan.slots.length === proposals.length &&
		plan.slots.every(({ sequence, digest }, i) => {
			const proposal = proposals[i];
			return proposal?.sequence === sequence && equalBytes(proposal.digest, digest);
		});
	return isPlan ? null : "wrong-proposals";
}

/** Whether this member leads the view. */
export function leads(core: PbftCore, view: NewView["view"]): boolean {
	return primaryOf(core.configuration, view) === core.config.nodeId;
}
