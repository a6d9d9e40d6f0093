/** Scales and units of charts. */

/** A range of values drawn over a range of pixels. */
export interface Scale {
	readonly from: number;
	readonly to: number;
	readonly fromPx: number;
	readonly toPx: number;
}

/** Where a value stands, to a tenth of a pixel; what is out of range stands at its end. */
export function place({ from, to, fromPx, toPx }: Scale, value: number): number {
	const part = to === from ? 0 : (value - from) / (to - from);
	return round(fromPx + Math.min(1, Math.max(0, part)) * (toPx - fromPx));
}

/** About so many round values within a range: multiples of 1, 2 or 5 times a power of ten. */
export function ticks(from: number, to: number, count: number): readonly number[] {
	if (!(to > from)) return [from];
	const raw = (to - from) / count;
	const power = 10 ** Math.floor(Math.log10(raw));
	const step = ([1, 2, 5].find((factor) => factor * power >= raw) ?? 10) * power;
	const found: number[] = [];
	for (let at = Math.ceil(from / step); at * step <= to; at++) found.push(Number((at * step).toPrecision(12)));
	return found;
}

/** `350 ms`, `12.5 s`, `3 min 20 s`. */
export function showDuration(ms: number): string {
	if (ms < 1_000) return `${Number(ms.toPrecision(3))} ms`;
	if (ms < 120_000) return `${Number((ms / 1_000).toFixed(2))} s`;
	const seconds = Math.round((ms % 60_000) / 1_000);
	return `${Math.floor(ms / 60_000)} min${seconds === 0 ? "" : ` ${seconds} s`}`;
}

/** With thin groups of three digits. */
export function showCount(value: number): string {
	const [whole = "", fraction] = String(Number(value.toPrecision(6))).split(".");
	const grouped = whole.replace(/\B(?=(\d{3})+$)/g, "\u202f");
	return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

export function round(pixels: number): number {
	return Math.round(pixels * 10) / 10;
}
