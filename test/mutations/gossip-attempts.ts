/** What is tried on gossip's mutants. */
import type { Attempt } from "./attempt.ts";
import { seeds, tests } from "./attempt-series.ts";

const room = "test/protocols/gossip";

const simulated = (...options: readonly string[]): readonly Attempt[] =>
	seeds(1, 1, (seed) => ["simulate", "--protocol", "gossip", "--nodes", "64", "--seed", seed, ...options]);

export const gossipAttempts: readonly Attempt[] = [
	...simulated("--for", "60s"),
	...simulated("--for", "60s", "--loss", "0.1", "--crash", "8"),
	tests(room, "swim/updates", "swim/probe", "swim/suspicion", "swim/sync", "swim/dissemination", "swim/choices"),
	tests(room, "swim/memberlist-issues", "swim/user-events", "swim/config"),
	tests(room, "clocks/clocks", "state/scuttlebutt", "state/death-certificates", "repair/repair"),
	tests(room, "rumours/rumours", "broadcast/broadcast", "estimation/estimation", "estimation/monitors"),
	tests(room, "swim/group", "swim/lifeguard"),
];
