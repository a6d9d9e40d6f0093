/** Series of attempts, as the lists of protocols write them down. */
import type { Attempt } from "./attempt.ts";

/** The seeds from `first` to `last`, each as an attempt. */
export function seeds(first: number, last: number, attempt: (seed: string) => Attempt): readonly Attempt[] {
	return Array.from({ length: last - first + 1 }, (_, i) => attempt(String(first + i)));
}

/** One attempt for all test files of a folder that are named. */
export function tests(folder: string, ...names: readonly string[]): Attempt {
	return ["unit", names.map((name) => `${folder}/${name}.test.ts`).join()];
}
