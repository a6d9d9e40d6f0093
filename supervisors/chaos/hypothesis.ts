/** Probes and what they may show. */
import { assertNever, QuorateError } from "../../protocols/core/index.ts";
import { probeThrew } from "./errors.ts";
import type { ProbeSpec, ProbeValue, Tolerance } from "./experiment.ts";
import type { ProbeOutcome } from "./journal.ts";
import type { ExperimentTarget } from "./target.ts";

/** Whether a value is within a tolerance. No conversions: the text "1" is not the number 1. */
export function isTolerated(value: ProbeValue, tolerance: Tolerance): boolean {
	switch (tolerance.type) {
		case "equals":
			return value === tolerance.value;
		case "range":
			return typeof value === "number" && value >= tolerance.min && value <= tolerance.max;
		case "one-of":
			return tolerance.values.includes(value);
		case "matches":
			return typeof value === "string" && new RegExp(tolerance.pattern, "u").test(value);
		default:
			return assertNever(tolerance, "tolerance");
	}
}

/** A tolerance for readers. */
export function describeTolerance(tolerance: Tolerance): string {
	switch (tolerance.type) {
		case "equals":
			return JSON.stringify(tolerance.value);
		case "range":
			if (tolerance.max === Number.MAX_VALUE) return `at least ${tolerance.min}`;
			if (tolerance.min === -Number.MAX_VALUE) return `at most ${tolerance.max}`;
			return `${tolerance.min} to ${tolerance.max}`;
		case "one-of":
			return `one of ${tolerance.values.map((value) => JSON.stringify(value)).join(", ")}`;
		case "matches":
			return `matching /${tolerance.pattern}/`;
		default:
			return assertNever(tolerance, "tolerance");
	}
}

/** A probe's name with its arguments, for readers. */
export function describeProbe({ probe, arguments: given }: ProbeSpec): string {
	const parts = Object.entries(given).map(([name, value]) => `${name} ${value}`);
	return parts.length === 0 ? probe : `${probe} (${parts.join(", ")})`;
}

/**
 * Asks one probe. One that can not be asked now is not met, and says why.
 * @throws QuorateError `experiment-probe-threw` for anything but `probe-failed`
 */
export async function askProbe(target: ExperimentTarget, spec: ProbeSpec): Promise<ProbeOutcome> {
	try {
		const value = await target.probe(spec);
		return { spec, value, met: isTolerated(value, spec.tolerance), atMs: target.nowMs(), failure: null };
	} catch (thrown) {
		if (!(thrown instanceof QuorateError) || thrown.code !== "probe-failed") {
			const reason = thrown instanceof Error ? thrown.message : String(thrown);
			throw probeThrew({ probe: spec.probe, reason }, { cause: thrown });
		}
		return { spec, value: null, met: false, atMs: target.nowMs(), failure: thrown.message };
	}
}
