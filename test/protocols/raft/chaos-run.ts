/**
 * One seeded run of a Raft group under faults, with clients: a chaos phase, then all faults off and everything must
 * finish. Throws on the first violated property.
 */
import { assert, Generator, type NodeId, nodeId } from "../../../protocols/core/index.ts";
import {
	type ByteApplication,
	isJoint,
	isWitness,
	membersOf,
	type RaftConfig,
	type RaftEvent,
	type RaftRequest,
	raftConfig,
	type SessionId,
} from "../../../protocols/raft/index.ts";
import { DeterministicDriver, type Outcome } from "./deterministic-driver.ts";
import { Reshaper } from "./reshaper.ts";
import { StrictWatch } from "./strict-watch.ts";
import { kindWorld, type World } from "./world.ts";

export interface ChaosRun {
	readonly driver: DeterministicDriver;
	/** How often each property was evaluated or witnessed, by id. */
	readonly evaluations: ReadonlyMap<string, number>;
	readonly acknowledged: number;
	readonly reads: number;
	/** Reads that a follower answered. */
	readonly followerReads: number;
	/** Reads that a leader with a lease answered. */
	readonly leaseReads: number;
	readonly retries: number;
	/** Commands that a follower has passed on, and answered with their result. */
	readonly forwarded: number;
	/** Commands outside sessions, by what they were answered with. */
	readonly once: ReadonlyMap<string, number>;
	/** How often each of the machine's events was told, by type; of a committed configuration also `joint-committed`. */
	readonly events: ReadonlyMap<string, number>;
	/** What was answered to wishes for other members or another leader. */
	readonly reshaping: ReadonlyMap<string, number>;
}

const CLIENTS = 4;
const CHAOS_MS = 3000;
const LIVENESS_MS = 30_000;
/** How far clocks are from true time, in millionths. */
const DRIFT_PPM = 50_000;
/** A client gives up waiting for an answer after this, and asks again. */
const PATIENCE_MS = 400;

const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

/** The replicated application of the test: the list of commands in the order they were applied. */
export class Ledger implements ByteApplication {
	#applied: string[] = [];

	get applied(): readonly string[] {
		return this.#applied;
	}
	apply(data: Uint8Array): Uint8Array {
		this.#applied.push(decode(data));
		return encode(String(this.#applied.length));
	}
	query(): Uint8Array {
		return encode(this.#applied.join(" "));
	}
	takeSnapshot(): Uint8Array {
		return encode(this.#applied.join(" "));
	}
	restoreSnapshot(snapshot: Uint8Array): void {
		const text = decode(snapshot);
		this.#applied = text === "" ? [] : text.split(" ");
	}
}

/** Small bounds everywhere, so that every one of them is reached in a short run. */
function chaosConfig(
	id: NodeId,
	voters: readonly NodeId[],
	dice: Generator,
	shared: Pick<RaftConfig, "lease" | "witnesses" | "priorities">,
): RaftConfig {
	return raftConfig({
		...shared,
		handoverPriorityGap: dice.fork("handover").chance(0.5) ? 1 : 0,
		nodeId: id,
		voters,
		maxEntriesPerAppend: dice.between(1, 4),
		maxInflightAppends: dice.between(1, 4),
		maxInflightBytes: dice.fork("in flight").pick([1024, 4096]),
		maxInflightWrites: dice.between(1, 3),
		maxPendingProposals: 8,
		maxInflightReadRounds: dice.between(1, 2),
		followerReads: dice.fork("follower reads").chance(0.5),
		forwardProposals: dice.fork("forwarding").chance(0.5),
		maxForwardedProposals: 4,
		maxEntriesPerDelivery: dice.between(1, 8),
		snapshotEveryEntries: dice.between(5, 25),
		retainedEntries: dice.between(0, 6),
		snapshotChunkBytes: dice.between(40, 400),
	});
}

function chaosWorld(dice: Generator, nodes: readonly NodeId[]): World {
	return {
		lossChance: dice.pick([0, 0.02, 0.1]),
		duplicateChance: dice.pick([0, 0.05, 0.2]),
		latencyMs: { min: 1, max: dice.pick([2, 10, 40]) },
		writeMs: { min: 0, max: dice.pick([1, 5, 30]) },
		slowDisks: nodes.filter(() => dice.chance(0.2)),
		snapshotMs: { min: 0, max: dice.pick([1, 50]) },
	};
}

/** The run that a seed stands for: its size, and whether members and leader change, follow from it. @throws as `runChaos` */
export function runSeed(seed: number): ChaosRun {
	return runChaos(seed, seed % 2 === 0 ? 3 : 5, seed % 3 === 0);
}

/**
 * With `isReshaped`, members and leader change meanwhile.
 * @throws Error naming the violated property
 */
export function runChaos(seed: number, size: number, isReshaped = false): ChaosRun {
	const dice = new Generator(seed, "chaos");
	const voters = Array.from({ length: size }, (_, i) => nodeId(`n${i + 1}`));
	const watch = new StrictWatch();
	const configs = new Map<NodeId, RaftConfig>();
	// In half of the runs leaders have leases, and the clocks run as differently as these allow.
	const clocks = dice.fork("clocks");
	const lease = clocks.chance(0.5) ? { maxClockDriftPpm: DRIFT_PPM } : null;
	const rates = new Map<NodeId, number>();
	const clockRate = (id: NodeId): number => {
		const rate = rates.get(id) ?? 1 + (DRIFT_PPM / 1e6) * clocks.fork(id).pick([-1, 0, 1]);
		rates.set(id, rate);
		return rate;
	};
	const roles = dice.fork("roles");
	const witnesses = roles.chance(0.4) ? voters.slice(-Math.floor(size / 2)) : [];
	const priorities = roles.chance(0.4) ? Object.fromEntries(voters.map((voter) => [voter, roles.between(0, 3)])) : {};
	const configOf = (id: NodeId): RaftConfig => {
		const config = configs.get(id) ?? chaosConfig(id, voters, dice.fork(id), { lease, witnesses, priorities });
		configs.set(id, config);
		return config;
	};
	const events = new Map<string, number>();
	const driver: DeterministicDriver = new DeterministicDriver({
		seed,
		voters,
		config: configOf,
		application: () => new Ledger(),
		clockRate,
		world: chaosWorld(dice, voters),
		observe: (observation) => {
			watch.observe(observation);
			if (observation.type === "event") count(events, observation.event);
			if (observation.type !== "batch") return;
			if (observation.effects.some(({ type }) => type === "persist" || type === "apply")) chaos.tempt(observation.node);
		},
	});
	// A command that only one full member has is lost with its disk, and members that leave take their disks with them.
	const chaos: Chaos = new Chaos(driver, dice, witnesses.length === 0 && !isReshaped);
	const reshaper = new Reshaper(driver, dice);
	const acknowledged: string[] = [];
	const clients = Array.from(
		{ length: CLIENTS },
		(_, i) => new Client(driver, `c${i}`, dice.fork(`client ${i}`), acknowledged),
	);
	const once = new OnceOnly(driver, dice.fork("once"));
	for (const client of clients) client.start();
	once.start();
	chaos.start();
	if (isReshaped) reshaper.start();
	driver.run(CHAOS_MS);
	chaos.stop();
	if (isReshaped) reshaper.stop();
	for (const client of clients) client.finish();
	once.stop();
	const ledger = (id: NodeId): string => (driver.application(id) as Ledger).applied.join(" ");
	let members: readonly NodeId[] = [];
	const isDone = (): boolean => {
		if (!clients.every((client) => client.isIdle)) return false;
		const leader = reshaper.leader;
		if (leader === null) return false;
		const { configuration, configurationCommitted } = driver.machine(leader).status;
		if (isJoint(configuration) || !configurationCommitted) return false;
		members = membersOf(configuration);
		// Who is no member any more is stopped, as its owner would when it hears so.
		for (const id of driver.nodes) if (driver.isUp(id) && !members.includes(id)) driver.crash(id);
		const replicas = members.filter((id) => !isWitness(configuration, id));
		return replicas.every((id) => ledger(id) === ledger(leader)) && watch.isRecovered;
	};
	assert(driver.runUntil(isDone, LIVENESS_MS), "liveness: without faults every command is answered and all converge", {
		idle: clients.map((client) => client.isIdle).join(" "),
		status: JSON.stringify(driver.nodes.map((id) => ({ id, up: driver.isUp(id), ...driver.machine(id).status }))),
	});
	const { applied } = driver.application(reshaper.leader as NodeId) as Ledger;
	checkExactlyOnce(applied, acknowledged);
	once.check(applied);
	return {
		driver,
		evaluations: watch.evaluations,
		acknowledged: acknowledged.length,
		reads: clients.reduce((sum, { reads }) => sum + reads, 0),
		followerReads: clients.reduce((sum, { followerReads }) => sum + followerReads, 0),
		leaseReads: clients.reduce((sum, { leaseReads }) => sum + leaseReads, 0),
		retries: clients.reduce((sum, { retries }) => sum + retries, 0),
		forwarded: clients.reduce((sum, { forwarded }) => sum + forwarded, 0),
		once: once.outcomes,
		events,
		reshaping: reshaper.answers,
	};
}

function count(events: Map<string, number>, event: RaftEvent): void {
	const add = (name: string): void => void events.set(name, (events.get(name) ?? 0) + 1);
	add(event.type);
	if (event.type === "configuration-committed" && isJoint(event)) add("joint-committed");
}

/** What was acknowledged is there, and nothing is there twice. */
function checkExactlyOnce(applied: readonly string[], acknowledged: readonly string[]): void {
	const known = new Set(applied);
	assert(known.size === applied.length, "a command is applied once", { commands: known.size, applied: applied.length });
	for (const command of acknowledged) assert(known.has(command), "nothing acknowledged is lost", { command });
}

/** Breaks things at random moments until it is stopped; then everything is mended. */
class Chaos {
	readonly #driver: DeterministicDriver;
	readonly #dice: Generator;
	readonly #hints: Generator;
	readonly #damages: Generator;
	readonly #mayDamage: boolean;
	#isOn = false;

	constructor(driver: DeterministicDriver, dice: Generator, mayDamage: boolean) {
		this.#damages = dice.fork("damages");
		this.#mayDamage = mayDamage;
		this.#driver = driver;
		this.#dice = dice.fork("faults");
		this.#hints = dice.fork("hints");
	}

	start(): void {
		this.#isOn = true;
		this.#breakLater();
	}

	/** A node has just handed something to its disk or its application: a good moment to crash it. */
	tempt(node: NodeId): void {
		if (this.#isOn && this.#dice.chance(0.01)) this.#driver.after(this.#dice.between(0, 10), () => this.#crash(node));
	}

	stop(): void {
		this.#isOn = false;
		this.#driver.world = kindWorld;
		this.#driver.heal();
		for (const id of this.#driver.nodes) if (!this.#driver.isUp(id)) this.#driver.restart(id);
	}

	#breakLater(): void {
		this.#driver.after(this.#dice.between(20, 300), () => {
			if (!this.#isOn) return;
			this.#breakSomething();
			if (this.#hints.chance(0.3)) this.#hint(this.#hints.pick(this.#driver.nodes));
			this.#breakLater();
		});
	}

	#breakSomething(): void {
		const { nodes } = this.#driver;
		switch (this.#dice.below(8)) {
			case 0:
			case 1:
				this.#crash(this.#dice.pick(nodes));
				break;
			case 2:
				this.#crash(nodes.find((id) => this.#driver.isUp(id) && this.#driver.machine(id).status.role === "leader"));
				break;
			case 3:
				this.#crashAll();
				break;
			case 4: {
				const side = nodes.filter(() => this.#dice.chance(0.5));
				this.#driver.partition([side, nodes.filter((id) => !side.includes(id))]);
				break;
			}
			case 5:
				this.#driver.cutLink(this.#dice.pick(nodes), this.#dice.pick(nodes));
				break;
			case 6:
				this.#driver.world = chaosWorld(this.#dice, nodes);
				break;
			default:
				this.#driver.heal();
		}
	}

	/** Somebody believes that the leader is gone, mostly wrongly. */
	#hint(id: NodeId): void {
		if (this.#driver.isUp(id)) this.#driver.request(id, { type: "forget-leader" }, () => {});
	}

	/** One disk at a time: with a majority of them damaged nobody could be elected. */
	#damage(id: NodeId): void {
		const isDamaged = (node: NodeId): boolean => {
			const { damagedFrom, isSnapshotDamaged, hardState } = this.#driver.disk(node);
			return damagedFrom !== undefined || isSnapshotDamaged === true || hardState.isUnderRepair === true;
		};
		if (this.#driver.nodes.some((node) => node !== id && isDamaged(node))) return;
		const { entries, snapshot } = this.#driver.disk(id);
		if (snapshot !== null && this.#damages.chance(0.2)) this.#driver.damage(id, null);
		else if (snapshot !== null && this.#damages.chance(0.4)) this.#driver.damageSnapshot(id);
		else if (entries.length > 0) this.#driver.damage(id, this.#damages.between(1, entries.length));
	}

	#crashAll(): void {
		if (this.#dice.chance(0.3)) for (const id of this.#driver.nodes) this.#crash(id);
	}

	#crash(id: NodeId | undefined): void {
		if (id === undefined || !this.#isOn || !this.#driver.isUp(id)) return;
		this.#driver.crash(id);
		if (this.#mayDamage && this.#damages.chance(0.3)) this.#damage(id);
		this.#driver.after(this.#dice.between(1, 600), () => {
			if (!this.#driver.isUp(id)) this.#driver.restart(id);
		});
	}
}

/** Asks each command of its own once, outside any session, and remembers what it was told. */
class OnceOnly {
	readonly #driver: DeterministicDriver;
	readonly #dice: Generator;
	readonly #results = new Set<string>();
	readonly #refused = new Set<string>();
	/** By the type of the answer, and for refusals by reason. */
	readonly outcomes: Map<string, number> = new Map();
	#asked = 0;
	#isOn = false;

	constructor(driver: DeterministicDriver, dice: Generator) {
		this.#driver = driver;
		this.#dice = dice;
	}

	start(): void {
		this.#isOn = true;
		this.#askLater();
	}

	stop(): void {
		this.#isOn = false;
	}

	/** What had a result has taken effect, what was refused has not; that nothing has twice is checked for all commands. */
	check(applied: readonly string[]): void {
		const known = new Set(applied);
		for (const command of this.#results) assert(known.has(command), "what had a result has taken effect", { command });
		for (const command of this.#refused) assert(!known.has(command), "what is refused has no effect", { command });
	}

	#askLater(): void {
		this.#driver.after(this.#dice.between(5, 60), () => {
			if (!this.#isOn) return;
			const node = this.#dice.pick(this.#driver.nodes);
			if (this.#driver.isUp(node)) this.#ask(node);
			this.#askLater();
		});
	}

	#ask(node: NodeId): void {
		const command = `once.${++this.#asked}`;
		const session = 0 as SessionId;
		const data = encode(command);
		this.#driver.request(node, { type: "propose", session, serial: 0, firstIncomplete: 0, data }, (outcome) => {
			const name = outcome.type === "refused" ? outcome.reason : outcome.type;
			this.outcomes.set(name, (this.outcomes.get(name) ?? 0) + 1);
			if (outcome.type === "result") this.#results.add(command);
			if (outcome.type === "refused") this.#refused.add(command);
		});
	}
}

/** Commands and reads that one client has under way at once. */
const LANES = 2;

/** A client with a session: several commands and reads at once, each asked again until it is answered. */
class Client {
	readonly #driver: DeterministicDriver;
	readonly #name: string;
	readonly #dice: Generator;
	/** Commands whose result has come, to any client of the run: a later read must show them. */
	readonly #acknowledged: string[];
	reads = 0;
	followerReads = 0;
	leaseReads = 0;
	retries = 0;
	forwarded = 0;
	#session: SessionId | null = null;
	#nextSerial = 1;
	/** Serials whose result has not come yet. */
	readonly #incomplete = new Set<number>();
	#isFinishing = false;
	#idleLanes = 0;

	constructor(driver: DeterministicDriver, name: string, dice: Generator, acknowledged: string[]) {
		this.#driver = driver;
		this.#name = name;
		this.#dice = dice;
		this.#acknowledged = acknowledged;
	}

	get isIdle(): boolean {
		return this.#idleLanes === LANES;
	}

	start(): void {
		this.#ask({ type: "open-session" }, (outcome) => {
			assert(outcome.type === "session-opened", "opening a session opens one", { outcome: outcome.type });
			this.#session = outcome.session;
			for (let i = 0; i < LANES; i++) this.#next();
		});
	}

	finish(): void {
		this.#isFinishing = true;
	}

	#next(): void {
		if (this.#isFinishing) {
			this.#idleLanes++;
			return;
		}
		this.#driver.after(this.#dice.between(0, 20), () => {
			if (this.#dice.chance(0.3)) this.#read();
			else this.#propose();
		});
	}

	#propose(): void {
		const serial = this.#nextSerial++;
		this.#incomplete.add(serial);
		const command = `${this.#name}.${serial}`;
		const request = (): RaftRequest => ({
			type: "propose",
			session: this.#session as SessionId,
			serial,
			firstIncomplete: Math.min(...this.#incomplete),
			data: encode(command),
		});
		this.#ask(request, (outcome) => {
			assert(outcome.type === "result", "a command of an open session has a result", { outcome: outcome.type });
			this.#incomplete.delete(serial);
			this.#acknowledged.push(command);
			this.#next();
		});
	}

	#read(): void {
		const before = this.#acknowledged.length;
		this.#ask({ type: "read", query: encode("all") }, (outcome) => {
			assert(outcome.type === "answer", "a read is answered", { outcome: outcome.type });
			const seen = new Set(decode(outcome.data).split(" "));
			for (const command of this.#acknowledged.slice(0, before)) {
				assert(seen.has(command), "a read shows what was acknowledged before it", { command });
			}
			this.reads++;
			this.#next();
		});
	}

	#countRead(node: NodeId): void {
		const { role, leaseMs } = this.#driver.machine(node).status;
		if (role === "follower") this.followerReads++;
		else if (leaseMs > 0) this.leaseReads++;
	}

	/** Asks one node after the other until one answers for good; only the first good answer counts. */
	#ask(request: RaftRequest | (() => RaftRequest), done: (outcome: Outcome) => void): void {
		/** Grows with each attempt, so that a late answer to an earlier one is told apart. */
		let attempt = 0;
		const ask = (wanted: NodeId | null): void => {
			const own = ++attempt;
			const again = (leader: NodeId | null): void => {
				if (own !== attempt) return;
				attempt++;
				this.retries++;
				this.#driver.after(this.#dice.between(1, 50), () => ask(leader));
			};
			this.#driver.after(PATIENCE_MS, () => again(null));
			const node = wanted ?? this.#dice.pick(this.#driver.nodes);
			if (!this.#driver.isUp(node)) return;
			this.#driver.request(node, typeof request === "function" ? request() : request, (outcome) => {
				if (own !== attempt) return;
				if (outcome.type === "refused") again(outcome.reason === "not-leader" ? outcome.leader : null);
				else if (outcome.type === "outcome-unknown") again(outcome.leader);
				else {
					attempt++;
					if (outcome.type === "answer") this.#countRead(node);
					else if (this.#driver.machine(node).status.role === "follower") this.forwarded++;
					done(outcome);
				}
			});
		};
		ask(null);
	}
}
