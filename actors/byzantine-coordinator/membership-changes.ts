/**
 * Changes of who the members are, one after the other: who comes is started, the change is ordered, and who goes is ended when it is in
 * force. Who runs is written down before, so that a process that ends in between is followed by one that starts all whom it may need; the
 * members themselves know whether the change was ordered, and tell it.
 */
import { must, type NodeId, QuorateError } from "../../protocols/core/index.ts";
import { type MembershipOperation, tooFewMembers } from "../../protocols/pbft/index.ts";
import type { Address } from "../../runtime/actor/index.ts";
import type { SupervisorClient } from "../../supervisors/index.ts";
import { participantName } from "../participant/index.ts";
import type { ByzantineClient } from "./byzantine-client.ts";
import { memberChild } from "./byzantine-tree.ts";
import * as errors from "./errors.ts";
import type { GroupMembership } from "./group-membership.ts";
import type { Identities } from "./identities.ts";
import type { CheckedByzantineGroup } from "./options.ts";

/** Where members run. */
export interface MembersPlace {
	readonly supervisor: SupervisorClient;
	readonly storage: Address;
}

/** What a change needs of its group. */
export interface ChangingGroup {
	readonly options: CheckedByzantineGroup;
	readonly identities: Identities;
	readonly membership: GroupMembership;
	/** Who orders changes. */
	readonly administrator: () => ByzantineClient;
	/** Of a node that is ended, nothing is asked any more. */
	readonly forget: (node: NodeId) => void;
	/** Told of all that run, before one more does and after one does no more. */
	readonly runs: (nodes: readonly NodeId[]) => void;
	/** Rejects when there is nothing to wait for any more. */
	readonly over: Promise<never>;
}

export class MembershipChanges {
	readonly #group: ChangingGroup;
	readonly #running: Set<NodeId>;
	#place: MembersPlace | null = null;
	#last: Promise<unknown> = Promise.resolve();
	#isChanging = false;

	/** @param running the nodes with which the group starts */
	constructor(group: ChangingGroup, running: readonly NodeId[]) {
		this.#group = group;
		this.#running = new Set(running);
		// It is waited for during changes alone.
		group.over.catch(() => undefined);
	}

	/** The nodes that have a thread here. */
	get running(): readonly NodeId[] {
		return [...this.#running];
	}

	/** The members have been started. */
	begin(place: MembersPlace): void {
		this.#place = place;
	}

	/** @throws QuorateError `pbft-too-few-members`, `membership-change-refused`; as `ByzantineClient.propose` */
	change(operation: MembershipOperation): Promise<void> {
		return this.#next(() => this.#changeNow(operation));
	}

	/** Others than expected are the members: a change of an earlier process is in force. */
	settle(): void {
		if (this.#isChanging || this.#place === null) return;
		// A node that can not be started is told of by its supervisor, and is one of the f.
		this.#next(() => this.#startAndEnd()).catch(() => undefined);
	}

	#next(perform: () => Promise<void>): Promise<void> {
		const done = this.#last.then(async () => {
			this.#isChanging = true;
			try {
				await perform();
			} finally {
				this.#isChanging = false;
			}
		});
		// Its failure is its caller's; the next change is tried all the same.
		this.#last = done.catch(() => undefined);
		return done;
	}

	async #changeNow(operation: MembershipOperation): Promise<void> {
		const { membership, administrator, over } = this.#group;
		const coming =
			operation.type === "add" ? operation.member : "replacement" in operation ? operation.replacement : null;
		if (coming !== null) await this.#start(coming);
		const outcome = await administrator().configure(operation);
		if (outcome.type === "refused") {
			if (coming !== null) await this.#end(coming);
			const { type: _type, reason, ...details } = outcome;
			throw outcome.reason === "too-few-members"
				? tooFewMembers({ members: outcome.members, faults: outcome.faults, needed: outcome.needed })
				: errors.membershipRefused({ reason, details });
		}
		const { done, stop } = membership.entered(outcome.epoch);
		try {
			await Promise.race([done, over]);
		} finally {
			stop();
		}
		await this.#startAndEnd();
	}

	/** The members run, and nobody else does. */
	async #startAndEnd(): Promise<void> {
		const { members } = this.#group.membership.configuration;
		for (const node of members) await this.#start(node);
		for (const node of this.running) if (!members.includes(node)) await this.#end(node);
	}

	async #start(node: NodeId): Promise<void> {
		if (this.#running.has(node)) return;
		const { supervisor, storage } = must(this.#place ?? undefined, "the group has started");
		const { options, identities, runs } = this.#group;
		this.#running.add(node);
		runs(this.running);
		await supervisor.startChild(memberChild(options, node, identities, storage));
	}

	async #end(node: NodeId): Promise<void> {
		const { supervisor } = must(this.#place ?? undefined, "the group has started");
		this.#group.forget(node);
		try {
			// Its supervisor is forgotten with it.
			await supervisor.terminateChild(participantName(this.#group.options.group, node));
		} catch (error) {
			// One that was given up is gone already.
			if (!(error instanceof QuorateError) || error.code !== "child-not-found") throw error;
		}
		this.#running.delete(node);
		this.#group.runs(this.running);
	}
}
