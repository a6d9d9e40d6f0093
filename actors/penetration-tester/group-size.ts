/** How many attackers a group of that size bears. */

/** f, the most for `n >= 3f + 1`. */
export function maxFaults(members: number): number {
	return Math.floor((members - 1) / 3);
}
