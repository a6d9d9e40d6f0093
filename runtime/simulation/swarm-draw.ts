/**
 * Swarm testing (Groce et al., ISSTA 2012): each seed has only some of the faults, with ranges of its own. A run that has
 * all of them all the time never sees what only happens in the absence of one.
 */
import type { Generator } from "../../protocols/core/index.ts";
import type { DurationRange } from "./timeline.ts";

/** The features that this seed has: each one with this probability, default a half, each by a sub-stream of its own. */
export function drawFeatures<T extends string>(generator: Generator, features: readonly T[], probability = 0.5): T[] {
	return features.filter((feature) => generator.fork(`feature:${feature}`).chance(probability));
}

/** A part of a range, both ends uniform. */
export function drawSubrange(generator: Generator, { min, max }: DurationRange): DurationRange {
	const [a, b] = [min + generator.fraction() * (max - min), min + generator.fraction() * (max - min)];
	return { min: Math.min(a, b), max: Math.max(a, b) };
}
