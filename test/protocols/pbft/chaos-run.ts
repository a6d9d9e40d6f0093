/** One seeded run of a PBFT group in which some members lie, the network and the correct members fail, and then only the liars go on. */
import { assert, type CryptoPort, Generator, type NodeId, nodeId } from "../../../protocols/core/index.ts";
import {
	type Attack,
	ByzantineMachine,
	modeAttacks,
	pbftAttacks,
	TwinMachine,
} from "../../../protocols/pbft/attacks/index.ts";
import {
	type Evidence,
	encodeMembershipOperation,
	type MembershipOperation,
	type PbftConfig,
	type PbftEvent,
} from "../../../protocols/pbft/index.ts";
import { GroupDriver, kindWorld, type Outcome, type World } from "./group-driver.ts";
import { decode, encode, Ledger } from "./ledger.ts";
import { StrictWatch } from "./strict-watch.ts";

const CHAOS_MS = 4000;
/** Virtual time in which everything must have healed: many doubled timeouts. */
const LIVENESS_MS = 120_000;
const PATIENCE_MS = 400;
const CLIENTS = 3;
const administrator = nodeId("admin");
/** Requests of each client when the faults have stopped: the group must still make progress. */
const REQUESTS_AFTER = 3;

type Mode =
	| "votes"
	| "certificates"
	| "collectorTimeoutMs"
	| "keyPeriodMs"
	| "partialSlotsMax"
	| "forwardDelayMs"
	| "queuePeriodsMax";

export interface ChaosOptions {
	readonly seed: number;
	readonly members: number;
	readonly faults: number;
	/** How each lying member lies: names of attacks, or "twins". There may be more than f of them. */
	readonly liars: readonly (readonly string[])[];
	/** Crashes, losses and partitions of correct members too. */
	readonly isDisturbed: boolean;
	/** Two more nodes run, and members are added, removed, replaced and isolated all the time; default false. */
	readonly isChanging?: boolean;
	/** What votes carry and who gathers them; default the settings' own. What waits for time to pass; default nothing. */
	readonly modes?: Partial<Pick<PbftConfig, Mode>>;
}

export interface ChaosRun {
	readonly driver: GroupDriver;
	readonly evaluations: ReadonlyMap<string, number>;
	readonly acknowledged: number;
	/** Liars against whom some correct member holds evidence. */
	readonly convicted: ReadonlySet<NodeId>;
	readonly liars: readonly NodeId[];
	readonly viewMax: number;
}

/**
 * A seed decides everything: how many lie and in which ways, and what else goes wrong.
 * @throws Error as {@link runChaos}
 */
export function runSeed(seed: number, modes: ChaosOptions["modes"] = {}): ChaosRun {
	const dice = new Generator(seed, "attacks");
	const faults = dice.pick([1, 1, 1, 2]);
	const known = Object.keys(modes).length === 0 ? pbftAttacks : [...pbftAttacks, ...modeAttacks];
	const names = [...known.map(({ name }) => name), "twins"];
	const pick = (): string[] => Array.from({ length: dice.between(1, 3) }, () => dice.pick(names));
	const liars = Array.from({ length: dice.between(0, faults) }, pick);
	return runChaos({ seed, members: 3 * faults + 1, faults, liars, isDisturbed: seed % 4 !== 0, modes });
}

function attackOf(name: string): Attack {
	const attack = [...pbftAttacks, ...modeAttacks].find((known) => known.name === name);
	assert(attack !== undefined, "the attack exists", { name });
	return attack;
}

/** @throws Error naming the violated property, or what did not come to be */
export function runChaos(options: ChaosOptions): ChaosRun {
	const { seed, members, faults, liars, isDisturbed, isChanging = false, modes = {} } = options;
	const dice = new Generator(seed, "chaos");
	const watch = new StrictWatch();
	const clients = Array.from({ length: CLIENTS }, (_, i) => nodeId(`c${i + 1}`));
	const lying = new Map<NodeId, readonly string[]>();
	// Liars lead the first views half of the time, so that what primaries can do is tried.
	const candidates = isChanging ? 2 : 0;
	const names = Array.from({ length: members + candidates }, (_, i) => nodeId(`n${i + 1}`));
	const offset = dice.chance(0.5) ? 0 : dice.below(members);
	for (const [i, attacks] of liars.entries()) lying.set(names[(offset + i) % members]!, attacks);
	const correct = names.filter((name) => !lying.has(name));
	const sides = {
		first: correct.slice(0, Math.ceil(correct.length / 2)),
		second: correct.slice(Math.ceil(correct.length / 2)),
		accomplices: [...lying.keys()],
	};
	const corrupt = (id: NodeId, config: PbftConfig, crypto: CryptoPort) => {
		const attacks = lying.get(id);
		if (attacks === undefined) return null;
		if (attacks.includes("twins")) return new TwinMachine(config, crypto, sides);
		return new ByzantineMachine(config, crypto, attacks.map(attackOf), seed);
	};
	const convicted = new Set<NodeId>();
	const evidence: Evidence[] = [];
	let viewMax = 0;
	const driver: GroupDriver = new GroupDriver({
		seed,
		members,
		faults,
		candidates,
		clients: [...clients, administrator],
		corrupt,
		application: () => new Ledger(),
		world: isDisturbed ? disturbedWorld(dice) : kindWorld,
		tuning: {
			checkpointInterval: dice.pick([2, 4, 8]),
			windowSize: 16,
			openSlotsMax: dice.between(1, 6),
			partialSlotsMax: 6,
			batchMaxRequests: dice.between(1, 4),
			batchDelayMs: dice.pick([0, 5]),
			clientWindow: dice.pick([1, 4]),
			forwardDelayMs: 0,
			viewTimeoutMs: 100,
			queuePeriodsMax: 0,
			viewTimeoutMaxMs: 20_000,
			statusMs: 40,
			statePartBytes: dice.between(8, 64),
			transferTimeoutMs: 60,
			transferWindow: dice.between(1, 4),
			futureMax: 16,
			offencesMax: 8,
			repeatMax: 8,
			recoveryPeriodMs: dice.fork("recovery").pick([0, 0, 700]),
			executesTentatively: dice.fork("tentative").chance(0.5),
			...modes,
		},
		observe: (observation) => {
			watch.observe(observation);
			if (observation.type !== "event") return;
			if (observation.event.type === "evidence") {
				if (!convicted.has(observation.event.evidence.culprit)) evidence.push(observation.event.evidence);
				convicted.add(observation.event.evidence.culprit);
			}
			if (observation.event.type === "suspicion") assertJust(observation.node, observation.event, lying);
			if (observation.event.type === "view-entered") viewMax = Math.max(viewMax, observation.event.view);
		},
	});
	const submitted = new Set<string>();
	const acknowledged: string[] = [];
	const askers = clients.map((id) => new Client(driver, id, faults, dice.fork(id), submitted, acknowledged));
	for (const asker of askers) asker.start();
	const chaos = new Chaos(driver, dice.fork("faults"), correct);
	if (isDisturbed) chaos.start();
	const changes = isChanging ? new Changes(driver, dice.fork("changes"), evidence) : null;
	changes?.start();
	driver.run(CHAOS_MS);
	changes?.stop();
	chaos.stop();
	for (const asker of askers) asker.finish();
	const ledger = (id: NodeId): string => (driver.application(id) as Ledger).applied.join(" ");
	/** The correct members of the latest configuration. */
	const current = (): NodeId[] => {
		const known = correct.map((id) => driver.machine(id).view.configuration);
		const latest = known.reduce((a, b) => (b.epoch > a.epoch ? b : a));
		return correct.filter((id) => latest.members.includes(id));
	};
	const isDone = (): boolean => {
		if (!askers.every(({ isIdle }) => isIdle) || !watch.isRecovered) return false;
		return new Set(current().map(ledger)).size === 1;
	};
	assert(
		driver.runUntil(isDone, LIVENESS_MS),
		"liveness: when faults end, every request is answered and all converge",
		{
			liars: [...lying].map(([id, attacks]) => `${id}: ${attacks.join("+")}`).join(", "),
			idle: askers.map(({ isIdle }) => isIdle).join(" "),
			status: JSON.stringify(correct.map((id) => ({ id, ...driver.machine(id).status, members: 0, chain: 0 }))),
		},
	);
	const applied = (driver.application(current()[0]!) as Ledger).applied;
	assert(new Set(applied).size === applied.length, "exactly once: nothing is applied twice");
	for (const command of applied)
		assert(submitted.has(command), "validity: only what clients asked is applied", { command });
	for (const command of acknowledged) assert(applied.includes(command), "nothing acknowledged is lost", { command });
	return {
		driver,
		evaluations: watch.evaluations,
		acknowledged: acknowledged.length,
		convicted,
		liars: [...lying.keys()],
		viewMax,
	};
}

/** Slowness may be the network's; all else that a correct member is suspected of would be the suspecting member's mistake. */
function assertJust(
	node: NodeId,
	{ member, reason }: Extract<PbftEvent, { type: "suspicion" }>,
	lying: ReadonlyMap<NodeId, unknown>,
): void {
	const isSlowness = reason === "slow-primary" || reason === "slow-collector";
	assert(isSlowness || lying.has(member), "justice: a correct member is suspected of slowness alone", {
		node,
		member,
		reason,
	});
}

function disturbedWorld(dice: Generator): World {
	return {
		lossChance: dice.pick([0, 0.02, 0.1]),
		duplicateChance: dice.pick([0, 0.1]),
		latencyMs: { min: 1, max: dice.pick([2, 10, 30]) },
		writeMs: { min: 0, max: dice.pick([1, 5, 15]) },
	};
}

/** Breaks what is not Byzantine, until it is stopped; then everything is mended. */
class Chaos {
	readonly #driver: GroupDriver;
	readonly #dice: Generator;
	readonly #correct: readonly NodeId[];
	#isOn = false;

	constructor(driver: GroupDriver, dice: Generator, correct: readonly NodeId[]) {
		this.#driver = driver;
		this.#dice = dice;
		this.#correct = correct;
	}

	start(): void {
		this.#isOn = true;
		this.#breakLater();
	}

	stop(): void {
		this.#isOn = false;
		this.#driver.world = kindWorld;
		this.#driver.heal();
		for (const id of this.#driver.everyone) if (!this.#driver.isUp(id)) this.#driver.restart(id);
	}

	#breakLater(): void {
		this.#driver.after(this.#dice.between(20, 300), () => {
			if (!this.#isOn) return;
			this.#breakSomething();
			this.#breakLater();
		});
	}

	#breakSomething(): void {
		const { everyone: members } = this.#driver;
		switch (this.#dice.below(7)) {
			case 0:
			case 1:
				this.#crash(this.#dice.pick(this.#correct));
				break;
			case 2:
				if (this.#dice.chance(0.3)) for (const id of this.#correct) this.#crash(id);
				break;
			case 3: {
				const side = members.filter(() => this.#dice.chance(0.5));
				this.#driver.partition([side, members.filter((id) => !side.includes(id))]);
				break;
			}
			case 4:
				this.#driver.cutLink(this.#dice.pick(members), this.#dice.pick(members));
				break;
			case 5:
				this.#driver.world = disturbedWorld(this.#dice);
				break;
			default:
				this.#driver.heal();
		}
	}

	#crash(id: NodeId): void {
		if (!this.#driver.isUp(id)) return;
		this.#driver.crash(id);
		this.#driver.after(this.#dice.between(1, 400), () => {
			if (!this.#driver.isUp(id)) this.#driver.restart(id);
		});
	}
}

/** An administrator that changes the members all the time, isolates whom it has evidence against, and forges some. */
class Changes {
	readonly #driver: GroupDriver;
	readonly #dice: Generator;
	/** Grows while the run goes on. */
	readonly #evidence: readonly Evidence[];
	#timestamp = 0;
	#isOn = false;

	constructor(driver: GroupDriver, dice: Generator, evidence: readonly Evidence[]) {
		this.#driver = driver;
		this.#dice = dice;
		this.#evidence = evidence;
	}

	start(): void {
		this.#isOn = true;
		this.#changeLater();
	}

	stop(): void {
		this.#isOn = false;
	}

	#changeLater(): void {
		this.#driver.after(this.#dice.between(50, 400), () => {
			if (!this.#isOn) return;
			const operation = encodeMembershipOperation(this.#draw());
			const request = this.#driver.signed(administrator, ++this.#timestamp, operation, "configure");
			for (const id of this.#driver.everyone) this.#driver.request(id, request);
			this.#changeLater();
		});
	}

	#draw(): MembershipOperation {
		const member = this.#dice.pick(this.#driver.everyone);
		const replacement = this.#dice.chance(0.7) ? this.#dice.pick(this.#driver.everyone) : null;
		if (this.#evidence.length > 0 && this.#dice.chance(0.6)) {
			const evidence = this.#dice.pick(this.#evidence);
			// Now and then against somebody else, who may be correct.
			const culprit = this.#dice.chance(0.7) ? evidence.culprit : member;
			return { type: "isolate", evidence: { ...evidence, culprit }, replacement };
		}
		return this.#dice.chance(0.5) ? { type: "add", member } : { type: "remove", member, replacement };
	}
}

/** A client by the paper: it asks the primary it knows, then everyone, and believes f + 1 equal answers of distinct members. */
class Client {
	readonly #driver: GroupDriver;
	readonly #id: NodeId;
	readonly #faults: number;
	readonly #dice: Generator;
	readonly #submitted: Set<string>;
	readonly #acknowledged: string[];
	#timestamp = 0;
	/** Requests that it still makes before it ends; endless until {@link finish}. */
	#left = Number.POSITIVE_INFINITY;
	isIdle = false;

	constructor(
		driver: GroupDriver,
		id: NodeId,
		faults: number,
		dice: Generator,
		submitted: Set<string>,
		acknowledged: string[],
	) {
		this.#driver = driver;
		this.#id = id;
		this.#faults = faults;
		this.#dice = dice;
		this.#submitted = submitted;
		this.#acknowledged = acknowledged;
	}

	start(): void {
		this.#next();
	}

	finish(): void {
		this.#left = REQUESTS_AFTER;
	}

	#next(): void {
		if (this.#left === 0) {
			this.isIdle = true;
			return;
		}
		this.#left--;
		this.#driver.after(this.#dice.between(0, 40), () => this.#ask());
	}

	#ask(): void {
		const timestamp = ++this.#timestamp;
		const command = `${this.#id}.${timestamp}`;
		this.#submitted.add(command);
		let request = this.#dice.chance(0.5)
			? this.#driver.signed(this.#id, timestamp, encode(command))
			: this.#driver.authenticated(this.#id, timestamp, encode(command));
		const answers = new Map<NodeId, string>();
		let isDone = false;
		const hear = (from: NodeId, outcome: Outcome): void => {
			if (isDone) return;
			// A primary that spoils authenticators gets a client as far as having to sign.
			if (outcome.type === "refused" && outcome.reason === "signature-required") {
				request = this.#driver.signed(this.#id, timestamp, encode(command));
				return;
			}
			if (outcome.type !== "result" && outcome.type !== "tentative-result") return;
			const { data, view, sequence } = outcome;
			const said = outcome.type === "result" ? decode(data) : `tentative ${view}.${sequence} ${decode(data)}`;
			// A lying member may answer anything.
			answers.set(from, this.#driver.isCorrect(from) ? said : "lie");
			// Whoever the members are at present, a quorum of them is no larger.
			const quorum = Math.floor((this.#driver.everyone.length + this.#faults) / 2) + 1;
			const [equal] = [...answers.values()].filter((value) => {
				const count = [...answers.values()].filter((other) => other === value).length;
				return count >= (value.startsWith("tentative") ? quorum : this.#faults + 1);
			});
			if (equal === undefined) return;
			isDone = true;
			this.#acknowledged.push(command);
			this.#next();
		};
		const ask = (members: readonly NodeId[]): void => {
			if (isDone) return;
			for (const id of members) this.#driver.request(id, request, (outcome) => hear(id, outcome));
			this.#driver.after(PATIENCE_MS, () => ask(this.#driver.everyone));
		};
		ask([this.#dice.pick(this.#driver.everyone)]);
	}
}
