/** Who the other members are: node ids and the refs behind them. */

import type { NodeId } from "../../protocols/core/index.ts";
import type { ActorContext, ActorRef, Address } from "../../runtime/actor/index.ts";

/** While a member is not found, its name is looked up this often. */
const LOOKUP_AGAIN_MS = 20;

/** The name of a member's actor. */
export function participantName(group: string, node: string): string {
	return `${group}/${node}`;
}

/** What the owner of {@link Peers} hears. */
export interface PeerHandlers {
	/** A member that was lost is there again. */
	back(peer: NodeId): void;
	/** The registry can not be asked any more. */
	failed(error: unknown): void;
}

/**
 * The members of a group, found by their names in the system's registry. A member that is not there yet is looked up
 * again and again; until it is found, what is sent to it is lost, as on any network.
 *
 * Who is a member changes. A new one is looked up as soon as it is named; one that is named no more is forgotten only when
 * its actor is gone, because it may still have to be heard: a member may not have learned yet of a configuration in which
 * another one votes, or votes no more (Raft thesis §4.2.2).
 */
export class Peers {
	readonly #context: ActorContext;
	readonly #group: string;
	readonly #protocol: string | null;
	readonly #refs = new Map<NodeId, ActorRef>();
	readonly #nodes = new Map<number, { readonly node: NodeId; readonly incarnation: number }>();
	readonly #missing = new Set<NodeId>();
	/** Those that are looked for again when they are lost. */
	#members: ReadonlySet<NodeId>;
	/** Members that had been found and were lost. */
	readonly #lost = new Set<NodeId>();
	readonly #handlers: PeerHandlers;
	#lookingUp = false;

	/**
	 * @param protocol names the layouts in which members speak; null: in none, so that anything can be said
	 * @param members the others, without this one
	 */
	constructor(
		context: ActorContext,
		group: string,
		protocol: string | null,
		members: readonly NodeId[],
		handlers: PeerHandlers,
	) {
		this.#handlers = handlers;
		this.#context = context;
		this.#group = group;
		this.#protocol = protocol;
		this.#members = new Set(members);
		for (const member of members) this.#missing.add(member);
	}

	/** From now on these, without this one, are the members. */
	follow(members: readonly NodeId[]): void {
		this.#members = new Set(members);
		this.know(members);
	}

	/** These are there, members or not: the group may need to hear them. */
	know(nodes: readonly NodeId[]): void {
		for (const node of nodes) {
			if (this.#refs.has(node) || this.#missing.has(node)) continue;
			this.#missing.add(node);
			// What was sent to it before it was found is lost, as with one that was there and is back.
			this.#lost.add(node);
		}
		this.find();
	}

	/** The ref of a member, once it has been found. */
	ref(node: NodeId): ActorRef | undefined {
		return this.#refs.get(node);
	}

	/** Which member has this address: the truth of `from` rests on this and on nothing that a message says. */
	nodeAt(address: Address): NodeId | undefined {
		const entry = this.#nodes.get(addressKey(address));
		return entry !== undefined && entry.incarnation === address.incarnation ? entry.node : undefined;
	}

	/** Looks for all members that are not known. */
	find(): void {
		if (this.#lookingUp || this.#missing.size === 0) return;
		this.#lookingUp = true;
		this.#lookUp().then(
			() => {
				this.#lookingUp = false;
				if (this.#missing.size > 0) this.#findLater();
			},
			(error: unknown) => this.#handlers.failed(error),
		);
	}

	async #lookUp(): Promise<void> {
		for (const node of [...this.#missing]) {
			const ref = await this.#context.lookup(participantName(this.#group, node));
			if (ref !== null) this.#found(node, ref);
			else if (!this.#members.has(node)) this.#forget(node);
		}
	}

	#findLater(): void {
		this.#context.timers.run("find-peers", LOOKUP_AGAIN_MS, () => this.find());
	}

	/** This member's actor is gone for good; another may come under its name. */
	lost(node: NodeId): void {
		const ref = this.#refs.get(node);
		if (ref === undefined) return;
		this.#refs.delete(node);
		this.#nodes.delete(addressKey(ref.address));
		if (!this.#members.has(node)) return;
		this.#missing.add(node);
		this.#lost.add(node);
		this.#findLater();
	}

	#forget(node: NodeId): void {
		this.#missing.delete(node);
		this.#lost.delete(node);
	}

	#found(node: NodeId, ref: ActorRef): void {
		this.#missing.delete(node);
		this.#refs.set(node, this.#protocol === null ? ref : ref.speaking(this.#protocol));
		this.#nodes.set(addressKey(ref.address), { node, incarnation: ref.address.incarnation });
		// Its end for good is told; a supervised restart is none and keeps the address.
		this.#context.watch(ref);
		if (this.#lost.delete(node)) this.#handlers.back(node);
	}
}

/** Slots are below 64 and actors below 2^31, so the key is an exact integer. */
function addressKey(address: Address): number {
	return address.slot * 2 ** 31 + address.actor;
}
