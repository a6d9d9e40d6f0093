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

/** The observations of a step, asked for only where they matter. */
type ObservationsOf<P extends ProtocolTypes, View> = (step: number) => readonly GroupObservation<P, View>[];

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
	/** Of an `eventually`, by state: whether it held when it was judged last. It is part of the state. */
	readonly isHolding: boolean[] = [false];
	/** Its witness was seen: what it remembers does not matter any more. */
	isRetired = false;
	readonly findings: Finding[] = [];
	readonly #findingNumbers = new Map<string, number>();
	readonly #reactions: Reaction[] = [{ watcher: 0, finding: 0 }];
	readonly #byPair = new PairTable();

	constructor(property: Property<GroupObservation<P, View>>, encoder: StateEncoder, renamings: Renamings) {
		this.property = property;
		this.states = new ComponentTable(encoder, renamings);
		const watcher = property.watch();
		this.states.intern(watcher, this.#plain(watcher, false));
	}

	get memoryBytes(): number {
		return this.states.memoryBytes + this.#byPair.memoryBytes;
	}

	/** Whether what it remembers is part of a state of the model. */
	get isSignificant(): boolean {
		return this.property.kind !== "sometimes";
	}

	/** The number of what a watcher in a state makes of a step. */
	react(watcher: number, step: number, observationsOf: ObservationsOf<P, View>): number {
		if (this.isRetired) return UNMOVED;
		const known = this.#byPair.get(watcher, step);
		if (known !== -1) return known;
		const reaction = this.#reactions.push(this.#observe(watcher, observationsOf(step))) - 1;
		this.#byPair.set(watcher, step, reaction);
		return reaction;
	}

	reaction(number: number): Reaction {
		return this.#reactions[number]!;
	}

	#observe(watcher: number, observations: readonly GroupObservation<P, View>[]): Reaction {
		const { observes } = this.property;
		const seen = observes === undefined ? observations : observations.filter(({ type }) => observes.includes(type));
		if (seen.length === 0) return { watcher, finding: 0 };
		const copy = this.states.value(watcher).copy();
		let found: Finding | null = null;
		let isHolding = this.isHolding[watcher]!;
		for (const observation of seen) {
			const finding = this.#ask(copy, observation);
			if (this.#isEventual) {
				if (finding !== null) isHolding = finding.type === "holds";
			} else if (found?.type !== "violated" && finding !== null) found = finding;
		}
		if (this.#isEventual) return { watcher: this.#internEventual(copy, isHolding), finding: 0 };
		return { watcher: this.states.intern(copy, copy.state), finding: found === null ? 0 : this.#findingNumber(found) };
	}

	get #isEventual(): boolean {
		return this.property.kind === "eventually";
	}

	#plain(watcher: Watcher<GroupObservation<P, View>>, isHolding: boolean): unknown {
		return this.#isEventual ? [watcher.state, isHolding] : watcher.state;
	}

	#internEventual(watcher: Watcher<GroupObservation<P, View>>, isHolding: boolean): number {
		const number = this.states.intern(watcher, this.#plain(watcher, isHolding));
		this.isHolding[number] = isHolding;
		return number;
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

/** What a retired watcher makes of everything. */
const UNMOVED = 0;

/**
 * One watcher, or two groups of watchers taken together, with every state that they were ever in. What a group makes of a
 * step is looked up once it is known, and what its halves make of it is known far more often than what all of them do.
 */
interface WatcherGroup<P extends ProtocolTypes, View> {
	/** As in `ComponentTable`, without what no state of the model remembers. */
	words(number: number, word: number): number;
	/** Equal for states that differ at most in what no state of the model remembers. */
	significance(number: number): number;
	/** The number of what the group in a state makes of a step. */
	react(number: number, step: number, observationsOf: ObservationsOf<P, View>): number;
	/** What the group has become in a reaction, and the number of what it has found. */
	nextOf(reaction: number): number;
	findingsOf(reaction: number): number;
	/** The state of the watcher of a property, which is one of the group, while the group is in a state. */
	stateOf(number: number, property: number): number;
	has(property: number): boolean;
	/** One of its watchers is retired. */
	forgetReactions(): void;
	readonly size: number;
	readonly memoryBytes: number;
}

/** Numbers for lists of findings. */
class FindingLists {
	readonly #lists: (readonly PropertyFinding[])[] = [[]];
	readonly #numbers = new Map<string, number>();
	readonly #joined = new PairTable();

	at(number: number): readonly PropertyFinding[] {
		return this.#lists[number]!;
	}

	numberOf(findings: readonly PropertyFinding[]): number {
		if (findings.length === 0) return NO_FINDINGS;
		const key = canonicalText(findings);
		const known = this.#numbers.get(key);
		if (known !== undefined) return known;
		const number = this.#lists.push(findings) - 1;
		this.#numbers.set(key, number);
		return number;
	}

	joined(first: number, second: number): number {
		if (first === NO_FINDINGS) return second;
		if (second === NO_FINDINGS) return first;
		const known = this.#joined.get(first, second);
		if (known !== -1) return known;
		const joined = this.numberOf([...this.#lists[first]!, ...this.#lists[second]!]);
		this.#joined.set(first, second, joined);
		return joined;
	}
}

class SingleWatcher<P extends ProtocolTypes, View> implements WatcherGroup<P, View> {
	readonly #states: WatcherStates<P, View>;
	readonly #property: number;
	readonly #findings: FindingLists;
	readonly #stride: number;
	readonly #numbers: number[] = [NO_FINDINGS];

	constructor(states: WatcherStates<P, View>, property: number, findings: FindingLists, stride: number) {
		this.#states = states;
		this.#property = property;
		this.#findings = findings;
		this.#stride = stride;
	}

	get size(): number {
		return this.#states.states.size;
	}

	get memoryBytes(): number {
		return this.#states.memoryBytes;
	}

	words(number: number, word: number): number {
		if (!this.#states.isSignificant) return 0;
		// Two watchers in equal states must not make up for each other, so each property weighs its own.
		return Math.imul(this.#states.states.words[number * this.#stride + word]!, WEIGHT * (2 * this.#property + 1));
	}

	significance(number: number): number {
		return this.#states.isSignificant ? number : 0;
	}

	react(number: number, step: number, observationsOf: ObservationsOf<P, View>): number {
		return this.#states.react(number, step, observationsOf);
	}

	nextOf(reaction: number): number {
		return this.#states.reaction(reaction).watcher;
	}

	findingsOf(reaction: number): number {
		const { finding } = this.#states.reaction(reaction);
		return finding === 0 ? NO_FINDINGS : this.#findingsOf(finding);
	}

	stateOf(number: number): number {
		return number;
	}

	has(property: number): boolean {
		return property === this.#property;
	}

	forgetReactions(): void {
		// Its own are those of one watcher, which a retirement changes.
	}

	#findingsOf(finding: number): number {
		this.#numbers[finding] ??= this.#findings.numberOf([
			{ property: this.#property, finding: this.#states.findings[finding - 1]! },
		]);
		return this.#numbers[finding]!;
	}
}

/** No watcher at all. */
class NoWatcher<P extends ProtocolTypes, View> implements WatcherGroup<P, View> {
	readonly size = 1;
	readonly memoryBytes = 0;

	words(): number {
		return 0;
	}

	significance(): number {
		return 0;
	}

	react(): number {
		return 0;
	}

	nextOf(): number {
		return 0;
	}

	findingsOf(): number {
		return NO_FINDINGS;
	}

	stateOf(): number {
		return 0;
	}

	has(): boolean {
		return false;
	}

	forgetReactions(): void {
		// There is none.
	}
}

class WatcherPair<P extends ProtocolTypes, View> implements WatcherGroup<P, View> {
	readonly #left: WatcherGroup<P, View>;
	readonly #right: WatcherGroup<P, View>;
	readonly #findings: FindingLists;
	readonly #numbers = new PairTable();
	readonly #lefts: number[] = [];
	readonly #rights: number[] = [];
	readonly #significances: number[] = [];
	readonly #significanceOf = new PairTable();
	#reactionOf = new PairTable();
	readonly #nextOf: number[] = [];
	readonly #findingsOf: number[] = [];

	constructor(left: WatcherGroup<P, View>, right: WatcherGroup<P, View>, findings: FindingLists) {
		this.#left = left;
		this.#right = right;
		this.#findings = findings;
		this.#intern(0, 0);
	}

	get size(): number {
		return this.#lefts.length;
	}

	get memoryBytes(): number {
		const own = this.#numbers.memoryBytes + this.#significanceOf.memoryBytes + this.#reactionOf.memoryBytes;
		return own + this.#left.memoryBytes + this.#right.memoryBytes;
	}

	words(number: number, word: number): number {
		return (this.#left.words(this.#lefts[number]!, word) + this.#right.words(this.#rights[number]!, word)) | 0;
	}

	significance(number: number): number {
		return this.#significances[number]!;
	}

	react(number: number, step: number, observationsOf: ObservationsOf<P, View>): number {
		const known = this.#reactionOf.get(number, step);
		if (known !== -1) return known;
		const left = this.#left.react(this.#lefts[number]!, step, observationsOf);
		const right = this.#right.react(this.#rights[number]!, step, observationsOf);
		this.#findingsOf.push(this.#findings.joined(this.#left.findingsOf(left), this.#right.findingsOf(right)));
		const reaction = this.#nextOf.push(this.#intern(this.#left.nextOf(left), this.#right.nextOf(right))) - 1;
		this.#reactionOf.set(number, step, reaction);
		return reaction;
	}

	nextOf(reaction: number): number {
		return this.#nextOf[reaction]!;
	}

	findingsOf(reaction: number): number {
		return this.#findingsOf[reaction]!;
	}

	stateOf(number: number, property: number): number {
		if (this.#left.has(property)) return this.#left.stateOf(this.#lefts[number]!, property);
		return this.#right.stateOf(this.#rights[number]!, property);
	}

	has(property: number): boolean {
		return this.#left.has(property) || this.#right.has(property);
	}

	forgetReactions(): void {
		this.#reactionOf = new PairTable();
		this.#left.forgetReactions();
		this.#right.forgetReactions();
	}

	#intern(left: number, right: number): number {
		const known = this.#numbers.get(left, right);
		if (known !== -1) return known;
		const number = this.#lefts.push(left) - 1;
		this.#rights.push(right);
		this.#numbers.set(left, right, number);
		this.#significances.push(this.#significance(this.#left.significance(left), this.#right.significance(right)));
		return number;
	}

	#significance(left: number, right: number): number {
		const known = this.#significanceOf.get(left, right);
		if (known !== -1) return known;
		const number = this.#significanceOf.size;
		this.#significanceOf.set(left, right, number);
		return number;
	}
}

export class WatcherEnsemble<P extends ProtocolTypes, View> {
	readonly #watchers: readonly WatcherStates<P, View>[];
	readonly #root: WatcherGroup<P, View>;
	readonly #stride: number;
	/** As in `ComponentTable`. */
	words: Int32Array = new Int32Array(1 << 10);
	#size = 0;
	readonly #findings = new FindingLists();

	constructor(properties: readonly Property<GroupObservation<P, View>>[], encoder: StateEncoder, renamings: Renamings) {
		this.#watchers = properties.map((property) => new WatcherStates(property, encoder, renamings));
		this.#stride = renamings.length * 2;
		const singles = this.#watchers.map(
			(states, property) => new SingleWatcher(states, property, this.#findings, this.#stride),
		);
		this.#root = this.#grouped(singles);
		this.#writeWords();
	}

	get size(): number {
		return this.#root.size;
	}

	get memoryBytes(): number {
		return this.#root.memoryBytes + this.words.byteLength;
	}

	/** What an ensemble has become in a reaction, and the number of what it has found. */
	nextOf(reaction: number): number {
		return this.#root.nextOf(reaction);
	}

	findingsOf(reaction: number): number {
		return this.#root.findingsOf(reaction);
	}

	/**
	 * The number of what an ensemble makes of a step; it is worked out if it is not known. Steps are numbered by the table,
	 * which knows their observations.
	 */
	react(ensemble: number, step: number, observationsOf: ObservationsOf<P, View>): number {
		const reaction = this.#root.react(ensemble, step, observationsOf);
		if (this.#size < this.#root.size) this.#writeWords();
		return reaction;
	}

	/**
	 * A `sometimes` has its witness: from now on its watcher stays as it began, so that states which differ only by what it
	 * remembers are one.
	 */
	retire(property: number): void {
		const watcher = this.#watchers[property];
		if (watcher === undefined || watcher.isSignificant || watcher.isRetired) return;
		watcher.isRetired = true;
		this.#root.forgetReactions();
	}

	findings(number: number): readonly PropertyFinding[] {
		return this.#findings.at(number);
	}

	/** Whether an `eventually` held when it was judged last. */
	isHolding(ensemble: number, property: number): boolean {
		return this.#watchers[property]!.isHolding[this.#root.stateOf(ensemble, property)]!;
	}

	/** A number for what some properties have found. */
	findingsNumber(findings: readonly PropertyFinding[]): number {
		return this.#findings.numberOf(findings);
	}

	/** The findings of one step and those of another taken together with it. */
	joined(first: number, second: number): number {
		return this.#findings.joined(first, second);
	}

	/** Whether two ensembles differ at most in what watchers of a `sometimes` remember, which is no part of a state. */
	isSame(first: number, second: number): boolean {
		return first === second || this.#root.significance(first) === this.#root.significance(second);
	}

	/** Neighbours together, and again, until there is one. */
	#grouped(groups: readonly WatcherGroup<P, View>[]): WatcherGroup<P, View> {
		if (groups.length <= 1) return groups[0] ?? new NoWatcher();
		const halves: WatcherGroup<P, View>[] = [];
		for (let i = 0; i < groups.length; i += 2) {
			const right = groups[i + 1];
			halves.push(right === undefined ? groups[i]! : new WatcherPair(groups[i]!, right, this.#findings));
		}
		return this.#grouped(halves);
	}

	/** The words of the ensembles that are new. */
	#writeWords(): void {
		const stride = this.#stride;
		const size = this.#root.size;
		if (size * stride > this.words.length) {
			const grown = new Int32Array(Math.max(size * stride, this.words.length * 2));
			grown.set(this.words);
			this.words = grown;
		}
		for (; this.#size < size; this.#size++) {
			for (let word = 0; word < stride; word++) {
				this.words[this.#size * stride + word] = this.#root.words(this.#size, word);
			}
		}
	}
}

/** Odd, so that weighing loses nothing. */
const WEIGHT = 0x9e3779b1;
