/** A {@link RunTarget} that is a swarm: the flight ledger, replicated by participants on threads of their own. */
import { filter, map, type Observable, type Subscription } from "rxjs";
import { type Leadership, Swarm, type SwarmEvent } from "../swarm/index.ts";
import type { LedgerQuery, LedgerSummary } from "./flight-ledger.ts";
import type { TargetOptions } from "./run-command.ts";
import type { LedgerClient, RunTarget, TargetEvent, TargetNode } from "./run-target.ts";

/** An operation is tried for so long: longer than a load may stand still, so that a slow machine fails none while others are answered. */
const OPERATION_TIMEOUT_MS = 60_000;
/** One thread is kept started ahead of need, so that a killed participant is back sooner. */
const WARM_SPARES = 1;
/** How long a first leader may take, on a machine that is busy with other things. */
const START_TIMEOUT_MS = 30_000;

export class SwarmRunTarget implements RunTarget {
	readonly #swarm: Swarm;
	/** Keeps the figures of `nodes` fresh: a swarm reads them while somebody listens. */
	readonly #readings: Subscription;

	private constructor(swarm: Swarm) {
		this.#swarm = swarm;
		this.#readings = swarm.metrics$.subscribe();
	}

	/** @throws QuorateError as `Swarm.start` */
	static async start({ nodes, storage, seed }: TargetOptions): Promise<SwarmRunTarget> {
		const swarm = await Swarm.start({
			raft: { nodes, application: { module: new URL("./flight-ledger.js", import.meta.url), export: "FlightLedger" } },
			storage,
			seed,
			warmSpares: WARM_SPARES,
			startTimeoutMs: START_TIMEOUT_MS,
		});
		return new SwarmRunTarget(swarm);
	}

	get notes(): readonly string[] {
		return this.#swarm.notes;
	}

	get nodes(): readonly TargetNode[] {
		return this.#swarm.nodes.map(({ node, state, role, term, commitIndex, threadLives }) => ({
			id: node,
			state: state === "running" ? state : "down",
			role,
			term,
			commit: commitIndex,
			restarts: Math.max(0, threadLives - 1),
		}));
	}

	get leader(): Leadership | null {
		return this.#swarm.leader;
	}

	get events$(): Observable<TargetEvent> {
		return this.#swarm.events$.pipe(
			map(targetEventOf),
			filter((event) => event !== null),
		);
	}

	async openClient(window: number): Promise<LedgerClient> {
		const client = this.#swarm.client({ window, timeoutMs: OPERATION_TIMEOUT_MS });
		return {
			propose: (command) => client.propose<number>(command),
			read: (query) => client.read(query),
		};
	}

	kill(node: string): Promise<void> {
		return this.#swarm.kill(node);
	}

	inspectReplica(node: string): Promise<LedgerSummary> {
		return this.#swarm.inspect<LedgerSummary>(node, { type: "summary" } satisfies LedgerQuery);
	}

	async stop(): Promise<void> {
		this.#readings.unsubscribe();
		await this.#swarm.stop();
	}
}

function targetEventOf(event: SwarmEvent): TargetEvent | null {
	const { node } = event;
	if (node === null) return null;
	switch (event.type) {
		case "role-changed":
			return event.role === "leader" ? { type: "leader-elected", leader: node, term: event.term } : null;
		case "thread-ended":
			return { type: "node-lost", node };
		case "participant-started":
			return { type: "node-recovered", node };
		default:
			return null;
	}
}
