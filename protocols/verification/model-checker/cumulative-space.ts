/**
 * A group on a cumulative network: what was sent once may be delivered at any time, any number of times, or never. So every
 * behaviour with any bound on messages under way, and any number of losses and duplicates, is one of this space; what is
 * proved here is proved of all of them. A state is a few numbers:
 *
 * ```
 *   members …   watchers   budgets   inboxes …   inboxes as they are compared …
 * ```
 *
 * Why so few states are enough:
 *
 * 1. *More messages cover fewer.* Let two states have the same members and watchers, and let the second have all messages of
 *    the first and no more of its budgets used up. Each step of the first is one of the second, finds the same, and leads to
 *    states that are related in the same way, since a step removes no message. By induction every run from the first is
 *    one from the second. So a state that another covers is not explored ({@link CoveringSpace}).
 * 2. *What leaves its member and the watchers as they are is taken at once.* A heartbeat, or an answer to a repeated
 *    question, only adds messages. By 1 the state after it covers the one before.
 * 3. *An obsolete message is forgotten* ({@link GroupPort.isObsolete}): whoever does without it can do the same.
 * 4. *Eager timers* of the port ({@link GroupPort.eagerTimer}).
 * 5. *Requests.* When all are used up, it does not matter how many there were: such a state is also covered by one that
 *    has some left. Of two that both have some left, the next request is another one, so neither covers the other.
 * 6. *Premature messages* of the port ({@link GroupPort.isPremature}) wait. Which they are depends on their receiver alone, so 1 holds
 *    with them.
 * 7. *Symmetry.* Renaming the nodes is an automorphism of the space, so 1 is asked up to a renaming. A state is compared as
 *    the renaming with the least fingerprint makes it, and explored as it was reached.
 *
 * What is taken at once by 2 is judged when the state is explored, like any other step of it. If the state is not explored
 * because another covers it, the other takes the same steps. By 1 this goes on to a state that is explored, since ever
 * larger states of the same members are finitely many.
 */
import type { ProtocolTypes } from "../../core/index.ts";
import {
	BUDGET,
	CRASH_SHIFT,
	KIND,
	KIND_SHIFT,
	MEMBER_MASK,
	MEMBER_SHIFT,
	positionOf,
	SURVIVORS_BEFORE_MAX,
	SURVIVORS_WITHIN_MAX,
	used,
	withinCode,
} from "./group-action.ts";
import type { GroupModel } from "./group-model.ts";
import { GroupParts } from "./group-parts.ts";
import { describeAction } from "./group-transcript.ts";
import { type Batch, InboxTable, type Seat } from "./inbox-table.ts";
import { PairTable } from "./pair-table.ts";
import type { CoveringSpace, PropertyFinding, SpaceProperty, SuccessorSink } from "./state-space.ts";

export class CumulativeSpace<P extends ProtocolTypes, View> implements CoveringSpace {
	readonly name: string;
	readonly stateWords: number;
	readonly properties: readonly SpaceProperty[];
	readonly liveness = null;
	readonly #model: GroupModel<P, View>;
	readonly #parts: GroupParts<P, View>;
	readonly #inboxes: InboxTable<P, View>;
	/** Whether watchers and idle transitions were judged together, and no watcher takes note of them. */
	readonly #quiet = new PairTable();
	/** What idle transitions send while the watchers are as they are: the place in a list. */
	readonly #idleSends = new PairTable();
	readonly #sendLists: (readonly Batch[])[] = [];
	/** What each transition sends, by its number. */
	readonly #batchesOf: (readonly Batch[] | undefined)[] = [];
	readonly #members: number;
	readonly #isLiar: readonly boolean[];
	readonly #ensembleAt: number;
	readonly #budgetsAt: number;
	readonly #inboxesAt: number;
	readonly #comparedAt: number;
	// Of the state that is being expanded.
	#sink: SuccessorSink = noSink;
	readonly #now: Uint32Array;
	/** For each renaming the sums over the members. */
	readonly #memberSums: Int32Array;
	/** The renamings that give the least fingerprint. */
	readonly #least: number[] = [];

	constructor(model: GroupModel<P, View>) {
		this.name = model.name;
		this.#model = model;
		this.#parts = new GroupParts(model);
		this.#inboxes = new InboxTable(this.#parts.table, this.#parts.renamings.length, model.disk);
		this.properties = this.#parts.properties;
		const count = model.port.nodes.length;
		this.#members = count;
		this.#isLiar = model.port.nodes.map((node) => model.port.liars?.includes(node) === true);
		this.#ensembleAt = count;
		this.#budgetsAt = count + 1;
		this.#inboxesAt = count + 2;
		this.#comparedAt = this.#inboxesAt + count;
		this.stateWords = this.#comparedAt + count;
		this.#now = new Uint32Array(this.stateWords);
		this.#memberSums = new Int32Array(this.#parts.renamings.length * 2);
	}

	get memoryBytes(): number {
		return this.#parts.memoryBytes + this.#inboxes.memoryBytes + this.#idleSends.memoryBytes + this.#quiet.memoryBytes;
	}

	get sizes(): GroupParts<P, View>["sizes"] {
		return this.#parts.sizes;
	}

	/** Every member has started on a blank disk, and only liars of any budget have said anything. */
	begin(sink: SuccessorSink): void {
		const now = this.#now.fill(0);
		const { members, ensemble, findings } = this.#parts.boot();
		now.set(members);
		now[this.#ensembleAt] = ensemble;
		this.#sink = sink;
		this.#sumMembers();
		const { port, bounds } = this.#model;
		const lies = bounds.forgeries === "any" ? (port.forgeries ?? []) : [];
		const sent = this.#inboxes.batched(lies.map((envelope) => this.#parts.table.internMessage(envelope)));
		this.#put(0, 0, members[0]!, ensemble, 0, sent, findings);
	}

	expand(words: Uint32Array, at: number, sink: SuccessorSink): void {
		const now = this.#now;
		for (let i = 0; i < now.length; i++) now[i] = words[at + i]!;
		this.#sink = sink;
		this.#sumMembers();
		const budgets = now[this.#budgetsAt]!;
		for (let position = 0; position < this.#members; position++) {
			if (!this.#isLiar[position]) this.#act(position, budgets);
		}
		this.#forge(budgets);
	}

	covers(words: Uint32Array, at: number, others: Uint32Array, othersAt: number): boolean {
		for (let i = this.#comparedAt; i < this.stateWords; i++) {
			if (!this.#inboxes.isWithin(others[othersAt + i]!, words[at + i]!)) return false;
		}
		return true;
	}

	rankOf(words: Uint32Array, at: number): number | null {
		let sum = 0;
		for (let i = 0; i < this.#members; i++) {
			const rank = this.#parts.table.ranks[words[at + i]!]!;
			if (rank === null) return null;
			sum += rank;
		}
		return sum;
	}

	findingsOf(findings: number): readonly PropertyFinding[] {
		return this.#parts.ensemble.findings(findings);
	}

	witnessed(property: number): void {
		this.#parts.ensemble.retire(property);
	}

	describeAction(words: Uint32Array, at: number, action: number): string {
		return describeAction(this.#model, this.#parts.table, action, words[at + positionOf(action)]!);
	}

	describeState(words: Uint32Array, at: number): readonly string[] {
		const { table } = this.#parts;
		const lines: string[] = [];
		for (let i = 0; i < this.#members; i++) lines.push(table.describeMember(words[at + i]!));
		for (let i = 0; i < this.#members; i++) {
			for (const message of this.#inboxes.messages(words[at + this.#inboxesAt + i]!)) {
				lines.push(`may arrive: ${table.describeMessage(message)}`);
			}
		}
		return lines;
	}

	/** Everything that a member may do next. */
	#act(position: number, budgets: number): void {
		const now = this.#now;
		const member = now[position]!;
		const { table } = this.#parts;
		const mark = position << MEMBER_SHIFT;
		const seat = this.#inboxes.seat(member, now[this.#inboxesAt + position]!);
		for (const input of seat.lively) this.#input(input | mark, budgets);
		this.#takeNoteOfIdle(seat, mark, budgets);
		const isAsynchronous = this.#model.disk === "asynchronous";
		if (isAsynchronous && table.unfinishedOf[member]! > 0) this.#input((KIND.disk << KIND_SHIFT) | mark, budgets);
		const request = used(budgets, BUDGET.requests);
		if (request < this.#model.port.requests.length) {
			this.#input((KIND.request << KIND_SHIFT) | mark | request, budgets + (1 << BUDGET.requests));
		}
		if (!this.#mayCrash(budgets)) return;
		const last = Math.min(table.unfinishedOf[member]!, SURVIVORS_BEFORE_MAX);
		for (let survivors = 0; survivors <= last; survivors++) {
			this.#step((KIND.crash << KIND_SHIFT) | mark | survivors, budgets + (1 << BUDGET.crashes));
		}
	}

	/** Idle steps are judged once for the same watchers, and taken if these take note of them. */
	#takeNoteOfIdle({ idle, transitions, number }: Seat, mark: number, budgets: number): void {
		const ensemble = this.#now[this.#ensembleAt]!;
		if (this.#quiet.get(ensemble, number) === 1) return;
		for (const input of idle) this.#step(input | mark, budgets);
		const watchers = this.#parts.ensemble;
		const isQuiet = transitions.every((transition) => {
			const reaction = this.#parts.react(ensemble, transition);
			if (!watchers.isSame(watchers.nextOf(reaction), ensemble)) return false;
			// A violation must be found again when its run is told.
			return watchers.findings(watchers.findingsOf(reaction)).every(({ finding }) => finding.type === "holds");
		});
		if (this.#quiet.get(ensemble, number) === -1) this.#quiet.set(ensemble, number, isQuiet ? 1 : 0);
	}

	#mayCrash(budgets: number): boolean {
		return used(budgets, BUDGET.crashes) < this.#model.bounds.crashes;
	}

	/** An input, and with a synchronous disk the crashes in the middle of it. */
	#input(action: number, budgets: number): void {
		this.#step(action, budgets);
		if (this.#model.disk === "asynchronous" || !this.#mayCrash(budgets)) return;
		for (let survivors = 0; survivors <= SURVIVORS_WITHIN_MAX; survivors++) {
			const crashing = action | (withinCode(survivors, false) << CRASH_SHIFT);
			if (!this.#step(crashing, budgets + (1 << BUDGET.crashes))) break;
		}
	}

	/** Puts the successor by one transition of one member; false if there is none. */
	#step(action: number, budgets: number): boolean {
		const { table, ensemble: watchers } = this.#parts;
		const now = this.#now;
		const position = positionOf(action);
		const transition = table.transition(now[position]!, action & ~(MEMBER_MASK << MEMBER_SHIFT));
		if (transition === null) return false;
		if (transition.failure !== null) {
			this.#sink.words.set(now);
			this.#sink.beyond(action, this.#parts.failureFindings(transition.failure));
			return true;
		}
		const ensemble = now[this.#ensembleAt]!;
		const reaction = this.#parts.react(ensemble, transition.number);
		const after = watchers.nextOf(reaction);
		const findings = watchers.findingsOf(reaction);
		const isIdle = transition.member === now[position] && watchers.isSame(after, ensemble);
		this.#batchesOf[transition.number] ??= this.#inboxes.batched(transition.sent);
		const sent = this.#batchesOf[transition.number]!;
		if (isIdle && this.#isSent(sent)) {
			this.#sink.words.set(now);
			this.#sink.known(action, findings);
		} else this.#put(action, position, transition.member, after, budgets, sent, findings);
		return true;
	}

	/** Whether all these messages are on the network already, or obsolete. */
	#isSent(sent: readonly Batch[]): boolean {
		const now = this.#now;
		return sent.every(({ receiver, inbox }) => {
			const before = now[this.#inboxesAt + receiver]!;
			return this.#inboxes.united(before, this.#inboxes.settled(inbox, now[receiver]!)) === before;
		});
	}

	#forge(budgets: number): void {
		const { forgeries } = this.#model.bounds;
		if (forgeries === "any" || used(budgets, BUDGET.forgeries) >= forgeries) return;
		const now = this.#now;
		for (const [number, envelope] of (this.#model.port.forgeries ?? []).entries()) {
			const sent = this.#inboxes.batched([this.#parts.table.internMessage(envelope)]);
			if (this.#isSent(sent)) continue;
			const action = (KIND.forge << KIND_SHIFT) | number;
			const spent = budgets + (1 << BUDGET.forgeries);
			this.#put(action, 0, now[0]!, now[this.#ensembleAt]!, spent, sent, 0);
		}
	}

	/** Puts the state of now with another member at a position, and with what was sent. */
	#put(
		action: number,
		position: number,
		member: number,
		ensemble: number,
		budgets: number,
		sent: readonly Batch[],
		findings: number,
	): void {
		const { words } = this.#sink;
		const now = this.#now;
		for (let i = 0; i < this.#comparedAt; i++) words[i] = now[i]!;
		words[position] = member;
		words[this.#ensembleAt] = ensemble;
		words[this.#budgetsAt] = budgets;
		const inboxAt = this.#inboxesAt + position;
		if (member !== now[position]) words[inboxAt] = this.#inboxes.settled(words[inboxAt]!, member);
		for (let i = 0; i < sent.length; i++) this.#send(words, sent[i]!);
		if (!this.#parts.table.isWithin[member]!) {
			this.#sink.beyond(action, findings);
			return;
		}
		this.#takeIdle(words, ensemble);
		this.#putCompared(action, position, findings);
	}

	/** Puts messages into their receiver's inbox, but for those that are obsolete; whether any was not there. */
	#send(words: Uint32Array, { receiver, inbox }: Batch): boolean {
		const at = this.#inboxesAt + receiver;
		const after = this.#inboxes.united(words[at]!, this.#inboxes.settled(inbox, words[receiver]!));
		if (after === words[at]) return false;
		words[at] = after;
		return true;
	}

	/** Takes every step that only adds messages, until none does any more. What one does depends on its own inbox only. */
	#takeIdle(words: Uint32Array, ensemble: number): void {
		let waiting = (1 << this.#members) - 1;
		while (waiting !== 0) {
			const position = 31 - Math.clz32(waiting);
			waiting &= ~(1 << position);
			const seat = this.#inboxes.seat(words[position]!, words[this.#inboxesAt + position]!);
			const sends = this.#sendsOf(ensemble, seat);
			for (let i = 0; i < sends.length; i++) {
				if (this.#send(words, sends[i]!)) waiting |= 1 << sends[i]!.receiver;
			}
		}
	}

	/** What idle transitions send, those that the watchers take note of left out. */
	#sendsOf(ensemble: number, { transitions, number: list }: Seat): readonly Batch[] {
		const known = this.#idleSends.get(ensemble, list);
		if (known !== -1) return this.#sendLists[known]!;
		const { table, ensemble: watchers } = this.#parts;
		const sends = new Set<number>();
		for (const number of transitions) {
			const { sent } = table.transitionOf(number);
			// Most send nothing, or the same again: what the watchers make of these does not matter.
			if (sent.every((message) => sends.has(message))) continue;
			const after = watchers.nextOf(this.#parts.react(ensemble, number));
			if (watchers.isSame(after, ensemble)) for (const message of sent) sends.add(message);
		}
		this.#idleSends.set(ensemble, list, this.#sendLists.push(this.#inboxes.batched(sends)) - 1);
		return this.#sendLists.at(-1)!;
	}

	/** Puts the sink's words, up to the renaming by which they are compared. */
	#putCompared(action: number, position: number, findings: number): void {
		const sink = this.#sink;
		const { high, low } = this.#fingerprint(position);
		const budgets = sink.words[this.#budgetsAt]!;
		// The last is the one that is kept.
		for (const renaming of this.#least) {
			this.#compareBy(renaming);
			if (!this.#isCovered(high, low, budgets)) continue;
			sink.known(action, findings);
			return;
		}
		sink.successor(action, (high + budgetHigh(budgets)) >>> 0, (low + budgetLow(budgets)) >>> 0, findings);
	}

	/** The least sum of the hashes of members and watchers over all renamings; those that give it are in `#least`. */
	#fingerprint(position: number): { readonly high: number; readonly low: number } {
		const { words } = this.#sink;
		const stride = this.#parts.renamings.length * 2;
		const memberWords = this.#parts.table.members.words;
		const ensembleWords = this.#parts.ensemble.words;
		const sums = this.#memberSums;
		const ensembleRow = words[this.#ensembleAt]! * stride;
		const oldRow = this.#now[position]! * stride;
		const newRow = words[position]! * stride;
		let leastHigh = 0xffff_ffff;
		let leastLow = 0xffff_ffff;
		this.#least.length = 0;
		for (let at = 0; at < stride; at += 2) {
			const high =
				(sums[at]! + ensembleWords[ensembleRow + at]! + memberWords[newRow + at]! - memberWords[oldRow + at]!) >>> 0;
			const low =
				(sums[at + 1]! +
					ensembleWords[ensembleRow + at + 1]! +
					memberWords[newRow + at + 1]! -
					memberWords[oldRow + at + 1]!) >>>
				0;
			if (high > leastHigh || (high === leastHigh && low > leastLow)) continue;
			if (high !== leastHigh || low !== leastLow) this.#least.length = 0;
			leastHigh = high;
			leastLow = low;
			this.#least.push(at >>> 1);
		}
		return { high: leastHigh, low: leastLow };
	}

	/** Writes the inboxes under a renaming, each to the place of the member that its own is renamed to. */
	#compareBy(renaming: number): void {
		const { words } = this.#sink;
		const order = this.#parts.renamings[renaming]!;
		for (let i = 0; i < this.#members; i++) {
			words[this.#comparedAt + order[i]!] = this.#inboxes.renamed(words[this.#inboxesAt + i]!, renaming);
		}
	}

	/** Whether a state with no more of any budget used up covers the sink's words. */
	#isCovered(high: number, low: number, budgets: number): boolean {
		const requests = used(budgets, BUDGET.requests);
		const isSpent = requests === this.#model.port.requests.length;
		for (let asked = isSpent ? 0 : requests; asked <= requests; asked++) {
			for (let crashes = 0; crashes <= used(budgets, BUDGET.crashes); crashes++) {
				for (let forgeries = 0; forgeries <= used(budgets, BUDGET.forgeries); forgeries++) {
					const less = (asked << BUDGET.requests) | (crashes << BUDGET.crashes) | (forgeries << BUDGET.forgeries);
					if (this.#sink.isKnown((high + budgetHigh(less)) >>> 0, (low + budgetLow(less)) >>> 0)) return true;
				}
			}
		}
		return false;
	}

	#sumMembers(): void {
		const stride = this.#parts.renamings.length * 2;
		const sums = this.#memberSums.fill(0);
		const { words } = this.#parts.table.members;
		for (let i = 0; i < this.#members; i++) {
			const row = this.#now[i]! * stride;
			for (let at = 0; at < stride; at++) sums[at]! += words[row + at]!;
		}
	}
}

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
