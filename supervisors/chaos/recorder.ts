/** Listens to a target: who led when, what was violated, and the last events, in bounded memory. */
import type { LeaderSpan } from "./journal.ts";
import type { TargetEvent } from "./target.ts";

/** Events that are kept for the report. */
export const EVENTS_KEPT_MAX = 400;
/** Spans of leadership, and changes of term, that a journal holds; later ones are dropped. */
const SPANS_MAX = 5_000;

export class Recorder {
	/** The property that the target has reported violated first, of those that end a run. */
	violated: string | null = null;
	readonly #endsRun: (property: string) => boolean;
	/** Events of the whole run. */
	seen = 0;
	readonly terms: { readonly atMs: number; readonly term: number }[] = [];
	/** A ring: the next event takes the place of the oldest. */
	readonly #ring: TargetEvent[] = [];
	#kept = 0;
	readonly #leaders: LeaderSpan[] = [];
	/** By node, its open span. */
	readonly #leading = new Map<string, Omit<LeaderSpan, "toMs">>();

	constructor(endsRun: (property: string) => boolean) {
		this.#endsRun = endsRun;
	}

	readonly observe = (event: TargetEvent): void => {
		// What follows a violation would push out what led to it.
		if (this.violated === null) this.#ring[this.#kept++ % EVENTS_KEPT_MAX] = event;
		this.seen++;
		const { type, origin, values } = event;
		const property = values?.["property"];
		if (type === "violated" && typeof property === "string" && this.#endsRun(property)) this.violated ??= property;
		if (origin === null) return;
		if (type === "leader-elected") this.#begin(origin, event);
		else if (type === "leader-lost" || type === "ended") this.#end(origin, event.atMs);
		const term = values?.["term"];
		if (typeof term === "number" && term > (this.terms.at(-1)?.term ?? 0) && this.terms.length < SPANS_MAX) {
			this.terms.push({ atMs: event.atMs, term });
		}
	};

	/** The last events, oldest first. */
	events(): readonly TargetEvent[] {
		const start = this.#kept > EVENTS_KEPT_MAX ? this.#kept % EVENTS_KEPT_MAX : 0;
		return [...this.#ring.slice(start), ...this.#ring.slice(0, start)];
	}

	leaders(): readonly LeaderSpan[] {
		const open = [...this.#leading.values()].map((span) => ({ ...span, toMs: null }));
		return [...this.#leaders, ...open].sort((a, b) => a.fromMs - b.fromMs);
	}

	#begin(node: string, { atMs, values }: TargetEvent): void {
		this.#end(node, atMs);
		const term = values?.["term"];
		this.#leading.set(node, { node, term: typeof term === "number" ? term : null, fromMs: atMs });
	}

	#end(node: string, atMs: number): void {
		const span = this.#leading.get(node);
		if (span === undefined) return;
		this.#leading.delete(node);
		if (this.#leaders.length < SPANS_MAX) this.#leaders.push({ ...span, toMs: atMs });
	}
}
