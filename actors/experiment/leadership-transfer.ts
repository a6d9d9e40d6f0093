/** What an operator asks of a group in the middle of an experiment. */
import { QuorateError } from "../../protocols/core/index.ts";
import type { Swarm } from "../swarm/index.ts";

/** Asks for a hand-over and does not wait for it: under faults it may well be given up, which is part of the experiment. */
export function askForTransfer(swarm: Swarm, to: string): void {
	swarm.transferLeadership(to).catch((error: unknown) => {
		if (!(error instanceof QuorateError)) throw error;
	});
}
