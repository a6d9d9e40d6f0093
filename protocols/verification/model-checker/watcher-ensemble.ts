/**
 * All watchers of a group as one component of its state. What a watcher makes of a step is worked out once, by the real
 * `observe` on a copy, and remembered by (watcher, step); what all of them make of it by (ensemble, step). A step is
 * named by a number whose observations can be asked for again.
 */
import { canonicalText, type ProtocolTypes } from "../../core/index.ts";
import type { GroupObservation } from "../observation.ts";
import type { Finding, Property, Watcher } from "../property.ts";
import { ComponentTable, type Renamings } from "./component-table.ts";
import { propertyThrew, reasonOf } from "./errors.ts";
import { PairTable } from "./pair-table.ts";
import type { StateEncoder } from "./state-encoder.ts";
import { NO_FINDINGS, type PropertyFinding } from "./state-space.ts";

/** What one watcher has become and found. */
interface Reaction {
	readonly watcher: number;
	readonly finding: Finding | null;
}

/** One property with every state that its watcher was ever in. */
class WatcherStates<P extends ProtocolTypes, View> {
	readonly property: Property<GroupObservation<P, View>>;
	readonly states: ComponentTable<Watcher<GroupObservation<P, View>>>;
	readonly #reactions: Reaction[] = [];
	readonly #byPair = new PairTable();

	constructor(property: Property<GroupObservation<P, View>>, encoder: StateEncoder, renamings: Renamings) {
		this.property = property;
		this.states = new ComponentTable(encoder, renamings);
		const watcher = property.watch();
		this.states.intern(watcher, watcher.state);
	}

	get memoryBytes(): number {
		return this.states.memoryBytes + this.#byPair.memoryBytes;
	}

	react(watcher: number, step: number, observations: () => readonly GroupObservation<P, View>[]): Reaction {
		const known = this.#byPair.get(watcher, step);
		if (known !== -1) return this.#reactions[known]!;
		const reaction = this.#observe(watcher, observations());
		this.#byPair.set(watcher, step, this.#reactions.push(reaction) - 1);
		return reaction;
	}

	#observe(watcher: number, observations: readonly GroupObservation<P, View>[]): Reaction {
		const copy = this.states.value(watcher).copy();
		let found: Finding | null = null;
		for (const observation of observations) {
			let finding: Finding | null;
			try {
				finding = copy.observe(observation);
			} catch (thrown) {
				const { id } = this.property;
				throw propertyThrew({ property: id, reason: reasonOf(thrown) }, { cause: thrown });
			}
			if (found?.type !== "violated" && finding !== null) found = finding;
		}
		return { watcher: this.states.intern(copy, copy.state), finding: found };
	}
}

export class WatcherEnsemble<P extends ProtocolTypes, View> {
	readonly #watchers: readonly WatcherStates<P, View>[];
	readonly #renamings: number;
	/** Ensembles as the numbers of their watchers' states. */
	readonly #ensembles: (readonly number[])[] = [];
	readonly #numbers = new Map<string, number>();
	/** As in `ComponentTable`. */
	words: Int32Array = new Int32Array(1 << 10);
	readonly #reactions = new PairTable();
	/** The ensemble and the findings of each reaction. */
	readonly nextOf: number[] = [];
	readonly findingsOf: number[] = [];
	readonly #findings: (readonly PropertyFinding[])[] = [[]];
	readonly #findingNumbers = new Map<string, number>();

	constructor(
		properties: readonly Property<GroupObservation<P, View>>[],
		encoder: StateEncoder,
		renamings: Renamings,
	) {
		this.#watchers = properties.map((property) => new WatcherStates(property, encoder, renamings));
		this.#renamings = renamings.length;
		this.#intern(this.#watchers.map(() => 0));
	}

	get size(): number {
		return this.#ensembles.length;
	}

	get memoryBytes(): number {
		const watchers = this.#watchers.reduce((sum, watcher) => sum + watcher.memoryBytes, 0);
		return watchers + this.words.byteLength + this.#reactions.memoryBytes;
	}

	/** The reaction of an ensemble to a step: look it up in {@link nextOf} and {@link findingsOf}. */
	react(ensemble: number, step: number, observations: () => readonly GroupObservation<P, View>[]): number {
		const known = this.#reactions.get(ensemble, step);
		if (known !== -1) return known;
		const findings: PropertyFinding[] = [];
		const next = this.#ensembles[ensemble]!.map((watcher, property) => {
			const reaction = this.#watchers[property]!.react(watcher, step, observations);
			if (reaction.finding !== null) findings.push({ property, finding: reaction.finding });
			return reaction.watcher;
		});
		this.findingsOf.push(this.findingsNumber(findings));
		const reaction = this.nextOf.push(this.#intern(next)) - 1;
		this.#reactions.set(ensemble, step, reaction);
		return reaction;
	}

	findings(number: number): readonly PropertyFinding[] {
		return this.#findings[number]!;
	}

	findingsNumber(findings: readonly PropertyFinding[]): number {
		if (findings.length === 0) return NO_FINDINGS;
		const text = canonicalText(findings);
		const known = this.#findingNumbers.get(text);
		if (known !== undefined) return known;
		const number = this.#findings.push(findings) - 1;
		this.#findingNumbers.set(text, number);
		return number;
	}

	/** What the watchers of an ensemble remember, for a transcript. */
	describe(ensemble: number): string[] {
		return this.#ensembles[ensemble]!.map((state, property) => {
			const { property: watched, states } = this.#watchers[property]!;
			return `${watched.id}: ${canonicalText(states.value(state).state)}`;
		});
	}

	#intern(ensemble: readonly number[]): number {
		const key = ensemble.join();
		const known = this.#numbers.get(key);
		if (known !== undefined) return known;
		const number = this.#ensembles.push(ensemble) - 1;
		this.#numbers.set(key, number);
		const stride = this.#renamings * 2;
		if ((number + 1) * stride > this.words.length) {
			const grown = new Int32Array(Math.max((number + 1) * stride, this.words.length * 2));
			grown.set(this.words);
			this.words = grown;
		}
		for (let word = 0; word < stride; word++) {
			let sum = 0;
			// Two watchers in equal states must not make up for each other, so each property weighs its own.
			for (const [property, state] of ensemble.entries()) {
				sum = (sum + Math.imul(this.#watchers[property]!.states.words[state * stride + word]!, WEIGHT * (2 * property + 1))) | 0;
			}
			this.words[number * stride + word] = sum;
		}
		return number;
	}
}

/** Odd, so that weighing loses nothing. */
const WEIGHT = 0x9e3779b1;
