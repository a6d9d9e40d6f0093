/** What the user asked for, checked and with every default filled in, before anything is started. */
import { type GroupId, groupId } from "../../protocols/core/index.ts";
import type { RaftTuning } from "../participant/index.ts";
import { described, requireOptions } from "../swarm/given-options.ts";
import { membershipOf } from "../swarm/index.ts";
import { type CheckedGroup, type CheckedOptions, checkOptions } from "../swarm/options.ts";
import {
	GROUP_MEMBERS_MAX,
	HEARTBEAT_MESSAGES_PER_SECOND_MAX,
	QUIESCE_AFTER_HEARTBEATS_DEFAULT,
	type RaftGroupsOptions,
} from "./contract.ts";
import * as errors from "./errors.ts";

const NODES_DEFAULT = 3;
/** Raft's own default. */
const HEARTBEAT_MS_MIN = 50;
const optionNames: readonly (keyof RaftGroupsOptions)[] = [
	"groups",
	"nodes",
	"application",
	"config",
	"storage",
	"seed",
	"warmSpares",
	"startTimeoutMs",
	"backend",
];

export interface CheckedGroups {
	/** What all have in common; its group is the first. */
	readonly common: CheckedOptions;
	readonly groups: readonly CheckedGroup[];
}

/** @throws QuorateError `option-unknown`, `group-count-invalid`, and what `Swarm.start` throws of the same options */
export async function checkGroups(options: RaftGroupsOptions): Promise<CheckedGroups> {
	const {
		groups,
		nodes: given = NODES_DEFAULT,
		application,
		config,
		...others
	} = requireOptions("", options, optionNames);
	const { nodes } = membershipOf(given);
	const names = groupsOf(groups, nodes.length);
	const [first] = names as [GroupId];
	const raft = {
		nodes,
		group: first,
		config: { ...defaultsFor(names.length, nodes.length, config), ...config },
		...(application === undefined ? {} : { application }),
	};
	const common = await checkOptions({ ...others, raft });
	const group = common.raft as CheckedGroup;
	return { common, groups: names.map((name) => ({ ...group, group: name })) };
}

function defaultsFor(groups: number, nodes: number, given: RaftTuning | undefined): RaftTuning {
	const isNeverSilent = (given?.lease ?? null) !== null || (given?.handoverPriorityGap ?? 0) !== 0;
	const quiesceAfterHeartbeats = isNeverSilent ? 0 : QUIESCE_AFTER_HEARTBEATS_DEFAULT;
	if (given?.heartbeatMs !== undefined || given?.electionTimeoutMs !== undefined) return { quiesceAfterHeartbeats };
	const messages = 2 * groups * (nodes - 1);
	const heartbeatMs = Math.max(HEARTBEAT_MS_MIN, Math.ceil((messages * 1_000) / HEARTBEAT_MESSAGES_PER_SECOND_MAX));
	return { quiesceAfterHeartbeats, heartbeatMs, electionTimeoutMs: { min: 3 * heartbeatMs, max: 6 * heartbeatMs } };
}

function groupsOf(given: number | readonly string[], nodes: number): readonly GroupId[] {
	const limit = Math.floor(GROUP_MEMBERS_MAX / nodes);
	const refuse = (reason: string): Error =>
		errors.groupCountInvalid({ groups: described(given), nodes, limit, reason });
	if (typeof given === "number") {
		if (!Number.isInteger(given) || given < 1)
			throw refuse("a whole number from 1 on, or a list of names, is expected");
		if (given > limit) throw refuse(`all members together are at most ${GROUP_MEMBERS_MAX}`);
		return Array.from({ length: given }, (_, position) => groupId(`group-${position + 1}`));
	}
	if (!Array.isArray(given) || given.length === 0)
		throw refuse("a whole number from 1 on, or a list of names, is expected");
	if (given.length > limit) throw refuse(`all members together are at most ${GROUP_MEMBERS_MAX}`);
	const names = given.map(groupId);
	const twice = names.find((name, position) => names.indexOf(name) !== position);
	if (twice !== undefined) throw refuse(`${twice} is listed twice`);
	return names;
}
