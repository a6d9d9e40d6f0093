/**
 * Goal: an experiment file means what it says or is refused with the place of what is wrong; writing and reading are
 * inverse to each other.
 * Method: one test a rule, with line and column; random experiments there and back; hostile texts.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { checkExperiment, type Experiment, formatExperiment, parseExperiment } from "../../../supervisors/index.ts";
import { arbitraryExperiment } from "./arbitrary-experiment.ts";

const source = `apiVersion: quorate/chaos/v1
title: The leader dies
topology: {protocol: raft, nodes: 5, config: {heartbeatMs: 50}}
workload: {kind: key-value, rate: 200/s, for: 60s}
steady-state:
  title: one leader
  probes:
    - {probe: leaders, tolerance: 1}
    - {probe: latency, arguments: {quantile: 0.99}, tolerance: {max: 250}}
method:
  - {at: 5s, fault: partition, shape: one-way, target: leader, for: 1.5m}
  - {at: 150ms, fault: kill, target: leader}
`;

/** What is said of the source with one place changed, without the place, which must be where `put` has its `¦`. */
function refusal(old: string, put: string): string {
	expect(source.split(old)).toHaveLength(2);
	const marked = source.replace(old, put);
	const before = marked.slice(0, marked.indexOf("¦")).split("\n");
	try {
		parseExperiment(marked.replace("¦", ""), "leader-dies.yaml");
	} catch (thrown) {
		const { code, message } = thrown as { code: string; message: string };
		const place = `leader-dies.yaml, line ${before.length}, column ${(before.at(-1)?.length ?? 0) + 1}: `;
		expect(message.slice(0, place.length)).toBe(place);
		return `${code}: ${message.slice(place.length)}`;
	}
	return "accepted";
}

describe("parseExperiment", () => {
	it("reads units, fills in defaults and puts the method in order", () => {
		expect(parseExperiment(source)).toEqual({
			apiVersion: "quorate/chaos/v1",
			title: "The leader dies",
			description: "",
			seed: 1,
			topology: { protocol: "raft", nodes: 5, storage: "durable", disks: "shared", config: { heartbeatMs: 50 } },
			budget: { crash: 2, byzantine: 0, damage: 2 },
			workload: { kind: "key-value", clients: 4, ratePerSecond: 200, keys: 4, forMs: 60_000 },
			steadyState: {
				title: "one leader",
				probes: [
					{ probe: "leaders", arguments: {}, tolerance: { type: "equals", value: 1 } },
					{
						probe: "latency",
						arguments: { quantile: 0.99 },
						tolerance: { type: "range", min: -Number.MAX_VALUE, max: 250 },
					},
				],
			},
			method: [
				{ atMs: 150, forMs: null, fault: { kind: "kill", arguments: { target: "leader" } } },
				{
					atMs: 5_000,
					forMs: 90_000,
					fault: { kind: "partition", arguments: { shape: "one-way", target: "leader", direction: "out" } },
				},
			],
			guards: [],
			livenessMs: 30_000,
			properties: { always: ["all"], sometimes: [] },
			expect: "pass",
		} satisfies Experiment);
	});

	it("reads JSON as what it is", () => {
		const json = JSON.stringify({
			apiVersion: "quorate/chaos/v1",
			title: "json",
			topology: { protocol: "raft", nodes: 3 },
			workload: { kind: "key-value", rate: "30/m" },
		});
		expect(parseExperiment(json)).toMatchObject({
			title: "json",
			workload: { ratePerSecond: 0.5 },
			budget: { crash: 1 },
		});
	});

	it("keeps faults of the same time in the order of the file", () => {
		const same = source.replace("150ms", "5s");
		expect(parseExperiment(same).method.map(({ fault }) => fault.kind)).toEqual(["partition", "kill"]);
	});

	it("names an unknown key, the nearest known one, and the place", () => {
		expect(refusal("target: leader}", "¦tagret: leader}")).toBe(
			"experiment-unknown-key: there is no key method[1].tagret (did you mean target?)",
		);
		expect(refusal("workload", "¦worklaod")).toBe(
			"experiment-unknown-key: there is no key worklaod (did you mean workload?)",
		);
		expect(refusal("{max: 250}", "{¦mx: 250}")).toBe(
			"experiment-unknown-key: there is no key steady-state.probes[1].tolerance.mx (did you mean max?)",
		);
		expect(refusal("title: one leader", "¦surprise: true")).toBe(
			"experiment-unknown-key: there is no key steady-state.surprise",
		);
	});

	it("an argument belongs to its kind of fault", () => {
		expect(refusal("fault: kill", "fault: pause, ¦shape: halves")).toBe(
			"experiment-unknown-key: there is no key method[1].shape",
		);
	});

	it("names an unknown fault and the nearest known one", () => {
		expect(refusal("fault: kill", "fault: ¦kil")).toMatch(/ method\[1\]\.fault: .*got "kil" \(did you mean kill\?\)$/);
		expect(refusal("{at: 150ms, fault: kill, target: leader", "¦{at: 150ms, target: leader")).toMatch(
			/ method\[1\]\.fault: expected a value, got nothing$/,
		);
	});

	const duration = "expected a duration from 0 to 86400000 ms with its unit, such as 150ms or 2s";
	const tolerance = "steady-state.probes[0].tolerance";

	it.each([
		["nodes: 5", "nodes: ¦0", "topology.nodes: expected an integer from 1 to 64, got 0"],
		["nodes: 5", "nodes: ¦five", 'topology.nodes: expected an integer from 1 to 64, got "five"'],
		["nodes: 5", "nodes: ¦2.5", "topology.nodes: expected an integer from 1 to 64, got 2.5"],
		["nodes: 5", "nodes: ¦[5]", "topology.nodes: expected an integer from 1 to 64, got a list"],
		["heartbeatMs: 50", "heartbeatMs: ¦.nan", "topology.config.heartbeatMs: expected a number, got NaN"],
		["150ms", "¦150", `method[1].at: ${duration}, got 150`],
		["150ms", "¦2 days", `method[1].at: ${duration}, got "2 days"`],
		["150ms", "¦25h", `method[1].at: ${duration}, got "25h"`],
		["200/s", "¦200", "workload.rate: expected a rate from 0.001 to 1000000 a second, such as 200/s, got 200"],
		[
			"tolerance: 1}",
			"tolerance: ¦[1]}",
			`${tolerance}: expected a value, {min, max}, {one-of: […]} or {matches: …}, got a list`,
		],
		[
			"tolerance: 1}",
			"tolerance: ¦{}}",
			`${tolerance}: expected a value, {min, max}, {one-of: […]} or {matches: …}, got a mapping`,
		],
		["tolerance: 1}", "tolerance: {matches: ¦'('}}", `${tolerance}.matches: expected a regular expression, got "("`],
		["{probe: leaders, tolerance: 1}", "¦{probe: leaders}", `${tolerance}: expected a value, got nothing`],
		[
			"target: leader, for",
			"target: ¦'a b', for",
			'method[0].target: expected leader, follower, any, all or the name of a node, got "a b"',
		],
		[
			"shape: one-way",
			"shape: ¦diagonal",
			'method[0].shape: expected halves | random-halves | isolate | majorities-ring | bridge | one-way | leader-vs-rest, got "diagonal"',
		],
		[
			"target: leader}",
			"target: leader, for: ¦3s}",
			'method[1].for: expected nothing, as this is over at once, got "3s"',
		],
		["target: leader}", "optional: ¦false}", "method[1].optional: expected true, or nothing, got false"],
		[
			"apiVersion: quorate/chaos/v1\ntitle: The leader dies\n",
			"¦apiVersion: quorate/chaos/v1\n",
			"title: expected a value, got nothing",
		],
		["title: The leader dies", "title:¦", "title: expected a text of 1 to 200 characters, got null"],
		[
			"quorate/chaos/v1",
			"¦quorate/chaos/v0",
			'apiVersion: expected quorate/chaos/v1, got "quorate/chaos/v0" (did you mean quorate/chaos/v1?)',
		],
	])("refuses %j → %j", (old, put, expected) => {
		expect(refusal(old, put)).toBe(`experiment-invalid: ${expected}`);
	});

	it.each([
		["method:", "¦title:", "Map keys must be unique"],
		["title: one leader", "title: &x ¦one", "anchors are not supported: &x"],
		["title: one leader", "title: ¦*x", "aliases are not supported: *x"],
		["title: one leader", "title: ¦!secret x", "Unresolved tag: !secret"],
		["title: one leader", "title: !!str ¦x", "tags are not supported: tag:yaml.org,2002:str"],
		["method:", "¦--- a\nmethod:", "the text holds more than one document"],
		["- {at: 5s,", "- at: ¦a: b\n    {", "Nested mappings are not allowed in compact mappings"],
	])("refuses %j → %j as no such document", (old, put, expected) => {
		expect(refusal(old, put)).toMatch(new RegExp(`^experiment-malformed: ${expected.replace(/[*!.&]/g, "\\$&")}`));
	});

	it.each([
		["nothing", "", "experiment-malformed"],
		["a comment", "# nothing\n", "experiment-malformed"],
		["a list", "[]", "experiment-invalid"],
		["brackets without end", "[".repeat(100_000), "experiment-malformed"],
		["dashes without end", "- ".repeat(100_000), "experiment-malformed"],
		["mappings without end", "{a: ".repeat(100_000), "experiment-malformed"],
		["question marks without end", "? ".repeat(100_000), "experiment-malformed"],
		[
			"steps to the right",
			Array.from({ length: 300 }, (_, index) => `${" ".repeat(index)}a:`).join("\n"),
			"experiment-malformed",
		],
		["too long a text", "#".repeat(1_048_577), "experiment-malformed"],
		["keys that are no texts", "? [a]\n: b", "experiment-malformed"],
	])("survives %s", (_, text, code) => {
		expect(() => parseExperiment(text)).toThrow(expect.objectContaining({ code }));
	});

	it("answers any text with an experiment or a typed error", () => {
		const pieces = fc.constantFrom(
			"a",
			":",
			" ",
			"\n",
			"-",
			"[",
			"]",
			"{",
			"}",
			",",
			"&",
			"*",
			"!",
			"?",
			"|",
			">",
			"'",
			'"',
			"#",
			"%",
			"@",
			"method",
			"0",
		);
		fc.assert(
			fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => {
				try {
					parseExperiment(parts.join(""));
				} catch (thrown) {
					expect((thrown as { code: string }).code).toMatch(/^experiment-/);
				}
			}),
			{ numRuns: 1_000 },
		);
	});
});

describe("formatExperiment", () => {
	it("writes what reads as the same experiment", () => {
		fc.assert(
			fc.property(arbitraryExperiment, (experiment) => {
				expect(parseExperiment(formatExperiment(experiment))).toEqual(experiment);
			}),
			{ numRuns: 150 },
		);
	});

	it("writes units, one line a fault, and every default", () => {
		expect(formatExperiment(parseExperiment(source))).toBe(`apiVersion: quorate/chaos/v1
title: The leader dies
description: ""
seed: 1
topology:
  protocol: raft
  nodes: 5
  storage: durable
  disks: shared
  config:
    heartbeatMs: 50
budget:
  crash: 2
  byzantine: 0
  damage: 2
workload:
  kind: key-value
  clients: 4
  rate: 200/s
  keys: 4
  for: 1m
steady-state:
  title: one leader
  probes:
    - {probe: leaders, arguments: {}, tolerance: 1}
    - {probe: latency, arguments: {quantile: 0.99}, tolerance: {max: 250}}
method:
  - {at: 150ms, fault: kill, target: leader}
  - {at: 5s, fault: partition, shape: one-way, target: leader, direction: out, for: 90s}
guards: []
liveness: 30s
properties:
  always: [all]
  sometimes: []
expect: pass
`);
	});
});

describe("checkExperiment", () => {
	const experiment = parseExperiment(source);

	it("changes nothing of what a parser returned", () => {
		fc.assert(
			fc.property(arbitraryExperiment, (drawn) => {
				expect(checkExperiment(drawn)).toEqual(drawn);
			}),
			{ numRuns: 100 },
		);
	});

	it("fills in what a fault leaves out", () => {
		const method = [{ atMs: 10, forMs: null, fault: { kind: "kill", arguments: {} } }];
		expect(checkExperiment({ ...experiment, method }).method[0]?.fault.arguments).toEqual({ target: "any" });
	});

	it("refuses what a file may not say either", () => {
		const check = (part: object): string => {
			try {
				checkExperiment({ ...experiment, ...part });
				return "accepted";
			} catch (thrown) {
				return (thrown as Error).message;
			}
		};
		expect(check({})).toBe("accepted");
		expect(check({ surprise: 1 })).toBe("there is no key surprise");
		expect(check({ livenessMs: "soon" })).toMatch(/^liveness: expected a duration/);
		expect(check({ livenessMs: undefined })).toBe("accepted");
		expect(check({ title: null })).toBe("title: expected a text of 1 to 200 characters, got null");
		expect(check({ method: [{ atMs: -1, forMs: null, fault: { kind: "kill", arguments: {} } }] })).toMatch(
			/^method\[0\].at/,
		);
		expect(check({ method: [{ atMs: 1, forMs: 5, fault: { kind: "kill", arguments: {} } }] })).toMatch(
			/^method\[0\].for/,
		);
		expect(check({ method: [{ atMs: 1, forMs: null, fault: { kind: "kil", arguments: {} } }] })).toMatch(
			/did you mean kill/,
		);
		expect(check({ method: [{ atMs: 1, forMs: null, fault: { kind: "kill", arguments: { tagret: "x" } } }] })).toBe(
			"there is no key method[0].tagret (did you mean target?)",
		);
		expect(check({ method: [{ atMs: 1, fault: null }] })).toMatch(/^method\[0\]/);
		expect(
			check({ steadyState: { title: "", probes: [{ probe: "a", arguments: {}, tolerance: { type: "near" } }] } }),
		).toMatch(/tolerance/);
		expect(check({ expect: { violated: "" } })).toMatch(/^expect.violated/);
	});
});
