/**
 * `actors/raft-manager`: Raft as one of its members sees it. `new RaftConsensusManager("node-1", members)` and
 * `initialize()`; the members' threads, supervision and storage are a swarm's (`actors/swarm`), which managers of the
 * same members share. Members on other machines are not its business.
 */
export { RaftConsensusManager, type RaftManagerOptions } from "./raft-consensus-manager.ts";
