/**
 * The engine `threads`: the same experiment on worker threads and the real clock. Members and storage are the shipped ones
 * behind faults ({@link DisturbedParticipant}, {@link DisturbedStorage}); what they publish, and their deaths, are all that
 * is observed, so only properties that need no more are watched. Runs are not repeatable.
 */
import { Generator } from "../../protocols/core/index.ts";
import type { RaftObservation } from "../../protocols/raft/properties/index.ts";
import { machineNowMs, type StorageActorArgs, ThreadClock } from "../../runtime/index.ts";
import type { ExperimentEngine, ExperimentTarget, TargetOrder } from "../../supervisors/index.ts";
import {
	checkOptions,
	eventProperties,
	observationOf,
	Swarm,
	type SwarmBackend,
	startBackend,
} from "../swarm/index.ts";
import { disturbedParticipantModule } from "./disturbed-participant.ts";
import { type DisturbedStorageArgs, disturbedStorageModule } from "./disturbed-storage.ts";
import { FailingActors } from "./failing-actors.ts";
import { createFaultBoard, FaultBoardWriter } from "./fault-board.ts";
import { HeldThreads, withThreads } from "./held-threads.ts";
import { KEY_VALUE_WORKLOAD } from "./key-value-workload.ts";
import { probeNames } from "./probes.ts";
import { PropertyAccount } from "./property-account.ts";
import type { TargetStage } from "./staged-target.ts";
import { GROUP, raftOptionsOf, START_TIMEOUT_MS } from "./swarm-options.ts";
import { SwarmTarget } from "./swarm-target.ts";
import { ThreadFaults, threadFaultKinds, threadRefusals } from "./thread-faults.ts";

/** How often a condition is looked at while time passes. */
const LOOK_EVERY_MS = 5;

/** The engine. It takes the modules that threads load from the built package. */
export function threadsEngine(): ExperimentEngine {
	return {
		name: "threads",
		faults: threadFaultKinds,
		refusals: threadRefusals,
		disks: new Set(["shared"]),
		probes: probeNames,
		workloads: new Set([KEY_VALUE_WORKLOAD]),
		properties: new Map(eventProperties.map(({ id, kind }) => [id, kind])),
		start: startThreads,
	};
}

async function startThreads(order: TargetOrder): Promise<ExperimentTarget> {
	const { topology, seed, observe } = order;
	const raft = raftOptionsOf(topology);
	const storage = topology.storage === "memory" ? { type: "memory" as const } : { type: "lmdb" as const };
	const memory = createFaultBoard();
	const base = await startBackend(await checkOptions({ raft, storage, seed }));
	const threads = new HeldThreads(base.backend.threads);
	const failing = new FailingActors();
	const { engine } = (base.storage.behaviour as { readonly args: StorageActorArgs }).args;
	const storageArgs: DisturbedStorageArgs = { engine, board: memory };
	const backend: SwarmBackend = {
		...base,
		backend: withThreads(base.backend, threads, failing.within(base.backend.ports)),
		participant: { module: disturbedParticipantModule, export: "DisturbedParticipant", args: { board: memory } },
		storage: {
			...base.storage,
			behaviour: { module: disturbedStorageModule, export: "DisturbedStorage", args: storageArgs },
		},
	};
	// Its own: a swarm that fails ends its clock with it, and the experiment must go on to its verdict.
	const clock = new ThreadClock(machineNowMs());
	const originMs = clock.nowMs();
	const swarm = await Swarm.start({ raft, seed, backend, startTimeoutMs: START_TIMEOUT_MS });
	const account = watch(swarm, order, () => clock.nowMs() - originMs);
	const generator = new Generator(seed, "targets");
	const board = new FaultBoardWriter(memory);
	const faults = new ThreadFaults({ swarm, clock, group: GROUP, board, threads, failing, generator });
	let steps = 0;
	swarm.events$.subscribe(() => {
		steps += 1;
	});
	const pause = (ms: number): Promise<void> => new Promise((resolve) => clock.schedule(ms, resolve));
	const stage: TargetStage = {
		clock,
		originMs,
		pass: async (durationMs, until) => {
			const endMs = clock.nowMs() + durationMs;
			for (;;) {
				account.check();
				const leftMs = endMs - clock.nowMs();
				if (until?.() === true) return true;
				if (leftMs <= 0) return false;
				await pause(Math.min(LOOK_EVERY_MS, leftMs));
			}
		},
		settle: (promise) => promise,
		inject: (fault) => faults.inject(fault),
		findings: () => account.findings(),
		traceHash: null,
		get steps() {
			return steps;
		},
		stop: () => swarm.stop().finally(() => clock.stop()),
	};
	return new SwarmTarget(swarm, stage, seed, observe);
}

/** Watches what the swarm tells. What its first election told before anybody could listen is told again. */
function watch(
	swarm: Swarm,
	{ properties: ids, observe }: TargetOrder,
	nowMs: () => number,
): PropertyAccount<RaftObservation> {
	const account = new PropertyAccount<RaftObservation>(
		eventProperties.filter(({ id }) => ids.has(id)),
		"machine",
		nowMs,
		(property, text) => observe({ atMs: nowMs(), origin: null, type: "violated", text, values: { property } }),
	);
	for (const { node, role, term, leader } of swarm.nodes) {
		account.observe({ type: "event", node, event: { type: "role-changed", role, term: term as never, leader } });
	}
	swarm.events$.subscribe((event) => {
		const observation = observationOf(event);
		if (observation !== null) account.observe(observation);
	});
	return account;
}
