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
 */
import { assert, canonicalText, compareIds, must, type ProtocolTypes } from "../../core/index.ts";
import type { GroupObservation } from "../observation.ts";
import { allRenamings, ComponentTable } from "./component-table.ts";
import { modelMalformed, requireBound } from "./errors.ts";
import {
	BUDGET_MAX,
	type Envelope,
	type GroupModel,
	type GroupPort,
	IN_FLIGHT_MAX,
	MEMBERS_MAX,
	SYMMETRIC_MEMBERS_MAX,
} from "./group-model.ts";
import { bootMember, type Member, type MemberInput, type MemberStep, plainMember, stepMember } from "./member.ts";
import { PairTable } from "./pair-table.ts";
import { StateEncoder } from "./state-encoder.ts";
import { NO_FINDINGS, type PropertyFinding, type SpaceProperty, type StateSpace, type SuccessorSink } from "./state-space.ts";
import { WatcherEnsemble } from "./watcher-ensemble.ts";

/** What is done, in the highest bits of an action; then the member and what else tells it from others. */
const KIND = {
	deliver: 0,
	/** The message is delivered and a copy stays under way. */
	duplicate: 1,
	lose: 2,
	timer: 3,
	disk: 4,
	crash: 5,
	request: 6,
	forge: 7,
} as const;
const KIND_SHIFT = 28;
const MEMBER_SHIFT = 24;
const MEMBER_MASK = 0xf;
/**
 * 0: no crash. With an asynchronous disk one more than the persists that survive the crash before the input. With a
 * synchronous one 1 for a crash before the input, and two more than the persists that survive a crash within it.
 */
const CRASH_SHIFT = 21;
const CRASH_MASK = 0x7;
/** Which messages are lost for want of room: one more than the place among the choices; 0: none. */
const VICTIMS_SHIFT = 14;
const VICTIMS_MASK = 0x7f;
const ARGUMENT_MASK = (1 << VICTIMS_SHIFT) - 1;
const CRASH_BEFORE = 1;
const CRASH_WITHIN = 2;

/** Budgets that are used up, six bits each, in one word. */
const BUDGET = { crashes: 0, losses: 6, duplicates: 12, requests: 18, forgeries: 24 } as const;
const BUDGET_MASK = 0x3f;

/** Steps whose observations are kept; those of others are worked out again when a watcher asks. */
const OBSERVATIONS_KEPT = 1 << 14;

/** A member's transition, worked out. */
interface Transition {
	readonly member: number;
	/** Numbers of messages. */
	readonly sent: readonly number[];
	/** What the machine threw; then nothing else counts. */
	readonly failure: string | null;
}

/** One machine broke an invariant of its own; the property every model has. */
const assertionProperty: SpaceProperty = {
	id: "machine-asserts",
	kind: "always",
	statement: "No machine breaks an invariant of its own: step never throws.",
	source: "protocols/core/state-machine.ts",
};

/**
 * The space of a group.
 * @throws QuorateError `model-unbounded`, `model-malformed`
 */
export function groupSpace<P extends ProtocolTypes, View>(model: GroupModel<P, View>): GroupSpace<P, View> {
	checkModel(model);
	return new GroupSpace(model);
}

function checkModel<P extends ProtocolTypes, View>({ name, port, properties, bounds, isSymmetric }: GroupModel<P, View>): void {
	const members = isSymmetric ? SYMMETRIC_MEMBERS_MAX : MEMBERS_MAX;
	requireBound(name, "nodes", port.nodes.length, 1, members);
	requireBound(name, "inFlight", bounds?.inFlight, 1, IN_FLIGHT_MAX);
	requireBound(name, "crashes", bounds.crashes, 0, BUDGET_MAX);
	if (bounds.losses !== "any") requireBound(name, "losses", bounds.losses, 0, BUDGET_MAX);
	requireBound(name, "duplicates", bounds.duplicates, 0, BUDGET_MAX);
	requireBound(name, "forgeries", bounds.forgeries, 0, BUDGET_MAX);
	requireBound(name, "requests", port.requests.length, 0, BUDGET_MAX);
	const eventually = properties.find(({ kind }) => kind === "eventually");
	if (eventually !== undefined) {
		throw modelMalformed({ model: name, problem: `${eventually.id} is an eventually, which groups are not judged by` });
	}
	if (isSymmetric && (port.forgeries ?? []).length > 0) {
		throw modelMalformed({ model: name, problem: "nodes that forge are not interchangeable with others" });
	}
}

export class GroupSpace<P extends ProtocolTypes, View> implements StateSpace {
	readonly name: string;
	readonly stateWords: number;
	readonly properties: readonly SpaceProperty[];
	readonly liveness = null;
	readonly #model: GroupModel<P, View>;
	readonly #port: GroupPort<P, View>;
	readonly #renamings: number;
	readonly #members: ComponentTable<Member<P>>;
	readonly #essences: unknown[] = [];
	/** By number of a member: whether it is within the bounds. */
	readonly #isWithin: boolean[] = [];
	/** Number 0 is no message. */
	readonly #messages: ComponentTable<Envelope<P> | null>;
	/** By number of a message: the position of its receiver. */
	readonly #receivers: number[] = [-1];
	readonly #timers: P["timer"][] = [];
	/** By number of a member: the numbers of its timers. */
	readonly #timersOf: (readonly number[])[] = [];
	readonly #unfinishedOf: number[] = [];
	readonly #ensemble: WatcherEnsemble<P, View>;
	readonly #transitions: (Transition | null)[] = [];
	readonly #transitionOf = new PairTable();
	/** By number of a transition: the member and the action that it is of, to work it out again. */
	readonly #origins: number[] = [];
	readonly #observations = new Map<number, readonly GroupObservation<P, View>[]>();
	readonly #obsolete = new PairTable();
	readonly #bootSteps: MemberStep<P, View>[];

	readonly #isReduced: boolean;
	readonly #isSet: boolean;
	/** By number of messages: the choices of those that are too many. */
	readonly #choicesOf: (readonly number[])[] = [];
	/** What the properties found at the crash that is taken together with the present step. */
	#crashFindings = NO_FINDINGS;
	/** The number of the transition last looked up. */
	#number = 0;

	// Of the state that is being expanded.
	#sink: SuccessorSink = noSink;
	readonly #inFlightMax: number;
	readonly #membersAt = 0;
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
		const { port, properties, bounds, isSymmetric, disk } = model;
		this.name = model.name;
		this.#model = model;
		this.#port = port;
		const count = port.nodes.length;
		const renamings = isSymmetric ? allRenamings(count) : [port.nodes.map((_, i) => i)];
		this.#renamings = renamings.length;
		const encoder = new StateEncoder(port.nodes);
		this.#members = new ComponentTable(encoder, renamings);
		this.#messages = new ComponentTable(encoder, renamings);
		this.#messages.intern(null, null);
		this.#ensemble = new WatcherEnsemble(properties, encoder, renamings);
		this.properties = [
			...properties.map(({ id, kind, statement, source }) => ({ id, kind, statement, source })),
			assertionProperty,
		];
		this.#isReduced = model.isReduced;
		this.#isSet = model.network === "set";
		this.#inFlightMax = bounds.inFlight;
		this.#ensembleAt = count;
		this.#budgetsAt = count + 1;
		this.#messagesAt = count + 2;
		this.stateWords = this.#messagesAt + bounds.inFlight;
		this.#now = new Uint32Array(this.stateWords);
		this.#memberSums = new Int32Array(this.#renamings * 2);
		this.#under = new Uint32Array(bounds.inFlight + UNDER_SLACK);
		this.#bootSteps = port.nodes.map((node) => bootMember(port, node, { disk, crashWith: null }));
	}

	get memoryBytes(): number {
		return (
			this.#members.memoryBytes +
			this.#messages.memoryBytes +
			this.#ensemble.memoryBytes +
			this.#transitionOf.memoryBytes +
			this.#obsolete.memoryBytes
		);
	}

	/** How many distinct parts there are, and how many transitions were worked out by the shipped code. */
	get sizes(): {
		readonly members: number;
		readonly messages: number;
		readonly ensembles: number;
		readonly transitions: number;
	} {
		return {
			members: this.#members.size,
			messages: this.#messages.size - 1,
			ensembles: this.#ensemble.size,
			transitions: this.#transitions.length,
		};
	}

	/** The one initial state: every member has started on a blank disk, and nobody has said anything. */
	begin(sink: SuccessorSink): void {
		const now = this.#now.fill(0);
		const findings: PropertyFinding[] = [{ property: this.properties.length - 1, finding: { type: "holds" } }];
		let ensemble = 0;
		for (const [i, step] of this.#bootSteps.entries()) {
			if (step.failure !== null) throw modelMalformed({ model: this.name, problem: `a start fails: ${step.failure}` });
			if (step.sent.length > 0) throw modelMalformed({ model: this.name, problem: "a machine sends before it is asked" });
			now[i] = this.#internMember(step.member);
			const transition = this.#transitions.push(null) - 1;
			this.#origins.push(0, 0);
			const reaction = this.#ensemble.react(ensemble, transition, step.observations);
			findings.push(...this.#ensemble.findings(this.#ensemble.findingsOf[reaction]!));
			ensemble = this.#ensemble.nextOf[reaction]!;
		}
		now[this.#ensembleAt] = ensemble;
		this.#sink = sink;
		this.#sumMembers();
		this.#put(0, -1, 0, ensemble, 0, -1, NOTHING_SENT, this.#ensemble.findingsNumber(findings));
	}

	expand(words: Uint32Array, at: number, sink: SuccessorSink): void {
		const now = this.#now;
		for (let i = 0; i < now.length; i++) now[i] = words[at + i]!;
		this.#sink = sink;
		this.#sumMembers();
		const ensemble = now[this.#ensembleAt]!;
		for (let position = 0; position < this.#ensembleAt; position++) {
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
		const { bounds, disk } = this.#model;
		const mark = (position << MEMBER_SHIFT) | (crash << CRASH_SHIFT);
		for (const timer of this.#timersOf[member]!) {
			this.#input((KIND.timer << KIND_SHIFT) | mark | timer, position, member, ensemble, -1, budgets);
		}
		if (disk === "asynchronous" && this.#unfinishedOf[member]! > 0) {
			this.#input((KIND.disk << KIND_SHIFT) | mark, position, member, ensemble, -1, budgets);
		}
		const request = used(budgets, BUDGET.requests);
		if (request < this.#port.requests.length) {
			const spent = budgets + (1 << BUDGET.requests);
			this.#input((KIND.request << KIND_SHIFT) | mark | request, position, member, ensemble, -1, spent);
		}
		const mayDuplicate = used(budgets, BUDGET.duplicates) < bounds.duplicates;
		const now = this.#now;
		for (let slot = this.#messagesAt; slot < now.length; slot++) {
			const message = now[slot]!;
			if (message === 0) break;
			// Equal messages are interchangeable, and they are neighbours.
			if (this.#receivers[message] !== position || (slot > this.#messagesAt && now[slot - 1] === message)) continue;
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
		const last = Math.min(this.#unfinishedOf[member]!, CRASH_MASK - CRASH_BEFORE);
		for (let survivors = 0; survivors <= last; survivors++) {
			const action = (KIND.crash << KIND_SHIFT) | (position << MEMBER_SHIFT) | survivors;
			const crash = this.#transition(member, this.#inputCode(action));
			const isSilent = crash?.failure === null && crash.sent.length === 0;
			if (!this.#isReduced || !isSilent) {
				this.#step(action, position, member, ensemble, -1, spent);
				continue;
			}
			const reaction = this.#react(ensemble, this.#number);
			const after = this.#ensemble.nextOf[reaction]!;
			if (crash.member === member && this.#ensemble.isSame(after, ensemble)) continue;
			const mark = disk === "asynchronous" ? CRASH_BEFORE + survivors : CRASH_BEFORE;
			this.#crashFindings = this.#ensemble.findingsOf[reaction]!;
			this.#act(position, crash.member, after, spent, mark);
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
		if (used(budgets, BUDGET.forgeries) >= this.#model.bounds.forgeries) return;
		const spent = budgets + (1 << BUDGET.forgeries);
		for (const [number, envelope] of (this.#port.forgeries ?? []).entries()) {
			const action = (KIND.forge << KIND_SHIFT) | number;
			const sent = [this.#internMessage(envelope)];
			this.#put(action, -1, 0, this.#now[this.#ensembleAt]!, spent, -1, sent, NO_FINDINGS);
		}
	}

	/** An input, and with a synchronous disk the crashes in the middle of it. */
	#input(action: number, position: number, member: number, ensemble: number, slot: number, budgets: number): void {
		this.#step(action, position, member, ensemble, slot, budgets);
		const { bounds, disk } = this.#model;
		if (disk === "asynchronous" || used(budgets, BUDGET.crashes) >= bounds.crashes) return;
		const spent = budgets + (1 << BUDGET.crashes);
		for (let crash = CRASH_WITHIN; crash <= CRASH_MASK; crash++) {
			if (!this.#step(action | (crash << CRASH_SHIFT), position, member, ensemble, slot, spent)) break;
		}
	}

	/** Puts the successor by one transition of one member; false if there is none. */
	#step(
		action: number,
		position: number,
		member: number,
		ensemble: number,
		slot: number,
		budgets: number,
	): boolean {
		const transition = this.#transition(member, this.#inputCode(action));
		if (transition === null) return false;
		if (transition.failure !== null) {
			this.#sink.words.set(this.#now);
			this.#sink.beyond(action, this.#failureFindings(transition.failure));
			return true;
		}
		const reaction = this.#react(ensemble, this.#number);
		const after = this.#ensemble.nextOf[reaction]!;
		const findings = this.#ensemble.joined(this.#crashFindings, this.#ensemble.findingsOf[reaction]!);
		const isIdle = transition.member === member && transition.sent.length === 0 && this.#ensemble.isSame(after, ensemble);
		if (isIdle && this.#isPointless(action)) return true;
		this.#put(action, position, transition.member, after, budgets, slot, transition.sent, findings);
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

	/**
	 * What an action is to its member: not where it stands, not what was lost for want of room, not whether a copy stays
	 * under way or whether it has crashed before.
	 */
	#inputCode(action: number): number {
		let input = action & ~((MEMBER_MASK << MEMBER_SHIFT) | (VICTIMS_MASK << VICTIMS_SHIFT));
		const crash = (input >>> CRASH_SHIFT) & CRASH_MASK;
		if (this.#model.disk === "asynchronous" || crash === CRASH_BEFORE) input &= ~(CRASH_MASK << CRASH_SHIFT);
		return input >>> KIND_SHIFT === KIND.duplicate ? input & ~(KIND.duplicate << KIND_SHIFT) : input;
	}

	/** A member's transition by an input, worked out the first time. Its number is left in `#number`. */
	#transition(member: number, input: number): Transition | null {
		const known = this.#transitionOf.get(member, input);
		this.#number = known === -1 ? this.#workOut(member, input) : known;
		return this.#transitions[this.#number]!;
	}

	#react(ensemble: number, number: number): number {
		const known = this.#ensemble.knownReaction(ensemble, number);
		return known === -1 ? this.#ensemble.react(ensemble, number, this.#observationsOf(number)) : known;
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
			if (this.#isReduced && (position === -1 || this.#isWithin[member]!)) {
				this.#putWithLosses(action, position, member, count, findings);
			}
			return;
		}
		for (let i = 0; i < this.#inFlightMax; i++) words[this.#messagesAt + i] = i < count ? this.#under[i]! : 0;
		if (position !== -1 && !this.#isWithin[member]!) this.#sink.beyond(action, findings);
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
		if (this.#port.isObsolete !== undefined && this.#isObsolete(message, words[this.#receivers[message]!]!)) {
			return count;
		}
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
		const member = words[this.#receivers[message]!]!;
		const transition = this.#transition(member, (KIND.deliver << KIND_SHIFT) | message);
		if (transition === null || transition.failure !== null) return false;
		if (transition.member !== member || transition.sent.length > 0) return false;
		const ensemble = words[this.#ensembleAt]!;
		return this.#ensemble.isSame(this.#ensemble.nextOf[this.#react(ensemble, this.#number)]!, ensemble);
	}

	#putFingerprint(
		action: number,
		position: number,
		member: number,
		count: number,
		findings: number,
	): void {
		const { words } = this.#sink;
		const stride = this.#renamings * 2;
		const memberWords = this.#members.words;
		const messageWords = this.#messages.words;
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
			this.#sink.known();
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
		const { words } = this.#members;
		for (let i = 0; i < this.#ensembleAt; i++) {
			const row = this.#now[this.#membersAt + i]! * stride;
			for (let at = 0; at < stride; at++) sums[at]! += words[row + at]!;
		}
	}

	/** Lets the shipped machine take an input, once for ever. */
	#workOut(from: number, input: number): number {
		const step = this.#stepOf(from, input);
		const number = this.#transitions.length;
		this.#origins.push(from, input);
		if (step === null) {
			this.#transitions.push(null);
		} else {
			const member = step.failure === null ? this.#internMember(step.member) : from;
			const sent = step.sent.map((envelope) => this.#internMessage(envelope));
			this.#transitions.push({ member, sent, failure: step.failure });
			this.#keepObservations(number, step.observations);
		}
		this.#transitionOf.set(from, input, number);
		return number;
	}

	#stepOf(from: number, input: number): MemberStep<P, View> | null {
		const crash = (input >>> CRASH_SHIFT) & CRASH_MASK;
		const mode = { disk: this.#model.disk, crashWith: crash === 0 ? null : crash - CRASH_WITHIN };
		return stepMember(this.#port, this.#members.value(from), this.#inputOf(input), mode);
	}

	#inputOf(input: number): MemberInput<P> {
		const argument = input & ARGUMENT_MASK;
		const kind = input >>> KIND_SHIFT;
		switch (kind) {
			case KIND.timer:
				return { type: "timer", timer: this.#timers[argument]! };
			case KIND.disk:
				return { type: "disk" };
			case KIND.crash:
				return { type: "crash", survivors: argument };
			case KIND.request:
				return { type: "request", requestId: argument, request: this.#port.requests[argument]! };
			default: {
				const envelope = this.#messages.value(argument);
				assert(envelope !== null, "number 0 is no message");
				return { type: "message", from: envelope.from, message: envelope.message };
			}
		}
	}

	#observationsOf(transition: number): readonly GroupObservation<P, View>[] {
		const kept = this.#observations.get(transition);
		if (kept !== undefined) return kept;
		const step = this.#stepOf(this.#origins[transition * 2]!, this.#origins[transition * 2 + 1]!);
		const { observations } = must(step ?? undefined, "a transition that was possible stays so");
		this.#keepObservations(transition, observations);
		return observations;
	}

	#keepObservations(transition: number, observations: readonly GroupObservation<P, View>[]): void {
		if (this.#observations.size >= OBSERVATIONS_KEPT) {
			for (const oldest of this.#observations.keys()) {
				this.#observations.delete(oldest);
				break;
			}
		}
		this.#observations.set(transition, observations);
	}

	#internMember(member: Member<P>): number {
		const essence = this.#port.essence(member.machine.state, member.unfinished[0]?.writeId ?? null);
		const known = this.#members.size;
		const number = this.#members.intern(member, plainMember(member, essence));
		if (number < known) return number;
		this.#essences.push(essence);
		this.#isWithin.push(this.#port.isWithin(essence));
		this.#unfinishedOf.push(member.unfinished.length);
		this.#timersOf.push(member.timers.map((timer) => this.#timerNumber(timer)));
		return number;
	}

	#timerNumber(timer: P["timer"]): number {
		const known = this.#timers.indexOf(timer);
		return known === -1 ? this.#timers.push(timer) - 1 : known;
	}

	#internMessage(envelope: Envelope<P>): number {
		const known = this.#messages.size;
		const number = this.#messages.intern(envelope, [envelope.from, envelope.to, envelope.message]);
		if (number < known) return number;
		const receiver = this.#port.nodes.indexOf(envelope.to);
		if (receiver === -1) {
			throw modelMalformed({ model: this.name, problem: `a message to ${envelope.to}, which is no member` });
		}
		if (number > ARGUMENT_MASK) {
			throw modelMalformed({ model: this.name, problem: `more than ${ARGUMENT_MASK} distinct messages` });
		}
		this.#receivers.push(receiver);
		return number;
	}

	#isObsolete(message: number, member: number): boolean {
		const known = this.#obsolete.get(message, member);
		if (known !== -1) return known === 1;
		const envelope = this.#messages.value(message);
		const { durable } = this.#members.value(member);
		const isObsolete = envelope !== null && this.#port.isObsolete?.(envelope.message, this.#essences[member], durable);
		this.#obsolete.set(message, member, isObsolete === true ? 1 : 0);
		return isObsolete === true;
	}

	#failureFindings(failure: string): number {
		const property = this.properties.length - 1;
		return this.#ensemble.findingsNumber([{ property, finding: { type: "violated", details: { failure } } }]);
	}

	describeAction(words: Uint32Array, at: number, action: number): string {
		const kind = action >>> KIND_SHIFT;
		const position = (action >>> MEMBER_SHIFT) & MEMBER_MASK;
		const node = this.#port.nodes[position]!;
		const argument = action & ARGUMENT_MASK;
		const crash = (action >>> CRASH_SHIFT) & CRASH_MASK;
		const crashed = crash === 0 ? "" : `, and crashes in the middle of it; ${survived(crash - 1)}`;
		switch (kind) {
			case KIND.timer:
				return `${node}: its ${this.#timers[argument]!} timer fires${crashed}`;
			case KIND.disk:
				return `${node}: its oldest write becomes durable`;
			case KIND.crash: {
				const unfinished = this.#unfinishedOf[words[at + position]!]!;
				return `${node} crashes and starts again${unfinished === 0 ? "" : `; ${survived(argument)}`}`;
			}
			case KIND.request:
				return `${node}: a client asks: ${canonicalText(this.#port.requests[argument]!)}${crashed}`;
			case KIND.forge:
				return `forged: ${this.#describeEnvelope(must(this.#port.forgeries?.[argument], "known"))}`;
			case KIND.lose:
				return `lost: ${this.#describeMessage(argument)}`;
			case KIND.duplicate:
				return `${node} receives, and a copy stays under way: ${this.#describeMessage(argument)}${crashed}`;
			default:
				return `${node} receives: ${this.#describeMessage(argument)}${crashed}`;
		}
	}

	describeState(words: Uint32Array, at: number): readonly string[] {
		const lines: string[] = [];
		for (let i = 0; i < this.#ensembleAt; i++) lines.push(this.#describeMember(words[at + i]!));
		for (let i = this.#messagesAt; i < this.stateWords; i++) {
			const message = words[at + i]!;
			if (message !== 0) lines.push(`under way: ${this.#describeMessage(message)}`);
		}
		return lines;
	}

	#describeMember(number: number): string {
		const member = this.#members.value(number);
		const essence = this.#essences[number];
		const text = this.#port.describeMember?.(essence) ?? canonicalText(essence);
		const writes = member.unfinished.length === 0 ? "" : `; ${member.unfinished.length} unfinished writes`;
		return `${member.node}: ${text}${writes}`;
	}

	#describeMessage(number: number): string {
		const envelope = this.#messages.value(number);
		return envelope === null ? "" : this.#describeEnvelope(envelope);
	}

	#describeEnvelope({ from, to, message }: Envelope<P>): string {
		const text = this.#port.describeMessage?.(message) ?? fieldsOf(message);
		return `${from} -> ${to} ${text}`;
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

function used(budgets: number, shift: number): number {
	return (budgets >>> shift) & BUDGET_MASK;
}

function survived(writes: number): string {
	return writes === 0 ? "no unfinished write survives" : `${writes} of its unfinished writes survive`;
}

function fieldsOf(message: { readonly type: string }): string {
	const fields = Object.entries(message)
		.filter(([name]) => name !== "type")
		.sort(([a], [b]) => compareIds(a, b))
		.map(([name, value]) => `${name} ${canonicalText(value)}`);
	return [message.type, ...fields].join(" ");
}
