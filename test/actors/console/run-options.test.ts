/**
 * Goal: the command line takes what its help says, and refuses the rest by code, naming the option and what it takes.
 * Method: a table of calls.
 */
import { expect, test } from "vitest";
import { parseRunOptions, runHelp } from "../../../actors/console/run-options.ts";
import { nearestName } from "../../../supervisors/chaos/index.ts";

function refusal(...args: string[]): unknown {
	try {
		return parseRunOptions(args);
	} catch (error) {
		const { code, details } = error as { code: string; details: object };
		return { code, ...details };
	}
}

test("the defaults are the main job's", () => {
	expect(parseRunOptions([])).toEqual({
		protocol: "raft",
		nodes: 5,
		byzantine: 0,
		attacks: [],
		evidence: null,
		input: null,
		rate: 10_000,
		clients: 8,
		killLeaderMs: 4_000,
		storage: "lmdb",
		data: null,
		history: null,
		seed: 1,
		forMs: null,
		json: false,
		help: false,
		listsAttacks: false,
		modes: {},
		passphraseFile: null,
	});
});

test("every option, in both spellings", () => {
	const args = "--protocol raft --nodes=3 --input - --rate max --clients 2 --kill-leader 1.5s --storage lmdb --data d";
	const more = "--history h.jsonl --seed 42 --for 2m --json --help";
	expect(parseRunOptions(`${args} ${more}`.split(" "))).toEqual({
		protocol: "raft",
		nodes: 3,
		byzantine: 0,
		attacks: [],
		evidence: null,
		input: "-",
		rate: "max",
		clients: 2,
		killLeaderMs: 1_500,
		storage: "lmdb",
		data: "d",
		history: "h.jsonl",
		seed: 42,
		forMs: 120_000,
		json: true,
		help: true,
		listsAttacks: false,
		modes: {},
		passphraseFile: null,
	});
	expect(parseRunOptions(["--kill-leader", "off"]).killLeaderMs).toBeNull();
	expect(parseRunOptions(["--for", "1.5h"]).forMs).toBe(5_400_000);
	expect(refusal("--for", "25h")).toMatchObject({
		code: "invalid-value",
		expected: "a time such as 500ms, 4s or 2m, from 1ms to 24h",
	});
});

test("of PBFT, whose members may attack", () => {
	const { nodes, killLeaderMs } = parseRunOptions(["--protocol", "pbft"]);
	expect({ nodes, killLeaderMs }).toEqual({ nodes: 4, killLeaderMs: null });
	const { byzantine, attacks, evidence } = parseRunOptions(
		"--protocol pbft --nodes 7 --byzantine 2 --attack silent,delay --evidence e.json".split(" "),
	);
	expect({ byzantine, attacks, evidence }).toEqual({ byzantine: 2, attacks: ["silent", "delay"], evidence: "e.json" });
	expect(parseRunOptions(["--protocol", "pbft", "--byzantine", "1"]).attacks).toEqual(["equivocate"]);
	expect(parseRunOptions(["--attack", "list"]).listsAttacks).toBe(true);
	expect(refusal("--protocol", "pbft", "--byzantine", "1", "--attack", "silent,dealy")).toMatchObject({
		expected: 'names of attacks joined by commas (none is "dealy": did you mean delay?); --attack list tells them',
	});
	const pbft = ["--protocol", "pbft"];
	expect(parseRunOptions(pbft).modes).toEqual({});
	expect(parseRunOptions([...pbft, "--votes", "authenticated", "--attack", "spoilt-parts"]).modes).toEqual({
		votes: "authenticated",
	});
	expect(parseRunOptions([...pbft, "--certificates", "collector", "--attack", "half-collector"]).modes).toEqual({
		certificates: "collector",
	});
	expect(refusal("--votes", "signed")).toMatchObject({ option: "--votes", other: "--protocol raft" });
	expect(refusal(...pbft, "--votes", "none")).toMatchObject({ code: "invalid-value", option: "--votes" });
	expect(refusal(...pbft, "--votes", "authenticated", "--certificates", "collector")).toMatchObject({
		option: "--certificates collector",
		other: "--votes authenticated",
	});
	expect(refusal(...pbft, "--votes", "authenticated", "--evidence", "e")).toMatchObject({ option: "--evidence" });
	for (const attack of ["half-collector", "old-keys"])
		expect(refusal(...pbft, "--byzantine", "1", "--attack", attack)).toMatchObject({ option: `--attack ${attack}` });
	expect(refusal("--byzantine", "1")).toMatchObject({ code: "conflicting-options", other: "--protocol raft" });
	expect(refusal("--protocol", "pbft", "--byzantine", "2")).toMatchObject({
		option: "--byzantine 2",
		other: "--nodes 4",
	});
	expect(refusal("--protocol", "pbft", "--nodes", "32")).toMatchObject({ code: "conflicting-options" });
	expect(refusal("--protocol", "pbft", "--passphrase-file", "f")).toMatchObject({ other: "no --data" });
	expect(refusal("--passphrase-file", "f", "--data", "d")).toMatchObject({ other: "--protocol raft" });
	// Also those protocols are named that have options of their own.
	const protocols = "raft or pbft or gossip or crdt";
	expect(refusal("--protocol", "paxos")).toMatchObject({ code: "invalid-value", expected: protocols });
	expect(refusal("--attack", "flattery")).toMatchObject({ code: "invalid-value", option: "--attack" });
});

test("of an option given twice the last counts, so that `npm start -- --rate max` works", () => {
	expect(parseRunOptions(["--rate", "10000", "--rate", "max"]).rate).toBe("max");
});

test("unknown options name the nearest one", () => {
	const command = "quorate run";
	expect(refusal("--node", "3")).toEqual({ code: "unknown-option", command, option: "--node", suggestion: "--nodes" });
	expect(refusal("--kil-leader=4s")).toMatchObject({ option: "--kil-leader", suggestion: "--kill-leader" });
	expect(refusal("--kill")).toMatchObject({ suggestion: "--kill-leader" });
	expect(refusal("--verbose")).toMatchObject({ code: "unknown-option", suggestion: null });
	expect(refusal("-n", "3")).toMatchObject({ code: "unknown-option", option: "-n" });
	expect(refusal("--constructor", "3")).toMatchObject({ code: "unknown-option" });
	expect(refusal("flights.json")).toEqual({ code: "unexpected-argument", command, argument: "flights.json" });
	expect(nearestName("rum", ["run"])).toBe("run");
	expect(nearestName("deploy", ["run"])).toBeNull();
});

test("values outside their range say what is expected", () => {
	const bad: [option: string, value: string][] = [
		["--nodes", "0"],
		["--nodes", "62"],
		["--nodes", "3.5"],
		["--nodes", "-1"],
		["--rate", "fast"],
		["--rate", "0"],
		["--clients", "1000"],
		["--kill-leader", "4"],
		["--kill-leader", "100ms"],
		["--for", "s"],
		["--for", "0ms"],
		["--for", "9999m"],
		["--seed", "x"],
		["--storage", "disk"],
		["--protocol", "paxos"],
	];
	for (const [option, value] of bad) {
		expect(refusal(option, value)).toEqual({
			code: "invalid-value",
			option,
			expected: expect.any(String),
			actual: value,
		});
	}
	expect(refusal("--rate")).toEqual({ code: "missing-value", option: "--rate", expected: "R" });
	expect(refusal("--rate", "--json")).toMatchObject({ code: "missing-value", option: "--rate" });
	expect(refusal("--data", "")).toMatchObject({ code: "missing-value", option: "--data" });
	expect(refusal("--json=yes")).toMatchObject({ code: "invalid-value", option: "--json" });
	expect(refusal("--storage", "memory", "--data", "d")).toMatchObject({ code: "conflicting-options" });
});

test("the help names every option and fits a terminal", () => {
	for (const name of ["protocol", "nodes", "input", "rate", "clients", "kill-leader", "storage", "data", "history"]) {
		expect(runHelp()).toContain(`--${name} `);
	}
	for (const line of runHelp().split("\n")) expect(line.length, line).toBeLessThanOrEqual(120);
});
