/**
 * Who reaches whom, and how fast: links as members have measured them, and ways over others that are faster than the direct one
 * (round-trip times break the triangle inequality on real networks; Savage et al., "The End-to-End Effects of Internet Path
 * Selection", SIGCOMM 1999). Advice, not routing: nobody is made to take a way.
 */
import { compareIds, type NodeId } from "../../core/index.ts";
import { requireIntegerField } from "../bounds.ts";
import { ROUND_TRIP_MS_MAX } from "./vivaldi.ts";

/** One measured link. */
export interface MeasuredLink {
	readonly to: NodeId;
	readonly roundTripMs: number;
}

export interface NetworkPath {
	/** From the first to the last, both included. */
	readonly nodes: readonly NodeId[];
	readonly roundTripMs: number;
}

/** A way that is faster than the direct link. */
export interface PathSuggestion extends NetworkPath {
	/** Null: there is no direct link that anybody has measured. */
	readonly directMs: number | null;
}

export interface TopologyLimits {
	/** Members whose links are held; reports of others are refused. Default 4,096; bounds 1 to 65,536. */
	readonly membersMax: number;
	/** Links of one member; the fastest are kept. Default 64; bounds 1 to 4,096. */
	readonly linksMax: number;
}

export class TopologyMap {
	readonly #limits: TopologyLimits;
	readonly #links = new Map<NodeId, readonly MeasuredLink[]>();

	/** @throws QuorateError `gossip-config-invalid` */
	constructor(limits: Partial<TopologyLimits> = {}) {
		this.#limits = { membersMax: 4_096, linksMax: 64, ...limits };
		requireIntegerField("membersMax", this.#limits.membersMax, [1, 65_536]);
		requireIntegerField("linksMax", this.#limits.linksMax, [1, 4_096]);
	}

	/** Takes the links that a member has measured, in place of its former ones. Whether there was room. Unsound times are left out. */
	report(from: NodeId, links: readonly MeasuredLink[]): boolean {
		if (!this.#links.has(from) && this.#links.size >= this.#limits.membersMax) return false;
		const sound = links.filter(
			({ to, roundTripMs }) => to !== from && roundTripMs > 0 && roundTripMs <= ROUND_TRIP_MS_MAX,
		);
		const fastest = sound.sort((a, b) => a.roundTripMs - b.roundTripMs || compareIds(a.to, b.to));
		this.#links.set(from, fastest.slice(0, this.#limits.linksMax));
		return true;
	}

	/** A member is gone, and so are all links to it. */
	forget(node: NodeId): void {
		this.#links.delete(node);
		for (const [from, links] of this.#links) {
			if (links.some(({ to }) => to === node)) {
				this.#links.set(
					from,
					links.filter(({ to }) => to !== node),
				);
			}
		}
	}

	get members(): NodeId[] {
		return [...this.#links.keys()].sort(compareIds);
	}

	/** The fastest way, or null if none is known (Dijkstra 1959). */
	fastestPath(from: NodeId, to: NodeId): NetworkPath | null {
		const before = new Map<NodeId, NodeId>();
		const reached = this.#reach(from, before);
		const roundTripMs = reached.get(to);
		if (roundTripMs === undefined) return null;
		const nodes = [to];
		for (let node = before.get(to); node !== undefined; node = before.get(node)) nodes.unshift(node);
		return { nodes, roundTripMs };
	}

	/** Whoever can be reached from a member over measured links, the member itself included. */
	reachableFrom(from: NodeId): NodeId[] {
		return [...this.#reach(from, new Map()).keys()].sort(compareIds);
	}

	/**
	 * Members to which a way over others is faster than the direct link by this share at least, the largest gain first; those
	 * without a direct link come last.
	 */
	suggestPaths(from: NodeId, gainMin = 0.2): PathSuggestion[] {
		const direct = new Map((this.#links.get(from) ?? []).map(({ to, roundTripMs }) => [to, roundTripMs]));
		const suggestions: PathSuggestion[] = [];
		for (const to of this.reachableFrom(from)) {
			const path = to === from ? null : this.fastestPath(from, to);
			if (path === null || path.nodes.length < 3) continue;
			const directMs = direct.get(to) ?? null;
			if (directMs === null || path.roundTripMs <= directMs * (1 - gainMin)) suggestions.push({ ...path, directMs });
		}
		const gain = ({ directMs, roundTripMs }: PathSuggestion): number =>
			directMs === null ? 0 : directMs - roundTripMs;
		return suggestions.sort((a, b) => gain(b) - gain(a));
	}

	/** The time to each that is reached. The queue is a plain list: maps of some hundred members are what this is for. */
	#reach(from: NodeId, before: Map<NodeId, NodeId>): Map<NodeId, number> {
		const settled = new Map<NodeId, number>();
		const open = new Map<NodeId, number>([[from, 0]]);
		while (open.size > 0) {
			const [node, timeMs] = nearest(open);
			open.delete(node);
			settled.set(node, timeMs);
			for (const { to, roundTripMs } of this.#links.get(node) ?? []) {
				if (settled.has(to) || timeMs + roundTripMs >= (open.get(to) ?? Number.POSITIVE_INFINITY)) continue;
				open.set(to, timeMs + roundTripMs);
				before.set(to, node);
			}
		}
		return settled;
	}
}

function nearest(open: ReadonlyMap<NodeId, number>): [NodeId, number] {
	let found: [NodeId, number] | null = null;
	for (const entry of open) if (found === null || entry[1] < found[1]) found = entry;
	return found as [NodeId, number];
}
