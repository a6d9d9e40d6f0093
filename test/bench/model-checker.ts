/**
 * How fast the model checker is: distinct states of Raft per second of CPU, with every property watched, after the parts
 * that all states are made of are known (a longer search would show the same, and the first seconds of one are not it).
 */
import { raftModel } from "../../protocols/raft/model/index.ts";
import { groupSpace, Search } from "../../protocols/verification/model-checker/index.ts";
import type { BenchRow } from "./row.ts";

/** States until the measurement begins, and states that are measured. */
const WARM_UP_STATES = 600_000;
const MEASURED_STATES = 1_200_000;
const EXPANSIONS_AT_ONCE = 1_000;

const cpuSeconds = (): number => {
	const { user, system } = process.cpuUsage();
	return (user + system) / 1e6;
};

export default function bench(): BenchRow[] {
	const space = groupSpace(
		raftModel({
			nodes: 3,
			terms: 2,
			log: 2,
			inFlight: 4,
			crashes: 1,
			losses: 1,
			duplicates: 1,
			requests: 1,
			preVote: false,
			disk: "synchronous",
			network: "set",
			isReduced: true,
			isSymmetric: true,
		}),
	);
	const search = new Search(space, { statesMax: 100_000_000 });
	const advanceTo = (distinct: number): void => {
		while (search.progress.distinct < distinct) search.advance(EXPANSIONS_AT_ONCE);
	};
	advanceTo(WARM_UP_STATES);
	const before = search.progress;
	const start = cpuSeconds();
	advanceTo(WARM_UP_STATES + MEASURED_STATES);
	const seconds = cpuSeconds() - start;
	const after = search.progress;
	const generated = Math.round((after.generated - before.generated) / seconds);
	return [
		{
			name: "model checker, Raft 3 nodes, all properties, distinct states per second of one core",
			ours: (after.distinct - before.distinct) / seconds,
			unit: "states/s",
			target: 40_000,
			stretch: 150_000,
			note: `terms and log <= 2, in flight <= 4, one crash, loss and duplicate; CPU time; ${generated} successors/s; ${space.sizes.transitions} transitions computed by the machine in all`,
		},
	];
}
