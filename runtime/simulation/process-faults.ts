/** What can happen to virtual threads and to the clocks they read. */
import { assertNever, type Generator } from "../../protocols/core/index.ts";
import type { ThreadEnd, ThreadEvent, ThreadSlot } from "../actor/index.ts";
import { faultInvalid, faultNotApplicable } from "./errors.ts";
import type { AddedFault } from "./faulty-network.ts";
import type { LaneDirection } from "./lanes.ts";
import type { Machine } from "./thread-clock.ts";
import type { FailRule, KillPoint, KillRule } from "./threads.ts";
import { type DurationRange, drawMs, type Timeline } from "./timeline.ts";

/** Threads are named as in their specs, such as `raft/node-1`; `main` can be paused and slowed, but not killed. */
export type ProcessFault =
	/** Ends the thread now. */
	| { readonly kind: "kill"; readonly thread: string; readonly cause?: ThreadEnd["cause"] }
	/** Ends it at the `nth` such point from now on (from 1; default 1), once. Any message type, if none is given. */
	| {
			readonly kind: "kill-at";
			readonly thread: string;
			readonly phase: KillPoint["phase"];
			readonly messageType?: string;
			readonly nth?: number;
			readonly cause?: ThreadEnd["cause"];
	  }
	/** Ends its next `lives` lives, each so long after it began. */
	| { readonly kind: "crash-loop"; readonly thread: string; readonly lives: number; readonly afterMs: DurationRange }
	/**
	 * The actor of this number (of its address) fails at the `nth` signal or timer that it is to handle from now on (from 1;
	 * default 1), once: so a supervisor on the main thread fails just when it is needed.
	 */
	| { readonly kind: "fail-actor"; readonly thread: string; readonly actor: number; readonly nth?: number }
	/** Nothing of it runs until the fault is removed: messages wait, timers are late, and then all is done at once. */
	| { readonly kind: "pause"; readonly thread: string }
	/** What wakes it takes so many times longer to do so. */
	| { readonly kind: "slow"; readonly thread: string; readonly factor: number }
	/** Tells and asks to it (or from it) find the lane full, however little is in it, and who waits for room goes on waiting. */
	| { readonly kind: "lane-full"; readonly thread: string; readonly direction: LaneDirection }
	/**
	 * Its clock is off by so much while this lasts. A monotonic clock never goes back: it leaps when it is to be later, and
	 * runs at half its pace until it is when it is to be earlier.
	 */
	| { readonly kind: "clock-skew"; readonly thread: string; readonly offsetMs: number }
	/** Its clock runs fast (or slow, below 0) by so many parts per million, over all its lives. */
	| { readonly kind: "clock-drift"; readonly thread: string; readonly ppm: number }
	/** Its clock leaps ahead, once; a monotonic clock never goes back. */
	| { readonly kind: "clock-jump"; readonly thread: string; readonly aheadMs: number }
	/** Its clock stands still, and no timer of it fires; messages are handled. */
	| { readonly kind: "clock-freeze"; readonly thread: string };

export type ProcessFaultKind = ProcessFault["kind"];

/** Every kind, for catalogues. */
export const processFaultKinds: readonly ProcessFaultKind[] = [
	"kill",
	"kill-at",
	"crash-loop",
	"fail-actor",
	"pause",
	"slow",
	"lane-full",
	"clock-skew",
	"clock-drift",
	"clock-jump",
	"clock-freeze",
];

/** What faults act on. */
export interface ProcessPorts {
	readonly timeline: Timeline;
	readonly generator: Generator;
	readonly killRules: Set<KillRule>;
	readonly failRules: Set<FailRule>;
	slotOf(thread: string): ThreadSlot | null;
	machine(slot: ThreadSlot): Machine;
	isAlive(slot: ThreadSlot): boolean;
	end(slot: ThreadSlot, end: ThreadEnd): Promise<void>;
	observe(listener: (event: ThreadEvent) => void): () => void;
	stopLanes(slot: ThreadSlot, direction: LaneDirection): () => void;
}

const PPM = 1_000_000;

interface Entry {
	readonly fault: ProcessFault;
	end: () => void;
}

/** The faults of a simulation's threads. Get it as `Simulation.processes`. */
export class ProcessFaults {
	readonly #ports: ProcessPorts;
	readonly #entries = new Set<Entry>();
	readonly #counts = new Map<ProcessFaultKind, number>();
	#added = 0;

	constructor(ports: ProcessPorts) {
		this.#ports = ports;
	}

	/**
	 * Begins a fault. What is over at once (`kill`, `clock-jump`) is never active; a `kill-at`, a `fail-actor` and a
	 * `crash-loop` are over when they have struck as often as they should.
	 * @throws QuorateError `fault-invalid`, `fault-not-applicable` (there is no such thread, or nothing left to kill)
	 */
	add(fault: ProcessFault): AddedFault {
		checkProcessFault(fault);
		const entry: Entry = { fault, end: () => {} };
		const end = this.#begin(fault, () => this.#remove(entry));
		if (end === null) return { remove: () => {} };
		entry.end = end;
		this.#entries.add(entry);
		return { remove: () => this.#remove(entry) };
	}

	/** Ends all faults. */
	clear(): void {
		for (const entry of [...this.#entries]) this.#remove(entry);
	}

	get active(): readonly ProcessFault[] {
		return [...this.#entries].map(({ fault }) => fault);
	}

	/** What has happened so far: deaths and failures as they come, beginnings of all else. */
	get counts(): ReadonlyMap<ProcessFaultKind, number> {
		return this.#counts;
	}

	#remove(entry: Entry): void {
		if (this.#entries.delete(entry)) entry.end();
	}

	#count(kind: ProcessFaultKind): void {
		this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
	}

	/** Returns the way to end it; null: it is over already. `over` is called when it ends by itself. */
	#begin(fault: ProcessFault, over: () => void): (() => void) | null {
		switch (fault.kind) {
			case "kill": {
				const { kind, thread, cause = "killed" } = fault;
				if (!this.#kill(kind, this.#slotOf(fault), cause)) {
					throw faultNotApplicable({ kind, target: thread, problem: "it is dead already" });
				}
				return null;
			}
			case "kill-at":
				return this.#killAt(fault, over);
			case "crash-loop":
				return this.#crashLoop(fault, over);
			case "fail-actor":
				return this.#failActor(fault, over);
			case "pause":
				return this.#machineOf(fault).pause();
			case "slow":
				return this.#machineOf(fault).slow(fault.factor);
			case "lane-full": {
				const end = this.#ports.stopLanes(this.#slotOf(fault), fault.direction);
				this.#count(fault.kind);
				return end;
			}
			case "clock-skew":
				return this.#machineOf(fault).skew(fault.offsetMs);
			case "clock-drift":
				return this.#machineOf(fault).pace(1 + fault.ppm / PPM);
			case "clock-freeze":
				return this.#machineOf(fault).pace(0);
			case "clock-jump":
				this.#machineOf(fault).jump(fault.aheadMs);
				return null;
			default:
				return assertNever(fault, "kind of process fault");
		}
	}

	#slotOf({ kind, thread }: ProcessFault): ThreadSlot {
		const slot = this.#ports.slotOf(thread);
		if (slot === null) throw faultNotApplicable({ kind, target: thread, problem: "there is no such thread" });
		return slot;
	}

	#machineOf(fault: ProcessFault): Machine {
		const machine = this.#ports.machine(this.#slotOf(fault));
		this.#count(fault.kind);
		return machine;
	}

	/** False when there is nothing to kill. */
	#kill(kind: ProcessFaultKind, slot: ThreadSlot, cause: ThreadEnd["cause"]): boolean {
		if (!this.#ports.isAlive(slot)) return false;
		this.#count(kind);
		void this.#ports.end(slot, { cause, exitCode: 1, error: null });
		return true;
	}

	#killAt(fault: Extract<ProcessFault, { kind: "kill-at" }>, over: () => void): () => void {
		this.#slotOf(fault);
		const { killRules } = this.#ports;
		let left = fault.nth ?? 1;
		const rule: KillRule = (point) => {
			if (point.thread !== fault.thread || point.phase !== fault.phase) return null;
			if (fault.messageType !== undefined && point.messageType !== fault.messageType) return null;
			left -= 1;
			if (left > 0) return null;
			over();
			this.#count(fault.kind);
			return fault.cause ?? "crashed";
		};
		killRules.add(rule);
		return () => killRules.delete(rule);
	}

	#failActor(fault: Extract<ProcessFault, { kind: "fail-actor" }>, over: () => void): () => void {
		const { failRules } = this.#ports;
		const failing = this.#slotOf(fault);
		let left = fault.nth ?? 1;
		const rule: FailRule = (slot, actor) => {
			if (slot !== failing || actor !== fault.actor) return false;
			left -= 1;
			if (left > 0) return false;
			over();
			this.#count(fault.kind);
			return true;
		};
		failRules.add(rule);
		return () => failRules.delete(rule);
	}

	#crashLoop(fault: Extract<ProcessFault, { kind: "crash-loop" }>, over: () => void): () => void {
		const { timeline, observe } = this.#ports;
		const generator = this.#ports.generator.fork(`fault:${this.#added++}:${fault.kind}`);
		let left = fault.lives;
		let isOver = false;
		const killLater = (slot: ThreadSlot): void => {
			timeline.after(drawMs(generator, fault.afterMs), () => {
				if (isOver || !this.#kill(fault.kind, slot, "crashed")) return;
				left -= 1;
				if (left === 0) over();
			});
		};
		killLater(this.#slotOf(fault));
		const stopObserving = observe((event) => {
			if (event.type === "thread-started" && event.name === fault.thread) killLater(event.slot);
		});
		return () => {
			isOver = true;
			stopObserving();
		};
	}
}

function checkProcessFault(fault: ProcessFault): void {
	const { kind } = fault;
	const require = (argument: string, isGood: boolean, expected: string, actual: unknown): void => {
		if (!isGood) throw faultInvalid({ kind, argument, expected, actual: String(actual).slice(0, 80) });
	};
	require("kind", processFaultKinds.includes(kind), processFaultKinds.join(", "), kind);
	if (fault.thread === "main" && (kind === "kill" || kind === "kill-at" || kind === "crash-loop")) {
		throw faultNotApplicable({ kind, target: fault.thread, problem: "without the main thread there is no system" });
	}
	switch (kind) {
		case "kill-at":
		case "fail-actor": {
			const { nth = 1 } = fault;
			require("nth", Number.isInteger(nth) && nth >= 1, "an integer from 1", nth);
			return;
		}
		case "crash-loop": {
			const { lives, afterMs } = fault;
			require("lives", Number.isInteger(lives) && lives >= 1, "an integer from 1", lives);
			require("afterMs", afterMs.min >= 0 && afterMs.max >= afterMs.min, "a range", `${afterMs.min} to ${afterMs.max}`);
			return;
		}
		case "slow":
			require("factor", fault.factor > 0 && Number.isFinite(fault.factor), "a number over 0", fault.factor);
			return;
		case "lane-full":
			require("direction", fault.direction === "in" || fault.direction === "out", "in or out", fault.direction);
			return;
		case "clock-skew":
			require("offsetMs", Number.isFinite(fault.offsetMs), "a number", fault.offsetMs);
			return;
		case "clock-drift":
			require("ppm", fault.ppm > -PPM && fault.ppm <= PPM, `a number over -${PPM} and up to ${PPM}`, fault.ppm);
			return;
		case "clock-jump":
			require("aheadMs", fault.aheadMs >= 0 && Number.isFinite(fault.aheadMs), "a number from 0", fault.aheadMs);
			return;
		default:
			return;
	}
}
