/** Rumours that end by themselves: Demers et al., PODC 1987, Table 1. */
import { runRumour } from "../../protocols/gossip/rumours/rumour-crowd.ts";
import { type Bound, mean, type ReproducedTable, standardError } from "./reproduction.ts";

/** k, residue, traffic, and half of the last digit that the paper prints of the residue. */
const published = [
	[1, 0.18, 1.7, 0.005],
	[2, 0.037, 3.3, 0.0005],
	[3, 0.011, 4.5, 0.0005],
	[4, 0.0036, 5.6, 0.00005],
	[5, 0.0012, 6.7, 0.00005],
] as const;
const SEEDS = 40;
const MEMBERS = 1_000;
/** Of the printed traffic, which has two digits. */
const TRAFFIC_ROUNDING = 0.05;
/** A mean of so many seeds is further off than this once in 16,000 times. */
const STANDARD_ERRORS = 4;

export const rumourTable: ReproducedTable = {
	name: "rumours",
	run: (report) => {
		const bounds: Bound[] = [];
		const rows = published.map(([k, residue, traffic, rounding]) => {
			report(`k = ${k}`);
			const runs = Array.from({ length: SEEDS }, (_, i) => runRumour(i + 1, MEMBERS, { k }));
			const residues = runs.map((run) => run.residue);
			const traffics = runs.map((run) => run.traffic);
			const slack = STANDARD_ERRORS * standardError(residues) + rounding;
			const trafficSlack = STANDARD_ERRORS * standardError(traffics) + TRAFFIC_ROUNDING;
			const source = "the printed figure, its rounding and 4 standard errors of these runs";
			bounds.push(
				{ what: `residue at k = ${k}`, figure: mean(residues), min: residue - slack, max: residue + slack, source },
				{
					what: `traffic at k = ${k}`,
					figure: mean(traffics),
					min: traffic - trafficSlack,
					max: traffic + trafficSlack,
					source,
				},
			);
			const here = [
				mean(residues).toFixed(4),
				mean(traffics).toFixed(2),
				mean(runs.map((run) => run.rounds)).toFixed(1),
			];
			const law = Math.exp(-mean(traffics)).toFixed(4);
			return [`k = ${k}`, `${residue}`, here[0] ?? "", law, `${traffic}`, here[1] ?? "", here[2] ?? ""];
		});
		return {
			title: `Rumours: push, feedback, counter; ${MEMBERS} members, ${SEEDS} seeds (Demers et al. 1987, Table 1)`,
			rows: [["", "residue, published", "here", "e^−traffic", "traffic, published", "here", "rounds here"], ...rows],
			bounds,
		};
	},
};
