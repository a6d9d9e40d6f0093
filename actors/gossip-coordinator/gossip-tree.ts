/** The supervision tree of a gossip group as data: storage as in a swarm, and the members under a supervisor of their own. */
import type { ChildSpec } from "../../supervisors/index.ts";
import { groupSupervisorName } from "../swarm/tree.ts";
import { gossipMemberModule } from "./gossip-member.ts";
import { type GossipMemberArgs, memberName } from "./member-messages.ts";

/** One-for-one: a failure concerns one member, and the others find out by themselves. Members are added as they start. */
export function gossipGroupChild(group: string): ChildSpec {
	const name = groupSupervisorName(group);
	return {
		id: name,
		restart: "temporary",
		start: {
			name,
			strategy: "one-for-one",
			// A loss with its thread does not count here: the thread's own supervisor has counted it.
			intensity: 10,
			periodMs: 10_000,
			backoff: { minMs: 50, maxMs: 2_000, jitter: 0.2, stableMs: 5_000, immediate: 1 },
			children: [],
		},
	};
}

/** Many members share a thread; each comes back under its address when it, or its thread, fails. */
export function gossipMemberChild(args: GossipMemberArgs): ChildSpec {
	const name = memberName(args.group, args.node);
	return {
		id: name,
		// There is nothing that a member would do with time at its end: who leaves has said so before.
		shutdownMs: "brutal-kill",
		start: { name, behaviour: { module: gossipMemberModule, export: "GossipMember", args }, placement: "shared" },
	};
}
