/**
 * The libraries behind one interface. They live in a package of their own beside this file and are loaded only when asked for, so
 * their types are not known here: what is used of each is written down as it is called.
 */
import { createRequire } from "node:module";
import { fileURLToPath, pathToFileURL } from "node:url";
import { type CausalContext, CrdtDocument, replicaId } from "../../../protocols/crdt/index.ts";

/** One library's text. Encoded updates and states are bytes. */
export interface TextReplica {
	/** Makes one edit and returns its encoded update. */
	edit(position: number, deleted: number, inserted: string): Uint8Array;
	apply(update: Uint8Array): void;
	text(): string;
	encode(): Uint8Array;
	/** What it has, as another replica's {@link since} understands it; absent where there are no differences. */
	version?(): unknown;
	since?(version: unknown): Uint8Array;
	/** Applies what {@link since} returned, where that is in another format than updates. */
	applyDifference?(difference: Uint8Array): void;
}

/** One library's set of strings. */
export interface SetReplica {
	add(element: string): Uint8Array;
	/** Removes an element that it has and returns the encoded update. */
	remove(element: string): Uint8Array;
	encode(): Uint8Array;
	/** Absent where whole states can not be joined. */
	merge?(state: Uint8Array): void;
	elements(): Iterable<string>;
}

export interface Library {
	readonly name: string;
	/** Edits of the trace that it is given; fewer where all would take minutes. */
	readonly editsMax: number;
	createText(replica: number): TextReplica;
	loadText(state: Uint8Array): TextReplica;
	/** Absent where it has no set, nor a map that would do. */
	createSet?(replica: number): SetReplica;
	/** Additions that it is given; fewer where all would take minutes. By default all. */
	readonly setAddsMax?: number;
}

// biome-ignore lint/suspicious/noExplicitAny: foreign code without types here
type Foreign = any;

const packageFile = fileURLToPath(new URL("../../../../test/bench/peers-crdt/package.json", import.meta.url));

async function load(name: string): Promise<Foreign> {
	const file = createRequire(packageFile).resolve(name);
	const loaded = (await import(pathToFileURL(file).href)) as Foreign;
	return loaded.default ?? loaded;
}

export const libraries: Readonly<Record<string, () => Promise<Library>>> = {
	quorate: async () => ours,
	"json-joy": loadJsonJoy,
	yjs: loadYjs,
	"loro-crdt": loadLoro,
	automerge: loadAutomerge,
	"delta-crdts": loadDeltaCrdts,
};

const schema = { text: "text", set: "add-wins-set" } as const;

const ours: Library = {
	name: "quorate",
	editsMax: Number.POSITIVE_INFINITY,
	createText: (replica) => ourText(new CrdtDocument({ replica: replicaId(`r${replica}`, 0), schema })),
	loadText: (state) => ourText(CrdtDocument.load(state, { replica: replicaId("loaded", 0), schema })),
	createSet: (replica) => {
		const document = new CrdtDocument({ replica: replicaId(`r${replica}`, 0), schema });
		const set = document.set("set");
		return {
			add: (element) => {
				set.add(element);
				return document.takeUpdate()!;
			},
			remove: (element) => {
				set.delete(element);
				return document.takeUpdate()!;
			},
			encode: () => document.encode(),
			merge: (state) => void document.merge(state),
			elements: () => set.values as readonly string[],
		};
	},
};

function ourText(document: CrdtDocument): TextReplica {
	const text = document.text("text");
	return {
		edit: (position, deleted, inserted) => {
			if (deleted > 0) text.delete(position, deleted);
			if (inserted !== "") text.insert(position, inserted);
			return document.takeUpdate()!;
		},
		apply: (update) => void document.apply(update),
		text: () => text.toString(),
		version: () => document.context,
		since: (version) => {
			const difference = document.differenceTo(version as CausalContext);
			if (difference.type !== "update") throw new Error(`no difference: ${difference.type}`);
			return difference.bytes;
		},
		encode: () => {
			// Without history: what a replica keeps once all have applied everything; tombstones stay.
			document.cutLog(document.context);
			return document.encode();
		},
	};
}

async function loadJsonJoy(): Promise<Library> {
	const { Model, Patch } = await load("json-joy/lib/json-crdt/index.js");
	const wrap = (model: Foreign): TextReplica => ({
		edit: (position, deleted, inserted) => {
			const node = model.api.str([]);
			if (deleted > 0) node.del(position, deleted);
			if (inserted !== "") node.ins(position, inserted);
			return model.api.flush().toBinary();
		},
		apply: (update) => model.applyPatch(Patch.fromBinary(update)),
		text: () => model.view(),
		encode: () => model.toBinary(),
	});
	const seed = (): Foreign => {
		const model = Model.create(undefined, 100_000);
		model.api.root("");
		model.api.flush();
		return model;
	};
	return {
		name: "json-joy",
		editsMax: Number.POSITIVE_INFINITY,
		createText: (replica) => wrap(seed().fork(200_000 + replica)),
		loadText: (state) => wrap(Model.fromBinary(state)),
		createSet: (replica) => {
			const model = Model.create(undefined, 100_000 + replica);
			model.api.root({});
			model.api.flush();
			return {
				add: (element) => {
					model.api.obj([]).set({ [element]: true });
					return model.api.flush().toBinary();
				},
				remove: (element) => {
					model.api.obj([]).del([element]);
					return model.api.flush().toBinary();
				},
				encode: () => model.toBinary(),
				elements: () => Object.keys(model.view()),
			};
		},
	};
}

async function loadYjs(): Promise<Library> {
	const Y = await load("yjs");
	const tracked = (doc: Foreign): (() => Uint8Array) => {
		let last: Uint8Array = new Uint8Array();
		doc.on("update", (update: Uint8Array) => {
			last = update;
		});
		return () => last;
	};
	const wrap = (doc: Foreign): TextReplica => {
		const text = doc.getText("text");
		const last = tracked(doc);
		return {
			edit: (position, deleted, inserted) => {
				const change = (): void => {
					if (deleted > 0) text.delete(position, deleted);
					if (inserted !== "") text.insert(position, inserted);
				};
				// One update for what does both; for one call Yjs makes the transaction itself.
				if (deleted > 0 && inserted !== "") doc.transact(change);
				else change();
				return last();
			},
			apply: (update) => Y.applyUpdate(doc, update),
			text: () => text.toString(),
			encode: () => Y.encodeStateAsUpdateV2(doc),
			version: () => Y.encodeStateVector(doc),
			since: (version) => Y.encodeStateAsUpdateV2(doc, version),
			applyDifference: (difference) => Y.applyUpdateV2(doc, difference),
		};
	};
	return {
		name: "yjs",
		editsMax: Number.POSITIVE_INFINITY,
		createText: () => wrap(new Y.Doc()),
		loadText: (state) => {
			const doc = new Y.Doc();
			Y.applyUpdateV2(doc, state);
			return wrap(doc);
		},
		createSet: () => {
			const doc = new Y.Doc();
			const map = doc.getMap("set");
			const last = tracked(doc);
			return {
				add: (element) => {
					map.set(element, true);
					return last();
				},
				remove: (element) => {
					map.delete(element);
					return last();
				},
				encode: () => Y.encodeStateAsUpdate(doc),
				merge: (state) => Y.applyUpdate(doc, state),
				elements: () => map.keys(),
			};
		},
	};
}

async function loadLoro(): Promise<Library> {
	const { LoroDoc } = await load("loro-crdt");
	const tracked = (doc: Foreign): (() => Uint8Array) => {
		let version = doc.version();
		return () => {
			doc.commit();
			const update = doc.export({ mode: "update", from: version });
			version = doc.version();
			return update;
		};
	};
	const wrap = (doc: Foreign): TextReplica => {
		const text = doc.getText("text");
		const take = tracked(doc);
		return {
			edit: (position, deleted, inserted) => {
				if (deleted > 0) text.delete(position, deleted);
				if (inserted !== "") text.insert(position, inserted);
				return take();
			},
			apply: (update) => void doc.import(update),
			text: () => text.toString(),
			encode: () => doc.export({ mode: "snapshot" }),
			version: () => doc.version(),
			since: (version) => doc.export({ mode: "update", from: version }),
		};
	};
	return {
		name: "loro-crdt",
		editsMax: 50_000,
		createText: () => wrap(new LoroDoc()),
		loadText: (state) => {
			const doc = new LoroDoc();
			doc.import(state);
			return wrap(doc);
		},
		createSet: () => {
			const doc = new LoroDoc();
			const map = doc.getMap("set");
			const take = tracked(doc);
			return {
				add: (element) => {
					map.set(element, true);
					return take();
				},
				remove: (element) => {
					map.delete(element);
					return take();
				},
				encode: () => doc.export({ mode: "snapshot" }),
				merge: (state) => void doc.import(state),
				elements: () => map.keys(),
			};
		},
	};
}

async function loadAutomerge(): Promise<Library> {
	const A = await load("@automerge/automerge");
	const wrap = (first: Foreign): TextReplica => {
		let doc = first;
		return {
			edit: (position, deleted, inserted) => {
				doc = A.change(doc, (draft: Foreign) => A.splice(draft, ["text"], position, deleted, inserted));
				return A.getLastLocalChange(doc);
			},
			apply: (update) => {
				[doc] = A.applyChanges(doc, [update]);
			},
			text: () => doc.text,
			encode: () => A.save(doc),
		};
	};
	const base = A.save(A.from({ text: "", set: {} }, { actor: "00" }));
	return {
		name: "automerge",
		editsMax: 2_000,
		createText: () => wrap(A.load(base)),
		loadText: (state) => wrap(A.load(state)),
		setAddsMax: 2_000,
		createSet: () => {
			let doc = A.load(base);
			return {
				add: (element) => {
					doc = A.change(doc, (draft: Foreign) => {
						draft.set[element] = true;
					});
					return A.getLastLocalChange(doc);
				},
				remove: (element) => {
					doc = A.change(doc, (draft: Foreign) => {
						delete draft.set[element];
					});
					return A.getLastLocalChange(doc);
				},
				encode: () => A.save(doc),
				merge: (state) => {
					doc = A.merge(doc, A.load(state));
				},
				elements: () => Object.keys(doc.set),
			};
		},
	};
}

async function loadDeltaCrdts(): Promise<Library> {
	const crdts = await load("delta-crdts");
	const AwSet = crdts("aworset");
	const codec = await load("delta-crdts-msgpack-codec");
	return {
		name: "delta-crdts",
		editsMax: 0,
		setAddsMax: 1_500,
		createText: () => {
			throw new Error("not measured: its sequence is quadratic");
		},
		loadText: () => {
			throw new Error("not measured: its sequence is quadratic");
		},
		createSet: (replica) => {
			const set = AwSet(`r${replica}`);
			return {
				add: (element) => codec.encode(set.add(element)),
				remove: (element) => codec.encode(set.remove(element)),
				encode: () => codec.encode(set.state()),
				merge: (state) => set.apply(codec.decode(state)),
				elements: () => set.value(),
			};
		},
	};
}
