/**
 * Broadcast over a tree (Plumtree over HyParView) as a part of a member: what is too large for rumours goes to each member about once, and
 * what is lost with a member on the way is fetched from another. The failure detector beside it tells whom to meet and who is gone.
 *
 * Delivered is not decided: at most once in a life of a member, and to all with high probability.
 */
import { assertNever, type Effect, type Input, isNodeId, type NodeId } from "../../protocols/core/index.ts";
import {
	type Broadcast,
	BroadcastMachine,
	type BroadcastMessage,
	type BroadcastTypes,
	broadcastConfig,
	isBroadcastMessage,
	type SwimEvent,
} from "../../protocols/gossip/index.ts";
import type { ActorContext } from "../../runtime/actor/index.ts";

/** Name and payload of a message together, in bytes. */
export const BROADCAST_BYTES_MAX = 262_144;
/** Messages that a member keeps for those who ask: at most 16 MiB. */
const KEPT_MAX = 64;
/**
 * So often a member takes up a link to one that is drawn from all, which joins what has come apart; in ms, half as much more or less.
 */
const MEET_MS = 30_000;
/** Messages of one life: their time is the life's number, then theirs. */
const SERIALS_MAX = 2 ** 32;

/** The tree as one member sees it; counts are since its start. */
export interface TreeReport {
	/** Links, and those of them that messages are pushed on. */
	readonly neighbours: readonly NodeId[];
	readonly eager: readonly NodeId[];
	/** Messages that were sent with their payload, and those that came again. */
	readonly payloadsSent: number;
	readonly duplicates: number;
}

export interface MemberBroadcastPorts {
	readonly context: Pick<ActorContext, "clock" | "generator" | "timers">;
	readonly node: NodeId;
	/** A number that no former life of the member has had, and above them. */
	readonly life: number;
	/** The others that are believed to be there. */
	readonly peers: () => readonly NodeId[];
	readonly send: (to: NodeId, message: BroadcastMessage) => void;
	readonly publish: (event: SwimEvent) => void;
}

export class MemberBroadcast {
	readonly #ports: MemberBroadcastPorts;
	readonly #dice: ActorContext["generator"];
	readonly #machine: BroadcastMachine;
	#payloadsSent = 0;
	#duplicates = 0;

	constructor(ports: MemberBroadcastPorts) {
		this.#ports = ports;
		this.#dice = ports.context.generator.fork("broadcast");
		const config = broadcastConfig({ nodeId: ports.node, messagesMax: KEPT_MAX });
		this.#machine = new BroadcastMachine(config, this.#dice, ports.life);
	}

	start(): void {
		this.#step({ type: "start", durable: null });
		this.#meetLater();
	}

	get report(): TreeReport {
		const { active: neighbours, eager } = this.#machine;
		return { neighbours, eager, payloadsSent: this.#payloadsSent, duplicates: this.#duplicates };
	}

	/** The group was joined through this member. */
	meet(contact: NodeId): void {
		this.#step({ type: "request", requestId: 0, request: { type: "join", contact } });
	}

	/** Somebody is gone, as the failure detector has it or a message to it was refused. */
	lost(peer: NodeId): void {
		this.#step({ type: "peer-unreachable", peer });
	}

	receive(from: NodeId, message: BroadcastMessage): void {
		if (isBroadcastMessage(message as never)) this.#step({ type: "message", from, message });
	}

	/** @param name printable ASCII, 1 to 128 characters; the caller has checked it */
	broadcast(name: string, payload: Uint8Array): { readonly lamport: number } {
		const framed = new Uint8Array(1 + name.length + payload.length);
		framed[0] = name.length;
		for (let i = 0; i < name.length; i++) framed[1 + i] = name.charCodeAt(i);
		framed.set(payload, 1 + name.length);
		let lamport = 0;
		this.#step({ type: "request", requestId: 0, request: { type: "broadcast", payload: framed } }, (id) => {
			lamport = timeOf(id)?.lamport ?? 0;
		});
		return { lamport };
	}

	#meetLater(): void {
		const { context, peers } = this.#ports;
		context.timers.run("broadcast/meet", this.#dice.between(MEET_MS / 2, (3 * MEET_MS) / 2), () => {
			const { active } = this.#machine;
			const others = peers().filter((node) => !active.includes(node));
			const contact = others.length === 0 ? undefined : others[this.#dice.below(others.length)];
			if (contact !== undefined) this.meet(contact);
			this.#meetLater();
		});
	}

	#step(input: Input<BroadcastTypes>, named: (id: string) => void = () => undefined): void {
		const effects: Effect<BroadcastTypes>[] = [];
		this.#machine.step(input, this.#ports.context.clock.nowMs(), effects);
		for (const effect of effects) this.#perform(effect, named);
	}

	#perform(effect: Effect<BroadcastTypes>, named: (id: string) => void): void {
		switch (effect.type) {
			case "send":
				if (effect.message.type === "tree-gossip") this.#payloadsSent++;
				this.#ports.send(effect.to, effect.message);
				return;
			case "set-timer": {
				const { min, max } = effect.afterMs;
				const { timer } = effect;
				const delayMs = this.#dice.between(min, max);
				this.#ports.context.timers.run(timerKey(timer), delayMs, () => this.#step({ type: "timer", timer }));
				return;
			}
			case "cancel-timer":
				this.#ports.context.timers.cancel(timerKey(effect.timer));
				return;
			case "apply":
				this.#deliver(effect.delivery.broadcast);
				return;
			case "emit":
				if (effect.event.type === "duplicate") this.#duplicates++;
				return;
			case "reply":
				if (effect.reply.type === "broadcasting") named(effect.reply.id);
				return;
			case "persist":
			case "read":
				return;
			default:
				assertNever(effect, "effect");
		}
	}

	/** Told as what rumours bring is told. */
	#deliver({ id, payload: framed }: Broadcast): void {
		const time = timeOf(id);
		const nameEnd = 1 + (framed[0] ?? 0);
		if (time === null || framed.length < nameEnd || framed.length > BROADCAST_BYTES_MAX + 1) return;
		const name = String.fromCharCode(...framed.subarray(1, nameEnd));
		this.#ports.publish({ type: "user-event", name, ...time, payload: framed.slice(nameEnd) });
	}
}

/** Whose message it is, and when among those of its origin; null for what is no id. */
function timeOf(id: string): { readonly origin: NodeId; readonly lamport: number } | null {
	const [origin, life, serial, ...rest] = id.split("/");
	const lamport = Number(life) * SERIALS_MAX + Number(serial);
	return isNodeId(origin) && Number.isSafeInteger(lamport) && rest.length === 0 ? { origin, lamport } : null;
}

function timerKey(timer: BroadcastTypes["timer"]): string {
	return `broadcast/${timer}`;
}
