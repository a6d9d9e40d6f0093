/** A topology of an experiment as the options of a swarm. */
import type { Topology } from "../../supervisors/index.ts";
import { experimentUnsupported } from "../../supervisors/index.ts";
import type { RaftOptions } from "../swarm/index.ts";

/** The group's name, and so the first part of its members' actors' names. */
export const GROUP = "raft";
/** What a group has for its first election, on a busy machine too; virtual time in simulation. */
export const START_TIMEOUT_MS = 30_000;

/** Settings that are true or false. */
const switches = ["preVote", "followerReads", "forwardProposals", "promoteLearners"] as const;

/**
 * Experiments name settings as `RaftConfig` does, with numbers for values: what is true or false there is 1 or 0, the election
 * timeout, which is a range there, is `electionTimeoutMinMs` and `electionTimeoutMaxMs`, `leaseMaxClockDriftPpm` turns leases on, and
 * the last `witnesses` members are witnesses.
 * @throws QuorateError `experiment-unsupported` for another protocol; what a setting is refused with, the swarm says
 */
export function raftOptionsOf({ protocol, nodes, config }: Topology): RaftOptions {
	if (protocol !== "raft") {
		throw experimentUnsupported({ engine: "raft swarms", what: "protocol", name: protocol, nearest: "raft" });
	}
	const { electionTimeoutMinMs, electionTimeoutMaxMs, leaseMaxClockDriftPpm, witnesses = 0, ...others } = config;
	const settings: Record<string, unknown> = { ...others };
	for (const name of switches) {
		// What is neither the swarm refuses.
		if (others[name] === 0 || others[name] === 1) settings[name] = others[name] === 1;
	}
	if (leaseMaxClockDriftPpm !== undefined) settings["lease"] = { maxClockDriftPpm: leaseMaxClockDriftPpm };
	if (electionTimeoutMinMs !== undefined || electionTimeoutMaxMs !== undefined) {
		const min = electionTimeoutMinMs ?? (electionTimeoutMaxMs ?? 0) / 2;
		settings["electionTimeoutMs"] = { min, max: electionTimeoutMaxMs ?? 2 * min };
	}
	// More than there are members the swarm refuses.
	if (witnesses > 0) settings["witnesses"] = Array.from({ length: witnesses }, (_, i) => `node-${nodes - i}`);
	return { nodes, group: GROUP, config: settings };
}
