/** A lock with fencing tokens, and the resource that the tokens protect. */
import { type Model, type OperationRule, optionalNumber, refuseByRules, wholeNumber, yesOrNo } from "../model.ts";
import type { Operation } from "../operation.ts";

export interface LockState {
	readonly isHeld: boolean;
	/** Whether {@link lastToken} is known; else the last acquisition had no answer and this is the least it can have been. */
	readonly isKnown: boolean;
	/** The token handed out last; 0 before the first. */
	readonly lastToken: number;
	/** The highest token that has written to the resource. */
	readonly highestWrite: number;
}

const rules: Readonly<Record<string, OperationRule>> = {
	acquire: { accepted: yesOrNo, answer: optionalNumber },
	release: { value: wholeNumber, accepted: yesOrNo },
	expire: { value: optionalNumber },
	write: { value: wholeNumber, accepted: yesOrNo },
};

/**
 * - `acquire` takes the lock if nobody has it and answers `ok` true with a token (`value`) higher than any before, from
 *   1; or changes nothing and answers `ok` false.
 * - `release` gives it back, if its `value` is the holder's token (`ok` true); else changes nothing (`ok` false).
 * - `expire` is the service's own: it ends the tenure of the token that is its `value`, or of whoever holds the lock.
 * - `write` reaches the resource that the lock protects, with a token as its `value`: it is refused (`ok` false) if a
 *   higher token has written before, which is all that saves a resource from a holder that does not know it is one no more
 *   (Kleppmann, "How to do distributed locking", 2016).
 */
export const lockModel: Model<LockState> = {
	name: "lock",
	initial: { isHeld: false, isKnown: true, lastToken: 0, highestWrite: 0 },
	step: (state: LockState, operation: Operation) => {
		switch (operation.op) {
			case "acquire":
				return acquired(state, operation);
			case "release":
				return released(state, operation);
			case "expire":
				return isHolder(state, operation.value as number | undefined) ? { ...state, isHeld: false } : state;
			default:
				return written(state, operation);
		}
	},
	isPure: ({ accepted }) => accepted === false,
	hash: ({ isHeld, isKnown, lastToken, highestWrite }) =>
		(Math.imul(lastToken, 0x9e3779b1) ^ Math.imul(highestWrite, 0x85ebca6b)) + (isHeld ? 1 : 0) + (isKnown ? 2 : 0),
	equal: (a, b) =>
		a.isHeld === b.isHeld &&
		a.isKnown === b.isKnown &&
		a.lastToken === b.lastToken &&
		a.highestWrite === b.highestWrite,
	describe: ({ isHeld, isKnown, lastToken, highestWrite }) =>
		`${isHeld ? "held" : "free"}, last token ${isKnown ? "" : "at least "}${lastToken}, last write with ${highestWrite}`,
	refuse: (operation) => {
		const refusal = refuseByRules(rules, operation);
		if (refusal !== null || operation.op !== "acquire" || operation.accepted !== true) return refusal;
		if (operation.answer !== undefined) return null;
		return { key: "answer value", expected: "the token that was handed out", found: "nothing" };
	},
};

function acquired(state: LockState, { outcome, accepted, answer }: Operation): LockState | undefined {
	if (outcome !== "ok") {
		if (state.isHeld) return state;
		// Nobody knows the token. The least one rules out the fewest later ones.
		return { ...state, isHeld: true, isKnown: false, lastToken: state.lastToken + 1 };
	}
	if (accepted === false) return state.isHeld ? state : undefined;
	const token = answer as number;
	if (state.isHeld || token <= state.lastToken) return undefined;
	return { ...state, isHeld: true, isKnown: true, lastToken: token };
}

function released(state: LockState, { outcome, accepted, value }: Operation): LockState | undefined {
	const token = value as number;
	const isPossible = isHolder(state, token);
	if (outcome !== "ok") return isPossible ? { ...state, isHeld: false } : state;
	if (accepted === false) return isPossible && state.isKnown ? undefined : state;
	return isPossible ? { ...state, isHeld: false, isKnown: true, lastToken: token } : undefined;
}

function written(state: LockState, { outcome, accepted, value }: Operation): LockState | undefined {
	const token = value as number;
	const isRefused = token < state.highestWrite;
	if (outcome === "ok" && accepted === isRefused) return undefined;
	return isRefused ? state : { ...state, highestWrite: token };
}

/** Whether the holder's token is, or may be, this one. */
function isHolder({ isHeld, isKnown, lastToken }: LockState, token: number | undefined): boolean {
	if (!isHeld || token === undefined) return isHeld;
	return isKnown ? token === lastToken : token >= lastToken;
}
