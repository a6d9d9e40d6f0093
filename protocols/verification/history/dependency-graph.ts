/** A directed graph with typed edges, and its cycles: what orders operations one after the other in two ways at once. */
import { must } from "../../core/index.ts";

const CYCLE_SEARCHES_MAX = 256;

/** Two ends, a type, and what it comes from. Nodes are numbers from 0. */
export interface Edge<Reason> {
	readonly from: number;
	readonly to: number;
	/** A small number, one bit of a mask. */
	readonly type: number;
	readonly reason: Reason;
}

export class DependencyGraph<Reason> {
	/** Outgoing edges of each node. */
	readonly #out: Edge<Reason>[][] = [];

	/** A new node. */
	node(): number {
		this.#out.push([]);
		return this.#out.length - 1;
	}

	/** @param type a single bit, so that cycles can be searched among some types only */
	edge(from: number, to: number, type: number, reason: Reason): void {
		if (from !== to) must(this.#out[from], "an edge begins at a node").push({ from, to, type, reason });
	}

	/** The groups of nodes that reach one another over edges of these types, save single nodes (Tarjan 1972, iterative). */
	components(types: number): number[][] {
		const count = this.#out.length;
		const order = new Int32Array(count).fill(-1);
		const lowest = new Int32Array(count);
		const isOpen = new Uint8Array(count);
		const nextEdge = new Int32Array(count);
		const open: number[] = [];
		const found: number[][] = [];
		let visited = 0;
		const path: number[] = [];
		const enter = (node: number): void => {
			order[node] = visited;
			lowest[node] = visited++;
			isOpen[node] = 1;
			open.push(node);
			path.push(node);
		};
		for (let root = 0; root < count; root++) {
			if (order[root]! >= 0) continue;
			enter(root);
			while (path.length > 0) {
				const node = path.at(-1) as number;
				const edge = this.#out[node]![nextEdge[node]!];
				if (edge !== undefined) {
					nextEdge[node]!++;
					if ((edge.type & types) === 0) continue;
					if (order[edge.to]! < 0) enter(edge.to);
					else if (isOpen[edge.to] === 1) lowest[node] = Math.min(lowest[node]!, order[edge.to]!);
					continue;
				}
				path.pop();
				const parent = path.at(-1);
				if (parent !== undefined) lowest[parent] = Math.min(lowest[parent]!, lowest[node]!);
				if (lowest[node] !== order[node]) continue;
				const component = open.splice(open.lastIndexOf(node));
				for (const member of component) isOpen[member] = 0;
				if (component.length > 1) found.push(component);
			}
		}
		return found;
	}

	/** The edges of these types within a group of nodes. */
	edgesWithin(nodes: readonly number[], types: number): Edge<Reason>[] {
		const members = new Set(nodes);
		return nodes.flatMap((node) => this.#out[node]!.filter(({ to, type }) => (type & types) !== 0 && members.has(to)));
	}

	/**
	 * A cycle through one of these edges with as few edges of the `rare` types as can be. Each edge must lie within the
	 * component. At most {@link CYCLE_SEARCHES_MAX} of them are tried, so of many the best cycle may be missed.
	 */
	cycle(edges: readonly Edge<Reason>[], component: readonly number[], types: number, rare: number): Edge<Reason>[] {
		const countRare = (cycle: readonly Edge<Reason>[]): number =>
			cycle.filter(({ type }) => (type & rare) !== 0).length;
		let best: Edge<Reason>[] | null = null;
		for (const edge of edges.slice(0, CYCLE_SEARCHES_MAX)) {
			const back = this.#path(edge.to, edge.from, component, types, rare);
			if (back === null) continue;
			const cycle = [edge, ...back];
			const difference = best === null ? -1 : countRare(cycle) - countRare(best) || cycle.length - best.length;
			if (difference < 0) best = cycle;
		}
		return must(best ?? undefined, "an edge within a component lies on a cycle");
	}

	/**
	 * A path between two nodes with as few edges of the `rare` types as can be, and of such paths a short one (breadth
	 * first, edges that are not rare before the others). Null if there is none.
	 */
	#path(from: number, to: number, nodes: readonly number[], types: number, rare: number): Edge<Reason>[] | null {
		const members = new Set(nodes);
		const cameBy = new Map<number, Edge<Reason> | null>([[from, null]]);
		let layer = [from];
		while (layer.length > 0) {
			const reached = this.#spread(layer, members, cameBy, types & ~rare, to);
			if (reached) return trace(cameBy, to);
			layer = [...cameBy.keys()].flatMap((node) =>
				this.#out[node]!.filter(({ type, to: end }) => (type & types & rare) !== 0 && members.has(end)).flatMap(
					(edge) => {
						if (cameBy.has(edge.to)) return [];
						cameBy.set(edge.to, edge);
						return [edge.to];
					},
				),
			);
			if (cameBy.has(to)) return trace(cameBy, to);
		}
		return null;
	}

	/** Goes on from the nodes of a layer over edges of these types; true as soon as `to` is reached. */
	#spread(
		layer: readonly number[],
		members: ReadonlySet<number>,
		cameBy: Map<number, Edge<Reason> | null>,
		types: number,
		to: number,
	): boolean {
		const queue = [...layer];
		for (let at = 0; at < queue.length; at++) {
			for (const edge of this.#out[queue[at]!]!) {
				if ((edge.type & types) === 0 || !members.has(edge.to) || cameBy.has(edge.to)) continue;
				cameBy.set(edge.to, edge);
				if (edge.to === to) return true;
				queue.push(edge.to);
			}
		}
		return false;
	}
}

function trace<Reason>(cameBy: ReadonlyMap<number, Edge<Reason> | null>, to: number): Edge<Reason>[] {
	const edges: Edge<Reason>[] = [];
	for (let edge = cameBy.get(to); edge !== undefined && edge !== null; edge = cameBy.get(edge.from)) edges.push(edge);
	return edges.reverse();
}
