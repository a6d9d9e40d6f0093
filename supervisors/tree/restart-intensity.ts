/**
 * OTP's restart intensity (`supervisor.erl`, `add_restart`): a sliding window of restarts. A new one is added now, those
 * older than the period are dropped, and more than `intensity` that are left is too many. A start that fails during a
 * restart counts as one more.
 */

/** The restarts that may still count, oldest first. Invariant: at most `intensity + 1` of them are kept. */
export type RestartWindow = readonly number[];

export const EMPTY_WINDOW: RestartWindow = [];

/**
 * Adds a restart at `nowMs`. One that is exactly `periodMs` old still counts, as in OTP. `intensity` 0 allows none.
 */
export function recordRestart(
	window: RestartWindow,
	nowMs: number,
	intensity: number,
	periodMs: number,
): { readonly window: RestartWindow; readonly exceeded: boolean } {
	const recent = [...window.filter((atMs) => nowMs - atMs <= periodMs), nowMs];
	return { window: recent, exceeded: recent.length > intensity };
}
