/** Raft machines with a bug planted around them: what goes in or out is changed, the machine inside is the shipped one. */
import type { Effect, Input, MonotonicMs } from "../../../../protocols/core/index.ts";
import { type RaftConfig, RaftMachine, type RaftTypes, type RaftView } from "../../../../protocols/raft/index.ts";
import type { ViewableRaft } from "../../../../protocols/raft/model/index.ts";

/** Changes the effects of one input; gets the input that caused them. */
export type Bug = (effects: Effect<RaftTypes>[], input: Input<RaftTypes>) => Effect<RaftTypes>[];

class PlantedRaft implements ViewableRaft {
	readonly #machine: RaftMachine;
	readonly #bug: Bug;

	constructor(machine: RaftMachine, bug: Bug) {
		this.#machine = machine;
		this.#bug = bug;
	}

	step(input: Input<RaftTypes>, now: MonotonicMs, effects: Effect<RaftTypes>[]): void {
		const own: Effect<RaftTypes>[] = [];
		this.#machine.step(input, now, own);
		effects.push(...this.#bug(own, input));
	}

	get state(): unknown {
		return this.#machine.state;
	}

	get view(): RaftView {
		return this.#machine.view;
	}

	copy(): PlantedRaft {
		return new PlantedRaft(this.#machine.copy(), this.#bug);
	}
}

export function planted(bug: Bug): (config: RaftConfig) => ViewableRaft {
	return (config) => new PlantedRaft(new RaftMachine(config), bug);
}

/** Says yes to everybody who asks in the present term. */
export const votesTwice: Bug = (effects, input) =>
	effects.map((effect) => {
		if (effect.type !== "send" || effect.message.type !== "vote" || input.type !== "message") return effect;
		if (input.message.type !== "request-vote" || input.message.term !== effect.message.term) return effect;
		return { ...effect, message: { ...effect.message, granted: true } };
	});

/** The disk learns of the term, not of the vote. */
export const forgetsVotes: Bug = (effects) =>
	effects.map((effect) => {
		if (effect.type !== "persist" || effect.write.hardState === undefined) return effect;
		const { term } = effect.write.hardState;
		return { ...effect, write: { ...effect.write, hardState: { term, votedFor: null } } };
	});

/** Nothing waits for the disk. */
export const neverWaits: Bug = (effects) =>
	effects.map((effect) => ("release" in effect ? { ...effect, release: "immediate" } : effect));

/** A follower says that it has what it was sent, and does not keep it. */
export const keepsNothing: Bug = (effects) =>
	effects.map((effect) => {
		if (effect.type !== "persist" || effect.write.append === undefined) return effect;
		const { append: _lost, ...write } = effect.write;
		return { ...effect, write };
	});
