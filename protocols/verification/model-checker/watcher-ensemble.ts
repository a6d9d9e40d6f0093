/**
 * All watchers of a group as one component of its state. What a watcher makes of a step is worked out once, by the real
 * `observe` on a copy, and remembered by (watcher, step); what all of them make of it by (ensemble, step). A step is
 * named by a number whose observations can be asked for again.
 */
import { canonicalText, type ProtocolTypes } from "../../core/index.ts";
import { propertyThrew } from "../errors.ts";
import type { GroupObservation } from "../observation.ts";
import type { Finding, Property, Watcher } from "../property.ts";
import { ComponentTable, type Renamings } from "./component-table.ts";
import { reasonOf } from "./errors.ts";
import { PairTable } from "./pair-table.ts";
import type { StateEncoder } from "./state-encoder.ts";
import { NO_FINDINGS, type PropertyFinding } from "./state-space.ts";

/** What one watcher has become and found. */
interface Reaction {
	readonly watcher: number;
	/** 0: nothing; else one more than the place among the property's findings. */
	readonly finding: number;
}

/** One property with every state that its watcher was ever in. */
class WatcherStates<P extends ProtocolTypes, View> {
	readonly property: Property<GroupObservation<P, View>>;
	readonly states: ComponentTable<Watcher<GroupObservation<P, View>>>;
	/** Its witness was seen: what it remembers does not matter any more. */
	isRetired = false;
	readonly findings: Finding[] = [];
	readonly #findingNumbers = new Map<string, number>();
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

	react(watcher: number, step: number, observations: readonly GroupObservation<P, View>[]): Reaction {
		if (this.isRetired) return unmoved;
		const known = this.#byPair.get(watcher, step);
		if (known !== -1) return this.#reactions[known]!;
		const reaction = this.#observe(watcher, observations);
		this.#byPair.set(watcher, step, this.#reactions.push(reaction) - 1);
		return reaction;
	}

	#observe(watcher: number, observations: readonly GroupObservation<P, View>[]): Reaction {
		const { observes } = this.property;
		const seen = observes === undefined ? observations : observations.filter(({ type }) => observes.includes(type));
		if (seen.length === 0) return { watcher, finding: 0 };
		const copy = this.states.value(watcher).copy();
		let found: Finding | null = null;
		for (const observation of seen) {
			const finding = this.#ask(copy, observation);
			if (found?.type !== "violated" && finding !== null) found = finding;
		}
		return { watcher: this.states.intern(copy, copy.state), finding: found === null ? 0 : this.#findingNumber(found) };
	}

	#ask(watcher: Watcher<GroupObservation<P, View>>, observation: GroupObservation<P, View>): Finding | null {
		try {
			return watcher.observe(observation);
		} catch (thrown) {
			throw propertyThrew({ property: this.property.id, reason: reasonOf(thrown) }, { cause: thrown });
		}
	}

	#findingNumber(finding: Finding): number {
		const text = finding.type === "holds" ? "" : canonicalText(finding);
		let number = this.#findingNumbers.get(text);
		if (number === undefined) {
			number = this.findings.push(finding);
			this.#findingNumbers.set(text, number);
		}
		return number;
	}
}

const unmoved: Reaction = { watcher: 0, finding: 0 };

export class WatcherEnsemble<P extends ProtocolTypes, View> {
	readonly #watchers: readonly WatcherStates<P, View>[];
	readonly #renamings: number;
	/** Ensembles as the numbers of their watchers' states. */
	readonly #ensembles: (readonly number[])[] = [];
	readonly #numbers = new Map<string, number>();
	readonly #significant: string[] = [];
	/** As in `ComponentTable`. */
	words: Int32Array = new Int32Array(1 << 10);
	#reactions = new PairTable();
	/** The ensemble and the findings of each reaction. */
	readonly nextOf: number[] = [];
	readonly findingsOf: number[] = [];
	readonly #findings: (readonly PropertyFinding[])[] = [[]];
	readonly #findingNumbers = new Map<string, number>();
	readonly #joined = new PairTable();

	constructor(properties: readonly Property<GroupObservation<P, View>>[], encoder: StateEncoder, renamings: Renamings) {
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

	/** The number of a reaction that was worked out, or -1: look it up in {@link nextOf} and {@link findingsOf}. */
	knownReaction(ensemble: number, step: number): number {
		return this.#reactions.get(ensemble, step);
	}

	/** Works out the reaction of an ensemble to a step, and returns its number. */
	react(ensemble: number, step: number, observations: readonly GroupObservation<P, View>[]): number {
		const found: number[] = [];
		const next = this.#ensembles[ensemble]!.map((watcher, property) => {
			const reaction = this.#watchers[property]!.react(watcher, step, observations);
			found.push(reaction.finding);
			return reaction.watcher;
		});
		this.findingsOf.push(this.#found(found));
		const reaction = this.nextOf.push(this.#intern(next)) - 1;
		this.#reactions.set(ensemble, step, reaction);
		return reaction;
	}

	/**
	 * A `sometimes` has its witness: from now on its watcher stays as it began, so that states which differ only by what it
	 * remembers are one.
	 */
	retire(property: number): void {
		const watcher = this.#watchers[property];
		if (watcher === undefined || watcher.property.kind !== "sometimes" || watcher.isRetired) return;
		watcher.isRetired = true;
		this.#reactions = new PairTable();
	}

	findings(number: number): readonly PropertyFinding[] {
		return this.#findings[number]!;
	}

	/** A number for what some properties have found. */
	findingsNumber(findings: readonly PropertyFinding[]): number {
		return findings.length === 0 ? NO_FINDINGS : this.#findingsNumber(canonicalText(findings), () => findings);
	}

	/** The findings of one step and those of another taken together with it. */
	joined(first: number, second: number): number {
		if (first === NO_FINDINGS) return second;
		const known = this.#joined.get(first, second);
		if (known !== -1) return known;
		const joined = this.findingsNumber([...this.#findings[first]!, ...this.#findings[second]!]);
		this.#joined.set(first, second, joined);
		return joined;
	}

	/** The findings of one step, given by each property's number. */
	#found(found: readonly number[]): number {
		if (found.every((finding) => finding === 0)) return NO_FINDINGS;
		return this.#findingsNumber(found.join(), () =>
			found.flatMap((finding, property) =>
				finding === 0 ? [] : [{ property, finding: this.#watchers[property]!.findings[finding - 1]! }],
			),
		);
	}

	#findingsNumber(key: string, findings: () => readonly PropertyFinding[]): number {
		const known = this.#findingNumbers.get(key);
		if (known !== undefined) return known;
		const number = this.#findings.push(findings()) - 1;
		this.#findingNumbers.set(key, number);
		return number;
	}

	/** Whether two ensembles differ at most in what watchers of a `sometimes` remember, which is no part of a state. */
	isSame(first: number, second: number): boolean {
		return first === second || this.#significant[first] === this.#significant[second];
	}

	/** The states of all watchers that are part of a state, as text. */
	#significantOf(ensemble: readonly number[]): string {
		return ensemble.filter((_, property) => this.#watchers[property]!.property.kind !== "sometimes").join();
	}

	#intern(ensemble: readonly number[]): number {
		const key = ensemble.join();
		const known = this.#numbers.get(key);
		if (known !== undefined) return known;
		const number = this.#ensembles.push(ensemble) - 1;
		this.#numbers.set(key, number);
		this.#significant.push(this.#significantOf(ensemble));
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
				if (this.#watchers[property]!.property.kind === "sometimes") continue;
				sum =
					(sum +
						Math.imul(this.#watchers[property]!.states.words[state * stride + word]!, WEIGHT * (2 * property + 1))) |
					0;
			}
			this.words[number * stride + word] = sum;
		}
		return number;
	}
}

/** Odd, so that weighing loses nothing. */
const WEIGHT = 0x9e3779b1;
