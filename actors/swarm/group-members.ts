/**
 * Runs a participant for each member of the group, and for nobody else. Who is a member is the group's own decision: the
 * configurations that participants tell of are followed. So after a restart of the process it is enough to start the first
 * members: they tell of the next configuration, whose members tell of the one after it.
 */
import { compareIds, type NodeId } from "../../protocols/core/index.ts";
import type { Address } from "../../runtime/actor/index.ts";
import type { SupervisorClient } from "../../supervisors/index.ts";
import { participantName } from "../participant/index.ts";
import { NODES_MAX } from "./contract.ts";
import * as errors from "./errors.ts";
import type { GroupView } from "./group-view.ts";
import type { CheckedGroup } from "./options.ts";
import { memberChild } from "./tree.ts";

/** A configuration as participants publish it. */
export interface ToldConfiguration {
	readonly type: "configuration-changed" | "configuration-committed";
	readonly index: number;
	readonly voters: readonly NodeId[];
	readonly outgoing: readonly NodeId[];
	readonly learners: readonly NodeId[];
}

/** Where participants are started. */
export interface Place {
	readonly supervisor: SupervisorClient;
	readonly storage: Address;
}

export interface GroupMembersHandlers {
	/** This participant runs no more. */
	stopped(node: NodeId): void;
	/** A participant could not be started or stopped. */
	failed(error: unknown): void;
}

export class GroupMembers {
	readonly #group: CheckedGroup;
	readonly #view: GroupView;
	readonly #handlers: GroupMembersHandlers;
	#place: Place | null = null;
	/** The latest that is committed, as far as heard. */
	#committed: { readonly index: number; readonly members: readonly NodeId[] };
	/** What each participant has in force, committed or not. */
	readonly #inForce = new Map<NodeId, { readonly index: number; readonly members: readonly NodeId[] }>();
	/** Those that run for a change which is under way, whether members yet or not. */
	readonly #wanted = new Set<NodeId>();
	/** Starts and stops, one after the other. */
	#work: Promise<void> = Promise.resolve();
	#ended = false;

	constructor(group: CheckedGroup, view: GroupView, handlers: GroupMembersHandlers) {
		this.#group = group;
		this.#view = view;
		this.#handlers = handlers;
		this.#committed = { index: 0, members: group.nodes };
	}

	/** The first members run; what was heard meanwhile is followed now. */
	attach(place: Place): void {
		this.#place = place;
		this.#follow();
	}

	/** The first members, who know each other, have been started. */
	get isAttached(): boolean {
		return this.#place !== null;
	}

	/** Nobody is started or stopped any more. */
	end(): void {
		this.#ended = true;
	}

	/** A participant has told of a configuration. */
	heard(node: NodeId, told: ToldConfiguration): void {
		const members = [...new Set([...told.voters, ...told.outgoing, ...told.learners])].sort(compareIds);
		const configuration = { index: told.index, members };
		if (told.type === "configuration-changed") this.#inForce.set(node, configuration);
		else if (told.index >= this.#committed.index) this.#committed = configuration;
		this.#follow();
	}

	/**
	 * Starts a participant that is to become a member, and keeps it until {@link release}.
	 * @throws QuorateError `node-count-invalid`, `child-start-failed`
	 */
	async hold(node: NodeId): Promise<void> {
		const count = this.#view.members.length;
		if (!this.#view.has(node) && count >= NODES_MAX) {
			const reason = "each member has a thread of its own";
			throw errors.nodeCountInvalid({ nodes: String(count + 1), limit: NODES_MAX, reason });
		}
		this.#wanted.add(node);
		try {
			await this.#enqueue(() => this.#start(node));
		} catch (error) {
			this.#wanted.delete(node);
			throw error;
		}
	}

	/** The change is over: the participant stays if it is a member now. Resolves when that is settled. */
	async release(nodes: readonly NodeId[]): Promise<void> {
		for (const node of nodes) this.#wanted.delete(node);
		this.#follow();
		await this.#work;
	}

	#follow(): void {
		if (this.#place === null || this.#ended) return;
		this.#enqueue(async () => {
			const needed = this.#needed();
			for (const node of needed) await this.#start(node);
			for (const node of this.#view.members) if (!needed.has(node)) await this.#stop(node);
		}).catch((error: unknown) => this.#handlers.failed(error));
	}

	/**
	 * The members of the committed configuration, of every later one that one of them has in force, and who is wanted. What
	 * a removed one has in force is older than what is committed.
	 */
	#needed(): ReadonlySet<NodeId> {
		const needed = new Set([...this.#committed.members, ...this.#wanted]);
		for (const { index, members } of this.#inForce.values()) {
			if (index > this.#committed.index) for (const member of members) needed.add(member);
		}
		return needed;
	}

	#enqueue(work: () => Promise<void>): Promise<void> {
		const done = this.#work.then(() => (this.#ended ? undefined : work()));
		// The next one is to be done all the same; who asked for this one hears of it.
		this.#work = done.catch(() => undefined);
		return done;
	}

	async #start(node: NodeId): Promise<void> {
		const place = this.#place;
		if (place === null || this.#view.has(node)) return;
		this.#view.add(node);
		try {
			await place.supervisor.startChild(memberChild(this.#group, node, this.#view.members, place.storage));
		} catch (error) {
			this.#view.remove(node);
			throw error;
		}
	}

	async #stop(node: NodeId): Promise<void> {
		const place = this.#place;
		if (place === null) return;
		const child = participantName(this.#group.group, node);
		await place.supervisor.terminateChild(child);
		await place.supervisor.deleteChild(child);
		this.#inForce.delete(node);
		this.#view.remove(node);
		this.#handlers.stopped(node);
	}
}
