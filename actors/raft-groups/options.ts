/** What the user of many groups asked for, checked and with every default filled in, before anything is started. */
import { type GroupId, groupId, type NodeId } from "../../protocols/core/index.ts";
import type { RaftTuning } from "../participant/index.ts";
import { described, refused, requireOptions } from "../swarm/given-options.ts";
import { type CheckedGroup, type CheckedOptions, checkOptions } from "../swarm/options.ts";
import { GROUP_MEMBERS_MAX, GROUPS_MAX, groupTuning, type RaftGroupsOptions } from "./contract.ts";
import * as errors from "./errors.ts";
import { nodeThreadName } from "./groups-tree.ts";

const START_TIMEOUT_MS_DEFAULT = 60_000;
/** Names the data directory's owner: what is in it is no single group's. */
const OWNER_NAME = "raft-groups";
const optionNames: readonly (keyof RaftGroupsOptions)[] = [
	"nodes",
	"groups",
	"application",
	"config",
	"storage",
	"seed",
	"warmSpares",
	"startTimeoutMs",
	"backend",
];

export interface CheckedGroupsOptions {
	/** As of a swarm; its `raft` stands for all groups, and is what the data directory belongs to. */
	readonly common: CheckedOptions;
	readonly nodes: readonly NodeId[];
	readonly groups: readonly CheckedGroup[];
}

/** Leases, and leaders that hand over by themselves, rest on heartbeats: a default must not contradict what its user has asked for. */
function isNeverSilent({ lease = null, handoverPriorityGap = 0 }: RaftTuning = {}): boolean {
	return lease !== null || handoverPriorityGap !== 0;
}

/**
 * @throws QuorateError `option-unknown`, `node-count-invalid`, `group-count-invalid`, `too-many-members`, `invalid-argument`,
 *   `raft-config-invalid`, `raft-config-contradiction`, `module-not-loadable`, `export-missing`, `application-invalid`
 */
export async function checkGroupsOptions(options: RaftGroupsOptions): Promise<CheckedGroupsOptions> {
	const given = requireOptions("", options, optionNames);
	const { nodes, groups, application, config, startTimeoutMs = START_TIMEOUT_MS_DEFAULT, ...rest } = given;
	const names = groupNames(groups);
	if (config !== undefined && (typeof config !== "object" || config === null)) {
		throw refused("config", "an object with settings of Raft", config);
	}
	const raft = {
		nodes,
		group: OWNER_NAME,
		config: { ...groupTuning, ...(isNeverSilent(config) ? { quiesceAfterHeartbeats: 0 } : {}), ...config },
		...(application === undefined ? {} : { application }),
	};
	const common = await checkOptions({ ...rest, raft, startTimeoutMs });
	const template = common.raft as CheckedGroup;
	const members = names.length * template.nodes.length;
	if (members > GROUP_MEMBERS_MAX) {
		throw errors.tooManyMembers({ groups: names.length, nodes: template.nodes.length, limit: GROUP_MEMBERS_MAX });
	}
	return { common, nodes: template.nodes, groups: names.map((name, at) => groupOf(template, name, at)) };
}

/** The group at this place of the list. Its preferred leader is the next node's member, so that leaders are spread evenly. */
function groupOf(template: CheckedGroup, group: GroupId, at: number): CheckedGroup {
	const preferred = template.nodes[at % template.nodes.length] as NodeId;
	return {
		...template,
		group,
		tuning: { priorities: { [preferred]: 2 }, ...template.tuning },
		shared: { threadOf: nodeThreadName, groupNumber: at + 1 },
	};
}

function groupNames(groups: RaftGroupsOptions["groups"]): readonly GroupId[] {
	const refuse = (reason: string): Error =>
		errors.groupCountInvalid({ groups: described(groups), limit: GROUPS_MAX, reason });
	if (typeof groups === "number") {
		if (!Number.isInteger(groups)) throw refuse("not a whole number");
		if (groups < 1) throw refuse("there would be nothing to start");
		if (groups > GROUPS_MAX) throw refuse("each has members on all threads");
		return Array.from({ length: groups }, (_, at) => groupId(`group-${at + 1}`));
	}
	if (!Array.isArray(groups)) throw refuse("a whole number or a list of names is expected");
	if (groups.length === 0) throw refuse("there would be nothing to start");
	if (groups.length > GROUPS_MAX) throw refuse("each has members on all threads");
	const seen = new Set<string>();
	for (const name of groups as readonly string[]) {
		if (seen.has(name)) throw refuse(`${described(name)} is listed twice`);
		seen.add(name);
	}
	return (groups as readonly string[]).map(groupId);
}
