/**
 * SWIM: who is in the group, who has failed, who has left; with Lifeguard, so that a slow member harms itself and not others.
 *
 * Sources: Das, Gupta and Motivala, "SWIM" (DSN 2002); Dadgar, Phillips and Currey, "Lifeguard" (arXiv 1707.00788);
 * constants of HashiCorp's memberlist and serf.
 *
 * {@link SwimMachine} probes one member a period, directly and through others; suspects, confirms, declares dead; refutes;
 * spreads news on probes and by gossip, the lately dead included; exchanges whole states; tries the dead again after a
 * partition; leaves in order; carries user events and queries. Which peers are spoken to, the host chooses.
 *
 * What is said of a member is believed once, and may be wrong for a while: this is a detector, not an agreement. Two members may
 * hold different lists at the same moment. A member that lies can have others suspected, until they refute; with signatures it
 * can not speak in another's name.
 *
 * Not here: a stream to fall back to when datagrams are lost (lanes lose nothing by themselves), encryption, resolution of
 * name conflicts.
 */
export {
	SEEDS_MAX,
	type SwimConfig,
	type SwimProfile,
	swimConfig,
	swimProfiles,
	TAGS_BYTES_MAX,
	validateSwimConfig,
} from "./config.ts";
export type { SwimPorts } from "./core.ts";
export {
	confirmationsWanted,
	queryTimeoutMs,
	retransmitLimit,
	suspicionMinMs,
	suspicionMs,
	syncIntervalScaledMs,
} from "./formulae.ts";
export { SwimMachine } from "./machine.ts";
export { MemberDirectory } from "./member-directory.ts";
export type { MemberState } from "./member-table.ts";
export {
	type Ack,
	type MemberUpdate,
	messageBytes,
	type SwimMessage,
	swimLayouts,
	type UpdateKind,
	type UserEvent,
} from "./messages.ts";
export { statementBytes } from "./signing.ts";
export type { MemberStatus, SwimStatus } from "./status.ts";
export { decodeTags, encodeFilter, encodeTags, type MemberTags, type QueryFilter } from "./tags.ts";
export { INCARNATION_LEAP_MAX, INCARNATION_MAX } from "./updates.ts";
export { ANSWER_BYTES_MAX, EVENT_BYTES_MAX, EVENT_NAME, LAMPORT_LEAP_MAX } from "./user-events.ts";
export type {
	SwimDurable,
	SwimEvent,
	SwimReply,
	SwimRequest,
	SwimTimer,
	SwimTypes,
	UpdateRefusal,
} from "./vocabulary.ts";
