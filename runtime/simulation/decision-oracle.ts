/** The one seam through which all choices of a simulation pass: they are recorded, replayed or overridden here. */
import type { DrawOracle, DrawStream } from "../../protocols/core/index.ts";
import { DECISIONS_MAX, type DecisionLog } from "./decision-log.ts";
import { decisionLogTooLong } from "./errors.ts";

/**
 * Replaces the draws of all labels that begin with `prefix`; of several overrides the first that fits counts. The value 0
 * is the simplest outcome of any draw: the shortest delay, the first of a list, no fault.
 */
export interface DrawOverride {
	/** Such as `simulation/net`, `network` or `simulation/threads/actors/actor:raft/node-1`. The empty prefix fits all. */
	readonly prefix: string;
	/** An integer in `[0, 2^32)`. */
	readonly value: number;
	/** Only the draws of a label from this one on, counted from 0; default 0. */
	readonly from?: number;
	/** And before this one; default: to the end. */
	readonly to?: number;
}

export interface DecisionOptions {
	/** Keep every draw, so that {@link DecisionOracle.log} can be written; default false. */
	readonly record?: boolean;
	/** Draws are taken from here, label by label; a label's draws beyond its recorded ones are seeded. */
	readonly replay?: DecisionLog;
	readonly overrides?: readonly DrawOverride[];
}

/** Give it to a `Simulation`, which passes on to it every draw that it, its actors and its faults make. One for each run. */
export class DecisionOracle implements DrawOracle {
	readonly #options: DecisionOptions;
	readonly #streams = new Map<string, RecordingStream>();
	readonly #total = { recorded: 0, beyondReplay: 0 };

	constructor(options: DecisionOptions) {
		this.#options = options;
	}

	stream(label: string): DrawStream {
		const known = this.#streams.get(label);
		if (known !== undefined) return known;
		const { record = false, replay, overrides = [] } = this.#options;
		const made = new RecordingStream(
			this.#total,
			record,
			replay === undefined ? null : (replay.streams.get(label) ?? NOTHING),
			overrides.filter(({ prefix }) => label.startsWith(prefix)),
		);
		this.#streams.set(label, made);
		return made;
	}

	/** Draws so far for which a replayed log had nothing: the run has left the recorded one. */
	get beyondReplay(): number {
		return this.#total.beyondReplay;
	}

	/** What was recorded so far; `seed` is the simulation's. */
	log(seed: number): DecisionLog {
		const streams = new Map<string, Uint32Array>();
		for (const [label, stream] of this.#streams) if (stream.count > 0) streams.set(label, stream.recorded());
		return { seed, streams };
	}
}

const NOTHING = new Uint32Array(0);
const RECORD_DRAWS_FIRST = 64;

class RecordingStream implements DrawStream {
	readonly #total: { recorded: number; beyondReplay: number };
	readonly #replay: Uint32Array | null;
	readonly #overrides: readonly DrawOverride[];
	#record: Uint32Array | null;
	/** Draws so far. */
	count = 0;

	constructor(
		total: { recorded: number; beyondReplay: number },
		record: boolean,
		replay: Uint32Array | null,
		overrides: readonly DrawOverride[],
	) {
		this.#total = total;
		this.#replay = replay;
		this.#overrides = overrides;
		this.#record = record ? new Uint32Array(RECORD_DRAWS_FIRST) : null;
	}

	draw(seeded: number): number {
		const drawn = this.#decide(seeded);
		if (this.#record !== null) this.#keep(drawn);
		this.count += 1;
		return drawn;
	}

	recorded(): Uint32Array {
		return this.#record === null ? NOTHING : this.#record.slice(0, this.count);
	}

	#decide(seeded: number): number {
		const { count } = this;
		for (const { value, from = 0, to = Number.POSITIVE_INFINITY } of this.#overrides) {
			if (count >= from && count < to) return value >>> 0;
		}
		const replay = this.#replay;
		if (replay === null) return seeded;
		if (count < replay.length) return replay[count] as number;
		this.#total.beyondReplay += 1;
		return seeded;
	}

	#keep(drawn: number): void {
		if (this.#total.recorded >= DECISIONS_MAX) throw decisionLogTooLong({ limit: DECISIONS_MAX });
		this.#total.recorded += 1;
		let record = this.#record as Uint32Array;
		if (this.count === record.length) {
			const larger = new Uint32Array(record.length * 2);
			larger.set(record);
			record = larger;
			this.#record = larger;
		}
		record[this.count] = drawn;
	}
}
