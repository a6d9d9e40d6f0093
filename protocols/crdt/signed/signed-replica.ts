/**
 * A replica among members of which any number may lie, as long as honest ones reach each other: a document whose operations are signed and
 * name what came before them. What one can not have made is refused; who says two things is found out by whoever hears both, and all
 * honest members come to the same bytes all the same (see `graph.ts`).
 *
 * Not protected: a liar may write nonsense of its own, as any member may, and stamps far in the future. And there is no collection:
 * it would need everybody's word.
 */
import {
	assert,
	type CryptoPort,
	type ErrorObject,
	errorToObject,
	type NodeId,
	QuorateError,
	requireInteger,
} from "../../core/index.ts";
import { CausalContext } from "../causality/causal-context.ts";
import { incarnationOf, nodeOf, type ReplicaId, replicaId } from "../causality/replica.ts";
import { CrdtDocument } from "../document/document.ts";
import { bufferFull, operationInvalid, replicaReused } from "../errors.ts";
import type { DocumentSchema } from "../types/schema.ts";
import { type Equivocation, OperationGraph } from "./graph.ts";
import {
	decodeOperation,
	encodeOperation,
	type OperationId,
	type SignedOperation,
	signOperation,
} from "./operation.ts";

export interface SignedReplicaOptions {
	readonly node: NodeId;
	/** Everybody who may write, this one included. */
	readonly members: readonly NodeId[];
	readonly schema: DocumentSchema;
	/** Keyed for this node. */
	readonly crypto: CryptoPort;
	/** Operations that wait for what they name, per author, 1 to 1,000,000. Default 1,000. */
	readonly waitingMax?: number;
}

export type SignedOutcome =
	| { readonly type: "applied" | "known" | "waiting" }
	/** An author has said two things. Both are kept, as the proof, and which of them counts is decided alike everywhere. */
	| { readonly type: "equivocation"; readonly evidence: Equivocation };

export type SignedEvent =
	| { readonly type: "equivocation"; readonly evidence: Equivocation }
	/** Operations of this replica are left out, since they were made after one that is: whoever made them may make them anew. */
	| { readonly type: "left-out"; readonly operations: readonly OperationId[] }
	/** An operation that had waited is one that its author can not have made. */
	| { readonly type: "refused"; readonly author: NodeId; readonly error: ErrorObject };

/** What an author's next operation has to continue, and what was applied before an operation. */
interface Place {
	readonly replica: ReplicaId;
	readonly through: number;
	/** What is before it, itself included. */
	readonly context: CausalContext;
}

const WAITING_MAX_DEFAULT = 1_000;

export class SignedReplica {
	readonly #options: SignedReplicaOptions;
	readonly #waitingMax: number;
	readonly #graph: OperationGraph;
	readonly #places = new Map<OperationId, Place>();
	readonly #waiting = new Map<OperationId, SignedOperation>();
	/** Reads what is not believed yet. */
	readonly #reader: CrdtDocument;
	#document: CrdtDocument;
	/** Operations that the document is made of. */
	#inForce = new Set<OperationId>();
	/** This replica's last operation. */
	#last: OperationId | null = null;
	/** Operations in force that none in force names. */
	#heads = new Set<OperationId>();
	#leftOut = new Set<OperationId>();
	/** Told of what is noticed; null for none. */
	observer: ((event: SignedEvent) => void) | null = null;

	/** @throws QuorateError `invalid-argument`, `crdt-schema-invalid` */
	constructor(options: SignedReplicaOptions) {
		this.#options = options;
		this.#waitingMax = requireInteger("waitingMax", options.waitingMax ?? WAITING_MAX_DEFAULT, 1, 1_000_000);
		this.#graph = new OperationGraph(options.members.length);
		this.#document = this.#newDocument(0);
		this.#reader = this.#newDocument(0);
	}

	/** To read, and to change by {@link change} only. */
	get document(): CrdtDocument {
		return this.#document;
	}

	/** Members that have been found out. */
	get equivocators(): ReadonlySet<NodeId> {
		return this.#graph.equivocators;
	}

	/** Operations that wait for what they name. */
	get waiting(): number {
		return this.#waiting.size;
	}

	/**
	 * Changes the document, and returns the signed operation for all others; null if nothing was changed. What `act` has done before it
	 * threw goes with the next change.
	 * @throws QuorateError `crdt-replica-reused` if an operation is known that another holder of the key has signed, and what `act` throws
	 */
	change(act: (document: CrdtDocument) => void): Uint8Array | null {
		if (this.#graph.isFollowed(this.#options.node, this.#last)) {
			const { replica, context } = this.#document;
			const reason = "somebody else signs with its key";
			throw replicaReused({ replica, seen: context.sequenceOf(replica), reason });
		}
		act(this.#document);
		return this.#seal();
	}

	/**
	 * Takes in a foreign operation.
	 * @throws QuorateError `crdt-operation-invalid` if its author can not have made it, `crdt-update-damaged`, `crdt-container-unknown`,
	 *   `crdt-buffer-full` if too much of its author waits
	 */
	receive(bytes: Uint8Array): SignedOutcome {
		const operation = decodeOperation(this.#options.crypto, bytes);
		const { id, author } = operation;
		if (!this.#options.members.includes(author)) throw operationInvalid({ author, reason: "it is no member" });
		if (this.#graph.has(id) || this.#waiting.has(id)) return { type: "known" };
		if (!this.#graph.isReady(operation)) {
			const buffered = [...this.#waiting.values()].filter((other) => other.author === author).length;
			if (buffered >= this.#waitingMax) throw bufferFull({ buffered, limit: this.#waitingMax, unit: "operations" });
			this.#waiting.set(id, operation);
			return { type: "waiting" };
		}
		const evidence = this.#take(operation);
		this.#drain();
		return evidence === null ? { type: "applied" } : { type: "equivocation", evidence };
	}

	/** What it has: to be told to others, who answer with {@link missing}. */
	get heads(): readonly OperationId[] {
		return this.#graph.heads;
	}

	/** Operations that a replica with these heads lacks, each after what it names. */
	missing(heads: readonly OperationId[]): Uint8Array[] {
		return this.#graph.missing(heads).map(encodeOperation);
	}

	#newDocument(incarnation: number): CrdtDocument {
		const { node, schema } = this.#options;
		return new CrdtDocument({ replica: replicaId(node, incarnation), schema });
	}

	#seal(): Uint8Array | null {
		const update = this.#document.takeUpdate();
		if (update === null) return null;
		const { node: author, crypto } = this.#options;
		const operation = signOperation(crypto, {
			author,
			previous: this.#last,
			dependencies: [...this.#heads].sort(),
			update,
		});
		this.#last = operation.id;
		this.#places.set(operation.id, this.#place(operation));
		const evidence = this.#graph.add(operation);
		assert(evidence === null, "an honest replica says one thing");
		this.#noteInForce(operation.id, operation.dependencies);
		return encodeOperation(operation);
	}

	/** Checks an operation against what it names alone, so that all come to the same answer. */
	#place({ id, author, previous, dependencies, update }: SignedOperation): Place {
		const refuse = (reason: string): Error =>
			operationInvalid({ author, reason: `operation ${id.slice(0, 16)}: ${reason}` });
		const before = previous === null ? null : this.#places.get(previous)!;
		if (previous !== null && this.#graph.get(previous)?.author !== author)
			throw refuse("its predecessor is another author's");
		const context = new CausalContext();
		for (const dependency of dependencies) context.join(this.#places.get(dependency)!.context);
		const { epoch, sections, needs } = this.#reader.scopeOf(update);
		const [section] = sections;
		if (section === undefined || sections.length > 1 || epoch > 0) throw refuse("it is not one author's update");
		const { replica, first, last } = section;
		if (nodeOf(replica) !== author) throw refuse(`it has operations of ${replica}`);
		const goesOn = before === null ? first === 1 : before.replica === replica && first === before.through + 1;
		const isAnew = before !== null && incarnationOf(replica) > incarnationOf(before.replica) && first === 1;
		if (!goesOn && !isAnew) throw refuse(`its numbers do not go on where the one before has ended`);
		if (!context.includes(needs) || context.sequenceOf(replica) !== first - 1)
			throw refuse("it leans on something that it does not name");
		context.addThrough(replica, last);
		return { replica, through: last, context };
	}

	/** @throws QuorateError `crdt-operation-invalid` and what reading the update throws */
	#take(operation: SignedOperation): Equivocation | null {
		this.#places.set(operation.id, this.#place(operation));
		const evidence = this.#graph.add(operation);
		if (evidence !== null) this.observer?.({ type: "equivocation", evidence });
		if (this.#graph.equivocators.size === 0) this.#apply(operation);
		else this.#reconsider();
		return evidence;
	}

	/** Applies one of which all that it names was to be applied before. */
	#apply({ id, author, update, dependencies }: SignedOperation): void {
		if (!dependencies.every((dependency) => this.#inForce.has(dependency))) return;
		try {
			const outcome = this.#document.apply(update);
			assert(outcome === "applied", "what an operation needs is among what it names", { id, outcome });
		} catch (error) {
			if (!(error instanceof QuorateError)) throw error;
			// It fits to nothing before it, wherever it comes: so all leave it out, and what was made after it.
			this.observer?.({ type: "refused", author, error: errorToObject(error) });
			return;
		}
		this.#noteInForce(id, dependencies);
	}

	#noteInForce(id: OperationId, dependencies: readonly OperationId[]): void {
		this.#inForce.add(id);
		for (const dependency of dependencies) this.#heads.delete(dependency);
		this.#heads.add(id);
	}

	/** Somebody has equivocated: what is taken may have changed with any operation. */
	#reconsider(): void {
		const taken = this.#graph.taken();
		const isTaken = new Set(taken.map(({ id }) => id));
		if ([...this.#inForce].every((id) => isTaken.has(id))) {
			for (const operation of taken) if (!this.#inForce.has(operation.id)) this.#apply(operation);
		} else this.#rebuild(taken);
		this.#noteLeftOut();
	}

	/** Makes the document anew, under a new incarnation: numbers of operations that are left out are never used again. */
	#rebuild(taken: readonly SignedOperation[]): void {
		const last = this.#last === null ? 0 : incarnationOf(this.#places.get(this.#last)!.replica) + 1;
		this.#document = this.#newDocument(last);
		this.#inForce = new Set();
		this.#heads = new Set();
		for (const operation of taken) this.#apply(operation);
	}

	#noteLeftOut(): void {
		const { node } = this.#options;
		const own = [...this.#graph.all].flatMap(({ id, author }) => (author === node ? [id] : []));
		const leftOut = own.filter((id) => !this.#inForce.has(id));
		const news = leftOut.filter((id) => !this.#leftOut.has(id));
		this.#leftOut = new Set(leftOut);
		if (news.length > 0) this.observer?.({ type: "left-out", operations: news });
	}

	#drain(): void {
		for (let moved = true; moved; ) {
			moved = false;
			for (const operation of [...this.#waiting.values()]) {
				if (!this.#graph.isReady(operation)) continue;
				this.#waiting.delete(operation.id);
				moved = true;
				try {
					this.#take(operation);
				} catch (error) {
					this.observer?.({ type: "refused", author: operation.author, error: errorToObject(error) });
				}
			}
		}
	}
}
