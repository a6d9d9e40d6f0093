/**
 * A model of plain values, for people who check a design or a protocol of their own: initial states, actions, what
 * they lead to, properties and bounds. {@link modelSpace} packs it for the search.
 */
import { assert, canonicalText, compareIds } from "../../core/index.ts";
import { propertyThrew } from "../errors.ts";
import type { Finding, FindingDetails, PropertyKind } from "../property.ts";
import { modelMalformed, modelUnbounded, reasonOf } from "./errors.ts";
import { NO_FINDINGS, type PropertyFinding, type StateSpace, type SuccessorSink } from "./state-space.ts";

/** A property of single states. */
export interface StateProperty<State> {
	readonly id: string;
	/**
	 * `always`: in every state. `sometimes`: in one at least. `eventually`: on every fair run there comes a state where it
	 * holds ({@link Model.fairness}).
	 */
	readonly kind: PropertyKind;
	readonly statement: string;
	readonly holds: (state: State) => boolean;
	/** The values that show a violation; the state is printed anyhow. */
	readonly details?: (state: State) => FindingDetails;
}

/** States and actions are plain data, as `canonicalText` takes them. */
export interface Model<State, Action> {
	readonly name: string;
	readonly initial: readonly State[];
	/** What may happen in a state, each once. */
	readonly actions: (state: State) => readonly Action[];
	/** The state after an action; never changes the one before. Null: it is not possible after all. */
	readonly next: (state: State, action: Action) => State | null;
	readonly properties: readonly StateProperty<State>[];
	/** The bounds: states for which it is false are judged, and neither counted nor explored. */
	readonly isWithin: (state: State) => boolean;
	/** The states that differ from this one only by names that do not matter. Not together with `eventually`. */
	readonly renamings?: (state: State) => readonly State[];
	/**
	 * The class of an action that is weakly fair: if actions of the class stay possible for ever, one of them is taken.
	 * Null: it may be refused for ever. Default: nothing is fair, and a run may stop anywhere.
	 */
	readonly fairness?: (action: Action) => string | null;
	/** Default: the canonical text. */
	readonly describeState?: (state: State) => readonly string[];
	readonly describeAction?: (action: Action) => string;
}

/**
 * The packed form of a model.
 * @throws QuorateError `model-unbounded` without `isWithin`, `model-malformed` for `renamings` beside an `eventually`
 */
export function modelSpace<State, Action>(model: Model<State, Action>): StateSpace {
	const { name } = model;
	if (typeof model.isWithin !== "function") {
		throw modelUnbounded({
			model: name,
			bound: "isWithin",
			expected: "a function of states",
			actual: typeof model.isWithin,
		});
	}
	const hasEventually = model.properties.some(({ kind }) => kind === "eventually");
	if (hasEventually && model.renamings !== undefined) {
		throw modelMalformed({ model: name, problem: "eventually is not judged under symmetry: a cycle would be none" });
	}
	return new ModelSpace(model, hasEventually);
}

/** One word a state: its number. */
class ModelSpace<State, Action> implements StateSpace {
	readonly name: string;
	readonly stateWords = 1;
	readonly properties: StateSpace["properties"];
	readonly liveness: StateSpace["liveness"];
	readonly #model: Model<State, Action>;
	readonly #states: State[] = [];
	readonly #stateNumbers = new Map<string, number>();
	readonly #actions: Action[] = [];
	readonly #actionNumbers = new Map<string, number>();
	readonly #fairClasses: string[] = [];
	/** By number of an action: its class's position, or -1. */
	readonly #fairClassOf: number[] = [];
	readonly #findings: PropertyFinding[][] = [[]];
	readonly #findingNumbers = new Map<string, number>();
	#textLength = 0;

	constructor(model: Model<State, Action>, hasEventually: boolean) {
		this.#model = model;
		this.name = model.name;
		this.properties = model.properties.map(({ id, kind, statement }) => ({ id, kind, statement, source: model.name }));
		this.liveness = hasEventually
			? {
					isRecurrent: false,
					holds: (property, words, at) => this.#holds(property, this.#stateAt(words, at)),
					fairClasses: this.#fairClasses,
					fairClassOf: (action) => this.#fairClassOf[action]!,
				}
			: null;
	}

	get memoryBytes(): number {
		return this.#textLength * 2;
	}

	begin(sink: SuccessorSink): void {
		for (const [number, state] of this.#model.initial.entries()) this.#put(sink, number, state);
	}

	expand(words: Uint32Array, at: number, sink: SuccessorSink): void {
		const state = this.#stateAt(words, at);
		for (const action of this.#model.actions(state)) {
			const next = this.#model.next(state, action);
			if (next !== null) this.#put(sink, this.#actionNumber(action), next);
		}
	}

	findingsOf(findings: number): readonly PropertyFinding[] {
		return this.#findings[findings]!;
	}

	witnessed(): void {
		// A property of single states remembers nothing.
	}

	describeAction(_words: Uint32Array, _at: number, action: number): string {
		const value = this.#actions[action]!;
		return this.#model.describeAction?.(value) ?? canonicalText(value);
	}

	describeState(words: Uint32Array, at: number): readonly string[] {
		const state = this.#stateAt(words, at);
		return this.#model.describeState?.(state) ?? [canonicalText(state)];
	}

	#put(sink: SuccessorSink, action: number, state: State): void {
		const findings = this.#judge(state);
		const number = this.#stateNumber(state, canonicalText(state));
		sink.words[0] = number;
		if (!this.#model.isWithin(state)) {
			sink.beyond(action, findings);
			return;
		}
		const same = this.#representative(state, number);
		// Numbers are unique already, so this is as good as any fingerprint.
		sink.successor(action, 0, same, findings);
	}

	#stateAt(words: Uint32Array, at: number): State {
		return this.#states[words[at]!]!;
	}

	#stateNumber(state: State, text: string): number {
		let number = this.#stateNumbers.get(text);
		if (number === undefined) {
			number = this.#states.push(state) - 1;
			this.#stateNumbers.set(text, number);
			this.#textLength += text.length;
		}
		return number;
	}

	/** The number of the least among a state and its renamings. */
	#representative(state: State, number: number): number {
		const renamings = this.#model.renamings?.(state);
		if (renamings === undefined || renamings.length === 0) return number;
		const candidates = [state, ...renamings].map((candidate) => ({ candidate, text: canonicalText(candidate) }));
		const least = candidates.reduce((a, b) => (compareIds(b.text, a.text) < 0 ? b : a));
		return this.#stateNumber(least.candidate, least.text);
	}

	#actionNumber(action: Action): number {
		const text = canonicalText(action);
		let number = this.#actionNumbers.get(text);
		if (number === undefined) {
			number = this.#actions.push(action) - 1;
			this.#actionNumbers.set(text, number);
			this.#fairClassOf.push(this.#fairClassNumber(this.#model.fairness?.(action) ?? null));
		}
		return number;
	}

	#fairClassNumber(name: string | null): number {
		if (name === null) return -1;
		const known = this.#fairClasses.indexOf(name);
		return known === -1 ? this.#fairClasses.push(name) - 1 : known;
	}

	#judge(state: State): number {
		const findings: PropertyFinding[] = [];
		for (const [property, { kind, details }] of this.#model.properties.entries()) {
			if (kind === "eventually") continue;
			const finding = this.#findingOf(property, kind, state, details);
			if (finding !== null) findings.push({ property, finding });
		}
		if (findings.length === 0) return NO_FINDINGS;
		const text = canonicalText(findings);
		let number = this.#findingNumbers.get(text);
		if (number === undefined) {
			number = this.#findings.push(findings) - 1;
			this.#findingNumbers.set(text, number);
		}
		return number;
	}

	#findingOf(
		property: number,
		kind: PropertyKind,
		state: State,
		details: ((state: State) => FindingDetails) | undefined,
	): Finding | null {
		if (this.#holds(property, state)) return { type: "holds" };
		return kind === "always" ? { type: "violated", details: details?.(state) ?? {} } : null;
	}

	#holds(property: number, state: State): boolean {
		const { id, holds } = this.#model.properties[property]!;
		let isTrue: boolean;
		try {
			isTrue = holds(state);
		} catch (thrown) {
			throw propertyThrew({ property: id, reason: reasonOf(thrown) }, { cause: thrown });
		}
		assert(typeof isTrue === "boolean", "a property answers true or false", { property: id });
		return isTrue;
	}
}
