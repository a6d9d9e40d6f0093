/**
 * One trial: a simulated group serves clients while some of its members attack, correct ones crash and come back, and it is written down
 * who has really attacked, who was found out, and what came of it. Who attacks is known to this file and to no member.
 */
import { Generator, type NodeId, nodeId } from "../../protocols/core/index.ts";
import {
	type Attack,
	type AttackMeans,
	ByzantineMachine,
	type Saying,
	TwinMachine,
	type TwinSides,
} from "../../protocols/pbft/attacks/index.ts";
import { primaryOf } from "../../protocols/pbft/index.ts";
import { type PbftObservation, pbftProperties } from "../../protocols/pbft/properties/index.ts";
import { WatchList } from "../../protocols/verification/index.ts";
import type { VotingModes } from "../byzantine-coordinator/index.ts";
import { Ledger } from "./ledger.ts";
import { SimulatedGroup } from "./simulated-group.ts";
import { TrialClient } from "./trial-client.ts";

/** How a member attacks: by strategies of the library, or as two machines under one name that work with other such. */
export type Strategy = { readonly type: "attacks"; readonly attacks: readonly Attack[] } | { readonly type: "twins" };

export interface TrialOptions {
	readonly seed: number;
	readonly members: number;
	/** f. */
	readonly faults: number;
	/** Null: a control run, without attackers. */
	readonly strategy: Strategy | null;
	/** How many members attack; 0 in a control run. */
	readonly attackers: number;
	/** How all members vote and certify; default as PBFT's. */
	readonly modes?: VotingModes;
	/**
	 * Default false. True: each client reaches one half of the correct members alone, and no correct member fails. So nothing but the
	 * attackers stands between the halves, as in the worst case that more than f of them can choose.
	 */
	readonly isDivided?: boolean;
}

/** What is known of one member at the end of a trial. Times are virtual milliseconds. */
export interface MemberRecord {
	readonly node: NodeId;
	readonly isAttacker: boolean;
	/** Of an attacker: how often it has really deviated, and when first. */
	readonly deviations: number;
	readonly deviatedAtMs: number | null;
	/** When the first correct member had a proof against it. */
	readonly convictedAtMs: number | null;
	/** When f + 1 correct members had received from it what a correct member does not send. */
	readonly suspectedAtMs: number | null;
	/** When f + 1 correct members found that it leads, or collects, too slowly. Of a correct member only while nobody else was away. */
	readonly slowAtMs: number | null;
}

export interface TrialResult {
	readonly members: readonly MemberRecord[];
	/** Ids of properties of `protocols/pbft/properties` that were violated. */
	readonly violated: readonly string[];
	readonly alarm: { readonly atMs: number; readonly culprits: readonly NodeId[] } | null;
	readonly asked: number;
	readonly answered: number;
	/** Results that clients believed and that no correct member gave. */
	readonly deceived: number;
	/** In the end every request was answered, and the correct members hold the same. */
	readonly hasProgress: boolean;
	/** The highest view that a correct member has entered. */
	readonly views: number;
}

const ATTACK_MS = 1_600;
/** Virtual time that the group has to answer everything, while the attackers go on. */
const LIVENESS_MS = 20_000;
/** A correct primary, and later a correct backup, is away so long: attacks on view changes and on states in transfer need an occasion. */
const CRASHES: readonly { readonly atMs: number; readonly forMs: number; readonly who: "primary" | "backup" }[] = [
	{ atMs: 300, forMs: 200, who: "primary" },
	{ atMs: 800, forMs: 400, who: "backup" },
	{ atMs: 1_400, forMs: 200, who: "primary" },
];
/** View changes that a crash has caused may go on so long after it. */
const CALM_AFTER_MS = 600;
/** Attackers take time like everybody: two that answer each other's inventions would fill all virtual time with them. */
const INVENT_EVERY_MS = 4;
const CLIENTS = 2;
const tuning = {
	checkpointInterval: 4,
	windowSize: 16,
	openSlotsMax: 4,
	partialSlotsMax: 4,
	batchMaxRequests: 2,
	batchDelayMs: 0,
	clientWindow: 4,
	forwardDelayMs: 0,
	viewTimeoutMs: 100,
	collectorTimeoutMs: 40,
	queuePeriodsMax: 0,
	viewTimeoutMaxMs: 5_000,
	statusMs: 40,
	statePartBytes: 32,
	transferTimeoutMs: 60,
	transferWindow: 4,
	futureMax: 16,
	offencesMax: 8,
	repeatMax: 8,
} as const;

export function runTrial(options: TrialOptions): TrialResult {
	return new Trial(options).run();
}

class Trial {
	readonly #options: TrialOptions;
	readonly #dice: Generator;
	readonly #attackers: ReadonlySet<NodeId>;
	readonly #group: SimulatedGroup;
	readonly #watch = new WatchList(pbftProperties);
	readonly #clients: TrialClient[];
	/** Until when slowness has a reason that is nobody's lie. */
	#disturbedUntilMs = 0;
	readonly #deviations = new Map<NodeId, { count: number; readonly firstAtMs: number }>();
	readonly #convictedAtMs = new Map<NodeId, number>();
	/** By what is suspected of whom: the correct members that suspect it. */
	readonly #suspectors = new Map<string, Set<NodeId>>();
	readonly #suspectedAtMs = new Map<NodeId, number>();
	readonly #slowAtMs = new Map<NodeId, number>();
	#alarm: TrialResult["alarm"] = null;
	#views = 0;
	/** The machines boot while the group is being made. */
	#nowMs: () => number = () => 0;

	constructor(options: TrialOptions) {
		const { seed, members, faults, attackers, strategy, modes } = options;
		this.#options = options;
		this.#dice = new Generator(seed, "trial");
		const names = Array.from({ length: members }, (_, i) => nodeId(`node-${i + 1}`));
		// The first view is led by an attacker in every other trial, so that both what primaries and what backups can do is tried.
		const first = seed % 2 === 0 ? 0 : 1 + this.#dice.below(members - attackers);
		this.#attackers = new Set(Array.from({ length: attackers }, (_, i) => names[(first + i) % members] as NodeId));
		const correct = names.filter((name) => !this.#attackers.has(name));
		const middle = Math.ceil(correct.length / 2);
		const sides = {
			first: correct.slice(0, middle),
			second: correct.slice(middle),
			accomplices: [...this.#attackers],
		};
		const clients = Array.from({ length: CLIENTS }, (_, i) => nodeId(`client-${i + 1}`));
		this.#group = new SimulatedGroup({
			seed,
			members,
			faults,
			clients,
			tuning: { ...tuning, ...modes },
			application: () => new Ledger(),
			corrupt: (node, config, crypto) => {
				if (strategy === null || !this.#attackers.has(node)) return null;
				if (strategy.type === "twins") return this.#twins(node, sides, () => new TwinMachine(config, crypto, sides));
				return new ByzantineMachine(
					config,
					crypto,
					strategy.attacks.map((attack) => this.#witnessed(node, attack)),
					seed,
				);
			},
			observe: (observation) => this.#observe(observation),
		});
		this.#nowMs = () => this.#group.nowMs;
		// A client of the second half does not reach the attackers either: both their machines would hear the same.
		const reached = options.isDivided === true ? [[...sides.first, ...this.#attackers], sides.second] : [names];
		this.#clients = clients.map((id, at) => {
			const asks = reached[at % reached.length] ?? names;
			const isCorrect = (node: NodeId): boolean => !this.#attackers.has(node);
			return new TrialClient({ group: this.#group, id, faults, dice: this.#dice.fork(id), asks, isCorrect });
		});
	}

	run(): TrialResult {
		const { agenda } = this.#group;
		for (const client of this.#clients) client.start();
		for (const crash of this.#options.isDivided === true ? [] : CRASHES)
			agenda.after(crash.atMs, () => this.#crash(crash.who, crash.forMs));
		agenda.runUntil(() => this.#alarm !== null, ATTACK_MS);
		for (const client of this.#clients) client.finish();
		const isDone = (): boolean => this.#isSettled();
		// Members that have seen two decisions of one slot stop for good; of a divided group no progress is asked.
		const hasProgress =
			this.#alarm === null &&
			this.#options.isDivided !== true &&
			agenda.runUntil(() => isDone() || this.#alarm !== null, ATTACK_MS + LIVENESS_MS);
		return {
			members: this.#group.members.map((node) => this.#recordOf(node)),
			violated: this.#watch.results
				.filter(({ property, violation }) => property.kind === "always" && violation !== null)
				.map(({ property }) => property.id),
			alarm: this.#alarm,
			asked: this.#clients.reduce((sum, { asked }) => sum + asked, 0),
			answered: this.#clients.reduce((sum, { answered }) => sum + answered, 0),
			deceived: this.#clients.reduce((sum, { deceived }) => sum + deceived, 0),
			hasProgress: hasProgress && this.#alarm === null,
			views: this.#views,
		};
	}

	#recordOf(node: NodeId): MemberRecord {
		const deviation = this.#deviations.get(node);
		return {
			node,
			isAttacker: this.#attackers.has(node),
			deviations: deviation?.count ?? 0,
			deviatedAtMs: deviation?.firstAtMs ?? null,
			convictedAtMs: this.#convictedAtMs.get(node) ?? null,
			suspectedAtMs: this.#suspectedAtMs.get(node) ?? null,
			slowAtMs: this.#slowAtMs.get(node) ?? null,
		};
	}

	#isSettled(): boolean {
		if (!this.#clients.every(({ isIdle }) => isIdle)) return false;
		const ledgers = this.#group.members
			.filter((node) => !this.#attackers.has(node))
			.map((node) => (this.#group.application(node) as Ledger).text);
		return new Set(ledgers).size === 1;
	}

	/** The one that leads, as most correct members see it, or somebody else. Attackers do not crash. */
	#crash(who: "primary" | "backup", forMs: number): void {
		const correct = this.#group.members.filter((node) => !this.#attackers.has(node) && this.#group.isUp(node));
		const views = correct.map((node) => this.#group.machine(node)?.view).filter((view) => view !== undefined);
		const furthest = views.reduce((best, view) => (view.view > best.view ? view : best));
		const primary = primaryOf(furthest.configuration, furthest.view);
		const candidates = correct.filter((node) => (node === primary) === (who === "primary"));
		const node = candidates[candidates.length === 0 ? 0 : this.#dice.below(candidates.length)];
		if (node === undefined) return;
		this.#disturbedUntilMs = this.#nowMs() + forMs + CALM_AFTER_MS;
		this.#group.crash(node);
		this.#group.agenda.after(forMs, () => this.#group.restart(node));
	}

	#observe(observation: PbftObservation): void {
		this.#watch.observe(observation);
		if (observation.type !== "event") return;
		const { node, event } = observation;
		if (event.type === "evidence") this.#note(this.#convictedAtMs, event.evidence.culprit);
		if (event.type === "suspicion") {
			const isSlow = event.reason === "slow-primary" || event.reason === "slow-collector";
			this.#suspect(node, event.member, isSlow);
		}
		if (event.type === "view-entered") this.#views = Math.max(this.#views, event.view);
		if (event.type === "alarm") this.#alarm ??= { atMs: this.#nowMs(), culprits: event.culprits };
	}

	/** One member's suspicion may be a liar's word: f + 1 count. */
	#suspect(by: NodeId, member: NodeId, isSlow: boolean): void {
		if (isSlow && !this.#attackers.has(member) && this.#nowMs() < this.#disturbedUntilMs) return;
		const suspected = `${member} ${isSlow}`;
		const suspectors = this.#suspectors.get(suspected) ?? new Set();
		this.#suspectors.set(suspected, suspectors.add(by));
		if (suspectors.size > this.#options.faults) this.#note(isSlow ? this.#slowAtMs : this.#suspectedAtMs, member);
	}

	#note(at: Map<NodeId, number>, member: NodeId): void {
		if (!at.has(member)) at.set(member, this.#nowMs());
	}

	#deviated(node: NodeId): void {
		const known = this.#deviations.get(node);
		if (known === undefined) this.#deviations.set(node, { count: 1, firstAtMs: this.#nowMs() });
		else known.count += 1;
	}

	/** The same attack, which also tells when it has done something that a correct member would not have. */
	#witnessed(node: NodeId, attack: Attack): Attack {
		const { twist, invent, hear } = attack;
		let inventsAgainMs = 0;
		return {
			...attack,
			...(twist === undefined
				? {}
				: {
						twist: (saying: Saying, means: AttackMeans) => {
							const said = twist(saying, means);
							if (said.length !== 1 || said[0]?.message !== saying.message) this.#deviated(node);
							return said;
						},
					}),
			...(invent === undefined
				? {}
				: {
						invent: (means: AttackMeans) => {
							if (this.#nowMs() < inventsAgainMs) return [];
							inventsAgainMs = this.#nowMs() + INVENT_EVERY_MS;
							const said = invent(means);
							if (said.length > 0) this.#deviated(node);
							return said;
						},
					}),
			...(hear === undefined ? {} : { hear }),
		};
	}

	/** Two machines under one name deviate from the moment that they run. */
	#twins(node: NodeId, sides: TwinSides, make: () => TwinMachine): TwinMachine {
		if (sides.first.length > 0 && sides.second.length > 0) this.#deviated(node);
		return make();
	}
}
