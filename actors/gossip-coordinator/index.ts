/**
 * `actors/gossip-coordinator`: gossip members as actors on worker threads. {@link GossipProtocolCoordinator} is one member's
 * handle, as in the design document; a {@link GossipGroup} starts, kills and asks many.
 *
 * Place: joins `protocols/gossip` to the runtime: SWIM, round trips and coordinates, push-sum, broadcast over a tree, and anti-entropy for
 * values (CRDTs) that a group shares. The other protocols of that room have no host here yet. Members of other processes or machines can
 * not be reached.
 */
export {
	coordinatesMissing,
	groupSettingsDiffer,
	memberMissing,
	memberRuns,
	notInitialized,
	requestRefused,
	storageLost,
	threadMissing,
	valuesBusy,
	valuesMissing,
	valuesTooLarge,
} from "./errors.ts";
export { GossipGroup, type GossipGroupEvent, type GossipGroupOptions, gossipLayouts } from "./gossip-group.ts";
export { GossipMember, gossipMemberModule } from "./gossip-member.ts";
export {
	type GossipCoordinatorEvent,
	type GossipCoordinatorOptions,
	type GossipMessage,
	GossipProtocolCoordinator,
} from "./gossip-protocol-coordinator.ts";
export { type GossipTuningOptions, type TunedMember, type TuningDecision, tuneGossip } from "./gossip-tuning.ts";
export type { Aggregate, AggregateOptions } from "./member-aggregates.ts";
export { BROADCAST_BYTES_MAX, type TreeReport } from "./member-broadcast.ts";
export { type CoordinateReport, type PlacedMember, roundTripBetween } from "./member-coordinates.ts";
export type { GossipMemberArgs, MemberEvent, MemberReport, MemberTraffic, SharedValues } from "./member-messages.ts";
export { CHANGES_WAITING_MAX, VALUES_BYTES_MAX, type ValuesCommand } from "./member-values.ts";
export {
	ADVICE_LASTING_MS_DEFAULT,
	adviseOnMembership,
	type MembershipAdvice,
	type MembershipAdviceOptions,
} from "./membership-advice.ts";
export {
	decideMembership,
	type QuorumDecision,
	type QuorumMembers,
	type QuorumMembershipOptions,
} from "./quorum-membership.ts";
export { readSpreads, SPREADS_FOLLOWED_MAX, type SpreadReading, type SpreadReadingOptions } from "./spread-readings.ts";
