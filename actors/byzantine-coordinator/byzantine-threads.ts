/** The threads of a Byzantine group, with its storage: in memory, in a directory that goes with the group, or in one that is kept. */
import { rm } from "node:fs/promises";
import { pbftLayouts } from "../../protocols/pbft/index.ts";
import { makeTemporaryDirectory } from "../../runtime/storage/index.ts";
import { pbftClientLayouts } from "../participant/index.ts";
import { type SwarmBackend, startThreads } from "../swarm/index.ts";
import type { CheckedByzantineGroup } from "./options.ts";

/** Messages without a layout that are sent often enough to travel without their keys. */
const examples = [{ type: "participant-status" }, { type: "refused", reason: "too-many-waiting", limit: 0 }];

/**
 * Of each thread. A member's requests under way are some thousands of small objects, which outlive two collections of the default one; a
 * thread that has been busy keeps up to two thirds of it.
 */
const YOUNG_GENERATION_MB = 24;

/** @param kept where logs are kept; null: nowhere */
export async function startByzantineThreads(
	options: CheckedByzantineGroup,
	kept: string | null,
): Promise<SwarmBackend> {
	const { application, group, nodes, standbys, seed, storage, warmSpares, participant } = options;
	const setup = {
		layouts: [pbftLayouts, pbftClientLayouts],
		examples,
		preload: [String(participant.module), application.module],
		seed,
		warmSpares,
		youngGenerationMb: YOUNG_GENERATION_MB,
	};
	if (storage === "memory")
		return startThreads({ ...setup, engine: { type: "memory" }, dispose: () => Promise.resolve() });
	const directory = kept ?? (await makeTemporaryDirectory());
	const owner = { clusterId: group, nodeIds: [...nodes, ...standbys], application: application.export };
	return startThreads({
		...setup,
		engine: { type: "lmdb", directory, ...owner },
		dispose: () => (kept === null ? rm(directory, { recursive: true, force: true }) : Promise.resolve()),
	});
}
