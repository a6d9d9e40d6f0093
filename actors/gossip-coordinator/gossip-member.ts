/**
 * SWIM as an actor: timers, messages, writes and answers of one member, and beside it what else members do together, each in a file of
 * its own: values, coordinates, aggregates, the broadcast tree. Many members share a thread. When its supervisor starts it again,
 * because it or its thread has failed, it comes back with an incarnation above its last one and rejoins through whom it knew.
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
	type AggregateKind,
	type AntiEntropyMessage,
	aggregationLayouts,
	antiEntropyLayouts,
	type BroadcastMessage,
	broadcastLayouts,
	broadcastMessageTypes,
	type MassMessage,
	type MemberStatus,
	messageBytes,
	type SwimEvent,
	SwimMachine,
	type SwimMessage,
	type SwimReply,
	type SwimTimer,
	type SwimTypes,
	swimConfig,
	swimLayouts,
} from "../../protocols/gossip/index.ts";
import type { ActorContext, ActorRef, Behaviour, Replier } from "../../runtime/actor/index.ts";
import { MemberAddresses } from "./member-addresses.ts";
import { type AggregateOptions, MemberAggregates } from "./member-aggregates.ts";
import { MemberBroadcast } from "./member-broadcast.ts";
import { MemberCoordinates } from "./member-coordinates.ts";
import { MemberKeys } from "./member-keys.ts";
import type {
	GossipMemberArgs,
	MemberEvent,
	MemberMessage,
	MemberReport,
	PublishedGossipEvent,
} from "./member-messages.ts";
import { MemberStore } from "./member-store.ts";
import { MemberValues, type ValuesCommand } from "./member-values.ts";

/** Where this module is, for a behaviour source. */
export const gossipMemberModule: string = import.meta.url;

/** Requests that may wait for an answer. */
const REQUESTS_WAITING_MAX = 4_096;

/** A restarted member whose contacts do not answer asks them again so often. */
const REJOIN_EVERY_MS = 5_000;

/** What members say to each other, by its type; all else is for a member alone. */
const packetTypes: ReadonlySet<string> = new Set(
	[swimLayouts, antiEntropyLayouts, aggregationLayouts]
		.flatMap(({ messages }) => messages.map(({ type }) => type))
		.concat(broadcastMessageTypes),
);
/** Of a message about an aggregate, on the wire, names aside. */
const MASS_BYTES = 64;

interface Life {
	readonly context: ActorContext;
	readonly machine: SwimMachine;
	readonly addresses: MemberAddresses;
	readonly dice: Generator;
	readonly store: MemberStore;
	/** Null in a group that does not sign. */
	readonly keys: MemberKeys | null;
	/** Null in a group that shares none. */
	readonly values: MemberValues | null;
	/** Null in a group that measures no round trips. */
	readonly coordinates: MemberCoordinates | null;
	readonly aggregates: MemberAggregates;
	/** Null in a group whose messages are rumours. */
	readonly tree: MemberBroadcast | null;
}

export class GossipMember implements Behaviour {
	readonly #args: GossipMemberArgs;
	readonly #node: NodeId;
	readonly #wallMs: () => number;
	readonly #repliers = new Map<number, Replier>();
	#nextRequestId = 1;
	/** The request by which a restarted member comes back, while it is open. */
	#rejoinId: number | null = null;
	#life: Life | undefined;
	readonly #traffic = { sent: 0, sentBytes: 0, received: 0, lost: 0, undeliverable: 0 };

	/** @param wallMs stamps changes of shared values */
	constructor(args: GossipMemberArgs, wallMs: () => number = Date.now) {
		this.#args = args;
		this.#wallMs = wallMs;
		this.#node = nodeId(args.node);
	}

	async started(context: ActorContext, restarts: number): Promise<void> {
		const { group, profile, tuning, storage, identity } = this.#args;
		const keys = identity === null ? null : new MemberKeys(context, group, identity);
		await keys?.learn();
		const store = await MemberStore.open(context, storage, group, this.#node, (error) =>
			this.#publish(context, { type: "storage-lost", error }),
		);
		const coordinates = this.#newCoordinates(context);
		const machine = new SwimMachine(swimConfig({ ...tuning, nodeId: this.#node }, profile), {
			choices: context.generator.fork("choices"),
			...(keys === null ? {} : { crypto: keys.port }),
			...(coordinates === null ? {} : { ackPayload: () => coordinates.payload }),
		});
		const addresses = new MemberAddresses(context, group, swimLayouts.protocol, (error) => {
			// In the actor's turn, so that its supervisor hears of it.
			context.timers.run("registry-failed", 0, () => {
				throw error;
			});
		});
		const values = this.#sharedValues(context, store);
		const dice = context.generator.fork("network");
		const aggregates = this.#newAggregates(context);
		const tree = this.#newTree(context, store.incarnation + 1);
		this.#life = { context, machine, addresses, dice, store, keys, values, coordinates, aggregates, tree };
		this.#step({ type: "start", durable: { incarnation: store.incarnation, tags: store.tags } });
		tree?.start();
		if (restarts > 0) this.#rejoin();
	}

	#newCoordinates(context: ActorContext): MemberCoordinates | null {
		if (!this.#args.coordinates) return null;
		return new MemberCoordinates(this.#node, context.generator.fork("coordinates"), (event) =>
			this.#publish(context, event),
		);
	}

	#newAggregates(context: ActorContext): MemberAggregates {
		return new MemberAggregates({
			context,
			node: this.#node,
			peers: () => this.#present(),
			send: (to, message) => this.#sendBeside(to, message, aggregationLayouts.protocol, MASS_BYTES),
			publish: (event) => this.#publish(context, event),
		});
	}

	#newTree(context: ActorContext, life: number): MemberBroadcast | null {
		if (this.#args.dissemination !== "tree") return null;
		return new MemberBroadcast({
			context,
			node: this.#node,
			life,
			peers: () => this.#present(),
			send: (to, message) => this.#sendOfTree(to, message),
			publish: (event) => this.#publish(context, event),
		});
	}

	#sharedValues(context: ActorContext, store: MemberStore): MemberValues | null {
		const { values } = this.#args;
		if (values === null) return null;
		return new MemberValues({
			...values,
			context,
			node: this.#node,
			store,
			peers: () => this.#present(),
			send: (to, message) => this.#sendBeside(to, message, antiEntropyLayouts.protocol, bytesOfValues(message)),
			publish: (event) => this.#publish(context, event),
			wallMs: this.#wallMs,
		});
	}

	/** A first start is told by its caller whom to join; a restart knows. */
	#rejoin(): void {
		const { store, machine, context } = this.#running;
		const { contacts } = store;
		if (contacts.length === 0) return;
		this.#publish(context, { type: "rejoining", incarnation: machine.status.incarnation, contacts });
		this.#rejoinId = this.#nextRequestId++;
		this.#step({ type: "request", requestId: this.#rejoinId, request: { type: "join", seeds: contacts } });
	}

	receive(message: unknown, context: ActorContext): void {
		if (this.#running.store.receive(message)) return;
		const type = (message as { readonly type?: unknown } | null)?.type;
		if (typeof type !== "string") return;
		if (packetTypes.has(type)) this.#receivePacket(message as Packet, context);
		else this.#receiveOwn(message as MemberMessage, context);
	}

	#receivePacket(message: Packet, { sender }: ActorContext): void {
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

	#take(from: NodeId, message: Packet): void {
		const { dice } = this.#running;
		if (dice.chance(this.#args.lossChance)) {
			this.#traffic.lost++;
			return;
		}
		this.#traffic.received++;
		if (isOfTree(message)) {
			this.#running.tree?.receive(from, message);
			return;
		}
		const { values, aggregates, coordinates, context } = this.#running;
		switch (message.type) {
			case "offer":
			case "answer":
			case "supply":
				values?.receive(from, message);
				return;
			case "mass":
				aggregates.receive(message);
				return;
			default:
				if (message.type === "ack") coordinates?.acknowledged(from, message, context.clock.nowMs());
				this.#step({ type: "message", from, message });
		}
	}

	#receiveOwn(message: MemberMessage, context: ActorContext): void {
		switch (message.type) {
			case "gossip-request":
				this.#request(message.request, context.replier());
				return;
			case "gossip-status":
				context.reply(this.#report());
				return;
			case "gossip-enrol":
				// Members are not asked who may sign: this is the group's to say, which is no actor.
				if (context.sender === null) this.#running.keys?.enrol(message.identity);
				return;
			case "gossip-values-change":
				this.#changeValues(message.commands, context);
				return;
			case "gossip-values-read":
				context.reply(this.#running.values?.value ?? null);
				return;
			case "gossip-coordinates":
				context.reply(this.#running.coordinates?.report ?? null);
				return;
			case "gossip-broadcast":
				context.reply(this.#running.tree?.broadcast(message.name, message.payload) ?? null);
				return;
			case "gossip-contribute":
				context.reply(this.#running.aggregates.contribute(message.name, message.value));
				return;
			case "gossip-aggregate":
				this.#aggregate(message.kind, message.options, context.replier());
				return;
			case "gossip-convergence":
				context.reply(this.#running.values?.convergence ?? null);
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

	/** A group that shares no values does not ask. */
	#changeValues(commands: readonly ValuesCommand[], context: ActorContext): void {
		const replier = context.replier();
		this.#running.values?.change(commands, (reply) => replier?.reply(reply));
	}

	#aggregate(kind: AggregateKind, options: Required<AggregateOptions>, replier: Replier | null): void {
		this.#running.aggregates.ask(kind, options, (reply) => replier?.reply(reply));
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
			case "reply":
				this.#reply(effect.requestId, effect.reply);
				return;
			case "emit":
				this.#noteContact(effect.event);
				this.#publish(context, effect.event);
				return;
			case "persist":
				this.#running.store.keepStatement(effect.write);
				return;
			case "read":
			case "apply":
				return;
			default:
				assertNever(effect, "effect");
		}
	}

	#reply(requestId: number, reply: SwimReply): void {
		if (reply.type === "joined") this.#running.tree?.meet(reply.through);
		if (requestId === this.#rejoinId) {
			this.#rejoinId = null;
			// None of its contacts has answered: it asks again as long as it knows nobody.
			if (reply.type === "refused") {
				this.#running.context.timers.run("rejoin", REJOIN_EVERY_MS, () => {
					if (this.#running.machine.status.present === 1) this.#rejoin();
				});
			}
			return;
		}
		const replier = this.#repliers.get(requestId);
		this.#repliers.delete(requestId);
		replier?.reply(reply);
	}

	#noteContact(event: SwimEvent): void {
		const { store, coordinates, aggregates, values, tree } = this.#running;
		const isGone = event.type === "member-failed" || event.type === "member-left";
		if (isGone || event.type === "member-joined") aggregates.disturb();
		if (isGone) {
			coordinates?.forget(event.node);
			values?.forget(event.node);
			tree?.lost(event.node);
		}
		if (event.type === "member-joined") store.join(event.node);
		else if (event.type === "member-failed" || event.type === "member-left") {
			store.leave(event.node, () => this.#present());
		}
	}

	/** The others that are believed to be there. */
	#present(): readonly NodeId[] {
		const isThere = ({ state }: MemberStatus): boolean => state === "alive";
		const members = this.#running.machine.status.members();
		return members.filter(isThere).map(({ node }) => node);
	}

	#publish(context: ActorContext, event: SwimEvent | MemberEvent): void {
		const { group, node } = this.#args;
		const published: PublishedGossipEvent = { type: "gossip-event", group, node, event };
		context.publish(published);
	}

	#send(to: NodeId, message: SwimMessage): void {
		const { addresses, coordinates, context } = this.#running;
		const ref = addresses.ref(to);
		if (ref === undefined && addresses.whenFound(to, () => this.#send(to, message))) return;
		if (message.type === "ping") coordinates?.probed(to, message.sequence, context.clock.nowMs());
		const verdict = ref?.tell(message) ?? "dead";
		this.#count(to, verdict, messageBytes(message));
	}

	/** What is said beside SWIM. Nothing waits for who is not known yet: each of these protocols says it again, or takes it back. */
	#sendBeside(to: NodeId, message: AntiEntropyMessage | MassMessage, protocol: string, bytes: number): boolean {
		const ref = this.#running.addresses.ref(to)?.speaking<typeof message>(protocol);
		const verdict = ref?.tell(message) ?? "dead";
		this.#count(to, verdict, bytes);
		return verdict === "ok";
	}

	/** Links are made with messages to members that were not spoken to before: those wait until they are found. */
	#sendOfTree(to: NodeId, message: BroadcastMessage): void {
		const { addresses, tree } = this.#running;
		const ref = addresses.ref(to)?.speaking<BroadcastMessage>(broadcastLayouts.protocol);
		if (ref === undefined && addresses.whenFound(to, () => this.#sendOfTree(to, message))) return;
		const verdict = ref?.tell(message) ?? "dead";
		const payloadBytes = message.type === "tree-gossip" ? message.broadcast.payload.length : 0;
		this.#count(to, verdict, TREE_BYTES + payloadBytes);
		if (verdict === "dead") tree?.lost(to);
	}

	#count(to: NodeId, verdict: ReturnType<ActorRef["tell"]>, bytes: number): void {
		if (verdict === "ok") {
			this.#traffic.sent++;
			this.#traffic.sentBytes += bytes;
			return;
		}
		this.#traffic.undeliverable++;
		if (verdict === "dead") this.#running.addresses.forget(to);
	}

	#report(): MemberReport {
		const { incarnation, health, present, members, gossip, probes } = this.#running.machine.status;
		const traffic = { ...this.#traffic };
		const tree = this.#running.tree?.report ?? null;
		return { node: this.#node, incarnation, health, present, members: members(), traffic, tree, gossip, probes };
	}

	get #running(): Life {
		return must(this.#life, "a behaviour is started before it is used");
	}
}

type Packet = SwimMessage | AntiEntropyMessage | MassMessage | BroadcastMessage;

const treeTypes: ReadonlySet<string> = new Set(broadcastMessageTypes);
/** Of a message of the tree or its overlay on the wire, payload and lists aside. */
const TREE_BYTES = 32;

function isOfTree(message: Packet): message is BroadcastMessage {
	return treeTypes.has(message.type);
}

/** Payload bytes: names and lengths are a few more. */
function bytesOfValues(message: AntiEntropyMessage): number {
	const digests = message.type === "supply" ? [] : message.digests;
	const differences = message.type === "offer" ? [] : message.differences;
	return (
		digests.reduce((sum, { digest }) => sum + digest.length, 0) +
		differences.reduce((sum, { difference }) => sum + difference.length, 0)
	);
}

function timerKey(timer: SwimTimer): string {
	return `swim/${timer}`;
}
