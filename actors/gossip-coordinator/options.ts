/** Checks of what a group of gossip members is given, before anything of it runs. */
import { groupId, nodeId, requireInteger } from "../../protocols/core/index.ts";
import { validateSchema } from "../../protocols/crdt/index.ts";
import { antiEntropyConfig, swimConfig } from "../../protocols/gossip/index.ts";
import { refused, requireOptions } from "../swarm/given-options.ts";
import type { GossipGroupOptions } from "./gossip-group.ts";

export const VALUES_INTERVAL_MS_DEFAULT = 1_000;
/** What a system has for actors that share threads, less one for the storage. */
const THREADS_MAX = 61;

const names: Readonly<Record<keyof GossipGroupOptions, true>> = {
	group: true,
	profile: true,
	tuning: true,
	lossChance: true,
	threads: true,
	seed: true,
	signed: true,
	directory: true,
	values: true,
	valuesIntervalMs: true,
	dissemination: true,
	coordinates: true,
	backend: true,
};

/** @throws QuorateError `option-unknown`, `invalid-argument`, `gossip-config-invalid`, `gossip-config-contradiction`, `crdt-schema-invalid` */
export function checkGossipOptions(given: GossipGroupOptions): void {
	const {
		group,
		profile,
		tuning = {},
		lossChance,
		threads,
		values,
		valuesIntervalMs,
		dissemination,
	} = requireOptions("", given, Object.keys(names));
	if (group !== undefined) groupId(group);
	const { nodeId: _, ...tunable } = swimConfig({ nodeId: nodeId("any") }, profile);
	requireOptions("tuning.", tuning, Object.keys(tunable));
	swimConfig({ ...tuning, nodeId: nodeId("any") }, profile);
	if (lossChance !== undefined && !(typeof lossChance === "number" && lossChance >= 0 && lossChance <= 1))
		throw refused("lossChance", "a number from 0 to 1", lossChance);
	if (threads !== undefined) requireInteger("threads", threads, 1, THREADS_MAX);
	if (dissemination !== undefined && dissemination !== "rumours" && dissemination !== "tree")
		throw refused("dissemination", "rumours or tree", dissemination);
	if (values !== undefined) validateSchema(values);
	antiEntropyConfig({ nodeId: nodeId("any"), intervalMs: valuesIntervalMs ?? VALUES_INTERVAL_MS_DEFAULT });
}
