/**
 * A slow judge that shares nothing with the one that is tested: it tries all orders of all operations on an object that
 * is written down anew here, in the plainest way.
 */
import type { Json, Operation } from "../../../../protocols/verification/index.ts";

/** What an operation answers, and what is there then. Several where the object may choose. */
export type Objects = (
	state: Json,
	operation: Operation,
) => readonly { readonly state: Json; readonly answer: Answer }[];
/** `undefined` fields are not judged. */
export interface Answer {
	readonly value?: Json | undefined;
	readonly ok?: boolean;
}

const TOKEN_MAX = 9;

type Store = Readonly<Record<string, Json>>;
const same = (a: unknown, b: unknown): boolean => JSON.stringify(a) === JSON.stringify(b);

function storeStep(
	store: Store,
	op: string,
	key: string,
	value: Json,
): { readonly store: Store; readonly found: Json } {
	const found = store[key] ?? null;
	switch (op) {
		case "put":
			return { store: { ...store, [key]: value }, found };
		case "append":
			return { store: { ...store, [key]: [...((found ?? []) as Json[]), value] }, found };
		case "delete":
			return { store: { ...store, [key]: null }, found };
		default:
			return { store, found };
	}
}

export const objects: Readonly<Record<string, Objects>> = {
	kv: (state, { op, key, value, from, steps }) => {
		let store = state as Store;
		if (steps !== null) {
			const found: Json[] = [];
			for (const step of steps) {
				const next = storeStep(store, step.op, step.key, step.value ?? null);
				store = next.store;
				found.push(step.op === "get" ? next.found : null);
			}
			return [{ state: store, answer: { value: found } }];
		}
		if (op === "cas") {
			const found = store[key] ?? null;
			const ok = same(found, from ?? null);
			return [{ state: ok ? { ...store, [key]: value ?? null } : store, answer: { ok } }];
		}
		const next = storeStep(store, op, key, value ?? null);
		return [{ state: next.store, answer: op === "get" ? { value: next.found } : {} }];
	},
	counter: (state, { op, value }) => {
		const sum = (state as number) + (op === "add" ? (value as number) : 0);
		return [{ state: sum, answer: { value: sum } }];
	},
	queue: (state, { op, value }) => {
		const items = state as Json[];
		if (op === "enqueue") return [{ state: [...items, value as Json], answer: {} }];
		return [{ state: items.slice(1), answer: { value: items[0] ?? null } }];
	},
	lock: (state, { op, value }) => {
		const { holder, last, written } = state as { holder: number | null; last: number; written: number };
		switch (op) {
			case "acquire": {
				if (holder !== null) return [{ state, answer: { ok: false } }];
				const tokens = Array.from({ length: TOKEN_MAX - last }, (_, i) => last + 1 + i);
				return tokens.map((token) => ({
					state: { holder: token, last: token, written },
					answer: { ok: true, value: token },
				}));
			}
			case "release": {
				const ok = holder === value;
				return [{ state: ok ? { holder: null, last, written } : state, answer: { ok } }];
			}
			case "expire":
				return [{ state: { holder: null, last, written }, answer: {} }];
			default: {
				const ok = (value as number) >= written;
				return [{ state: ok ? { holder, last, written: value as number } : state, answer: { ok } }];
			}
		}
	},
};

export const initial: Readonly<Record<string, Json>> = {
	kv: {},
	counter: 0,
	queue: [],
	lock: { holder: null, last: 0, written: 0 },
};

/** Whether there is any order of these operations, those of unknown outcome in it or not, that respects real time. */
export function isLinearizable(operations: readonly Operation[], name: string): boolean {
	const step = objects[name] as Objects;
	const search = (left: readonly Operation[], state: Json): boolean => {
		const answered = left.filter(({ outcome }) => outcome === "ok");
		if (answered.length === 0) return true;
		return left.some((operation) => {
			if (answered.some((other) => other.end < operation.begin)) return false;
			const rest = left.filter((other) => other !== operation);
			return step(state, operation).some(
				(next) => (operation.outcome !== "ok" || fits(operation, next.answer)) && search(rest, next.state),
			);
		});
	};
	return search(
		operations.filter(({ outcome }) => outcome !== "fail"),
		initial[name] as Json,
	);
}

function fits({ answer, accepted, steps, op }: Operation, due: Answer): boolean {
	if (steps !== null)
		return steps.every((step, at) => step.op !== "get" || reads(step.value, (due.value as Json[])[at]));
	if (accepted !== undefined && accepted !== due.ok) return false;
	if (op === "get") return reads(answer, due.value);
	return answer === undefined || due.value === undefined || same(answer, due.value);
}

/** A missing key also reads as the empty list. */
function reads(shown: Json | undefined, due: Json | undefined): boolean {
	return same(shown, due) || (due === null && same(shown, []));
}

/** What was known when this operation had ended. */
export function prefixThrough(operations: readonly Operation[], end: number): Operation[] {
	return operations
		.filter(({ begin }) => begin < end)
		.map((operation): Operation => {
			if (operation.outcome !== "ok" || operation.end <= end) return operation;
			const steps = operation.steps?.map((step) => (step.op === "get" ? { ...step, value: undefined } : step)) ?? null;
			return {
				...operation,
				steps,
				outcome: "unknown",
				answer: undefined,
				accepted: undefined,
				end: Number.POSITIVE_INFINITY,
			};
		});
}
