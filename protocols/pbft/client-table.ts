/**
 * Which requests are executed already: part of the replicated state, so that every member executes a request once and skips it
 * ever after, whatever views and transfers come between (OSDI'99 §4.1, §4.2).
 */
import { compareIds, type NodeId } from "../core/index.ts";
import type { CheckpointState } from "./entities.ts";

/** `full`: the client is new and the table has no room; the request is executed as refused. */
export type RequestVerdict = "new" | "executed" | "stale" | "full";

export interface ClientTableLimits {
	/** Timestamps kept per client. 1 is the paper's rule: a client has one request under way. */
	readonly clientWindow: number;
	readonly clientsMax: number;
}

export class ClientTable {
	readonly #limits: ClientTableLimits;
	/** The greatest `clientWindow` executed timestamps of each client, ascending. */
	readonly #executed: Map<NodeId, number[]>;

	constructor(limits: ClientTableLimits, executed: ReadonlyMap<NodeId, readonly number[]> = new Map()) {
		this.#limits = limits;
		this.#executed = new Map([...executed].map(([client, timestamps]) => [client, timestamps.slice()]));
	}

	look(client: NodeId, timestamp: number): RequestVerdict {
		const executed = this.#executed.get(client);
		if (executed === undefined) return this.#executed.size < this.#limits.clientsMax ? "new" : "full";
		if (executed.includes(timestamp)) return "executed";
		const isFull = executed.length >= this.#limits.clientWindow;
		return isFull && timestamp < (executed[0] as number) ? "stale" : "new";
	}

	/** Takes note of a request that {@link look} called new. */
	record(client: NodeId, timestamp: number): void {
		let executed = this.#executed.get(client);
		if (executed === undefined) {
			executed = [];
			this.#executed.set(client, executed);
		}
		executed.push(timestamp);
		// Clients mostly ask in order.
		if (timestamp < (executed.at(-2) ?? 0)) executed.sort((a, b) => a - b);
		if (executed.length > this.#limits.clientWindow) executed.shift();
	}

	/** As it enters a checkpoint. */
	snapshot(): CheckpointState["clients"] {
		return [...this.#executed]
			.sort(([a], [b]) => compareIds(a, b))
			.map(([client, timestamps]) => ({ client, timestamps: timestamps.slice() }));
	}

	restore(clients: CheckpointState["clients"]): void {
		this.#executed.clear();
		for (const { client, timestamps } of clients) this.#executed.set(client, timestamps.slice());
	}

	copy(): ClientTable {
		return new ClientTable(this.#limits, this.#executed);
	}

	get view(): ReadonlyMap<NodeId, readonly number[]> {
		return this.#executed;
	}
}
