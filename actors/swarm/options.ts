/** What the user asked for, checked and with every default filled in, before anything is started. */
import { randomInt } from "node:crypto";
import { type GroupId, groupId, invalidArgument, type NodeId, requireInteger } from "../../protocols/core/index.ts";
import { raftConfig } from "../../protocols/raft/index.ts";
import { loadModule, type ModuleLoader, type ModuleSource, moduleHref } from "../../runtime/actor/index.ts";
import { constructApplication, type RaftTuning, raftParticipantModule } from "../participant/index.ts";
import type { ApplicationSource, StorageOptions, SwarmOptions } from "./contract.ts";
import { optionUnknown } from "./errors.ts";
import { keyValueModule } from "./key-value.ts";
import { membershipOf } from "./nodes.ts";

const START_TIMEOUT_MS_DEFAULT = 10_000;
const WARM_SPARES_DEFAULT = 1;
const WARM_SPARES_MAX = 2;
const GROUP_DEFAULT = "raft";
const DURATION_MS_MAX = 2 ** 31 - 1;
const swarmOptionNames: readonly (keyof SwarmOptions)[] = [
	"raft",
	"storage",
	"seed",
	"actors",
	"warmSpares",
	"startTimeoutMs",
	"backend",
];

const shippedParticipant: ModuleSource = { module: raftParticipantModule, export: "RaftParticipant" };

/** One group, ready to be started. */
export interface CheckedGroup {
	readonly group: GroupId;
	readonly nodes: readonly NodeId[];
	readonly application: { readonly module: string; readonly export: string; readonly args?: unknown };
	readonly tuning: RaftTuning;
	/** Most bytes of an encoded command. */
	readonly valueBytesMax: number;
	/** What members are built from: the shipped participant, unless the backend says otherwise. */
	readonly participant: ModuleSource;
}

export interface CheckedOptions {
	readonly raft: CheckedGroup | null;
	readonly storage: StorageOptions;
	readonly seed: number;
	readonly warmSpares: number;
	readonly startTimeoutMs: number;
	readonly notes: readonly string[];
}

/**
 * Checks all that can be known before a thread is started. The application's module is loaded here too: a wrong name is
 * then one clear error instead of as many crashes as there are members.
 * @throws QuorateError `option-unknown`, `node-count-invalid`, `invalid-argument`, `raft-config-invalid`, `raft-config-contradiction`,
 *   `module-not-loadable`, `export-missing`, `application-invalid`
 */
export async function checkOptions(options: SwarmOptions): Promise<CheckedOptions> {
	const { raft, storage = { type: "memory" } } = options;
	requireKnown("", options, swarmOptionNames);
	requireKnown("storage.", storage, ["type", "directory"]);
	const seed = options.seed ?? randomInt(2 ** 47);
	if (!Number.isSafeInteger(seed)) throw refused("seed", "a safe integer", seed);
	if (storage.type !== "memory" && storage.type !== "lmdb") {
		throw refused("storage.type", "memory or lmdb", (storage as { readonly type: unknown }).type);
	}
	const load = options.backend?.backend.ports.loadModule ?? loadModule;
	const participant = options.backend?.participant ?? shippedParticipant;
	const membership = raft === undefined ? null : membershipOf(raft.nodes);
	return {
		raft:
			raft === undefined || membership === null
				? null
				: { ...(await checkGroup(raft, membership.nodes, load)), participant },
		storage,
		seed,
		warmSpares: requireInteger("warmSpares", options.warmSpares ?? WARM_SPARES_DEFAULT, 0, WARM_SPARES_MAX),
		startTimeoutMs: requireInteger(
			"startTimeoutMs",
			options.startTimeoutMs ?? START_TIMEOUT_MS_DEFAULT,
			1,
			DURATION_MS_MAX,
		),
		notes: membership?.notes ?? [],
	};
}

async function checkGroup(
	raft: NonNullable<SwarmOptions["raft"]>,
	nodes: readonly NodeId[],
	load: ModuleLoader,
): Promise<Omit<CheckedGroup, "participant">> {
	const tuning = (raft.config ?? {}) as RaftTuning;
	const [first] = nodes as readonly [NodeId];
	requireKnown("raft.", raft, ["nodes", "application", "config", "group"]);
	requireKnown("raft.config.", tuning, Object.keys(raftConfig({ nodeId: first, voters: nodes })));
	const { maxEntryBytes } = raftConfig({ ...tuning, nodeId: first, voters: nodes });
	const source: ApplicationSource = raft.application ?? { module: keyValueModule, export: "KeyValueStore" };
	const application = { ...source, module: moduleHref(source.module) };
	const name = `${source.export} of ${application.module}`;
	constructApplication(name, await load(application), source.args);
	return { group: groupId(raft.group ?? GROUP_DEFAULT), nodes, application, tuning, valueBytesMax: maxEntryBytes };
}

/** A misspelt option must not silently mean its default. */
function requireKnown(where: string, given: object, known: readonly string[]): void {
	for (const name of Object.keys(given)) {
		if (!known.includes(name)) throw optionUnknown({ option: `${where}${name}`, known });
	}
}

function refused(argument: string, expected: string, actual: unknown): Error {
	return invalidArgument({ argument, expected, actual: String(actual).slice(0, 80) });
}
