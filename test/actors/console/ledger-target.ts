/**
 * A target in memory for the tests of the console: as many ledgers as nodes, all of which apply each command after a
 * fixed time. It elects, loses and recovers nodes as told, and breaks its promises when a test asks for it.
 */
import { type Observable, Subject } from "rxjs";
import {
	FlightLedger,
	type LedgerCommand,
	type LedgerQuery,
	type LedgerResult,
	type LedgerSummary,
} from "../../../actors/console/flight-ledger.ts";
import type { LedgerClient, RunTarget, TargetEvent, TargetNode } from "../../../actors/console/run-target.ts";
import type { Leadership } from "../../../actors/swarm/index.ts";
import { nodeId } from "../../../protocols/core/index.ts";
import type { Clock } from "../../../runtime/actor/clock.ts";

export interface LedgerTargetOptions {
	readonly nodes: number;
	readonly clock: Clock;
	/** From a command to its answer. */
	readonly answerMs?: number;
	readonly electionMs?: number;
	readonly restartMs?: number;
	/** Ledgers that were there before. */
	readonly ledgers?: readonly FlightLedger[];
	/** What node `node` applies instead of a command; null drops it. */
	readonly distort?: (node: number, command: LedgerCommand) => readonly LedgerCommand[];
	/** How the client answers instead. */
	readonly refuse?: (command: LedgerCommand) => Error | null;
}

export class LedgerTarget implements RunTarget {
	readonly notes: readonly string[] = [];
	readonly events$: Observable<TargetEvent>;
	readonly ledgers: readonly FlightLedger[];
	readonly #events = new Subject<TargetEvent>();
	readonly #options: LedgerTargetOptions;
	readonly #nodes: { -readonly [K in keyof TargetNode]: TargetNode[K] }[];
	#leader: Leadership | null = { leader: nodeId("node-1"), term: 1 };
	#waiting: (() => void)[] = [];
	/** Commands that were proposed at the same time, at most. */
	outstandingMax = 0;
	isStopped = false;
	#outstanding = 0;
	#commit = 0;

	constructor(options: LedgerTargetOptions) {
		this.#options = options;
		this.events$ = this.#events;
		this.ledgers = options.ledgers ?? Array.from({ length: options.nodes }, () => new FlightLedger());
		this.#nodes = Array.from({ length: options.nodes }, (_, i) => ({
			id: `node-${i + 1}`,
			state: "running",
			role: i === 0 ? "leader" : "follower",
			term: 1,
			commit: 0,
			restarts: 0,
		}));
	}

	get leader(): Leadership | null {
		return this.#leader;
	}

	set leader(leader: Leadership | null) {
		this.#leader = leader;
		for (const resume of this.#waiting.splice(0)) resume();
	}

	get nodes(): readonly TargetNode[] {
		return this.#nodes.map((node) => ({ ...node, commit: this.#commit }));
	}

	async openClient(): Promise<LedgerClient> {
		return {
			propose: (command) => this.#propose(command),
			read: async (query) => {
				await this.#after(this.#options.answerMs ?? 1);
				return this.#reader().query(query as LedgerQuery);
			},
		};
	}

	async kill(id: string): Promise<void> {
		const { electionMs = 300, restartMs = 100 } = this.#options;
		const node = this.#nodes.find((candidate) => candidate.id === id)!;
		const term = node.term + 1;
		const next = this.#nodes[(this.#nodes.indexOf(node) + 1) % this.#nodes.length]!;
		node.state = "down";
		this.leader = null;
		await this.#after(5);
		this.#events.next({ type: "node-lost", node: id });
		void this.#after(restartMs - 5).then(() => {
			node.state = "running";
			node.role = "follower";
			node.restarts++;
			this.#events.next({ type: "node-recovered", node: id });
		});
		void this.#after(electionMs - 5).then(() => {
			next.role = "leader";
			next.term = term;
			this.leader = { leader: nodeId(next.id), term };
			this.#events.next({ type: "leader-elected", ...this.leader });
		});
	}

	publish(event: TargetEvent): void {
		this.#events.next(event);
	}

	async inspectReplica(id: string): Promise<LedgerSummary> {
		return this.ledgers[this.#nodes.findIndex((node) => node.id === id)]!.summary();
	}

	async stop(): Promise<void> {
		this.isStopped = true;
	}

	async #propose(command: LedgerCommand): Promise<LedgerResult> {
		this.#outstanding++;
		this.outstandingMax = Math.max(this.outstandingMax, this.#outstanding);
		await this.#after(this.#options.answerMs ?? 1);
		// Without a leader nothing is decided, as in a real group.
		while (this.#leader === null) await new Promise<void>((resume) => this.#waiting.push(resume));
		this.#outstanding--;
		const refusal = this.#options.refuse?.(command) ?? null;
		if (refusal !== null) throw refusal;
		this.#commit++;
		const results = this.ledgers.map((ledger, node) => {
			const commands = this.#options.distort?.(node, command) ?? [command];
			return commands.map((each) => ledger.apply(each)).at(-1);
		});
		return results.find((result) => result !== undefined) ?? 0;
	}

	#reader(): FlightLedger {
		return this.ledgers[0]!;
	}

	#after(ms: number): Promise<void> {
		return new Promise((resume) => void this.#options.clock.schedule(ms, resume));
	}
}
