/** Durations and rates as people write them. */

const UNITS: readonly (readonly [unit: string, ms: number])[] = [
	["h", 3_600_000],
	["m", 60_000],
	["s", 1_000],
	["ms", 1],
];

/** What a duration looks like, for JSON Schema and for messages. */
export const DURATION_PATTERN = "^-?[0-9]+(\\.[0-9]+)?(ms|s|m|h)$";
/** What a rate looks like. */
export const RATE_PATTERN = "^[0-9]+(\\.[0-9]+)?/(s|m)$";
/** Durations are whole microseconds, so that `1.1s` is 1100 ms and not a little more. */
const PARTS_OF_A_MS = 1_000;

/** Milliseconds of `150ms`, `2s`, `1.5m` or `1h`; null if it is none. */
export function parseDuration(text: string): number | null {
	if (!new RegExp(DURATION_PATTERN).test(text)) return null;
	const unit = /[a-z]+$/.exec(text)?.[0];
	const ms = Number.parseFloat(text) * (UNITS.find(([name]) => name === unit)?.[1] ?? 1);
	return Math.round(ms * PARTS_OF_A_MS) / PARTS_OF_A_MS;
}

/** The shortest way to write a duration in whole units. */
export function formatDuration(ms: number): string {
	for (const [unit, length] of UNITS) {
		if (ms !== 0 && ms % length === 0) return `${ms / length}${unit}`;
	}
	return `${ms}ms`;
}

/** Per second, of `200/s` or `30/m`; null if it is none. */
export function parseRate(text: string): number | null {
	if (!new RegExp(RATE_PATTERN).test(text)) return null;
	return Number.parseFloat(text) / (text.endsWith("/m") ? 60 : 1);
}

export function formatRate(perSecond: number): string {
	return `${perSecond}/s`;
}
