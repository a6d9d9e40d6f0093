/**
 * What the types mean, straight from their definitions and as slowly as that is: every operation is kept with the set of operations
 * that its replica knew, and a value is worked out from all operations in a context, each time anew. It shares nothing with
 * the product but dots as names. Sequences follow the tree of FugueMax as the paper defines it (Weidner and Kleppmann,
 * TPDS 2025, Algorithm 1 with the sibling order of §4), one node a character.
 */
import type { CausalContext, ReplicaId } from "../../../protocols/crdt/index.ts";
import { compareReplicas } from "../../../protocols/crdt/index.ts";

/** What an operation did, by the name of the part that it is about. */
export type Effect =
	| { readonly type: "add" | "remove"; readonly part: string; readonly element: string }
	| { readonly type: "write"; readonly part: string; readonly value: string | boolean }
	| { readonly type: "increment"; readonly part: string; readonly amount: number }
	| { readonly type: "reset"; readonly part: string }
	| { readonly type: "delete"; readonly part: string; readonly target: Name }
	| {
			readonly type: "insert";
			readonly part: string;
			readonly character: string;
			readonly parent: Name | null;
			readonly side: "left" | "right";
			readonly rightOrigin: Name | null;
	  };

export interface Name {
	readonly replica: ReplicaId;
	readonly sequence: number;
}

interface Operation extends Name {
	readonly effect: Effect;
	/** What its replica knew before. */
	readonly past: CausalContext;
	/** One more than any that it knew. */
	readonly lamport: number;
}

interface TreeNode {
	readonly operation: Operation & { readonly effect: Effect & { readonly type: "insert" } };
	readonly left: TreeNode[];
	readonly right: TreeNode[];
}

export class ReferenceHistory {
	readonly #operations: Operation[] = [];

	/** Records an operation that took these dots of its replica; `past` is what the replica knew before. */
	record(replica: ReplicaId, sequence: number, past: CausalContext, effect: Effect): void {
		const known = this.#known(effect.part, past);
		const lamport = 1 + Math.max(0, ...known.map((operation) => operation.lamport));
		this.#operations.push({ replica, sequence, effect, past: past.copy(), lamport });
	}

	/** The parent, side and right origin of a character that is inserted by whoever knows `context`. */
	placeOf(
		part: string,
		context: CausalContext,
		position: number,
	): Pick<Effect & { type: "insert" }, "parent" | "side" | "rightOrigin"> {
		const order = this.#traverse(part, context);
		const visible = order.filter((node) => this.#isVisible(node, context));
		const left = position === 0 ? null : visible[position - 1]!;
		const right = order[left === null ? 0 : order.indexOf(left) + 1] ?? null;
		const hasRightChildren = left === null ? order.length > 0 : left.right.length > 0;
		const name = (node: TreeNode | null): Name | null =>
			node === null ? null : { replica: node.operation.replica, sequence: node.operation.sequence };
		return hasRightChildren
			? { parent: name(right), side: "left", rightOrigin: name(right) }
			: { parent: name(left), side: "right", rightOrigin: name(right) };
	}

	/** The names of the visible characters. */
	visible(part: string, context: CausalContext): Name[] {
		return this.#traverse(part, context)
			.filter((node) => this.#isVisible(node, context))
			.map(({ operation: { replica, sequence } }) => ({ replica, sequence }));
	}

	text(part: string, context: CausalContext): string {
		return this.#traverse(part, context)
			.filter((node) => this.#isVisible(node, context))
			.map((node) => node.operation.effect.character)
			.join("");
	}

	/** Increments that no reset has seen. */
	count(part: string, context: CausalContext): number {
		const known = this.#known(part, context);
		const resets = known.filter(({ effect }) => effect.type === "reset");
		let sum = 0;
		for (const operation of known) {
			if (operation.effect.type !== "increment" || resets.some((reset) => sees(reset, operation))) continue;
			sum += operation.effect.amount;
		}
		return sum;
	}

	/** Elements with an addition that no removal (or reset) has seen. */
	addWins(part: string, context: CausalContext): string[] {
		const known = this.#known(part, context);
		return elementsOf(known).filter((element) => {
			const removals = known.filter(({ effect }) => effect.type === "reset" || isAbout(effect, "remove", element));
			return known.some((op) => isAbout(op.effect, "add", element) && !removals.some((removal) => sees(removal, op)));
		});
	}

	/** Elements that have been added, and whose every removal an addition has seen. */
	removeWins(part: string, context: CausalContext): string[] {
		const known = this.#known(part, context);
		return elementsOf(known).filter((element) => {
			const additions = known.filter(({ effect }) => isAbout(effect, "add", element));
			const removals = known.filter(({ effect }) => isAbout(effect, "remove", element));
			return additions.length > 0 && removals.every((removal) => additions.some((addition) => sees(addition, removal)));
		});
	}

	/** Writes that no other write (or reset) has seen, by replica. */
	writes(part: string, context: CausalContext): (string | boolean)[] {
		return this.#latest(part, context).map(({ effect }) => (effect as Effect & { type: "write" }).value);
	}

	/** The write with the greatest Lamport time, then replica, among those of {@link writes}. */
	lastWrite(part: string, context: CausalContext): string | boolean | null {
		const latest = this.#latest(part, context).sort(
			(a, b) => a.lamport - b.lamport || compareReplicas(a.replica, b.replica),
		);
		const last = latest.at(-1);
		return last === undefined ? null : (last.effect as Effect & { type: "write" }).value;
	}

	#latest(part: string, context: CausalContext): Operation[] {
		const known = this.#known(part, context);
		return known
			.filter((write) => write.effect.type === "write" && !known.some((other) => sees(other, write)))
			.sort((a, b) => compareReplicas(a.replica, b.replica));
	}

	#known(part: string, context: CausalContext): Operation[] {
		return this.#operations.filter(
			(operation) => operation.effect.part === part && context.has(operation.replica, operation.sequence),
		);
	}

	#isVisible({ operation }: TreeNode, context: CausalContext): boolean {
		return !this.#known(operation.effect.part, context).some(({ effect, past }) => {
			if (effect.type === "reset") return past.has(operation.replica, operation.sequence);
			return effect.type === "delete" && isSame(effect.target, operation);
		});
	}

	/** All characters in order, deleted ones included. */
	#traverse(part: string, context: CausalContext): TreeNode[] {
		const nodes = this.#known(part, context).flatMap((operation): TreeNode[] =>
			operation.effect.type === "insert"
				? [{ operation: operation as TreeNode["operation"], left: [], right: [] }]
				: [],
		);
		const find = (name: Name | null): TreeNode | undefined =>
			name === null ? undefined : nodes.find((node) => isSame(name, node.operation));
		const roots: TreeNode[] = [];
		for (const node of nodes) {
			const { parent, side } = node.operation.effect;
			const siblings = parent === null ? roots : side === "left" ? find(parent)!.left : find(parent)!.right;
			siblings.push(node);
		}
		// Left siblings by id; right ones by their right origins, those further right first, then by id. Where a right origin
		// stands depends on the order of other siblings, so it is looked up among those that are in order already.
		const order: TreeNode[] = [];
		const place = (name: Name | null): number => {
			if (name === null) return Number.POSITIVE_INFINITY;
			return ancestorsFirst.indexOf(find(name)!);
		};
		const byId = (a: TreeNode, b: TreeNode): number =>
			compareReplicas(a.operation.replica, b.operation.replica) || a.operation.sequence - b.operation.sequence;
		let ancestorsFirst: TreeNode[] = [];
		const visit = (list: readonly TreeNode[], into: TreeNode[]): void => {
			for (const node of list) {
				visit(node.left, into);
				into.push(node);
				visit(node.right, into);
			}
		};
		// A right origin is a node outside the siblings' subtrees, or a sibling's own: repeat until nothing moves.
		for (let round = 0; round <= nodes.length; round++) {
			for (const node of nodes) node.left.sort(byId);
			ancestorsFirst = [];
			visit(roots, ancestorsFirst);
			const before = ancestorsFirst.map((node) => node.operation);
			for (const siblings of [roots, ...nodes.map((node) => node.right)]) {
				siblings.sort((a, b) => {
					const [right, other] = [place(a.operation.effect.rightOrigin), place(b.operation.effect.rightOrigin)];
					return right === other ? byId(a, b) : right > other ? -1 : 1;
				});
			}
			ancestorsFirst = [];
			visit(roots, ancestorsFirst);
			if (ancestorsFirst.every((node, i) => node.operation === before[i])) break;
		}
		order.push(...ancestorsFirst);
		return order;
	}
}

function sees(later: Operation, earlier: Operation): boolean {
	return later.past.has(earlier.replica, earlier.sequence);
}

function isSame(a: Name, b: Name): boolean {
	return a.replica === b.replica && a.sequence === b.sequence;
}

function isAbout(effect: Effect, type: "add" | "remove", element: string): boolean {
	return effect.type === type && effect.element === element;
}

function elementsOf(operations: readonly Operation[]): string[] {
	const elements = operations.flatMap(({ effect }) => ("element" in effect ? [effect.element] : []));
	return [...new Set(elements)].sort();
}
