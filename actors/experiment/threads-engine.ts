/**
 * The engine `threads`: the same experiment on worker threads and the real clock. Members and storage are the shipped ones
 * behind faults ({@link DisturbedParticipant}, {@link DisturbedStorage}); what they publish, and their deaths, are all that
 * is observed, so only properties that need no more are watched. Runs are not repeatable.
 */
import { Generator, type NodeId } from "../../protocols/core/index.ts";
import { type RaftObservation, raftProperties } from "../../protocols/raft/properties/index.ts";
import { machineNowMs, type StorageActorArgs, ThreadClock } from "../../runtime/index.ts";
import type { ExperimentEngine, ExperimentTarget, TargetOrder } from "../../supervisors/index.ts";
import { checkOptions, Swarm, type SwarmBackend, type SwarmEvent, startBackend } from "../swarm/index.ts";
import { disturbedParticipantModule } from "./disturbed-participant.ts";
import { type DisturbedStorageArgs, disturbedStorageModule } from "./disturbed-storage.ts";
import { createFaultBoard, FaultBoardWriter } from "./fault-board.ts";
import { HeldThreads, withThreads } from "./held-threads.ts";
import { KEY_VALUE_WORKLOAD } from "./key-value-workload.ts";
import { probeNames } from "./probes.ts";
import { PropertyAccount } from "./property-account.ts";
import { GROUP, raftOptionsOf, START_TIMEOUT_MS } from "./swarm-options.ts";
import { type SwarmStage, SwarmTarget } from "./swarm-target.ts";
import { ThreadFaults, threadFaultKinds } from "./thread-faults.ts";

/** How often a condition is looked at while time passes. */
const LOOK_EVERY_MS = 5;

/** What is observed on threads: members' events, and the ends of their lives. */
const observed: ReadonlySet<RaftObservation["type"]> = new Set(["event", "ended"]);

/** Properties that can be judged by that. */
const properties = raftProperties.filter(
	({ needs, observes }) => needs === "events" || (observes?.every((type) => observed.has(type as never)) ?? false),
);

/** The engine. It takes the modules that threads load from the built package. */
export function threadsEngine(): ExperimentEngine {
	return {
		name: "threads",
		faults: threadFaultKinds,
		probes: probeNames,
		workloads: new Set([KEY_VALUE_WORKLOAD]),
		properties: new Map(properties.map(({ id, kind }) => [id, kind])),
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
	const { engine } = (base.storage.behaviour as { readonly args: StorageActorArgs }).args;
	const storageArgs: DisturbedStorageArgs = { engine, board: memory };
	const backend: SwarmBackend = {
		...base,
		backend: withThreads(base.backend, threads),
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
	const faults = new ThreadFaults({ swarm, clock, group: GROUP, board, threads, generator });
	let steps = 0;
	swarm.events$.subscribe(() => {
		steps += 1;
	});
	const pause = (ms: number): Promise<void> => new Promise((resolve) => clock.schedule(ms, resolve));
	const stage: SwarmStage = {
		swarm,
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
	return new SwarmTarget(stage, seed, observe);
}

/** Watches what the swarm tells. What its first election told before anybody could listen is told again. */
function watch(
	swarm: Swarm,
	{ properties: ids, observe }: TargetOrder,
	nowMs: () => number,
): PropertyAccount<RaftObservation> {
	const account = new PropertyAccount<RaftObservation>(
		properties.filter(({ id }) => ids.has(id)),
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

function observationOf(event: SwarmEvent): RaftObservation | null {
	const node = event.node as NodeId | null;
	if (node === null) return null;
	switch (event.type) {
		case "thread-ended":
			return { type: "ended", node };
		case "role-changed":
		case "log-compacted":
		case "snapshot-installed":
		case "snapshot-send-started":
		case "quorum-lost":
			return { type: "event", node, event };
		default:
			return null;
	}
}
