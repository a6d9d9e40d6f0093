/** How what happens to a group, and what of its budgets is used up, are packed into one word each. */

/** What is done, in the highest bits of an action; then the member and what else tells it from others. */
export const KIND = {
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
export const KIND_SHIFT = 28;
export const MEMBER_SHIFT = 24;
export const MEMBER_MASK = 0xf;
/**
 * Crashes that are taken together with an input; 0: none. With an asynchronous disk one more than the unfinished persists
 * that survive the crash before the input. With a synchronous one 1 for a crash before it, 2 to 4 for one within it of
 * which 0 to 2 persists survive (more are not told apart), 5 to 7 for both.
 */
export const CRASH_SHIFT = 21;
export const CRASH_MASK = 0x7;
const WITHIN_FROM = 2;
const BOTH_FROM = 5;
/** The most persists that survive a crash within an input. */
export const SURVIVORS_WITHIN_MAX = 2;
/** The most that survive one before it. */
export const SURVIVORS_BEFORE_MAX: number = CRASH_MASK - 1;
/** Which messages are lost for want of room: one more than the place among the choices; 0: none. */
export const VICTIMS_SHIFT = 14;
export const VICTIMS_MASK = 0x7f;
export const ARGUMENT_MASK: number = (1 << VICTIMS_SHIFT) - 1;

/** Budgets that are used up, six bits each, in one word. */
export const BUDGET = { crashes: 0, losses: 6, duplicates: 12, requests: 18, forgeries: 24 } as const;
export const BUDGET_MASK = 0x3f;

/** The member that an action is about. */
export function positionOf(action: number): number {
	return (action >>> MEMBER_SHIFT) & MEMBER_MASK;
}

/** How much of a budget is used up. */
export function used(budgets: number, shift: number): number {
	return (budgets >>> shift) & BUDGET_MASK;
}

/** The crash codes of a member whose disk is asynchronous, or synchronous, taken apart. */
export function crashBefore(code: number, disk: "synchronous" | "asynchronous"): number | null {
	if (disk === "asynchronous") return code === 0 ? null : code - 1;
	return code === 1 || code >= BOTH_FROM ? 0 : null;
}

export function crashWithin(code: number, disk: "synchronous" | "asynchronous"): number | null {
	if (disk === "asynchronous" || code < WITHIN_FROM) return null;
	return code >= BOTH_FROM ? code - BOTH_FROM : code - WITHIN_FROM;
}

/** The code of a crash within an input of which so many persists survive, after a crash before it or none. */
export function withinCode(survivors: number, isAfterCrash: boolean): number {
	return (isAfterCrash ? BOTH_FROM : WITHIN_FROM) + survivors;
}
