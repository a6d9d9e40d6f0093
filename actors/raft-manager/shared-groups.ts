/** The groups of this process that managers share: the first to come boots one, the last to leave stops it. */
import { resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { isDeepStrictEqual } from "node:util";
import { compareIds } from "../../protocols/core/index.ts";
import { Swarm, type SwarmOptions } from "../swarm/index.ts";
import { membersOverlap, settingsDiffer } from "./errors.ts";

/** What a manager may say about its group beside who its members are. */
export type GroupSettings = Pick<SwarmOptions, "storage" | "seed" | "backend"> & {
	readonly application?: NonNullable<SwarmOptions["raft"]>["application"];
	readonly config?: NonNullable<SwarmOptions["raft"]>["config"];
};

interface SharedGroup {
	readonly members: readonly string[];
	readonly settings: GroupSettings;
	readonly swarm: Promise<Swarm>;
	attached: number;
}

/** Groups by their members. */
const groups: SharedGroup[] = [];

/** Groups that are being stopped: their threads still run, and their directories are still in use. */
const endings = new Map<SharedGroup, Promise<void>>();

/** A manager's hold on its group. */
export interface Attachment {
	readonly swarm: Promise<Swarm>;
	/** Gives it up; the last one stops the swarm. */
	detach(): Promise<void>;
}

/**
 * Attaches to the group of these members, and boots it if it does not run; after the end of one that is being stopped and
 * has members or the directory in common with it.
 * @throws QuorateError `members-overlap`, `manager-settings-differ`
 */
export function attach(members: readonly string[], settings: GroupSettings, startTimeoutMs: number): Attachment {
	const sorted = [...members].sort(compareIds);
	const group = running(sorted, settings) ?? boot(sorted, settings, startTimeoutMs);
	group.attached += 1;
	let attached = true;
	return {
		swarm: group.swarm,
		detach: async () => {
			if (!attached) return;
			attached = false;
			group.attached -= 1;
			if (group.attached === 0) await end(group);
		},
	};
}

function running(members: readonly string[], settings: GroupSettings): SharedGroup | undefined {
	const overlapping = groups.find((group) => group.members.some((member) => members.includes(member)));
	if (overlapping === undefined) return undefined;
	if (!isDeepStrictEqual(overlapping.members, members)) {
		throw membersOverlap({ members, running: overlapping.members });
	}
	for (const [setting, value] of Object.entries(settings)) {
		if (value === undefined || isDeepStrictEqual(value, overlapping.settings[setting as keyof GroupSettings])) continue;
		throw settingsDiffer({ members, setting });
	}
	return overlapping;
}

function boot(members: readonly string[], settings: GroupSettings, startTimeoutMs: number): SharedGroup {
	const { application, config, ...rest } = settings;
	const raft = {
		nodes: members,
		...(application === undefined ? {} : { application }),
		...(config === undefined ? {} : { config }),
	};
	const swarm = endedBefore(members, settings).then(() => Swarm.start({ ...rest, raft, startTimeoutMs }));
	const group: SharedGroup = { members, settings, swarm, attached: 0 };
	groups.push(group);
	// A group that did not start leaves no trace: the next initialize() may try again. Its error is the managers' to hear.
	swarm.catch(() => forget(group));
	return group;
}

/** Resolves when no group is being stopped that has members or a directory in common with this one. */
async function endedBefore(members: readonly string[], { storage }: GroupSettings): Promise<void> {
	const inTheWay = [...endings].filter(
		([ending]) =>
			ending.members.some((member) => members.includes(member)) || sameDirectory(ending.settings.storage, storage),
	);
	// What goes wrong there is for whoever stopped it to hear.
	await Promise.allSettled(inTheWay.map(([, ended]) => ended));
}

function sameDirectory(one: GroupSettings["storage"], other: GroupSettings["storage"]): boolean {
	if (one?.type !== "lmdb" || other?.type !== "lmdb") return false;
	if (one.directory === undefined || other.directory === undefined) return false;
	return pathOf(one.directory) === pathOf(other.directory);
}

/** A URL that is none of a file is refused when its swarm starts. */
function pathOf(directory: string | URL): string {
	const isFile = directory instanceof URL && directory.protocol === "file:";
	return resolve(isFile ? fileURLToPath(directory) : String(directory));
}

async function end(group: SharedGroup): Promise<void> {
	forget(group);
	const ended = stopped(group).finally(() => endings.delete(group));
	endings.set(group, ended);
	await ended;
}

async function stopped(group: SharedGroup): Promise<void> {
	// One that did not start has nothing to stop; its managers have heard why.
	const swarm = await group.swarm.catch(() => null);
	await swarm?.stop();
}

function forget(group: SharedGroup): void {
	const at = groups.indexOf(group);
	if (at >= 0) groups.splice(at, 1);
}
