/**
 * Faults in an order that chance seldom draws, for seeds that have this theme: a leader is cut off and, a moment later, stopped
 * while it has entries that nobody else has; the others elect another, decide and compact; then it is back, with a log that may be
 * longer than theirs and ends in an older term. What it needs is compacted, so a snapshot replaces its log; and where its
 * successor falls away at the same moment, voters must tell which of the logs is up to date.
 */
import type { Generator } from "../../protocols/core/index.ts";
import type { FaultArgument, TimedFault } from "../../supervisors/index.ts";

/** The kinds of faults that it is made of. */
export const RETURN_KINDS: readonly string[] = ["transfer-leadership", "partition", "pause", "kill"];

/** Before the first; between the end of one and the next, in which the member catches up and the budget has room again. */
const REST_MS = { min: 1_200, max: 2_500 };
/** Who is to be cut off has become leader, most of the time. */
const HAND_OVER_MS = { min: 150, max: 600 };
/** In this time the leader that is cut off takes commands in, and before it has noticed it is stopped. */
const DEAF_MS = { min: 10, max: 350 };
/** It is away for as long as an election and some commands take, or several times that. */
const AWAY_MS = { min: 900, max: 3_500 };
/** The successor falls away so long before the return, and is cut off so long, unless it dies. */
const SUCCESSOR_LEAD_MS = { min: 0, max: 120 };
const SUCCESSOR_AWAY_MS = { min: 600, max: 1_200 };

/** The method of such a seed: one return after the other. With a budget of one crash the successors stay. */
export function drawReturns(
	generator: Generator,
	{ nodes, forMs, crash }: { readonly nodes: number; readonly forMs: number; readonly crash: number },
): readonly TimedFault[] {
	const between = ({ min, max }: { readonly min: number; readonly max: number }): number => generator.between(min, max);
	const method: TimedFault[] = [];
	for (let atMs = between(REST_MS); ; ) {
		const target = `node-${generator.between(1, nodes)}`;
		const cutAtMs = atMs + between(HAND_OVER_MS);
		const awayMs = between(AWAY_MS);
		const backAtMs = cutAtMs + awayMs;
		if (backAtMs + SUCCESSOR_AWAY_MS.max > forMs) return method;
		const deafMs = between(DEAF_MS);
		method.push(
			fault(atMs, "transfer-leadership", { target }, null),
			fault(cutAtMs, "partition", { shape: "isolate", target }, awayMs),
			fault(cutAtMs + deafMs, "pause", { target }, awayMs - deafMs),
		);
		if (crash >= 2) method.push(fallOf(generator, backAtMs - between(SUCCESSOR_LEAD_MS), between(SUCCESSOR_AWAY_MS)));
		atMs = backAtMs + between(REST_MS);
	}
}

/** Whoever leads by then dies and is back at once, or is cut off for a while. */
function fallOf(generator: Generator, atMs: number, forMs: number): TimedFault {
	return generator.chance(0.5)
		? fault(atMs, "kill", { target: "leader" }, null)
		: fault(atMs, "partition", { shape: "isolate", target: "leader" }, forMs);
}

function fault(
	atMs: number,
	kind: string,
	given: Readonly<Record<string, FaultArgument>>,
	forMs: number | null,
): TimedFault {
	return { atMs, fault: { kind, arguments: given }, forMs, optional: true };
}
