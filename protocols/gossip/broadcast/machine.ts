/** Broadcast to all members, each of which knows a few: Plumtree over HyParView, as one machine. */
import type { ChoicePort, Effect, Input, MonotonicMs, NodeId, RequestId, StateMachine } from "../../core/index.ts";
import type { BroadcastConfig } from "./config.ts";
import { BroadcastOutbox } from "./outbox.ts";
import { Overlay } from "./overlay.ts";
import { Tree } from "./tree.ts";
import type { BroadcastMessage, BroadcastTypes, TreeMessage } from "./vocabulary.ts";

/**
 * A member that broadcasts and delivers. Delivered is at most once and, while the overlay is connected, to all with high
 * probability; it is not ordered, and not decided. Its serial numbers start anew with each life, so a member that restarts
 * takes another id, or another `life`.
 */
export class BroadcastMachine implements StateMachine<BroadcastTypes> {
	readonly #config: BroadcastConfig;
	readonly #choices: ChoicePort;
	readonly #life: number;
	readonly #overlay: Overlay;
	readonly #tree: Tree;
	#serial = 0;
	readonly #out = new BroadcastOutbox();

	/** @param life told apart in the ids of its broadcasts; default 0 */
	constructor(config: BroadcastConfig, choices: ChoicePort, life = 0, from?: BroadcastMachine) {
		this.#config = config;
		this.#choices = choices;
		this.#life = life;
		const out = this.#out;
		this.#tree = from === undefined ? new Tree(config, out) : from.#tree.copy(out);
		this.#overlay =
			from === undefined ? new Overlay(config, choices, out, this.#tree) : from.#overlay.copy(out, this.#tree);
		this.#serial = from === undefined ? 0 : from.#serial;
	}

	step(input: Input<BroadcastTypes>, _now: MonotonicMs, effects: Effect<BroadcastTypes>[]): void {
		this.#out.effects = effects;
		switch (input.type) {
			case "message":
				this.#receive(input.from, input.message);
				return;
			case "timer":
				this.#fire(input.timer);
				return;
			case "request":
				this.#handleRequest(input.requestId, input.request);
				return;
			case "peer-unreachable":
				this.#overlay.unreachable(input.peer);
				return;
			case "start":
				this.#overlay.start();
				return;
			default:
				return;
		}
	}

	get state(): unknown {
		return { overlay: this.#overlay.state, tree: this.#tree.state, serial: this.#serial, life: this.#life };
	}
	/** Neighbours that messages travel to and from. */
	get active(): readonly NodeId[] {
		return this.#overlay.active;
	}
	/** Members in reserve. */
	get passive(): readonly NodeId[] {
		return this.#overlay.passive;
	}
	/** Neighbours on the tree. */
	get eager(): readonly NodeId[] {
		return this.#tree.eager;
	}

	copy(): BroadcastMachine {
		return new BroadcastMachine(this.#config, this.#choices, this.#life, this);
	}

	#receive(from: NodeId, message: BroadcastMessage): void {
		switch (message.type) {
			case "tree-have":
				// Most announce what has come already. They change nothing, on whatever link.
				if (this.#tree.knowsAll(message.ids)) return;
				this.#receiveOfTree(from, message);
				return;
			case "tree-gossip":
			case "tree-graft":
			case "tree-prune":
				this.#receiveOfTree(from, message);
				return;
			default:
				this.#overlay.receive(from, message);
		}
	}

	/** Links are symmetric; where messages overtook each other they may not be, and who uses such a link hears of it. */
	#receiveOfTree(from: NodeId, message: TreeMessage): void {
		if (!this.#tree.isNeighbour(from)) this.#out.send(from, { type: "disconnect" });
		this.#tree.receive(from, message);
	}

	#fire(timer: BroadcastTypes["timer"]): void {
		switch (timer) {
			case "lazy":
				this.#tree.handleLazyTimer();
				return;
			case "graft":
				this.#tree.handleGraftTimer();
				return;
			case "shuffle":
				this.#overlay.handleShuffleTimer();
				return;
			default:
				this.#overlay.handleNeighbourTimer();
		}
	}

	#handleRequest(requestId: RequestId, request: BroadcastTypes["request"]): void {
		if (request.type === "join") {
			this.#overlay.join(request.contact);
			this.#reply(requestId, { type: "joining" });
			return;
		}
		this.#serial++;
		const id = `${this.#config.nodeId}/${this.#life}/${this.#serial}`;
		this.#reply(requestId, { type: "broadcasting", id });
		this.#tree.broadcast({ id, payload: request.payload });
	}

	#reply(requestId: RequestId, reply: BroadcastTypes["reply"]): void {
		this.#out.effects.push({ type: "reply", requestId, reply, release: "immediate" });
	}
}
