/** The text format of Prometheus, version 0.0.4: what a scraper reads. */
import type { MetricKind } from "../memory/index.ts";
import type { Catalogue } from "./catalogue.ts";
import type { HistogramReading, MetricsSnapshot } from "./metrics-snapshot.ts";

export const PROMETHEUS_CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8";

/** Lines of one metric family; they must stand together. */
interface Family {
	readonly help: string;
	readonly type: "counter" | "gauge" | "summary";
	readonly lines: string[];
}

const QUANTILES = [
	["0.5", "p50"],
	["0.9", "p90"],
	["0.99", "p99"],
	["0.999", "p999"],
] as const;

/** Names get the prefix `quorate_`, counters the suffix `_total`; histograms become summaries. */
export function renderPrometheus(snapshot: MetricsSnapshot, catalogue: Catalogue): string {
	const families = new Map<string, Family>();
	const familyOf = (name: string, kind: MetricKind): { readonly family: string; readonly labels: string[] } => {
		const described = catalogue.describe(name, kind);
		const family = familyName(described?.description.name ?? name, kind);
		if (!families.has(family)) {
			const type = kind === "histogram" ? "summary" : kind;
			families.set(family, { help: described?.description.help ?? name, type, lines: [] });
		}
		const labels = Object.entries(described?.labels ?? {}).map(([label, value]) => `${label}="${escapeLabel(value)}"`);
		return { family, labels };
	};
	for (const [name, { total }] of snapshot.counters) {
		const { family, labels } = familyOf(name, "counter");
		families.get(family)?.lines.push(sample(family, labels, total));
	}
	for (const [name, value] of snapshot.gauges) {
		const { family, labels } = familyOf(name, "gauge");
		families.get(family)?.lines.push(sample(family, labels, value));
	}
	for (const [name, reading] of snapshot.histograms) {
		const { family, labels } = familyOf(name, "histogram");
		families.get(family)?.lines.push(...summary(family, labels, reading));
	}
	let text = "";
	for (const [family, { help, type, lines }] of families) {
		text += `# HELP ${family} ${escapeHelp(help)}\n# TYPE ${family} ${type}\n${lines.join("\n")}\n`;
	}
	return text;
}

function summary(family: string, labels: readonly string[], reading: HistogramReading): string[] {
	return [
		...QUANTILES.map(([quantile, field]) => sample(family, [...labels, `quantile="${quantile}"`], reading[field])),
		sample(`${family}_sum`, labels, reading.sum),
		sample(`${family}_count`, labels, reading.count),
	];
}

function sample(name: string, labels: readonly string[], value: number): string {
	return `${name}${labels.length === 0 ? "" : `{${labels.join(",")}}`} ${numberText(value)}`;
}

/** The labels of a pattern leave the name: `raft.{node}.commits` is the family `quorate_raft_commits_total`. */
function familyName(pattern: string, kind: MetricKind): string {
	const words = pattern.replaceAll(/\.?\{[a-z_]+\}/g, "").replaceAll(/[^A-Za-z0-9_]/g, "_");
	return `quorate_${words}${kind === "counter" && !words.endsWith("_total") ? "_total" : ""}`;
}

function numberText(value: number): string {
	if (Number.isNaN(value)) return "NaN";
	if (!Number.isFinite(value)) return value > 0 ? "+Inf" : "-Inf";
	return String(value);
}

function escapeHelp(text: string): string {
	return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}

function escapeLabel(text: string): string {
	return escapeHelp(text).replaceAll('"', '\\"');
}
