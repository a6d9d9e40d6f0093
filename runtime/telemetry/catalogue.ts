/**
 * The catalogue: what the metrics of the product mean, as data. Each room that measures exports its list, and whoever
 * shows metrics composes the lists it wants. A metric without an entry is still counted and shown, under its own name.
 */
import type { MetricKind } from "../memory/index.ts";

export interface MetricDescription {
	/** A name, or a pattern with labels: `raft.{node}.commits` describes `raft.node-1.commits`. */
	readonly name: string;
	readonly kind: MetricKind;
	/** `1` for plain numbers, else `microseconds`, `bytes`, … */
	readonly unit: string;
	/** One sentence. */
	readonly help: string;
}

/** A metric's description with the labels that its name carries. */
export interface DescribedMetric {
	readonly description: MetricDescription;
	readonly labels: Readonly<Record<string, string>>;
}

export class Catalogue {
	readonly descriptions: readonly MetricDescription[];
	readonly #patterns: readonly { readonly description: MetricDescription; readonly pattern: RegExp }[];

	/** Where several entries match a name, the first counts. */
	constructor(...lists: readonly (readonly MetricDescription[])[]) {
		this.descriptions = lists.flat();
		this.#patterns = this.descriptions.map((description) => ({ description, pattern: patternOf(description.name) }));
	}

	/** Null when no entry matches name and kind. */
	describe(name: string, kind: MetricKind): DescribedMetric | null {
		for (const { description, pattern } of this.#patterns) {
			const match = description.kind === kind ? pattern.exec(name) : null;
			if (match !== null) return { description, labels: { ...match.groups } };
		}
		return null;
	}
}

function patternOf(name: string): RegExp {
	const parts = name.split(/\{([a-z_]+)\}/);
	const source = parts.map((text, i) => (i % 2 === 1 ? `(?<${text}>.+)` : text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")));
	return new RegExp(`^${source.join("")}$`);
}

const counter = (name: string, help: string, unit = "1"): MetricDescription => ({ name, kind: "counter", unit, help });

/** What kernels count. */
export const actorMetrics: readonly MetricDescription[] = [
	counter("actor.told", "Messages told, to actors of any thread."),
	counter("actor.handled", "Messages that a behaviour has handled."),
	counter("actor.asked", "Asks sent."),
	counter("actor.full", "Tells refused because a lane or mailbox was full."),
	counter("actor.failures", "Failures of behaviours."),
	counter("actor.late_replies", "Replies that came after their ask had timed out."),
	counter("actor.dead_letters.{reason}", "Messages that nobody handled, by reason."),
	{ name: "actor.asks_pending", kind: "gauge", unit: "1", help: "Asks that wait for their answer." },
];
