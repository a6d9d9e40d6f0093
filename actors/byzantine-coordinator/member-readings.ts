/** What is known of the members of a group from outside: who is down, how many lives each has had, and what each tells of itself. */
import { Observable } from "rxjs";
import { type NodeId, QuorateError } from "../../protocols/core/index.ts";
import type { PbftStatus } from "../../protocols/pbft/index.ts";
import type { ActorRef, Clock } from "../../runtime/actor/index.ts";
import type { ByzantineNodeStatus, MemberFigures } from "./contract.ts";

/** How long a member may take to tell its status. */
const STATUS_TIMEOUT_MS = 1_000;
/** How often {@link MemberReadings.all$} reads. */
const READ_EVERY_MS = 1_000;

export class MemberReadings {
	readonly #nodes: () => readonly NodeId[];
	readonly #refOf: (node: NodeId) => Promise<ActorRef>;
	readonly #clock: Clock;
	readonly #lives = new Map<NodeId, number>();
	readonly #down = new Set<NodeId>();
	readonly #executed = new Map<NodeId, number>();

	/** @param nodes the members of the moment @param refOf finds a member's actor, or throws that it is down */
	constructor(nodes: () => readonly NodeId[], refOf: (node: NodeId) => Promise<ActorRef>, clock: Clock) {
		this.#nodes = nodes;
		this.#refOf = refOf;
		this.#clock = clock;
	}

	threadStarted(node: NodeId, lives: number): void {
		this.#lives.set(node, lives);
	}

	threadEnded(node: NodeId): void {
		this.#down.add(node);
	}

	participantStarted(node: NodeId): void {
		this.#down.delete(node);
	}

	/** Members as last heard of, without asking. */
	get figures(): readonly MemberFigures[] {
		return this.#nodes().map((node) => ({
			node,
			isDown: this.#down.has(node),
			executed: this.#executed.get(node) ?? 0,
			lives: this.#lives.get(node) ?? 0,
		}));
	}

	/** Asks every member; one that does not answer in time is `down`. */
	all(): Promise<readonly ByzantineNodeStatus[]> {
		return Promise.all(this.#nodes().map((node) => this.#statusOf(node)));
	}

	/** A reading of all each second. Ends with `ended$`. */
	all$(ended$: Observable<unknown>): Observable<readonly ByzantineNodeStatus[]> {
		return new Observable((subscriber) => {
			const read = async (): Promise<void> => {
				const statuses = await this.all();
				if (subscriber.closed) return;
				subscriber.next(statuses);
				timer = this.#clock.schedule(READ_EVERY_MS, again);
			};
			const again = (): void => {
				read().catch((error: unknown) => subscriber.error(error));
			};
			let timer = this.#clock.schedule(0, again);
			const ended = ended$.subscribe({ complete: () => subscriber.complete() });
			return () => {
				this.#clock.cancel(timer);
				ended.unsubscribe();
			};
		});
	}

	async #statusOf(node: NodeId): Promise<ByzantineNodeStatus> {
		const threadLives = this.#lives.get(node) ?? 0;
		try {
			const ref = await this.#refOf(node);
			const status = await ref.ask<PbftStatus>({ type: "participant-status" }, { timeoutMs: STATUS_TIMEOUT_MS });
			const { view, executed, chain, convicted, isHalted, isParted } = status;
			this.#executed.set(node, executed);
			return { node, state: "running", view, executed, chain, convicted, isHalted, isParted, threadLives };
		} catch (error) {
			if (!(error instanceof QuorateError)) throw error;
			const executed = this.#executed.get(node) ?? 0;
			const nothing = { view: 0, chain: "", convicted: [], isHalted: false, isParted: false } as const;
			return { node, state: "down", executed, ...nothing, threadLives };
		}
	}
}
