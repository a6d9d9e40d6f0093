/** What a compute thread runs for each task: load the function, call it, hand back value or error as data. */
import { errorToObject, invalidArgument } from "../../protocols/core/index.ts";
// By file and not by the room: a compute thread runs no actors, and need not load what does.
import { loadModule } from "../actor/module-loader.ts";
import type { ComputeCall, ComputeOutcome } from "./pool.ts";

export default async function runTask(call: ComputeCall): Promise<ComputeOutcome> {
	try {
		const task = await loadModule(call);
		if (typeof task !== "function") {
			throw invalidArgument({ argument: call.export, expected: "an exported function", actual: typeof task });
		}
		return { ok: true, value: await task(call.args) };
	} catch (thrown) {
		return { ok: false, error: errorToObject(thrown) };
	}
}
