/**
 * Goal: replicas that have applied the same operations have the same bytes, whatever the order in which updates came, how often, and
 * which are still missing. Method: the model checker explores every interleaving of a few operations at two or three replicas with every delivery of
 * every update: early ones, repeated ones, none. The documents are the shipped ones, from and to their encoded states at each step. Its twin,
 * texts that apply insertions by position, must be found to diverge.
 */
import { describe, expect, it } from "vitest";
import { CrdtDocument, type DocumentSchema, replicaId } from "../../../protocols/crdt/index.ts";
import { exploreModel, type Model } from "../../../protocols/verification/model-checker/index.ts";

const schema: DocumentSchema = {
	text: "text",
	list: "list",
	tags: "add-wins-set",
	bans: "remove-wins-set",
	votes: "pn-counter",
};

/** What a replica does, in its order. */
type Operation = (document: CrdtDocument) => void;

/** Replicas as a model has them: values that are made anew with each step. */
interface Replicas {
	empty(replica: number): string;
	/** The operations of each replica. */
	readonly scripts: readonly (readonly unknown[])[];
	perform(state: string, replica: number, step: number): { readonly state: string; readonly update: string };
	apply(state: string, replica: number, update: string): string;
	/** Which operations are applied. */
	applied(state: string, replica: number): string;
	/** What all who have applied the same must have in common. */
	shared(state: string, replica: number): string;
}

interface State {
	readonly replicas: readonly string[];
	/** Steps of each replica that are done. */
	readonly done: readonly number[];
	/** Every update that was ever made. It may come at any time, and again. */
	readonly updates: readonly { readonly from: number; readonly bytes: string }[];
}

type Action =
	| { readonly type: "do"; readonly replica: number }
	| { readonly type: "deliver"; readonly update: number; readonly to: number };

function convergence({ empty, scripts, perform, apply, applied, shared }: Replicas): Model<State, Action> {
	const numbers = scripts.map((_script, replica) => replica);
	const set = <T>(list: readonly T[], at: number, value: T): T[] => list.map((old, i) => (i === at ? value : old));
	const total = scripts.reduce((sum, script) => sum + script.length, 0);
	return {
		name: "convergence",
		initial: [{ replicas: numbers.map(empty), done: numbers.map(() => 0), updates: [] }],
		actions: ({ done, updates }) => [
			...numbers
				.filter((replica) => done[replica]! < scripts[replica]!.length)
				.map((replica): Action => ({ type: "do", replica })),
			...updates.flatMap(({ from }, update) =>
				numbers.filter((to) => to !== from).map((to): Action => ({ type: "deliver", update, to })),
			),
		],
		next: (state, action) => {
			const { replicas, done, updates } = state;
			if (action.type === "do") {
				const { replica } = action;
				const made = perform(replicas[replica]!, replica, done[replica]!);
				return {
					replicas: set(replicas, replica, made.state),
					done: set(done, replica, done[replica]! + 1),
					// In an order that does not tell who was first.
					updates: [...updates, { from: replica, bytes: made.update }].sort((a, b) => (a.bytes < b.bytes ? -1 : 1)),
				};
			}
			const { to, update } = action;
			const after = apply(replicas[to]!, to, updates[update]!.bytes);
			return after === replicas[to] ? null : { ...state, replicas: set(replicas, to, after) };
		},
		isWithin: () => true,
		properties: [
			{
				id: "same-operations-same-state",
				kind: "always",
				statement: "Replicas that have applied the same operations have the same state.",
				holds: ({ replicas }) =>
					numbers.every((a) =>
						numbers.every(
							(b) =>
								b >= a ||
								applied(replicas[a]!, a) !== applied(replicas[b]!, b) ||
								shared(replicas[a]!, a) === shared(replicas[b]!, b),
						),
					),
			},
			{
				id: "all-have-all",
				kind: "sometimes",
				statement: "All replicas have applied all operations.",
				holds: ({ replicas, done }) =>
					done.reduce((sum, count) => sum + count) === total &&
					new Set(replicas.map((state, replica) => applied(state, replica))).size === 1,
			},
		],
	};
}

function documents(scripts: readonly (readonly Operation[])[]): Replicas {
	const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
	const load = (state: string, replica: number): CrdtDocument =>
		CrdtDocument.load(Buffer.from(state, "hex"), { replica: replicaId(`r${replica}`, 0), schema });
	return {
		scripts,
		empty: (replica) => hex(new CrdtDocument({ replica: replicaId(`r${replica}`, 0), schema }).encode()),
		perform: (state, replica, step) => {
			const document = load(state, replica);
			scripts[replica]![step]!(document);
			const update = document.takeUpdate();
			return { state: hex(document.encode()), update: update === null ? "" : hex(update) };
		},
		apply: (state, replica, update) => {
			if (update === "") return state;
			const document = load(state, replica);
			const outcome = document.apply(Buffer.from(update, "hex"));
			return outcome === "known" ? state : hex(document.encode());
		},
		applied: (state, replica) => JSON.stringify(load(state, replica).context.entries),
		shared: (state, replica) => hex(load(state, replica).encodeShared()),
	};
}

const text =
	(position: number, characters: string): Operation =>
	(document) =>
		document.text("text").insert(Math.min(position, document.text("text").length), characters);
const cut: Operation = (document) => {
	const { length } = document.text("text");
	if (length > 0) document.text("text").delete(Math.floor(length / 2), 1);
};

describe("every interleaving of a few operations", () => {
	it.each<[string, (readonly Operation[])[]]>([
		["three texts in one place", [[text(0, "ab")], [text(0, "XY")], [text(0, "z")]]],
		[
			"what is inserted into and what is deleted",
			[
				[text(0, "abc"), cut],
				[text(0, "de"), cut, text(1, "Q")],
			],
		],
		["a text behind one that is unknown to the third", [[text(0, "ab"), text(1, "c")], [text(9, "z")], []]],
		[
			"additions and removals of one element",
			[
				[(d) => d.set("tags").add("t"), (d) => d.set("bans").add("t")],
				[(d) => d.set("bans").add("t"), (d) => void (d.set("tags").delete("t") || d.set("bans").delete("t"))],
			],
		],
		[
			"lists and counters",
			[
				[(d) => d.list("list").insert(0, 1, 2)],
				[(d) => d.list("list").insert(0, 3)],
				[(d) => d.counter("votes").decrement(1)],
			],
		],
	])("%s", (_name, scripts) => {
		const result = exploreModel(convergence(documents(scripts)), { statesMax: 5_000 });
		expect(result).toMatchObject({ verdict: "proved", exhausted: true });
		expect(result.distinct).toBeGreaterThan(100);
	});

	it("finds that texts which insert by position diverge", () => {
		const characters = ["a", "b", "c"];
		/** Applied insertions, sorted, and the text. */
		const parse = (state: string): [string[], string] => JSON.parse(state);
		const insert = (state: string, update: string): string => {
			const [known, shown] = parse(state);
			if (known.includes(update)) return state;
			const [position, character] = update.split(":") as [string, string];
			const at = Math.min(Number(position), shown.length);
			return JSON.stringify([[...known, update].sort(), shown.slice(0, at) + character + shown.slice(at)]);
		};
		const positional: Replicas = {
			scripts: characters.map((character) => [character]),
			empty: () => JSON.stringify([[], ""]),
			perform: (state, replica) => {
				const update = `0:${characters[replica]}`;
				return { state: insert(state, update), update };
			},
			apply: (state, _replica, update) => insert(state, update),
			applied: (state) => parse(state)[0].join(),
			shared: (state) => parse(state)[1],
		};
		const result = exploreModel(convergence(positional), { statesMax: 5_000 });
		expect(result).toMatchObject({
			verdict: "violated",
			counterexample: { property: "same-operations-same-state" },
		});
		// Two insert, and each hears of the other.
		expect(result.counterexample?.steps).toHaveLength(4);
	});
});
