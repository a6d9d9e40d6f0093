/** A client of a simulated group: one request at a time, to everybody; it believes f + 1 equal answers of distinct members. */
import type { Generator, NodeId } from "../../protocols/core/index.ts";
import type { SimulatedGroup } from "./simulated-group.ts";

/** After so long without a result it asks again. */
const PATIENCE_MS = 400;
/** What no correct member answers. */
const LIE = "lie";
const PAUSE_MS_MAX = 80;
/** Requests that it still makes when it is told to finish: the group must go on under attack. */
const REQUESTS_AFTER = 2;

export interface TrialClientOptions {
	readonly group: SimulatedGroup;
	readonly id: NodeId;
	/** f. */
	readonly faults: number;
	readonly dice: Generator;
	/** Members that it reaches. */
	readonly asks: readonly NodeId[];
	readonly isCorrect: (node: NodeId) => boolean;
}

export class TrialClient {
	readonly #options: TrialClientOptions;
	/** Requests that it still makes; without end until {@link finish}. */
	#left = Number.POSITIVE_INFINITY;
	asked = 0;
	answered = 0;
	/** Results that it believed and that no correct member gave. */
	deceived = 0;
	isIdle = false;

	constructor(options: TrialClientOptions) {
		this.#options = options;
	}

	start(): void {
		this.#next();
	}

	finish(): void {
		this.#left = REQUESTS_AFTER;
	}

	#next(): void {
		if (this.#left <= 0) {
			this.isIdle = true;
			return;
		}
		this.#left -= 1;
		const { group, dice } = this.#options;
		group.agenda.after(dice.between(0, PAUSE_MS_MAX), () => this.#ask());
	}

	#ask(): void {
		const { group, id, faults, asks, isCorrect } = this.#options;
		this.asked += 1;
		const request = group.signed(id, this.asked, new TextEncoder().encode(`${id}.${this.asked}`));
		const answers = new Map<NodeId, string>();
		let isDone = false;
		const hear = (from: NodeId, data: string): void => {
			if (isDone) return;
			answers.set(from, data);
			const equal = [...answers.values()].filter((other) => other === data).length;
			if (equal <= faults) return;
			isDone = true;
			if (data === LIE) this.deceived += 1;
			else this.answered += 1;
			this.#next();
		};
		const ask = (): void => {
			if (isDone) return;
			for (const node of asks) {
				group.request(node, request, (outcome) => {
					// What liars answer is one lie for all: the worst that they can do.
					if (outcome.type === "result") hear(node, isCorrect(node) ? textOf(outcome.data) : LIE);
				});
			}
			group.agenda.after(PATIENCE_MS, ask);
		};
		ask();
	}
}

function textOf(data: Uint8Array): string {
	return new TextDecoder().decode(data);
}
