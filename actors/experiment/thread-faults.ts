/** The faults of the catalogue on worker threads. What is not here can not be done there. */
import { assertNever, type Generator } from "../../protocols/core/index.ts";
import type { Clock, NetworkFault, TimerHandle } from "../../runtime/index.ts";
import { type FaultSpec, faultNotApplicable } from "../../supervisors/index.ts";
import { participantName } from "../participant/index.ts";
import { groupSupervisorName, type Swarm } from "../swarm/index.ts";
import type { FailingActors } from "./failing-actors.ts";
import type { FaultArguments } from "./fault-arguments.ts";
import { type DiskState, type FaultBoardWriter, type MemberOrder, memberOrders } from "./fault-board.ts";
import { type DiskKind, diskKinds, type FaultHandlers, injectFault, type Removal } from "./fault-injection.ts";
import type { HeldThreads } from "./held-threads.ts";
import { askForTransfer } from "./leadership-transfer.ts";
import { floodMailbox } from "./mailbox-flood.ts";
import { networkKinds } from "./network-faults.ts";
import type { InjectedFault } from "./staged-target.ts";
import { TargetSelection } from "./target-selection.ts";

const memberKinds = [
	"kill",
	"crash",
	"pause",
	"crash-loop",
	"oom",
	"busy-loop",
	"supervisor-kill",
	"mailbox-flood",
	"lane-full",
	"transfer-leadership",
] as const;
type MemberKind = (typeof memberKinds)[number];

const atTheReceiver = "on threads network faults act at the receiver's edge, where a message has no bytes any more";
const oneDatabase = "all members keep their state in one database";
const oneClock = "threads read the clock of the machine";
/** The kinds that threads can not bear, and why. */
export const threadRefusals: ReadonlyMap<string, string> = new Map([
	["corrupt", atTheReceiver],
	["bandwidth", atTheReceiver],
	["kill-at", "a real thread is killed from outside, between no two points that anybody chose"],
	["slow", "a thread can be stopped, and not slowed down"],
	["restart-power-loss", "a killed thread leaves the page cache as it is, so nothing unflushed is lost"],
	["wipe", oneDatabase],
	["bit-rot", oneDatabase],
	["misdirected-write", oneDatabase],
	["clock-skew", oneClock],
	["clock-drift", oneClock],
	["clock-jump", oneClock],
]);

/** The kinds that threads can bear. */
export const threadFaultKinds: ReadonlySet<string> = new Set(
	[...networkKinds, ...memberKinds, ...diskKinds].filter((kind) => !threadRefusals.has(kind)),
);

/** Beyond what any lane takes, so that it is full all the time. */
const FLOOD_PER_SECOND = 10_000_000;
/** Nothing is wrong with the disk. */
const soundDisk: DiskState = { isStalled: false, isFull: false, delayMs: 0, flushFails: 0, readFails: 0 };

/** What faults act on. */
export interface ThreadParts {
	readonly swarm: Swarm;
	readonly clock: Clock;
	readonly group: string;
	readonly board: FaultBoardWriter;
	readonly threads: HeldThreads;
	readonly failing: FailingActors;
	readonly generator: Generator;
}

export class ThreadFaults implements FaultHandlers<MemberKind> {
	readonly #parts: ThreadParts;
	readonly #selection: TargetSelection;
	/** What each disk fault in force does. */
	readonly #onDiskNow = new Set<Partial<DiskState>>();

	constructor(parts: ThreadParts) {
		this.#parts = parts;
		this.#selection = new TargetSelection(parts.swarm, parts.generator);
	}

	/** @throws QuorateError `fault-not-applicable`, `faults-too-large` */
	inject(fault: FaultSpec): Promise<InjectedFault> {
		return injectFault(fault, this.#selection, this);
	}

	onNetwork(fault: NetworkFault): () => void {
		return this.#parts.board.add(fault);
	}

	/** Of the one disk that all members share. */
	onDisk(kind: DiskKind, given: FaultArguments, nodes: readonly string[] | null): Removal {
		if (nodes !== null) throw faultNotApplicable({ fault: kind, reason: "members share one disk: its target is all" });
		if (kind === "slow-disk" && given.number("factor") !== 1) {
			throw faultNotApplicable({ fault: kind, reason: "on threads its factor is 1" });
		}
		const trouble = troubleOf(kind, given);
		this.#onDiskNow.add(trouble);
		this.#tellDisk();
		return async () => {
			this.#onDiskNow.delete(trouble);
			this.#tellDisk();
		};
	}

	/** Of several the worst, and their delays together. */
	#tellDisk(): void {
		const faults = [...this.#onDiskNow].map((trouble) => ({ ...soundDisk, ...trouble }));
		this.#parts.board.disk = {
			isStalled: faults.some(({ isStalled }) => isStalled),
			isFull: faults.some(({ isFull }) => isFull),
			delayMs: faults.reduce((sum, { delayMs }) => sum + delayMs, 0),
			flushFails: Math.max(0, ...faults.map(({ flushFails }) => flushFails)),
			readFails: Math.max(0, ...faults.map(({ readFails }) => readFails)),
		};
	}

	async onMember(kind: MemberKind, node: string, given: FaultArguments): Promise<Removal | null> {
		const { swarm, clock, group, threads } = this.#parts;
		const thread = participantName(group, node);
		switch (kind) {
			case "kill":
				this.#requireAlive(kind, node);
				await swarm.kill(node);
				return null;
			case "crash": {
				const release = threads.hold(thread);
				await swarm.kill(node);
				return async () => release();
			}
			case "crash-loop":
				return this.#crashLoop(node, given.number("upMs"));
			case "oom":
				this.#order(node, memberOrders.exhaustMemory);
				return null;
			case "pause":
				return this.#standing(node, memberOrders.stand);
			case "busy-loop":
				return this.#standing(node, memberOrders.spin);
			case "mailbox-flood":
				return floodMailbox(swarm, clock, thread, given.number("messagesPerSecond"));
			case "supervisor-kill":
				return this.#killSupervisor(node);
			case "lane-full":
				return this.#fillLanes(node, given);
			case "transfer-leadership":
				askForTransfer(swarm, node);
				return null;
			default:
				return assertNever(kind, "kind of fault");
		}
	}

	#requireAlive(fault: string, node: string): void {
		const thread = participantName(this.#parts.group, node);
		const status = this.#parts.threads.status().find(({ spec }) => spec.name === thread);
		if (status !== undefined && status.state !== "dead") return;
		throw faultNotApplicable({ fault, reason: `${node} is dead already` });
	}

	/** The supervisor fails at the next thing it hears, which is the death of this member. */
	async #killSupervisor(node: string): Promise<null> {
		const { swarm, group, failing } = this.#parts;
		this.#requireAlive("supervisor-kill", node);
		const supervisor = await swarm.lookup(groupSupervisorName(group));
		if (supervisor === null) throw faultNotApplicable({ fault: "supervisor-kill", reason: "the supervisor is down" });
		failing.fail(supervisor.address.actor);
		await swarm.kill(node);
		return null;
	}

	/** The member takes nothing out of its lanes, and the other members and the main thread fill them. */
	async #fillLanes(node: string, given: FaultArguments): Promise<Removal> {
		const { swarm, clock, group, board } = this.#parts;
		if (given.text("direction") === "out") {
			const reason =
				"a thread can fill the lanes to a member; of those from one, each reader would have to stand still";
			throw faultNotApplicable({ fault: "lane-full", reason });
		}
		const endFlood = await floodMailbox(swarm, clock, participantName(group, node), FLOOD_PER_SECOND);
		const endFilling = board.fillLanes(this.#selection.all.indexOf(node));
		const release = this.#standing(node, memberOrders.hold);
		return async () => {
			await endFlood();
			endFilling();
			await release();
		};
	}

	#order(node: string, order: MemberOrder): void {
		this.#parts.board.order(this.#selection.all.indexOf(node), order);
	}

	#standing(node: string, order: MemberOrder): Removal {
		this.#order(node, order);
		return async () => this.#order(node, memberOrders.none);
	}

	/** Kills a member so long after each beginning of a life, the present one included. */
	async #crashLoop(node: string, upMs: number): Promise<Removal> {
		const { swarm, clock } = this.#parts;
		const timers = new Set<TimerHandle>();
		const killLater = (): void => {
			const timer = clock.schedule(upMs, () => {
				timers.delete(timer);
				void swarm.kill(node);
			});
			timers.add(timer);
		};
		killLater();
		const subscription = swarm.events$.subscribe((event) => {
			if (event.type === "participant-started" && event.node === node) killLater();
		});
		return async () => {
			subscription.unsubscribe();
			for (const timer of timers) clock.cancel(timer);
		};
	}
}

function troubleOf(kind: DiskKind, given: FaultArguments): Partial<DiskState> {
	switch (kind) {
		case "slow-disk":
			return { delayMs: given.number("latencyMs") };
		case "stalled-disk":
			return { isStalled: true };
		case "disk-full":
			return { isFull: true };
		case "failed-flush":
			return { flushFails: given.number("probability") };
		case "read-error":
			return { readFails: given.number("probability") };
		default:
			return assertNever(kind, "kind of disk fault");
	}
}
