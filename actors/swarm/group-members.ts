/**
 * Runs a participant for each member of the group, and for nobody else. Who is a member is the group's own decision: the
 * configurations that participants tell of are followed. So after a restart of the process it is enough to start the first
 * members: they tell of the next configuration, whose members tell of the one after it.
 */
import { compareIds, type NodeId, QuorateError } from "../../protocols/core/index.ts";
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
	/** A member was ended for good under its name. */
	refused(node: NodeId, error: QuorateError): void;
	/** A participant could not be started or stopped. */
	failed(error: unknown): void;
}

/** After its supervisor has failed a member is tried to start so often. */
const STARTS_MAX = 5;

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
	/** Those that may not run under their name, until they are members no more. */
	readonly #refused = new Set<NodeId>();
	/** Starts and stops, one after the other. */
	#work: Promise<void> = Promise.resolve();
	#ended = false;

	constructor(group: CheckedGroup, view: GroupView, handlers: GroupMembersHandlers) {
		this.#group = group;
		this.#view = view;
		this.#handlers = handlers;
		this.#committed = { index: 0, members: group.nodes };
	}

	/** Starts the first members, and follows what was heard meanwhile. @throws QuorateError `child-start-failed` */
	async begin(place: Place): Promise<void> {
		for (const node of this.#group.nodes) await this.#startChild(place, node, this.#group.nodes);
		this.#place = place;
		this.#follow();
	}

	/** The members' supervisor has failed and is back, without children: whoever is a member starts again. */
	restored(): void {
		const place = this.#place;
		if (place === null) return;
		this.#enqueue(async () => {
			for (const node of this.#view.members) {
				if (!this.#refused.has(node)) await this.#startAgain(place, node);
			}
		}).catch((error: unknown) => this.#handlers.failed(error));
	}

	/** The others are to run, whatever is wrong with this one. */
	async #startAgain(place: Place, node: NodeId): Promise<void> {
		for (let attempts = 1; !this.#ended; attempts++) {
			try {
				await this.#startChild(place, node, this.#view.members);
				return;
			} catch (error) {
				if (isStateLost(error)) this.refuse(node, error);
				// Its thread may have died while it started.
				else if (attempts < STARTS_MAX) continue;
				else this.#handlers.failed(error);
				return;
			}
		}
	}

	/**
	 * A participant could not start since what it durably held is gone. It may have promised its vote, or entries, to the others,
	 * so it never takes part under its name any more (design: "never rejoins under its old id"). It counts as a member that is
	 * down until it is removed.
	 */
	refuse(node: NodeId, cause: unknown): void {
		const place = this.#place;
		if (place === null || this.#refused.has(node) || !this.#view.has(node)) return;
		this.#refused.add(node);
		this.#view.refused(node);
		this.#handlers.refused(node, errors.memberStateLost({ node }, { cause }));
		this.#enqueue(() => this.#end(place, node)).catch((error: unknown) => this.#handlers.failed(error));
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
			await this.#startChild(place, node, this.#view.members);
		} catch (error) {
			this.#view.remove(node);
			throw isStateLost(error) ? errors.memberStateLost({ node }, { cause: error }) : error;
		}
	}

	/** A member that could not be started is no child of the supervisor's. */
	async #end({ supervisor }: Place, node: NodeId): Promise<void> {
		const child = participantName(this.#group.group, node);
		try {
			await supervisor.terminateChild(child);
			await supervisor.deleteChild(child);
		} catch (error) {
			if (!(error instanceof QuorateError && error.code === "child-not-found")) throw error;
		}
	}

	async #startChild({ supervisor, storage }: Place, node: NodeId, members: readonly NodeId[]): Promise<void> {
		await supervisor.startChild(memberChild(this.#group, node, members, storage));
	}

	async #stop(node: NodeId): Promise<void> {
		const place = this.#place;
		if (place === null) return;
		await this.#end(place, node);
		this.#inForce.delete(node);
		this.#refused.delete(node);
		this.#view.remove(node);
		this.#handlers.stopped(node);
	}
}

/**
 * Whether a start failed because the member's store has lost what it held, or can not read what nobody else has (term and vote);
 * however deep in the causes that stands.
 */
export function isStateLost(error: unknown): boolean {
	const { code, cause } = error as { readonly code?: unknown; readonly cause?: unknown };
	return code === "store-lost" || code === "store-corrupt" || (cause instanceof Object && isStateLost(cause));
}
