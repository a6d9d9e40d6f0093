/**
 * Replicated values with both kinds of consistency: changes and reads that wait for nobody, and reads and commands in the order of a
 * consensus group. The group runs {@link orderedDocumentModule}.
 */
import { asyncScheduler, type Observable, type SchedulerLike, Subject } from "rxjs";
import { type ErrorObject, errorToObject, nodeId, QuorateError } from "../../protocols/core/index.ts";
import {
	type CrdtCommand,
	type DocumentSchema,
	HybridReplica,
	type OrderedAnswer,
	type OrderedCommand,
	type OrderedQuery,
	type OrderedResult,
	type Path,
	type Reconciled,
	type Requirement,
	replicaId,
	type Value,
} from "../../protocols/crdt/index.ts";
import { nextIncarnation } from "./incarnations.ts";

/** The application of the consensus group: `{ module: orderedDocumentModule, export: "OrderedDocument", args: { schema } }`. */
export const orderedDocumentModule: string = new URL("../../protocols/crdt/hybrid/ordered-document.js", import.meta.url)
	.href;

/** Who asks the group: a `SwarmClient`, a `RaftConsensusManager`, a `ByzantineClient`, or what is like them. */
export interface OrderedClient {
	/** Has a command ordered and applied, and resolves with its result. */
	propose(command: OrderedCommand): Promise<unknown>;
	/** A linearizable read. */
	read(query: OrderedQuery): Promise<unknown>;
}

export interface CRDTConsensusIntegratorOptions {
	/** This replica's incarnation; by default higher than any that this node has had, as long as its clock does not go back. */
	readonly incarnation?: number;
	/** The clock. */
	readonly scheduler?: SchedulerLike;
}

/** What came of {@link CRDTConsensusIntegrator.hybridUpdate}. */
export type HybridUpdated =
	/** Decided at this position of the log: every later strong read sees it. */
	| { readonly success: true; readonly index: number; readonly value: Readonly<Record<string, Value>> }
	/** Done here, and not known to be decided: it is tried again with the next update or strong read. */
	| { readonly success: false; readonly error: ErrorObject; readonly value: Readonly<Record<string, Value>> };

/** What came of {@link CRDTConsensusIntegrator.orderedUpdate}. */
export type OrderedUpdated =
	| { readonly type: "done"; readonly index: number }
	/** What it requires did not hold when it was its turn. */
	| { readonly type: "unmet"; readonly index: number };

/**
 * @example
 * const integrator = new CRDTConsensusIntegrator("node-1", { stock: "pn-counter" }, swarm.client());
 * await integrator.hybridUpdate([{ type: "increment", path: ["stock"], amount: 3 }]);
 * await integrator.orderedUpdate([{ type: "decrement", path: ["stock"], amount: 1 }], { path: ["stock"], atLeast: 1 });
 * const stock = await integrator.strongRead(["stock"]);
 */
export class CRDTConsensusIntegrator {
	readonly #replica: HybridReplica;
	readonly #client: OrderedClient;
	readonly #scheduler: SchedulerLike;
	readonly #reconciled$ = new Subject<Reconciled>();
	/** Proposals of own updates, one after the other: later ones build on earlier ones. */
	#ordering: Promise<unknown> = Promise.resolve();

	/** @throws QuorateError `invalid-argument`, `crdt-schema-invalid` */
	constructor(
		node: string,
		schema: DocumentSchema,
		client: OrderedClient,
		options: CRDTConsensusIntegratorOptions = {},
	) {
		const id = nodeId(node);
		this.#scheduler = options.scheduler ?? asyncScheduler;
		const incarnation = options.incarnation ?? nextIncarnation(id, this.#scheduler.now());
		this.#replica = new HybridReplica(replicaId(id, incarnation), schema);
		this.#client = client;
	}

	/** What each reconciliation with the decided state has brought. */
	get reconciled$(): Observable<Reconciled> {
		return this.#reconciled$.asObservable();
	}

	/** Own updates that are not known to be decided. */
	get unordered(): number {
		return this.#replica.unordered.length;
	}

	/**
	 * Changes the values here at once, and resolves when the change is decided, or could not be for now.
	 * @throws QuorateError what the commands are refused with
	 */
	async hybridUpdate(commands: readonly CrdtCommand[]): Promise<HybridUpdated> {
		this.#replica.change(commands, this.#scheduler.now());
		const value = (): Readonly<Record<string, Value>> => this.#replica.document.value;
		try {
			const index = await this.#order();
			return { success: true, index, value: value() };
		} catch (error) {
			if (!(error instanceof QuorateError)) throw error;
			return { success: false, error: errorToObject(error), value: value() };
		}
	}

	/**
	 * Has commands done by the log itself, if what they require holds there: for what two must not do at once. They are here when it
	 * resolves.
	 * @throws QuorateError what the commands are refused with, or what the client throws
	 */
	async orderedUpdate(commands: readonly CrdtCommand[], requires?: Requirement): Promise<OrderedUpdated> {
		await this.#order();
		const command: OrderedCommand = { type: "perform", commands, ...(requires === undefined ? {} : { requires }) };
		const result = resultOf(await this.#client.propose(command));
		await this.reconcile();
		return { type: result.type === "unmet" ? "unmet" : "done", index: result.index };
	}

	/** What is here now, decided or not: no message is sent. @throws QuorateError `crdt-container-unknown` */
	optimisticRead(...path: Path): Value {
		return this.#replica.optimisticRead(path);
	}

	/**
	 * What is decided: everything that was acknowledged to anybody before the call, own updates that wait included. It is also taken in here.
	 * @throws QuorateError `crdt-container-unknown`, or what the client throws
	 */
	async strongRead(...path: Path): Promise<Value> {
		this.#replica.optimisticRead(path);
		await this.#order();
		return (await this.#ask(path)).value;
	}

	/** Takes in what is decided, and tells how far both were apart. @throws QuorateError what the client throws */
	async reconcile(): Promise<Reconciled> {
		return (await this.#ask([])).reconciled;
	}

	async #ask(path: Path): Promise<{ readonly value: Value; readonly reconciled: Reconciled }> {
		const answer = (await this.#client.read(this.#replica.query(path))) as OrderedAnswer;
		const reconciled = this.#replica.reconcile(answer);
		this.#reconciled$.next(reconciled);
		return { value: answer.value, reconciled };
	}

	/** Has all that waits ordered. Resolves with the position of the last; 0 if nothing waited. */
	#order(): Promise<number> {
		const ordered = this.#ordering.then(async () => {
			let index = 0;
			for (const update of this.#replica.unordered) {
				index = resultOf(await this.#client.propose({ type: "merge", update })).index;
			}
			if (index > 0) await this.#ask([]);
			return index;
		});
		// The next one tries again what this one could not.
		this.#ordering = ordered.catch(() => undefined);
		return ordered;
	}
}

/** @throws QuorateError what a command was refused with */
function resultOf(result: unknown): Exclude<OrderedResult, { type: "refused" }> {
	const ordered = result as OrderedResult;
	if (ordered.type !== "refused") return ordered;
	throw new QuorateError(ordered.error.code, ordered.error.message, ordered.error.details);
}
