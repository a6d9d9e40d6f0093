/**
 * Plumtree (Leitão, Pereira, Rodrigues, SRDS 2007): messages are pushed along a tree that grows by itself out of the first
 * flood, and only announced on the other links; an announcement of something that has not come mends the tree (lazy repair).
 */
import { must, type NodeId } from "../../core/index.ts";
import { Announcements, HAVE_MAX } from "./announcements.ts";
import type { BroadcastConfig } from "./config.ts";
import { type Announcement, MissingMessages } from "./missing.ts";
import type { BroadcastOutbox } from "./outbox.ts";
import type { Broadcast, TreeMessage } from "./vocabulary.ts";

/** Messages that a new neighbour is told of. */
const RECENT_MAX = 64;

export class Tree {
	readonly #config: BroadcastConfig;
	readonly #out: BroadcastOutbox;
	/** Links that messages are pushed on, and links that they are only announced on. A handful, in lists that are replaced. */
	#eager: readonly NodeId[] = [];
	#lazy: readonly NodeId[] = [];
	/** Hops of what was received, the oldest first. */
	readonly #seen = new Map<string, number>();
	/** What of it is still kept: a ring of `messagesMax`, of which the latest is at {@link Tree.#latest}. */
	#kept: Broadcast[] = [];
	#latest = -1;
	#missing = new MissingMessages();
	/** The tick of {@link MissingMessages} is set. */
	#isTicking = false;
	#announcing = new Announcements();

	constructor(config: BroadcastConfig, out: BroadcastOutbox) {
		this.#config = config;
		this.#out = out;
	}

	get state(): unknown {
		const [eager, lazy, seen] = [this.#eager, this.#lazy, this.#seen];
		const [missing, announcing] = [this.#missing.state, this.#announcing.state];
		return {
			eager,
			lazy,
			seen,
			kept: this.#kept.map(({ id }) => id),
			latest: this.#latest,
			missing,
			isTicking: this.#isTicking,
			announcing,
		};
	}
	get eager(): readonly NodeId[] {
		return this.#eager;
	}

	isNeighbour(node: NodeId): boolean {
		return this.#lazy.includes(node) || this.#eager.includes(node);
	}

	/** Whether nothing of what is announced would be looked at. */
	knowsAll(ids: readonly string[]): boolean {
		for (let i = 0; i < ids.length && i < HAVE_MAX; i++) if (!this.#seen.has(ids[i] as string)) return false;
		return true;
	}

	/** A new neighbour may have been cut off while messages passed: it is told of the latest. */
	neighbourUp(node: NodeId): void {
		this.#lazy = without(this.#lazy, node);
		if (!this.#eager.includes(node)) this.#eager = [...this.#eager, node];
		if (this.#kept.length === 0) return;
		const count = Math.min(RECENT_MAX, this.#kept.length);
		const ids = Array.from({ length: count }, (_, i) => this.#keptAgo(count - 1 - i).id);
		this.#out.send(node, { type: "tree-have", ids, hops: ids.map((id) => (this.#seen.get(id) ?? 0) + 1) });
	}

	neighbourDown(node: NodeId): void {
		this.#eager = without(this.#eager, node);
		this.#lazy = without(this.#lazy, node);
		this.#missing.forget(node);
	}

	broadcast(broadcast: Broadcast): void {
		this.#accept(broadcast, 0, null);
	}

	receive(from: NodeId, message: TreeMessage): void {
		switch (message.type) {
			case "tree-gossip":
				this.#handleGossip(from, message.broadcast, message.hops);
				return;
			case "tree-have":
				this.#handleHave(from, message.ids, message.hops);
				return;
			case "tree-graft":
				this.#handleGraft(from, message.id);
				return;
			case "tree-prune":
				this.#toLazy(from);
		}
	}

	/** Announces what was gathered to those who are still neighbours. */
	handleLazyTimer(): void {
		this.#announcing.take((to, have) => {
			if (this.isNeighbour(to)) this.#out.send(to, have);
		});
	}

	/** What was announced and has not come in time is asked for, and the link becomes one of the tree. */
	handleGraftTimer(): void {
		this.#isTicking = false;
		this.#missing.tick((id, from) => {
			this.#toEager(from);
			this.#out.send(from, { type: "tree-graft", id });
		});
		if (this.#missing.size > 0) this.#tickAfter(this.#config.graftRetryMs);
	}

	copy(out: BroadcastOutbox): Tree {
		const copy = new Tree(this.#config, out);
		copy.#eager = this.#eager;
		copy.#lazy = this.#lazy;
		for (const [id, hops] of this.#seen) copy.#seen.set(id, hops);
		copy.#kept = [...this.#kept];
		copy.#latest = this.#latest;
		copy.#missing = this.#missing.copy();
		copy.#isTicking = this.#isTicking;
		copy.#announcing = this.#announcing.copy();
		return copy;
	}

	#handleGossip(from: NodeId, broadcast: Broadcast, hops: number): void {
		if (this.#seen.has(broadcast.id)) {
			this.#out.emit({ type: "duplicate", id: broadcast.id });
			this.#toLazy(from);
			this.#out.send(from, PRUNE);
			return;
		}
		this.#toEager(from);
		const announced = this.#accept(broadcast, hops, from);
		this.#optimise(from, hops, announced);
	}

	/** Takes a message that is new here; who had announced it. */
	#accept(broadcast: Broadcast, hops: number, from: NodeId | null): readonly Announcement[] {
		const { id } = broadcast;
		remember(this.#seen, id, hops, this.#config.idsMax);
		this.#keep(broadcast);
		const announced = this.#missing.settle(id);
		if (this.#isTicking && this.#missing.size === 0) this.#stopTicking();
		this.#out.deliver(broadcast, hops);
		const message: TreeMessage = { type: "tree-gossip", broadcast, hops: hops + 1 };
		for (const peer of this.#eager) if (peer !== from) this.#out.send(peer, message);
		this.#announce(id, hops + 1);
		return announced;
	}

	/** Who sent it is of the tree now, if it is a neighbour at all, and so is not among the lazy links. */
	#announce(id: string, hops: number): void {
		if (this.#lazy.length === 0) return;
		if (this.#announcing.isEmpty) this.#out.setTimer("lazy", this.#config.lazyIntervalMs);
		this.#announcing.add(id, hops, this.#lazy);
	}

	#handleHave(from: NodeId, ids: readonly string[], hops: readonly number[]): void {
		for (let i = 0; i < ids.length && i < HAVE_MAX; i++) {
			const id = ids[i] as string;
			if (!this.#seen.has(id)) this.#await(id, { from, hops: hops[i] ?? 0 });
		}
	}

	#await(id: string, announcement: Announcement): void {
		const { graftTimeoutMs, graftRetryMs } = this.#config;
		if (!this.#isTicking) {
			this.#missing.announce(id, announcement, 1);
			this.#tickAfter(graftTimeoutMs);
		} else {
			// The tick that is under way began earlier.
			this.#missing.announce(id, announcement, Math.ceil(graftTimeoutMs / graftRetryMs) + 1);
		}
	}

	#handleGraft(from: NodeId, id: string): void {
		this.#toEager(from);
		const broadcast = this.#find(id);
		if (broadcast === null) return;
		this.#out.send(from, { type: "tree-gossip", broadcast, hops: (this.#seen.get(id) ?? 0) + 1 });
	}

	#keep(broadcast: Broadcast): void {
		this.#latest = (this.#latest + 1) % this.#config.messagesMax;
		this.#kept[this.#latest] = broadcast;
	}

	/** What is asked for is among the latest, nearly always. */
	#find(id: string): Broadcast | null {
		if (!this.#seen.has(id)) return null;
		for (let ago = 0; ago < this.#kept.length; ago++) {
			const broadcast = this.#keptAgo(ago);
			if (broadcast.id === id) return broadcast;
		}
		return null;
	}

	#keptAgo(ago: number): Broadcast {
		const { length } = this.#kept;
		return must(this.#kept[(this.#latest - ago + length) % length], "only what is kept is asked for");
	}

	/** A much shorter way was announced: it takes the place of the one that the message came (§3.8). */
	#optimise(from: NodeId, hops: number, announced: readonly Announcement[]): void {
		if (announced.length === 0) return;
		const shorter = announced.find((each) => hops - each.hops >= this.#config.optimisationHops);
		if (shorter === undefined || shorter.from === from) return;
		this.#toEager(shorter.from);
		this.#toLazy(from);
		this.#out.send(shorter.from, { type: "tree-graft", id: "" });
		this.#out.send(from, PRUNE);
	}

	#tickAfter(afterMs: number): void {
		this.#isTicking = true;
		this.#out.setTimer("graft", afterMs);
	}

	#stopTicking(): void {
		this.#isTicking = false;
		this.#out.cancelTimer("graft");
	}

	/** Only neighbours are moved: a graft or prune may come from somebody who is none any more. */
	#toEager(node: NodeId): void {
		if (!this.#lazy.includes(node)) return;
		this.#lazy = without(this.#lazy, node);
		this.#eager = [...this.#eager, node];
	}
	#toLazy(node: NodeId): void {
		if (!this.#eager.includes(node)) return;
		this.#eager = without(this.#eager, node);
		this.#lazy = [...this.#lazy, node];
	}
}

const PRUNE: TreeMessage = { type: "tree-prune" };

function without(nodes: readonly NodeId[], node: NodeId): readonly NodeId[] {
	return nodes.includes(node) ? nodes.filter((other) => other !== node) : nodes;
}

/** Keeps an item, and drops the oldest beyond the limit. */
function remember(seen: Map<string, number>, id: string, hops: number, limit: number): void {
	seen.set(id, hops);
	if (seen.size <= limit) return;
	for (const oldest of seen.keys()) {
		seen.delete(oldest);
		return;
	}
}
