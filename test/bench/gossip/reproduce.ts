/**
 * `npm run reproduce`: the published tables of gossip protocols next to what the shipped machines do in this run, on virtual
 * time with fixed seeds. It takes a few minutes; `-- --members N` sets the size of Lifeguard's group (default 32, the paper
 * has 128).
 *
 * Published figures: Demers et al., PODC 1987, Table 1 (n = 1,000); SWIM, DSN 2002, §3.1 (analysis); Lifeguard,
 * arXiv 1707.00788, §V gives no figure for single rows here, only that false positives fall by more than 50 times.
 */
import { parseArgs } from "node:util";
import { formatNumber, formatTable } from "../../../actors/console/index.ts";
import { requireInteger } from "../../../protocols/core/index.ts";
import { runRumour } from "../../protocols/gossip/rumours/rumour-crowd.ts";
import { lifeguardParts, runAnomalies } from "../../protocols/gossip/swim/anomalies.ts";
import { SwimCrowd } from "../../protocols/gossip/swim/swim-crowd.ts";
import { spreadRounds } from "./spread-rounds.ts";

const { values } = parseArgs({ options: { members: { type: "string", default: "32" } } });
const members = requireInteger("--members", Number(values.members), 16, 256);

function print(title: string, rows: readonly (readonly string[])[]): void {
	const columns = Math.max(...rows.map(({ length }) => length));
	console.log(`\n${title}\n`);
	for (const line of formatTable(rows, ["left", ...new Array<"right">(columns - 1).fill("right")])) console.log(line);
}

function demers(): void {
	const published = [
		[1, "0.18", "1.7"],
		[2, "0.037", "3.3"],
		[3, "0.011", "4.5"],
		[4, "0.0036", "5.6"],
		[5, "0.0012", "6.7"],
	] as const;
	const seeds = [1, 2, 3, 4, 5, 6, 7, 8];
	const rows = published.map(([k, residue, traffic]) => {
		const runs = seeds.map((seed) => runRumour(seed, 1_000, { k }));
		const mean = (value: (run: (typeof runs)[number]) => number): number =>
			runs.reduce((sum, run) => sum + value(run), 0) / runs.length;
		const ours = [
			mean((run) => run.residue).toFixed(4),
			mean((run) => run.traffic).toFixed(2),
			mean((run) => run.rounds).toFixed(1),
		];
		return [`k = ${k}`, residue, ours[0] ?? "", traffic, ours[1] ?? "", ours[2] ?? ""];
	});
	const head = ["", "residue, published", "here", "traffic, published", "here", "rounds here"];
	print("Rumours: push, feedback, counter; 1,000 members (Demers et al. 1987, Table 1)", [head, ...rows]);
}

function spread(): void {
	const rows = [0, 0.1, 0.3].map((loss) => {
		const { mean, max } = spreadRounds(1_000, loss, 5);
		return [`${100 * loss} % loss`, mean.toFixed(2), max.toFixed(2)];
	});
	print("SWIM: gossip rounds until one event has reached 1,000 members, fanout 3", [["", "mean", "longest"], ...rows]);
}

function detection(): void {
	const rows = [64, 256, 1_000].map((size) => {
		const victims = Math.max(4, Math.floor(size / 20));
		const firstMs = new Map<string, number>();
		let crashedAtMs = 0;
		const group = new SwimCrowd({
			seed: 7,
			size,
			observe: (_place, event, nowMs) => {
				if (event.type === "probe-failed" && !firstMs.has(event.node)) firstMs.set(event.node, nowMs - crashedAtMs);
			},
		});
		group.gather();
		crashedAtMs = group.crowd.nowMs;
		for (let i = 0; i < victims; i++) group.crowd.crash(i * 19);
		group.run(20_000);
		const mean = [...firstMs.values()].reduce((sum, ms) => sum + ms, 0) / firstMs.size / 1_000;
		const expected = 1 / (1 - (1 - 1 / (size - 1)) ** (size - 1));
		return [`${size} members`, expected.toFixed(3), mean.toFixed(3), `${victims}`];
	});
	const head = ["", "analysis", "here", "crashes"];
	print("SWIM: periods until a crash is first noticed (DSN 2002, §3.1)", [head, ...rows]);
}

function lifeguard(): void {
	const settings = [
		{ slow: 1, muteMs: 16_384, gapMs: 4 },
		{ slow: 4, muteMs: 16_384, gapMs: 4 },
		{ slow: 8, muteMs: 16_384, gapMs: 64 },
		{ slow: 8, muteMs: 32_768, gapMs: 1 },
	];
	const rows = settings.map((setting) => {
		const label = `C ${setting.slow}, D ${setting.muteMs} ms, I ${setting.gapMs} ms`;
		const cells = Object.values(lifeguardParts).map((config) => {
			const { falsePositives, atHealthy } = runAnomalies({ ...setting, members, durationMs: 120_000, seed: 1 }, config);
			return `${formatNumber(falsePositives)} / ${formatNumber(atHealthy)}`;
		});
		return [label, ...cells];
	});
	print(`Lifeguard's set-up, ${members} members, 2 minutes: false positives at any member / at healthy ones`, [
		["", ...Object.keys(lifeguardParts)],
		...rows,
	]);
	console.log("\nPublished: more than 50 times fewer with Lifeguard than with SWIM.");
}

demers();
spread();
detection();
lifeguard();
