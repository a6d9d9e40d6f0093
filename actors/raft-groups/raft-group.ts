/** One of many groups, as its user has it: commands, reads, who leads. */
import type { Observable } from "rxjs";
import { type Generator, type NodeId, type QuorateError, requireInteger } from "../../protocols/core/index.ts";
import { type ActorSystem, type Clock, IsolatedObservable } from "../../runtime/actor/index.ts";
import type { LossNotice } from "../participant/index.ts";
import { GroupDesk } from "../swarm/group-desk.ts";
import { GroupView } from "../swarm/group-view.ts";
import type { ClientOptions, Leadership, NodeStatus, ReadOptions, SwarmClient } from "../swarm/index.ts";
import { MemberChanges } from "../swarm/member-changes.ts";
import type { RunningGroup } from "../swarm/membership.ts";
import type { CheckedGroup } from "../swarm/options.ts";

/** What a group stands on. */
export interface GroupHost {
	readonly system: ActorSystem;
	readonly clock: Clock;
	/** An observer of the group's user has thrown. */
	observerThrew(error: unknown): void;
	/** Why no group is asked any more; null while the host goes on. */
	ended(): QuorateError | null;
	livesOf(node: NodeId): number;
}

/** A handle on one group; made by `RaftGroups`, and of use as long as that runs. */
export class RaftGroup {
	readonly name: string;
	/**
	 * Resolves with the reason when this group can not go on, since its members fail again and again (an application that throws at
	 * a command, for one). The other groups go on.
	 */
	readonly failed: Promise<QuorateError>;
	readonly #group: RunningGroup;
	readonly #desk: GroupDesk;
	readonly #host: GroupHost;
	readonly #leader$: Observable<Leadership | null>;
	#failure: QuorateError | null = null;
	#reportFailure: (error: QuorateError) => void = () => undefined;

	/** @internal */
	constructor(group: CheckedGroup, generator: Generator, host: GroupHost) {
		this.name = group.group;
		const view = new GroupView(group.group, group.nodes);
		this.#group = { ...group, view, generator, refs: new Map(), clients: 0 };
		this.#host = host;
		this.#leader$ = new IsolatedObservable(view.leader$, (error) => host.observerThrew(error));
		this.#desk = new GroupDesk(this.#group, {
			system: host.system,
			clock: host.clock,
			ended: () => this.#failure ?? host.ended(),
			livesOf: (node) => host.livesOf(node),
		});
		this.failed = new Promise((resolve) => {
			this.#reportFailure = resolve;
		});
	}

	/** Replicates a command, exactly once; see {@link SwarmClient.propose}. */
	async propose<Result = unknown>(command: unknown): Promise<Result> {
		return this.#desk.client.propose<Result>(command);
	}

	/** A read, linearizable by default; see {@link SwarmClient.read}. */
	async read<Answer = unknown>(query: unknown, options: ReadOptions = {}): Promise<Answer> {
		return this.#desk.client.read<Answer>(query, options);
	}

	/** A client with a session of its own. @throws QuorateError `invalid-argument`, `option-unknown`, `group-failed`, `swarm-stopped` */
	client(options: ClientOptions = {}): SwarmClient {
		return this.#desk.newClient(options);
	}

	/** Who leads, as far as is known; null while nobody does. */
	get leader(): Leadership | null {
		return this.#group.view.leader;
	}

	/** The present leadership and every change. */
	get leader$(): Observable<Leadership | null> {
		return this.#leader$;
	}

	/** Asks every member; one that does not answer within a second is `down`. */
	async status(): Promise<readonly NodeStatus[]> {
		await this.#desk.refresh();
		return this.#group.view.nodes;
	}

	/** Resolves when a leader is known. @throws QuorateError `no-leader` after `timeoutMs`, `group-failed`, `swarm-stopped` */
	async untilLeader(timeoutMs: number): Promise<Leadership> {
		requireInteger("timeoutMs", timeoutMs, 0, 2 ** 31 - 1);
		return await this.#desk.untilLeader(this.#host.clock.nowMs() + timeoutMs, timeoutMs);
	}

	/**
	 * Hands leadership over; commands wait a few round trips. Resolves when somebody else leads, as far as is known here.
	 * @param timeoutMs how long it is tried; milliseconds, default 5,000
	 * @throws QuorateError `transfer-given-up`, `membership-refused`, `membership-not-done`, `no-leader`, `group-failed`, `swarm-stopped`
	 */
	async transferLeadership(to: NodeId, timeoutMs: number = TRANSFER_MS): Promise<Leadership> {
		requireInteger("timeoutMs", timeoutMs, 1, 2 ** 31 - 1);
		const from = (await this.untilLeader(timeoutMs)).leader;
		if (from === to) return this.untilLeader(timeoutMs);
		const deadlineMs = this.#host.clock.nowMs() + timeoutMs;
		await new MemberChanges(this.#desk.access()).transfer(to, timeoutMs);
		return await this.#desk.untilLeader(deadlineMs, timeoutMs, (leader) => leader !== from);
	}

	/** @internal What a member tells. */
	heard(event: { readonly type: string } & Readonly<Record<string, unknown>>, node: NodeId): void {
		const { view } = this.#group;
		if (event.type === "participant-started") view.started(node, event["restarts"] as number);
		if (event.type === "role-changed") {
			const { role, term, leader } = event as unknown as Pick<NodeStatus, "role" | "term" | "leader">;
			view.roleChanged(node, role, term, leader);
		}
	}

	/**
	 * @internal A member has ended, alone or with its thread. The others may be silent and wait for nothing: if it led, they have to hear of
	 * it, or nobody would lead until somebody asks.
	 */
	memberEnded(node: NodeId): void {
		const { view } = this.#group;
		const hasLed = view.leader?.leader === node;
		view.down(node);
		if (!hasLed || this.#host.ended() !== null) return;
		for (const other of view.members) if (other !== node) this.#tellLoss(other, node);
	}

	#tellLoss(to: NodeId, node: NodeId): void {
		const notice: LossNotice = { type: "participant-unreachable", node };
		const tell = async (): Promise<void> => {
			(this.#group.refs.get(to) ?? (await this.#desk.refOf(to))).tell(notice);
		};
		// Who is down as well comes back awake.
		tell().catch(() => undefined);
	}

	/** @internal This group is given up. */
	fail(error: QuorateError): void {
		if (this.#failure !== null) return;
		this.#failure = error;
		this.#reportFailure(error);
		this.end(error);
	}

	/** @internal Nobody is answered any more. */
	end(error: Error): void {
		this.#desk.endClients(error);
		this.#group.view.complete();
	}
}

/** How long a transfer is tried, if nothing else is said. */
const TRANSFER_MS = 5_000;
