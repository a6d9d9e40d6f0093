/** The settings of one Raft participant: each with unit, default, bounds, the formula it enters and its cost. */
import { compareIds, type NodeId } from "../core/index.ts";
import { configContradiction, configInvalid } from "./errors.ts";

export interface RaftConfig {
	/** This participant. One that is not among {@link RaftConfig.voters} waits until a leader makes it a member. */
	readonly nodeId: NodeId;
	/**
	 * The members that vote at the group's first boot, in code-unit order without duplicates, 1 to
	 * {@link RAFT_VOTERS_MAX}; the same list for every member, those included that join later. The latest configuration
	 * of log and snapshot, if there is one, wins.
	 * `floor(voters / 2) + 1` of them make a quorum, so an even number costs a member and tolerates no more failures.
	 */
	readonly voters: readonly NodeId[];
	/**
	 * Those of `voters` who are witnesses at the group's first boot, in code-unit order; the same list for every member.
	 * Default none. Fewer than a majority of `voters`; see `witness.ts` for what that protects and what it costs.
	 */
	readonly witnesses: readonly NodeId[];
	/**
	 * Who should lead rather than others, by member; who is not named has 1. Default none. Integers in [0, 1,000,000].
	 * Members need not agree on it. Each higher priority that is not there costs those below one election timeout more
	 * without a leader, at most three in all; see `priority.ts`, also for why there is none that means never.
	 */
	readonly priorities: Readonly<Record<string, number>>;
	/**
	 * A leader hands over by itself to a voter that has caught up and whose priority is at least so much higher than its own.
	 * Default 0: it never does. Bounds 0 to 1,000,000. It costs the few round trips of a transfer, in which no command is
	 * taken, and a minimum election timeout each time that it fails.
	 */
	readonly handoverPriorityGap: number;
	/**
	 * The zone of each member, such as its data centre: what a quorum has is committed only when voters of two zones have it. Default none:
	 * a quorum is enough. Names of 1 to 64 characters. While one zone alone can be reached, nothing is committed; see `commit-zones.ts`.
	 */
	readonly commitZones: Readonly<Record<string, string>>;
	/**
	 * How long a follower waits for a leader before it campaigns, in milliseconds, drawn anew from `[min, max]` each
	 * time (§5.2, §9.3). Default 150 to 300; bounds 1 to 600,000; `min < max`. `min` is also how long a follower that
	 * has heard of a leader refuses to help another candidate (thesis §6.2) and how often a leader checks that it
	 * hears a quorum. Lower: shorter outages, but a pause of that length costs an election. A narrow range: split votes.
	 */
	readonly electionTimeoutMs: { readonly min: number; readonly max: number };
	/**
	 * Whether a member asks whether it could win before it campaigns (thesis §9.6). Default true. Off, every campaign
	 * enters a new term at once: one round trip less per election, but a member that lost touch deposes a good leader
	 * with its higher term when it is heard again.
	 */
	readonly preVote: boolean;
	/**
	 * How often an idle leader shows itself, in milliseconds. Default 50; bounds 1 to 300,000;
	 * `2 × heartbeatMs <= electionTimeoutMs.min`, so that one lost heartbeat starts no election. It is also how soon
	 * a lost append is noticed and how late an idle follower learns the last commit. Lower: more messages.
	 */
	readonly heartbeatMs: number;
	/** Entries in one append-entries. Default 1,024; bounds 1 to 65,536. More: fewer messages, longer steps. */
	readonly maxEntriesPerAppend: number;
	/**
	 * Bytes of entries in one append-entries, {@link ENTRY_OVERHEAD_BYTES} for each entry included. Default 1 MiB;
	 * bounds 1 KiB to 64 MiB; at least `maxEntryBytes + ENTRY_OVERHEAD_BYTES`.
	 */
	readonly maxBytesPerAppend: number;
	/**
	 * Appends with entries that may be unanswered per peer. Default 4; bounds 1 to 1,024. When the window is full, new
	 * entries gather and leave together on the next answer, so a small window makes big batches. The memory a
	 * slow peer may pin is `maxInflightAppends × maxBytesPerAppend`.
	 */
	readonly maxInflightAppends: number;
	/**
	 * Bytes of entries that may be unanswered per peer, {@link ENTRY_OVERHEAD_BYTES} for each entry included. Default
	 * 4 MiB, which the default window never exceeds; bounds 1 KiB to 2^40. One more append leaves while less is under way, so
	 * a slow peer may pin `maxInflightBytes + maxBytesPerAppend`. Lower: less memory and no burst that a link can not
	 * take; below `bandwidth × round trip` the peer is sent less than it could take.
	 */
	readonly maxInflightBytes: number;
	/**
	 * Persists of entries that may be incomplete before new ones gather. Default 4; bounds 1 to 1,024. Votes and terms
	 * never wait for it.
	 */
	readonly maxInflightWrites: number;
	/**
	 * Local proposals whose outcome is not yet known, on a leader. Default 8,192; bounds 1 to 1,048,576. One more is
	 * refused with `too-many-pending`. They pin at most `maxPendingProposals × maxEntryBytes`.
	 */
	readonly maxPendingProposals: number;
	/**
	 * Bytes of entries that a leader has and are not committed, {@link ENTRY_OVERHEAD_BYTES} for each entry included.
	 * Default 64 MiB; bounds 1 KiB to 2^40. A command beyond it is refused with `too-many-uncommitted-bytes`; one that is
	 * larger alone is taken when nothing is uncommitted. Membership changes are always taken. Lower: a leader without a
	 * quorum keeps less in memory; below `throughput × round trip and flush` commands are refused while all is well.
	 */
	readonly maxUncommittedBytes: number;
	/** Reads that wait for their quorum. Default 8,192; bounds 1 to 1,048,576. */
	readonly maxPendingReads: number;
	/**
	 * Read-index rounds that may be unconfirmed. Default 4; bounds 1 to 1,024. Reads gather in between and share
	 * the next round; 1 costs up to one more round trip per read and sends the least.
	 */
	readonly maxInflightReadRounds: number;
	/**
	 * Whether a leader answers reads without asking a quorum each time (thesis §6.4.1). Default null: it asks. The same at
	 * every member, as must be `electionTimeoutMs.min`. A leader then answers at once for
	 * `electionTimeoutMs.min × (1 − drift) / (1 + drift)`, less 2 ms, after it last began to ask a quorum that follows it, which it does
	 * each heartbeat.
	 *
	 * **Only with this is safety a matter of clocks.** `maxClockDriftPpm` (0 to 500,000, in millionths) is how far the rate of
	 * any member's monotonic clock is ever from true time, its timers and `now` alike. If a clock does worse, a leader that was
	 * replaced without knowing may answer with an old state. Pauses of any length do no harm, nor do jumps of the wall
	 * clock; a monotonic clock that stands still while the machine sleeps, or a virtual machine is moved, does.
	 * Costs: a member that restarts votes for nobody for `electionTimeoutMs.min`; heartbeats are answered by number;
	 * `forget-leader` is refused.
	 */
	readonly lease: { readonly maxClockDriftPpm: number } | null;
	/**
	 * Whether a follower answers reads itself: it asks its leader for a read index and waits until it has applied that
	 * far (thesis §6.4). Default false: it refuses and names the leader. On, the leader's work per read is two small
	 * messages for all reads that a follower has gathered, and a read takes one more message delay, at most a heartbeat
	 * more while the follower waits to hear of the last commit, and an election timeout before it is refused.
	 * `maxPendingReads` and `maxInflightReadRounds` bound a follower's reads and questions too.
	 */
	readonly followerReads: boolean;
	/**
	 * Whether a follower passes proposals on to its leader and answers them itself. Default false: it refuses and names the
	 * leader. On, a client may ask any member; a proposal takes one more message delay than at the leader, and at most a
	 * heartbeat more until this member hears of its commit. The leader takes what is forwarded whether or not it forwards
	 * itself.
	 */
	readonly forwardProposals: boolean;
	/**
	 * Proposals of one follower that are not answered. Default 1,024; bounds 1 to {@link FORWARDED_PROPOSALS_MAX}. One more
	 * is refused with `too-many-forwarded`. The leader remembers as many outcomes for each follower.
	 */
	readonly maxForwardedProposals: number;
	/**
	 * Bytes of commands that a follower holds until its leader has them. Default 4 MiB; bounds 1 KiB to 2^40. A command
	 * beyond it is refused with `too-many-forwarded-bytes`; one that is larger alone is taken when there is no other.
	 */
	readonly maxForwardedBytes: number;
	/** Bytes of one command; a larger one is refused with `too-large`. Default 1 MiB − 64; bounds 1 to 64 MiB − 64. */
	readonly maxEntryBytes: number;
	/**
	 * Entries that are decided and that this member's application has not applied. Default 16,384; bounds 1 to 2^31. Beyond
	 * it a leader refuses commands with `application-behind` and a follower takes no further entries, until half of them are
	 * applied. Lower: less memory and a shorter wait behind a slow application; below what comes in a round trip and a
	 * flush commands are refused while all is well.
	 */
	readonly maxUnappliedEntries: number;
	/**
	 * Heartbeats after which a group without work falls silent: its leader tells the members so and stops its heartbeats, they
	 * stop waiting for them, until somebody has something to say. Default 0: never; bounds 0 to 2^31. With many groups in
	 * one process it saves what idle ones cost. The price is that a leader which is gone is noticed only by a host that says so
	 * (`peer-unreachable`), by a client that asks, or by a message: see `quiescence.ts`. Not with `lease` or a `handoverPriorityGap`.
	 */
	readonly quiesceAfterHeartbeats: number;
	/** Entries in one delivery to the application. Default 4,096; bounds 1 to 1,048,576. Less: the host may yield sooner. */
	readonly maxEntriesPerDelivery: number;
	/**
	 * A snapshot is ordered when so many entries were delivered since the last. Default 16,384; bounds 1 to 2^31. Lower:
	 * shorter logs and restarts, more snapshot work: writing costs `snapshot size / snapshotEveryEntries` per entry.
	 */
	readonly snapshotEveryEntries: number;
	/** The same by bytes of entries. Default 64 MiB; bounds 1 KiB to 2^40. Whichever comes first. */
	readonly snapshotEveryBytes: number;
	/**
	 * Entries kept in the log before a snapshot's last index, so that a follower which lags a little gets entries and
	 * not the snapshot. Default 4,096; bounds 0 to 2^31.
	 */
	readonly retainedEntries: number;
	/**
	 * Bytes of one chunk of a snapshot in transfer; one chunk is under way per peer, so a transfer runs at
	 * `snapshotChunkBytes / round trip`. Default 256 KiB; bounds 1 to 64 MiB.
	 */
	readonly snapshotChunkBytes: number;
	/**
	 * How many entries a member may lack and still count as caught up: a learner for its promotion, a voter as target of a
	 * transfer. Default 1,024; bounds 0 to 2^31. More: a new voter may hold up commits, and a transfer keep clients waiting,
	 * for as long as it takes to send so many. Less: under load a member is hardly ever caught up; as a rule of thumb it
	 * lacks what is committed in a round trip and a flush.
	 */
	readonly catchUpLagEntries: number;
	/**
	 * A leader promotes learners that have caught up by itself, one change at a time. Default false: a learner stays one
	 * until somebody asks. It costs the possibility of members that only read, or that were made learners on purpose.
	 */
	readonly promoteLearners: boolean;
}

/** The most voters of one group; beyond it majorities cost more than they protect. */
export const RAFT_VOTERS_MAX = 63;

/** The most learners of one group; the leader sends every entry to each of them. */
export const RAFT_LEARNERS_MAX = 63;

/** The most proposals that one follower may have forwarded without an answer. */
export const FORWARDED_PROPOSALS_MAX = 65_536;

/** UTF-16 units of a zone's name. */
const ZONE_NAME_MAX = 64;

/** What an entry costs beside its data when sizes are counted: its fixed fields as laid out in `messages.ts`. */
export const ENTRY_OVERHEAD_BYTES = 37;

const KIB = 1024;
const MIB = 1024 * KIB;

const defaults = {
	witnesses: [],
	priorities: {},
	handoverPriorityGap: 0,
	commitZones: {},
	electionTimeoutMs: { min: 150, max: 300 },
	preVote: true,
	heartbeatMs: 50,
	maxEntriesPerAppend: 1024,
	maxBytesPerAppend: MIB,
	maxInflightAppends: 4,
	maxInflightBytes: 4 * MIB,
	maxInflightWrites: 4,
	maxPendingProposals: 8192,
	maxUncommittedBytes: 64 * MIB,
	maxPendingReads: 8192,
	maxInflightReadRounds: 4,
	followerReads: false,
	forwardProposals: false,
	maxForwardedProposals: 1024,
	maxForwardedBytes: 4 * MIB,
	lease: null,
	maxEntryBytes: MIB - 64,
	maxUnappliedEntries: 16_384,
	quiesceAfterHeartbeats: 0,
	maxEntriesPerDelivery: 4096,
	snapshotEveryEntries: 16_384,
	snapshotEveryBytes: 64 * MIB,
	retainedEntries: 4096,
	snapshotChunkBytes: 256 * KIB,
	catchUpLagEntries: 1024,
	promoteLearners: false,
} as const satisfies Omit<RaftConfig, "nodeId" | "voters">;

type Bounds = readonly [min: number, max: number];
const bounds: Readonly<
	Record<
		Exclude<
			keyof typeof defaults,
			| "witnesses"
			| "priorities"
			| "commitZones"
			| "electionTimeoutMs"
			| "promoteLearners"
			| "preVote"
			| "followerReads"
			| "forwardProposals"
			| "lease"
		>,
		Bounds
	>
> = {
	handoverPriorityGap: [0, 1_000_000],
	heartbeatMs: [1, 300_000],
	maxEntriesPerAppend: [1, 65_536],
	maxBytesPerAppend: [KIB, 64 * MIB],
	maxInflightAppends: [1, 1024],
	maxInflightBytes: [KIB, 2 ** 40],
	maxInflightWrites: [1, 1024],
	maxPendingProposals: [1, 1_048_576],
	maxUncommittedBytes: [KIB, 2 ** 40],
	maxPendingReads: [1, 1_048_576],
	maxInflightReadRounds: [1, 1024],
	maxForwardedProposals: [1, FORWARDED_PROPOSALS_MAX],
	maxForwardedBytes: [KIB, 2 ** 40],
	maxEntryBytes: [1, 64 * MIB - 64],
	maxUnappliedEntries: [1, 2 ** 31],
	quiesceAfterHeartbeats: [0, 2 ** 31],
	maxEntriesPerDelivery: [1, 1_048_576],
	snapshotEveryEntries: [1, 2 ** 31],
	snapshotEveryBytes: [KIB, 2 ** 40],
	retainedEntries: [0, 2 ** 31],
	snapshotChunkBytes: [1, 64 * MIB],
	catchUpLagEntries: [0, 2 ** 31],
};
const electionTimeoutBounds: Bounds = [1, 600_000];
const clockDriftBounds: Bounds = [0, 500_000];
const priorityBounds: Bounds = [0, 1_000_000];

/**
 * The settings of a participant with the defaults for what is not given. The order of `voters` is free here.
 * @throws QuorateError as {@link validateRaftConfig}
 * @example raftConfig({ nodeId: nodeId("a"), voters: ["a", "b", "c"].map(nodeId) })
 */
export function raftConfig(
	given: Pick<RaftConfig, "nodeId" | "voters"> & Partial<Omit<RaftConfig, "nodeId" | "voters">>,
): RaftConfig {
	const config: RaftConfig = {
		...defaults,
		...given,
		voters: [...given.voters].sort(compareIds),
		witnesses: [...(given.witnesses ?? [])].sort(compareIds),
	};
	validateRaftConfig(config);
	return config;
}

/**
 * Checks every field and the relations between them; changes nothing.
 * @throws QuorateError `raft-config-invalid` `{field, expected, actual}` or `raft-config-contradiction`
 *   `{rule, left, right}`
 */
export function validateRaftConfig(config: RaftConfig): void {
	validateVoters(config);
	validateWitnesses(config);
	validatePriorities(config);
	validateZones(config);
	requireBoolean("preVote", config.preVote);
	requireBoolean("followerReads", config.followerReads);
	requireBoolean("forwardProposals", config.forwardProposals);
	requireLease(config.lease);
	requireInteger("electionTimeoutMs.min", config.electionTimeoutMs.min, electionTimeoutBounds);
	requireInteger("electionTimeoutMs.max", config.electionTimeoutMs.max, electionTimeoutBounds);
	for (const [field, range] of Object.entries(bounds)) {
		requireInteger(field, config[field as keyof typeof bounds], range);
	}
	if (typeof config.promoteLearners !== "boolean") {
		const actual = String(config.promoteLearners);
		throw configInvalid({ field: "promoteLearners", expected: "true or false", actual });
	}
	requireQuiescence(config);
	const { min, max } = config.electionTimeoutMs;
	requireRelation(min < max, "electionTimeoutMs.min is below electionTimeoutMs.max", min, max);
	requireRelation(
		2 * config.heartbeatMs <= min,
		"twice heartbeatMs is at most electionTimeoutMs.min",
		2 * config.heartbeatMs,
		min,
	);
	requireRelation(
		config.maxEntryBytes + ENTRY_OVERHEAD_BYTES <= config.maxBytesPerAppend,
		"one entry of maxEntryBytes fits into maxBytesPerAppend",
		config.maxEntryBytes + ENTRY_OVERHEAD_BYTES,
		config.maxBytesPerAppend,
	);
}

function validateVoters({ voters }: RaftConfig): void {
	const actual = voters.join(" ");
	if (voters.length < 1 || voters.length > RAFT_VOTERS_MAX) {
		throw configInvalid({ field: "voters", expected: `1 to ${RAFT_VOTERS_MAX} members`, actual: `${voters.length}` });
	}
	for (let i = 1; i < voters.length; i++) {
		if (compareIds(voters[i - 1] as NodeId, voters[i] as NodeId) >= 0) {
			throw configInvalid({ field: "voters", expected: "in code-unit order without duplicates", actual });
		}
	}
}

function validateWitnesses({ voters, witnesses }: RaftConfig): void {
	const actual = witnesses.join(" ");
	for (const [i, witness] of witnesses.entries()) {
		const isInOrder = i === 0 || compareIds(witnesses[i - 1] as NodeId, witness) < 0;
		if (voters.includes(witness) && isInOrder) continue;
		throw configInvalid({ field: "witnesses", expected: "voters in code-unit order without duplicates", actual });
	}
	requireRelation(
		2 * witnesses.length <= voters.length,
		"witnesses are fewer than a majority of the voters",
		witnesses.length,
		Math.floor(voters.length / 2) + 1,
	);
}

function validatePriorities({ priorities }: RaftConfig): void {
	if (typeof priorities !== "object" || priorities === null) {
		throw configInvalid({ field: "priorities", expected: "numbers by member", actual: String(priorities) });
	}
	for (const [node, priority] of Object.entries(priorities))
		requireInteger(`priorities.${node}`, priority, priorityBounds);
}

function validateZones({ commitZones }: RaftConfig): void {
	if (typeof commitZones !== "object" || commitZones === null) {
		throw configInvalid({ field: "commitZones", expected: "names by member", actual: String(commitZones) });
	}
	for (const [node, zone] of Object.entries(commitZones)) {
		if (typeof zone === "string" && zone.length >= 1 && zone.length <= ZONE_NAME_MAX) continue;
		const expected = `a name of 1 to ${ZONE_NAME_MAX} characters`;
		throw configInvalid({ field: `commitZones.${node}`, expected, actual: String(zone).slice(0, 80) });
	}
}

function requireInteger(field: string, value: number, [min, max]: Bounds): void {
	if (Number.isSafeInteger(value) && value >= min && value <= max) return;
	throw configInvalid({ field, expected: `an integer in [${min}, ${max}]`, actual: String(value) });
}

function requireBoolean(field: string, value: boolean): void {
	if (typeof value !== "boolean") throw configInvalid({ field, expected: "true or false", actual: String(value) });
}

function requireLease(lease: unknown): void {
	if (lease === null) return;
	if (typeof lease !== "object") {
		throw configInvalid({ field: "lease", expected: "null or {maxClockDriftPpm}", actual: String(lease) });
	}
	requireInteger("lease.maxClockDriftPpm", (lease as { maxClockDriftPpm: number }).maxClockDriftPpm, clockDriftBounds);
}

/** A lease lives of heartbeats, and a handover happens at one. */
function requireQuiescence({ quiesceAfterHeartbeats, lease, handoverPriorityGap }: RaftConfig): void {
	if (quiesceAfterHeartbeats === 0) return;
	requireRelation(lease === null, "a group with leases is never silent", quiesceAfterHeartbeats, 0);
	requireRelation(
		handoverPriorityGap === 0,
		"a group that hands over by itself is never silent",
		quiesceAfterHeartbeats,
		handoverPriorityGap,
	);
}

function requireRelation(holds: boolean, rule: string, left: number, right: number): void {
	if (!holds) throw configContradiction({ rule, left, right });
}
