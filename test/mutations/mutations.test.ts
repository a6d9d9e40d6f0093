/**
 * Goal: the planted bugs stay plantable, and what is stored for them and told of them is theirs. Method: each edit against the
 * present sources; each stored attempt against the options of its tool; the page of results against both.
 */
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parseCheckOptions } from "../../actors/console/check-options.ts";
import { crdtSimulateCommand } from "../../actors/console/crdt-simulate-command.ts";
import { namesGossip } from "../../actors/console/gossip-run-options.ts";
import { gossipSimulateCommand } from "../../actors/console/gossip-simulate-command.ts";
import { parseSimulateOptions } from "../../actors/console/simulate-options.ts";
import { TestWorld } from "../actors/console/command-world.ts";
import { projectRoot } from "../source-tree.ts";
import { type Attempt, commandOf } from "./attempt.ts";
import { readKillers } from "./killers.ts";
import { mutationLists } from "./lists.ts";
import { faultsOf } from "./mutation.ts";
import { cellText } from "./results.ts";

const read = (file: string): string => readFileSync(join(projectRoot, file), "utf8");

/** @throws if the tool does not understand its arguments */
async function understand([tool, ...args]: Attempt): Promise<void> {
	switch (tool) {
		case "simulate":
			if (namesGossip(args)) expect(await gossipSimulateCommand([...args, "--help"], new TestWorld())).toBe(0);
			else if (args.includes("crdt")) expect(await crdtSimulateCommand([...args, "--help"], new TestWorld())).toBe(0);
			else expect(parseSimulateOptions(args).isSingle).toBe(true);
			return;
		case "check":
			expect(parseCheckOptions(args)).not.toBeNull();
			return;
		case "chaos":
			expect([args[0], existsSync(join(projectRoot, args[1] ?? ""))]).toEqual(["run", true]);
			return;
		case "machines":
			expect(read(args[0] ?? "")).toContain("export function runSeed(");
			expect(Number.isSafeInteger(Number(args[1]))).toBe(true);
			return;
		case "unit":
			for (const file of (args[0] ?? "").split(",")) expect(existsSync(join(projectRoot, file))).toBe(true);
			return;
		default:
			throw new Error(`an unknown tool: ${tool satisfies never}`);
	}
}

describe.each(mutationLists.map((list) => [list.name, list] as const))("the list %s", (_name, list) => {
	it("has edits that match exactly once, and names of their own", () => {
		expect(list.mutations.length).toBeGreaterThan(0);
		expect(faultsOf(list.mutations, read)).toEqual([]);
	});

	it("has an attempt for each bug, which its tool understands, and none for others", async () => {
		const killers = readKillers(projectRoot, list);
		expect(Object.keys(killers)).toEqual(list.mutations.map(({ name }) => name));
		for (const attempt of Object.values(killers)) await understand(attempt);
	});

	it("names tests that are there", () => {
		const named = list.mutations.flatMap(({ test }) => (test === undefined ? [] : [test]));
		expect(named.filter((file) => !existsSync(join(projectRoot, file)))).toEqual([]);
	});

	it("is told of in RESULTS.md as it is stored", () => {
		const page = read("test/mutations/RESULTS.md");
		const killers = readKillers(projectRoot, list);
		const missing = list.mutations.filter(({ name, bug }) => {
			const row = page.split("\n").find((line) => line.startsWith(`| \`${name}\`: `));
			const attempt = killers[name];
			if (row === undefined || attempt === undefined) return true;
			return !row.includes(cellText(bug)) || !row.includes(cellText(commandOf(attempt)));
		});
		expect(missing.map(({ name }) => name)).toEqual([]);
	});
});
