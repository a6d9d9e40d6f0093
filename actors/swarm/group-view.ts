/** What the process knows of a group from what its members and their threads tell: who runs, who leads. */
import { BehaviorSubject, type Observable } from "rxjs";
import { compareIds, type GroupId, type NodeId } from "../../protocols/core/index.ts";
import type { RaftStatus } from "../../protocols/raft/index.ts";
import type { Leadership, NodeStatus } from "./contract.ts";

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** The figures that a member tells when it is asked. */
export type ReportedStatus = Omit<NodeStatus, "node" | "state" | "threadLives" | "restarts">;

/** One group's members as last heard of. Later terms win; a leader whose thread has ended leads no more. */
export class GroupView {
	readonly group: GroupId;
	readonly #nodes = new Map<NodeId, Mutable<NodeStatus>>();
	readonly #leader$ = new BehaviorSubject<Leadership | null>(null);

	constructor(group: GroupId, nodes: readonly NodeId[]) {
		this.group = group;
		for (const node of nodes) this.#nodes.set(node, unknownStatus(node));
	}

	get leader(): Leadership | null {
		return this.#leader$.value;
	}

	/** The present leadership and every change. */
	get leader$(): Observable<Leadership | null> {
		return this.#leader$.asObservable();
	}

	/** In code-unit order. */
	get nodes(): readonly NodeStatus[] {
		return this.members.map((node) => ({ ...(this.#nodes.get(node) as NodeStatus) }));
	}

	/** Those that have a participant here, in code-unit order. */
	get members(): readonly NodeId[] {
		return [...this.#nodes.keys()].sort(compareIds);
	}

	/** There is to be a participant of this name. */
	add(node: NodeId): void {
		if (!this.#nodes.has(node)) this.#nodes.set(node, unknownStatus(node));
	}

	/** There is no participant of this name any more. */
	remove(node: NodeId): void {
		this.down(node);
		this.#nodes.delete(node);
	}

	has(node: string): node is NodeId {
		return this.#nodes.has(node as NodeId);
	}

	/** The member has changed its role or heard of a leader. */
	roleChanged(node: NodeId, role: NodeStatus["role"], term: number, leader: NodeId | null): void {
		const status = this.#nodes.get(node);
		if (status === undefined) return;
		Object.assign(status, { role, term, leader });
		const { value: known } = this.#leader$;
		if (role === "leader") {
			if (known === null || term >= known.term) this.#lead({ leader: node, term });
		} else if (known?.leader === node && term >= known.term) {
			this.#lead(null);
		}
	}

	/** The member's actor runs (again). */
	started(node: NodeId, restarts: number): void {
		const status = this.#nodes.get(node);
		if (status === undefined) return;
		Object.assign(status, { state: "running", role: "follower", leader: null, restarts });
	}

	threadStarted(node: NodeId, lives: number): void {
		const status = this.#nodes.get(node);
		if (status !== undefined) status.threadLives = lives;
	}

	/** The member's actor or its thread has ended. */
	down(node: NodeId): void {
		const status = this.#nodes.get(node);
		if (status === undefined) return;
		const state = status.state === "refused" ? "refused" : "down";
		Object.assign(status, { state, role: "follower", leader: null });
		if (this.leader?.leader === node) this.#lead(null);
	}

	/** The member may not run any more under its name. */
	refused(node: NodeId): void {
		this.down(node);
		const status = this.#nodes.get(node);
		if (status !== undefined) status.state = "refused";
	}

	/** The member has told its figures. */
	reported(node: NodeId, figures: ReportedStatus, threadLives: number): void {
		const status = this.#nodes.get(node);
		if (status !== undefined) Object.assign(status, { state: "running", threadLives }, figures);
	}

	/** The member did not answer. */
	unreported(node: NodeId, threadLives: number): void {
		const status = this.#nodes.get(node);
		if (status === undefined) return;
		Object.assign(status, { state: status.state === "refused" ? "refused" : "down", threadLives });
	}

	complete(): void {
		this.#leader$.complete();
	}

	#lead(leadership: Leadership | null): void {
		const { value: known } = this.#leader$;
		if (known?.leader === leadership?.leader && known?.term === leadership?.term) return;
		this.#leader$.next(leadership);
	}
}

function unknownStatus(node: NodeId): Mutable<NodeStatus> {
	return {
		node,
		state: "down",
		role: "follower",
		term: 0,
		leader: null,
		commitIndex: 0,
		appliedIndex: 0,
		firstIndex: 1,
		lastIndex: 0,
		snapshotIndex: 0,
		isWithoutState: false,
		threadLives: 0,
		restarts: 0,
	};
}

/** What a Raft participant tells of itself. */
export type RaftStatusAnswer = RaftStatus & { readonly appliedIndex: number };

export function figuresOf(status: RaftStatusAnswer): ReportedStatus {
	const { role, term, leader, commitIndex, appliedIndex, baseIndex, lastIndex, snapshotIndex, isWithoutState } = status;
	const firstIndex = baseIndex + 1;
	return { role, term, leader, commitIndex, appliedIndex, firstIndex, lastIndex, snapshotIndex, isWithoutState };
}
