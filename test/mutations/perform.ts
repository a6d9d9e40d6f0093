/**
 * What runs inside of a copy of the tree: a child process that makes attempts, one after the other, with the copy's own
 * code. It is sent attempts one by one and answers each with its outcome; what ends the process is for its parent to notice.
 */
import { Readable } from "node:stream";
import type { CommandWorld } from "../../actors/console/run-command.ts";
import type { SeedPool } from "../../actors/console/simulate-command.ts";
import { type Output, silentOutput } from "../../actors/console/terminal.ts";
import { QuorateError } from "../../protocols/core/index.ts";
import { machineNowMs, ThreadClock } from "../../runtime/index.ts";
import type { Attempt, Outcome } from "./attempt.ts";

/** Some errors carry whole states. */
const REASON_MAX = 400;

type Performer = (args: readonly string[]) => Promise<Outcome>;

const performers: Readonly<Partial<Record<Attempt[0], Performer>>> = { simulate, check, chaos, machines };

process.on("message", (attempt: Attempt) => void answer(attempt));
process.on("disconnect", () => process.exit());
process.send?.({ type: "ready" });

async function answer([tool, ...args]: Attempt): Promise<void> {
	const perform = performers[tool];
	if (perform === undefined) throw new Error(`no attempt of this process: ${tool}`);
	let outcome: Outcome;
	try {
		outcome = await perform(args);
	} catch (error) {
		outcome = thrown(error, tool === "check" ? "" : "1 seed");
	}
	process.send?.({ type: "outcome", outcome });
}

/** An attempt that throws has noticed something. */
function thrown(error: unknown, effort: string): Outcome {
	const chain: string[] = [];
	for (let cause = error; cause instanceof Error; cause = cause.cause) chain.push(`${cause.name}: ${cause.message}`);
	const [message] = (error instanceof Error ? error.message : String(error)).split(/ \(| at observation |\n/, 1);
	const by = error instanceof QuorateError ? error.code : (message ?? "");
	return { isNoticed: true, by, reason: chain.join("; ").slice(0, REASON_MAX), effort };
}

interface SimulationObject {
	readonly seeds: { readonly run: number };
	readonly failures: readonly {
		readonly verdict: string;
		readonly reasons: readonly string[];
		readonly violations: readonly string[];
	}[];
}

// Each tool is loaded when it is used: most need a small part of the tree.

/** Seeds are run in this process, not on threads: they would load the same code once more. */
async function simulate(args: readonly string[]): Promise<Outcome> {
	const { simulateCommand } = await import("../../actors/console/simulate-command.ts");
	const { runSeed } = await import("../../actors/experiment/index.ts");
	const inProcess = (): SeedPool => ({ width: 1, run: runSeed, close: () => Promise.resolve() });
	const { exitCode, object } = await command((world) => simulateCommand([...args, "--json"], world, inProcess));
	if ("wallMs" in (object as object)) return simulatedReplicas(exitCode, object as ReplicaSimulationObject);
	if (!("failures" in (object as object))) return simulatedGossip(exitCode, object as GossipSimulationObject);
	const { seeds, failures } = object as SimulationObject;
	const [failure] = failures;
	return {
		isNoticed: exitCode !== 0,
		by: failure?.violations[0] ?? failure?.verdict ?? "",
		reason: failure?.reasons[0] ?? "",
		effort: `${seeds.run} ${seeds.run === 1 ? "seed" : "seeds"}`,
	};
}

interface GossipSimulationObject {
	readonly faults: readonly string[];
}

function simulatedGossip(exitCode: number, { faults: [fault] }: GossipSimulationObject): Outcome {
	return { isNoticed: exitCode !== 0, by: fault ?? "", reason: fault ?? "", effort: "1 seed" };
}

interface ReplicaSimulationObject {
	readonly seeds: readonly { readonly verdict: string; readonly reasons: readonly string[] }[];
}

function simulatedReplicas(exitCode: number, { seeds }: ReplicaSimulationObject): Outcome {
	const failed = seeds.find(({ verdict }) => verdict !== "pass");
	const [by = "", reason = by] = [failed?.verdict, failed?.reasons[0]];
	return { isNoticed: exitCode !== 0, by, reason, effort: `${seeds.length} ${seeds.length === 1 ? "seed" : "seeds"}` };
}

interface CheckObject {
	readonly verdict: string;
	readonly distinct: number;
	readonly counterexample: { readonly property: string; readonly steps: readonly unknown[] } | null;
}

async function check(args: readonly string[]): Promise<Outcome> {
	const { checkCommand } = await import("../../actors/console/check-command.ts");
	const { exitCode, object } = await command((world) => checkCommand([...args, "--json"], world));
	const { verdict, distinct, counterexample } = object as CheckObject;
	return {
		isNoticed: exitCode !== 0,
		by: counterexample?.property ?? verdict,
		reason: counterexample === null ? verdict : `violated after ${counterexample.steps.length} steps`,
		effort: `${distinct} states`,
	};
}

interface ExperimentObject {
	readonly verdict: string;
	readonly reasons: readonly string[];
	readonly violations: readonly string[];
}

async function chaos(args: readonly string[]): Promise<Outcome> {
	const { chaosCommand } = await import("../../actors/console/chaos-command.ts");
	const { exitCode, object } = await command((world) => chaosCommand([...args, "--json"], world));
	const { verdict, reasons, violations } = object as ExperimentObject;
	return { isNoticed: exitCode !== 0, by: violations[0] ?? verdict, reason: reasons[0] ?? "", effort: "1 experiment" };
}

async function machines([module = "", seed = ""]: readonly string[]): Promise<Outcome> {
	const place = new URL(`../../${module.replace(/\.ts$/, ".js")}`, import.meta.url).href;
	const loaded = (await import(place)) as { readonly runSeed: (seed: number) => unknown };
	loaded.runSeed(Number(seed));
	return { isNoticed: false, by: "", reason: "", effort: "1 seed" };
}

/** Performs a command that prints one JSON object. */
async function command(
	perform: (world: CommandWorld) => Promise<number>,
): Promise<{ readonly exitCode: number; readonly object: unknown }> {
	let written = "";
	const append = (text: string): void => {
		written += text;
	};
	const output: Output = { ...silentOutput, write: append };
	const clock = new ThreadClock(machineNowMs());
	try {
		const exitCode = await perform({
			version: "mutant",
			workingDirectory: process.cwd(),
			standardInput: Readable.from([]),
			environment: {},
			output,
			errors: silentOutput,
			clock,
			interrupt: new AbortController().signal,
			temporaries: new Set(),
			startTarget: () => Promise.reject(new Error("no attempt starts a swarm on threads")),
		});
		return { exitCode, object: JSON.parse(written) };
	} finally {
		clock.stop();
	}
}
