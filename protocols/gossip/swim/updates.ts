/**
 * What a statement about a member changes (SWIM §4.2): alive overrides what is older than it, suspect the same age too,
 * dead and left both; only the member itself raises its incarnation.
 *
 * Three cases that memberlist's rules leave open are closed here. A member that has restarted with an incarnation that
 * others hold dead is told so by whoever hears it, and refutes (memberlist #311: such an alive is dropped in silence, and
 * after a mass restart nobody is left to correct it). An accusation cannot carry an incarnation far beyond any that was heard
 * of, and the numbers do not wrap, so that no single claim takes away a member's last word (memberlist #358, #359).
 */
import { isNodeId, type NodeId } from "../../core/index.ts";
import { TAGS_BYTES_MAX } from "./config.ts";
import { emit, NO_BYTES, type SwimCore } from "./core.ts";
import { changeHealth, spread, tellAtOnce } from "./dissemination.ts";
import { type MemberUpdate, type UpdateKind, updateKinds } from "./messages.ts";
import { isSigned, SIGNATURE_BYTES_MAX, signUpdate } from "./signing.ts";
import { accusationOf, holdAlive, holdDead, holdLeft, sameBytes } from "./standing.ts";
import { suspect } from "./suspicion.ts";
import type { UpdateRefusal } from "./vocabulary.ts";

/** The last incarnation; a member that would need another has to come back under another id. */
export const INCARNATION_MAX: number = 2 ** 48;

/**
 * How far beyond what is known of a member the hearsay of others may go: a member would have to refute once a second for
 * twelve days while nothing of it arrives. What the member itself says is bounded by {@link INCARNATION_MAX} alone.
 */
export const INCARNATION_LEAP_MAX: number = 2 ** 20;

/** Takes a statement that `from` has passed on, or made. */
export function handleUpdate(core: SwimCore, update: MemberUpdate, from: NodeId): void {
	// The most common case by far, so it comes before all checks: what changes nothing can do no harm.
	if (isOld(core, update)) {
		if (update.kind === "alive" && from === update.node) tellWhatIsHeld(core, from);
		else if (isObituary(update) && update.node === core.config.nodeId) tellOwnWord(core, from);
		return;
	}
	const reason = isWellFormed(update) ? reasonToDoubt(core, update, from) : "malformed";
	if (reason !== null) refuse(core, update, from, reason);
	else if (update.node === core.config.nodeId) handleAboutSelf(core, update);
	else believe(core, update);
}

/**
 * A member shows itself, by a probe or its answer: whoever holds it dead or gone tells it so. If that is news to it, it
 * refutes; if it has refuted before, its answer is the word that has not arrived here.
 */
export function handleSign(core: SwimCore, from: NodeId): void {
	tellWhatIsHeld(core, from);
}

function tellWhatIsHeld(core: SwimCore, node: NodeId): void {
	const state = core.members.stateOf(node);
	// A suspect hears of it soon enough: by gossip, and by the pings of its buddies.
	if (state !== "none" && state !== "alive" && state !== "suspect") tellAtOnce(core, node, accusationOf(core, node));
}

function isObituary({ kind }: MemberUpdate): boolean {
	return kind === "dead" || kind === "left";
}

/** Who passes on an obituary that this member has outlived has not heard of that. */
function tellOwnWord(core: SwimCore, to: NodeId): void {
	if (core.phase === "running") tellAtOnce(core, to, core.own);
}

function isWellFormed({ kind, node, by, incarnation, tags, signature }: MemberUpdate): boolean {
	if (!updateKinds.includes(kind) || !isNodeId(node) || !isNodeId(by)) return false;
	if (!Number.isSafeInteger(incarnation) || incarnation < 0 || incarnation > INCARNATION_MAX) return false;
	if (kind === "alive" || kind === "left" ? by !== node : false) return false;
	if (!(tags instanceof Uint8Array) || tags.length > (kind === "alive" ? TAGS_BYTES_MAX : 0)) return false;
	return signature instanceof Uint8Array && signature.length <= SIGNATURE_BYTES_MAX;
}

/** Whether a statement changes nothing because something as strong was heard before. */
function isOld(core: SwimCore, { kind, node, incarnation, by, tags }: MemberUpdate): boolean {
	if (node === core.config.nodeId) {
		// At one's own incarnation, a former life may have said something else.
		return (
			incarnation < core.incarnation ||
			(incarnation === core.incarnation && kind === "alive" && sameBytes(tags, core.tags))
		);
	}
	const { members } = core;
	const slot = members.slotOf(node);
	const state = members.stateAt(slot);
	const held = members.incarnationAt(slot);
	switch (kind) {
		case "alive":
			return state !== "none" && incarnation <= held;
		case "suspect":
			if (incarnation < held || (state !== "alive" && state !== "suspect")) return true;
			return incarnation === held && core.suspicions.get(node)?.accusers.includes(by) === true;
		case "dead":
			return incarnation < held || (state !== "alive" && state !== "suspect");
		case "left":
			return incarnation < held || state === "none" || (state === "left" && incarnation === held);
		default:
			// Whatever it is, it is malformed.
			return false;
	}
}

function reasonToDoubt(core: SwimCore, update: MemberUpdate, from: NodeId): UpdateRefusal | null {
	const { node, incarnation, kind } = update;
	const { crypto } = core.ports;
	if (!isSigned(crypto, update)) return "not-signed";
	const isOwnWord = kind === "alive" || kind === "left";
	const held = node === core.config.nodeId ? core.incarnation : core.members.incarnationOf(node);
	// Signed, only what the member has said itself can be accused; unsigned, nearly so, since news overtake each other.
	const leapMax = crypto === undefined ? INCARNATION_LEAP_MAX : 0;
	const isFirstHand = isOwnWord && (from === node || crypto !== undefined);
	if (!isFirstHand && incarnation > held + leapMax) return "incarnation-leap";
	if (core.members.stateOf(node) === "none" && node !== core.config.nodeId && !hasRoom(core)) return "table-full";
	return null;
}

function hasRoom({ members, config }: SwimCore): boolean {
	return members.size < config.membersMax;
}

/** What is said of this member by others, or by a former life of itself. */
function handleAboutSelf(core: SwimCore, { kind, incarnation, by }: MemberUpdate): void {
	// Who leaves has nothing against being called dead.
	if (core.phase !== "running") return;
	if (kind === "suspect" || kind === "dead") changeHealth(core, 1);
	refute(core, incarnation, kind, by);
}

/** Says that this member lives, at an incarnation above the one that is held against it (SWIM §4.2). */
function refute(core: SwimCore, against: number, accusation: UpdateKind, by: NodeId): void {
	const incarnation = Math.max(core.incarnation, against) + 1;
	if (incarnation > INCARNATION_MAX) {
		emit(core, { type: "incarnation-exhausted", incarnation: against });
		return;
	}
	announce(core, incarnation);
	emit(core, { type: "refuted", incarnation, accusation, by });
}

/** Speaks for itself at a new incarnation, and keeps that and its tags for its next life. */
export function announce(core: SwimCore, incarnation: number): void {
	const { nodeId } = core.config;
	core.incarnation = incarnation;
	core.lastWriteId++;
	const write = core.tags.length === 0 ? { incarnation } : { incarnation, tags: core.tags };
	core.out.push({ type: "persist", writeId: core.lastWriteId, write });
	const statement = {
		kind: "alive",
		node: nodeId,
		incarnation,
		by: nodeId,
		tags: core.tags,
		signature: NO_BYTES,
	} as const;
	core.own = signUpdate(core.ports.crypto, statement);
	spread(core, core.own);
}

function believe(core: SwimCore, update: MemberUpdate): void {
	switch (update.kind) {
		case "alive":
			holdAlive(core, update);
			return;
		case "suspect":
			suspect(core, update);
			return;
		case "dead":
			holdDead(core, update);
			return;
		case "left":
			holdLeft(core, update);
			return;
	}
}

function refuse(core: SwimCore, { node, incarnation }: MemberUpdate, from: NodeId, reason: UpdateRefusal): void {
	emit(core, {
		type: "update-refused",
		reason,
		from,
		node: String(node).slice(0, 80),
		incarnation: Number(incarnation),
	});
}
