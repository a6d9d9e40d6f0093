/** What a member is held for, and how that changes: each change is told to observers once and spread. */
import type { NodeId } from "../../core/index.ts";
import { cancelTimer, emit, NO_BYTES, type SwimCore, setTimer } from "./core.ts";
import { spread } from "./dissemination.ts";
import type { MemberUpdate } from "./messages.ts";

/** The statement that made a member what it is held for; for those alive, their own. */
export function accusationOf(core: SwimCore, node: NodeId): MemberUpdate {
	const state = core.members.stateOf(node);
	const suspicion = core.suspicions.get(node);
	if (suspicion !== undefined) return suspicion.update;
	const signed = core.accusations.get(node);
	if (signed !== undefined) return signed;
	if (state === "alive" || state === "none") return core.members.statementOf(node);
	const by = state === "left" ? node : core.config.nodeId;
	const kind = state === "left" ? "left" : "dead";
	return { kind, node, incarnation: core.members.incarnationOf(node), by, tags: NO_BYTES, signature: NO_BYTES };
}

/** Holds a member alive by its own word. */
export function holdAlive(core: SwimCore, update: MemberUpdate): void {
	const { node, incarnation, tags } = update;
	const before = core.members.stateOf(node);
	const tagsBefore = core.members.statementOf(node).tags;
	endSuspicion(core, node);
	core.accusations.delete(node);
	if (before === "dead" || before === "buried" || before === "left") cancelTimer(core, `dead/${node}`);
	core.members.set(node, "alive", incarnation, core.ports.choices);
	core.members.keepStatement(update);
	if (before === "suspect") emit(core, { type: "member-cleared", node, incarnation });
	else if (before !== "alive") emit(core, { type: "member-joined", node, incarnation, tags });
	if ((before === "suspect" || before === "alive") && !sameBytes(tags, tagsBefore)) {
		emit(core, { type: "member-updated", node, incarnation, tags });
	}
	spread(core, update);
}

/** Holds a member dead. It is gossiped to for a while, and remembered for longer. */
export function holdDead(core: SwimCore, update: MemberUpdate): void {
	const { node, incarnation, by } = update;
	endSuspicion(core, node);
	core.members.set(node, "dead", incarnation, core.ports.choices);
	if (core.ports.crypto !== undefined) core.accusations.set(node, update);
	emit(core, { type: "member-failed", node, incarnation, by });
	setTimer(core, `dead/${node}`, core.config.gossipToDeadMs);
	spread(core, update);
}

/** Holds a member gone on purpose. */
export function holdLeft(core: SwimCore, update: MemberUpdate): void {
	const { node, incarnation } = update;
	endSuspicion(core, node);
	core.members.set(node, "left", incarnation, core.ports.choices);
	if (core.ports.crypto !== undefined) core.accusations.set(node, update);
	emit(core, { type: "member-left", node, incarnation });
	setTimer(core, `dead/${node}`, core.config.forgetDeadAfterMs);
	spread(core, update);
}

/** The next stage of who is gone: no gossip for it any more, then forgotten. */
export function handleDeadTimer(core: SwimCore, node: NodeId): void {
	const state = core.members.stateOf(node);
	if (state === "dead") {
		core.members.set(node, "buried", core.members.incarnationOf(node), core.ports.choices);
		setTimer(core, `dead/${node}`, core.config.forgetDeadAfterMs);
	} else if (state === "buried" || state === "left") {
		core.members.remove(node);
		core.accusations.delete(node);
		core.updates.drop(node);
		emit(core, { type: "member-forgotten", node });
	}
}

/** The suspicion is over, one way or the other. */
export function endSuspicion(core: SwimCore, node: NodeId): void {
	if (core.suspicions.delete(node)) cancelTimer(core, `suspicion/${node}`);
}

export function sameBytes(a: Uint8Array, b: Uint8Array): boolean {
	return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
