/**
 * Keeps a node's peers from being all one adversary's (Heilman et al., USENIX Security 2015; Bortnikov et al., Brahms, 2009): few of
 * one source, spread over places and networks, a few anchors that stay, and random eviction, so that nobody can choose who leaves.
 * Labels come from configuration or from observed addresses, never from the peer. The whole table counts, not the newcomers alone.
 */
import type { Generator, NodeId } from "../../core/index.ts";
import { requireSetting } from "./finding.ts";

export interface PeerLabels {
	readonly node: NodeId;
	/** The address that it connects from, or its prefix. */
	readonly source: string;
	/** Region, data centre. */
	readonly place: string;
	/** Autonomous system, provider. */
	readonly network: string;
}

export interface EclipseGuardOptions {
	/** Peers in the table; 1 to 4,096, default 32. */
	readonly capacity?: number;
	/** Peers of one source; default 3. */
	readonly perSource?: number;
	/** The share of the greatest possible entropy of places below which the table is in danger; 0 to 1, default 0.5. */
	readonly placeDiversity?: number;
	/** The same of networks; default 0.375. */
	readonly networkDiversity?: number;
	/** Peers that were here longest and are never evicted for newcomers; default 4. */
	readonly anchors?: number;
}

/**
 * Entropies in bits. Fixed thresholds of 2.0 and 1.5 bits would condemn every small group: the defaults give just these for 16 peers,
 * whose entropy is at most 4 bits, and scale with the logarithm of the table's size.
 */
export interface DiversityReport {
	readonly placeBits: number;
	readonly networkBits: number;
	/** What the table should at least have, at its size. */
	readonly placeBitsMin: number;
	readonly networkBitsMin: number;
	readonly isDiverse: boolean;
}

export type ConnectionVerdict =
	| { readonly isAccepted: true; readonly evicted: NodeId | null }
	| { readonly isAccepted: false; readonly reason: "source-limit" | "no-room" };

export class EclipseGuard {
	readonly #options: Required<EclipseGuardOptions>;
	/** By node, the longest here first. */
	readonly #peers = new Map<NodeId, PeerLabels>();

	/** @throws QuorateError `detector-config-invalid` */
	constructor(options: EclipseGuardOptions = {}) {
		const defaults = { capacity: 32, perSource: 3, placeDiversity: 0.5, networkDiversity: 0.375, anchors: 4 };
		const full = { ...defaults, ...options };
		requireSetting("capacity", full.capacity, 1, 4_096);
		requireSetting("perSource", full.perSource, 1, 4_096);
		requireSetting("anchors", full.anchors, 0, full.capacity);
		requireSetting("placeDiversity", full.placeDiversity, 0, 1, false);
		requireSetting("networkDiversity", full.networkDiversity, 0, 1, false);
		this.#options = full;
	}

	get peers(): readonly PeerLabels[] {
		return [...this.#peers.values()];
	}

	/** Takes or refuses one peer. With a full table one that is no anchor makes room, drawn by `generator`. */
	connect(peer: PeerLabels, generator: Generator): ConnectionVerdict {
		const others = this.peers.filter(({ node }) => node !== peer.node);
		const sameSource = others.filter(({ source }) => source === peer.source).length;
		if (sameSource >= this.#options.perSource) return { isAccepted: false, reason: "source-limit" };
		if (this.#peers.has(peer.node)) {
			this.#peers.set(peer.node, peer);
			return { isAccepted: true, evicted: null };
		}
		const evicted = this.#peers.size < this.#options.capacity ? null : this.#draw(generator);
		if (evicted === undefined) return { isAccepted: false, reason: "no-room" };
		if (evicted !== null) this.#peers.delete(evicted);
		this.#peers.set(peer.node, peer);
		return { isAccepted: true, evicted };
	}

	/**
	 * Of many requests at once, which to take: of each source as many as may be, drawn at random, so that coming first is no advantage.
	 */
	selectSurvivors(requests: readonly PeerLabels[], generator: Generator): readonly PeerLabels[] {
		const bySource = new Map<string, PeerLabels[]>();
		for (const request of requests) bySource.set(request.source, [...(bySource.get(request.source) ?? []), request]);
		return [...bySource.values()].flatMap((waiting) => {
			const survivors: PeerLabels[] = [];
			while (waiting.length > 0 && survivors.length < this.#options.perSource)
				survivors.push(...waiting.splice(generator.below(waiting.length), 1));
			return survivors;
		});
	}

	disconnect(node: NodeId): void {
		this.#peers.delete(node);
	}

	/** How diverse the whole table is, against what a table of its size can be. */
	diversity(): DiversityReport {
		const { placeDiversity, networkDiversity } = this.#options;
		const most = this.#peers.size <= 1 ? 0 : Math.log2(this.#peers.size);
		const placeBits = entropyBits(this.peers.map(({ place }) => place));
		const networkBits = entropyBits(this.peers.map(({ network }) => network));
		const placeBitsMin = placeDiversity * most;
		const networkBitsMin = networkDiversity * most;
		const isDiverse = placeBits >= placeBitsMin && networkBits >= networkBitsMin;
		return { placeBits, networkBits, placeBitsMin, networkBitsMin, isDiverse };
	}

	#draw(generator: Generator): NodeId | undefined {
		const candidates = [...this.#peers.keys()].slice(this.#options.anchors);
		return candidates.length === 0 ? undefined : candidates[generator.below(candidates.length)];
	}
}

/** Shannon's entropy of how labels are distributed, in bits. */
export function entropyBits(labels: readonly string[]): number {
	const counts = new Map<string, number>();
	for (const label of labels) counts.set(label, (counts.get(label) ?? 0) + 1);
	return [...counts.values()].reduce(
		(bits, count) => bits - (count / labels.length) * Math.log2(count / labels.length),
		0,
	);
}
