/** The settings of one PBFT participant: each with unit, default, bounds, the formula it enters and its cost. */
import { compareIds, type GroupId, type NodeId } from "../core/index.ts";
import { configContradiction, configInvalid, tooFewMembers } from "./errors.ts";

export interface PbftConfig {
	/** This participant; one of {@link PbftConfig.members}, or one that an ordered change is to add. */
	readonly nodeId: NodeId;
	/** Names the group in everything that is signed, so that nothing signed here counts in a group with the same keys. */
	readonly cluster: GroupId;
	/** The members at the first boot, in code-unit order without duplicates, at most {@link PBFT_MEMBERS_MAX}. */
	readonly members: readonly NodeId[];
	/** f: how many of them may behave arbitrarily. Bounds 0 to `(members − 1) / 3`; more is refused. */
	readonly faults: number;
	/** The epoch of {@link PbftConfig.members}. Default 0; another for who is started in a group that has changed its members before. */
	readonly epoch: number;
	/**
	 * Who may be added to the members by an ordered change, since its keys are enrolled already; the same at all members. Default: nobody.
	 */
	readonly candidates: readonly NodeId[];
	/** Clients that may order changes of membership, but for isolations, which need evidence instead; the same at all members. Default: nobody. */
	readonly administrators: readonly NodeId[];
	/**
	 * K: a checkpoint is taken each so many sequence numbers (OSDI'99 §4.3). Default 128; bounds 1 to 65,536. Lower: shorter
	 * logs and view changes, more snapshots.
	 */
	readonly checkpointInterval: number;
	/**
	 * L: how far above the last stable checkpoint sequence numbers are accepted, H = h + L. Default 256; bounds 2 to 131,072,
	 * a multiple of `checkpointInterval`, at least twice it, so that work goes on while a checkpoint becomes stable. Memory is
	 * at most `windowSize × batchMaxBytes`. Of what is above the next checkpoint but one nothing is accepted until that is
	 * executed, so that the configuration of every slot is known when it is voted on.
	 */
	readonly windowSize: number;
	/** Slots that the primary has open at once. Default 8; bounds 1 to 4,096; at most `windowSize`. When it is full, requests gather. */
	readonly openSlotsMax: number;
	/**
	 * A batch that is not full begins while fewer slots than these are open; else it waits until one of them is executed, and fills. Default 1;
	 * bounds 1 to 4,096; from `openSlotsMax` on no batch waits. Higher: a request waits less for others', and a slot's signatures serve fewer.
	 */
	readonly partialSlotsMax: number;
	/** Requests in a batch. Default 256; bounds 1 to 65,536. */
	readonly batchMaxRequests: number;
	/** Bytes of operations in a batch. Default 1 MiB; bounds 1 KiB to 16 MiB; at least `requestMaxBytes`. */
	readonly batchMaxBytes: number;
	/** Bytes of one operation. Default 256 KiB; bounds 1 to 16 MiB. */
	readonly requestMaxBytes: number;
	/** How long a primary lets requests gather, in milliseconds. Default 0: until the host's batch ends. Bounds 0 to 10,000. */
	readonly batchDelayMs: number;
	/**
	 * How long a backup waits at least for the primary to propose a request that it was asked, before it passes it on, in milliseconds, and at
	 * most twice as long; never more than a quarter of `viewTimeoutMs`. Clients ask the primary too, so most need not be passed on. Default
	 * 100; bounds 0 (at once) to 60,000.
	 */
	readonly forwardDelayMs: number;
	/** Requests that are known and not executed. Default 8,192; bounds 1 to 1,048,576. One more is refused. */
	readonly waitingMax: number;
	/**
	 * Requests of one client that may be under way, and answers that are kept for it: a client that uses timestamp t must not
	 * care for t − clientWindow any more. Default 64; bounds 1 to 4,096; 1 is the paper's rule.
	 */
	readonly clientWindow: number;
	/** Clients in the replicated table. Default 4,096; bounds 1 to 1,048,576. A request of one more is executed as refused. */
	readonly clientsMax: number;
	/**
	 * How long a backup waits for a known request to be executed before it asks for another view, in milliseconds; doubled for
	 * each view in a row that brings no progress (OSDI'99 §4.5.2). Default 1,000; bounds 1 to 600,000. Lower: a primary that is gone is
	 * left sooner, and so is one whose machine is slow, such as one whose code is still being compiled.
	 */
	readonly viewTimeoutMs: number;
	/**
	 * A request that is not executed in its time is given as many times more while slots are executed and it is not passed over: where more
	 * come than can be ordered requests queue, and that is no fault of the primary. It is passed over when, of those that wait here,
	 * as many that came later were executed as are left. Default 8; bounds 0 to 1,024. Higher: a primary that starves a client is left later.
	 */
	readonly queuePeriodsMax: number;
	/**
	 * Where the doubling ends. Default 64,000; bounds `viewTimeoutMs` to 86,400,000. Progress needs the network to be faster than
	 * this in the end.
	 */
	readonly viewTimeoutMaxMs: number;
	/**
	 * How often a backup measures what its primary gets executed while requests wait, in milliseconds: one that brings less than is
	 * expected is left, though no request has timed out (Aardvark, NSDI 2009 §4). Default 0: never. Bounds 0 to 600,000.
	 */
	readonly guardPeriodMs: number;
	/** What is expected of a new primary at first, in percent of the best period of the last views. Default 90; bounds 0 to 100. */
	readonly guardSharePercent: number;
	/** By how much the expectation rises with each period, in percent. Default 1; bounds 0 to 100. Higher: more view changes under load. */
	readonly guardRisePercent: number;
	/** Periods of a view before the expectation begins to rise. Default 5; bounds 0 to 65,536. */
	readonly guardGracePeriods: number;
	/**
	 * How long a backup that knows of a waiting request does without a new or executed slot before it leaves its primary, in
	 * milliseconds. Default 0: as long as `viewTimeoutMs` allows. Bounds 0 to 600,000; above the time of a view's normal round.
	 */
	readonly heartbeatMs: number;
	/**
	 * Execute what is prepared and next in order before it is committed (OSDI'99 §5.1.2). Default false. It saves clients a message delay
	 * while all is well; they have to ask a quorum instead of f + 1, and where the application has no `savepoint` each batch costs a snapshot.
	 */
	readonly executesTentatively: boolean;
	/**
	 * What members' votes carry; the same at all members. Default `signed`: signatures, which anyone can check, so certificates travel and
	 * liars are convicted. `authenticated`: a vector of authenticators, one for each member (TOCS §4), some 40 times cheaper to check. It
	 * convinces its receiver alone: there are no certificates for third parties, no evidence, nobody is convicted or isolated, and view
	 * changes cost n² small messages more. Clients' requests are authenticated as before.
	 */
	readonly votes: "signed" | "authenticated";
	/**
	 * How prepares and commits come to a certificate; the same at all members. Default `all-to-all`: everyone to everyone, n² messages and
	 * one delay for each phase. `collector`: to the primary, which sends everyone the quorum's signatures in one message (as SBFT, DSN 2019,
	 * but see `collector.ts`): 5(n − 1) messages for a slot and two delays for each phase. Needs `votes` to be `signed`.
	 */
	readonly certificates: "all-to-all" | "collector";
	/**
	 * How often a member has others authenticate to it under new keys (TOCS §5.2.1), where `votes` are `authenticated`, in milliseconds;
	 * members are spread over as long again. Default 0: never, but when it recovers. Bounds 0 to 604,800,000 (a week). What is
	 * under way to the member then counts for nothing and is said again at once, which costs a round trip.
	 */
	readonly keyPeriodMs: number;
	/**
	 * How long a member waits for a certificate of the collector before it votes to everyone, for the rest of the view, in milliseconds.
	 * Default 100; bounds 1 to 600,000; below `viewTimeoutMs`, or a view is left before its slots are tried without a collector.
	 */
	readonly collectorTimeoutMs: number;
	/**
	 * How often a member recovers as if it had been tampered with (TOCS §5), in milliseconds; members are spread over as long again. Default
	 * 0: never. Bounds 0 to 604,800,000 (a week). At most f members should recover at a time: far above what a checkpoint takes.
	 */
	readonly recoveryPeriodMs: number;
	/**
	 * How often a member tells the others where it is, so that they repeat what it lacks, in milliseconds. Default 200; bounds 1
	 * to 600,000. It is how soon a lost message is made good; costs n(n − 1) small messages each time.
	 */
	readonly statusMs: number;
	/**
	 * Statuses of this member without a word of another until it counts as out of contact; without contact to a quorum a member says that it
	 * is parted. Default 5, a second with the default `statusMs`; bounds 2 to 1,000. Lower: losses on a bad network pass for a partition.
	 */
	readonly contactStatuses: number;
	/** Slots, decisions or votes repeated to one member at one status of its. Default 32; bounds 1 to 4,096. */
	readonly repeatMax: number;
	/** How long the source of a state transfer may take for a part before another is asked, in milliseconds. Default 500. */
	readonly transferTimeoutMs: number;
	/** Parts of a state that are asked for at once. Default 4; bounds 1 to 256. */
	readonly transferWindow: number;
	/** Bytes of one part of a state; the same at all members. Default 64 KiB; bounds 1 to 1 MiB. */
	readonly statePartBytes: number;
	/**
	 * Messages of one sender kept for a view that is not entered yet, or for slots above the window (rule of bounded memory). Default 256;
	 * bounds 0 to 65,536. Lower: a member that lags needs state transfers sooner.
	 */
	readonly futureMax: number;
	/**
	 * Messages of one peer that may turn out to be malformed or unproved between two of this member's statuses; after that its
	 * costly messages (requests, view changes, certificates) are not looked at until the next. Default 64; bounds 1 to 65,536.
	 */
	readonly offencesMax: number;
}

/** The most members of one group; beyond it n² messages cost more than they protect. */
export const PBFT_MEMBERS_MAX = 31;

const KIB = 1024;
const MIB = 1024 * KIB;

const noNodes: readonly NodeId[] = [];

const defaults = {
	epoch: 0,
	candidates: noNodes,
	administrators: noNodes,
	checkpointInterval: 128,
	windowSize: 256,
	openSlotsMax: 8,
	partialSlotsMax: 1,
	batchMaxRequests: 256,
	batchMaxBytes: MIB,
	requestMaxBytes: 256 * KIB,
	batchDelayMs: 0,
	forwardDelayMs: 100,
	waitingMax: 8192,
	clientWindow: 64,
	clientsMax: 4096,
	viewTimeoutMs: 1_000,
	queuePeriodsMax: 8,
	viewTimeoutMaxMs: 64_000,
	executesTentatively: false as boolean,
	votes: "signed" as PbftConfig["votes"],
	certificates: "all-to-all" as PbftConfig["certificates"],
	keyPeriodMs: 0,
	collectorTimeoutMs: 100,
	recoveryPeriodMs: 0,
	guardPeriodMs: 0,
	guardSharePercent: 90,
	guardRisePercent: 1,
	guardGracePeriods: 5,
	heartbeatMs: 0,
	statusMs: 200,
	contactStatuses: 5,
	repeatMax: 32,
	transferTimeoutMs: 500,
	transferWindow: 4,
	statePartBytes: 64 * KIB,
	futureMax: 256,
	offencesMax: 64,
} as const satisfies Omit<PbftConfig, "nodeId" | "cluster" | "members" | "faults">;

type Bounds = readonly [min: number, max: number];
const bounds: Readonly<
	Record<
		Exclude<keyof typeof defaults, "candidates" | "administrators" | "executesTentatively" | "votes" | "certificates">,
		Bounds
	>
> = {
	epoch: [0, Number.MAX_SAFE_INTEGER],
	checkpointInterval: [1, 65_536],
	windowSize: [2, 131_072],
	openSlotsMax: [1, 4096],
	partialSlotsMax: [1, 4096],
	batchMaxRequests: [1, 65_536],
	batchMaxBytes: [KIB, 16 * MIB],
	requestMaxBytes: [1, 16 * MIB],
	batchDelayMs: [0, 10_000],
	forwardDelayMs: [0, 60_000],
	waitingMax: [1, 1_048_576],
	clientWindow: [1, 4096],
	clientsMax: [1, 1_048_576],
	viewTimeoutMs: [1, 600_000],
	queuePeriodsMax: [0, 1024],
	viewTimeoutMaxMs: [1, 86_400_000],
	keyPeriodMs: [0, 604_800_000],
	collectorTimeoutMs: [1, 600_000],
	recoveryPeriodMs: [0, 604_800_000],
	guardPeriodMs: [0, 600_000],
	guardSharePercent: [0, 100],
	guardRisePercent: [0, 100],
	guardGracePeriods: [0, 65_536],
	heartbeatMs: [0, 600_000],
	statusMs: [1, 600_000],
	contactStatuses: [2, 1000],
	repeatMax: [1, 4096],
	transferTimeoutMs: [1, 600_000],
	transferWindow: [1, 256],
	statePartBytes: [1, MIB],
	futureMax: [0, 65_536],
	offencesMax: [1, 65_536],
};

/** What must be given; the rest has defaults. */
type Identity = Pick<PbftConfig, "nodeId" | "cluster" | "members" | "faults">;

/**
 * The settings of a participant with the defaults for what is not given. The order of `members` is free here.
 * @throws QuorateError as {@link validatePbftConfig}
 * @example pbftConfig({ nodeId: nodeId("a"), cluster: groupId("bank"), members: ["a", "b", "c", "d"].map(nodeId), faults: 1 })
 */
export function pbftConfig(given: Identity & Partial<Omit<PbftConfig, keyof Identity>>): PbftConfig {
	const config: PbftConfig = { ...defaults, ...given, members: [...given.members].sort(compareIds) };
	validatePbftConfig(config);
	return config;
}

/**
 * Checks every field and the relations between them; changes nothing.
 * @throws QuorateError `pbft-config-invalid` `{field, expected, actual}`, `pbft-config-contradiction` `{rule, left, right}` or
 *   `pbft-too-few-members` `{members, faults, needed}`
 */
export function validatePbftConfig(config: PbftConfig): void {
	validateMembers(config.members, config.faults);
	for (const [field, range] of Object.entries(bounds)) {
		requireInteger(field, config[field as keyof typeof bounds], range);
	}
	requireNodes("candidates", config.candidates, PBFT_MEMBERS_MAX);
	requireNodes("administrators", config.administrators, config.clientsMax);
	requireModes(config);
	const { checkpointInterval, windowSize, openSlotsMax, batchMaxBytes, requestMaxBytes } = config;
	requireRelation(
		windowSize % checkpointInterval === 0 && windowSize >= 2 * checkpointInterval,
		"windowSize is a multiple of checkpointInterval, at least twice it",
		windowSize,
		checkpointInterval,
	);
	requireRelation(openSlotsMax <= windowSize, "openSlotsMax is at most windowSize", openSlotsMax, windowSize);
	requireRelation(
		requestMaxBytes <= batchMaxBytes,
		"requestMaxBytes is at most batchMaxBytes",
		requestMaxBytes,
		batchMaxBytes,
	);
	requireRelation(
		config.viewTimeoutMs <= config.viewTimeoutMaxMs,
		"viewTimeoutMs is at most viewTimeoutMaxMs",
		config.viewTimeoutMs,
		config.viewTimeoutMaxMs,
	);
}

function requireModes({ votes, certificates, collectorTimeoutMs, viewTimeoutMs }: PbftConfig): void {
	requireWord("votes", votes, ["signed", "authenticated"]);
	requireWord("certificates", certificates, ["all-to-all", "collector"]);
	if (certificates !== "collector") return;
	// What a collector passes on has to convince others than itself.
	if (votes !== "signed") throw configInvalid({ field: "votes", expected: "signed, with a collector", actual: votes });
	const rule = "collectorTimeoutMs is below viewTimeoutMs";
	requireRelation(collectorTimeoutMs < viewTimeoutMs, rule, collectorTimeoutMs, viewTimeoutMs);
}

function requireWord(field: string, value: string, words: readonly string[]): void {
	if (!words.includes(value)) throw configInvalid({ field, expected: words.join(" or "), actual: String(value) });
}

/** @throws QuorateError as {@link validatePbftConfig} */
export function validateMembers(members: readonly NodeId[], faults: number): void {
	if (members.length < 1 || members.length > PBFT_MEMBERS_MAX) {
		const expected = `1 to ${PBFT_MEMBERS_MAX} members`;
		throw configInvalid({ field: "members", expected, actual: `${members.length}` });
	}
	for (let i = 1; i < members.length; i++) {
		if (compareIds(members[i - 1] as NodeId, members[i] as NodeId) >= 0) {
			const expected = "in code-unit order without duplicates";
			throw configInvalid({ field: "members", expected, actual: members.join(" ") });
		}
	}
	requireInteger("faults", faults, [0, PBFT_MEMBERS_MAX]);
	const needed = 3 * faults + 1;
	if (members.length < needed) throw tooFewMembers({ members: members.length, faults, needed });
}

function requireNodes(field: string, nodes: readonly NodeId[], max: number): void {
	if (nodes.length <= max && new Set(nodes).size === nodes.length) return;
	throw configInvalid({ field, expected: `at most ${max} names without duplicates`, actual: `${nodes.length} names` });
}

function requireInteger(field: string, value: number, [min, max]: Bounds): void {
	if (Number.isSafeInteger(value) && value >= min && value <= max) return;
	throw configInvalid({ field, expected: `an integer in [${min}, ${max}]`, actual: String(value) });
}

function requireRelation(holds: boolean, rule: string, left: number, right: number): void {
	if (!holds) throw configContradiction({ rule, left, right });
}
