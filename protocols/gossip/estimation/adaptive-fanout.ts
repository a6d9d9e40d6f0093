/**
 * How many members to gossip to (Kermarrec, Massoulié, Ganesh, TPDS 2003): with a fanout of ln n + c that arrives, all are reached
 * with probability e^(−e^−c). What is lost on the way has to be sent beside, and what a member may send bounds it all.
 */
import { requireNumberField } from "../bounds.ts";

export interface FanoutConfig {
	/** c: 3 misses somebody in 5 % of broadcasts, 5 in 0.7 %. Default 4; bounds 0 to 20. */
	readonly reliability: number;
	/** Defaults 2 and 16. */
	readonly fanoutMin: number;
	readonly fanoutMax: number;
	/** Bytes that one member may send in a second. Default 1 MiB. */
	readonly bytesPerSecondMax: number;
	/** In ms, the interval's bounds; it is stretched when even the least fanout would send too much. Defaults 100 and 5,000. */
	readonly intervalMsMin: number;
	readonly intervalMsMax: number;
	/** The fanout moves only when the wanted one differs by more than this. Default 0.6: one that lies between two whole numbers does not flap. */
	readonly hysteresis: number;
}

export interface FanoutSignal {
	/** Members of the group, as far as known. */
	readonly members: number;
	/** Share of messages that are lost, in [0, 1). */
	readonly loss: number;
	/** Bytes of one gossip message. */
	readonly messageBytes: number;
}

export interface FanoutChoice {
	readonly fanout: number;
	readonly intervalMs: number;
}

/** The bounded knobs for a signal, given the present ones. */
export function chooseFanout(
	present: FanoutChoice,
	{ members, loss, messageBytes }: FanoutSignal,
	config: FanoutConfig,
): FanoutChoice {
	const { reliability, fanoutMin, fanoutMax, bytesPerSecondMax, intervalMsMin, intervalMsMax, hysteresis } = config;
	const arriving = 1 - Math.min(LOSS_MAX, Math.max(0, loss));
	const wanted = (Math.log(Math.max(2, members)) + reliability) / arriving;
	const stays =
		Math.abs(wanted - present.fanout) <= hysteresis && present.fanout >= fanoutMin && present.fanout <= fanoutMax;
	const ideal = stays ? present.fanout : Math.min(fanoutMax, Math.max(fanoutMin, Math.ceil(wanted)));
	const affordable = Math.floor((bytesPerSecondMax * intervalMsMax) / 1_000 / Math.max(1, messageBytes));
	const fanout = Math.max(fanoutMin, Math.min(ideal, affordable));
	const costMs = (1_000 * fanout * messageBytes) / bytesPerSecondMax;
	return { fanout, intervalMs: Math.min(intervalMsMax, Math.max(intervalMsMin, Math.ceil(costMs))) };
}

/** Beyond it a link is down rather than lossy, and no fanout helps. */
const LOSS_MAX = 0.9;

/** @throws QuorateError `gossip-config-invalid` */
export function fanoutConfig(given: Partial<FanoutConfig> = {}): FanoutConfig {
	const config: FanoutConfig = {
		reliability: 4,
		fanoutMin: 2,
		fanoutMax: 16,
		bytesPerSecondMax: 1_048_576,
		intervalMsMin: 100,
		intervalMsMax: 5_000,
		hysteresis: 0.6,
		...given,
	};
	requireNumberField("reliability", config.reliability, [0, 20]);
	requireNumberField("fanoutMin", config.fanoutMin, [1, 64]);
	requireNumberField("fanoutMax", config.fanoutMax, [config.fanoutMin, 64]);
	requireNumberField("bytesPerSecondMax", config.bytesPerSecondMax, [1, 2 ** 40]);
	requireNumberField("intervalMsMin", config.intervalMsMin, [1, 600_000]);
	requireNumberField("intervalMsMax", config.intervalMsMax, [config.intervalMsMin, 600_000]);
	requireNumberField("hysteresis", config.hysteresis, [0.5, 10]);
	return config;
}
