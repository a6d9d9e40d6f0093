/** Turns what engines do at once into outcomes. */
import { QuorateError } from "../../protocols/core/index.ts";
import type { Outcome } from "./contract.ts";

/** The world's errors become outcomes; our bugs go on being thrown. */
export function outcomeOf<T>(run: () => T): Outcome<T> {
	try {
		return { ok: true, value: run() };
	} catch (error) {
		if (error instanceof QuorateError) return { ok: false, error };
		throw error;
	}
}
