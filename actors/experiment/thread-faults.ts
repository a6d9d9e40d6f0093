/** The faults of the catalogue on worker threads. What is not here can not be done there. */
import { assertNever, type Generator } from "../../protocols/core/index.ts";
import type { Clock, TimerHandle } from "../../runtime/index.ts";
import { type FaultSpec, faultNotApplicable } from "../../supervisors/index.ts";
import { participantName } from "../participant/index.ts";
import type { Swarm } from "../swarm/index.ts";
import { FaultArguments } from "./fault-arguments.ts";
import { type DiskOrder, diskOrders, type FaultBoardWriter, type MemberOrder, memberOrders } from "./fault-board.ts";
import type { HeldThreads } from "./held-threads.ts";
import { askForTransfer } from "./leadership-transfer.ts";
import { floodMailbox } from "./mailbox-flood.ts";
import { isNetworkKind, networkFaultsOf } from "./network-faults.ts";
import type { InjectedFault } from "./swarm-target.ts";
import { TargetSelection } from "./target-selection.ts";

/** Not `corrupt` and `bandwidth`: at the receiver's edge a message has no bytes any more. */
const networkKindsOnThreads = [
	"partition",
	"loss",
	"delay",
	"duplicate",
	"reorder",
	"replay",
	"clog",
	"flap",
	"drop-kind",
] as const;
/** Not `restart-power-loss`: a killed thread leaves the page cache as it is, so nothing unflushed is lost. */
const memberKinds = [
	"kill",
	"crash",
	"pause",
	"crash-loop",
	"oom",
	"busy-loop",
	"mailbox-flood",
	"transfer-leadership",
] as const;
type MemberKind = (typeof memberKinds)[number];
/** Of the one disk that all members share. */
const diskKinds = ["slow-disk", "stalled-disk", "disk-full", "failed-flush"] as const;
type DiskKind = (typeof diskKinds)[number];

/** The kinds that threads can bear. */
export const threadFaultKinds: ReadonlySet<string> = new Set([...networkKindsOnThreads, ...memberKinds, ...diskKinds]);

const diskOrderOf: Readonly<Record<DiskKind, DiskOrder>> = {
	"slow-disk": diskOrders.work,
	"stalled-disk": diskOrders.stall,
	"disk-full": diskOrders.full,
	"failed-flush": diskOrders.fail,
};

interface DiskFault {
	readonly order: DiskOrder;
	readonly delayMs: number;
}

/** What faults act on. */
export interface ThreadParts {
	readonly swarm: Swarm;
	readonly clock: Clock;
	readonly group: string;
	readonly board: FaultBoardWriter;
	readonly threads: HeldThreads;
	readonly generator: Generator;
}

export class ThreadFaults {
	readonly #parts: ThreadParts;
	readonly #selection: TargetSelection;
	readonly #onDiskNow = new Set<DiskFault>();

	constructor(parts: ThreadParts) {
		this.#parts = parts;
		this.#selection = new TargetSelection(parts.swarm, parts.generator);
	}

	/** @throws QuorateError `fault-not-applicable`, `faults-too-large` */
	async inject(fault: FaultSpec): Promise<InjectedFault> {
		const { kind } = fault;
		if (isNetworkKind(kind)) return this.#onNetwork(fault);
		const given = new FaultArguments(fault);
		const target = given.text("target");
		const { nodes, text } = this.#selection.select(kind, target);
		if (isDiskKind(kind)) return { description: text, remove: this.#onDisk(kind, given, target) };
		const removals: (() => Promise<void>)[] = [];
		for (const node of nodes) {
			const remove = await this.#onMember(kind as MemberKind, node, given);
			if (remove !== null) removals.push(remove);
		}
		const remove = async (): Promise<void> => {
			for (const one of removals) await one();
		};
		return { description: text, remove: removals.length === 0 ? null : remove };
	}

	#onNetwork(fault: FaultSpec): InjectedFault {
		const { faults, description } = networkFaultsOf(fault, this.#selection);
		const removals = faults.map((one) => this.#parts.board.add(one));
		return {
			description,
			remove: async () => {
				for (const remove of removals) remove();
			},
		};
	}

	#onDisk(kind: DiskKind, given: FaultArguments, target: string): () => Promise<void> {
		if (target !== "all")
			throw faultNotApplicable({ fault: kind, reason: "members share one disk: its target is all" });
		if (kind === "slow-disk" && given.number("factor") !== 1) {
			throw faultNotApplicable({ fault: kind, reason: "on threads its factor is 1" });
		}
		const delayMs = kind === "slow-disk" ? given.number("latencyMs") : 0;
		const fault: DiskFault = { order: diskOrderOf[kind], delayMs };
		this.#onDiskNow.add(fault);
		this.#orderDisk();
		return async () => {
			this.#onDiskNow.delete(fault);
			this.#orderDisk();
		};
	}

	/** Of several the worst, and their delays together. */
	#orderDisk(): void {
		const { board } = this.#parts;
		const faults = [...this.#onDiskNow];
		board.delayDisk(faults.reduce((sum, { delayMs }) => sum + delayMs, 0));
		board.orderDisk(Math.max(diskOrders.work, ...faults.map(({ order }) => order)) as DiskOrder);
	}

	/** Returns what ends it; null for what is over at once. */
	async #onMember(kind: MemberKind, node: string, given: FaultArguments): Promise<(() => Promise<void>) | null> {
		const { swarm, clock, group, threads } = this.#parts;
		const thread = participantName(group, node);
		switch (kind) {
			case "kill":
				if (!this.#isAlive(thread)) throw faultNotApplicable({ fault: kind, reason: `${node} is dead already` });
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
			case "transfer-leadership":
				askForTransfer(swarm, node);
				return null;
			default:
				return assertNever(kind, "kind of fault");
		}
	}

	#isAlive(thread: string): boolean {
		const status = this.#parts.threads.status().find(({ spec }) => spec.name === thread);
		return status !== undefined && status.state !== "dead";
	}

	#order(node: string, order: MemberOrder): void {
		this.#parts.board.order(this.#selection.all.indexOf(node), order);
	}

	#standing(node: string, order: MemberOrder): () => Promise<void> {
		this.#order(node, order);
		return async () => this.#order(node, memberOrders.none);
	}

	/** Kills a member so long after each beginning of a life, the present one included. */
	async #crashLoop(node: string, upMs: number): Promise<() => Promise<void>> {
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

function isDiskKind(kind: string): kind is DiskKind {
	return (diskKinds as readonly string[]).includes(kind);
}
