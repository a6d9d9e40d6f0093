/** Broadcast to all members, each of which knows a few: Plumtree over HyParView, as one machine. */
import type { ChoicePort, Effect, Input, MonotonicMs, NodeId, RequestId, StateMachine } from "../../core/index.ts";
import type { BroadcastConfig } from "./config.ts";
import { Overlay, type OverlayHost } from "./overlay.ts";
import { Tree, type TreeHost } from "./tree.ts";
import type { Broadcast, BroadcastMessage, BroadcastTypes } from "./vocabulary.ts";

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
	#out: Effect<BroadcastTypes>[] = [];

	/** @param life told apart in the ids of its broadcasts; default 0 */
	constructor(config: BroadcastConfig, choices: ChoicePort, life = 0, from?: BroadcastMachine) {
		this.#config = config;
		this.#choices = choices;
		this.#life = life;
		const tree = this.#treeHost();
		const overlay = this.#overlayHost();
		this.#tree = from === undefined ? new Tree(config, tree) : from.#tree.copy(tree);
		this.#overlay = from === undefined ? new Overlay(config, choices, overlay) : from.#overlay.copy(overlay);
		this.#serial = from === undefined ? 0 : from.#serial;
	}

	step(input: Input<BroadcastTypes>, _now: MonotonicMs, effects: Effect<BroadcastTypes>[]): void {
		this.#out = effects;
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
			case "tree-gossip":
			case "tree-have":
			case "tree-graft":
			case "tree-prune":
				// Links are symmetric; where messages overtook each other they may not be, and who uses such a link hears of it.
				if (!this.#overlay.active.includes(from)) this.#send(from, { type: "disconnect" });
				this.#tree.receive(from, message);
				return;
			default:
				this.#overlay.receive(from, message);
		}
	}

	#fire(timer: BroadcastTypes["timer"]): void {
		if (timer === "lazy") this.#tree.handleLazyTimer();
		else if (timer === "shuffle") this.#overlay.handleShuffleTimer();
		else if (timer === "neighbour") this.#overlay.handleNeighbourTimer();
		else this.#tree.handleGraftTimer(timer.slice("graft/".length));
	}

	#handleRequest(requestId: RequestId, request: BroadcastTypes["request"]): void {
		if (request.type === "join") {
			this.#overlay.join(request.contact);
			this.#out.push({ type: "reply", requestId, reply: { type: "joining" }, release: "immediate" });
			return;
		}
		this.#serial++;
		const id = `${this.#config.nodeId}/${this.#life}/${this.#serial}`;
		this.#out.push({ type: "reply", requestId, reply: { type: "broadcasting", id }, release: "immediate" });
		this.#tree.broadcast({ id, payload: request.payload });
	}

	#send(to: NodeId, message: BroadcastMessage): void {
		this.#out.push({ type: "send", to, message, release: "immediate" });
	}

	#treeHost(): TreeHost {
		return {
			send: (to, message) => this.#send(to, message),
			setTimer: (timer, afterMs) =>
				this.#out.push({ type: "set-timer", timer, afterMs: { min: afterMs, max: afterMs } }),
			cancelTimer: (timer) => this.#out.push({ type: "cancel-timer", timer }),
			deliver: (broadcast: Broadcast, hops) =>
				this.#out.push({ type: "apply", delivery: { type: "delivered", broadcast, hops }, release: "immediate" }),
			duplicate: (id) => this.#out.push({ type: "emit", event: { type: "duplicate", id } }),
		};
	}

	#overlayHost(): OverlayHost {
		return {
			send: (to, message) => this.#send(to, message),
			setTimer: (timer, min, max) => this.#out.push({ type: "set-timer", timer, afterMs: { min, max } }),
			neighbourUp: (node) => {
				this.#tree.neighbourUp(node);
				this.#out.push({ type: "emit", event: { type: "neighbour-up", node } });
			},
			neighbourDown: (node) => {
				this.#tree.neighbourDown(node);
				this.#out.push({ type: "emit", event: { type: "neighbour-down", node } });
			},
		};
	}
}
