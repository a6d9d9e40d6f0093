/** What the user asked for, checked and with every default filled in, before anything is started. */
import { randomInt } from "node:crypto";
import { type GroupId, groupId, type NodeId, nodeId, requireInteger } from "../../protocols/core/index.ts";
import { PBFT_MEMBERS_MAX, pbftConfig } from "../../protocols/pbft/index.ts";
import { loadModule, type ModuleSource } from "../../runtime/actor/index.ts";
import {
	constructApplication,
	PBFT_BATCH_BYTES_MAX,
	type PbftTuning,
	pbftParticipantModule,
} from "../participant/index.ts";
import { nodeUnknown } from "../swarm/errors.ts";
import { refused, requireOptions } from "../swarm/given-options.ts";
import { keyValueModule, membershipOf } from "../swarm/index.ts";
import { checkApplication } from "../swarm/options.ts";
import { attackerModule, attackNames, isAttack, knownAttacks, missingMode, type VotingModes } from "./attackers.ts";
import type { ByzantineGroupOptions } from "./contract.ts";

const GROUP_DEFAULT = "pbft";
const CLIENTS_MAX_DEFAULT = 16;
const CLIENTS_MAX = 1_024;
const WARM_SPARES_DEFAULT = 1;
const WARM_SPARES_MAX = 2;
const optionNames: readonly (keyof ByzantineGroupOptions)[] = [
	"nodes",
	"faults",
	"application",
	"config",
	"group",
	"storage",
	"clientsMax",
	"seed",
	"warmSpares",
	"standbys",
	"isolateConvicted",
	"attackers",
	"backend",
	"identities",
];

/** One group, ready to be started. */
export interface CheckedByzantineGroup {
	readonly group: GroupId;
	/** The first members. */
	readonly nodes: readonly NodeId[];
	/** In reserve. */
	readonly standbys: readonly NodeId[];
	readonly isolateConvicted: boolean;
	readonly faults: number;
	readonly application: { readonly module: string; readonly export: string; readonly args?: unknown };
	readonly tuning: PbftTuning;
	readonly clientWindow: number;
	readonly windowSize: number;
	readonly requestMaxBytes: number;
	readonly storage: "memory" | "lmdb";
	/** Where all is kept, and what opens the keys there; null: nothing outlives the process. */
	readonly kept: { readonly directory: string; readonly passphrase: string } | null;
	readonly clientsMax: number;
	readonly seed: number;
	readonly warmSpares: number;
	/** What correct members are built from. */
	readonly participant: ModuleSource;
	/** What members that misbehave are built from. */
	readonly attacker: ModuleSource;
	readonly attackers: ReadonlyMap<NodeId, string>;
}

/**
 * Checks all that can be known before a thread is started.
 * @throws QuorateError `option-unknown`, `node-count-invalid`, `pbft-too-few-members`, `pbft-config-invalid`,
 *   `pbft-config-contradiction`, `invalid-argument`, `node-unknown`, `module-not-loadable`, `export-missing`,
 *   `application-invalid`
 */
export async function checkByzantineOptions(given: ByzantineGroupOptions): Promise<CheckedByzantineGroup> {
	const options = requireOptions("", given, optionNames);
	const { nodes } = membershipOf(options.nodes);
	const faults = options.faults ?? Math.floor((nodes.length - 1) / 3);
	const group = groupId(options.group ?? GROUP_DEFAULT);
	const tuning = options.config ?? {};
	const standbys = standbysOf(options.standbys ?? 0, nodes);
	if (nodes.length > PBFT_MEMBERS_MAX) throw refused("nodes", `1 to ${PBFT_MEMBERS_MAX} members`, nodes.length);
	const config = pbftConfig({ ...tuning, nodeId: nodes[0] as NodeId, cluster: group, members: nodes, faults });
	requireInteger("config.batchMaxBytes", config.batchMaxBytes, 1, PBFT_BATCH_BYTES_MAX);
	const source = options.application ?? { module: keyValueModule, export: "KeyValueStore" };
	const application = checkApplication(source);
	const load = options.backend?.backend.ports.loadModule ?? loadModule;
	constructApplication(`${source.export} of ${application.module}`, await load(application), source.args);
	const { type = "memory", ...place } = requireOptions<StorageOptions>(
		"storage.",
		options.storage ?? { type: "memory" },
		["type", "directory", "passphrase"],
	);
	if (type !== "memory" && type !== "lmdb") throw refused("storage.type", '"memory" or "lmdb"', type);
	const seed = options.seed ?? randomInt(2 ** 47);
	if (!Number.isSafeInteger(seed)) throw refused("seed", "a safe integer", seed);
	return {
		group,
		nodes,
		standbys,
		isolateConvicted: options.isolateConvicted ?? false,
		faults,
		application,
		tuning,
		clientWindow: config.clientWindow,
		windowSize: config.windowSize,
		requestMaxBytes: config.requestMaxBytes,
		storage: type,
		kept: keptOf(type, place),
		clientsMax: requireInteger("clientsMax", options.clientsMax ?? CLIENTS_MAX_DEFAULT, 0, CLIENTS_MAX),
		seed,
		warmSpares: requireInteger("warmSpares", options.warmSpares ?? WARM_SPARES_DEFAULT, 0, WARM_SPARES_MAX),
		participant: { module: pbftParticipantModule, export: "PbftParticipant" },
		attacker: { module: attackerModule, export: "AttackingParticipant" },
		attackers: attackersOf(options.attackers ?? {}, [...nodes, ...standbys], tuning),
	};
}

interface StorageOptions {
	readonly type: "memory" | "lmdb";
	readonly directory?: string;
	readonly passphrase?: string;
}

function keptOf(
	type: StorageOptions["type"],
	{ directory, passphrase }: Omit<StorageOptions, "type">,
): CheckedByzantineGroup["kept"] {
	if (directory === undefined) {
		if (passphrase !== undefined) throw refused("storage.passphrase", "a directory whose keys it is to open", "none");
		return null;
	}
	if (type !== "lmdb") throw refused("storage.directory", 'storage of the type "lmdb"', type);
	if (typeof directory !== "string" || directory === "") throw refused("storage.directory", "a path", directory);
	if (typeof passphrase !== "string" || passphrase === "") {
		throw refused("storage.passphrase", "a passphrase, under which the keys in the directory are encrypted", "none");
	}
	return { directory, passphrase };
}

function standbysOf(given: number | readonly string[], nodes: readonly NodeId[]): readonly NodeId[] {
	const max = Math.max(0, PBFT_MEMBERS_MAX - nodes.length);
	const names =
		typeof given === "number"
			? Array.from({ length: requireInteger("standbys", given, 0, max) }, (_, i) => `node-${nodes.length + i + 1}`)
			: given;
	const standbys = names.map((name) => nodeId(name));
	const all = [...nodes, ...standbys];
	if (standbys.length <= max && new Set(all).size === all.length) return standbys;
	throw refused("standbys", `at most ${max} names beside those of the members, without duplicates`, names.join(" "));
}

function attackersOf(
	given: Readonly<Record<string, string>>,
	nodes: readonly NodeId[],
	modes: VotingModes,
): Map<NodeId, string> {
	const attackers = new Map<NodeId, string>();
	for (const [node, attack] of Object.entries(given)) {
		if (!nodes.includes(node as NodeId)) throw nodeUnknown({ node, members: nodes });
		if (!attackNames(attack).every(isAttack)) {
			const known = knownAttacks().map(({ name }) => name);
			throw refused(`attackers.${node}`, `one of ${known.join(", ")}, or several joined by +`, attack);
		}
		for (const name of attackNames(attack)) {
			const needs = missingMode(name, modes);
			if (needs !== null) throw refused(`attackers.${node}`, `an attack that does something without ${needs}`, name);
		}
		attackers.set(node as NodeId, attack);
	}
	return attackers;
}
