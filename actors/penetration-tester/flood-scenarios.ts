/** Floods of requests, by a stranger and by a member of the group. */
import { Generator, type NodeId, nodeId } from "../../protocols/core/index.ts";
import { TokenBucket } from "../../protocols/security/index.ts";
import { IdealAuthority } from "../../protocols/verification/index.ts";
import { SecurityMonitor } from "../security-manager/index.ts";
import type { Scenario, ScenarioContext, Tally } from "./contract.ts";
import { hashingPort } from "./hashing-port.ts";

const DURATION_MS = 4_000;
/** What the node bears in all, a second: the flood is more, the honest ones together are much less. */
const BEARABLE = { capacity: 200, refillPerSecond: 200 };
const PER_SENDER = { capacity: 40, refillPerSecond: 30 };
const STRIKES = 50;
const HONEST = 6;
const HONEST_EVERY_MS = 50;
const FLOOD_PER_MS = 2;
const observer = nodeId("observer");

interface Counts {
	/** Requests of honest senders. */
	readonly asked: number;
	/** Of these, with the ladder, and with one budget for all. */
	readonly served: number;
	readonly servedWithout: number;
	/** Of the flooder. */
	readonly floods: number;
	readonly stopped: number;
	readonly alertedAtMs: number | null;
	/** Whom alerts named. */
	readonly named: readonly string[];
}

function flooded(seed: number, flooder: string | null, members: readonly NodeId[]): Counts {
	let [nowMs, asked, served, servedWithout, floods, stopped] = [0, 0, 0, 0, 0, 0];
	let alertedAtMs: number | null = null;
	const named: string[] = [];
	const monitor = new SecurityMonitor({
		node: observer,
		members,
		crypto: hashingPort(new IdealAuthority(seed, [observer]), observer),
		generator: new Generator(seed, "monitor"),
		nowMs: () => nowMs,
		admission: { authority: observer, workChallenge: new Uint8Array(1) },
		dos: { perSender: PER_SENDER, global: BEARABLE, strikes: STRIKES },
		alert: ({ about }) => {
			alertedAtMs ??= nowMs;
			named.push(...about);
		},
	});
	const single = new TokenBucket(BEARABLE, 0);
	const phase = new Generator(seed, "honest");
	const offsets = Array.from({ length: HONEST }, () => phase.below(HONEST_EVERY_MS));
	const passes = (sender: string): boolean => monitor.mitigateDoSAttacks([{ sender }]).length === 1;
	for (; nowMs < DURATION_MS; nowMs++) {
		for (let burst = 0; flooder !== null && burst < FLOOD_PER_MS; burst++) {
			floods += 1;
			single.take(nowMs);
			if (!passes(flooder)) stopped += 1;
		}
		for (const [at, offset] of offsets.entries()) {
			if (nowMs % HONEST_EVERY_MS !== offset) continue;
			asked += 1;
			if (passes(`client-${at + 1}`)) served += 1;
			if (single.take(nowMs)) servedWithout += 1;
		}
	}
	return { asked, served, servedWithout, floods, stopped, alertedAtMs, named };
}

/** What the budget allows the flooder is not stopped, nor has it to be. */
const ALLOWED: number = PER_SENDER.capacity + (PER_SENDER.refillPerSecond * DURATION_MS) / 1_000;

function tallyOf(
	{ seed, trials }: ScenarioContext,
	flooder: string,
	members: readonly NodeId[],
	isBanned: boolean,
): Tally {
	const runs = Array.from({ length: trials }, (_, at) => flooded(seed + at, flooder, members));
	const controls = Array.from({ length: trials }, (_, at) => flooded(seed + at, null, members));
	const sum = (of: (counts: Counts) => number, over: readonly Counts[] = runs): number =>
		over.reduce((total, counts) => total + of(counts), 0);
	const asked = sum(({ asked: count }) => count, [...runs, ...controls]);
	const served = sum(({ served: count }) => count, [...runs, ...controls]);
	const isFelt = runs.every((counts) => counts.servedWithout < counts.asked / 2);
	const wronglyNamed = [...runs, ...controls].flatMap(({ named }) => named).filter((name) => name !== flooder);
	const hasBanned = runs.every(({ alertedAtMs }) => (alertedAtMs !== null) === isBanned);
	const floods = sum((counts) => Math.max(0, counts.floods - ALLOWED));
	return {
		trials,
		// With one budget for all the honest must suffer, or it is no flood.
		attacks: isFelt ? floods : 0,
		detected: Math.min(
			floods,
			sum(({ stopped }) => stopped),
		),
		innocents: asked,
		accused: asked - served + wronglyNamed.length,
		latenciesMs: runs.flatMap(({ alertedAtMs }) => (alertedAtMs === null ? [] : [alertedAtMs])),
		isSafe: hasBanned,
		hasProgress: served > 0,
		damage: hasBanned ? [] : [isBanned ? "the flooder was not banned" : "a member was banned without a proof"],
		mitigation: `honest requests served ${percent(served, asked)}; with one budget for all ${percent(
			sum((counts) => counts.servedWithout),
			sum((counts) => counts.asked),
		)}`,
		beyond: null,
	};
}

function percent(part: number, whole: number): string {
	return `${((100 * part) / Math.max(1, whole)).toFixed(1)} %`;
}

const members = ["node-1", "node-2", "node-3", "node-4"].map(nodeId);

export const floodScenarios: readonly Scenario[] = [
	{
		name: "dos-stranger",
		kind: "security",
		mode: null,
		description: "A stranger sends ten times what the node bears.",
		means: "refusal",
		floors: { detection: 1, falsePositives: 0 },
		run: (context) => tallyOf(context, "mallory", members, true),
	},
	{
		name: "dos-member",
		kind: "security",
		mode: null,
		description:
			"A member of the group sends ten times what the node bears; it must be throttled, and not be banned without a proof.",
		means: "refusal",
		floors: { detection: 1, falsePositives: 0 },
		run: (context) => tallyOf(context, "node-2", members, false),
	},
];
