/** PBFT machines with a bug planted around them, for the model checker. */
import type { Effect, Input, MonotonicMs } from "../../../../protocols/core/index.ts";
import type { PbftMachine, PbftTypes, PbftView, PreparedProof } from "../../../../protocols/pbft/index.ts";
import type { PbftPortOptions, ViewablePbft } from "../../../../protocols/pbft/model/index.ts";

/** What is done to a machine before each input, and to its effects after it. */
export interface Bug {
	readonly before?: (machine: PbftMachine) => void;
	readonly after?: (effects: readonly Effect<PbftTypes>[]) => readonly Effect<PbftTypes>[];
}

/** Votes for what it has prepared, and does not remember it when the view changes (johnhenry/raijin #8). */
export const forgetsPrepared: Bug = {
	before: ({ view }) => {
		for (const slot of view.slots.values()) (slot as { prepared: PreparedProof | null }).prepared = null;
	},
};

/** What it says does not wait for its disk. */
export const neverWaits: Bug = {
	after: (effects) => effects.map((effect) => (effect.type === "send" ? { ...effect, release: "immediate" } : effect)),
};

export function planted(bug: Bug): NonNullable<PbftPortOptions["create"]> {
	return (machine) => new Planted(machine, bug);
}

class Planted implements ViewablePbft {
	readonly #machine: PbftMachine;
	readonly #bug: Bug;

	constructor(machine: PbftMachine, bug: Bug) {
		this.#machine = machine;
		this.#bug = bug;
	}

	step(input: Input<PbftTypes>, now: MonotonicMs, effects: Effect<PbftTypes>[]): void {
		const own: Effect<PbftTypes>[] = [];
		this.#bug.before?.(this.#machine);
		this.#machine.step(input, now, own);
		effects.push(...(this.#bug.after?.(own) ?? own));
	}

	get state(): unknown {
		return this.#machine.state;
	}

	get view(): PbftView {
		return this.#machine.view;
	}

	copy(): Planted {
		return new Planted(this.#machine.copy(), this.#bug);
	}
}
