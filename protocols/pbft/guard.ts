/** The measurements that `slow-primary.ts` goes by. */

/** What a backup has measured of primaries. */
export interface Guard {
	/** Periods of this view so far. */
	periods: number;
	/** Requests executed in this period. */
	executed: number;
	/** Requests waited through all of this period. */
	isLoaded: boolean;
	/** Requests that the next loaded period has to bring. */
	expected: number;
	/** The best period of this view. */
	best: number;
	/** The best periods of the views before, at most {@link VIEWS_COMPARED}. */
	earlier: readonly number[];
	isHeartbeatSet: boolean;
}

/** Views whose best period counts for what is expected of the next. */
export const VIEWS_COMPARED = 4;

export function createGuard(): Guard {
	return { periods: 0, executed: 0, isLoaded: false, expected: 0, best: 0, earlier: [], isHeartbeatSet: false };
}
