/**
 * Stands in for fast-check in `npm run explore`: every property runs `QUORATE_PROPERTY_FACTOR` times as often, 20 by
 * default, and from a random seed. A failure prints its seed and counterexample.
 */
import { createRequire } from "node:module";
import type { IRawProperty, Parameters } from "fast-check";

// Asked for as CommonJS, it is not replaced by this file.
const fc = createRequire(import.meta.url)("fast-check") as typeof import("fast-check");

const FACTOR_DEFAULT = 20;
/** Of fast-check, where a test names no number. */
const RUNS_DEFAULT = 100;
const factor = Number(process.env["QUORATE_PROPERTY_FACTOR"] ?? FACTOR_DEFAULT);

function assert<T>(property: IRawProperty<T>, { seed: _seed, ...parameters }: Parameters<T> = {}): unknown {
	return fc.assert(property, { ...parameters, numRuns: (parameters.numRuns ?? RUNS_DEFAULT) * factor });
}

const exploring: typeof import("fast-check") = { ...fc, assert: assert as typeof fc.assert };
export default exploring;
