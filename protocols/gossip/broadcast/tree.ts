/**
 * Plumtree (Leitão, Pereira, Rodrigues, SRDS 2007): messages are pushed along a tree that grows by itself out of the first
 * flood, and only announced on the other links; an announcement of something that has not come mends the tree (lazy repair).
 */
import type { NodeId } from "../../core/index.ts";
import type { BroadcastConfig } from "./config.ts";
import type { Broadcast, TreeMessage } from "./vocabulary.ts";

/** What the tree needs of the machine that it is a part of. */
export interface TreeHost {
	send(to: NodeId, message: TreeMessage): void;
	setTimer(timer: "lazy" | `graft/${string}`, afterMs: number): void;
	cancelTimer(timer: `graft/${string}`): void;
	deliver(broadcast: Broadcast, hops: number): void;
	duplicate(id: string): void;
}

/** Announcers that are remembered of one missing message. */
const ANNOUNCERS_MAX = 16;
/** Missing messages that are waited for. */
const MISSING_MAX = 4_096;
/** Announcements in one message. */
const HAVE_MAX = 256;

/** Messages that a new neighbour is told of. */
const RECENT_MAX = 64;

interface Announcement {
	readonly from: NodeId;
	readonly hops: number;
}

/** Announcements for one neighbour, as they will travel. */
interface Announcing {
	readonly ids: string[];
	readonly hops: number[];
}

export class Tree {
	readonly #config: BroadcastConfig;
	readonly #host: TreeHost;
	/** Links that messages are pushed on, and links that they are only announced on. */
	readonly #eager = new Set<NodeId>();
	readonly #lazy = new Set<NodeId>();
	/** Hops of what was received, the oldest first; and what of it is still kept. */
	readonly #seen = new Map<string, number>();
	readonly #kept = new Map<string, Broadcast>();
	readonly #missing = new Map<string, Announcement[]>();
	/** Gathered announcements, by who they are for: the links that were lazy when a message came. */
	#announcing = new Map<NodeId, Announcing>();

	constructor(config: BroadcastConfig, host: TreeHost) {
		this.#config = config;
		this.#host = host;
	}

	get state(): unknown {
		const [eager, lazy, seen, missing] = [this.#eager, this.#lazy, this.#seen, this.#missing];
		return { eager, lazy, seen, kept: [...this.#kept.keys()], missing, announcing: this.#announcing };
	}
	get eager(): readonly NodeId[] {
		return [...this.#eager];
	}

	/** A new neighbour may have been cut off while messages passed: it is told of the latest. */
	neighbourUp(node: NodeId): void {
		this.#lazy.delete(node);
		this.#eager.add(node);
		if (this.#kept.size === 0) return;
		const ids = [...this.#kept.keys()].slice(-RECENT_MAX);
		this.#host.send(node, { type: "tree-have", ids, hops: ids.map((id) => (this.#seen.get(id) ?? 0) + 1) });
	}

	neighbourDown(node: NodeId): void {
		this.#eager.delete(node);
		this.#lazy.delete(node);
		this.#announcing.delete(node);
		for (const [id, announcements] of this.#missing) {
			this.#missing.set(
				id,
				announcements.filter(({ from }) => from !== node),
			);
		}
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

	/** Announces what was gathered, on the lazy links. */
	handleLazyTimer(): void {
		const gathered = this.#announcing;
		this.#announcing = new Map();
		for (const [peer, { ids, hops }] of gathered) {
			for (let at = 0; at < ids.length; at += HAVE_MAX) {
				const part = { ids: ids.slice(at, at + HAVE_MAX), hops: hops.slice(at, at + HAVE_MAX) };
				this.#host.send(peer, { type: "tree-have", ...part });
			}
		}
	}

	/** What was announced has not come: it is asked for, and the link becomes one of the tree. */
	handleGraftTimer(id: string): void {
		const announcements = this.#missing.get(id);
		if (announcements === undefined) return;
		const [first, ...rest] = announcements;
		if (first === undefined) {
			this.#missing.delete(id);
			return;
		}
		this.#missing.set(id, rest);
		this.#toEager(first.from);
		this.#host.send(first.from, { type: "tree-graft", id });
		this.#host.setTimer(`graft/${id}`, this.#config.graftRetryMs);
	}

	copy(host: TreeHost): Tree {
		const copy = new Tree(this.#config, host);
		for (const node of this.#eager) copy.#eager.add(node);
		for (const node of this.#lazy) copy.#lazy.add(node);
		for (const [id, hops] of this.#seen) copy.#seen.set(id, hops);
		for (const [id, broadcast] of this.#kept) copy.#kept.set(id, broadcast);
		for (const [id, announcements] of this.#missing) copy.#missing.set(id, announcements);
		for (const [peer, { ids, hops }] of this.#announcing)
			copy.#announcing.set(peer, { ids: [...ids], hops: [...hops] });
		return copy;
	}

	#handleGossip(from: NodeId, broadcast: Broadcast, hops: number): void {
		if (this.#seen.has(broadcast.id)) {
			this.#host.duplicate(broadcast.id);
			this.#toLazy(from);
			this.#host.send(from, { type: "tree-prune" });
			return;
		}
		const announced = this.#missing.get(broadcast.id);
		this.#toEager(from);
		this.#accept(broadcast, hops, from);
		if (announced !== undefined) this.#optimise(from, hops, announced);
	}

	#accept(broadcast: Broadcast, hops: number, from: NodeId | null): void {
		const { id } = broadcast;
		remember(this.#seen, id, hops, this.#config.idsMax);
		remember(this.#kept, id, broadcast, this.#config.messagesMax);
		if (this.#missing.delete(id)) this.#host.cancelTimer(`graft/${id}`);
		this.#host.deliver(broadcast, hops);
		const message: TreeMessage = { type: "tree-gossip", broadcast, hops: hops + 1 };
		for (const peer of this.#eager) if (peer !== from) this.#host.send(peer, message);
		this.#announce(id, hops + 1, from);
	}

	/** A link that is lazy now may be of the tree when announcements leave, and would get neither message nor announcement. */
	#announce(id: string, hops: number, except: NodeId | null): void {
		if (this.#announcing.size === 0 && this.#lazy.size > 0) this.#host.setTimer("lazy", this.#config.lazyIntervalMs);
		for (const peer of this.#lazy) {
			if (peer === except) continue;
			const gathered = this.#announcing.get(peer);
			if (gathered === undefined) {
				this.#announcing.set(peer, { ids: [id], hops: [hops] });
			} else {
				gathered.ids.push(id);
				gathered.hops.push(hops);
			}
		}
	}

	#handleHave(from: NodeId, ids: readonly string[], hops: readonly number[]): void {
		for (let i = 0; i < ids.length && i < HAVE_MAX; i++) {
			const id = ids[i] as string;
			if (this.#seen.has(id)) continue;
			const announcements = this.#missing.get(id);
			if (announcements === undefined) {
				if (this.#missing.size >= MISSING_MAX) continue;
				this.#missing.set(id, [{ from, hops: hops[i] ?? 0 }]);
				this.#host.setTimer(`graft/${id}`, this.#config.graftTimeoutMs);
			} else if (announcements.length < ANNOUNCERS_MAX) {
				announcements.push({ from, hops: hops[i] ?? 0 });
			}
		}
	}

	#handleGraft(from: NodeId, id: string): void {
		this.#toEager(from);
		const broadcast = this.#kept.get(id);
		if (broadcast === undefined) return;
		this.#host.send(from, { type: "tree-gossip", broadcast, hops: (this.#seen.get(id) ?? 0) + 1 });
	}

	/** A much shorter way was announced: it takes the place of the one that the message came (§3.8). */
	#optimise(from: NodeId, hops: number, announced: readonly Announcement[]): void {
		const shorter = announced.find((each) => hops - each.hops >= this.#config.optimisationHops);
		if (shorter === undefined || shorter.from === from) return;
		this.#toEager(shorter.from);
		this.#toLazy(from);
		this.#host.send(shorter.from, { type: "tree-graft", id: "" });
		this.#host.send(from, { type: "tree-prune" });
	}

	/** Only neighbours are moved: a graft or prune may come from somebody who is none any more. */
	#toEager(node: NodeId): void {
		if (this.#lazy.delete(node)) this.#eager.add(node);
	}
	#toLazy(node: NodeId): void {
		if (this.#eager.delete(node)) this.#lazy.add(node);
	}
}

/** Keeps an item, and drops the oldest beyond the limit. */
function remember<T>(map: Map<string, T>, key: string, value: T, limit: number): void {
	map.set(key, value);
	if (map.size <= limit) return;
	for (const oldest of map.keys()) {
		map.delete(oldest);
		return;
	}
}
