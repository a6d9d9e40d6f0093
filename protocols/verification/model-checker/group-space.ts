/**
 * A group of state machines as a state space. **A transition is computed once**: every member, message and ensemble of
 * watchers that ever occurred has a number, and because machines are deterministic, (member, input) -> (member, what it
 * sent) is worked out by the shipped `step` the first time and looked up ever after. A state is a few numbers:
 *
 * ```
 *   members …   watchers   budgets   messages under way, ascending, then zeros
 * ```
 *
 * Its fingerprint is the sum of its parts' hashes, taken under every renaming of the nodes; the least of these sums is
 * the same for all states that differ by names only. The states that are explored stay as they were reached, so every
 * counterexample is a real run.
 *
 * Reduction ({@link GroupModel.isReduced}) leaves states out that can do nothing which others can not do too:
 *
 * 1. *A loss is taken only for want of room.* Whether a message is lost or never delivered is the same to all members; a
 *    loss matters when the bound on messages under way would stop a step. So it is taken with that step.
 * 2. *A delivery that changes nothing* (no member, no watcher, nothing sent) only makes room: likewise.
 * 3. *A crash is taken together with what the member does next*, since until then nobody can tell.
 * 4. *A state is left out if it was seen with less of the budgets used up*: it was found in no more steps, and whatever can
 *    happen here can happen there.
 * 5. *Eager timers* of the port ({@link GroupPort.eagerTimer}).
 *
 * What is judged on the way to a state that is left out is judged all the same.
 */
import { assert, type ProtocolTypes } from "../../core/index.ts";
import { CumulativeSpace } from "./cumulative-space.ts";
import {
	BUDGET,
	BUDGET_MASK,
	CRASH_MASK,
	CRASH_SHIFT,
	crashWithin,
	KIND,
	KIND_SHIFT,
	MEMBER_MASK,
	MEMBER_SHIFT,
	positionOf,
	SURVIVORS_BEFORE_MAX,
	SURVIVORS_WITHIN_MAX,
	used,
	VICTIMS_MASK,
	VICTIMS_SHIFT,
	withinCode,
} from "./group-action.ts";
import { GroupFairness } from "./group-fairness.ts";
import { checkGroupModel, type GroupModel, type GroupPort } from "./group-model.ts";
import { GroupParts } from "./group-parts.ts";
import { describeAction } from "./group-transcript.ts";
import type { MemberTable } from "./member-table.ts";
import {
	type LivenessView,
	NO_FINDINGS,
	type PropertyFinding,
	type SpaceProperty,
	type StateSpace,
	type SuccessorSink,
} from "./state-space.ts";
import type { WatcherEnsemble } from "./watcher-ensemble.ts";

/**
 * The space of a group.
 * @throws QuorateError `model-unbounded`, `model-malformed`
 */
export function groupSpace<P extends ProtocolTypes, View>(
	model: GroupModel<P, View>,
): GroupSpace<P, View> | CumulativeSpace<P, View> {
	checkGroupModel(model);
	return model.network === "cumulative" ? new CumulativeSpace(model) : new GroupSpace(model);
}

export class GroupSpace<P extends ProtocolTypes, View> implements StateSpace {
	readonly name: string;
	readonly stateWords: number;
	readonly properties: readonly SpaceProperty[];
	readonly liveness: LivenessView | null;
	readonly #model: GroupModel<P, View>;
	readonly #port: GroupPort<P, View>;
	readonly #renamings: number;
	readonly #parts: GroupParts<P, View>;
	readonly #table: MemberTable<P, View>;
	readonly #ensemble: WatcherEnsemble<P, View>;
	readonly #isReduced: boolean;
	readonly #isSet: boolean;
	/** By number of messages: the choices of those that are too many. */
	readonly #choicesOf: (readonly number[])[] = [];
	/** What the properties found at the crash that is taken together with the present step. */
	#crashFindings = NO_FINDINGS;

	// Of the state that is being expanded.
	#sink: SuccessorSink = noSink;
	readonly #inFlightMax: number;
	readonly #duplicatesMax: number;
	readonly #forgeriesMax: number;
	readonly #isLiar: readonly boolean[];
	readonly #ensembleAt: number;
	readonly #budgetsAt: number;
	readonly #messagesAt: number;
	/** The state's words, since what they are read from may be the sink's. */
	readonly #now: Uint32Array;
	/** For each renaming the sums over the members. */
	readonly #memberSums: Int32Array;
	/** Messages after a step: those that were under way and those sent. */
	readonly #under: Uint32Array;

	constructor(model: GroupModel<P, View>) {
		const { port, bounds } = model;
		this.name = model.name;
		this.#model = model;
		this.#port = port;
		const count = port.nodes.length;
		this.#parts = new GroupParts(model);
		this.#renamings = this.#parts.renamings.length;
		this.#table = this.#parts.table;
		this.#ensemble = this.#parts.ensemble;
		this.properties = this.#parts.properties;
		const isJudged = model.properties.some(({ kind }) => kind === "eventually");
		this.liveness = isJudged ? new GroupFairness(this.#parts, port.nodes, count) : null;
		this.#isReduced = model.isReduced;
		this.#isSet = model.network === "set";
		const { inFlight, duplicates, forgeries } = bounds;
		const isBounded = inFlight !== "any" && duplicates !== "any" && forgeries !== "any";
		assert(isBounded, "only a cumulative network has no such bounds");
		this.#inFlightMax = inFlight;
		this.#duplicatesMax = duplicates;
		this.#forgeriesMax = forgeries;
		this.#isLiar = port.nodes.map((node) => port.liars?.includes(node) === true);
		this.#ensembleAt = count;
		this.#budgetsAt = count + 1;
		this.#messagesAt = count + 2;
		this.stateWords = this.#messagesAt + this.#inFlightMax;
		this.#now = new Uint32Array(this.stateWords);
		this.#memberSums = new Int32Array(this.#renamings * 2);
		this.#under = new Uint32Array(this.#inFlightMax + UNDER_SLACK);
	}

	get memoryBytes(): number {
		return this.#parts.memoryBytes;
	}

	/** How many distinct parts there are, and how many transitions were worked out by the shipped code. */
	get sizes(): GroupParts<P, View>["sizes"] {
		return this.#parts.sizes;
	}

	/** The one initial state: every member has started on a blank disk, and nobody has said anything. */
	begin(sink: SuccessorSink): void {
		const now = this.#now.fill(0);
		const { members, ensemble, findings } = this.#parts.boot();
		now.set(members);
		now[this.#ensembleAt] = ensemble;
		this.#sink = sink;
		this.#sumMembers();
		this.#put(0, -1, 0, ensemble, 0, -1, NOTHING_SENT, findings);
	}

	expand(words: Uint32Array, at: number, sink: SuccessorSink): void {
		const now = this.#now;
		for (let i = 0; i < now.length; i++) now[i] = words[at + i]!;
		this.#sink = sink;
		this.#sumMembers();
		const ensemble = now[this.#ensembleAt]!;
		for (let position = 0; position < this.#ensembleAt; position++) {
			if (this.#isLiar[position]) continue;
			const member = now[position]!;
			this.#act(position, member, ensemble, now[this.#budgetsAt]!, 0);
			this.#crash(position, member, ensemble);
		}
		if (!this.#isReduced) this.#loseAny();
		this.#forge();
	}

	findingsOf(findings: number): readonly PropertyFinding[] {
		return this.#ensemble.findings(findings);
	}

	witnessed(property: number): void {
		this.#ensemble.retire(property);
	}

	/** Everything that a member may do next; `crash` marks that it has just crashed. */
	#act(position: number, member: number, ensemble: number, budgets: number, crash: number): void {
		const { disk } = this.#model;
		const mark = (position << MEMBER_SHIFT) | (crash << CRASH_SHIFT);
		for (const timer of this.#table.timersOf[member]!) {
			this.#input((KIND.timer << KIND_SHIFT) | mark | timer, position, member, ensemble, -1, budgets);
		}
		if (disk === "asynchronous" && this.#table.unfinishedOf[member]! > 0) {
			this.#input((KIND.disk << KIND_SHIFT) | mark, position, member, ensemble, -1, budgets);
		}
		const request = used(budgets, BUDGET.requests);
		if (request < this.#port.requests.length) {
			const spent = budgets + (1 << BUDGET.requests);
			this.#input((KIND.request << KIND_SHIFT) | mark | request, position, member, ensemble, -1, spent);
		}
		const mayDuplicate = used(budgets, BUDGET.duplicates) < this.#duplicatesMax;
		const now = this.#now;
		for (let slot = this.#messagesAt; slot < now.length; slot++) {
			const message = now[slot]!;
			if (message === 0) break;
			// Equal messages are interchangeable, and they are neighbours.
			if (this.#table.receivers[message] !== position || (slot > this.#messagesAt && now[slot - 1] === message))
				continue;
			this.#input((KIND.deliver << KIND_SHIFT) | mark | message, position, member, ensemble, slot, budgets);
			if (!mayDuplicate) continue;
			const spent = budgets + (1 << BUDGET.duplicates);
			this.#input((KIND.duplicate << KIND_SHIFT) | mark | message, position, member, ensemble, -1, spent);
		}
	}

	/**
	 * A crash with every prefix of the unfinished persists. Under reduction it is taken together with what the member does
	 * next: nobody sees it before that.
	 */
	#crash(position: number, member: number, ensemble: number): void {
		const { bounds, disk } = this.#model;
		const budgets = this.#now[this.#budgetsAt]!;
		if (used(budgets, BUDGET.crashes) >= bounds.crashes) return;
		const spent = budgets + (1 << BUDGET.crashes);
		const last = Math.min(this.#table.unfinishedOf[member]!, SURVIVORS_BEFORE_MAX);
		for (let survivors = 0; survivors <= last; survivors++) {
			const action = (KIND.crash << KIND_SHIFT) | (position << MEMBER_SHIFT) | survivors;
			const crash = this.#table.transition(member, this.#inputCode(action));
			const isSilent = crash?.failure === null && crash.sent.length === 0;
			if (!this.#isReduced || !isSilent) {
				this.#step(action, position, member, ensemble, -1, spent);
				continue;
			}
			const reaction = this.#parts.react(ensemble, crash.number);
			const after = this.#ensemble.nextOf(reaction);
			this.#crashFindings = this.#ensemble.findingsOf(reaction);
			if (crash.member === member && this.#ensemble.isSame(after, ensemble)) this.#skip(action, this.#crashFindings);
			else this.#act(position, crash.member, after, spent, disk === "asynchronous" ? 1 + survivors : 1);
			this.#crashFindings = NO_FINDINGS;
		}
	}

	/** Without reduction: any message may be lost at any time. */
	#loseAny(): void {
		const { losses } = this.#model.bounds;
		const now = this.#now;
		const budgets = now[this.#budgetsAt]!;
		if (losses !== "any" && used(budgets, BUDGET.losses) >= losses) return;
		const spent = losses === "any" ? budgets : budgets + (1 << BUDGET.losses);
		for (let slot = this.#messagesAt; slot < now.length; slot++) {
			const message = now[slot]!;
			if (message === 0) break;
			if (slot > this.#messagesAt && now[slot - 1] === message) continue;
			const action = (KIND.lose << KIND_SHIFT) | message;
			this.#put(action, -1, 0, now[this.#ensembleAt]!, spent, slot, NOTHING_SENT, NO_FINDINGS);
		}
	}

	#forge(): void {
		const budgets = this.#now[this.#budgetsAt]!;
		if (used(budgets, BUDGET.forgeries) >= this.#forgeriesMax) return;
		const spent = budgets + (1 << BUDGET.forgeries);
		for (const [number, envelope] of (this.#port.forgeries ?? []).entries()) {
			const action = (KIND.forge << KIND_SHIFT) | number;
			const sent = [this.#table.internMessage(envelope)];
			this.#put(action, -1, 0, this.#now[this.#ensembleAt]!, spent, -1, sent, NO_FINDINGS);
		}
	}

	/** An input, and with a synchronous disk the crashes in the middle of it. */
	#input(action: number, position: number, member: number, ensemble: number, slot: number, budgets: number): void {
		this.#step(action, position, member, ensemble, slot, budgets);
		const { bounds, disk } = this.#model;
		if (disk === "asynchronous" || used(budgets, BUDGET.crashes) >= bounds.crashes) return;
		const spent = budgets + (1 << BUDGET.crashes);
		const isAfterCrash = ((action >>> CRASH_SHIFT) & CRASH_MASK) !== 0;
		const plain = action & ~(CRASH_MASK << CRASH_SHIFT);
		for (let survivors = 0; survivors <= SURVIVORS_WITHIN_MAX; survivors++) {
			const crashing = plain | (withinCode(survivors, isAfterCrash) << CRASH_SHIFT);
			if (!this.#step(crashing, position, member, ensemble, slot, spent)) break;
		}
	}

	/** Puts the successor by one transition of one member; false if there is none. */
	#step(action: number, position: number, member: number, ensemble: number, slot: number, budgets: number): boolean {
		const transition = this.#table.transition(member, this.#inputCode(action));
		if (transition === null) return false;
		if (transition.failure !== null) {
			this.#sink.words.set(this.#now);
			this.#sink.beyond(action, this.#parts.failureFindings(transition.failure));
			return true;
		}
		const reaction = this.#parts.react(ensemble, transition.number);
		const after = this.#ensemble.nextOf(reaction);
		const findings = this.#ensemble.joined(this.#crashFindings, this.#ensemble.findingsOf(reaction));
		const isIdle =
			transition.member === member && transition.sent.length === 0 && this.#ensemble.isSame(after, ensemble);
		if (isIdle && this.#isPointless(action)) this.#skip(action, findings);
		else this.#put(action, position, transition.member, after, budgets, slot, transition.sent, findings);
		return true;
	}

	/**
	 * Whether a step that changes no member and sends nothing leads nowhere new. A request that nothing comes of can be asked
	 * elsewhere. Under reduction the same goes for all: a message that is gone only makes room, which it also does when
	 * room is wanted (see `#putWithLosses`).
	 */
	#isPointless(action: number): boolean {
		return this.#isReduced || action >>> KIND_SHIFT === KIND.request;
	}

	/** A step that is judged and leads nowhere new. */
	#skip(action: number, findings: number): void {
		this.#sink.words.set(this.#now);
		this.#sink.known(action, findings);
	}

	/**
	 * What an action is to its member: not where it stands, not what was lost for want of room, not whether a copy stays
	 * under way or whether it has crashed before.
	 */
	#inputCode(action: number): number {
		const dropped = (VICTIMS_MASK << VICTIMS_SHIFT) | (MEMBER_MASK << MEMBER_SHIFT) | (CRASH_MASK << CRASH_SHIFT);
		const within = crashWithin((action >>> CRASH_SHIFT) & CRASH_MASK, this.#model.disk);
		const input = (action & ~dropped) | (within === null ? 0 : withinCode(within, false) << CRASH_SHIFT);
		return input >>> KIND_SHIFT === KIND.duplicate ? input & ~(KIND.duplicate << KIND_SHIFT) : input;
	}

	/**
	 * Puts a successor: the members of now but for the one at `position` (-1: none), and what is under way without the
	 * message of `slot` (-1: none) and with what was sent.
	 */
	#put(
		action: number,
		position: number,
		member: number,
		ensemble: number,
		budgets: number,
		slot: number,
		sent: readonly number[],
		findings: number,
	): void {
		const now = this.#now;
		const { words } = this.#sink;
		for (let i = 0; i < this.#ensembleAt; i++) words[i] = now[i]!;
		if (position !== -1) words[position] = member;
		words[this.#ensembleAt] = ensemble;
		words[this.#budgetsAt] = budgets;
		const count = this.#gather(words, slot, sent);
		if (count > this.#inFlightMax) {
			this.#sink.beyond(action, findings);
			const isWhole = count < this.#under.length;
			if (this.#isReduced && isWhole && (position === -1 || this.#table.isWithin[member]!)) {
				this.#putWithLosses(action, position, member, count, findings);
			}
			return;
		}
		for (let i = 0; i < this.#inFlightMax; i++) words[this.#messagesAt + i] = i < count ? this.#under[i]! : 0;
		if (position !== -1 && !this.#table.isWithin[member]!) this.#sink.beyond(action, findings);
		else this.#putFingerprint(action, position, member, count, findings);
	}

	/** Collects in `#under`, in ascending order, what is under way after a step and not obsolete. Returns how many. */
	#gather(words: Uint32Array, slot: number, sent: readonly number[]): number {
		const now = this.#now;
		let count = 0;
		for (let at = this.#messagesAt; at < now.length; at++) {
			const message = now[at]!;
			if (message === 0) break;
			if (at !== slot) count = this.#insert(words, message, count);
		}
		for (let i = 0; i < sent.length; i++) count = this.#insert(words, sent[i]!, count);
		return count;
	}

	#insert(words: Uint32Array, message: number, count: number): number {
		const under = this.#under;
		if (count === under.length) return count;
		if (this.#table.isObsolete(message, words[this.#table.receivers[message]!]!)) return count;
		let at = count;
		while (at > 0 && under[at - 1]! > message) at--;
		if (this.#isSet && at > 0 && under[at - 1] === message) return count;
		for (let i = count; i > at; i--) under[i] = under[i - 1]!;
		under[at] = message;
		return count + 1;
	}

	/**
	 * There is no room for all `count` messages of `#under`: every choice of as many as are too many, as far as the budget
	 * of losses allows. A message that can do nothing at its receiver as it is now might as well have been delivered, and
	 * costs nothing.
	 */
	#putWithLosses(action: number, position: number, member: number, count: number, findings: number): void {
		const { losses } = this.#model.bounds;
		const { words } = this.#sink;
		const budgets = words[this.#budgetsAt]!;
		const left = losses === "any" ? count : losses - used(budgets, BUDGET.losses);
		const choices = this.#choices(count);
		for (let choice = 0; choice < choices.length && choice < VICTIMS_MASK; choice++) {
			const victims = choices[choice]!;
			let kept = 0;
			let cost = 0;
			for (let i = 0; i < count; i++) {
				const message = this.#under[i]!;
				if ((victims & (1 << i)) === 0) words[this.#messagesAt + kept++] = message;
				else if (!this.#wasUnderWay(message)) cost = Number.POSITIVE_INFINITY;
				else if (!this.#isIdle(message, this.#now)) cost++;
			}
			if (cost > left) continue;
			words[this.#budgetsAt] = losses === "any" ? budgets : budgets + (cost << BUDGET.losses);
			this.#putFingerprint(action | ((choice + 1) << VICTIMS_SHIFT), position, member, kept, findings);
		}
	}

	#wasUnderWay(message: number): boolean {
		for (let at = this.#messagesAt; at < this.#now.length; at++) if (this.#now[at] === message) return true;
		return false;
	}

	/** Every choice of what is too many among `count` messages, as bits. */
	#choices(count: number): readonly number[] {
		const known = this.#choicesOf[count];
		if (known !== undefined) return known;
		const choices: number[] = [];
		const choose = (from: number, missing: number, chosen: number): void => {
			if (choices.length >= VICTIMS_MASK) return;
			if (missing === 0) choices.push(chosen);
			else for (let i = from; i <= count - missing; i++) choose(i + 1, missing - 1, chosen | (1 << i));
		};
		choose(0, count - this.#inFlightMax, 0);
		this.#choicesOf[count] = choices;
		return choices;
	}

	/** Whether a message would change nothing at its receiver as it is in `words`. */
	#isIdle(message: number, words: Uint32Array): boolean {
		const member = words[this.#table.receivers[message]!]!;
		const transition = this.#table.transition(member, (KIND.deliver << KIND_SHIFT) | message);
		if (transition === null || transition.failure !== null) return false;
		if (transition.member !== member || transition.sent.length > 0) return false;
		const ensemble = words[this.#ensembleAt]!;
		return this.#ensemble.isSame(this.#ensemble.nextOf(this.#parts.react(ensemble, transition.number)), ensemble);
	}

	#putFingerprint(action: number, position: number, member: number, count: number, findings: number): void {
		const { words } = this.#sink;
		const stride = this.#renamings * 2;
		const memberWords = this.#table.members.words;
		const messageWords = this.#table.messages.words;
		const ensembleWords = this.#ensemble.words;
		const sums = this.#memberSums;
		const ensembleRow = words[this.#ensembleAt]! * stride;
		const oldRow = position === -1 ? 0 : this.#now[position]! * stride;
		const newRow = member * stride;
		const from = this.#messagesAt;
		let leastHigh = 0xffff_ffff;
		let leastLow = 0xffff_ffff;
		for (let at = 0; at < stride; at += 2) {
			let high = (sums[at]! + ensembleWords[ensembleRow + at]!) | 0;
			let low = (sums[at + 1]! + ensembleWords[ensembleRow + at + 1]!) | 0;
			if (position !== -1) {
				high = (high + memberWords[newRow + at]! - memberWords[oldRow + at]!) | 0;
				low = (low + memberWords[newRow + at + 1]! - memberWords[oldRow + at + 1]!) | 0;
			}
			for (let i = 0; i < count; i++) {
				const row = words[from + i]! * stride + at;
				high = (high + messageWords[row]!) | 0;
				low = (low + messageWords[row + 1]!) | 0;
			}
			high >>>= 0;
			low >>>= 0;
			if (high < leastHigh || (high === leastHigh && low < leastLow)) {
				leastHigh = high;
				leastLow = low;
			}
		}
		const budgets = words[this.#budgetsAt]!;
		if (this.#isReduced && budgets !== 0 && this.#isDominated(leastHigh, leastLow, budgets)) {
			this.#sink.known(action, findings);
			return;
		}
		const high = (leastHigh + budgetHigh(budgets)) >>> 0;
		this.#sink.successor(action, high, (leastLow + budgetLow(budgets)) >>> 0, findings);
	}

	/**
	 * Whether the same state was seen with no budget used up more and one used up less: whatever can still happen here can
	 * happen there, in as few steps, and that state was found no later.
	 */
	#isDominated(high: number, low: number, budgets: number): boolean {
		const requests = budgets & (BUDGET_MASK << BUDGET.requests);
		for (let crashes = used(budgets, BUDGET.crashes); crashes >= 0; crashes--) {
			for (let losses = used(budgets, BUDGET.losses); losses >= 0; losses--) {
				for (let duplicates = used(budgets, BUDGET.duplicates); duplicates >= 0; duplicates--) {
					for (let forgeries = used(budgets, BUDGET.forgeries); forgeries >= 0; forgeries--) {
						const less =
							requests |
							(crashes << BUDGET.crashes) |
							(losses << BUDGET.losses) |
							(duplicates << BUDGET.duplicates) |
							(forgeries << BUDGET.forgeries);
						if (less === budgets) continue;
						if (this.#sink.isKnown((high + budgetHigh(less)) >>> 0, (low + budgetLow(less)) >>> 0)) return true;
					}
				}
			}
		}
		return false;
	}

	#sumMembers(): void {
		const stride = this.#renamings * 2;
		const sums = this.#memberSums.fill(0);
		const { words } = this.#table.members;
		for (let i = 0; i < this.#ensembleAt; i++) {
			const row = this.#now[i]! * stride;
			for (let at = 0; at < stride; at++) sums[at]! += words[row + at]!;
		}
	}

	describeAction(words: Uint32Array, at: number, action: number): string {
		return describeAction(this.#model, this.#table, action, words[at + positionOf(action)]!);
	}

	describeState(words: Uint32Array, at: number): readonly string[] {
		const lines: string[] = [];
		for (let i = 0; i < this.#ensembleAt; i++) lines.push(this.#table.describeMember(words[at + i]!));
		for (let i = this.#messagesAt; i < this.stateWords; i++) {
			const message = words[at + i]!;
			if (message !== 0) lines.push(`under way: ${this.#table.describeMessage(message)}`);
		}
		return lines;
	}
}

/** Messages that one step may add before the rest is not even gathered; the state is then beyond the bounds anyhow. */
const UNDER_SLACK = 16;

const NOTHING_SENT: readonly number[] = [];

/** Before anything is expanded. */
const noSink: SuccessorSink = {
	words: new Uint32Array(0),
	successor: () => undefined,
	beyond: () => undefined,
	known: () => undefined,
	isKnown: () => false,
};

/** The budgets' part of a fingerprint. */
function budgetHigh(budgets: number): number {
	return Math.imul(budgets ^ (budgets >>> 15), 0x85ebca6b);
}

function budgetLow(budgets: number): number {
	return Math.imul(budgets ^ (budgets >>> 13), 0xc2b2ae35);
}
