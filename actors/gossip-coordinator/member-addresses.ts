/**
 * Which actor is which member. Names are looked up in the system's registry, since what a message says about its sender
 * proves nothing. While a name is being looked up a few messages to it, and from an address that nobody is known at, are
 * held; more are lost, as on any network.
 */
import type { NodeId } from "../../protocols/core/index.ts";
import type { ActorContext, ActorRef, Address } from "../../runtime/actor/index.ts";
import { memberName } from "./member-messages.ts";

/** A name that was not found is not looked up again for so long: the dead are gossiped to several times a second. */
const LOOKUP_AGAIN_MS = 500;
/** Messages that are held for one member, and from one address; and so many of both at once. */
const HELD_MAX = 16;
const HELD_FOR_MAX = 1_024;
/** Members that are known at once. */
const KNOWN_MAX = 16_384;

export class MemberAddresses {
	readonly #context: ActorContext;
	readonly #group: string;
	readonly #protocol: string;
	readonly #refs = new Map<NodeId, ActorRef>();
	readonly #nodes = new Map<string, NodeId>();
	/** When a name may be looked up again; `Infinity` while that is under way. */
	readonly #notBeforeMs = new Map<NodeId, number>();
	readonly #outbound = new Map<NodeId, (() => void)[]>();
	readonly #inbound = new Map<string, ((from: NodeId) => void)[]>();
	readonly #failed: (error: unknown) => void;

	/** @param failed told when the registry can not be asked */
	constructor(context: ActorContext, group: string, protocol: string, failed: (error: unknown) => void) {
		this.#context = context;
		this.#group = group;
		this.#protocol = protocol;
		this.#failed = failed;
	}

	/** Sends once the member is found, if that is soon; false if it is not even looked for. */
	whenFound(node: NodeId, send: () => void): boolean {
		if (this.#notBeforeMs.get(node) !== Number.POSITIVE_INFINITY) return false;
		return hold(this.#outbound, node, send);
	}

	/** Takes a message once it is known who speaks from its address; false if there is no room to wait. */
	whenKnown(address: Address, take: (from: NodeId) => void): boolean {
		return hold(this.#inbound, addressKey(address), take);
	}

	/** The ref of a member, or undefined, and then it is looked for. */
	ref(node: NodeId): ActorRef | undefined {
		const known = this.#refs.get(node);
		if (known === undefined) this.find(node);
		return known;
	}

	/** Which member speaks from this address; null if that is not known. */
	nodeAt(address: Address): NodeId | null {
		return this.#nodes.get(addressKey(address)) ?? null;
	}

	/** Its actor is gone; another may come under its name. */
	forget(node: NodeId): void {
		const ref = this.#refs.get(node);
		if (ref === undefined) return;
		this.#refs.delete(node);
		this.#nodes.delete(addressKey(ref.address));
	}

	/** Looks a member up, if that was not tried just now. */
	find(node: NodeId): void {
		const nowMs = this.#context.clock.nowMs();
		if (nowMs < (this.#notBeforeMs.get(node) ?? 0)) return;
		if (this.#notBeforeMs.size >= KNOWN_MAX) this.#notBeforeMs.clear();
		this.#notBeforeMs.set(node, Number.POSITIVE_INFINITY);
		this.#context.lookup(memberName(this.#group, node)).then(
			(ref) => {
				this.#notBeforeMs.set(node, this.#context.clock.nowMs() + LOOKUP_AGAIN_MS);
				if (ref === null) this.#outbound.delete(node);
				else this.#context.timers.run(`found/${node}`, 0, () => this.#found(node, ref));
			},
			(error: unknown) => this.#failed(error),
		);
	}

	#found(node: NodeId, ref: ActorRef): void {
		this.forget(node);
		if (this.#refs.size >= KNOWN_MAX) return;
		this.#refs.set(node, ref.speaking(this.#protocol));
		const key = addressKey(ref.address);
		this.#nodes.set(key, node);
		const [outbound, inbound] = [this.#outbound.get(node) ?? [], this.#inbound.get(key) ?? []];
		this.#outbound.delete(node);
		this.#inbound.delete(key);
		for (const send of outbound) send();
		for (const take of inbound) take(node);
	}
}

/** Keeps an action under a key; what is held for the oldest key is dropped when there are too many. */
function hold<K, T>(held: Map<K, T[]>, key: K, action: T): boolean {
	const there = held.get(key);
	if (there !== undefined) {
		if (there.length >= HELD_MAX) return false;
		there.push(action);
		return true;
	}
	if (held.size >= HELD_FOR_MAX) {
		for (const oldest of held.keys()) {
			held.delete(oldest);
			break;
		}
	}
	held.set(key, [action]);
	return true;
}

function addressKey({ slot, actor, incarnation }: Address): string {
	return `${slot}/${actor}/${incarnation}`;
}
