/** Waiting requests by priority, each class with room of its own: the flood of a low class takes no place from a high one. */
import { requireSetting } from "./finding.ts";

/** From the most urgent on. */
export const REQUEST_PRIORITIES = ["critical", "high", "normal", "low"] as const;
export type RequestPriority = (typeof REQUEST_PRIORITIES)[number];

export class RequestQueue<Request> {
	readonly #capacity: number;
	readonly #classes: Readonly<Record<RequestPriority, Request[]>> = { critical: [], high: [], normal: [], low: [] };
	/** Serves a waiting lower class once after so many higher ones, so that it is late and not lost. */
	readonly #patience: number;
	#servedAbove = 0;

	/** `capacity` of each class, 1 to 1,048,576. @throws QuorateError `detector-config-invalid` */
	constructor(capacity: number, patience = 16) {
		requireSetting("capacity", capacity, 1, 1_048_576);
		requireSetting("patience", patience, 1, 1_048_576);
		this.#capacity = capacity;
		this.#patience = patience;
	}

	get size(): number {
		return REQUEST_PRIORITIES.reduce((sum, priority) => sum + this.#classes[priority].length, 0);
	}

	/** False when the class is full. */
	push(request: Request, priority: RequestPriority): boolean {
		const waiting = this.#classes[priority];
		if (waiting.length >= this.#capacity) return false;
		waiting.push(request);
		return true;
	}

	/** The next to serve, first come first served within its class; undefined if none waits. */
	shift(): Request | undefined {
		const waiting = REQUEST_PRIORITIES.filter((priority) => this.#classes[priority].length > 0);
		const [first] = waiting;
		const last = waiting.at(-1);
		if (first === undefined || last === undefined) return undefined;
		if (first !== last && this.#servedAbove >= this.#patience) {
			this.#servedAbove = 0;
			return this.#classes[last].shift();
		}
		this.#servedAbove = first === last ? 0 : this.#servedAbove + 1;
		return this.#classes[first].shift();
	}
}
