/**
 * What members send each other in a simulation, told as events for timelines: what will not arrive as `lost`, what has
 * come in as `delivered`, with the time at which it was sent.
 */
import type { NodeId } from "../../protocols/core/index.ts";
import type { Address, EnvelopeHead, FaultyNetwork, NetworkDelivery, NetworkPolicy } from "../../runtime/index.ts";
import type { TargetEvent } from "../../supervisors/index.ts";

/** Messages under way on one link that are remembered; older ones are taken for lost with their receiver. */
const UNDER_WAY_MAX = 256;

interface UnderWay {
	readonly type: string;
	readonly sentAtMs: number;
	/** Infinite while a clog holds it back. */
	readonly arrivesAtMs: number;
}

/** Who is told of messages. */
export interface MessageListener<Message> {
	tell(event: TargetEvent): void;
	/** A message leaves its sender. */
	left(from: NodeId, to: NodeId, message: Message): void;
}

export class MessageLog<Message extends { readonly type: string }> implements NetworkPolicy {
	readonly #network: FaultyNetwork;
	readonly #nodeOf: (address: Address) => NodeId | null;
	readonly #nowMs: () => number;
	readonly #listener: MessageListener<Message>;
	/** By receiver, then sender. */
	readonly #links = new Map<string, Map<string, UnderWay[]>>();

	/** @param nowMs the target's clock */
	constructor(
		network: FaultyNetwork,
		nodeOf: (address: Address) => NodeId | null,
		nowMs: () => number,
		listener: MessageListener<Message>,
	) {
		this.#network = network;
		this.#nodeOf = nodeOf;
		this.#nowMs = nowMs;
		this.#listener = listener;
	}

	deliveries(
		head: EnvelopeHead,
		payload: unknown,
		nowMs: number,
		sizeBytes: number,
	): readonly NetworkDelivery[] | null {
		const copies = this.#network.deliveries(head, payload, nowMs, sizeBytes);
		if (copies === null || head.sender === null) return copies;
		const from = this.#nodeOf(head.sender);
		const to = this.#nodeOf(head.target);
		if (from === null || to === null) return copies;
		const { type } = payload as Message;
		this.#listener.left(from, to, payload as Message);
		const sentAtMs = this.#nowMs();
		if (copies.length === 0) {
			const values = { to, message: type };
			this.#listener.tell({ atMs: sentAtMs, origin: from, type: "lost", text: `${type} to ${to} is lost`, values });
		}
		const underWay = this.#underWay(from, to);
		for (const { afterMs, gate, corruption } of copies) {
			// Its receiver refuses it.
			if (corruption?.isChecked === true) continue;
			const arrivesAtMs = gate === undefined ? sentAtMs + afterMs : Number.POSITIVE_INFINITY;
			underWay.push({ type, sentAtMs, arrivesAtMs });
		}
		if (underWay.length > UNDER_WAY_MAX) underWay.splice(0, underWay.length - UNDER_WAY_MAX);
		return copies;
	}

	/** A message has come in at its receiver's machine. */
	heard(to: string, from: string, type: string): void {
		const atMs = this.#nowMs();
		const sentAtMs = this.#take(this.#underWay(from, to), type, atMs) ?? atMs;
		const values = { from, sentAtMs, message: type };
		this.#listener.tell({ atMs, origin: to, type: "delivered", text: `${type} from ${from}`, values });
	}

	/** When the message was sent that arrived first of those of its type; null if none is known. */
	#take(underWay: UnderWay[], type: string, atMs: number): number | null {
		let first = -1;
		for (let place = 0; place < underWay.length; place++) {
			const message = underWay[place] as UnderWay;
			if (message.type !== type) continue;
			if (first < 0 || message.arrivesAtMs < (underWay[first] as UnderWay).arrivesAtMs) first = place;
			// In order of sending: of those that have arrived the first is good enough.
			if (message.arrivesAtMs <= atMs) break;
		}
		if (first === 0) return underWay.shift()?.sentAtMs ?? null;
		return first < 0 ? null : (underWay.splice(first, 1)[0]?.sentAtMs ?? null);
	}

	#underWay(from: string, to: string): UnderWay[] {
		let links = this.#links.get(to);
		if (links === undefined) {
			links = new Map();
			this.#links.set(to, links);
		}
		let known = links.get(from);
		if (known === undefined) {
			known = [];
			links.set(from, known);
		}
		return known;
	}
}
