/**
 * Operations by their hashes, those that are missing included, and the rule by which all honest members take the same of them.
 *
 * An author's operations are a chain. One who signs two with the same predecessor equivocates, and the two are the proof. The numbers of
 * their operations would then name two things, so not both can be taken. The rule is a function of the set of operations alone, hence
 * the same wherever that is the same:
 *
 * 1. Each other author who does not equivocate has one vote on a fork: the branch that is before the first of its operations that has any
 *    (the lowest hash, if several are).
 * 2. The branch with votes of more than half of all members is taken. Without such a branch none is.
 * 3. What is not taken, and what was made after something that is not, is left out.
 *
 * A vote is part of a chain, so it does not change, and a fork that is shown late can not take away what a majority has built on.
 * What honest members have built on a branch that was not taken is left out too, and they are told.
 */
import type { NodeId } from "../../core/index.ts";
import type { OperationId, SignedOperation } from "./operation.ts";

/** Two operations of one author after the same one of its own: each is signed, so anybody can check it. */
export interface Equivocation {
	readonly author: NodeId;
	readonly first: SignedOperation;
	readonly second: SignedOperation;
}

/** Stands for what comes before an author's first operation. */
const ORIGIN = "";

export class OperationGraph {
	readonly #membersCount: number;
	/** In an order in which each comes after what it names. */
	readonly #operations = new Map<OperationId, SignedOperation>();
	/** By author and predecessor. */
	readonly #next = new Map<string, OperationId[]>();
	readonly #authors = new Set<NodeId>();
	readonly #equivocators = new Set<NodeId>();

	constructor(membersCount: number) {
		this.#membersCount = membersCount;
	}

	get(id: OperationId): SignedOperation | undefined {
		return this.#operations.get(id);
	}

	has(id: OperationId): boolean {
		return this.#operations.has(id);
	}

	/** All, each after what it names. */
	get all(): Iterable<SignedOperation> {
		return this.#operations.values();
	}

	/** Authors who have equivocated. */
	get equivocators(): ReadonlySet<NodeId> {
		return this.#equivocators;
	}

	/** Whether an author's operation has one after it; null stands for what is before its first. */
	isFollowed(author: NodeId, id: OperationId | null): boolean {
		return this.#next.has(chainKey(author, id));
	}

	/** Whether everything that it names is here. */
	isReady({ previous, dependencies }: SignedOperation): boolean {
		return (previous === null || this.has(previous)) && dependencies.every((id) => this.has(id));
	}

	/** Adds one that is ready and not here yet. Returns the proof if its author equivocates by it. */
	add(operation: SignedOperation): Equivocation | null {
		const { id, author } = operation;
		this.#operations.set(id, operation);
		this.#authors.add(author);
		const key = chainKey(author, operation.previous);
		const siblings = this.#next.get(key) ?? [];
		this.#next.set(key, [...siblings, id]);
		const [first] = siblings;
		if (first === undefined) return null;
		this.#equivocators.add(author);
		return { author, first: this.#operations.get(first)!, second: operation };
	}

	/** Those that are taken, each after what it names. */
	taken(): SignedOperation[] {
		const ofChains = new Set<OperationId>();
		for (const author of this.#authors) for (const id of this.#chain(author)) ofChains.add(id);
		const taken = new Set<OperationId>();
		for (const { id, dependencies } of this.#operations.values()) {
			if (ofChains.has(id) && dependencies.every((other) => taken.has(other))) taken.add(id);
		}
		return [...this.#operations.values()].filter(({ id }) => taken.has(id));
	}

	/** All that none of these has before it, in order; those that are not known here are passed over. */
	missing(heads: readonly OperationId[]): SignedOperation[] {
		const known = this.#past(heads);
		return [...this.#operations.values()].filter(({ id }) => !known.has(id));
	}

	/** Those that no other one names. */
	get heads(): OperationId[] {
		const heads = new Set(this.#operations.keys());
		for (const { previous, dependencies } of this.#operations.values()) {
			if (previous !== null) heads.delete(previous);
			for (const id of dependencies) heads.delete(id);
		}
		return [...heads].sort();
	}

	/** An author's operations as far as they are one chain, or a majority has chosen a branch. */
	#chain(author: NodeId): OperationId[] {
		const chain: OperationId[] = [];
		for (let at: OperationId | null = null; ; ) {
			const branches: readonly OperationId[] = this.#next.get(chainKey(author, at)) ?? [];
			const next = branches.length > 1 ? this.#chosen(author, branches) : branches[0];
			if (next === undefined) return chain;
			chain.push(next);
			at = next;
		}
	}

	#chosen(author: NodeId, branches: readonly OperationId[]): OperationId | undefined {
		const votes = new Map<OperationId, number>();
		for (const voter of this.#authors) {
			if (voter === author || this.#equivocators.has(voter)) continue;
			const vote = this.#vote(voter, branches);
			if (vote !== null) votes.set(vote, (votes.get(vote) ?? 0) + 1);
		}
		return [...votes].find(([, count]) => 2 * count > this.#membersCount)?.[0];
	}

	/** The branch that an author has taken first. It has one chain. */
	#vote(voter: NodeId, branches: readonly OperationId[]): OperationId | null {
		for (let at = this.#after(voter, null); at !== undefined; at = this.#after(voter, at)) {
			const past = this.#past([at]);
			const seen = branches.filter((branch) => past.has(branch)).sort();
			if (seen.length > 0) return seen[0]!;
		}
		return null;
	}

	#after(author: NodeId, id: OperationId | null): OperationId | undefined {
		return this.#next.get(chainKey(author, id))?.[0];
	}

	/** These and all before them. */
	#past(ids: readonly OperationId[]): Set<OperationId> {
		const past = new Set<OperationId>();
		const left = [...ids];
		for (let id = left.pop(); id !== undefined; id = left.pop()) {
			const operation = this.#operations.get(id);
			if (operation === undefined || past.has(id)) continue;
			past.add(id);
			left.push(...operation.dependencies);
			if (operation.previous !== null) left.push(operation.previous);
		}
		return past;
	}
}

function chainKey(author: NodeId, previous: OperationId | null): string {
	return `${author} ${previous ?? ORIGIN}`;
}
