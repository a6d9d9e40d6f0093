/**
 * Goal: every call of `quorate` that a page or a help text shows is one that the command takes.
 * Method: each call is performed with `--help` behind it: the command then checks every option before it, and starts nothing.
 */
import { expect, test } from "vitest";
import { commands } from "../../../actors/console/commands.ts";
import { readSources } from "../../source-tree.ts";
import { TestWorld } from "./command-world.ts";

const helpCalls: readonly string[] = [
	...[...commands.keys()].map((name) => `quorate ${name} --help`),
	"quorate run --protocol gossip --help",
	"quorate run --protocol crdt --help",
	"quorate simulate --protocol gossip --help",
];

/** The calls in lines of a shell: also behind a pipe or another command, without a comment. */
function callsIn(lines: readonly string[]): string[] {
	return lines
		.map((line) => line.replace(/\s#.*$/, ""))
		.flatMap((line) => line.split(/\s(?:\||&&)\s/))
		.flatMap((call) => /^\s*(?:npx )?(quorate [a-z].*?)\s*$/.exec(call)?.[1] ?? []);
}

async function perform(call: string): Promise<string> {
	const [, name = "", ...args] = call.split(/\s+/);
	const world = new TestWorld();
	expect(await commands.get(name)?.perform(args, world), call).toBe(0);
	return world.written;
}

test("every call in the pages is one that the command takes", async () => {
	const pages = readSources(".md").flatMap(({ text }) => [...text.matchAll(/^```sh\n([\s\S]*?)^```$/gm)]);
	const calls = callsIn(pages.flatMap(([, text = ""]) => text.split("\n")));
	expect(calls.length).toBeGreaterThan(20);
	for (const call of calls) {
		// What stands for a value of the reader's own is left out.
		if (!call.includes("…")) expect(await perform(`${call} --help`), call).toContain("Usage: quorate");
	}
});

test("every example in a help text is one that the command takes", async () => {
	const texts = await Promise.all(helpCalls.map(perform));
	const calls = callsIn(texts.flatMap((text) => text.split("\nExamples:\n")[1]?.split("\n") ?? []));
	expect(calls.length).toBeGreaterThan(15);
	for (const call of calls) expect(await perform(`${call} --help`), call).toContain("Usage: quorate");
});
