/**
 * Who belongs to a swarm's group: what its user wants changed becomes requests to the group (`member-changes.ts`), and what the
 * group decides becomes participants that run (`group-members.ts`).
 */
import {
	errorFromObject,
	type Generator,
	type NodeId,
	nodeId,
	type QuorateError,
	requireInteger,
} from "../../protocols/core/index.ts";
import type { ActorRef } from "../../runtime/actor/index.ts";
import type { SupervisionEvent } from "../../supervisors/index.ts";
import { type PeersNotice, participantName } from "../participant/index.ts";
import type { GroupAccess } from "./client.ts";
import type { AddMemberOptions, ChangeOptions, Leadership } from "./contract.ts";
import * as errors from "./errors.ts";
import { GroupMembers, isStateLost, type Place, type ToldConfiguration } from "./group-members.ts";
import type { GroupView } from "./group-view.ts";
import { MemberChanges } from "./member-changes.ts";
import { membershipOf } from "./nodes.ts";
import type { CheckedGroup } from "./options.ts";
import { groupSupervisorName } from "./tree.ts";

/** How long a change of members or leader is tried, if nothing else is said. */
const CHANGE_TIMEOUT_MS_DEFAULT = 30_000;

/** What a swarm keeps of its group. */
export interface RunningGroup extends CheckedGroup {
	readonly view: GroupView;
	readonly generator: Generator;
	/** Members' refs, for clients; found by name when first needed. */
	readonly refs: Map<NodeId, ActorRef>;
	/** Numbers the clients. */
	clients: number;
}

/** What the swarm lends. */
export interface MembershipHost {
	access(): GroupAccess;
	refOf(node: NodeId): Promise<ActorRef>;
	/** A member may not take part any more under its name. */
	refused(node: NodeId, error: QuorateError): void;
	/** A participant could not be started or stopped. */
	failed(error: unknown): void;
}

/** See the methods of `Swarm` that are named alike. */
export class Membership {
	readonly #group: RunningGroup;
	readonly #host: MembershipHost;
	readonly #members: GroupMembers;
	/** The highest number in a member's name so far. */
	#lastNumber = 0;
	/** End what waits for something of the group, when the swarm ends. */
	readonly #interrupts = new Set<(error: Error) => void>();

	constructor(group: RunningGroup, host: MembershipHost) {
		this.#group = group;
		this.#host = host;
		this.#members = new GroupMembers(group, group.view, {
			stopped: (node) => group.refs.delete(node),
			refused: (node, error) => host.refused(node, error),
			failed: (error) => host.failed(error),
		});
	}

	/** Starts the first members. @throws QuorateError `child-start-failed` */
	begin(place: Place): Promise<void> {
		return this.#members.begin(place);
	}

	/** The swarm ends: nobody is started or stopped any more, and who waits hears why. */
	end(error: Error): void {
		this.#members.end();
		for (const interrupt of [...this.#interrupts]) interrupt(error);
	}

	/** An event of the system's stream. What participants tell of configurations decides who runs. */
	heard(event: { readonly type: string }): void {
		if (event.type === "child-restarted" || event.type === "child-start-failed") {
			this.#ofSupervisor(event as Extract<SupervisionEvent, { readonly child: string }>);
			return;
		}
		const { node, group } = event as { readonly node?: NodeId; readonly group?: string };
		if (node === undefined || group !== this.#group.group) return;
		if (event.type === "participant-started") this.#introduce(node);
		if (event.type !== "configuration-changed" && event.type !== "configuration-committed") return;
		this.#members.heard(node, event as ToldConfiguration);
	}

	#ofSupervisor(event: Extract<SupervisionEvent, { readonly child: string }>): void {
		const supervisor = groupSupervisorName(this.#group.group);
		if (event.type === "child-restarted" && event.child === supervisor) this.#members.restored();
		if (event.type !== "child-start-failed" || event.supervisor !== supervisor || !isStateLost(event.error)) return;
		const node = this.#group.view.members.find((member) => participantName(this.#group.group, member) === event.child);
		if (node !== undefined) this.#members.refuse(node, errorFromObject(event.error));
	}

	async add(name: string | undefined, options: AddMemberOptions): Promise<NodeId> {
		const { view } = this.#group;
		const node = nodeId(name ?? this.#nextName());
		if (view.has(node)) throw errors.memberExists({ node });
		await this.#change([node], options, async (changes, leftMs) => {
			await changes.change({ type: "add-learner", node }, leftMs());
			if (options.as !== "learner") await changes.change({ type: "promote", node }, leftMs());
		});
		return node;
	}

	async remove(node: NodeId, options: ChangeOptions): Promise<void> {
		// Its number stays used, also if it is the highest.
		this.#nextName();
		await this.#change([], options, (changes, leftMs) => changes.change({ type: "remove", node }, leftMs()));
	}

	async set(names: readonly string[], options: ChangeOptions): Promise<void> {
		const { nodes } = membershipOf(names);
		const joining = nodes.filter((node) => !this.#group.view.has(node));
		await this.#change(joining, options, async (changes, leftMs) => {
			for (const node of nodes) await changes.change({ type: "add-learner", node }, leftMs());
			await changes.change({ type: "set", voters: nodes }, leftMs());
		});
	}

	/** The new leadership; null if it is not known yet. */
	async transfer(to: NodeId | null, options: ChangeOptions): Promise<Leadership | null> {
		const { leader } = this.#group.view;
		if (leader !== null && leader.leader === to) return leader;
		return await this.#change([], options, (changes, leftMs) => changes.transfer(to, leftMs()));
	}

	/** `node-N` with the smallest number above all that were in use: who had it may not come back, or as somebody else. */
	#nextName(): string {
		const numbers = this.#group.view.members.map((member) => Number(/^node-(\d+)$/.exec(member)?.[1] ?? 0));
		this.#lastNumber = Math.max(this.#lastNumber, ...numbers);
		return `node-${this.#lastNumber + 1}`;
	}

	/**
	 * Tells a participant that has started of the others, and them of it. They need to hear each other even if the log of one of
	 * them does not say yet, or any more, that the other is a member.
	 */
	#introduce(newcomer: NodeId): void {
		if (!this.#members.isAttached) return;
		const { members } = this.#group.view;
		const tell = async (to: NodeId, nodes: readonly NodeId[]): Promise<void> => {
			const ref = await this.#host.refOf(to);
			ref.tell({ type: "participant-peers", nodes } satisfies PeersNotice);
		};
		for (const other of members) {
			// Who can not be told because it is down is told when it starts.
			if (other !== newcomer) tell(other, [newcomer]).catch(() => undefined);
		}
		// If it is down again, so too.
		tell(newcomer, members).catch(() => undefined);
	}

	/** Performs a change, with participants for those that join by it, until it is done or its time is over. */
	async #change<Result>(
		joining: readonly NodeId[],
		{ timeoutMs = CHANGE_TIMEOUT_MS_DEFAULT }: ChangeOptions,
		perform: (changes: MemberChanges, leftMs: () => number) => Promise<Result>,
	): Promise<Result> {
		requireInteger("timeoutMs", timeoutMs, 1, 2 ** 31 - 1);
		const access = this.#host.access();
		const deadlineMs = access.clock.nowMs() + timeoutMs;
		const leftMs = (): number => Math.max(1, deadlineMs - access.clock.nowMs());
		const work = async (): Promise<Result> => {
			try {
				for (const node of joining) await this.#members.hold(node);
				return await perform(new MemberChanges(access), leftMs);
			} finally {
				await this.#members.release(joining);
			}
		};
		return await this.#unlessEnded(work());
	}

	/** The same promise, but rejected when the swarm ends first: its clock may never settle it then. */
	#unlessEnded<T>(promise: Promise<T>): Promise<T> {
		return new Promise((resolve, reject) => {
			this.#interrupts.add(reject);
			promise.then(resolve, reject).finally(() => this.#interrupts.delete(reject));
		});
	}
}
