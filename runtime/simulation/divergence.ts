/** Whether a run is repeatable: it is run twice, and the first event that differs is named. */
import { type TraceEvent, traceText } from "./trace.ts";

/** Events of the first run that are kept to compare with; what follows them is not compared. */
export const COMPARED_EVENTS_MAX = 2_000_000;
/** Events before the difference that a report shows. */
const CONTEXT_EVENTS = 8;

/** Where two runs of the same seed part. */
export interface Divergence {
	/** Of the first event that differs. */
	readonly index: number;
	/** What each run did there; null: that run had ended. */
	readonly first: TraceEvent | null;
	readonly second: TraceEvent | null;
	/** Several lines for readers: what both runs did last, and what each did then. */
	readonly text: string;
}

/** Hears the events of one run; pass it on as the `observe` of a `Simulation`. */
export type TraceObserver = (event: TraceEvent) => void;

/**
 * Runs twice and compares event by event; null when both runs are the same, as far as they were compared (see
 * {@link COMPARED_EVENTS_MAX}). What differs by map order, by clocks, randomness or I/O outside of the simulation shows here.
 * @param run one whole run, always from the same seed
 */
export async function findDivergence(run: (observe: TraceObserver) => Promise<unknown>): Promise<Divergence | null> {
	const events: TraceEvent[] = [];
	await run((event) => {
		if (events.length < COMPARED_EVENTS_MAX) events.push(event);
	});
	let count = 0;
	let found: { first: TraceEvent | null; second: TraceEvent | null } | null = null;
	await run((event) => {
		if (found !== null || count >= COMPARED_EVENTS_MAX) return;
		const first = events[count] ?? null;
		if (first === null || traceText(first) !== traceText(event) || first.atMs !== event.atMs) {
			found = { first, second: event };
			return;
		}
		count += 1;
	});
	if (found === null && count < events.length) found = { first: events[count] ?? null, second: null };
	return found === null ? null : divergence(events, count, found);
}

function divergence(
	events: readonly TraceEvent[],
	index: number,
	{ first, second }: { readonly first: TraceEvent | null; readonly second: TraceEvent | null },
): Divergence {
	const before = events
		.slice(Math.max(0, index - CONTEXT_EVENTS), index)
		.map((event) => `    both  ${traceText(event)}`);
	const told = (event: TraceEvent | null): string => (event === null ? "the run has ended" : traceText(event));
	const text = [
		`two runs of one seed part at event ${index}:`,
		...before,
		`  first   ${told(first)}`,
		`  second  ${told(second)}`,
	].join("\n");
	return { index, first, second, text };
}
