/** Machines with a bug, put around the shipped one: what a simulation must find. */
import type { MachineWrapper, ViewableRaft } from "../../../actors/experiment/index.ts";
import type { Effect, Input } from "../../../protocols/core/index.ts";
import type { RaftMachine, RaftTypes, RaftView } from "../../../protocols/raft/index.ts";

type Step = (
	machine: RaftMachine,
	input: Input<RaftTypes>,
	effects: Effect<RaftTypes>[],
	pass: (input: Input<RaftTypes>) => void,
) => void;

class PlantedMachine implements ViewableRaft {
	readonly #machine: RaftMachine;
	readonly #step: Step;

	constructor(machine: RaftMachine, step: Step) {
		this.#machine = machine;
		this.#step = step;
	}

	step(input: Input<RaftTypes>, now: number, effects: Effect<RaftTypes>[]): void {
		this.#step(this.#machine, input, effects, (passed) => this.#machine.step(passed, now, effects));
	}

	get state(): unknown {
		return this.#machine.state;
	}

	get view(): RaftView {
		return this.#machine.view;
	}

	copy(): PlantedMachine {
		return new PlantedMachine(this.#machine.copy() as RaftMachine, this.#step);
	}
}

/** Every candidate of the present term gets a vote, whoever had it before. */
export const votesTwice: MachineWrapper = (machine) =>
	new PlantedMachine(machine, (_machine, input, effects, pass) => {
		const before = effects.length;
		pass(input);
		if (input.type !== "message" || input.message.type !== "request-vote" || input.message.preVote) return;
		for (let i = before; i < effects.length; i++) {
			const effect = effects[i] as Effect<RaftTypes>;
			if (effect.type !== "send" || effect.message.type !== "vote") continue;
			if (effect.message.term === input.message.term) {
				effects[i] = { ...effect, message: { ...effect.message, granted: true } };
			}
		}
	});

/** One member's application never hears of the third delivery of entries that the machine makes to it. */
export const losesADelivery: MachineWrapper = (machine, node) => {
	let deliveries = 0;
	return new PlantedMachine(machine, (_machine, input, effects, pass) => {
		const before = effects.length;
		pass(input);
		for (let i = before; i < effects.length; i++) {
			const effect = effects[i] as Effect<RaftTypes>;
			if (effect.type !== "apply" || effect.delivery.type !== "entries" || node !== "node-2") continue;
			deliveries += 1;
			if (deliveries === 3) effects.splice(i, 1);
		}
	});
};

/** Whoever is asked answers a read from what it has: nobody confirms that this is all. */
export const readsAlone: MachineWrapper = (machine) =>
	new PlantedMachine(machine, (_machine, input, effects, pass) => {
		if (input.type !== "request" || input.request.type !== "read") {
			pass(input);
			return;
		}
		const { requestId, request } = input;
		const delivery = { type: "query", requestId, query: request.query } as const;
		effects.push({ type: "apply", delivery, release: "immediate" });
	});
