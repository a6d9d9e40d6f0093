/**
 * Suspicion before death (SWIM §4.2), as long as Lifeguard says (LHA-Suspicion, §IV-B): it begins at its longest and is
 * shortened by each member that suspects independently.
 *
 * The state holds no time. One timer is set in turn to the moments at which `k`, `k − 1` … `0` confirmations would be enough;
 * each time it fires, `level` says how many are needed from now on. A confirmation that comes later than its moment decides
 * at once.
 */
import type { NodeId } from "../../core/index.ts";
import { emit, groupSize, NO_BYTES, type Suspicion, type SwimCore, setTimer } from "./core.ts";
import { spread } from "./dissemination.ts";
import { confirmationsWanted, suspicionMinMs, suspicionMs } from "./formulae.ts";
import type { MemberUpdate } from "./messages.ts";
import { signUpdate } from "./signing.ts";
import { holdDead } from "./standing.ts";

/** Takes up a suspicion of a member that is held alive or suspected: it begins one, or confirms it. */
export function suspect(core: SwimCore, update: MemberUpdate): void {
	if (core.suspicions.has(update.node)) confirm(core, update);
	else begin(core, update);
}

function begin(core: SwimCore, update: MemberUpdate): void {
	const { node, incarnation, by } = update;
	const { suspicionMultiplier, suspicionMaxMultiplier, probeIntervalMs } = core.config;
	const members = groupSize(core);
	const minMs = suspicionMinMs(suspicionMultiplier, members, probeIntervalMs);
	const wanted = confirmationsWanted(suspicionMultiplier, members);
	core.members.set(node, "suspect", incarnation, core.ports.choices);
	emit(core, { type: "member-suspected", node, incarnation, by });
	spread(core, update);
	const maxMs = minMs * suspicionMaxMultiplier;
	const suspicion = { incarnation, accusers: [by], wanted, minMs, maxMs, level: wanted + 1, update };
	core.suspicions.set(node, suspicion);
	waitForNextLevel(core, suspicion);
}

/** Another member suspects too; so many of them are passed on as could shorten the suspicion. */
function confirm(core: SwimCore, update: MemberUpdate): void {
	const { node, by, incarnation } = update;
	const suspicion = core.suspicions.get(node);
	if (suspicion === undefined || suspicion.accusers.includes(by)) return;
	if (suspicion.accusers.length > suspicion.wanted) return;
	const confirmed = {
		...suspicion,
		incarnation: Math.max(incarnation, suspicion.incarnation),
		accusers: [...suspicion.accusers, by],
	};
	core.suspicions.set(node, confirmed);
	core.members.set(node, "suspect", confirmed.incarnation, core.ports.choices);
	spread(core, update);
	decide(core, node, confirmed);
}

export function handleSuspicionTimer(core: SwimCore, node: NodeId): void {
	const suspicion = core.suspicions.get(node);
	if (suspicion === undefined) return;
	const next = { ...suspicion, level: suspicion.level - 1 };
	core.suspicions.set(node, next);
	if (!decide(core, node, next)) waitForNextLevel(core, next);
}

/** Declares a suspect dead that nobody has spoken for in time. */
function decide(core: SwimCore, node: NodeId, { accusers, level, incarnation }: Suspicion): boolean {
	if (accusers.length - 1 < level) return false;
	const by = core.config.nodeId;
	const verdict: MemberUpdate = { kind: "dead", node, incarnation, by, tags: NO_BYTES, signature: NO_BYTES };
	holdDead(core, signUpdate(core.ports.crypto, verdict));
	return true;
}

function waitForNextLevel(core: SwimCore, { update, level, wanted, minMs, maxMs }: Suspicion): void {
	const at = (confirmations: number): number => suspicionMs(confirmations, wanted, minMs, maxMs);
	const waitedMs = level > wanted ? 0 : at(level);
	setTimer(core, `suspicion/${update.node}`, at(level - 1) - waitedMs);
}
