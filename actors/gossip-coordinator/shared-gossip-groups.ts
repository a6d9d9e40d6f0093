/** The gossip groups of this process: the first coordinator starts one, the last to leave stops it. */
import { isDeepStrictEqual } from "node:util";
import { compareIds, type NodeId } from "../../protocols/core/index.ts";
import { groupSettingsDiffer } from "./errors.ts";
import { GossipGroup, type GossipGroupOptions } from "./gossip-group.ts";

/** What a coordinator may say about its group. */
export type SharedGroupSettings = Omit<GossipGroupOptions, "group" | "backend">;

interface SharedGroup {
	readonly name: string;
	readonly settings: SharedGroupSettings;
	readonly group: Promise<GossipGroup>;
	/** Seeds and members are started one after the other, so that two coordinators do not start the same seed. */
	starting: Promise<void>;
	attached: number;
	/** Members that a coordinator speaks for. */
	readonly owned: Set<NodeId>;
}

const groups = new Map<string, SharedGroup>();
/** Groups that are being stopped, by name. */
const endings = new Map<string, Promise<void>>();

export interface GroupAttachment {
	readonly group: Promise<GossipGroup>;
	/** Starts those seeds that do not run here, and lets them meet. */
	ensureSeeds(seeds: readonly NodeId[]): Promise<void>;
	/** Starts the coordinator's own member; it ends with the attachment. */
	own(node: NodeId): Promise<void>;
	detach(): Promise<void>;
}

/** @throws QuorateError `gossip-settings-differ` */
export function attachGroup(name: string, settings: SharedGroupSettings): GroupAttachment {
	const shared = running(name, settings) ?? start(name, settings);
	shared.attached++;
	let owned: NodeId | null = null;
	let isAttached = true;
	const inTurn = (action: (group: GossipGroup) => Promise<void>): Promise<void> => {
		const turn = shared.starting.then(async () => action(await shared.group));
		// The next in turn does not care how this one went; its caller hears.
		shared.starting = turn.catch(() => undefined);
		return turn;
	};
	return {
		group: shared.group,
		ensureSeeds: (seeds) => inTurn((group) => startSeeds(group, seeds)),
		own: (node) =>
			inTurn(async (group) => {
				// A seed that another coordinator has started becomes this one's.
				if (!group.has(node) || shared.owned.has(node)) await group.startMember(node);
				owned = node;
				shared.owned.add(node);
			}),
		detach: async () => {
			if (!isAttached) return;
			isAttached = false;
			shared.attached--;
			if (owned !== null) shared.owned.delete(owned);
			if (shared.attached === 0) await end(shared);
			else if (owned !== null) await killOwned(shared, owned);
		},
	};
}

async function killOwned(shared: SharedGroup, node: NodeId): Promise<void> {
	const group = await shared.group;
	if (group.has(node)) await group.kill(node);
}

/** In code-unit order, so that all coordinators let the same seed be the first. */
async function startSeeds(group: GossipGroup, seeds: readonly NodeId[]): Promise<void> {
	for (const seed of [...seeds].sort(compareIds)) {
		if (group.has(seed)) continue;
		const others = group.nodes;
		await group.startMember(seed);
		if (others.length > 0) await group.join(seed, others.slice(0, SEEDS_JOINED_MAX));
	}
}

/** Members through which a further seed is joined. */
const SEEDS_JOINED_MAX = 3;

function running(name: string, settings: SharedGroupSettings): SharedGroup | undefined {
	const shared = groups.get(name);
	if (shared === undefined) return undefined;
	for (const [setting, value] of Object.entries(settings)) {
		if (value === undefined || isDeepStrictEqual(value, shared.settings[setting as keyof SharedGroupSettings]))
			continue;
		throw groupSettingsDiffer({ group: name, setting });
	}
	return shared;
}

function start(name: string, settings: SharedGroupSettings): SharedGroup {
	const ended = endings.get(name) ?? Promise.resolve();
	const group = ended.then(() => GossipGroup.start({ ...settings, group: name }));
	const shared: SharedGroup = { name, settings, group, starting: Promise.resolve(), attached: 0, owned: new Set() };
	groups.set(name, shared);
	// A group that did not start leaves no trace; its error is its coordinators' to hear.
	group.catch(() => groups.delete(name));
	return shared;
}

async function end(shared: SharedGroup): Promise<void> {
	if (groups.get(shared.name) === shared) groups.delete(shared.name);
	const stopped = shared.starting.then(async () => {
		// One that did not start has nothing to stop; its coordinators have heard why.
		const group = await shared.group.catch(() => null);
		await group?.stop();
	});
	// What goes wrong there is for whoever stopped it to hear.
	const ended = stopped.catch(() => undefined).finally(() => endings.delete(shared.name));
	endings.set(shared.name, ended);
	await stopped;
}
