/** A lock with fencing tokens, and the resource that the tokens protect. */
import { type Model, type OperationRule, optionalNumber, refuseByRules, wholeNumber, yesOrNo } from "../model.ts";
import type { Operation } from "../operation.ts";

export interface LockState {
	readonly isHeld: boolean;
	/** The token handed out last; 0 before the first. Where {@link excluded} is not null, the least it can have been. */
	readonly lastToken: number;
	/** Null where the last token is known; else higher ones that it can not have been. The last acquisition had no answer. */
	readonly excluded: readonly number[] | null;
	/** The highest token that has written to the resource. */
	readonly highestWrite: number;
}

const rules: Readonly<Record<string, OperationRule>> = {
	acquire: { accepted: yesOrNo, answer: optionalNumber },
	release: { value: wholeNumber, accepted: yesOrNo },
	expire: {},
	write: { value: wholeNumber, accepted: yesOrNo },
};

/**
 * - `acquire` takes the lock if nobody has it and answers `ok` true with a token (`value`) higher than any before, from
 *   1; or changes nothing and answers `ok` false.
 * - `release` gives it back, if its `value` is the holder's token (`ok` true); else changes nothing (`ok` false).
 * - `expire` is the service's own: it ends the tenure of whoever holds the lock.
 * - `write` reaches the resource that the lock protects, with a token as its `value`: it is refused (`ok` false) if a
 *   higher token has written before, which is all that saves a resource from a holder that does not know it is one no more
 *   (Kleppmann, "How to do distributed locking", 2016).
 */
export const lockModel: Model<LockState> = {
	name: "lock",
	initial: { isHeld: false, lastToken: 0, excluded: null, highestWrite: 0 },
	step: (state: LockState, operation: Operation) => {
		switch (operation.op) {
			case "acquire":
				return acquired(state, operation);
			case "release":
				return released(state, operation);
			case "expire":
				return { ...state, isHeld: false };
			default:
				return written(state, operation);
		}
	},
	// A refused release says that the holder has another token, which is news where the holder's is not known.
	isPure: ({ op, accepted }) => accepted === false && op !== "release",
	hash: ({ isHeld, lastToken, highestWrite }) =>
		Math.imul(lastToken, 0x9e3779b1) ^ Math.imul(highestWrite, 0x85ebca6b) ^ (isHeld ? 1 : 0),
	equal: (a, b) =>
		a.isHeld === b.isHeld &&
		a.lastToken === b.lastToken &&
		a.highestWrite === b.highestWrite &&
		(a.excluded?.join() ?? null) === (b.excluded?.join() ?? null),
	describe: ({ isHeld, lastToken, excluded, highestWrite }) =>
		`${isHeld ? "held" : "free"}, last token ${excluded === null ? "" : "at least "}${lastToken}, last write with ${highestWrite}`,
	refuse: (operation) => {
		const refusal = refuseByRules(rules, operation);
		if (refusal !== null || operation.op !== "acquire" || operation.accepted !== true) return refusal;
		if (operation.answer !== undefined) return null;
		return { key: "answer value", expected: "the token that was handed out", found: "nothing" };
	},
};

function acquired(state: LockState, { outcome, accepted, answer }: Operation): LockState | undefined {
	if (outcome !== "ok")
		return state.isHeld ? state : { ...state, isHeld: true, lastToken: state.lastToken + 1, excluded: [] };
	if (accepted === false) return state.isHeld ? state : undefined;
	const token = answer as number;
	if (state.isHeld || token <= state.lastToken) return undefined;
	return { ...state, isHeld: true, lastToken: token, excluded: null };
}

function released(state: LockState, { outcome, accepted, value }: Operation): LockState | undefined {
	const { isHeld, lastToken, excluded } = state;
	const token = value as number;
	const isPossible =
		isHeld && (excluded === null ? token === lastToken : token >= lastToken && !excluded.includes(token));
	// Of a release without an answer that has no effect, nobody needs to know when that was.
	if (outcome === "ok" && accepted === false) {
		if (!isPossible) return state;
		return excluded === null ? undefined : without(state, token, excluded);
	}
	if (!isPossible) return outcome === "ok" ? undefined : state;
	return { ...state, isHeld: false, lastToken: token, excluded: null };
}

/** The holder, whose token is not known, has another one than this. */
function without(state: LockState, token: number, excluded: readonly number[]): LockState {
	const others = [...excluded, token].sort((a, b) => a - b);
	let { lastToken } = state;
	while (others.includes(lastToken)) lastToken++;
	return { ...state, lastToken, excluded: others.filter((other) => other > lastToken) };
}

function written(state: LockState, { outcome, accepted, value }: Operation): LockState | undefined {
	const token = value as number;
	const isRefused = token < state.highestWrite;
	if (outcome === "ok" && accepted === isRefused) return undefined;
	return isRefused ? state : { ...state, highestWrite: token };
}
