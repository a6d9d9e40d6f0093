/** The faults of the catalogue on a simulation. */
import { assertNever, type Generator, must, QuorateError } from "../../protocols/core/index.ts";
import type {
	AddedFault,
	Clock,
	DiskFault,
	FaultyNetwork,
	NetworkFault,
	ProcessFault,
	Simulation,
	StorePart,
} from "../../runtime/index.ts";
import { type FaultSpec, faultNotApplicable } from "../../supervisors/index.ts";
import { participantName } from "../participant/index.ts";
import { groupSupervisorName } from "../swarm/index.ts";
import type { FaultArguments } from "./fault-arguments.ts";
import { type DiskKind, diskKinds, ends, type FaultHandlers, injectFault, type Removal } from "./fault-injection.ts";
import type { HeldThreads } from "./held-threads.ts";
import { type ActorDirectory, floodMailbox } from "./mailbox-flood.ts";
import { networkKinds } from "./network-faults.ts";
import type { StoreView } from "./observed-disk.ts";
import type { SimulatedDisks } from "./simulated-disks.ts";
import type { InjectedFault } from "./staged-target.ts";
import { type SelectableGroup, TargetSelection } from "./target-selection.ts";

const memberKinds = [
	"kill",
	"crash",
	"kill-at",
	"pause",
	"slow",
	"crash-loop",
	"oom",
	"busy-loop",
	"restart-power-loss",
	"supervisor-kill",
	"mailbox-flood",
	"lane-full",
	"wipe",
	"bit-rot",
	"misdirected-write",
	"transfer-leadership",
	"clock-skew",
	"clock-drift",
	"clock-jump",
] as const;
type MemberKind = (typeof memberKinds)[number];

/** Flushes of a common solid-state disk, in virtual milliseconds. */
export const DISK_FLUSH_MS = { min: 0.2, max: 5 };
/** What the watchdog of worker threads does to a thread that does not get on (`stallAfterMs` there). */
const STALL_AFTER_MS = 2_000;
/** A crash loop is ended by its removal. */
const LIVES_MAX = 1_000;

/** The kinds that a simulation can apply. */
export const simulationFaultKinds: ReadonlySet<string> = new Set([...networkKinds, ...memberKinds, ...diskKinds]);

/** Where `kill-at` can strike, the most telling ones; each phase may also be followed by any other message type. */
export const KILL_POINTS: readonly string[] = [
	"before",
	"after",
	"published",
	"after:append-entries",
	"published:append-response",
	"after:request-vote",
	"published:vote",
	"after:storage-durable",
];

/** What faults ask a group to do. */
export interface GroupOrders {
	/** This member is to lead, if it can be. */
	readonly transferLeadership?: (node: string) => void;
	/** This member is gone for good: another one takes its place. */
	readonly replaceMember?: (node: string) => Promise<void>;
}

/** What faults act on. */
export interface SimulationParts {
	readonly simulation: Simulation;
	readonly swarm: SelectableGroup & ActorDirectory;
	/** What only groups of some protocols can be told. */
	readonly orders: GroupOrders;
	readonly group: string;
	readonly network: FaultyNetwork;
	readonly threads: HeldThreads;
	readonly generator: Generator;
	readonly disks: SimulatedDisks<StoreView>;
	/** The name of a member's store. */
	readonly storeOf: (node: string) => string;
	/** A member's own disk works again, if it had failed, and the member may start. */
	readonly repairDisk: (node: string) => void;
}

export class SimulationFaults implements FaultHandlers<MemberKind> {
	readonly #parts: SimulationParts;
	readonly #selection: TargetSelection;

	constructor(parts: SimulationParts) {
		this.#parts = parts;
		this.#selection = new TargetSelection(parts.swarm, parts.generator);
	}

	/** @throws QuorateError `fault-not-applicable`, `fault-invalid` */
	inject(fault: FaultSpec): Promise<InjectedFault> {
		return injectFault(fault, this.#selection, this);
	}

	onNetwork(fault: NetworkFault): () => void {
		const added = this.#parts.network.add(fault);
		return () => added.remove();
	}

	onDisk(kind: DiskKind, given: FaultArguments, nodes: readonly string[] | null): Removal {
		const { disks, storeOf, repairDisk } = this.#parts;
		const stores = nodes?.map(storeOf) ?? null;
		if (kind === "slow-disk") return removal(disks.slow(slowness(given), stores));
		if (kind === "stalled-disk") return removal(disks.add({ kind: "stall" }, stores));
		if (nodes !== null && !disks.areOwn) {
			throw faultNotApplicable({ fault: kind, reason: "members share one disk: its target is all" });
		}
		const end = disks.add(failureOf(kind, given), stores);
		return async () => {
			end();
			for (const node of nodes ?? this.#selection.all) repairDisk(node);
		};
	}

	async onMember(kind: MemberKind, node: string, given: FaultArguments): Promise<Removal | null> {
		const { swarm, orders, simulation, group, disks, storeOf } = this.#parts;
		const thread = participantName(group, node);
		switch (kind) {
			case "kill":
				this.#begin({ kind: "kill", thread });
				return null;
			case "oom":
				this.#begin({ kind: "kill", thread, cause: "out-of-memory" });
				return null;
			case "restart-power-loss":
				this.#begin({ kind: "kill", thread });
				disks.losePower(storeOf(node));
				return null;
			case "supervisor-kill":
				return this.#killSupervisor(thread);
			case "wipe":
				return this.#wipe(node);
			case "bit-rot":
			case "misdirected-write":
				return this.#damage(kind, node, given);
			case "lane-full": {
				const direction = given.text("direction") === "out" ? "out" : "in";
				return ends(this.#begin({ kind: "lane-full", thread, direction }));
			}
			case "clock-skew":
				requireMonotonic(kind, given);
				return ends(this.#begin({ kind: "clock-skew", thread, offsetMs: given.number("offsetMs") }));
			case "crash": {
				const release = this.#parts.threads.hold(thread);
				// One that is dead already stays so.
				if (this.#isAlive(thread)) this.#begin({ kind: "kill", thread });
				return async () => release();
			}
			case "kill-at":
				return this.#killAt(thread, given);
			case "pause":
				return ends(this.#begin({ kind: "pause", thread }));
			case "busy-loop":
				return this.#busyLoop(thread);
			case "slow":
				return ends(this.#begin({ kind: "slow", thread, factor: given.number("factor") }));
			case "crash-loop": {
				const upMs = given.number("upMs");
				return ends(this.#begin({ kind: "crash-loop", thread, lives: LIVES_MAX, afterMs: { min: upMs, max: upMs } }));
			}
			case "mailbox-flood":
				return floodMailbox(swarm, simulation.clock, thread, given.number("messagesPerSecond"));
			case "transfer-leadership":
				must(orders.transferLeadership, "the engine refuses it where nobody can")(node);
				return null;
			case "clock-drift":
				requireMonotonic(kind, given);
				return ends(this.#begin({ kind: "clock-drift", thread, ppm: given.number("partsPerMillion") }));
			case "clock-jump":
				requireMonotonic(kind, given);
				return this.#clockJump(thread, given.number("byMs"));
			default:
				return assertNever(kind, "kind of fault");
		}
	}

	#begin(fault: ProcessFault): AddedFault {
		return this.#parts.simulation.processes.add(fault);
	}

	#isAlive(thread: string): boolean {
		const status = this.#parts.simulation.threads.status().find(({ spec }) => spec.name === thread);
		return status !== undefined && status.state !== "dead";
	}

	/** The points are `before` and `after` the handling of a message, and `published`, each alone or with `:message-type`. */
	#killAt(thread: string, given: FaultArguments): Removal {
		const [phase = "", messageType] = given.text("point").replace(/^\*$/, "after").split(":");
		if (phase !== "before" && phase !== "after" && phase !== "published") {
			const reason = `there is no point ${phase}, only before, after and published`;
			throw faultNotApplicable({ fault: "kill-at", reason });
		}
		const type = messageType === undefined ? {} : { messageType };
		return ends(this.#begin({ kind: "kill-at", thread, phase, nth: given.number("nth"), ...type }));
	}

	/** The supervisor fails at the next thing it hears, which is the death of this member. */
	async #killSupervisor(thread: string): Promise<null> {
		const { swarm, group } = this.#parts;
		const supervisor = await swarm.lookup(groupSupervisorName(group));
		if (supervisor === null || !this.#isAlive(thread)) {
			const reason = supervisor === null ? "the supervisor is down" : `${thread} is dead already`;
			throw faultNotApplicable({ fault: "supervisor-kill", reason });
		}
		this.#begin({ kind: "fail-actor", thread: "main", actor: supervisor.address.actor });
		this.#begin({ kind: "kill", thread });
		return null;
	}

	/** While it lasts the member is refused under its name; then it is out, and another one takes its place. */
	#wipe(node: string): Removal {
		const { orders, group, disks, storeOf } = this.#parts;
		const thread = participantName(group, node);
		disks.wipe(storeOf(node));
		if (this.#isAlive(thread)) this.#begin({ kind: "kill", thread });
		return () => must(orders.replaceMember, "the engine refuses it where nobody can")(node);
	}

	/** Of what is durable; its member's next life, or whoever reads it before, finds it. */
	#damage(kind: "bit-rot" | "misdirected-write", node: string, given: FaultArguments): null {
		const { disks, storeOf, group } = this.#parts;
		try {
			disks.damage(kind, storeOf(node), damagedParts[given.text("part")] ?? []);
		} catch (error) {
			const isRefused = error instanceof QuorateError && DAMAGE_REFUSALS.has(error.code);
			throw isRefused ? faultNotApplicable({ fault: kind, reason: error.message }) : error;
		}
		const thread = participantName(group, node);
		if (given.text("restart") === "yes" && this.#isAlive(thread)) this.#begin({ kind: "kill", thread });
		return null;
	}

	/** Stands still, until the watchdog would end it. */
	#busyLoop(thread: string): Removal {
		const pause = this.#begin({ kind: "pause", thread });
		const clock: Clock = this.#parts.simulation.clock;
		const timer = clock.schedule(STALL_AFTER_MS, () => {
			if (this.#isAlive(thread)) this.#begin({ kind: "kill", thread, cause: "stalled" });
		});
		return async () => {
			clock.cancel(timer);
			pause.remove();
		};
	}

	#clockJump(thread: string, byMs: number): null {
		if (byMs < 0) {
			throw faultNotApplicable({
				fault: "clock-jump",
				reason: "protocols read a monotonic clock, which never goes back",
			});
		}
		this.#begin({ kind: "clock-jump", thread, aheadMs: byMs });
		return null;
	}
}

/** What `part` selects of a store. */
const damagedParts: Readonly<Record<string, readonly StorePart[]>> = {
	any: ["record", "snapshot"],
	log: ["record"],
	snapshot: ["snapshot"],
	"hard-state": ["value"],
};
/** Of a disk: so many are damaged already, or there is nothing (yet) that could be. */
const DAMAGE_REFUSALS: ReadonlySet<string> = new Set(["fault-over-budget", "disk-fault-invalid"]);

/** What makes a disk fail for good. */
function failureOf(kind: Exclude<DiskKind, "slow-disk" | "stalled-disk">, given: FaultArguments): DiskFault {
	switch (kind) {
		case "disk-full":
			return { kind: "fail-flush", code: "disk-full", probability: 1 };
		case "failed-flush":
			return { kind: "fail-flush", code: "disk-failed", probability: given.number("probability") };
		case "read-error":
			return { kind: "read-error", probability: given.number("probability") };
		default:
			return assertNever(kind, "kind of disk fault");
	}
}

/** Nothing that is simulated reads a wall clock. */
function requireMonotonic(kind: string, given: FaultArguments): void {
	if (given.text("clock") !== "wall") return;
	throw faultNotApplicable({
		fault: kind,
		reason: "there is one clock, and it is monotonic: nobody reads a wall clock",
	});
}

/** How many times longer a flush takes: the factor asked for, and the latency added to what one takes on average. */
function slowness(given: FaultArguments): number {
	return given.number("factor") + given.number("latencyMs") / ((DISK_FLUSH_MS.min + DISK_FLUSH_MS.max) / 2);
}

function removal(end: () => void): Removal {
	return async () => end();
}
