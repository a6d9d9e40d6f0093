/** One group as this process reaches it: who leads, its members' refs, its clients, and what members tell of themselves. */
import { Subscription } from "rxjs";
import { type NodeId, QuorateError } from "../../protocols/core/index.ts";
import type { ActorRef, ActorSystem, Clock } from "../../runtime/actor/index.ts";
import { participantName, type RaftClientAnswer } from "../participant/index.ts";
import { type GroupAccess, SessionClient } from "./client.ts";
import type { ClientOptions, Leadership } from "./contract.ts";
import * as errors from "./errors.ts";
import { figuresOf, type RaftStatusAnswer } from "./group-view.ts";
import type { RunningGroup } from "./membership.ts";

/** How long a member may take to tell its status. */
export const STATUS_TIMEOUT_MS = 1_000;

/** What a desk stands on. */
export interface DeskHost {
	readonly system: ActorSystem;
	readonly clock: Clock;
	/** Why nothing is asked any more; null while the group goes on. */
	ended(): QuorateError | null;
	/** Threads that have carried this member so far. */
	livesOf(node: NodeId): number;
}

export class GroupDesk {
	readonly #group: RunningGroup;
	readonly #host: DeskHost;
	readonly #clients = new Set<SessionClient>();
	#sharedClient: SessionClient | null = null;

	constructor(group: RunningGroup, host: DeskHost) {
		this.#group = group;
		this.#host = host;
	}

	/** The one that all share who did not make one of their own. @throws QuorateError what has ended the group */
	get client(): SessionClient {
		this.#sharedClient ??= this.newClient({});
		return this.#sharedClient;
	}

	/** @throws QuorateError `invalid-argument`, `option-unknown`, what has ended the group */
	newClient(options: ClientOptions): SessionClient {
		const ended = this.#host.ended();
		if (ended !== null) throw ended;
		const client: SessionClient = new SessionClient(this.access(), options, () => this.#clients.delete(client));
		this.#clients.add(client);
		return client;
	}

	/** Everybody who waits hears why it is over. */
	endClients(error: Error): void {
		for (const client of [...this.#clients]) client.end(error);
	}

	access(): GroupAccess {
		const group = this.#group;
		return {
			name: group.group,
			get members() {
				return group.view.members;
			},
			clock: this.#host.clock,
			generator: group.generator.fork(`client-${group.clients++}`),
			valueBytesMax: group.valueBytesMax,
			leader: () => group.view.leader?.leader ?? null,
			ask: async (node, request, timeoutMs) => {
				const ref = group.refs.get(node) ?? (await this.refOf(node));
				try {
					return await ref.ask<RaftClientAnswer>(request, { timeoutMs });
				} catch (error) {
					// A member that was built anew under another address is found by its name again.
					if (error instanceof QuorateError && error.code === "actor-dead") group.refs.delete(node);
					throw error;
				}
			},
		};
	}

	/** @throws QuorateError `node-down` */
	async refOf(node: NodeId): Promise<ActorRef> {
		const { group, refs } = this.#group;
		const found = await this.#host.system.lookup(participantName(group, node));
		if (found === null) throw errors.nodeDown({ node });
		const ref = found.speaking("raft-client");
		refs.set(node, ref);
		return ref;
	}

	/** A member's own word on how it stands. @throws QuorateError `node-down`, `ask-timeout`, `actor-dead` */
	async statusOf(node: NodeId): Promise<RaftStatusAnswer> {
		const ref = this.#group.refs.get(node) ?? (await this.refOf(node));
		return await ref.ask<RaftStatusAnswer>({ type: "participant-status" }, { timeoutMs: STATUS_TIMEOUT_MS });
	}

	/** Brings the figures of all members up to date, as far as they answer. */
	async refresh(): Promise<void> {
		await Promise.all(this.#group.view.members.map((node) => this.#refresh(node)));
	}

	async #refresh(node: NodeId): Promise<void> {
		const { view, refs } = this.#group;
		try {
			const status = await this.statusOf(node);
			view.reported(node, figuresOf(status), this.#host.livesOf(node));
		} catch (error) {
			if (!(error instanceof QuorateError)) throw error;
			if (error.code === "actor-dead") refs.delete(node);
			view.unreported(node, this.#host.livesOf(node));
		}
	}

	/** Resolves when a leader is known. @throws QuorateError `no-leader` at the deadline, what has ended the group */
	async untilLeader(
		deadlineMs: number,
		timeoutMs: number,
		isMeant: (leader: NodeId) => boolean = () => true,
	): Promise<Leadership> {
		const { view, group } = this.#group;
		const { clock } = this.#host;
		if (view.leader !== null && isMeant(view.leader.leader)) return view.leader;
		return new Promise((resolve, reject) => {
			const subscription = new Subscription();
			const settle = (outcome: () => void): void => {
				clock.cancel(timer);
				subscription.unsubscribe();
				outcome();
			};
			const timer = clock.schedule(Math.max(0, deadlineMs - clock.nowMs()), () => {
				settle(() => reject(errors.noLeader({ group, waitedMs: timeoutMs })));
			});
			subscription.add(
				view.leader$.subscribe({
					next: (leadership) => {
						if (leadership !== null && isMeant(leadership.leader)) settle(() => resolve(leadership));
					},
					complete: () => settle(() => reject(this.#host.ended() ?? errors.swarmStopped({}))),
				}),
			);
		});
	}
}
