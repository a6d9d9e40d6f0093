/** HyParView (DSN 2007) and Plumtree (SRDS 2007) at 10,000 members, the papers' size. */
import { BroadcastCrowd } from "../../protocols/gossip/broadcast/broadcast-crowd.ts";
import { type Bound, mean, type ReproducedTable } from "./reproduction.ts";

const MEMBERS = 10_000;

/** Share of the survivors in the largest part of a random 5-regular graph that is not mended, by the share that failed. */
const unmended: readonly (readonly [failed: number, joined: number])[] = [
	[0.5, 0.936],
	[0.7, 0.283],
	[0.8, 0.07],
];

export const failuresTable: ReproducedTable = {
	name: "failures",
	run: (report) => {
		const bounds: Bound[] = [];
		const rows = unmended.map(([failed, joined]) => {
			report(`${100 * failed} % fail`);
			const group = new BroadcastCrowd(1, MEMBERS, { shuffleIntervalMs: 5_000 });
			group.form(20_000);
			const survivors = Math.round(MEMBERS * (1 - failed));
			for (let place = survivors; place < MEMBERS; place++) group.crowd.crash(place);
			const before = group.largestPart() / survivors;
			// Who is gone is noticed when something is sent to it: broadcasts and shuffles do that.
			const delivered = Array.from({ length: 8 }, (_, i) => group.measure(i * 7, 5_000).delivered / survivors);
			const last = mean(delivered.slice(-3));
			bounds.push({
				what: `delivered after repair, ${100 * failed} % failed`,
				figure: last,
				min: 0.99,
				max: 1,
				source: "published: near 100 % up to 80–90 % failed, after a few cycles",
			});
			return [
				`${100 * failed} % fail at once`,
				joined.toFixed(3),
				before.toFixed(3),
				(delivered[0] ?? 0).toFixed(3),
				last.toFixed(4),
			];
		});
		return {
			title: `HyParView, ${MEMBERS} members: share of the survivors that broadcasts reach`,
			rows: [["", "joined, 5-regular graph", "joined before repair", "first broadcast", "sixth to eighth"], ...rows],
			bounds,
		};
	},
};

/** iroh-gossip's simulator: 100 members, hops as a mean over rounds; here at ten times as many. */
const ASSERTED_MEMBERS = 1_000;

interface TreeRun {
	readonly what: string;
	readonly delivered: number;
	/** Messages beyond one a member. */
	readonly redundancy: number;
	/** Of the member that is reached last, as a mean over the broadcasts. */
	readonly lastHop: number;
}

/** Broadcasts of these members one after the other, after ten of the first that made the tree. */
function oneByOne(what: string, size: number, senders: readonly number[]): TreeRun {
	const group = new BroadcastCrowd(2, size);
	group.form();
	for (let i = 0; i < 10; i++) group.measure(0);
	const runs = senders.map((sender) => {
		group.counts.hopsMax = 0;
		const { delivered, duplicates } = group.measure(sender);
		return { delivered: delivered / size, redundancy: duplicates / (size - 1), hops: group.counts.hopsMax };
	});
	return {
		what,
		delivered: mean(runs.map(({ delivered }) => delivered)),
		redundancy: mean(runs.map(({ redundancy }) => redundancy)),
		lastHop: mean(runs.map(({ hops }) => hops)),
	};
}

function allAtOnce(what: string, size: number, senders: number): TreeRun {
	const group = new BroadcastCrowd(3, size);
	group.form();
	for (let i = 0; i < senders; i++) group.broadcast(Math.floor((i * size) / senders));
	group.crowd.run(group.crowd.nowMs + 10_000);
	const { delivered, duplicates, hopsMax } = group.counts;
	return {
		what,
		delivered: delivered / senders / size,
		redundancy: duplicates / senders / (size - 1),
		lastHop: hopsMax,
	};
}

export const treeTable: ReproducedTable = {
	name: "tree",
	run: (report) => {
		report(`${ASSERTED_MEMBERS} members`);
		const [same, many] = [new Array<number>(20).fill(0), Array.from({ length: 20 }, (_, i) => 47 * i)];
		const asserted: (readonly [TreeRun, number, number])[] = [
			[oneByOne("one sender", ASSERTED_MEMBERS, same), 0.2, 15],
			[oneByOne("20 senders, one after the other", ASSERTED_MEMBERS, many), 1, 18],
			[allAtOnce("100 senders at once", ASSERTED_MEMBERS, 100), 3, 30],
		];
		report(`${MEMBERS} members`);
		const large = [
			oneByOne("one sender", MEMBERS, same.slice(0, 5)),
			oneByOne("20 senders, one after the other", MEMBERS, many),
		];
		const cells = (size: number, run: TreeRun, redundancyMax = "", hopsMax = ""): string[] => [
			`${size} members, ${run.what}`,
			run.delivered.toFixed(4),
			run.redundancy.toFixed(3),
			redundancyMax,
			run.lastHop.toFixed(1),
			hopsMax,
		];
		const source = "asserted by iroh-gossip's own simulator";
		return {
			title: "Plumtree over HyParView (SRDS 2007), after ten broadcasts of one sender that made the tree",
			rows: [
				["", "delivered", "redundancy", "limit", "last hop", "limit"],
				...asserted.map(([run, redundancyMax, hopsMax]) =>
					cells(ASSERTED_MEMBERS, run, `< ${redundancyMax}`, `< ${hopsMax}`),
				),
				...large.map((run) => cells(MEMBERS, run)),
			],
			bounds: [
				...asserted.flatMap(([{ what, delivered, redundancy, lastHop }, redundancyMax, hopsMax]): Bound[] => [
					{ what: `delivered, ${what}`, figure: delivered, min: 1, max: 1, source },
					{ what: `redundancy, ${what}`, figure: redundancy, min: 0, max: redundancyMax, source },
					{ what: `last hop, ${what}`, figure: lastHop, min: 1, max: hopsMax, source },
				]),
				...large.flatMap(({ what, delivered, redundancy }): Bound[] => [
					{
						what: `delivered, ${MEMBERS}, ${what}`,
						figure: delivered,
						min: 1,
						max: 1,
						source: "SRDS 2007: reliability of gossip",
					},
					{
						what: `redundancy, ${MEMBERS}, ${what}`,
						figure: redundancy,
						min: 0,
						max: 0.2,
						source: "SRDS 2007: near 0",
					},
				]),
			],
			note: "Paths from others than the sender that made the tree are up to twice as long: Plumtree optimises one tree for its first sender.",
		};
	},
};
