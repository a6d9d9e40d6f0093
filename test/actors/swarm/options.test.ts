/**
 * Goal: what a start can not mean is refused before anything is started; above all, a misspelt option never means its
 * default.
 * Method: one example per place where options stand.
 */
import { describe, expect, it } from "vitest";
import type { SwarmOptions } from "../../../actors/swarm/contract.ts";
import { checkOptions } from "../../../actors/swarm/options.ts";

const refusals: readonly (readonly [option: string, options: unknown])[] = [
	["warmSpare", { raft: { nodes: 1 }, warmSpare: 1 }],
	["raft.aplication", { raft: { nodes: 1, aplication: {} } }],
	["raft.config.electionTimeout", { raft: { nodes: 1, config: { electionTimeout: 5 } } }],
	["storage.dir", { raft: { nodes: 1 }, storage: { type: "lmdb", dir: "x" } }],
	["raft.node", { raft: { node: 5 } }],
	["raft.config.nodeId", { raft: { nodes: 1, config: { nodeId: "a" } } }],
	["raft.config.electionTimeoutMs.mim", { raft: { nodes: 1, config: { electionTimeoutMs: { mim: 1, max: 9 } } } }],
	["raft.application.argz", { raft: { nodes: 1, application: { module: "file:///x.js", export: "X", argz: 1 } } }],
];

const app = { module: "file:///x.js", export: "X" };
/** What plain JavaScript may hand in: the option, how the message ends, the options. */
const invalid: readonly (readonly [argument: string, message: string, options: unknown])[] = [
	["options", "got null", null],
	["options", 'got "raft"', "raft"],
	["raft", "got null", { raft: null }],
	["raft", "expected an object with nodes, application, config, group, got 5", { raft: 5 }],
	["raft.config", "got null", { raft: { nodes: 1, config: null } }],
	[
		"raft.config.electionTimeoutMs",
		"expected an object with min, max, got 3",
		{ raft: { nodes: 1, config: { electionTimeoutMs: 3 } } },
	],
	["raft.application", "got null", { raft: { nodes: 1, application: null } }],
	["raft.application.export", "got undefined", { raft: { nodes: 1, application: { module: "file:///x.js" } } }],
	["raft.application.args", "got a function", { raft: { nodes: 1, application: { ...app, args: () => 1 } } }],
	["raft.application.version", "got 2", { raft: { nodes: 1, application: { ...app, version: 2 } } }],
	["storage", "got null", { storage: null }],
	["storage", 'expected an object with type, directory, got "lmdb"', { storage: "lmdb" }],
	["storage.type", 'expected "memory" or "lmdb", got "disk"', { storage: { type: "disk" } }],
	[
		"storage.directory",
		'expected none beside storage.type "memory", got "./x"',
		{ storage: { type: "memory", directory: "./x" } },
	],
	["storage.directory", "expected a path or a file URL, got 7", { storage: { type: "lmdb", directory: 7 } }],
	["storage.directory", 'got ""', { storage: { type: "lmdb", directory: "" } }],
	[
		"storage.directory",
		"got https://example.org/",
		{ storage: { type: "lmdb", directory: new URL("https://example.org/") } },
	],
	["actors", "expected a list of child specs, got [object Object]", { actors: {} }],
];

describe("checkOptions", () => {
	it.each(refusals)("refuses the unknown option %s and names those there are", async (option, options) => {
		await expect(checkOptions(options as SwarmOptions)).rejects.toMatchObject({
			code: "option-unknown",
			details: { option },
		});
	});

	it.each(invalid)("refuses a wrong %s: %s", async (argument, message, options) => {
		const refusal = await checkOptions(options as SwarmOptions).catch((error: unknown) => error);
		expect(refusal).toMatchObject({ code: "invalid-argument", details: { argument } });
		expect((refusal as Error).message).toContain(message);
	});

	it("does not offer what the swarm fills in itself", async () => {
		const refusal = await checkOptions({ raft: { nodes: 1, config: { x: 1 } as object } }).catch((error) => error);
		expect(refusal.details.known).toContain("heartbeatMs");
		expect(refusal.details.known).not.toContain("nodeId");
		expect(refusal.details.known).not.toContain("voters");
	});

	it("says of a contradiction what must hold", async () => {
		const config = { electionTimeoutMs: { min: 300, max: 100 } };
		await expect(checkOptions({ raft: { nodes: 1, config } })).rejects.toThrowError(
			"raft config: must hold: electionTimeoutMs.min is below electionTimeoutMs.max; given are 300 and 100",
		);
	});

	it("takes a file URL for a directory", async () => {
		const directory = new URL("file:///tmp/a%20b");
		const { storage } = await checkOptions({ storage: { type: "lmdb", directory } });
		expect(storage).toEqual({
			type: "lmdb",
			directory: "/tmp/a b",
		});
	});

	it("takes every option there is", async () => {
		const options: SwarmOptions = {
			raft: { nodes: 3, group: "g", config: { heartbeatMs: 20, electionTimeoutMs: { min: 100, max: 200 } } },
			storage: { type: "memory" },
			seed: 1,
			actors: [],
			warmSpares: 0,
			startTimeoutMs: 1_000,
		};
		const checked = await checkOptions(options);
		expect(checked.raft).toMatchObject({ nodes: ["node-1", "node-2", "node-3"], group: "g" });
		expect(checked).toMatchObject({ seed: 1, warmSpares: 0, startTimeoutMs: 1_000 });
	});
});
