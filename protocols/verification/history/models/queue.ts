/** A first-in, first-out queue. */
import { must } from "../../../core/index.ts";
import { hashJson, type Json, jsonText, mapKey, sameJson } from "../json-value.ts";
import { anyValue, type Foresight, type Model, type OperationRule, refuseByRules, someValue } from "../model.ts";
import type { Operation } from "../operation.ts";

/** Persistent: states share everything that they have in common. */
export interface QueueState {
	/** Whatever has entered, the newest first; the `length` newest are still in the queue. */
	readonly entered: Chain | null;
	/** The oldest in the queue, the next to leave first; null if they must be taken from {@link entered} again. */
	readonly front: Chain | null;
	readonly length: number;
	/** The sum of `hash(item) · base^position` over what is in the queue, so that items can leave it at both ends. */
	readonly hash: number;
	/** `base^length`. */
	readonly power: number;
}

interface Chain {
	readonly value: Json;
	readonly next: Chain | null;
}

const HASH_BASE = 0x01000193;
/** The inverse of the base modulo 2^32: their product is 1. */
const HASH_BASE_INVERSE = 0x359c449b;
/** How many of the newest items a foresight looks at: those that were enqueued at the same time stand close together. */
const FORESEEN_ITEMS_MAX = 64;
const ITEMS_SHOWN_MAX = 8;

const rules: Readonly<Record<string, OperationRule>> = {
	enqueue: { value: someValue },
	dequeue: { answer: anyValue },
};

/** `enqueue` adds a value at the end, `dequeue` takes the oldest and answers it; null if there is none. */
export const queueModel: Model<QueueState> = {
	name: "queue",
	initial: { entered: null, front: null, length: 0, hash: 0, power: 1 },
	step: (state: QueueState, { op, value, outcome, answer }: Operation) => {
		if (op === "enqueue") return entered(state, value as Json);
		if (state.length === 0) return outcome !== "ok" || answer === null ? state : undefined;
		const front = frontOf(state);
		if (outcome === "ok" && !sameJson(front.value, answer)) return undefined;
		const length = state.length - 1;
		const hash = Math.imul(state.hash - hashJson(front.value), HASH_BASE_INVERSE);
		const power = Math.imul(state.power, HASH_BASE_INVERSE);
		return { entered: state.entered, front: front.next, length, hash, power };
	},
	isPure: ({ op, outcome, answer }) => op === "dequeue" && outcome === "ok" && answer === null,
	hash: ({ hash }) => hash,
	equal: (a, b) => {
		if (a.length !== b.length || a.hash !== b.hash) return false;
		let [left, right] = [a.entered, b.entered];
		for (let count = 0; count < a.length && left !== right; count++) {
			if (!sameJson(left?.value, right?.value)) return false;
			left = left?.next ?? null;
			right = right?.next ?? null;
		}
		return true;
	},
	describe: (state) => {
		const items: string[] = [];
		for (let node = state.front ?? oldestFirst(state); node !== null && items.length < ITEMS_SHOWN_MAX; ) {
			items.push(jsonText(node.value));
			node = node.next;
		}
		return `${state.length} queued${items.length === 0 ? "" : `, next ${items.join(", ")}`}`;
	},
	refuse: (operation) => refuseByRules(rules, operation),
	foresee: foreseeOrder,
};

function entered(state: QueueState, value: Json): QueueState {
	return {
		entered: { value, next: state.entered },
		front: state.front,
		length: state.length + 1,
		hash: (state.hash + Math.imul(hashJson(value), state.power)) | 0,
		power: Math.imul(state.power, HASH_BASE),
	};
}

function frontOf(state: QueueState): Chain {
	return must(state.front ?? oldestFirst(state) ?? undefined, "a queue that is not empty has a first item");
}

/** What is in the queue, turned round. Each item is turned once on its way, as in a queue of two stacks. */
function oldestFirst({ entered, length }: QueueState): Chain | null {
	let front: Chain | null = null;
	let node = entered;
	for (let count = 0; count < length; count++) {
		const { value, next } = must(node ?? undefined, "what is in the queue has entered it");
		front = { value, next: front };
		node = next;
	}
	return front;
}

/**
 * Why it is necessary: (1) an item that was enqueued before another leaves before it; (2) so if `v` stands before `w`,
 * and `w` was dequeued by an operation that had ended before the one that dequeued `v` began, or `v` has never left, no
 * linearization has them in this order. It speaks only of values that were enqueued once.
 */
function foreseeOrder(operations: readonly Operation[]): Foresight<QueueState> {
	const leaving = new Map<unknown, Operation>();
	const times = new Map<unknown, number>();
	let hasUnknownLeaving = false;
	for (const operation of operations) {
		const { op, value, outcome, answer } = operation;
		if (op === "enqueue") {
			const key = mapKey(value as Json);
			times.set(key, (times.get(key) ?? 0) + 1);
		} else if (outcome === "unknown") hasUnknownLeaving = true;
		else if (answer !== null) leaving.set(mapKey(answer as Json), operation);
	}
	return (state, { op, value }) => {
		const key = mapKey((value ?? null) as Json);
		const own = leaving.get(key);
		if (op !== "enqueue" || own === undefined || times.get(key) !== 1) return true;
		let node = state.entered;
		for (let count = Math.min(state.length, FORESEEN_ITEMS_MAX); count > 0 && node !== null; count--) {
			const earlierKey = mapKey(node.value);
			const earlier = leaving.get(earlierKey);
			const isStuck = earlier === undefined && !hasUnknownLeaving;
			const isLate = earlier !== undefined && times.get(earlierKey) === 1 && own.end < earlier.begin;
			if (isStuck || isLate) return false;
			node = node.next;
		}
		return true;
	};
}
