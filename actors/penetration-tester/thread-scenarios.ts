/** The same on real threads: the shipped group, with its supervision, storage and keys, serves clients while f of its members attack. */
import { performance } from "node:perf_hooks";
import { ByzantineGroup } from "../byzantine-coordinator/index.ts";
import type { Scenario, ScenarioContext, Tally } from "./contract.ts";
import { maxFaults } from "./group-size.ts";

/** Attacks that give proofs whenever they take place. */
const strategies = ["double-vote", "wrong-votes"];
const REQUESTS = 40;
/** A busy machine must not be taken for a slow primary. */
const VIEW_TIMEOUT_MS = 4_000;
const CLIENT_TIMEOUT_MS = 60_000;
/** After the load, proofs and laggards get so long. */
const SETTLE_MS = 20_000;
const LOOK_EVERY_MS = 20;

interface ThreadRun {
	readonly attackers: ReadonlySet<string>;
	readonly convictedAtMs: ReadonlyMap<string, number>;
	readonly answered: number;
	readonly states: readonly string[];
	readonly failure: string | null;
}

async function serve(
	nodes: number,
	attackers: Readonly<Record<string, string>>,
	interrupt: AbortSignal,
): Promise<ThreadRun> {
	const group = await ByzantineGroup.start({ nodes, attackers, config: { viewTimeoutMs: VIEW_TIMEOUT_MS } });
	const startedMs = performance.now();
	const convictedAtMs = new Map<string, number>();
	let failure: string | null = null;
	const subscription = group.events$.subscribe((event) => {
		if (event.type === "member-convicted") convictedAtMs.set(event.conviction.culprit, performance.now() - startedMs);
		if (event.type === "group-failed") failure = event.error.code;
	});
	try {
		const client = group.client({ timeoutMs: CLIENT_TIMEOUT_MS });
		const puts = Array.from({ length: REQUESTS }, (_, at) => client.propose({ type: "put", key: `k${at}`, value: at }));
		const answered = (await Promise.allSettled(puts)).filter(({ status }) => status === "fulfilled").length;
		const names = new Set(Object.keys(attackers));
		const correct = group.nodes.filter((node) => !names.has(node));
		let states = await statesOf(group, correct);
		const until = performance.now() + SETTLE_MS;
		const isSettled = (): boolean => new Set(states).size === 1 && [...names].every((name) => convictedAtMs.has(name));
		while (!isSettled() && performance.now() < until && !interrupt.aborted) {
			await new Promise((goOn) => setTimeout(goOn, LOOK_EVERY_MS));
			states = await statesOf(group, correct);
		}
		return { attackers: names, convictedAtMs, answered, states, failure };
	} finally {
		subscription.unsubscribe();
		await group.stop();
	}
}

/** Everything that each of them holds. */
async function statesOf(group: ByzantineGroup, nodes: readonly string[]): Promise<string[]> {
	const keys = Array.from({ length: REQUESTS }, (_, at) => `k${at}`);
	return Promise.all(
		nodes.map(async (node) =>
			JSON.stringify(await Promise.all(keys.map((key) => group.inspect(node, { type: "get", key })))),
		),
	);
}

async function tally({ nodes, interrupt }: ScenarioContext): Promise<Tally> {
	const attackers = Object.fromEntries(
		Array.from({ length: maxFaults(nodes) }, (_, at) => [
			`node-${nodes - at}`,
			strategies[at % strategies.length] as string,
		]),
	);
	const attacked = await serve(nodes, attackers, interrupt);
	const control = await serve(nodes, {}, interrupt);
	const runs = [attacked, control];
	const found = [...attacked.attackers].filter((name) => attacked.convictedAtMs.has(name));
	const accused = runs.flatMap((run) => [...run.convictedAtMs.keys()].filter((name) => !run.attackers.has(name)));
	const differ = runs.filter(({ states }) => new Set(states).size !== 1).length;
	const failures = runs.flatMap(({ failure }) => (failure === null ? [] : [failure]));
	const answered = runs.reduce((sum, run) => sum + run.answered, 0);
	return {
		trials: 1,
		attacks: attacked.attackers.size,
		detected: found.length,
		innocents: 2 * nodes - attacked.attackers.size,
		accused: accused.length,
		latenciesMs: found.map((name) => attacked.convictedAtMs.get(name) as number),
		isSafe: differ === 0 && failures.length === 0,
		hasProgress: answered === 2 * REQUESTS,
		damage: [...failures, ...(differ === 0 ? [] : ["correct members hold different values"])],
		mitigation: `${answered} of ${2 * REQUESTS} requests answered`,
		beyond: null,
	};
}

export const threadScenarios: readonly Scenario[] = [
	{
		name: "threads",
		kind: "threads",
		mode: "signed",
		description:
			"f members of a group on real threads vote for two things, or for what nobody has proposed; then the same without them.",
		means: "proof",
		floors: { detection: 1, falsePositives: 0 },
		run: tally,
	},
];
