/** A member that lies: a correct machine inside, with attacks between it and the world. */
import {
	type CryptoPort,
	type Effect,
	Generator,
	type Input,
	type MonotonicMs,
	type StateMachine,
} from "../../core/index.ts";
import type { PbftConfig } from "../config.ts";
import { PbftMachine } from "../machine.ts";
import type { PbftTypes } from "../vocabulary.ts";
import { type Attack, type AttackMeans, isSaying, type Saying } from "./attack.ts";

/**
 * Runs several attacks at once, one behind the other. Like a protocol it is deterministic: its draws come from a seed and the number
 * of the batch. It signs as itself alone, for it has no other key.
 */
export class ByzantineMachine implements StateMachine<PbftTypes> {
	readonly #config: PbftConfig;
	readonly #crypto: CryptoPort;
	readonly #attacks: readonly Attack[];
	readonly #seed: number;
	#machine: PbftMachine;
	#step = 0;
	#memories: Map<string, unknown>[];

	constructor(config: PbftConfig, crypto: CryptoPort, attacks: readonly Attack[], seed: number) {
		this.#config = config;
		this.#crypto = crypto;
		this.#attacks = attacks;
		this.#seed = seed;
		this.#machine = new PbftMachine(config, crypto);
		this.#memories = attacks.map(() => new Map());
	}

	step(input: Input<PbftTypes>, now: MonotonicMs, effects: Effect<PbftTypes>[]): void {
		const heard = this.#hear(input);
		if (heard === null) return;
		const own: Effect<PbftTypes>[] = [];
		this.#machine.step(heard, now, own);
		for (const effect of own) {
			if (!isSaying(effect)) effects.push(effect);
			else for (const twisted of this.#twist(effect)) effects.push(twisted);
		}
		if (input.type !== "batch-ended") return;
		this.#step++;
		for (const [i, attack] of this.#attacks.entries()) {
			for (const invented of attack.invent?.(this.#means(i)) ?? []) effects.push(invented);
		}
	}

	/** Where the correct machine inside stands. */
	get state(): unknown {
		return { machine: this.#machine.state, step: this.#step, memories: this.#memories };
	}

	copy(): ByzantineMachine {
		const copy = new ByzantineMachine(this.#config, this.#crypto, this.#attacks, this.#seed);
		copy.#machine = this.#machine.copy();
		copy.#step = this.#step;
		copy.#memories = this.#memories.map((memory) => new Map(memory));
		return copy;
	}

	#hear(input: Input<PbftTypes>): Input<PbftTypes> | null {
		if (input.type !== "message") return input;
		let { message } = input;
		// What another liar sends may be anything; the machine inside knows how to refuse it.
		if (typeof message !== "object" || message === null) return input;
		for (const [i, attack] of this.#attacks.entries()) {
			const heard = attack.hear === undefined ? message : attack.hear(input.from, message, this.#means(i));
			if (heard === null) return null;
			message = heard;
		}
		return { ...input, message };
	}

	#twist(saying: Saying): readonly Saying[] {
		let sayings: readonly Saying[] = [saying];
		for (const [i, { twist }] of this.#attacks.entries()) {
			if (twist !== undefined) sayings = sayings.flatMap((said) => twist(said, this.#means(i)));
		}
		return sayings;
	}

	#means(attack: number): AttackMeans {
		const { nodeId, members } = this.#config;
		return {
			config: this.#config,
			crypto: this.#crypto,
			peers: members.filter((member) => member !== nodeId),
			view: this.#machine.view,
			dice: new Generator(this.#seed, `${nodeId}/${attack}/${this.#step}`),
			step: this.#step,
			memory: this.#memories[attack] as Map<string, unknown>,
		};
	}
}
