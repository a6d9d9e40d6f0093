/**
 * What one member holds of the others, in packed arrays: 14 bytes a member beside the directory. The list of members is at
 * the same time the order in which they are probed: shuffled after each pass, joiners at a random place (SWIM §4.3).
 */
import { assert, type ChoicePort, must, type NodeId } from "../../core/index.ts";
import { MemberDirectory } from "./member-directory.ts";
import type { MemberUpdate } from "./messages.ts";

/** What a member is held for. `dead` is still gossiped to, `buried` no more; both were not heard to leave. */
export const memberStates = ["none", "alive", "suspect", "dead", "buried", "left"] as const;
export type MemberState = (typeof memberStates)[number];

const ALIVE = 1;
const SUSPECT = 2;
const DEAD = 3;

/** In a table up to this size a random member is found by counting: one choice decides, and every answer of it differs. */
const COUNTED_MEMBERS_MAX = 32;
/** Above it, members are guessed; so many wrong guesses in a row, and it is counted after all. */
const GUESSES_MAX = 16;

export class MemberTable {
	readonly #directory: MemberDirectory;
	/** By slot. */
	#states = new Uint8Array(8);
	#incarnations = new Float64Array(8);
	#places = new Int32Array(8);
	/** The slots of all members that are held, in the order of probing. */
	#order: number[] = [];
	/** How many members are in each state. */
	readonly #counts: number[] = memberStates.map(() => 0);
	/** Each member's own last statement, as far as it has tags or a signature; others can be made anew. */
	readonly #statements = new Map<number, MemberUpdate>();

	constructor(directory: MemberDirectory = new MemberDirectory()) {
		this.#directory = directory;
	}

	/** Members held, in any state. */
	get size(): number {
		return this.#order.length;
	}

	count(state: MemberState): number {
		return must(this.#counts[memberStates.indexOf(state)], "every state is counted");
	}

	/** Members believed to be there: alive or suspected. */
	get present(): number {
		return (this.#counts[ALIVE] ?? 0) + (this.#counts[SUSPECT] ?? 0);
	}

	stateOf(id: NodeId): MemberState {
		const slot = this.#directory.find(id);
		return slot < 0 ? "none" : this.#stateAt(slot);
	}

	/** 0 of whoever is not held. */
	incarnationOf(id: NodeId): number {
		const slot = this.#directory.find(id);
		return slot < 0 || this.#stateAt(slot) === "none" ? 0 : (this.#incarnations[slot] ?? 0);
	}

	/** What the member last said of itself. */
	statementOf(id: NodeId): MemberUpdate {
		const slot = this.#directory.find(id);
		const incarnation = this.incarnationOf(id);
		const made: MemberUpdate = { kind: "alive", node: id, incarnation, by: id, tags: NO_BYTES, signature: NO_BYTES };
		return this.#statements.get(slot) ?? made;
	}

	/** Holds a member, or holds it for something else. A new one is put at a random place of the order. */
	set(id: NodeId, state: Exclude<MemberState, "none">, incarnation: number, choices: ChoicePort): void {
		let slot = this.#directory.find(id);
		if (slot < 0 || this.#stateAt(slot) === "none") {
			slot = this.#directory.acquire(id);
			this.#reserve(slot);
			this.#insert(slot, choices);
		} else {
			this.#recount(slot, -1);
		}
		this.#states[slot] = memberStates.indexOf(state);
		this.#incarnations[slot] = incarnation;
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
		const slot = this.#directory.find(id);
		assert(slot >= 0 && this.#stateAt(slot) !== "none", "only who is held is forgotten", { id });
		this.#recount(slot, -1);
		const place = must(this.#places[slot], "held members have a place");
		this.#order.splice(place, 1);
		for (let i = place; i < this.#order.length; i++) this.#places[this.#order[i] as number] = i;
		this.#states[slot] = 0;
		this.#statements.delete(slot);
		this.#directory.release(slot);
	}

	/** All members held, in the order of probing. */
	ids(): NodeId[] {
		return this.#order.map((slot) => this.#directory.idOf(slot));
	}

	at(place: number): NodeId {
		return this.#directory.idOf(must(this.#order[place], "a place of the order"));
	}

	isPresentAt(place: number): boolean {
		const state = this.#states[this.#order[place] as number] as number;
		return state === ALIVE || state === SUSPECT;
	}

	/** A new order of probing (Fisher and Yates). */
	shuffle(choices: ChoicePort): void {
		const order = this.#order;
		for (let i = order.length - 1; i > 0; i--) this.#swap(i, choices.below(i + 1));
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
		const dead = this.#order.filter((slot) => this.#stateAt(slot) === "dead" || this.#stateAt(slot) === "buried");
		return dead.length === 0 ? null : this.#directory.idOf(dead[choices.below(dead.length)] as number);
	}

	copy(): MemberTable {
		const copy = new MemberTable(this.#directory);
		copy.#states = this.#states.slice();
		copy.#incarnations = this.#incarnations.slice();
		copy.#places = this.#places.slice();
		copy.#order = this.#order.slice();
		for (const slot of copy.#order) this.#directory.acquire(this.#directory.idOf(slot));
		for (const [slot, statement] of this.#statements) copy.#statements.set(slot, statement);
		for (let i = 0; i < memberStates.length; i++) copy.#counts[i] = this.#counts[i] as number;
		return copy;
	}

	#stateAt(slot: number): MemberState {
		return memberStates[this.#states[slot] ?? 0] as MemberState;
	}

	#recount(slot: number, by: number): void {
		const state = this.#states[slot] as number;
		this.#counts[state] = (this.#counts[state] as number) + by;
	}

	#reserve(slot: number): void {
		if (slot < this.#states.length) return;
		const length = Math.max(slot + 1, 2 * this.#states.length);
		this.#states = grown(new Uint8Array(length), this.#states);
		this.#incarnations = grown(new Float64Array(length), this.#incarnations);
		this.#places = grown(new Int32Array(length), this.#places);
	}

	#insert(slot: number, choices: ChoicePort): void {
		const last = this.#order.length;
		this.#order.push(slot);
		this.#places[slot] = last;
		if (last > 0) this.#swap(last, choices.below(last + 1));
	}

	#swap(i: number, j: number): void {
		const a = this.#order[i] as number;
		const b = this.#order[j] as number;
		this.#order[i] = b;
		this.#order[j] = a;
		this.#places[b] = i;
		this.#places[a] = j;
	}

	#drawOne(choices: ChoicePort, withDead: boolean, except: readonly NodeId[], drawn: readonly NodeId[]): NodeId | null {
		const order = this.#order;
		const may = (slot: number): boolean => {
			if ((this.#states[slot] as number) > (withDead ? DEAD : SUSPECT)) return false;
			const id = this.#directory.idOf(slot);
			return !except.includes(id) && !drawn.includes(id);
		};
		if (order.length > COUNTED_MEMBERS_MAX) {
			for (let guess = 0; guess < GUESSES_MAX; guess++) {
				const slot = order[choices.below(order.length)] as number;
				if (may(slot)) return this.#directory.idOf(slot);
			}
		}
		const candidates = order.filter(may);
		return candidates.length === 0
			? null
			: this.#directory.idOf(candidates[choices.below(candidates.length)] as number);
	}
}

const NO_BYTES = new Uint8Array(0);

function grown<A extends Uint8Array | Float64Array | Int32Array>(to: A, from: A): A {
	to.set(from);
	return to;
}
