/** The format of experiment files, as one table: what the parser reads, the writer writes and the JSON Schema says. */
import { FAULT_KINDS } from "./catalogue.ts";
import { ASK_FIRST, EXPERIMENT_VERSION, READ_LEVELS, type Tolerance } from "./experiment.ts";
import { DURATION_MS_MAX } from "./fault-kind.ts";
import {
	choice,
	duration,
	type EitherShape,
	type Field,
	integer,
	list,
	map,
	number,
	type RecordShape,
	rate,
	record,
	type Shape,
	scalar,
	text,
	type Variant,
} from "./shape.ts";

/** Faults of one method. */
export const METHOD_FAULTS_MAX = 2_000;
/** Nodes of one topology. */
export const NODES_MAX = 64;
const NAME_LENGTH_MAX = 128;
const TEXT_LENGTH_MAX = 4_000;
const PROBES_MAX = 100;
const PROPERTIES_MAX = 200;
const CONFIG_MAX = 100;

const name: Shape = text(1, NAME_LENGTH_MAX);
const field = (key: string, shape: Shape, means: string, more: Partial<Field> = {}): Field => ({
	...{ key, name: key, shape, means },
	...more,
});
const milliseconds = (key: string, means: string, min: number, more: Partial<Field> = {}): Field =>
	field(key, duration(min, DURATION_MS_MAX), means, { name: `${key}Ms`, ...more });

const anyNumber = number(-Number.MAX_VALUE, Number.MAX_VALUE);

/** What a probe may show: a value itself, bounds, a list of values or a regular expression. */
const tolerance: EitherShape = {
	type: "either",
	expected: "a value, {min, max}, {one-of: […]} or {matches: …}",
	forms: [
		{
			shape: scalar,
			toData: (value): Tolerance => ({ type: "equals", value: value as never }),
			toFile: (data) => ((data as Tolerance).type === "equals" ? (data as { value: unknown }).value : undefined),
		},
		{
			shape: record([
				field("min", anyNumber, "The least value.", { default: -Number.MAX_VALUE }),
				field("max", anyNumber, "The greatest value.", { default: Number.MAX_VALUE }),
			]),
			toData: (bounds): Tolerance => ({ type: "range", ...(bounds as { min: number; max: number }) }),
			toFile: (data) => ((data as Tolerance).type === "range" ? data : undefined),
		},
		{
			shape: record([field("one-of", list(scalar, 1, 100), "Any of these values.", { name: "values" })]),
			toData: (given): Tolerance => ({ type: "one-of", ...(given as { values: [] }) }),
			toFile: (data) => ((data as Tolerance).type === "one-of" ? data : undefined),
		},
		{
			shape: record([field("matches", { type: "regex" }, "A regular expression for a text.", { name: "pattern" })]),
			toData: (given): Tolerance => ({ type: "matches", ...(given as { pattern: string }) }),
			toFile: (data) => ((data as Tolerance).type === "matches" ? data : undefined),
		},
	],
};

const argument: EitherShape = {
	type: "either",
	expected: "a number or a text",
	forms: [anyNumber, text(0, NAME_LENGTH_MAX)].map((shape) => ({
		shape,
		toData: (value) => value,
		toFile: (data) => (typeof data === (shape.type === "number" ? "number" : "string") ? data : undefined),
	})),
};

const probe = record([
	field("probe", name, "What is measured, by the name that the engine gives it."),
	field("arguments", map(argument, 20), "What the probe takes.", { default: {} }),
	field("tolerance", tolerance, "What it may show."),
]);

const at = milliseconds("at", "When it begins, from the start of the method.", 0);
const optional = field(
	"optional",
	{ type: "true" },
	"If it is not applicable (no leader to kill), go on without it instead of ending the experiment.",
	{ optional: true },
);
const lasting = milliseconds("for", "When it is removed; left out, at the end of the method.", 1, { default: null });
/** What is over at once has no `for`, but the same field in data. */
const momentary = field("for", { type: "never" }, "It is over at once.", { name: "forMs", default: null });

const faults: readonly Variant[] = FAULT_KINDS.map((kind) => ({
	name: kind.kind,
	means: kind.means,
	common: [at, kind.lasts ? lasting : momentary, optional],
	arguments: kind.arguments,
}));

const expectation: EitherShape = {
	type: "either",
	expected: "pass or {violated: …}",
	forms: [
		{
			shape: choice(["pass"]),
			toData: (value) => value,
			toFile: (data) => (data === "pass" ? data : undefined),
		},
		{
			shape: record([field("violated", name, "The id of what must be found violated.")]),
			toData: (value) => value,
			toFile: (data) => (data === "pass" ? undefined : data),
		},
	],
};

const topology = record([
	field("protocol", name, "The protocol, by the name of its room."),
	field("nodes", integer(1, NODES_MAX), "How many members the group has."),
	field("storage", choice(["memory", "durable"]), "What survives a restart.", { default: "durable" }),
	field("disks", choice(["shared", "own"]), "One disk for all members, or one for each.", { default: "shared" }),
	field("config", map(anyNumber, CONFIG_MAX), "Settings of the protocol that differ from its defaults.", {
		default: {},
	}),
]);

const budget = record([
	field("crash", integer(0, NODES_MAX), "Members that may be down or cut off at one time.", {
		default: (_: object, root: Root) => Math.ceil((root.topology?.nodes ?? 1) / 2) - 1,
	}),
	field("byzantine", integer(0, NODES_MAX), "Members that may lie.", { default: 0 }),
	field("damage", integer(0, NODES_MAX), "Members whose disks may be damaged, and not whole again, at one time.", {
		default: (_: object, root: Root) => Math.ceil((root.topology?.nodes ?? 1) / 2) - 1,
	}),
]);

/** What of the file was read before the field whose default is asked for. */
interface Root {
	readonly topology?: { readonly nodes: number };
}

const workload = record([
	field("kind", name, "What the clients do, by the name that the engine gives it."),
	field("clients", integer(1, 1_000), "How many clients.", { default: 4 }),
	field("rate", rate(0.001, 1_000_000), "Operations of all clients together; open loop.", {
		name: "ratePerSecond",
		default: 50,
	}),
	field("keys", integer(1, 1_000_000), "How many keys they share.", { default: 4 }),
	milliseconds("for", "How long operations are begun.", 1, { default: 30_000 }),
	field("reads", list(choice(READ_LEVELS), 1, READ_LEVELS.length), "How reads are answered; each draws one of these.", {
		optional: true,
	}),
	field("ask", choice(ASK_FIRST), "Whom a read goes to first: who leads, who still says so to this client, or any.", {
		optional: true,
	}),
	field("burst", integer(1, 1_000), "So many operations are due at once.", { optional: true }),
]);

const steadyState = record([
	field("title", text(0, TEXT_LENGTH_MAX), "What is true of the system when it is well.", { default: "" }),
	field("probes", list(probe, 0, PROBES_MAX), "All must be within their tolerance, before and after.", { default: [] }),
]);

const ids = list(name, 0, PROPERTIES_MAX);
const properties = record([
	field("always", ids, "Ids of what must hold; all: every one that the engine knows.", { default: ["all"] }),
	field("sometimes", ids, "Ids of what must happen at least once; all: every one that the engine knows.", {
		default: [],
	}),
]);

/** The whole file. */
export const experimentShape: RecordShape = record([
	field("apiVersion", choice([EXPERIMENT_VERSION]), "The version of this format."),
	field("title", text(1, 200), "One line."),
	field("description", text(0, TEXT_LENGTH_MAX), "What it is about.", { default: "" }),
	field("seed", integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER), "Decides every draw that is left open.", {
		default: 1,
	}),
	field("topology", topology, "What is started."),
	field("budget", budget, "The fault model; left out, less than half of the nodes may crash.", { default: {} }),
	field("workload", workload, "What clients do meanwhile."),
	field("steady-state", steadyState, "The hypothesis, probed before the method and after it.", {
		name: "steadyState",
		default: {},
	}),
	field("method", list({ type: "variants", on: "fault", variants: faults }, 0, METHOD_FAULTS_MAX), "What is done.", {
		default: [],
	}),
	field("guards", list(probe, 0, PROBES_MAX), "Looked at all the time; one that is not met ends the experiment.", {
		default: [],
	}),
	milliseconds("liveness", "Within this time after all faults are removed the group must be well again.", 1, {
		default: 30_000,
	}),
	field("properties", properties, "What is judged.", { default: {} }),
	field("expect", expectation, "What the run is expected to come to.", { default: "pass" }),
]);
