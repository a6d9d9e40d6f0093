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

/** What is done, in the highest bits of an action; then the member and an argument. */
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
/** With a synchronous disk: 0 if the input is completed, else one more than the persists that survive the crash in it. */
const CRASH_SHIFT = 22;
const CRASH_MASK = 0x3;
const ARGUMENT_MASK = (1 << CRASH_SHIFT) - 1;
/** Of a crash within an input, survivors beyond this are not told apart. */
const CRASH_WITH_MAX = 2;

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

	// Of the state that is being expanded.
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
			const reaction = this.#ensemble.react(ensemble, transition, () => step.observations);
			findings.push(...this.#ensemble.findings(this.#ensemble.findingsOf[reaction]!));
			ensemble = this.#ensemble.nextOf[reaction]!;
		}
		now[this.#ensembleAt] = ensemble;
		this.#sumMembers();
		this.#emit(sink, 0, -1, 0, ensemble, 0, 0, this.#ensemble.findingsNumber(findings));
	}

	expand(words: Uint32Array, at: number, sink: SuccessorSink): void {
		const now = this.#now;
		for (let i = 0; i < now.length; i++) now[i] = words[at + i]!;
		this.#sumMembers();
		const budgets = now[this.#budgetsAt]!;
		const count = this.#ensembleAt;
		for (let member = 0; member < count; member++) this.#stirMember(member, budgets, sink);
		let before = 0;
		for (let slot = this.#messagesAt; slot < now.length; slot++) {
			const message = now[slot]!;
			if (message === 0) break;
			// Equal messages are interchangeable.
			if (message === before) continue;
			before = message;
			this.#moveMessage(message, slot, budgets, sink);
		}
		this.#forge(budgets, sink);
	}

	findingsOf(findings: number): readonly PropertyFinding[] {
		return this.#ensemble.findings(findings);
	}

	/** What happens to one member by itself: timers, disk, crashes, requests. */
	#stirMember(position: number, budgets: number, sink: SuccessorSink): void {
		const { bounds, disk } = this.#model;
		const member = this.#now[position]!;
		const at = position << MEMBER_SHIFT;
		for (const timer of this.#timersOf[member]!) {
			this.#input((KIND.timer << KIND_SHIFT) | at | timer, position, -1, budgets, sink);
		}
		const unfinished = this.#unfinishedOf[member]!;
		if (disk === "asynchronous" && unfinished > 0) {
			this.#input((KIND.disk << KIND_SHIFT) | at, position, -1, budgets, sink);
		}
		if (used(budgets, BUDGET.crashes) < bounds.crashes) {
			const spent = budgets + (1 << BUDGET.crashes);
			for (let survivors = 0; survivors <= unfinished; survivors++) {
				this.#step((KIND.crash << KIND_SHIFT) | at | survivors, position, -1, spent, sink);
			}
		}
		const request = used(budgets, BUDGET.requests);
		if (request < this.#port.requests.length) {
			const spent = budgets + (1 << BUDGET.requests);
			this.#input((KIND.request << KIND_SHIFT) | at | request, position, -1, spent, sink);
		}
	}

	#moveMessage(message: number, slot: number, budgets: number, sink: SuccessorSink): void {
		const { bounds } = this.#model;
		const receiver = this.#receivers[message]!;
		const at = receiver << MEMBER_SHIFT;
		this.#input((KIND.deliver << KIND_SHIFT) | at | message, receiver, slot, budgets, sink);
		if (used(budgets, BUDGET.duplicates) < bounds.duplicates) {
			const spent = budgets + (1 << BUDGET.duplicates);
			this.#input((KIND.duplicate << KIND_SHIFT) | at | message, receiver, -1, spent, sink);
		}
		const mayLose = bounds.losses === "any" || used(budgets, BUDGET.losses) < bounds.losses;
		if (mayLose) {
			const spent = bounds.losses === "any" ? budgets : budgets + (1 << BUDGET.losses);
			const action = (KIND.lose << KIND_SHIFT) | at | message;
			this.#emit(sink, action, -1, 0, this.#now[this.#ensembleAt]!, spent, this.#gather(slot, []), NO_FINDINGS);
		}
	}

	#forge(budgets: number, sink: SuccessorSink): void {
		const forgeries = this.#port.forgeries ?? [];
		if (used(budgets, BUDGET.forgeries) >= this.#model.bounds.forgeries) return;
		for (const [number, envelope] of forgeries.entries()) {
			const action = (KIND.forge << KIND_SHIFT) | number;
			const under = this.#gather(-1, [this.#internMessage(envelope)]);
			const spent = budgets + (1 << BUDGET.forgeries);
			this.#emit(sink, action, -1, 0, this.#now[this.#ensembleAt]!, spent, under, NO_FINDINGS);
		}
	}

	/** An input, and with a synchronous disk the crashes in the middle of it. */
	#input(action: number, position: number, slot: number, budgets: number, sink: SuccessorSink): void {
		this.#step(action, position, slot, budgets, sink);
		const { bounds, disk } = this.#model;
		if (disk === "asynchronous" || used(budgets, BUDGET.crashes) >= bounds.crashes) return;
		const spent = budgets + (1 << BUDGET.crashes);
		for (let survivors = 0; survivors < CRASH_WITH_MAX; survivors++) {
			const isPossible = this.#step(action | ((survivors + 1) << CRASH_SHIFT), position, slot, spent, sink);
			if (!isPossible) break;
		}
	}

	/** Puts the successor by one transition of one member; false if there is none. */
	#step(action: number, position: number, slot: number, budgets: number, sink: SuccessorSink): boolean {
		const from = this.#now[position]!;
		const input = inputOf(action);
		let number = this.#transitionOf.get(from, input);
		if (number === -1) number = this.#workOut(from, input);
		const transition = this.#transitions[number]!;
		if (transition === null) return false;
		if (transition.failure !== null) {
			sink.words.set(this.#now);
			sink.beyond(action, this.#failureFindings(transition.failure));
			return true;
		}
		const isRequest = input >>> KIND_SHIFT === KIND.request;
		if (isRequest && transition.member === from && transition.sent.length === 0) return false;
		const reaction = this.#ensemble.react(this.#now[this.#ensembleAt]!, number, () => this.#observationsOf(number));
		const ensemble = this.#ensemble.nextOf[reaction]!;
		const findings = this.#ensemble.findingsOf[reaction]!;
		const under = this.#gather(slot, transition.sent);
		this.#emit(sink, action, position, transition.member, ensemble, budgets, under, findings);
		return true;
	}

	/** Collects what is under way after a step, without the message of a slot (-1: none). Returns how many. */
	#gather(slot: number, sent: readonly number[]): number {
		const now = this.#now;
		const under = this.#under;
		let count = 0;
		for (let at = this.#messagesAt; at < now.length; at++) {
			const message = now[at]!;
			if (message === 0) break;
			if (at !== slot) under[count++] = message;
		}
		for (let i = 0; i < sent.length; i++) {
			if (count === under.length) return count;
			under[count++] = sent[i]!;
		}
		return count;
	}

	/** Puts a successor: the members of now but for one (position -1: none), and what {@link #gather} has collected. */
	#emit(
		sink: SuccessorSink,
		action: number,
		position: number,
		member: number,
		ensemble: number,
		budgets: number,
		gathered: number,
		findings: number,
	): void {
		const now = this.#now;
		const { words } = sink;
		for (let i = 0; i < this.#ensembleAt; i++) words[i] = now[i]!;
		if (position !== -1) words[position] = member;
		words[this.#ensembleAt] = ensemble;
		words[this.#budgetsAt] = budgets;
		const count = this.#placeMessages(words, gathered);
		if (count > this.#inFlightMax || (position !== -1 && !this.#isWithin[member]!)) {
			sink.beyond(action, findings);
			return;
		}
		this.#putFingerprint(sink, action, position, member, count, findings);
	}

	/** Drops what is obsolete and writes the rest in ascending order. Returns how many there are. */
	#placeMessages(words: Uint32Array, gathered: number): number {
		const from = this.#messagesAt;
		let count = 0;
		for (let i = 0; i < gathered; i++) {
			const message = this.#under[i]!;
			if (this.#port.isObsolete !== undefined && this.#isObsolete(message, words[this.#receivers[message]!]!)) continue;
			let at = from + Math.min(count, this.#inFlightMax - 1);
			if (count >= this.#inFlightMax) {
				count++;
				continue;
			}
			for (; at > from && words[at - 1]! > message; at--) words[at] = words[at - 1]!;
			words[at] = message;
			count++;
		}
		for (let at = from + count; at < from + this.#inFlightMax; at++) words[at] = 0;
		return count;
	}

	#putFingerprint(
		sink: SuccessorSink,
		action: number,
		position: number,
		member: number,
		count: number,
		findings: number,
	): void {
		const { words } = sink;
		const stride = this.#renamings * 2;
		const memberWords = this.#members.words;
		const messageWords = this.#messages.words;
		const ensembleWords = this.#ensemble.words;
		const sums = this.#memberSums;
		const ensembleRow = words[this.#ensembleAt]! * stride;
		const oldRow = position === -1 ? 0 : this.#now[position]! * stride;
		const newRow = member * stride;
		const from = this.#messagesAt;
		const budgets = words[this.#budgetsAt]!;
		const budgetHigh = Math.imul(budgets ^ (budgets >>> 15), 0x85ebca6b);
		const budgetLow = Math.imul(budgets ^ (budgets >>> 13), 0xc2b2ae35);
		let leastHigh = 0xffff_ffff;
		let leastLow = 0xffff_ffff;
		for (let at = 0; at < stride; at += 2) {
			let high = (sums[at]! + ensembleWords[ensembleRow + at]! + budgetHigh) | 0;
			let low = (sums[at + 1]! + ensembleWords[ensembleRow + at + 1]! + budgetLow) | 0;
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
		sink.successor(action, leastHigh, leastLow, findings);
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
		const mode = { disk: this.#model.disk, crashWith: crash === 0 ? null : crash - 1 };
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

/** What an action is to its member: a copy that stays under way is nothing to the receiver. */
function inputOf(action: number): number {
	const input = action & ~(MEMBER_MASK << MEMBER_SHIFT);
	return input >>> KIND_SHIFT === KIND.duplicate ? input & ~(KIND.duplicate << KIND_SHIFT) : input;
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
