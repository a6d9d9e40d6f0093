/**
 * Membership changes (§6; thesis chapter 4): from what is asked to the configuration entry, and from a committed entry to
 * what follows it. A leader takes one change at a time, and none before it has committed an entry of its own term:
 * otherwise two configurations that differ by two could both be in use (Ongaro, raft-dev, 2015).
 *
 * New voters come from the learners, who have the log already, so a change never waits for a member without it.
 */
import { assertNever, compareIds, isNodeId, type NodeId, type RequestId } from "../core/index.ts";
import { isConfigurationCommitted } from "./active-configuration.ts";
import type { MembershipChange, MembershipRefusal, MembershipTransition } from "./change-requests.ts";
import { RAFT_LEARNERS_MAX, RAFT_VOTERS_MAX } from "./config.ts";
import { configurationOf, isJoint, isVoter } from "./configuration.ts";
import { encodeConfiguration } from "./configuration-codec.ts";
import type { RaftCore } from "./core.ts";
import type { Configuration, Entry, SessionId } from "./entry.ts";
import { isCaughtUp, lagOf } from "./progress.ts";
import { appendOwn, replicate, sendHeartbeat } from "./replication.ts";
import { becomeFollower } from "./roles.ts";
import { bestSuccessor, sendTimeoutNow } from "./transfer.ts";

/** Takes a change in, or returns why not. */
export function beginChange(
	core: RaftCore,
	requestId: RequestId,
	change: MembershipChange,
	transition: MembershipTransition,
): MembershipRefusal | null {
	const refusal = refusalNow(core);
	if (refusal !== null) return refusal;
	if (isJoint(core.configuration)) return { reason: "joint" };
	const target = targetOf(core.configuration, change);
	if ("reason" in target) return target;
	const problem = problemOf(core, target);
	if (problem !== null) return problem;
	const next = configurationOf(target.voters, target.learners, target.witnesses);
	const differing = symmetricDifference(core.configuration.voters, next.voters);
	if (transition === "simple" && differing > 1) return { reason: "not-simple", differing };
	if (transition === "simple" || (transition === "automatic" && differing <= 1)) {
		appendConfiguration(core, next, requestId);
		return null;
	}
	const autoLeave = transition !== "joint-explicit";
	const { voters: outgoing, witnesses } = core.configuration;
	// Who leaves with it is a witness until then.
	const all = [...new Set([...next.witnesses, ...witnesses.filter((node) => outgoing.includes(node))])];
	const joint = { ...next, outgoing, witnesses: all.sort(compareIds), autoLeave };
	// Who asked for all of it hears of its end: the leave that this joint configuration leads to.
	if (autoLeave) core.changeRequestId = requestId;
	appendConfiguration(core, joint, autoLeave ? null : requestId);
	return null;
}

/** Leaves a joint configuration that was entered to be left explicitly, or returns why not. */
export function leaveJoint(core: RaftCore, requestId: RequestId): MembershipRefusal | null {
	const refusal = refusalNow(core);
	if (refusal !== null) return refusal;
	if (!isJoint(core.configuration)) return { reason: "not-joint" };
	appendConfiguration(core, withoutOutgoing(core.configuration), requestId);
	return null;
}

/**
 * At the end of a leader's batch: leaves a joint configuration that is committed, one that an earlier leader has begun
 * included; promotes learners, if the settings say so; and steps down when the leader is no voter any more.
 */
export function continueChange(core: RaftCore): void {
	if (!isConfigurationCommitted(core)) return;
	if (!isVoter(core.configuration, core.config.nodeId)) {
		stepDownRemoved(core);
		return;
	}
	if (core.transfer !== null || refusalNow(core) !== null) return;
	if (core.configuration.autoLeave) {
		const requestId = core.changeRequestId;
		core.changeRequestId = null;
		appendConfiguration(core, withoutOutgoing(core.configuration), requestId);
		return;
	}
	if (core.config.promoteLearners && !isJoint(core.configuration)) promoteNext(core);
}

/** What forbids any change at present. */
function refusalNow(core: RaftCore): MembershipRefusal | null {
	if (!isConfigurationCommitted(core)) return { reason: "change-in-progress", index: core.configurationIndex };
	if (core.log.termAt(core.commitIndex) !== core.term) return { reason: "term-not-committed", term: core.term };
	return null;
}

/** The members that a change asks for. */
interface Target {
	readonly voters: readonly NodeId[];
	readonly learners: readonly NodeId[];
	/** Those of these that are witnesses. */
	readonly witnesses: readonly NodeId[];
}

function targetOf(configuration: Configuration, change: MembershipChange): Target | MembershipRefusal {
	const { voters, learners, witnesses } = configuration;
	const stayWitnesses = (...lists: readonly (readonly NodeId[])[]): NodeId[] =>
		witnesses.filter((witness) => lists.some((list) => list.includes(witness)));
	const without = (list: readonly NodeId[], node: NodeId): NodeId[] => list.filter((member) => member !== node);
	switch (change.type) {
		case "set": {
			const rest = change.learners ?? learners.filter((learner) => !change.voters.includes(learner));
			return { voters: change.voters, learners: rest, witnesses: stayWitnesses(change.voters, rest) };
		}
		case "add-learner":
			if (voters.includes(change.node)) return { reason: "unchanged" };
			if (learners.includes(change.node)) {
				const isSame = witnesses.includes(change.node) === (change.witness ?? false);
				return isSame ? { reason: "unchanged" } : { reason: "witness-fixed", node: change.node };
			}
			return {
				voters,
				learners: [...learners, change.node],
				witnesses: change.witness === true ? [...witnesses, change.node] : witnesses,
			};
		case "promote":
			if (voters.includes(change.node)) return { reason: "unchanged" };
			return { voters: [...voters, change.node], learners: without(learners, change.node), witnesses };
		case "remove":
			if (!voters.includes(change.node) && !learners.includes(change.node)) {
				return { reason: "member-unknown", node: change.node };
			}
			return {
				voters: without(voters, change.node),
				learners: without(learners, change.node),
				witnesses: without(witnesses, change.node),
			};
		default:
			return assertNever(change, "membership change");
	}
}

function problemOf(core: RaftCore, { voters, learners, witnesses }: Target): MembershipRefusal | null {
	if (voters.length === 0) return { reason: "no-voters" };
	if (voters.length > RAFT_VOTERS_MAX) return { reason: "too-many-members", of: "voters", limit: RAFT_VOTERS_MAX };
	if (learners.length > RAFT_LEARNERS_MAX) {
		return { reason: "too-many-members", of: "learners", limit: RAFT_LEARNERS_MAX };
	}
	const all = [...voters, ...learners];
	for (const [i, node] of all.entries()) {
		if (!isNodeId(node)) return { reason: "member-invalid", node: String(node).slice(0, 80) };
		if (all.indexOf(node) !== i) return { reason: "member-repeated", node };
	}
	const crowd = problemOfWitnesses(voters, witnesses);
	if (crowd !== null) return crowd;
	const { configuration } = core;
	for (const node of voters) {
		const problem = configuration.voters.includes(node) ? null : problemOfPromotion(core, node);
		if (problem !== null) return problem;
	}
	const isSame =
		symmetricDifference(configuration.voters, voters) + symmetricDifference(configuration.learners, learners) === 0;
	return isSame ? { reason: "unchanged" } : null;
}

/** A majority of `n` has a member that is none of `floor(n / 2)`. */
function problemOfWitnesses(voters: readonly NodeId[], witnesses: readonly NodeId[]): MembershipRefusal | null {
	const count = witnesses.filter((witness) => voters.includes(witness)).length;
	const limit = Math.floor(voters.length / 2);
	return count > limit ? { reason: "too-many-witnesses", witnesses: count, limit } : null;
}

function problemOfPromotion(core: RaftCore, node: NodeId): MembershipRefusal | null {
	const { configuration, progress, log, config } = core;
	if (!configuration.learners.includes(node)) return { reason: "member-unknown", node };
	const peer = progress.get(node);
	const limitEntries = config.catchUpLagEntries;
	if (peer === undefined || isCaughtUp(peer, log.lastIndex, limitEntries)) return null;
	return { reason: "not-caught-up", node, lagEntries: lagOf(peer, log.lastIndex), limitEntries };
}

function promoteNext(core: RaftCore): void {
	const { voters, learners, witnesses } = core.configuration;
	if (voters.length >= RAFT_VOTERS_MAX) return;
	const ready = learners.find(
		(node) => problemOfPromotion(core, node) === null && problemOfWitnesses([...voters, node], witnesses) === null,
	);
	if (ready === undefined) return;
	const others = learners.filter((node) => node !== ready);
	appendConfiguration(core, configurationOf([...voters, ready], others, witnesses), null);
}

function appendConfiguration(core: RaftCore, configuration: Configuration, requestId: RequestId | null): void {
	const entry: Entry = {
		term: core.term,
		kind: "configuration",
		session: 0 as SessionId,
		serial: 0,
		firstIncomplete: 0,
		data: encodeConfiguration(configuration),
	};
	appendOwn(core, entry, requestId);
}

/**
 * §6: a leader that is not in the new configuration steps down once that is committed. Before it goes it tells the others
 * so, and asks one of them to take over, so that they need not wait for an election timeout.
 */
function stepDownRemoved(core: RaftCore): void {
	replicate(core);
	for (const [peer, progress] of core.progress) sendHeartbeat(core, peer, progress);
	const successor = bestSuccessor(core);
	if (successor !== null) sendTimeoutNow(core, successor);
	becomeFollower(core, core.term, null);
}

function withoutOutgoing({ voters, learners, witnesses }: Configuration): Configuration {
	const stay = witnesses.filter((witness) => voters.includes(witness) || learners.includes(witness));
	return configurationOf(voters, learners, stay);
}

function symmetricDifference(some: readonly NodeId[], others: readonly NodeId[]): number {
	return some.filter((node) => !others.includes(node)).length + others.filter((node) => !some.includes(node)).length;
}
