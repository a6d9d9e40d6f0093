/**
 * Forgetting the leader, as in etcd (ForgetLeader): somebody who can tell, such as the host of the group's threads, says
 * that the leader is gone. A follower that trusts it helps nobody for up to a minimum election timeout; one that has
 * forgotten it grants pre-votes and votes at once, so whoever notices first can take over. A leader that is there after all
 * is followed again with its next heartbeat, and votes are given once a term as ever: at worst an election too many.
 */
import type { RequestId } from "../core/index.ts";
import { type RaftCore, reply } from "./core.ts";
import { becomeFollower } from "./roles.ts";

/** Refused to the leader itself, and with leases: the leader counts on who heard it. */
export function forgetLeader(core: RaftCore, requestId: RequestId): void {
	const { role, term, leader, config } = core;
	if (role === "leader") {
		reply(core, requestId, { type: "refused", reason: "already-leader" });
		return;
	}
	if (config.lease !== null) {
		reply(core, requestId, { type: "refused", reason: "leader-has-lease" });
		return;
	}
	if (leader !== null) becomeFollower(core, term, null);
	core.leaderHeard = false;
	reply(core, requestId, { type: "leader-forgotten", leader });
}
