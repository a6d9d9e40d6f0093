/**
 * How a process speaks with a group of its own: it finds the members by their names, and gives clients, figures and the leader
 * from what they answer.
 */
import { Subscription } from "rxjs";
import { type NodeId, QuorateError } from "../../protocols/core/index.ts";
import type { ActorRef, ActorSystem, Clock } from "../../runtime/actor/index.ts";
import { decodeAnswer, encodeValue, participantName, type RaftClientAnswer } from "../participant/index.ts";
import { type GroupAccess, SessionClient } from "./client.ts";
import type { ClientOptions, Leadership, MembershipView, NodeStatus } from "./contract.ts";
import * as errors from "./errors.ts";
import { figuresOf, type RaftStatusAnswer } from "./group-view.ts";
import type { RunningGroup } from "./membership.ts";

/** How long a member may take to tell its status. */
export const STATUS_TIMEOUT_MS = 1_000;

/** What the owner of a group lends. */
export interface ContactHost {
	readonly system: ActorSystem;
	readonly clock: Clock;
	/** Threads that have carried the member so far. */
	livesOf(node: NodeId): number;
	/** Why nothing can be asked any more; null while it can. */
	ended(): QuorateError | null;
}

export class GroupContact {
	readonly group: RunningGroup;
	readonly #host: ContactHost;
	readonly #clients = new Set<SessionClient>();
	#ownClient: SessionClient | null = null;

	constructor(group: RunningGroup, host: ContactHost) {
		this.group = group;
		this.#host = host;
	}

	/** The client that all share who want none of their own. */
	get sharedClient(): SessionClient {
		this.#ownClient ??= this.newClient({});
		return this.#ownClient;
	}

	/** @throws QuorateError `invalid-argument`, what has ended the group's owner */
	newClient(options: ClientOptions): SessionClient {
		const access = this.access();
		this.#requireAlive();
		const client: SessionClient = new SessionClient(access, options, () => this.#clients.delete(client));
		this.#clients.add(client);
		return client;
	}

	/** Whoever waits hears why. */
	endClients(error: Error): void {
		for (const client of [...this.#clients]) client.end(error);
	}

	/** @throws QuorateError `node-unknown` */
	member(node: string): NodeId {
		const { view } = this.group;
		if (!view.has(node)) throw errors.nodeUnknown({ node: String(node), members: view.members });
		return node;
	}

	access(): GroupAccess {
		const { group } = this;
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
		const found = await this.#host.system.lookup(participantName(this.group.group, node));
		if (found === null) throw errors.nodeDown({ node });
		const ref = found.speaking("raft-client");
		this.group.refs.set(node, ref);
		return ref;
	}

	/** What one member's application answers by itself. */
	async inspect<Answer>(node: string, query: unknown): Promise<Answer> {
		this.#requireAlive();
		const ref = await this.refOf(this.member(node));
		const answer = await ref.ask<Uint8Array>({ type: "participant-inspect", query: encodeValue(query) });
		return decodeAnswer(answer) as Answer;
	}

	/** Asks every member. */
	async statuses(): Promise<readonly NodeStatus[]> {
		const { view } = this.group;
		await Promise.all(view.members.map((node) => this.#report(node)));
		return view.nodes;
	}

	/** Brings one member's figures up to date, as far as it answers. */
	async #report(node: NodeId): Promise<void> {
		const { view, refs } = this.group;
		try {
			const ref = refs.get(node) ?? (await this.refOf(node));
			const status = await ref.ask<RaftStatusAnswer>({ type: "participant-status" }, { timeoutMs: STATUS_TIMEOUT_MS });
			view.reported(node, figuresOf(status), this.#host.livesOf(node));
		} catch (error) {
			if (!(error instanceof QuorateError)) throw error;
			if (error.code === "actor-dead") refs.delete(node);
			view.unreported(node, this.#host.livesOf(node));
		}
	}

	/** The members as their leader sees them. @throws QuorateError `no-leader`, `node-down`, `ask-timeout`, `actor-dead` */
	async membershipView(): Promise<MembershipView> {
		const { leader } = await this.untilLeader(STATUS_TIMEOUT_MS);
		const ref = await this.refOf(leader);
		const status = await ref.ask<RaftStatusAnswer>({ type: "participant-status" }, { timeoutMs: STATUS_TIMEOUT_MS });
		const { voters, outgoing, learners } = status.configuration;
		return { leader, voters, outgoing, learners, isCommitted: status.configurationCommitted, peers: status.peers };
	}

	/** @param deadlineMs default: `timeoutMs` from now on. @throws QuorateError `no-leader`, what has ended the group's owner */
	async untilLeader(timeoutMs: number, deadlineMs?: number): Promise<Leadership> {
		const { clock } = this.#host;
		const { view, group } = this.group;
		if (view.leader !== null) return view.leader;
		const leftMs = deadlineMs === undefined ? timeoutMs : Math.max(0, deadlineMs - clock.nowMs());
		return new Promise((resolve, reject) => {
			const subscription = new Subscription();
			const settle = (outcome: () => void): void => {
				clock.cancel(timer);
				subscription.unsubscribe();
				outcome();
			};
			const timer = clock.schedule(leftMs, () => {
				settle(() => reject(errors.noLeader({ group, waitedMs: timeoutMs })));
			});
			subscription.add(
				view.leader$.subscribe({
					next: (leadership) => {
						if (leadership !== null) settle(() => resolve(leadership));
					},
					complete: () => settle(() => reject(this.#host.ended() ?? errors.swarmStopped({}))),
				}),
			);
		});
	}

	#requireAlive(): void {
		const error = this.#host.ended();
		if (error !== null) throw error;
	}
}
