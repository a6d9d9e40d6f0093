/** What the values of options are: words, integers, times. Each refuses by throwing what `expected` makes. */
import { expected } from "./option-table.ts";

const DURATION_MS_MAX = 24 * 3_600_000;

/** One of a few words. `elsewhere` are those that are taken before it comes to this option: the refusal names them, too. */
export function oneOf<T extends string>(text: string, choices: readonly T[], elsewhere: readonly string[] = []): T {
	const found = choices.find((choice) => choice === text);
	if (found === undefined) throw expected([...choices, ...elsewhere].join(" or "));
	return found;
}

/** An integer in decimal digits. `or` says what else is taken. */
export function integer(text: string, min: number, max: number, or = ""): number {
	const value = Number(text);
	if (!/^[0-9]+$/.test(text) || value < min || value > max) {
		throw expected(`an integer from ${min} to ${max}${or === "" ? "" : ` ${or}`}`);
	}
	return value;
}

const unitsMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };

/** A time as milliseconds, at most a day: `500ms`, `4s`, `2m`, `1h`. */
export function duration(text: string, minMs: number, or = ""): number {
	const match = /^([0-9]+(?:\.[0-9]+)?)(ms|s|m|h)$/.exec(text);
	const ms = match === null ? Number.NaN : Number(match[1]) * (unitsMs[match[2] ?? ""] ?? Number.NaN);
	if (!(ms >= minMs && ms <= DURATION_MS_MAX)) {
		throw expected(`a time such as 500ms, 4s or 2m, from ${minMs}ms to 24h${or === "" ? "" : `, ${or}`}`);
	}
	return ms;
}
