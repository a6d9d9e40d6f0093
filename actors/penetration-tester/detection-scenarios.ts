/**
 * What statistics alone can find: members that answer late, and members that misvote together. Nobody signs anything wrong here, so
 * there is no proof, only suspicion; and whoever is unlucky must not be taken for a liar.
 */
import { Generator, type NodeId, nodeId } from "../../protocols/core/index.ts";
import { IdealAuthority } from "../../protocols/verification/index.ts";
import { SecurityMonitor } from "../security-manager/index.ts";
import type { Scenario, ScenarioContext, Tally } from "./contract.ts";
import { maxFaults } from "./group-size.ts";
import { hashingPort } from "./hashing-port.ts";

/** Rounds before the attack, in which each link shows what is usual on it. */
const CALM_ROUNDS = 64;
const ATTACK_ROUNDS = 128;
const ROUND_MS = 50;
/** A usual delay is so long, and up to half as long again. */
const DELAY_MS = 4;
/** How much later a slow attacker answers. */
const SLOWNESS = 8;
/** The network is as late as an attacker now and then, for anybody. */
const SPIKE_CHANCE = 0.02;
/** A member is taken for slow below this reputation, where everybody begins at 0.5: one late answer is nothing. */
const REPUTATION_MIN = 0.25;
/** How often anybody misvotes by itself, so that any two share misvotes by chance, and how often colluders do so together. */
const MISVOTE_CHANCE = 0.2;
const COLLUSION_CHANCE = 0.35;

interface Round {
	readonly delaysMs?: ReadonlyMap<NodeId, number>;
	readonly misvoters?: readonly NodeId[];
}

interface Watched {
	/** Rounds after which a member was first taken for an attacker, from the attack's begin. */
	readonly accusedAfter: ReadonlyMap<NodeId, number>;
	readonly convicted: number;
}

type Play = (dice: Generator, members: readonly NodeId[], attackers: ReadonlySet<NodeId>) => Round;

/** Shows a monitor all rounds. It knows the members and not the attackers. */
function watch(
	seed: number,
	members: readonly NodeId[],
	attackers: ReadonlySet<NodeId>,
	play: Play,
	isSlowness: boolean,
): Watched {
	const observer = nodeId("observer");
	const dice = new Generator(seed, "detection");
	let nowMs = 0;
	const monitor = new SecurityMonitor({
		node: observer,
		members,
		crypto: hashingPort(new IdealAuthority(seed, [observer]), observer),
		generator: dice.fork("monitor"),
		nowMs: () => nowMs,
		admission: { authority: observer, workChallenge: Uint8Array.of(7), workBits: 1 },
	});
	const accusedAfter = new Map<NodeId, number>();
	for (let round = -CALM_ROUNDS; round < ATTACK_ROUNDS; round++) {
		nowMs += ROUND_MS;
		const findings = monitor.detectByzantineAttacks({
			statements: [],
			...play(dice, members, round < 0 ? new Set() : attackers),
		});
		const accused = isSlowness
			? members.filter((member) => (monitor.reputation(member) ?? 0) < REPUTATION_MIN)
			: findings.flatMap(({ culprits }) => culprits);
		for (const member of accused) if (!accusedAfter.has(member)) accusedAfter.set(member, Math.max(0, round + 1));
	}
	return { accusedAfter, convicted: monitor.metrics.convicted };
}

function tallyOf({ seed, nodes, trials }: ScenarioContext, count: number, play: Play, isSlowness: boolean): Tally {
	const members = Array.from({ length: nodes }, (_, at) => nodeId(`node-${at + 1}`));
	const latenciesMs: number[] = [];
	let [detected, innocents, accused, convicted] = [0, 0, 0, 0];
	for (let trial = 0; trial < 2 * trials; trial++) {
		// Every second trial is a control, without attackers.
		const first = trial % nodes;
		const attackers = new Set(
			trial % 2 === 1 ? [] : Array.from({ length: count }, (_, at) => members[(first + at) % nodes] as NodeId),
		);
		const watched = watch(seed + trial, members, attackers, play, isSlowness);
		convicted += watched.convicted;
		for (const member of members) {
			const after = watched.accusedAfter.get(member);
			if (!attackers.has(member)) {
				innocents += 1;
				if (after !== undefined) accused += 1;
			} else if (after !== undefined) {
				detected += 1;
				latenciesMs.push(after * ROUND_MS);
			}
		}
	}
	return {
		trials,
		attacks: count * trials,
		detected,
		innocents,
		accused,
		latenciesMs,
		// Statistics are no proof, however clear.
		isSafe: convicted === 0,
		hasProgress: accused < innocents,
		damage: convicted === 0 ? [] : [`${convicted} members were convicted without a proof`],
		mitigation: `${detected} attackers lost reputation, ${convicted} were convicted without a proof`,
		beyond: null,
	};
}

const delays: Play = (dice, members, attackers) => ({
	delaysMs: new Map(
		members.map((member) => {
			const usual = DELAY_MS * (1 + dice.fraction() / 2);
			const isLate = attackers.has(member) || dice.chance(SPIKE_CHANCE);
			return [member, isLate ? usual * SLOWNESS : usual];
		}),
	),
});

const misvotes: Play = (dice, members, attackers) => {
	const isTogether = dice.chance(COLLUSION_CHANCE);
	return {
		misvoters: members.filter((member) => dice.chance(MISVOTE_CHANCE) || (isTogether && attackers.has(member))),
	};
};

export const detectionScenarios: readonly Scenario[] = [
	{
		name: "late-answers",
		kind: "security",
		mode: null,
		description:
			"f members answer eight times later than before, on a network that is as late for anybody now and then.",
		means: "suspicion",
		// A link's median follows the attacker only after half a window, 32 late answers at 0.05 each: more than any reputation.
		// An innocent falls below the limit only by many spikes in a row, each of chance 0.02.
		floors: { detection: 1, falsePositives: 0 },
		run: (context) => tallyOf(context, maxFaults(context.nodes), delays, true),
	},
	{
		name: "collusion",
		kind: "security",
		mode: null,
		description:
			"Two members, or f if that is more, misvote together now and then, among members that misvote by chance.",
		means: "suspicion",
		// A look names a wrong pair with a chance of at most 0.001, so all 192 looks of a trial with at most 0.192: 2 of n >= 4 members.
		// That is a mean over seeds; one trial of few members can exceed it by a single wrong pair.
		floors: { detection: 0.9, falsePositives: 0.1 },
		run: (context) => tallyOf(context, Math.max(2, maxFaults(context.nodes)), misvotes, false),
	},
];
