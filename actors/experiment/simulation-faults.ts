/** The faults of the catalogue on a simulation. */
import { assertNever, type Generator } from "../../protocols/core/index.ts";
import type { AddedFault, Clock, FaultyNetwork, ProcessFault, SimulatedDisk, Simulation } from "../../runtime/index.ts";
import { type FaultSpec, faultNotApplicable } from "../../supervisors/index.ts";
import { participantName } from "../participant/index.ts";
import type { Swarm } from "../swarm/index.ts";
import { FaultArguments } from "./fault-arguments.ts";
import type { HeldThreads } from "./held-threads.ts";
import { askForTransfer } from "./leadership-transfer.ts";
import { floodMailbox } from "./mailbox-flood.ts";
import { isNetworkKind, networkFaultsOf, networkKinds } from "./network-faults.ts";
import type { InjectedFault } from "./swarm-target.ts";
import { TargetSelection } from "./target-selection.ts";

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
	"mailbox-flood",
	"transfer-leadership",
	"clock-drift",
	"clock-jump",
] as const;
type MemberKind = (typeof memberKinds)[number];

const diskKinds = ["slow-disk", "stalled-disk", "disk-full", "failed-flush"] as const;
type DiskKind = (typeof diskKinds)[number];

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

/** What faults act on. */
export interface SimulationParts {
	readonly simulation: Simulation;
	readonly swarm: Swarm;
	readonly group: string;
	readonly network: FaultyNetwork;
	readonly threads: HeldThreads;
	readonly generator: Generator;
	readonly disk: SimulatedDisk;
	/** The name of a member's store. */
	readonly storeOf: (node: string) => string;
	/** A member's machine loses power: of what is not flushed a part survives. */
	readonly losePower: (node: string) => void;
}

/** A slow disk; null: for all stores. */
interface SlowDisk {
	readonly factor: number;
	readonly stores: readonly string[] | null;
}

export class SimulationFaults {
	readonly #parts: SimulationParts;
	readonly #selection: TargetSelection;
	readonly #slowDisks = new Set<SlowDisk>();
	#slowest: { remove(): void } | null = null;

	constructor(parts: SimulationParts) {
		this.#parts = parts;
		this.#selection = new TargetSelection(parts.swarm, parts.generator);
	}

	/** @throws QuorateError `fault-not-applicable`, `fault-invalid` */
	async inject(fault: FaultSpec): Promise<InjectedFault> {
		const { kind } = fault;
		if (isNetworkKind(kind)) return this.#onNetwork(fault);
		const given = new FaultArguments(fault);
		const target = given.text("target");
		const { nodes, text } = this.#selection.select(kind, target);
		if (isDiskKind(kind))
			return { description: text, remove: this.#onDisk(kind, given, target === "all" ? null : nodes) };
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
		const added = faults.map((one) => this.#parts.network.add(one));
		return {
			description,
			remove: async () => {
				for (const one of added) one.remove();
			},
		};
	}

	/** Members share one disk, so one that is slow for a member is slow for whoever is flushed with it. Null: all of it. */
	#onDisk(kind: DiskKind, given: FaultArguments, nodes: readonly string[] | null): () => Promise<void> {
		const { disk, storeOf } = this.#parts;
		const on = nodes === null ? {} : { stores: nodes.map(storeOf) };
		switch (kind) {
			case "slow-disk":
				return this.#slowDisk({ factor: slowness(given), stores: nodes === null ? null : nodes.map(storeOf) });
			case "stalled-disk":
				return ends(disk.add({ kind: "stall", ...on }));
			case "disk-full":
			case "failed-flush":
				if (nodes !== null)
					throw faultNotApplicable({ fault: kind, reason: "members share one disk: its target is all" });
				return ends(disk.add({ kind: "fail-flush", code: kind === "disk-full" ? "disk-full" : "disk-failed" }));
			default:
				return assertNever(kind, "kind of disk fault");
		}
	}

	/**
	 * Of several the slowest counts, for all stores that one of them is about: members share flushes, and factors that were
	 * multiplied would make one flush outlast the run.
	 */
	#slowDisk(slow: SlowDisk): () => Promise<void> {
		this.#slowDisks.add(slow);
		this.#putSlowest();
		return async () => {
			this.#slowDisks.delete(slow);
			this.#putSlowest();
		};
	}

	#putSlowest(): void {
		this.#slowest?.remove();
		this.#slowest = null;
		const all = [...this.#slowDisks];
		if (all.length === 0) return;
		const factor = Math.max(...all.map((slow) => slow.factor));
		const stores = all.some((slow) => slow.stores === null) ? null : all.flatMap((slow) => slow.stores ?? []);
		this.#slowest = this.#parts.disk.add({ kind: "slow", factor, ...(stores === null ? {} : { stores }) });
	}

	/** Returns what ends it; null for what is over at once. */
	async #onMember(kind: MemberKind, node: string, given: FaultArguments): Promise<(() => Promise<void>) | null> {
		const { swarm, simulation, group, losePower } = this.#parts;
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
				losePower(node);
				return null;
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
				askForTransfer(swarm, node);
				return null;
			case "clock-drift":
				return ends(this.#begin({ kind: "clock-drift", thread, ppm: given.number("partsPerMillion") }));
			case "clock-jump":
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
	#killAt(thread: string, given: FaultArguments): () => Promise<void> {
		const [phase = "", messageType] = given.text("point").replace(/^\*$/, "after").split(":");
		if (phase !== "before" && phase !== "after" && phase !== "published") {
			const reason = `there is no point ${phase}, only before, after and published`;
			throw faultNotApplicable({ fault: "kill-at", reason });
		}
		const type = messageType === undefined ? {} : { messageType };
		return ends(this.#begin({ kind: "kill-at", thread, phase, nth: given.number("nth"), ...type }));
	}

	/** Stands still, until the watchdog would end it. */
	#busyLoop(thread: string): () => Promise<void> {
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

function isDiskKind(kind: string): kind is DiskKind {
	return (diskKinds as readonly string[]).includes(kind);
}

/** How many times longer a flush takes: the factor asked for, and the latency added to what one takes on average. */
function slowness(given: FaultArguments): number {
	return given.number("factor") + given.number("latencyMs") / ((DISK_FLUSH_MS.min + DISK_FLUSH_MS.max) / 2);
}

function ends(added: { remove(): void }): () => Promise<void> {
	return async () => added.remove();
}
