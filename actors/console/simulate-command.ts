/** The command `quorate simulate`: many seeds over all cores, or one seed under the magnifying glass. */
import { access, constants, writeFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { dirname, resolve } from "node:path";
import type { QuorateError } from "../../protocols/core/index.ts";
import { ComputePool } from "../../runtime/index.ts";
import {
	type Experiment,
	formatExperiment,
	type Journal,
	runExperiment,
	shrinkExperiment,
	type TargetEvent,
} from "../../supervisors/index.ts";
import {
	byzantineFaults,
	engineOf,
	experimentOf,
	faultsBorne,
	plannedFaults,
	type SeedOrder,
	type SeedResult,
	seedTask,
} from "../experiment/index.ts";
import { crdtSimulateCommand } from "./crdt-simulate-command.ts";
import { experimentErrors } from "./errors.ts";
import { readExperiment } from "./experiment-file.ts";
import { namesGossip } from "./gossip-run-options.ts";
import { gossipSimulateCommand } from "./gossip-simulate-command.ts";
import { namedProtocol } from "./named-protocol.ts";
import type { CommandWorld } from "./run-command.ts";
import { parseSimulateOptions, type SimulateOptions, simulateHelp } from "./simulate-options.ts";
import { SeedsProgress } from "./simulate-progress.ts";
import {
	exitCodeOf,
	printSimulation,
	type SimulationCost,
	type SimulationSetting,
	simulationObject,
} from "./simulate-report.ts";
import { SimulationSummary } from "./simulate-summary.ts";
import { printTrace } from "./simulate-trace.ts";
import { formatMs } from "./table.ts";
import { silentOutput } from "./terminal.ts";
import { fileErrorReason } from "./text-source.ts";
import { interruptExitCode } from "./verdict.ts";

/** Old generation of a thread that runs seeds: histories and journals of a minute of virtual time take some tens of MB. */
const HEAP_LIMIT_MB = 1_024;

/** Where seeds are run. */
export interface SeedPool {
	/** Seeds that are run side by side. */
	readonly width: number;
	run(order: SeedOrder): Promise<SeedResult>;
	close(): Promise<void>;
}

/**
 * Performs `quorate simulate` and returns its exit code.
 * @param openPool for tests; by default threads of a compute pool
 * @throws QuorateError for everything that keeps it from beginning
 */
export async function simulateCommand(
	args: readonly string[],
	world: CommandWorld,
	openPool: (width: number) => SeedPool = threadPool,
): Promise<number> {
	if (namesGossip(args)) return await gossipSimulateCommand(args, world);
	if (namedProtocol(args) === "crdt") return await crdtSimulateCommand(args, world);
	const options = parseSimulateOptions(args);
	if (options.help) {
		world.output.write(simulateHelp());
		return 0;
	}
	const from = await sourceOf(options, world);
	const command = new SimulateCommand(options, world, from);
	if (options.shrink) return command.shrink();
	return options.trace ? command.trace() : command.runSeeds(openPool);
}

async function sourceOf(options: SimulateOptions, world: CommandWorld): Promise<SeedOrder["from"]> {
	const { experiment, protocol, nodes, witnesses, forMs, faults } = options;
	if (experiment !== null) return { experiment: await readExperiment(experiment, world.workingDirectory) };
	if (protocol === "raft") return { protocol, nodes, witnesses, forMs, faults: plannedFaults(faults) };
	const { byzantine, attacks, modes } = options;
	return { protocol, nodes, byzantine, attacks, modes, forMs, faults: byzantineFaults(faults) };
}

class SimulateCommand {
	readonly #options: SimulateOptions;
	readonly #world: CommandWorld;
	readonly #from: SeedOrder["from"];

	constructor(options: SimulateOptions, world: CommandWorld, from: SeedOrder["from"]) {
		this.#options = options;
		this.#world = world;
		this.#from = from;
	}

	/** All seeds, spread over the pool. */
	async runSeeds(openPool: (width: number) => SeedPool): Promise<number> {
		const { first, last } = this.#options.seeds;
		const { json, threads } = this.#options;
		const { clock, interrupt } = this.#world;
		const output = json ? silentOutput : this.#world.output;
		const total = last - first + 1;
		output.write(`${this.#describe(total)}\n\n`);
		const startMs = clock.nowMs();
		const cpuBefore = process.cpuUsage();
		const summary = new SimulationSummary();
		const progress = new SeedsProgress(output);
		const pool = openPool(Math.min(threads ?? availableParallelism(), total));
		try {
			let next = first;
			const worker = async (): Promise<void> => {
				while (next <= last && !interrupt.aborted) {
					const seed = next++;
					summary.add(await pool.run({ seed, from: this.#from }));
					const { seeds: done, verdicts, virtualMs } = summary;
					progress.show({ done, total, failed: done - verdicts.pass, virtualMs, elapsedMs: clock.nowMs() - startMs });
				}
			};
			await untilAborted(Promise.all(Array.from({ length: pool.width }, worker)), interrupt);
		} finally {
			progress.clear();
			await pool.close();
		}
		const { user, system } = process.cpuUsage(cpuBefore);
		const cost: SimulationCost = { wallMs: clock.nowMs() - startMs, cpuMs: (user + system) / 1_000 };
		const setting = this.#setting(total);
		if (json) this.#world.output.write(`${JSON.stringify(simulationObject(summary, cost, setting))}\n`);
		else printSimulation(summary, cost, setting, output);
		return interrupt.aborted ? interruptExitCode(interrupt) : exitCodeOf(summary, setting);
	}

	/** One seed, told in full. */
	async trace(): Promise<number> {
		const { output } = this.#world;
		const experiment = this.#experiment();
		output.write(`${this.#describe(1)}\n\n`);
		const events: TargetEvent[] = [];
		const journal = await this.#run(experiment, (event) => events.push(event));
		printTrace(journal, events, output);
		return this.#world.interrupt.aborted
			? interruptExitCode(this.#world.interrupt)
			: journal.verdict === "pass"
				? 0
				: 1;
	}

	/** One seed that fails, made small. Exit code 1: it still fails. */
	async shrink(): Promise<number> {
		const { clock, interrupt, workingDirectory } = this.#world;
		const output = this.#options.json ? silentOutput : this.#world.output;
		const { first: seed } = this.#options.seeds;
		const experiment = this.#experiment();
		const [property] = (await this.#run(experiment)).violations;
		if (interrupt.aborted) return interruptExitCode(interrupt);
		if (property === undefined) {
			const { verdict } = await this.#run(experiment);
			throw experimentErrors.nothingToShrink({ seed, verdict });
		}
		const file = this.#options.out ?? `seed-${seed}.yaml`;
		const path = resolve(workingDirectory, file);
		// Before the work of minutes: it would be lost.
		await access(dirname(path), constants.W_OK).catch((cause) => {
			throw unwritable(file, cause);
		});
		output.write(`seed ${seed} violates ${property}; making its experiment smaller\n`);
		const startMs = clock.nowMs();
		const { experiment: small, statistics } = await shrinkExperiment(experiment, {
			property,
			violations: async (candidate) => (await this.#run(candidate)).violations,
			elapsedMs: () => clock.nowMs() - startMs,
			signal: interrupt,
		});
		await writeFile(path, formatExperiment(small)).catch((cause) => {
			throw unwritable(file, cause);
		});
		if (this.#options.json) {
			this.#world.output.write(`${JSON.stringify({ seed, property, file, statistics })}\n`);
		} else {
			const { before, after, runs, elapsedMs } = statistics;
			output.write(
				`${before.faults} faults and ${before.operations} operations became ${after.faults} and ${after.operations} ` +
					`after ${runs} runs in ${formatMs(elapsedMs)}\nwritten to ${file}; run it: quorate chaos run ${file}\n`,
			);
		}
		return interrupt.aborted ? interruptExitCode(interrupt) : 1;
	}

	async #run(experiment: Experiment, hear: (event: TargetEvent) => void = () => undefined): Promise<Journal> {
		const engine = engineOf({ seed: experiment.seed, from: this.#from });
		const listening: typeof engine = {
			...engine,
			start: (order) =>
				engine.start({
					...order,
					observe: (event) => {
						hear(event);
						order.observe(event);
					},
				}),
		};
		const { version, interrupt } = this.#world;
		const { journal } = await runExperiment(experiment, {
			engine: listening,
			signal: interrupt,
			versions: { quorate: version },
			replay: this.#setting(1).replay(experiment.seed),
		});
		return journal;
	}

	#experiment(): Experiment {
		return experimentOf({ seed: this.#options.seeds.first, from: this.#from });
	}

	#setting(seeds: number): SimulationSetting {
		const { experiment, nodes, witnesses, forMs, faults } = this.#options;
		const members = `--nodes ${nodes}${witnesses === 0 ? "" : ` --witnesses ${witnesses}`}`;
		const group = `${byzantineArguments(this.#options)}${members} --for ${forMs}ms --faults ${faults}`;
		const what = experiment === null ? group : `--experiment ${experiment}`;
		return {
			version: this.#world.version,
			seeds,
			replay: (seed) => `quorate simulate --seed ${seed} ${what} --trace`,
		};
	}

	#describe(total: number): string {
		const { version } = this.#world;
		const { seeds, nodes, forMs, faults, experiment, protocol } = this.#options;
		const which = total === 1 ? `seed ${seeds.first}` : `seeds ${seeds.first} to ${seeds.last}`;
		const what =
			experiment === null
				? `${protocol} with ${nodes} members${rolesText(this.#options)}, ${forMs / 1_000} s of virtual time each, faults: ${faults}`
				: experiment;
		return `quorate ${version}: ${which}, ${what}`;
	}
}

/** What a group of PBFT is called with, as it was given: the rest is drawn by the seed. */
function byzantineArguments({ protocol, byzantine, attacks, modes }: SimulateOptions): string {
	if (protocol === "raft") return "";
	const given = [
		`--protocol ${protocol}`,
		...(byzantine === null ? [] : [`--byzantine ${byzantine}`]),
		...(attacks === null ? [] : [`--attack ${attacks.join(",")}`]),
		...Object.entries(modes).map(([name, mode]) => `--${name} ${mode}`),
	];
	return `${given.join(" ")} `;
}

/** What some of the members are, beside members. */
function rolesText({ protocol, nodes, witnesses, byzantine, attacks, modes }: SimulateOptions): string {
	if (protocol === "raft") return witnesses === 0 ? "" : `, of which ${witnesses} witness`;
	const many = byzantine === null ? `up to ${faultsBorne(nodes)}` : String(byzantine);
	const how = attacks === null ? "" : ` (${attacks.join(", ")})`;
	const voting = Object.entries(modes).map(([name, mode]) => `, ${name} ${mode}`);
	return `, of which ${many} lie${how}${voting.join("")}`;
}

/** Compute threads, each with one seed at a time. */
export function threadPool(width: number): SeedPool {
	const pool = new ComputePool({ threadsMax: width, heapLimitMb: HEAP_LIMIT_MB });
	return { width, run: (order) => pool.run<SeedResult>(seedTask(order)), close: () => pool.close() };
}

function unwritable(file: string, cause: unknown): QuorateError {
	return experimentErrors.unwritable({ file, reason: fileErrorReason(cause) }, { cause });
}

/** Whoever is interrupted does not wait for the seeds under way. */
async function untilAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
	let aborted: () => void = () => undefined;
	const interruption = new Promise<void>((end) => {
		aborted = end;
	});
	signal.addEventListener("abort", aborted, { once: true });
	// What the closing of the pool does to the seeds under way is no failure then.
	work.catch(() => undefined);
	try {
		if (!signal.aborted) await Promise.race([work, interruption]);
	} finally {
		signal.removeEventListener("abort", aborted);
	}
}
