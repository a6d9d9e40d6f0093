/**
 * SWIM as an actor: timers, messages and answers of one member. Many share a thread. There is no disk: the machine's one
 * write, its incarnation, is not kept, so a member that is started again begins with a stale one and learns better from
 * whoever holds its former life dead, which is what the protocol does anyhow.
 */
import {
	assertNever,
	type Effect,
	type Generator,
	type Input,
	isNodeId,
	must,
	type NodeId,
	nodeId,
} from "../../protocols/core/index.ts";
import {
	messageBytes,
	SwimMachine,
	type SwimMessage,
	type SwimTimer,
	type SwimTypes,
	swimConfig,
	swimLayouts,
} from "../../protocols/gossip/index.ts";
import type { ActorContext, Behaviour, Replier } from "../../runtime/actor/index.ts";
import { MemberAddresses } from "./member-addresses.ts";
import type { GossipMemberArgs, MemberMessage, MemberReport, PublishedGossipEvent } from "./member-messages.ts";

/** Where this module is, for a behaviour source. */
export const gossipMemberModule: string = import.meta.url;

/** Requests that may wait for an answer. */
const REQUESTS_WAITING_MAX = 4_096;

const swimTypes: ReadonlySet<string> = new Set(swimLayouts.messages.map(({ type }) => type));

interface Life {
	readonly context: ActorContext;
	readonly machine: SwimMachine;
	readonly addresses: MemberAddresses;
	readonly dice: Generator;
}

export class GossipMember implements Behaviour {
	readonly #args: GossipMemberArgs;
	readonly #node: NodeId;
	readonly #repliers = new Map<number, Replier>();
	#nextRequestId = 1;
	#life: Life | undefined;
	readonly #traffic = { sent: 0, sentBytes: 0, received: 0, lost: 0, undeliverable: 0 };

	constructor(args: GossipMemberArgs) {
		this.#args = args;
		this.#node = nodeId(args.node);
	}

	started(context: ActorContext): void {
		const { group, profile, tuning } = this.#args;
		const machine = new SwimMachine(swimConfig({ ...tuning, nodeId: this.#node }, profile), {
			choices: context.generator.fork("choices"),
		});
		const addresses = new MemberAddresses(context, group, swimLayouts.protocol, (error) => {
			// In the actor's turn, so that its supervisor hears of it.
			context.timers.run("registry-failed", 0, () => {
				throw error;
			});
		});
		this.#life = { context, machine, addresses, dice: context.generator.fork("network") };
		this.#step({ type: "start", durable: { incarnation: 0 } });
	}

	receive(message: unknown, context: ActorContext): void {
		const type = (message as { readonly type?: unknown } | null)?.type;
		if (typeof type !== "string") return;
		if (swimTypes.has(type)) this.#receivePacket(message as SwimMessage, context);
		else this.#receiveOwn(message as MemberMessage, context);
	}

	#receivePacket(message: SwimMessage, { sender }: ActorContext): void {
		if (sender === null) return;
		const { addresses } = this.#running;
		const from = addresses.nodeAt(sender.address);
		if (from !== null) {
			this.#take(from, message);
			return;
		}
		addresses.whenKnown(sender.address, (node) => this.#take(node, message));
		sender.tell({ type: "gossip-who" } satisfies MemberMessage);
	}

	#take(from: NodeId, message: SwimMessage): void {
		const { dice } = this.#running;
		if (dice.chance(this.#args.lossChance)) {
			this.#traffic.lost++;
			return;
		}
		this.#traffic.received++;
		this.#step({ type: "message", from, message });
	}

	#receiveOwn(message: MemberMessage, context: ActorContext): void {
		switch (message.type) {
			case "gossip-request":
				this.#request(message.request, context.replier());
				return;
			case "gossip-status":
				context.reply(this.#report());
				return;
			case "gossip-who":
				context.sender?.tell({ type: "gossip-hello", node: this.#node } satisfies MemberMessage);
				return;
			case "gossip-hello":
				if (isNodeId(message.node)) this.#running.addresses.find(message.node);
				return;
			default:
				// A message of nobody: it has a type that nothing here knows.
				return;
		}
	}

	#request(request: SwimTypes["request"], replier: Replier | null): void {
		const requestId = this.#nextRequestId++;
		if (replier !== null && this.#repliers.size < REQUESTS_WAITING_MAX) this.#repliers.set(requestId, replier);
		this.#step({ type: "request", requestId, request });
	}

	#step(input: Input<SwimTypes>): void {
		const { machine, context } = this.#running;
		const effects: Effect<SwimTypes>[] = [];
		const nowMs = context.clock.nowMs();
		machine.step(input, nowMs, effects);
		machine.step({ type: "batch-ended" }, nowMs, effects);
		for (const effect of effects) this.#perform(effect);
	}

	#perform(effect: Effect<SwimTypes>): void {
		const { context, dice } = this.#running;
		switch (effect.type) {
			case "send":
				this.#send(effect.to, effect.message);
				return;
			case "set-timer": {
				const { min, max } = effect.afterMs;
				const delayMs = dice.between(Math.ceil(min), Math.max(Math.ceil(min), Math.floor(max)));
				const { timer } = effect;
				context.timers.run(timerKey(timer), delayMs, () => this.#step({ type: "timer", timer }));
				return;
			}
			case "cancel-timer":
				context.timers.cancel(timerKey(effect.timer));
				return;
			case "reply": {
				const replier = this.#repliers.get(effect.requestId);
				this.#repliers.delete(effect.requestId);
				replier?.reply(effect.reply);
				return;
			}
			case "emit": {
				const { group, node } = this.#args;
				const published: PublishedGossipEvent = { type: "gossip-event", group, node, event: effect.event };
				context.publish(published);
				return;
			}
			case "persist":
				// See the head of this file.
				return;
			case "read":
			case "apply":
				return;
			default:
				assertNever(effect, "effect");
		}
	}

	#send(to: NodeId, message: SwimMessage): void {
		const { addresses } = this.#running;
		const ref = addresses.ref(to);
		if (ref === undefined && addresses.whenFound(to, () => this.#send(to, message))) return;
		const verdict = ref?.tell(message) ?? "dead";
		if (verdict === "ok") {
			this.#traffic.sent++;
			this.#traffic.sentBytes += messageBytes(message);
			return;
		}
		this.#traffic.undeliverable++;
		if (verdict === "dead") addresses.forget(to);
	}

	#report(): MemberReport {
		const { incarnation, health, present, members } = this.#running.machine.status;
		return { node: this.#node, incarnation, health, present, members: members(), traffic: { ...this.#traffic } };
	}

	get #running(): Life {
		return must(this.#life, "a behaviour is started before it is used");
	}
}

function timerKey(timer: SwimTimer): string {
	return `swim/${timer}`;
}
