/** The faults of one run: when each is applied and removed, and what became of it. */
import { errorToObject, Generator, QuorateError } from "../../protocols/core/index.ts";
import { faultKind } from "./catalogue.ts";
import { targetFailed } from "./errors.ts";
import type { Experiment, FaultSpec, TimedFault } from "./experiment.ts";
import type { FaultRecord } from "./journal.ts";
import { resolveFault } from "./resolve.ts";
import type { AppliedFault, ExperimentTarget } from "./target.ts";
import type { RunStop } from "./verdict.ts";

/** A fault that is not applicable is tried again so often … */
export const FAULT_RETRY_MS = 50;
/** … for so long: an election takes a moment, and there is no leader until it is over. */
export const FAULT_PATIENCE_MS = 5_000;

/** One fault on its way. */
interface Item {
	readonly timed: TimedFault;
	readonly resolved: FaultSpec;
	readonly plannedAtMs: number;
	state: "planned" | "applied" | "over";
	/** When it is applied (tried again), or removed. */
	dueAtMs: number;
	applied: AppliedFault | null;
	/** Why it was not applicable when it was tried last. */
	refusal: string | null;
	record: FaultRecord;
}

export class FaultAgenda {
	readonly #target: ExperimentTarget;
	readonly #items: readonly Item[];

	/** @param fromMs when the method begins, on the target's clock */
	constructor(experiment: Experiment, target: ExperimentTarget, fromMs: number) {
		this.#target = target;
		const streams = new Generator(experiment.seed, "faults");
		const ordinals = new Map<string, number>();
		this.#items = experiment.method.map((timed) => {
			// A fault's draws do not depend on which others there are, or a shrunk experiment would be another one.
			const label = `${timed.atMs}/${timed.fault.kind}`;
			const ordinal = ordinals.get(label) ?? 0;
			ordinals.set(label, ordinal + 1);
			const resolved = resolveFault(timed.fault, target.nodes, streams.fork(`${label}/${ordinal}`));
			const plannedAtMs = fromMs + timed.atMs;
			return {
				timed,
				resolved,
				plannedAtMs,
				state: "planned",
				dueAtMs: plannedAtMs,
				applied: null,
				refusal: null,
				record: newRecord(timed.fault, resolved, plannedAtMs),
			};
		});
	}

	get records(): readonly FaultRecord[] {
		return this.#items.map(({ record }) => record);
	}

	get appliedCount(): number {
		return this.#items.filter(({ record }) => record.outcome === "applied").length;
	}

	/** When something is due next; infinite if nothing is. */
	get nextAtMs(): number {
		return Math.min(...this.#items.filter(({ state }) => state !== "over").map(({ dueAtMs }) => dueAtMs));
	}

	/** Removes and applies what is due, removals first. Returns what ends the run, if anything does. */
	async perform(nowMs: number): Promise<RunStop | null> {
		for (const item of this.#items) {
			if (item.state !== "applied" || item.dueAtMs > nowMs) continue;
			const stop = await this.#remove(item);
			if (stop !== null) return stop;
		}
		for (const item of this.#items) {
			if (item.state !== "planned" || item.dueAtMs > nowMs) continue;
			const stop = await this.#apply(item, nowMs);
			if (stop !== null) return stop;
		}
		return null;
	}

	/** The method is over: what was waiting to become applicable never will. Returns what ends the run, if it does. */
	close(): RunStop | null {
		let first: RunStop | null = null;
		for (const item of this.#items) {
			if (item.state !== "planned" || item.refusal === null) continue;
			const stop = giveUp(item, item.refusal);
			first ??= stop;
		}
		return first;
	}

	/** Removes everything that is still in force, whatever fails on the way. Returns the first failure. */
	async removeAll(): Promise<RunStop | null> {
		let first: RunStop | null = null;
		for (const item of this.#items) {
			const stop = item.state === "applied" ? await this.#remove(item) : null;
			item.state = "over";
			first ??= stop;
		}
		const left = this.#target.activeFaults;
		if (left.length === 0) return first;
		return first ?? { type: "left-over", reason: `left in force after all faults were removed: ${left.join(", ")}` };
	}

	async #apply(item: Item, nowMs: number): Promise<RunStop | null> {
		const { timed, resolved } = item;
		try {
			const applied = await this.#target.apply(resolved);
			const appliedAtMs = this.#target.nowMs();
			item.record = { ...item.record, outcome: "applied", appliedAtMs, description: applied.description };
			item.applied = applied;
			item.state = faultKind(resolved.kind).lasts ? "applied" : "over";
			item.dueAtMs = timed.forMs === null ? Number.POSITIVE_INFINITY : appliedAtMs + timed.forMs;
			return null;
		} catch (thrown) {
			if (!(thrown instanceof QuorateError)) {
				const reason = errorToObject(thrown).message;
				throw targetFailed({ during: resolved.kind, reason }, { cause: thrown });
			}
			if (thrown.code !== "fault-not-applicable") throw thrown;
			item.refusal = thrown.message;
			item.dueAtMs = nowMs + FAULT_RETRY_MS;
			return item.dueAtMs <= item.plannedAtMs + FAULT_PATIENCE_MS ? null : giveUp(item, thrown.message);
		}
	}

	async #remove(item: Item): Promise<RunStop | null> {
		item.state = "over";
		try {
			await item.applied?.remove();
			item.record = { ...item.record, removedAtMs: this.#target.nowMs() };
			return null;
		} catch (thrown) {
			const reason = `${item.resolved.kind} could not be removed: ${errorToObject(thrown).message}`;
			item.record = { ...item.record, reason };
			return { type: "left-over", reason };
		}
	}
}

function giveUp(item: Item, reason: string): RunStop | null {
	const { optional } = item.timed;
	item.state = "over";
	item.record = { ...item.record, outcome: optional ? "skipped" : "failed", reason };
	return optional ? null : { type: "fault", reason };
}

function newRecord(fault: FaultSpec, resolved: FaultSpec, plannedAtMs: number): FaultRecord {
	return {
		fault,
		resolved,
		plannedAtMs,
		appliedAtMs: null,
		removedAtMs: null,
		description: null,
		outcome: "not-reached",
		reason: null,
	};
}
