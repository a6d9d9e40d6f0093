/**
 * HyParView (Leitão, Pereira, Rodrigues, DSN 2007): a small symmetric active view that messages travel on, and a larger
 * passive view from which failed links are replaced. Who has failed, the host notices when it sends (`peer-unreachable`).
 */
import type { ChoicePort, NodeId } from "../../core/index.ts";
import type { BroadcastConfig } from "./config.ts";
import type { BroadcastOutbox } from "./outbox.ts";
import type { OverlayMessage } from "./vocabulary.ts";

/** Whoever must know of neighbours: the tree. */
export interface NeighbourObserver {
	neighbourUp(node: NodeId): void;
	neighbourDown(node: NodeId): void;
}

export class Overlay {
	readonly #config: BroadcastConfig;
	readonly #choices: ChoicePort;
	readonly #out: BroadcastOutbox;
	readonly #observer: NeighbourObserver;
	#active: NodeId[] = [];
	#passive: NodeId[] = [];
	/** Who was asked to become a neighbour and has not answered, and who has refused or failed in this search. */
	#asked: NodeId | null = null;
	#tried: NodeId[] = [];
	/** What was sent in the last shuffle goes first when its answer needs room. */
	#shuffled: readonly NodeId[] = [];

	constructor(config: BroadcastConfig, choices: ChoicePort, out: BroadcastOutbox, observer: NeighbourObserver) {
		this.#config = config;
		this.#choices = choices;
		this.#out = out;
		this.#observer = observer;
	}

	get active(): readonly NodeId[] {
		return this.#active;
	}
	get passive(): readonly NodeId[] {
		return this.#passive;
	}
	get state(): unknown {
		const [active, passive, asked, tried, shuffled] = [
			this.#active,
			this.#passive,
			this.#asked,
			this.#tried,
			this.#shuffled,
		];
		return { active, passive, asked, tried, shuffled };
	}

	start(): void {
		this.#out.setTimer("shuffle", 1, this.#config.shuffleIntervalMs);
	}

	join(contact: NodeId): void {
		this.#addActive(contact);
		this.#out.send(contact, { type: "join" });
	}

	receive(from: NodeId, message: OverlayMessage): void {
		switch (message.type) {
			case "join":
				this.#welcome(from);
				return;
			case "forward-join":
				this.#forwardJoin(from, message.node, message.hops);
				return;
			case "neighbour":
				this.#handleNeighbour(from, message.isUrgent);
				return;
			case "neighbour-answer":
				this.#handleAnswer(from, message.isAccepted);
				return;
			case "disconnect":
				if (!this.#removeActive(from)) return;
				this.#addPassive(from);
				this.#repair();
				return;
			case "shuffle":
				this.#handleShuffle(from, message.origin, message.nodes, message.hops);
				return;
			case "shuffle-answer":
				this.#integrate(message.nodes);
		}
	}

	/** The host could not reach a peer (§4.3, reactive repair). */
	unreachable(peer: NodeId): void {
		const wasActive = this.#removeActive(peer);
		this.#passive = this.#passive.filter((node) => node !== peer);
		if (this.#asked === peer) {
			this.#asked = null;
			this.#repair();
		} else if (wasActive) {
			this.#repair();
		}
	}

	/** Who was asked has not answered in time. */
	handleNeighbourTimer(): void {
		if (this.#asked === null) return;
		this.#tried.push(this.#asked);
		this.#asked = null;
		this.#repair();
	}

	/** Sends a sample of both views on a walk (§4.4), and looks for neighbours if there is room. */
	handleShuffleTimer(): void {
		const { shuffleIntervalMs, shuffleActive, shufflePassive, activeWalk, nodeId } = this.#config;
		this.#out.setTimer("shuffle", shuffleIntervalMs, shuffleIntervalMs);
		this.#tried = [];
		this.#repair();
		const [peer] = this.#sample(this.#active, 1);
		if (peer === undefined) return;
		const others = this.#active.filter((node) => node !== peer);
		const nodes = [nodeId, ...this.#sample(others, shuffleActive), ...this.#sample(this.#passive, shufflePassive)];
		this.#shuffled = nodes;
		this.#out.send(peer, { type: "shuffle", origin: nodeId, nodes, hops: activeWalk });
	}

	copy(out: BroadcastOutbox, observer: NeighbourObserver): Overlay {
		const copy = new Overlay(this.#config, this.#choices, out, observer);
		copy.#active = [...this.#active];
		copy.#passive = [...this.#passive];
		copy.#asked = this.#asked;
		copy.#tried = [...this.#tried];
		copy.#shuffled = this.#shuffled;
		return copy;
	}

	/** A contact takes the joiner in and sends it on walks (§4.2). */
	#welcome(node: NodeId): void {
		this.#addActive(node);
		for (const peer of this.#active) {
			if (peer !== node) this.#out.send(peer, { type: "forward-join", node, hops: this.#config.activeWalk });
		}
	}

	#forwardJoin(from: NodeId, node: NodeId, hops: number): void {
		if (node === this.#config.nodeId) return;
		const others = this.#active.filter((peer) => peer !== from && peer !== node);
		if (hops <= 0 || others.length === 0) {
			if (this.#addActive(node)) this.#out.send(node, { type: "neighbour", isUrgent: true });
			return;
		}
		if (hops === this.#config.passiveWalk) this.#addPassive(node);
		const [next] = this.#sample(others, 1);
		if (next !== undefined)
			this.#out.send(next, { type: "forward-join", node, hops: Math.min(hops, this.#config.activeWalk) - 1 });
	}

	#handleNeighbour(from: NodeId, isUrgent: boolean): void {
		const isAccepted = isUrgent || this.#active.includes(from) || this.#active.length < this.#config.activeViewMax;
		if (isAccepted) this.#addActive(from);
		this.#out.send(from, { type: "neighbour-answer", isAccepted });
	}

	#handleAnswer(from: NodeId, isAccepted: boolean): void {
		if (this.#asked === from) this.#asked = null;
		if (isAccepted) {
			this.#addActive(from);
			return;
		}
		this.#removeActive(from);
		this.#tried.push(from);
		this.#repair();
	}

	#handleShuffle(from: NodeId, origin: NodeId, nodes: readonly NodeId[], hops: number): void {
		const others = this.#active.filter((peer) => peer !== from && peer !== origin);
		const left = Math.min(hops, this.#config.activeWalk) - 1;
		const [next] = left > 0 ? this.#sample(others, 1) : [];
		if (next !== undefined) {
			this.#out.send(next, { type: "shuffle", origin, nodes, hops: left });
			return;
		}
		if (origin !== this.#config.nodeId) {
			this.#out.send(origin, { type: "shuffle-answer", nodes: this.#sample(this.#passive, nodes.length) });
		}
		this.#integrate(nodes);
	}

	#integrate(nodes: readonly NodeId[]): void {
		const { shuffleActive, shufflePassive } = this.#config;
		for (const node of nodes.slice(0, shuffleActive + shufflePassive + 1)) this.#addPassive(node);
	}

	/** Asks one of the passive view to become a neighbour, while there is room and somebody who was not asked. */
	#repair(): void {
		if (this.#asked !== null || this.#active.length >= this.#config.activeViewMax) return;
		const candidates = this.#passive.filter((node) => !this.#tried.includes(node));
		const [candidate] = this.#sample(candidates, 1);
		if (candidate === undefined) return;
		this.#asked = candidate;
		this.#out.send(candidate, { type: "neighbour", isUrgent: this.#active.length === 0 });
		this.#out.setTimer("neighbour", this.#config.neighbourTimeoutMs, this.#config.neighbourTimeoutMs);
	}

	/** Whether it was not there before. A full view drops somebody at random, who is told (§4.1). */
	#addActive(node: NodeId): boolean {
		if (node === this.#config.nodeId || this.#active.includes(node)) return false;
		if (this.#active.length >= this.#config.activeViewMax) {
			const [dropped] = this.#sample(this.#active, 1);
			if (dropped !== undefined) {
				this.#removeActive(dropped);
				this.#addPassive(dropped);
				this.#out.send(dropped, { type: "disconnect" });
			}
		}
		this.#passive = this.#passive.filter((other) => other !== node);
		this.#active.push(node);
		this.#observer.neighbourUp(node);
		this.#out.emit({ type: "neighbour-up", node });
		return true;
	}

	#removeActive(node: NodeId): boolean {
		const place = this.#active.indexOf(node);
		if (place < 0) return false;
		this.#active.splice(place, 1);
		this.#observer.neighbourDown(node);
		this.#out.emit({ type: "neighbour-down", node });
		return true;
	}

	#addPassive(node: NodeId): void {
		if (node === this.#config.nodeId || this.#active.includes(node) || this.#passive.includes(node)) return;
		if (this.#passive.length >= this.#config.passiveViewMax) {
			const sent = this.#passive.findIndex((other) => this.#shuffled.includes(other));
			this.#passive.splice(sent >= 0 ? sent : this.#choices.below(this.#passive.length), 1);
		}
		this.#passive.push(node);
	}

	/** So many different ones, in random order. */
	#sample(nodes: readonly NodeId[], count: number): NodeId[] {
		const rest = [...nodes];
		const drawn: NodeId[] = [];
		while (drawn.length < count && rest.length > 0) drawn.push(...rest.splice(this.#choices.below(rest.length), 1));
		return drawn;
	}
}
