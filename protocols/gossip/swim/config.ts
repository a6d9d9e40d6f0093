/** The settings of one SWIM member. */
import { invalidArgument, isNodeId, type NodeId } from "../../core/index.ts";
import { type Bounds, requireIntegerField, requireRelation } from "../bounds.ts";

/**
 * Times in milliseconds. The defaults are the profiles of memberlist (`config.go`), named below; all members of a group have
 * the same, or their estimates of each other are wrong.
 */
export interface SwimConfig {
	readonly nodeId: NodeId;
	/**
	 * One member is probed in each period. LAN 1,000, WAN 5,000, local 1,000; bounds 10 to 600,000. First detection takes
	 * e/(e − 1) periods on average, and each member sends one probe a period, whatever the group's size (SWIM §3).
	 */
	readonly probeIntervalMs: number;
	/** How long a probe waits before it goes through others. LAN 500, WAN 3,000, local 200; above the usual round trip. */
	readonly probeTimeoutMs: number;
	/** Members that are asked to probe in one's place (k of SWIM §3.1). LAN and WAN 3, local 1; bounds 0 to 32. */
	readonly indirectProbes: number;
	/**
	 * α of Lifeguard: a suspicion lasts at least `suspicionMultiplier × max(1, log10 n) × probeIntervalMs`. LAN 4, WAN 6, local
	 * 3; bounds 1 to 64. Lower detects sooner and errs more.
	 */
	readonly suspicionMultiplier: number;
	/**
	 * β of Lifeguard: a suspicion that nobody confirms lasts so many times its minimum. Default 6; bounds 1 to 64. With
	 * 1 the minimum always counts: LHA-Suspicion is off.
	 */
	readonly suspicionMaxMultiplier: number;
	/**
	 * S of Lifeguard: the local health score lies in `[0, healthScoreMax]`, and probe periods are `score + 1` times as long.
	 * Default 7 (memberlist's multiplier 8 less one); bounds 0 to 64. With 0 LHA-Probe is off.
	 */
	readonly healthScoreMax: number;
	/** Whether a ping to a suspect tells it of the suspicion first (Lifeguard's Buddy System). Default true. */
	readonly buddySystem: boolean;
	/** Gossip goes out so often while there is some. LAN 200, WAN 500, local 100; bounds 1 to 600,000. */
	readonly gossipIntervalMs: number;
	/** To so many members each time. LAN 3, WAN 4, local 3; bounds 1 to 64. */
	readonly gossipFanout: number;
	/** Each update leaves `retransmitMultiplier × ⌈log10(n + 1)⌉` times. LAN and WAN 4, local 2; bounds 1 to 64. */
	readonly retransmitMultiplier: number;
	/** A member that was declared dead is gossiped to for so long, that it may refute. LAN 30,000, WAN 60,000, local 15,000. */
	readonly gossipToDeadMs: number;
	/** Then it is remembered for so long, and tried by the healer. Default 86,400,000 (a day, as serf); bounds 0 to 2^31 − 1. */
	readonly forgetDeadAfterMs: number;
	/** A whole state is exchanged with one member so often (more seldom above 32 members). LAN 30,000, WAN 60,000, local 15,000. */
	readonly syncIntervalMs: number;
	/** A dead member is tried so often, with probability dead/alive (serf's reconnect). Default 30,000. */
	readonly healIntervalMs: number;
	/** How long a leave is spread before it is answered. Default 5,000 (memberlist waits as long for its broadcast). */
	readonly leaveMs: number;
	/** Between attempts to join through seeds that do not answer. Default 1,000. */
	readonly joinRetryMs: number;
	/** Attempts before a join is refused. Default 10; bounds 1 to 1,000. */
	readonly joinAttemptsMax: number;
	/**
	 * Bytes of a packet as the layouts of `messages.ts` encode it. Default 1,400; bounds 1,024 to 65,000. Only whole-state
	 * exchanges are larger, and {@link SwimConfig.syncMembersMax} bounds those.
	 */
	readonly packetBytesMax: number;
	/** Members described by one message of a whole-state exchange; more go in further ones. Default 512; bounds 1 to 65,536. */
	readonly syncMembersMax: number;
	/** Members that are remembered, the dead included; more are refused with an event. Default 16,384; bounds 1 to 1,048,576. */
	readonly membersMax: number;
	/** Probes that are under way for others. Default 1,024; beyond that requests go unanswered. Bounds 1 to 65,536. */
	readonly relaysMax: number;
}

/** Tags of one member, in bytes (memberlist's MetaMaxSize). */
export const TAGS_BYTES_MAX = 512;

/** Seeds of one join. */
export const SEEDS_MAX = 64;

const everywhere = {
	suspicionMaxMultiplier: 6,
	healthScoreMax: 7,
	buddySystem: true,
	forgetDeadAfterMs: 86_400_000,
	healIntervalMs: 30_000,
	leaveMs: 5_000,
	joinRetryMs: 1_000,
	joinAttemptsMax: 10,
	packetBytesMax: 1_400,
	syncMembersMax: 512,
	membersMax: 16_384,
	relaysMax: 1_024,
} as const;

/** memberlist's DefaultLANConfig, DefaultWANConfig and DefaultLocalConfig. */
export const swimProfiles: {
	readonly lan: Omit<SwimConfig, "nodeId">;
	readonly wan: Omit<SwimConfig, "nodeId">;
	readonly local: Omit<SwimConfig, "nodeId">;
} = {
	lan: {
		...everywhere,
		probeIntervalMs: 1_000,
		probeTimeoutMs: 500,
		indirectProbes: 3,
		suspicionMultiplier: 4,
		gossipIntervalMs: 200,
		gossipFanout: 3,
		retransmitMultiplier: 4,
		gossipToDeadMs: 30_000,
		syncIntervalMs: 30_000,
	},
	wan: {
		...everywhere,
		probeIntervalMs: 5_000,
		probeTimeoutMs: 3_000,
		indirectProbes: 3,
		suspicionMultiplier: 6,
		gossipIntervalMs: 500,
		gossipFanout: 4,
		retransmitMultiplier: 4,
		gossipToDeadMs: 60_000,
		syncIntervalMs: 60_000,
	},
	local: {
		...everywhere,
		probeIntervalMs: 1_000,
		probeTimeoutMs: 200,
		indirectProbes: 1,
		suspicionMultiplier: 3,
		gossipIntervalMs: 100,
		gossipFanout: 3,
		retransmitMultiplier: 2,
		gossipToDeadMs: 15_000,
		syncIntervalMs: 15_000,
	},
};

export type SwimProfile = keyof typeof swimProfiles;

const durationMs: Bounds = [1, 2 ** 31 - 1];
const bounds: Readonly<Record<Exclude<keyof SwimConfig, "nodeId" | "buddySystem">, Bounds>> = {
	probeIntervalMs: [10, 600_000],
	probeTimeoutMs: [1, 600_000],
	indirectProbes: [0, 32],
	suspicionMultiplier: [1, 64],
	suspicionMaxMultiplier: [1, 64],
	healthScoreMax: [0, 64],
	gossipIntervalMs: [1, 600_000],
	gossipFanout: [1, 64],
	retransmitMultiplier: [1, 64],
	gossipToDeadMs: [0, 2 ** 31 - 1],
	forgetDeadAfterMs: [0, 2 ** 31 - 1],
	syncIntervalMs: durationMs,
	healIntervalMs: durationMs,
	leaveMs: durationMs,
	joinRetryMs: durationMs,
	joinAttemptsMax: [1, 1_000],
	packetBytesMax: [1_024, 65_000],
	syncMembersMax: [1, 65_536],
	membersMax: [1, 1_048_576],
	relaysMax: [1, 65_536],
};

/**
 * The settings of a member: those of a profile (default `lan`), with what is given instead.
 * @throws QuorateError as {@link validateSwimConfig}
 * @example swimConfig({ nodeId: nodeId("node-1") }, "local")
 */
export function swimConfig(
	given: Pick<SwimConfig, "nodeId"> & Partial<Omit<SwimConfig, "nodeId">>,
	profile: SwimProfile = "lan",
): SwimConfig {
	if (!Object.hasOwn(swimProfiles, profile)) {
		throw invalidArgument({
			argument: "profile",
			expected: Object.keys(swimProfiles).join(", "),
			actual: String(profile).slice(0, 80),
		});
	}
	const config: SwimConfig = { ...swimProfiles[profile], ...given };
	validateSwimConfig(config);
	return config;
}

/** The knob that is out of its bounds, or null. */
export function tuningFault(
	gossipFanout: number,
	gossipIntervalMs: number,
): "gossipFanout" | "gossipIntervalMs" | null {
	const isWithin = (value: number, [min, max]: Bounds): boolean =>
		Number.isSafeInteger(value) && value >= min && value <= max;
	if (!isWithin(gossipFanout, bounds.gossipFanout)) return "gossipFanout";
	return isWithin(gossipIntervalMs, bounds.gossipIntervalMs) ? null : "gossipIntervalMs";
}

/**
 * Checks every field and the relations between them; changes nothing.
 * @throws QuorateError `invalid-argument`, `gossip-config-invalid` `{field, expected, actual}` or
 *   `gossip-config-contradiction` `{rule, left, right}`
 */
export function validateSwimConfig(config: SwimConfig): void {
	if (!isNodeId(config.nodeId)) {
		const actual = String(config.nodeId).slice(0, 80);
		throw invalidArgument({ argument: "nodeId", expected: "a node id", actual });
	}
	for (const [field, range] of Object.entries(bounds)) {
		requireIntegerField(field, config[field as keyof typeof bounds], range);
	}
	const { probeTimeoutMs, probeIntervalMs } = config;
	const rule = "probeTimeoutMs is below probeIntervalMs: an indirect probe needs the rest";
	requireRelation(probeTimeoutMs < probeIntervalMs, rule, probeTimeoutMs, probeIntervalMs);
}
