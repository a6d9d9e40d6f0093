/**
 * What runs unit tests inside of a copy of the tree: one vitest for all of them, since most of what a single test costs is its
 * start. It is sent attempts, and the names of files that have changed since the one before.
 */
import { join, relative } from "node:path";
import { createVitest, type TestCase, type Vitest } from "vitest/node";
import type { Attempt, Outcome } from "./attempt.ts";

/** A file of the copy has changed: what was made of it is forgotten. */
export interface FileChanged {
	readonly changed: string;
}

const directory = process.cwd();
const vitest: Vitest = await createVitest("test", {
	root: directory,
	watch: false,
	project: ["pure"],
	// Threads die with their process, also one that is in a loop.
	pool: "threads",
	// Other copies use the other cores, and files of pure tests leave nothing behind that another one could trip over.
	maxWorkers: 1,
	isolate: false,
	bail: 1,
	cache: false,
	reporters: [{}],
});
await vitest.standalone();

process.on("message", (message: Attempt | FileChanged) => {
	if ("changed" in message) vitest.invalidateFile(join(directory, message.changed));
	else void answer(message);
});
process.on("disconnect", () => process.exit());
process.send?.({ type: "ready" });

async function answer([, place = "", name]: Attempt): Promise<void> {
	if (name === undefined) vitest.resetGlobalTestNamePattern();
	else vitest.setGlobalTestNamePattern(new RegExp(`^${escapePattern(name)}$`));
	const specifications = await vitest.globTestSpecifications(place.split(","));
	// What it remembers of earlier runs would be told again.
	vitest.state.filesMap.clear();
	const { testModules } = await vitest.runTestSpecifications(specifications);
	const tests = testModules.flatMap((module) => [...module.children.allTests()]);
	const unloaded = testModules.flatMap((module) =>
		module.errors().map(({ message }) => ({ file: relative(directory, module.moduleId), message })),
	)[0];
	process.send?.({ type: "outcome", outcome: outcomeOf(tests, unloaded) });
}

function outcomeOf(
	tests: readonly TestCase[],
	unloaded: { readonly file: string; readonly message: string } | undefined,
): Outcome {
	const failed = tests.find((test) => test.result().state === "failed");
	const run = tests.filter((test) => ["passed", "failed"].includes(test.result().state)).length;
	const effort = `${run} ${run === 1 ? "test" : "tests"}`;
	if (failed !== undefined) {
		const { fullName, module } = failed;
		const [error] = failed.result().errors ?? [];
		const by = fullName.replaceAll(" > ", " ");
		const reason = `${error?.name ?? "Error"}: ${(error?.message ?? "").split("\n", 1)[0]}`;
		const narrower: Attempt = ["unit", relative(directory, module.moduleId), by];
		return { isNoticed: true, by, reason, effort, narrower };
	}
	if (unloaded !== undefined) {
		return { isNoticed: true, by: `${unloaded.file} can not be loaded`, reason: unloaded.message, effort };
	}
	// A test that is not there any more notices nothing.
	return { isNoticed: false, by: "", reason: run === 0 ? "no such test" : "", effort };
}

function escapePattern(text: string): string {
	return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}
