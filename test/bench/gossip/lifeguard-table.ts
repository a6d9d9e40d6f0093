/** Lifeguard's experiment (Dadgar, Phillips, Currey, arXiv 1707.00788, §V): slow members, and who is declared dead for it. */
import { formatNumber } from "../../../actors/console/index.ts";
import { type AnomalyOutcome, lifeguardParts, runAnomalies } from "../../protocols/gossip/swim/anomalies.ts";
import type { ReproducedTable } from "./reproduction.ts";

const settings = [
	{ slow: 1, muteMs: 16_384, gapMs: 4 },
	{ slow: 4, muteMs: 16_384, gapMs: 4 },
	{ slow: 8, muteMs: 16_384, gapMs: 64 },
	{ slow: 8, muteMs: 32_768, gapMs: 1 },
];
/** The paper's α of all configurations; memberlist's default is 4. */
const SUSPICION_MULTIPLIER = 5;

/** @param members of the group; the paper has 128 */
export function lifeguardTable(members: number): ReproducedTable {
	return {
		name: "lifeguard",
		run: (report) => {
			const totals = new Map<string, number>();
			const rows = settings.map((setting) => {
				const label = `C ${setting.slow}, D ${setting.muteMs} ms, I ${setting.gapMs} ms`;
				const cells = Object.entries(lifeguardParts).map(([part, config]) => {
					report(`${label}, ${part}`);
					const tuned = { suspicionMultiplier: SUSPICION_MULTIPLIER, ...config };
					const outcome = runAnomalies({ ...setting, members, durationMs: 120_000, seed: 1 }, tuned);
					totals.set(part, (totals.get(part) ?? 0) + outcome.falsePositives);
					return cell(outcome);
				});
				return [label, ...cells];
			});
			const [swim, lifeguard] = [totals.get("SWIM") ?? 0, totals.get("Lifeguard") ?? 0];
			return {
				title: `Lifeguard's set-up, ${members} members, 2 minutes, α = ${SUSPICION_MULTIPLIER}: false positives at any member / at healthy ones`,
				rows: [
					["", ...Object.keys(lifeguardParts)],
					...rows,
					["all four, at any member", ...[...totals.values()].map((total) => formatNumber(total))],
				],
				bounds: [
					{
						what: "false positives of SWIM",
						figure: swim,
						min: 1_000,
						max: null,
						source: "or there is nothing to compare",
					},
					{
						what: "SWIM's for each of Lifeguard's",
						figure: swim / Math.max(1, lifeguard),
						min: 50,
						max: null,
						source: "published: cut by more than 50 times",
					},
				],
				note: [
					"C members are slow at a time, for D ms, again and again after I ms. The paper's table by rows is not at hand, so only its ratio is held against.",
					"The ratio is that of the sums over all four rows, to which the longest slowness gives nearly all of Lifeguard's; `npm run bench -- gossip` measures",
					"the second row alone, with memberlist's α = 4, so its ratio is far higher, and rests on the few that Lifeguard has there.",
				].join("\n"),
			};
		},
	};
}

function cell({ falsePositives, atHealthy }: AnomalyOutcome): string {
	return `${formatNumber(falsePositives)} / ${formatNumber(atHealthy)}`;
}
