/** A lone machine in the midst of membership changes: what the stories about them share. */
import { expect } from "vitest";
import type { NodeId } from "../../../protocols/core/index.ts";
import {
	type Configuration,
	configurationOf,
	decodeConfiguration,
	type Entry,
	encodeConfiguration,
	type MembershipChange,
	type MembershipTransition,
	type RaftReply,
} from "../../../protocols/raft/index.ts";
import { accepted, command, LoneMachine } from "./lone-machine.ts";

/** A configuration as a log entry. */
export function members(inTerm: number, configuration: Configuration): Entry {
	return { ...command(inTerm), kind: "configuration", data: encodeConfiguration(configuration) };
}
export const joint = (voters: readonly NodeId[], outgoing: readonly NodeId[], autoLeave = true): Configuration => ({
	...configurationOf(voters),
	outgoing,
	autoLeave,
});

/** A leader of a, b and c whose first entry is committed. */
export const leader = (options: ConstructorParameters<typeof LoneMachine>[0] = {}): LoneMachine =>
	new LoneMachine(options).becomeLeader().commitAll();

export function change(
	machine: LoneMachine,
	wanted: MembershipChange,
	transition: MembershipTransition = "automatic",
): number {
	return machine.request({ type: "change-membership", change: wanted, transition });
}
export const set = (voters: readonly NodeId[], learners: readonly NodeId[] = []): MembershipChange => ({
	type: "set",
	voters,
	learners,
});
/** The leader's disk and these peers have all of its log. */
export function agree(machine: LoneMachine, peers: readonly NodeId[], disk = true): LoneMachine {
	if (disk) machine.writesComplete();
	for (const peer of peers) machine.receive(peer, accepted(machine.status.term, machine.status.lastIndex));
	return machine;
}
/** A leader of a, b and c with these learners, who have everything. */
export function withLearners(
	learners: readonly NodeId[],
	options: ConstructorParameters<typeof LoneMachine>[0] = {},
): LoneMachine {
	const machine = leader(options);
	change(machine, set(machine.config.voters, learners));
	return agree(machine, [...machine.peers, ...learners]);
}
export const reasonOf = ([reply]: readonly RaftReply[]): string | undefined =>
	reply?.type === "refused" ? reply.reason : reply?.type;
/** The configuration of the last entry of the log. */
export function lastEntry(machine: LoneMachine): Configuration {
	const entry = machine.view.log.entries.at(-1) as Entry;
	expect(entry.kind).toBe("configuration");
	return decodeConfiguration(entry.data);
}
export const answersOf = (machine: LoneMachine): (number | null)[] =>
	machine.deliveries.flatMap((delivery) => (delivery.type === "entries" ? (delivery.requestIds ?? []) : []));
