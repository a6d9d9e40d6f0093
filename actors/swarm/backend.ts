/** What a swarm stands on: worker threads and their storage, or what a simulation injects. */
import { rm } from "node:fs/promises";
import type { LayoutTable } from "../../protocols/core/index.ts";
import { raftLayouts } from "../../protocols/raft/index.ts";
import type { ActorSpec, Backend, ModuleSource } from "../../runtime/actor/index.ts";
import { type EngineSource, makeTemporaryDirectory, storageLayouts } from "../../runtime/storage/index.ts";
import type { MetricsMemory } from "../../runtime/telemetry/index.ts";
import { createThreadBackend, type StallReport, type ThreadBackend } from "../../runtime/threads/index.ts";
import { raftClientLayouts, raftParticipantModule } from "../participant/index.ts";
import type { CheckedOptions } from "./options.ts";

/** A backend and the storage that belongs to it. */
export interface SwarmBackend {
	readonly backend: Backend;
	/** The storage actor of this backend; its name is `storage`. */
	readonly storage: ActorSpec;
	/** What members run in the place of the shipped participant, such as one that experiments disturb; its `args` join theirs. */
	readonly participant?: ModuleSource & { readonly args?: object };
	/** Where its threads count what they do, if they do. */
	readonly metrics?: MetricsMemory;
	/** What all threads have counted under a name, where there is no memory to read it from, as on virtual time. */
	readonly counted?: (name: string) => number;
	/** Tells a listener, the last one given, of every thread that does not get on, if it notices such things. */
	readonly observeStalls?: (listener: (stall: StallReport) => void) => void;
	/** Gives back what the backend itself does not, after everything has stopped. */
	readonly dispose?: () => Promise<void>;
}

const storageModule = new URL("../../runtime/storage/storage-actor.js", import.meta.url);

/** Messages without a layout that are sent often enough to travel without their keys. */
const examples = [
	{ type: "open-session" },
	{ type: "session-opened", session: 0 },
	{ type: "refused", reason: "not-leader", leader: "" },
	{ type: "outcome-unknown", leader: "" },
	{ type: "participant-status" },
	{ type: "role-changed", role: "", term: 0, leader: "", group: "", node: "" },
	{ type: "snapshot-response", term: 0, lastIndex: 0, nextOffset: 0, round: 0 },
];

/**
 * Worker threads, and a storage actor on one of its own.
 * @param threads what differs from the backend's defaults
 */
export async function startBackend(
	options: CheckedOptions,
	threads: Pick<ThreadSetup, "youngGenerationMb"> = {},
): Promise<SwarmBackend> {
	const { seed, warmSpares, raft } = options;
	const preload = raft === null ? [] : [raftParticipantModule, raft.application.module];
	const { engine, dispose } = await engineOf(options);
	return startThreads({
		layouts: [raftLayouts, raftClientLayouts],
		examples,
		preload,
		seed,
		warmSpares,
		engine,
		dispose,
		...threads,
	});
}

/** What threads are to know of a protocol, and where its members' state is kept. */
export interface ThreadSetup {
	/** How members and clients speak. */
	readonly layouts: readonly LayoutTable[];
	/** Messages without a layout that are sent often enough to travel without their keys. */
	readonly examples: readonly unknown[];
	/** Modules of participant and application: loaded while nobody waits. */
	readonly preload: readonly string[];
	readonly seed: number;
	readonly warmSpares: number;
	/** See `ThreadBackendOptions`; default the backend's own. */
	readonly youngGenerationMb?: number;
	readonly engine: EngineSource;
	/** Removes what the engine leaves behind, if that is wanted. */
	readonly dispose: () => Promise<void>;
}

/** Starts what {@link ThreadSetup} says. */
export async function startThreads(setup: ThreadSetup): Promise<SwarmBackend> {
	const { engine, dispose, layouts, ...options } = setup;
	let hearStall: (stall: StallReport) => void = () => undefined;
	const stalled = (stall: StallReport): void => hearStall(stall);
	let backend: ThreadBackend;
	try {
		backend = await createThreadBackend({ ...options, layouts: [...layouts, storageLayouts], stalled });
	} catch (error) {
		await dispose();
		throw error;
	}
	return {
		backend,
		metrics: backend.metrics,
		storage: {
			name: "storage",
			behaviour: { module: storageModule, export: "StorageActor", args: { engine } },
			placement: "dedicated",
			// A thread inside a native database must not be killed: `terminate()` in a write can abort or hang the process.
			neverKilled: true,
		},
		observeStalls: (listener) => {
			hearStall = listener;
		},
		dispose,
	};
}

async function engineOf({
	storage,
	raft,
}: CheckedOptions): Promise<{ readonly engine: EngineSource; readonly dispose: () => Promise<void> }> {
	if (storage.type === "memory" || raft === null) {
		return { engine: { type: "memory" }, dispose: () => Promise.resolve() };
	}
	const { version, export: name } = raft.application;
	const application = version === undefined ? name : `${name} version ${version}`;
	const owner = { clusterId: raft.group, nodeIds: raft.nodes, application };
	if (storage.directory !== undefined) {
		const { directory } = storage;
		return { engine: { type: "lmdb", directory, ...owner }, dispose: () => Promise.resolve() };
	}
	const directory = await makeTemporaryDirectory();
	return {
		engine: { type: "lmdb", directory, ...owner },
		dispose: () => rm(directory, { recursive: true, force: true }),
	};
}
