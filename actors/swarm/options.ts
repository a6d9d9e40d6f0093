/** What the user asked for, checked and with every default filled in, before anything is started. */
import { randomInt } from "node:crypto";
import { fileURLToPath } from "node:url";
import { type GroupId, groupId, type NodeId, requireInteger } from "../../protocols/core/index.ts";
import { raftConfig } from "../../protocols/raft/index.ts";
import { loadModule, type ModuleLoader, type ModuleSource, moduleHref } from "../../runtime/actor/index.ts";
import { constructApplication, type RaftTuning, raftConfigOf, raftParticipantModule } from "../participant/index.ts";
import type { ApplicationSource, RaftOptions, StorageOptions, SwarmOptions } from "./contract.ts";
import { refused, requireOptions } from "./given-options.ts";
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
	"monitors",
	"backend",
];
const raftOptionNames: readonly (keyof RaftOptions)[] = ["nodes", "application", "config", "group"];
const applicationOptionNames: readonly (keyof ApplicationSource)[] = ["module", "export", "args", "version"];

const shippedParticipant: ModuleSource = { module: raftParticipantModule, export: "RaftParticipant" };

/** One group, ready to be started. */
export interface CheckedGroup {
	readonly group: GroupId;
	readonly nodes: readonly NodeId[];
	readonly application: {
		readonly module: string;
		readonly export: string;
		readonly args?: unknown;
		readonly version?: string;
	};
	readonly tuning: RaftTuning;
	/** Most bytes of an encoded command. */
	readonly valueBytesMax: number;
	/** What members are built from: the shipped participant, unless the backend says otherwise. */
	readonly participant: ModuleSource;
	/** Of a group among others whose members of one node share a thread: its name, and which of the groups this is, from 1. */
	readonly shared?: { readonly threadOf: (node: NodeId) => string; readonly groupNumber: number };
}

export interface CheckedOptions {
	readonly raft: CheckedGroup | null;
	readonly storage: { readonly type: "memory" | "lmdb"; readonly directory?: string };
	readonly seed: number;
	readonly warmSpares: number;
	readonly startTimeoutMs: number;
	readonly monitors: boolean;
	readonly notes: readonly string[];
}

/**
 * Checks all that can be known before a thread is started. The application's module is loaded here too: a wrong name is
 * then one clear error instead of as many crashes as there are members.
 * @throws QuorateError `option-unknown`, `node-count-invalid`, `invalid-argument`, `raft-config-invalid`, `raft-config-contradiction`,
 *   `module-not-loadable`, `export-missing`, `application-invalid`
 */
export async function checkOptions(options: SwarmOptions): Promise<CheckedOptions> {
	const { raft, actors = [] } = requireOptions("", options, swarmOptionNames);
	if (raft !== undefined) requireOptions("raft.", raft, raftOptionNames);
	const storage = options.storage === undefined ? ({ type: "memory" } as const) : checkStorage(options.storage);
	if (!Array.isArray(actors)) throw refused("actors", "a list of child specs", actors);
	const { monitors = true } = options;
	if (typeof monitors !== "boolean") throw refused("monitors", "true or false", monitors);
	const seed = options.seed ?? randomInt(2 ** 47);
	if (!Number.isSafeInteger(seed)) throw refused("seed", "a safe integer", seed);
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
		monitors,
		notes: membership?.notes ?? [],
	};
}

async function checkGroup(
	raft: NonNullable<SwarmOptions["raft"]>,
	nodes: readonly NodeId[],
	load: ModuleLoader,
): Promise<Omit<CheckedGroup, "participant">> {
	const [first] = nodes as readonly [NodeId];
	const tuning = raft.config === undefined ? {} : checkTuning(raft.config, nodes);
	const { maxEntryBytes } = raftConfigOf(first, nodes, tuning);
	const { application: source = { module: keyValueModule, export: "KeyValueStore" } } = raft;
	const application = checkApplication(source);
	const name = `${source.export} of ${application.module}`;
	constructApplication(name, await load(application), source.args);
	return { group: groupId(raft.group ?? GROUP_DEFAULT), nodes, application, tuning, valueBytesMax: maxEntryBytes };
}

/** Raft's own, without what a swarm fills in. */
function tuningNames(nodes: readonly [NodeId]): string[] {
	const names = Object.keys(raftConfig({ nodeId: nodes[0], voters: nodes }));
	return names.filter((name) => name !== "nodeId" && name !== "voters");
}

function checkTuning(given: RaftTuning, nodes: readonly NodeId[]): RaftTuning {
	const tuning = requireOptions("raft.config.", given, tuningNames(nodes as readonly [NodeId]));
	const { electionTimeoutMs } = tuning;
	if (electionTimeoutMs !== undefined) {
		requireOptions("raft.config.electionTimeoutMs.", electionTimeoutMs, ["min", "max"]);
	}
	return tuning;
}

export function checkApplication(given: ApplicationSource): CheckedGroup["application"] {
	const source = requireOptions("raft.application.", given, applicationOptionNames);
	const { export: name, args, version } = source;
	if (typeof name !== "string" || name === "") throw refused("raft.application.export", "the name of a class", name);
	if (version !== undefined && !(typeof version === "string" && /^.{1,64}$/u.test(version))) {
		throw refused("raft.application.version", "1 to 64 characters on one line", version);
	}
	try {
		structuredClone(args);
	} catch {
		throw refused("raft.application.args", "what structuredClone can copy to other threads", args);
	}
	return { ...source, module: moduleHref(source.module) };
}

function checkStorage(given: StorageOptions): CheckedOptions["storage"] {
	const storage = requireOptions("storage.", given, ["type", "directory"]);
	const { type, directory } = storage as { readonly type: unknown; readonly directory?: unknown };
	if (type !== "memory" && type !== "lmdb") throw refused("storage.type", '"memory" or "lmdb"', type);
	if (directory === undefined) return { type };
	if (type === "memory") throw refused("storage.directory", 'none beside storage.type "memory"', directory);
	if (directory instanceof URL && directory.protocol === "file:") return { type, directory: fileURLToPath(directory) };
	if (typeof directory === "string" && directory !== "") return { type, directory };
	throw refused("storage.directory", "a path or a file URL", directory);
}
