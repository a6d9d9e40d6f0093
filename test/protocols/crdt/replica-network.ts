/**
 * A group of replicas and a bad network, all decided by one seed: updates are lost, doubled and delivered in any order; replicas
 * exchange differences and whole states, crash and come back from their last encoded state, and collect at common points. After each
 * step a replica's value can be held against `ReferenceHistory`.
 */
import { Generator } from "../../../protocols/core/index.ts";
import {
	CrdtDocument,
	type DocumentSchema,
	type ReplicaId,
	replicaId,
	type Value,
} from "../../../protocols/crdt/index.ts";
import { ReferenceHistory } from "./reference-history.ts";

export const everyType: DocumentSchema = {
	total: "g-counter",
	score: "pn-counter",
	on: "enable-wins-flag",
	off: "disable-wins-flag",
	title: "lww-register",
	opinions: "mv-register",
	tags: "add-wins-set",
	bans: "remove-wins-set",
	body: "text",
	tallies: { map: "pn-counter" },
	notes: { map: { record: { text: "text", labels: "add-wins-set" } } },
};

export interface NetworkOptions {
	readonly seed: number;
	readonly replicas: number;
	/** Whether replicas collect at common points. */
	readonly collects: boolean;
	readonly schema?: DocumentSchema;
}

const ELEMENTS = ["a", "b", "c"];
const KEYS = ["k", "l"];
const ALPHABET = "abcdefghijklmnopqrstuvwxyz";

export class ReplicaNetwork {
	readonly documents: CrdtDocument[];
	readonly history: ReferenceHistory = new ReferenceHistory();
	readonly #draw: Generator;
	readonly #options: NetworkOptions;
	/** Updates under way, each with its receiver. */
	#flying: { readonly to: number; readonly update: Uint8Array }[] = [];
	readonly #ids: ReplicaId[];
	#collections = 0;

	constructor(options: NetworkOptions) {
		this.#options = options;
		this.#draw = new Generator(options.seed, "network");
		this.#ids = Array.from({ length: options.replicas }, (_unused, i) => replicaId(`r${i}`, i % 3));
		this.documents = this.#ids.map((replica) => new CrdtDocument({ replica, schema: this.#schema }));
	}

	get #schema(): DocumentSchema {
		return this.#options.schema ?? everyType;
	}

	/** One random thing. Returns the replica whose state may have changed. */
	step(): number {
		const draw = this.#draw;
		const index = draw.below(this.documents.length);
		const kind = draw.below(100);
		if (kind < 45) this.#edit(index);
		else if (kind < 85) return this.#deliver() ?? index;
		else if (kind < 91) this.#exchange(index);
		else if (kind < 95) this.documents[index]!.merge(this.documents[draw.below(this.documents.length)]!.encode());
		else if (kind < 98) this.#restart(index);
		else if (this.#options.collects && this.#collections < 4) this.collect();
		return index;
	}

	/** Everybody gets everything. */
	settle(): void {
		this.#flying = [];
		const [first] = this.documents;
		for (const document of this.documents) this.#bring(first!, document);
		for (const document of this.documents) this.#bring(document, first!);
	}

	/** All replicas collect at one point. */
	collect(): void {
		this.#collections += 1;
		this.settle();
		const point = this.documents[0]!.context;
		for (const document of this.documents) document.collectAt(point);
	}

	/** What the definitions say that a replica's value is. */
	expected(index: number): Record<string, Value> {
		const { history } = this;
		const context = this.documents[index]!.context;
		const keyed = <T extends Value>(value: (key: string) => T | null): Record<string, T> =>
			Object.fromEntries(KEYS.flatMap((key) => (value(key) === null ? [] : [[key, value(key)!]])));
		const flag = history.writes("on", context);
		const off = history.writes("off", context);
		return {
			total: history.count("total", context),
			score: history.count("score", context),
			on: flag.includes(true),
			off: off.length > 0 && !off.includes(false),
			title: history.lastWrite("title", context),
			opinions: history.writes("opinions", context),
			tags: history.addWins("tags", context),
			bans: history.removeWins("bans", context),
			body: history.text("body", context),
			tallies: keyed((key) => (this.#hasTally(key, index) ? history.count(`tallies/${key}`, context) : null)),
			notes: keyed((key) => {
				const text = history.text(`notes/${key}`, context);
				const labels = history.addWins(`labels/${key}`, context);
				return text === "" && labels.length === 0 ? null : { text, labels };
			}),
		};
	}

	/** A key is there if an increment is left, even if they sum up to nothing. */
	#hasTally(key: string, index: number): boolean {
		return this.documents[index]!.map("tallies").has(key);
	}

	#edit(index: number): void {
		const document = this.documents[index]!;
		const parts = ["total", "score", "on", "off", "title", "opinions", "tags", "bans", "tallies", "notes"];
		const edits = 1 + this.#draw.below(3);
		for (let i = 0; i < edits; i++) {
			if (this.#draw.below(2) === 0) this.#type(document, "body", ["body"]);
			else this.#editPart(document, parts[this.#draw.below(parts.length)]!);
		}
		this.#send(index);
	}

	#send(index: number): void {
		const update = this.documents[index]!.takeUpdate();
		if (update === null) return;
		for (let to = 0; to < this.documents.length; to++) {
			if (to === index) continue;
			const copies = this.#draw.below(10);
			if (copies > 1) this.#flying.push({ to, update });
			if (copies === 9) this.#flying.push({ to, update });
		}
	}

	/** An operation that takes one dot. */
	#one(document: CrdtDocument, act: () => void, effect: Parameters<ReferenceHistory["record"]>[3]): void {
		const past = document.context;
		act();
		const sequence = document.context.sequenceOf(document.replica);
		if (sequence > past.sequenceOf(document.replica)) this.history.record(document.replica, sequence, past, effect);
	}

	#editPart(document: CrdtDocument, part: string): void {
		const draw = this.#draw;
		const element = ELEMENTS[draw.below(ELEMENTS.length)]!;
		const isUp = draw.below(2) === 0;
		const amount = 1 + draw.below(9);
		const value = `${document.replica}:${draw.below(1000)}`;
		switch (part) {
			case "total":
				this.#one(document, () => document.counter(part).increment(amount), { type: "increment", part, amount });
				return;
			case "score":
				this.#count(document, [part], part, isUp ? amount : -amount);
				return;
			case "on":
			case "off": {
				const flag = document.flag(part);
				this.#one(document, () => (isUp ? flag.enable() : flag.disable()), { type: "write", part, value: isUp });
				return;
			}
			case "title":
				this.#one(document, () => document.lwwRegister(part).set(value), { type: "write", part, value });
				return;
			case "opinions":
				this.#one(document, () => document.mvRegister(part).set(value), { type: "write", part, value });
				return;
			case "tags":
			case "bans":
				this.#member(document, [part], part, element, isUp);
				return;
			case "tallies": {
				const key = KEYS[draw.below(KEYS.length)]!;
				if (draw.below(4) === 0) {
					this.#remove(document, "tallies", key, [`tallies/${key}`]);
					return;
				}
				this.#count(document, ["tallies", key], `tallies/${key}`, isUp ? amount : -amount);
				return;
			}
			default: {
				const key = KEYS[draw.below(KEYS.length)]!;
				const kind = draw.below(5);
				if (kind === 0) {
					this.#remove(document, "notes", key, [`notes/${key}`, `labels/${key}`]);
					return;
				}
				if (kind < 3) {
					this.#type(document, `notes/${key}`, ["notes", key, "text"]);
					return;
				}
				this.#member(document, ["notes", key, "labels"], `labels/${key}`, element, isUp);
				return;
			}
		}
	}

	#count(document: CrdtDocument, path: readonly string[], part: string, amount: number): void {
		const counter = document.counter(...path);
		const act = (): void => (amount > 0 ? counter.increment(amount) : counter.decrement(-amount));
		this.#one(document, act, { type: "increment", part, amount });
	}

	#member(document: CrdtDocument, path: readonly string[], part: string, element: string, adds: boolean): void {
		const set = document.set(...path);
		const act = (): void => {
			if (adds) set.add(element);
			else set.delete(element);
		};
		this.#one(document, act, { type: adds ? "add" : "remove", part, element });
	}

	/** A removal takes as many dots as it removes things; each is recorded as a reset by who knew what was there before. */
	#remove(document: CrdtDocument, map: string, key: string, parts: readonly string[]): void {
		const past = document.context;
		document.map(map).delete(key);
		const last = document.context.sequenceOf(document.replica);
		// The last dot carries the whole: what is sent together is applied together.
		if (last === past.sequenceOf(document.replica)) return;
		for (const part of parts) this.history.record(document.replica, last, past, { type: "reset", part });
	}

	#type(document: CrdtDocument, part: string, path: readonly string[]): void {
		const draw = this.#draw;
		const text = document.text(...path);
		if (text.length > 0 && draw.below(3) === 0) {
			const position = draw.below(text.length);
			const count = 1 + draw.below(Math.min(3, text.length - position));
			for (let i = 0; i < count; i++) {
				const target = this.history.visible(part, document.context)[position]!;
				this.#one(document, () => text.delete(position, 1), { type: "delete", part, target });
			}
			return;
		}
		const start = draw.below(text.length + 1);
		const length = 1 + draw.below(4);
		const backwards = draw.below(3) === 0;
		for (let i = 0; i < length; i++) {
			const position = backwards ? start : start + i;
			const character = ALPHABET[draw.below(ALPHABET.length)]!;
			const place = this.history.placeOf(part, document.context, position);
			this.#one(document, () => text.insert(position, character), { type: "insert", part, character, ...place });
		}
	}

	#deliver(): number | null {
		if (this.#flying.length === 0) return null;
		const [{ to, update }] = this.#flying.splice(this.#draw.below(this.#flying.length), 1) as [
			{ to: number; update: Uint8Array },
		];
		this.documents[to]!.apply(update);
		return to;
	}

	#exchange(index: number): void {
		this.#bring(this.documents[index]!, this.documents[this.#draw.below(this.documents.length)]!);
	}

	/** Gives `to` what it lacks of `from`: a difference where that is possible. */
	#bring(to: CrdtDocument, from: CrdtDocument): void {
		if (to === from) return;
		const difference = from.differenceTo(to.context);
		if (difference.type === "update") to.apply(difference.bytes);
		else if (difference.type === "behind") to.merge(from.encode());
	}

	/** All that was sent was durable before, so a crash loses nothing that others may have. */
	#restart(index: number): void {
		const replica = this.#ids[index]!;
		this.documents[index] = CrdtDocument.load(this.documents[index]!.encode(), { replica, schema: this.#schema });
	}
}
