/**
 * What one member holds of the others, in packed arrays: 7 bytes a member beside the directory, up to 65,536 members whose
 * incarnations are as small; up to 17 beyond. The list of members is at the same time the order in which they are probed:
 * shuffled after each pass, joiners at a random place (SWIM §4.3).
 */
import { assert, type ChoicePort, must, type NodeId } from "../../core/index.ts";
import { MemberDirectory, plainStatement } from "./member-directory.ts";
import type { MemberUpdate } from "./messages.ts";
import { PackedNumbers } from "./packed-numbers.ts";

/** What a member is held for. `dead` is still gossiped to, `buried` no more; both were not heard to leave. */
export const memberStates = ["none", "alive", "suspect", "dead", "buried", "left"] as const;
export type MemberState = (typeof memberStates)[number];

const ALIVE = 1;
const SUSPECT = 2;
const DEAD = 3;
const BURIED = 4;

/** In a table up to this size a random member is found by counting: one choice decides, and every answer of it differs. */
const COUNTED_MEMBERS_MAX = 32;
/** Above it, members are guessed; so many wrong guesses in a row, and it is counted after all. */
const GUESSES_MAX = 16;
/** Tables of a directory that grows one by one grow by so much at a time. */
const GROWTH = 1.25;

export class MemberTable {
	readonly #directory: MemberDirectory;
	/** By slot. */
	#states = new Uint8Array(0);
	#incarnations = new PackedNumbers();
	/** Where each held member is in the order of probing. */
	#places = new PackedNumbers();
	/** The slots of all members that are held, in the order of probing: the first {@link MemberTable.size} of it. */
	#order = new PackedNumbers();
	#size = 0;
	/** How many members are in each state. */
	readonly #counts: number[] = memberStates.map(() => 0);
	/** Each member's own last statement, as far as it has tags or a signature; others can be made anew. */
	readonly #statements = new Map<number, MemberUpdate>();

	constructor(directory: MemberDirectory = new MemberDirectory()) {
		this.#directory = directory;
	}

	/** Members held, in any state. */
	get size(): number {
		return this.#size;
	}

	/** Bytes of the arrays. */
	get bytes(): number {
		return this.#states.byteLength + this.#incarnations.bytes + this.#places.bytes + this.#order.bytes;
	}

	count(state: MemberState): number {
		return must(this.#counts[memberStates.indexOf(state)], "every state is counted");
	}

	/** Members believed to be there: alive or suspected. */
	get present(): number {
		return (this.#counts[ALIVE] ?? 0) + (this.#counts[SUSPECT] ?? 0);
	}

	/** Where a member is held, or −1. Whoever asks several things about one member in a row looks its name up once. */
	slotOf(id: NodeId): number {
		const slot = this.#directory.find(id);
		return slot >= 0 && (this.#states[slot] ?? 0) > 0 ? slot : -1;
	}

	stateAt(slot: number): MemberState {
		return slot < 0 ? "none" : (memberStates[this.#states[slot] as number] as MemberState);
	}

	incarnationAt(slot: number): number {
		return slot < 0 ? 0 : this.#incarnations.at(slot);
	}

	stateOf(id: NodeId): MemberState {
		return this.stateAt(this.slotOf(id));
	}

	/** 0 of whoever is not held. */
	incarnationOf(id: NodeId): number {
		return this.incarnationAt(this.slotOf(id));
	}

	/** What the member last said of itself. */
	statementOf(id: NodeId): MemberUpdate {
		const slot = this.slotOf(id);
		return slot < 0 ? plainStatement(id, 0) : this.statementAt(slot);
	}

	statementAt(slot: number): MemberUpdate {
		const kept = this.#statements.size === 0 ? undefined : this.#statements.get(slot);
		return kept ?? this.#directory.statementAt(slot, this.#incarnations.at(slot));
	}

	/** Where the member at a place of the order is held. */
	slotAt(place: number): number {
		assert(place < this.#size, "a place of the order", { place });
		return this.#order.at(place);
	}

	/** Holds a member, or holds it for something else. A new one is put at a random place of the order. */
	set(id: NodeId, state: Exclude<MemberState, "none">, incarnation: number, choices: ChoicePort): void {
		let slot = this.slotOf(id);
		if (slot < 0) {
			slot = this.#directory.acquire(id);
			this.#reserve(slot);
			this.#insert(slot, choices);
		} else {
			this.#recount(slot, -1);
		}
		this.#states[slot] = memberStates.indexOf(state);
		this.#incarnations.set(slot, incarnation);
		this.#recount(slot, 1);
	}

	/** Keeps what a member has said of itself; it must be held. */
	keepStatement(update: MemberUpdate): void {
		const slot = this.#directory.find(update.node);
		if (update.tags.length > 0 || update.signature.length > 0) this.#statements.set(slot, update);
		else this.#statements.delete(slot);
	}

	/** Forgets a member. */
	remove(id: NodeId): void {
		const slot = this.slotOf(id);
		assert(slot >= 0, "only who is held is forgotten", { id });
		this.#recount(slot, -1);
		const place = this.#places.at(slot);
		this.#order.close(place, this.#size);
		this.#size--;
		for (let i = place; i < this.#size; i++) this.#places.set(this.#order.at(i), i);
		this.#states[slot] = 0;
		this.#statements.delete(slot);
		this.#directory.release(slot);
	}

	/** All members held, in the order of probing. */
	ids(): NodeId[] {
		return Array.from({ length: this.#size }, (_, place) => this.at(place));
	}

	at(place: number): NodeId {
		return this.#directory.idOf(this.slotAt(place));
	}

	isPresentAt(place: number): boolean {
		const state = this.#states[this.#order.at(place)] as number;
		return state === ALIVE || state === SUSPECT;
	}

	/** A new order of probing (Fisher and Yates). */
	shuffle(choices: ChoicePort): void {
		for (let i = this.#size - 1; i > 0; i--) this.#swap(i, choices.below(i + 1));
	}

	/**
	 * Up to `count` different members, each drawn uniformly from those that are left; `withDead` includes who was declared
	 * dead of late. Members in `except` are not drawn.
	 */
	draw(count: number, choices: ChoicePort, withDead: boolean, except: readonly NodeId[] = []): NodeId[] {
		const drawn: NodeId[] = [];
		while (drawn.length < count) {
			const next = this.#drawOne(choices, withDead, except, drawn);
			if (next === null) break;
			drawn.push(next);
		}
		return drawn;
	}

	/** One member that was declared dead and has not left, the buried included. */
	drawDead(choices: ChoicePort): NodeId | null {
		const dead = this.#slots((state) => state === DEAD || state === BURIED);
		return dead.length === 0 ? null : this.#directory.idOf(dead[choices.below(dead.length)] as number);
	}

	copy(): MemberTable {
		const copy = new MemberTable(this.#directory);
		copy.#states = this.#states.slice();
		copy.#incarnations = this.#incarnations.copy();
		copy.#places = this.#places.copy();
		copy.#order = this.#order.copy();
		copy.#size = this.#size;
		for (let place = 0; place < this.#size; place++) this.#directory.acquire(this.at(place));
		for (const [slot, statement] of this.#statements) copy.#statements.set(slot, statement);
		for (let i = 0; i < memberStates.length; i++) copy.#counts[i] = this.#counts[i] as number;
		return copy;
	}

	/** Slots of held members in certain states, in the order of probing. */
	#slots(isWanted: (state: number, slot: number) => boolean): number[] {
		const slots: number[] = [];
		for (let place = 0; place < this.#size; place++) {
			const slot = this.#order.at(place);
			if (isWanted(this.#states[slot] as number, slot)) slots.push(slot);
		}
		return slots;
	}

	#recount(slot: number, by: number): void {
		const state = this.#states[slot] as number;
		this.#counts[state] = (this.#counts[state] as number) + by;
	}

	/** Room for all that the directory knows at once: where many machines share it, each is about to hold them all. */
	#reserve(slot: number): void {
		const { length } = this.#states;
		if (slot >= length) {
			const wanted = Math.max(slot + 1, this.#directory.slots, Math.ceil(length * GROWTH));
			const states = new Uint8Array(wanted);
			states.set(this.#states);
			this.#states = states;
			this.#incarnations.grow(wanted);
			this.#places.grow(wanted);
		}
		// No more places than members, and each has one.
		if (this.#size >= this.#order.length) this.#order.grow(this.#states.length);
	}

	#insert(slot: number, choices: ChoicePort): void {
		const last = this.#size++;
		this.#order.set(last, slot);
		this.#places.set(slot, last);
		if (last > 0) this.#swap(last, choices.below(last + 1));
	}

	#swap(i: number, j: number): void {
		const a = this.#order.at(i);
		const b = this.#order.at(j);
		this.#order.set(i, b);
		this.#order.set(j, a);
		this.#places.set(b, i);
		this.#places.set(a, j);
	}

	#drawOne(choices: ChoicePort, withDead: boolean, except: readonly NodeId[], drawn: readonly NodeId[]): NodeId | null {
		const may = (slot: number): boolean => {
			if ((this.#states[slot] as number) > (withDead ? DEAD : SUSPECT)) return false;
			const id = this.#directory.idOf(slot);
			return !except.includes(id) && !drawn.includes(id);
		};
		if (this.#size > COUNTED_MEMBERS_MAX) {
			for (let guess = 0; guess < GUESSES_MAX; guess++) {
				const slot = this.#order.at(choices.below(this.#size));
				if (may(slot)) return this.#directory.idOf(slot);
			}
		}
		const candidates = this.#slots((_state, slot) => may(slot));
		return candidates.length === 0
			? null
			: this.#directory.idOf(candidates[choices.below(candidates.length)] as number);
	}
}
