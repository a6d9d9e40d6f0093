/**
 * Goal: the text that scrapers read is what the format says (Prometheus text format 0.0.4). Method: one snapshot with all
 * that needs care in it, against the text written by hand.
 */
import { expect, it } from "vitest";
import { actorMetrics, Catalogue, type MetricsSnapshot, renderPrometheus } from "../../../runtime/telemetry/index.ts";

it("renders families together, with escaped help and labels, and names without a description", () => {
	const catalogue = new Catalogue(actorMetrics, [
		{ name: "raft.{node}.commits", kind: "counter", unit: "1", help: "Entries committed,\nby \\node\\." },
		{ name: "storage.commit_us", kind: "histogram", unit: "microseconds", help: "Time of a commit." },
	]);
	const snapshot: MetricsSnapshot = {
		atMs: 0,
		counters: new Map([
			["actor.dead_letters.mailbox-full", { total: 2, perSecond: 1 }],
			["ledger.applied-total", { total: 5, perSecond: 0 }],
			["raft.n.1.commits", { total: 3, perSecond: 0 }],
			['raft.odd"one\\.commits', { total: 4, perSecond: 0 }],
		]),
		gauges: new Map([["load.share", Number.NaN]]),
		histograms: new Map([["storage.commit_us", { count: 4, sum: 100, max: 60, p50: 10, p90: 60, p99: 60, p999: 60 }]]),
	};
	expect(renderPrometheus(snapshot, catalogue)).toBe(
		`# HELP quorate_actor_dead_letters_total Messages that nobody handled, by reason.
# TYPE quorate_actor_dead_letters_total counter
quorate_actor_dead_letters_total{reason="mailbox-full"} 2
# HELP quorate_ledger_applied_total ledger.applied-total
# TYPE quorate_ledger_applied_total counter
quorate_ledger_applied_total 5
# HELP quorate_raft_commits_total Entries committed,\\nby \\\\node\\\\.
# TYPE quorate_raft_commits_total counter
quorate_raft_commits_total{node="n.1"} 3
quorate_raft_commits_total{node="odd\\"one\\\\"} 4
# HELP quorate_load_share load.share
# TYPE quorate_load_share gauge
quorate_load_share NaN
# HELP quorate_storage_commit_us Time of a commit.
# TYPE quorate_storage_commit_us summary
quorate_storage_commit_us{quantile="0.5"} 10
quorate_storage_commit_us{quantile="0.9"} 60
quorate_storage_commit_us{quantile="0.99"} 60
quorate_storage_commit_us{quantile="0.999"} 60
quorate_storage_commit_us_sum 100
quorate_storage_commit_us_count 4
`,
	);
});
