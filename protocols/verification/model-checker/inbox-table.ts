/**
 * Inboxes of a cumulative network by numbers: what was ever sent to one member and can still matter to it, as a set. All
 * that is asked of inboxes is worked out once for each distinct question. Number 0 is the empty inbox of everybody.
 */
import type { ProtocolTypes } from "../../core/index.ts";
import { CRASH_SHIFT, KIND, KIND_SHIFT, withinCode } from "./group-action.ts";
import type { MemberTable } from "./member-table.ts";
import { PairTable } from "./pair-table.ts";

export class InboxTable<P extends ProtocolTypes, View> {
	readonly #table: MemberTable<P, View>;
	readonly #renamings: number;
	/** Numbers of messages, ascending. */
	readonly #inboxes: (readonly number[])[] = [];
	readonly #numbers = new Map<string, number>();
	readonly #united = new PairTable();
	readonly #settled = new PairTable();
	readonly #within = new PairTable();
	/** At `inbox * renamings + renaming`: one more than the renamed inbox; 0 if it is not worked out. */
	#renamed = new Uint32Array(1 << 10);
	/** What a member with an inbox may take, by numbers. */
	readonly #seatOf = new PairTable();
	readonly #seats: Seat[] = [];
	readonly #idleNumbers = new Map<string, number>();
	readonly #isSynchronous: boolean;

	constructor(table: MemberTable<P, View>, renamings: number, disk: "synchronous" | "asynchronous") {
		this.#table = table;
		this.#isSynchronous = disk === "synchronous";
		this.#renamings = renamings;
		this.#intern([]);
	}

	get size(): number {
		return this.#inboxes.length;
	}

	get memoryBytes(): number {
		const pairs = [this.#united, this.#settled, this.#within, this.#seatOf];
		return pairs.reduce((sum, { memoryBytes }) => sum + memoryBytes, this.#renamed.byteLength);
	}

	messages(inbox: number): readonly number[] {
		return this.#inboxes[inbox]!;
	}

	/** What is in one inbox or the other. */
	united(inbox: number, other: number): number {
		if (other === 0 || other === inbox) return inbox;
		const known = this.#united.get(inbox, other);
		if (known !== -1) return known;
		const messages = new Set([...this.#inboxes[inbox]!, ...this.#inboxes[other]!]);
		const number = this.#intern([...messages].sort((left, right) => left - right));
		this.#united.set(inbox, other, number);
		return number;
	}

	/** Messages as the inboxes that they make, one for each receiver. */
	batched(messages: Iterable<number>): readonly Batch[] {
		const byReceiver = new Map<number, number[]>();
		for (const message of messages) {
			const receiver = this.#table.receivers[message]!;
			const list = byReceiver.get(receiver);
			if (list === undefined) byReceiver.set(receiver, [message]);
			else if (!list.includes(message)) list.push(message);
		}
		return [...byReceiver].map(([receiver, list]) => ({
			receiver,
			inbox: this.#intern(list.sort((left, right) => left - right)),
		}));
	}

	/** The inbox without what is obsolete for its member as it is now. */
	settled(inbox: number, member: number): number {
		const known = this.#settled.get(inbox, member);
		if (known !== -1) return known;
		const messages = this.#inboxes[inbox]!;
		const number = this.#intern(messages.filter((message) => !this.#table.isObsolete(message, member)));
		this.#settled.set(inbox, member, number);
		return number;
	}

	/** Whether everything in the first inbox is in the second. */
	isWithin(first: number, second: number): boolean {
		if (first === second) return true;
		const known = this.#within.get(first, second);
		if (known !== -1) return known === 1;
		const isWithin = isSubset(this.#inboxes[first]!, this.#inboxes[second]!);
		this.#within.set(first, second, isWithin ? 1 : 0);
		return isWithin;
	}

	/** The inbox with all nodes renamed. */
	renamed(inbox: number, renaming: number): number {
		const at = inbox * this.#renamings + renaming;
		if (at < this.#renamed.length && this.#renamed[at] !== 0) return this.#renamed[at]! - 1;
		const messages = this.#inboxes[inbox]!.map((message) => this.#table.renamedMessage(message, renaming));
		const number = this.#intern(messages.sort((left, right) => left - right));
		if (at >= this.#renamed.length) {
			const grown = new Uint32Array(Math.max(at + 1, this.#renamed.length * 2));
			grown.set(this.#renamed);
			this.#renamed = grown;
		}
		this.#renamed[at] = number + 1;
		return number;
	}

	/** What a member may take of its timers and its inbox. */
	seat(member: number, inbox: number): Seat {
		const known = this.#seatOf.get(member, inbox);
		if (known !== -1) return this.#seats[known]!;
		const due = this.#inboxes[inbox]!.filter((message) => !this.#table.isPremature(message, member));
		const inputs = [
			...this.#table.timersOf[member]!.map((timer) => (KIND.timer << KIND_SHIFT) | timer),
			...due.map((message) => (KIND.deliver << KIND_SHIFT) | message),
		];
		const idle = inputs.filter((input) => this.#isIdle(member, input));
		const transitions = idle.map((input) => this.#table.transition(member, input)!.number);
		const seat = {
			lively: inputs.filter((input) => !idle.includes(input)),
			idle,
			transitions,
			number: this.#idleNumber(transitions),
		};
		this.#seatOf.set(member, inbox, this.#seats.push(seat) - 1);
		return seat;
	}

	/** Whether an input leaves its member as it is, and a crash in the middle of it would be none of its own. */
	#isIdle(member: number, input: number): boolean {
		const transition = this.#table.transition(member, input);
		if (transition === null || transition.failure !== null || transition.member !== member) return false;
		return (
			!this.#isSynchronous || this.#table.transition(member, input | (withinCode(0, false) << CRASH_SHIFT)) === null
		);
	}

	#idleNumber(transitions: readonly number[]): number {
		const key = transitions.join();
		let number = this.#idleNumbers.get(key);
		if (number === undefined) {
			number = this.#idleNumbers.size;
			this.#idleNumbers.set(key, number);
		}
		return number;
	}

	#intern(messages: readonly number[]): number {
		const key = String.fromCharCode(...messages);
		let number = this.#numbers.get(key);
		if (number === undefined) {
			number = this.#inboxes.push(messages) - 1;
			this.#numbers.set(key, number);
		}
		return number;
	}
}

/** Messages to one member, as an inbox of them alone. */
export interface Batch {
	readonly receiver: number;
	readonly inbox: number;
}

/** What a member with an inbox may take, as inputs of {@link MemberTable.transition}. */
export interface Seat {
	/** Those that change it. */
	readonly lively: readonly number[];
	/** Those that do not, and their transitions. */
	readonly idle: readonly number[];
	readonly transitions: readonly number[];
	/** The same for seats with the same idle transitions. */
	readonly number: number;
}

/** Of ascending lists. */
function isSubset(first: readonly number[], second: readonly number[]): boolean {
	let at = 0;
	for (const item of first) {
		while (at < second.length && second[at]! < item) at++;
		if (second[at] !== item) return false;
	}
	return true;
}
