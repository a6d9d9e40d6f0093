/**
 * Twins (Bano et al., OPODIS 2021): two correct machines with one identity, each shown to a part of the group. Everything that they
 * say is said in good faith and well signed, and together it is equivocation of every kind.
 */
import type { CryptoPort, Effect, Input, MonotonicMs, NodeId, StateMachine } from "../../core/index.ts";
import type { PbftConfig } from "../config.ts";
import { PbftMachine } from "../machine.ts";
import type { PbftMessage } from "../messages.ts";
import type { PbftTimer, PbftTypes } from "../vocabulary.ts";

type Side = 0 | 1;

/** A message between twins of several members: it reaches the machine of the same side. Nobody else knows such a type. */
interface TwinMessage {
	readonly type: "twin";
	readonly side: Side;
	readonly message: PbftMessage;
}

/** Who sees which of the two. Members on neither list see both. */
export interface TwinSides {
	readonly first: readonly NodeId[];
	readonly second: readonly NodeId[];
	/** Other members that have twins: the sides of all of them keep together. */
	readonly accomplices: readonly NodeId[];
}

export class TwinMachine implements StateMachine<PbftTypes> {
	readonly #config: PbftConfig;
	readonly #crypto: CryptoPort;
	readonly #sides: TwinSides;
	#machines: readonly [PbftMachine, PbftMachine];

	constructor(config: PbftConfig, crypto: CryptoPort, sides: TwinSides) {
		this.#config = config;
		this.#crypto = crypto;
		this.#sides = sides;
		this.#machines = [new PbftMachine(config, crypto), new PbftMachine(config, crypto)];
	}

	step(input: Input<PbftTypes>, now: MonotonicMs, effects: Effect<PbftTypes>[]): void {
		for (const side of [0, 1] as const) {
			const heard = this.#hear(side, input);
			if (heard === null) continue;
			const own: Effect<PbftTypes>[] = [];
			this.#machines[side].step(heard, now, own);
			for (const effect of own) {
				const shown = this.#show(side, effect);
				if (shown !== null) effects.push(shown);
			}
		}
	}

	get state(): unknown {
		return this.#machines.map(({ state }) => state);
	}

	copy(): TwinMachine {
		const copy = new TwinMachine(this.#config, this.#crypto, this.#sides);
		copy.#machines = [this.#machines[0].copy(), this.#machines[1].copy()];
		return copy;
	}

	#sees(side: Side, peer: NodeId): boolean {
		const { first, second } = this.#sides;
		const [own, other] = side === 0 ? [first, second] : [second, first];
		return own.includes(peer) || !other.includes(peer);
	}

	#hear(side: Side, input: Input<PbftTypes>): Input<PbftTypes> | null {
		if (input.type === "timer") {
			const [timer, owner] = input.timer.split("#");
			return Number(owner) === side ? { type: "timer", timer: timer as PbftTimer } : null;
		}
		// Local clients are heard by the first alone, so that the two come to order different things.
		if (input.type === "request") return side === 0 ? input : null;
		if (input.type !== "message") return input;
		const message = input.message as PbftMessage | TwinMessage;
		if (message?.type !== "twin") return this.#sees(side, input.from) ? input : null;
		return message.side === side ? { ...input, message: message.message } : null;
	}

	/** Neither has a disk, so nothing is captured or restored; application, clients and observers hear of the first alone. */
	#show(side: Side, effect: Effect<PbftTypes>): Effect<PbftTypes> | null {
		switch (effect.type) {
			case "send": {
				const { to, message } = effect;
				if (!this.#sides.accomplices.includes(to)) return this.#sees(side, to) ? effect : null;
				const wrapped: TwinMessage = { type: "twin", side, message };
				return { ...effect, message: wrapped as unknown as PbftMessage };
			}
			case "set-timer":
			case "cancel-timer":
				return { ...effect, timer: `${effect.timer}#${side}` as PbftTimer };
			case "persist":
				return null;
			case "apply": {
				const { type } = effect.delivery;
				return side === 0 && type !== "take-checkpoint" && type !== "restore-checkpoint" ? effect : null;
			}
			default:
				return side === 0 ? effect : null;
		}
	}
}
