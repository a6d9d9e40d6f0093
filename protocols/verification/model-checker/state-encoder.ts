/**
 * Plain data as a sequence of 16-bit units: equal values, and only those, have the same units, as with `canonicalText`
 * but a few times faster, and under any renaming of the nodes. A renaming is given by positions: node `i` of the group
 * is written as node `renaming[i]`.
 *
 * Every value begins with a unit that says what it is, so no sequence is the beginning of another.
 *
 * A frozen record is taken to be frozen through and through, and to hold the same for ever: it is worked out once. So whoever shows
 * parts of a state that it shares with others before it freezes them.
 */
import { assert } from "../../core/index.ts";

const TAG = {
	undefined: 0,
	null: 1,
	false: 2,
	true: 3,
	number: 4,
	string: 5,
	node: 6,
	bytes: 7,
	list: 8,
	map: 9,
	set: 10,
	record: 11,
	bigint: 12,
} as const;
/** Integers from 0 on that stand for themselves, behind the tags. */
const SMALL_FROM = 16;
const SMALL_MAX = 0xffff - SMALL_FROM;
const UNITS_MIN = 1 << 10;
/** Units that are turned into a string at once. */
const PIECE = 4096;

/** The keys of records with the same keys, sorted. */
interface Shape {
	readonly number: number;
	readonly keys: readonly string[];
	/** Its keys are names of nodes: it is written like a map. */
	readonly isByNode: boolean;
}

export class StateEncoder {
	readonly #nodes: ReadonlyMap<string, number>;
	readonly #strings = new Map<string, number>();
	/** By sorted keys. */
	readonly #shapes = new Map<string, Shape>();
	/** By number of keys, for each order in which they were met. */
	readonly #shapesOf: ({ readonly names: readonly string[]; readonly shape: Shape }[] | undefined)[] = [];
	readonly #float = new Float64Array(1);
	readonly #floatUnits = new Uint16Array(this.#float.buffer);
	#units = new Uint16Array(UNITS_MIN);
	#length = 0;
	readonly #fragments = new WeakMap<object, Map<readonly number[], Uint16Array>>();
	/** Where the parts of what is being sorted end; those of what is around it lie below. */
	readonly #ends: number[] = [];
	#renaming: readonly number[] = [];
	/** The 64-bit hash of the last units. */
	high = 0;
	low = 0;

	constructor(nodes: readonly string[]) {
		this.#nodes = new Map(nodes.map((node, i) => [node, i]));
	}

	/** Encodes a value; {@link key}, {@link high} and {@link low} then tell of it. */
	encode(value: unknown, renaming: readonly number[]): void {
		this.#length = 0;
		this.#renaming = renaming;
		this.#value(value);
		this.#hash();
	}

	/** The units of the last value as a string, to find it again by. */
	get key(): string {
		return this.#text(0, this.#length);
	}

	#text(from: number, to: number): string {
		let text = "";
		for (let at = from; at < to; at += PIECE) {
			const piece = this.#units.subarray(at, Math.min(to, at + PIECE));
			// `apply` takes a typed array as it is; spreading one goes through its iterator.
			text += String.fromCharCode.apply(null, piece as never);
		}
		return text;
	}

	/** Two murmur3 lanes with different seeds and multipliers. */
	#hash(): void {
		let a = 0x2f0b4c47;
		let b = 0x85ebca6b;
		for (let i = 0; i < this.#length; i++) {
			const unit = this.#units[i]!;
			a = Math.imul(a ^ Math.imul(unit + 1, 0xcc9e2d51), 0x1b873593);
			a = (a << 13) | (a >>> 19);
			b = Math.imul(b ^ Math.imul(unit + 1, 0x9e3779b1), 0xc2b2ae3d);
			b = (b << 15) | (b >>> 17);
		}
		this.high = finish(a ^ this.#length);
		this.low = finish(b + Math.imul(this.#length, 0x27d4eb2f));
	}

	#put(unit: number): void {
		if (this.#length === this.#units.length) this.#reserve(1);
		this.#units[this.#length++] = unit;
	}

	#reserve(units: number): void {
		if (this.#length + units <= this.#units.length) return;
		const grown = new Uint16Array(Math.max(this.#units.length * 2, this.#length + units));
		grown.set(this.#units);
		this.#units = grown;
	}

	#value(value: unknown): void {
		switch (typeof value) {
			case "number":
				this.#number(value);
				return;
			case "string":
				this.#string(value);
				return;
			case "boolean":
				this.#put(value ? TAG.true : TAG.false);
				return;
			case "undefined":
				this.#put(TAG.undefined);
				return;
			case "bigint":
				this.#put(TAG.bigint);
				this.#internedString(`${value}`);
				return;
			default:
				if (value === null) this.#put(TAG.null);
				else this.#object(value);
		}
	}

	#number(value: number): void {
		if (value >= 0 && value <= SMALL_MAX && Number.isInteger(value) && !Object.is(value, -0)) {
			this.#put(SMALL_FROM + value);
			return;
		}
		assert(!Number.isNaN(value) && !Object.is(value, -0), "protocol state holds no NaN and no -0");
		this.#float[0] = value;
		this.#put(TAG.number);
		for (const unit of this.#floatUnits) this.#put(unit);
	}

	#string(value: string): void {
		const node = this.#nodes.get(value);
		if (node === undefined) {
			this.#put(TAG.string);
			this.#internedString(value);
			return;
		}
		this.#put(TAG.node);
		this.#put(this.#renaming[node]!);
	}

	#internedString(value: string): void {
		let number = this.#strings.get(value);
		if (number === undefined) {
			number = this.#strings.size;
			this.#strings.set(value, number);
		}
		this.#put(number & 0xffff);
		this.#put(number >>> 16);
	}

	#object(value: unknown): void {
		if (Array.isArray(value)) {
			this.#put(TAG.list);
			this.#size(value.length);
			for (const item of value) this.#value(item);
			return;
		}
		if (value instanceof Uint8Array) {
			this.#put(TAG.bytes);
			this.#size(value.length);
			for (const byte of value) this.#put(byte);
			return;
		}
		if (value instanceof Map) {
			this.#put(TAG.map);
			const from = this.#beginSorted(value.size);
			for (const [key, item] of value) {
				this.#pair(key, item);
				this.#ends.push(this.#length);
			}
			this.#endSorted(from, value.size);
			return;
		}
		if (value instanceof Set) {
			this.#put(TAG.set);
			const from = this.#beginSorted(value.size);
			for (const item of value) {
				this.#value(item);
				this.#ends.push(this.#length);
			}
			this.#endSorted(from, value.size);
			return;
		}
		this.#record(value as Readonly<Record<string, unknown>>);
	}

	#record(record: Readonly<Record<string, unknown>>): void {
		if (Object.isFrozen(record)) this.#frozen(record);
		else this.#thawed(record);
	}

	/** The units of what will never change are kept, for each renaming. */
	#frozen(record: Readonly<Record<string, unknown>>): void {
		let kept = this.#fragments.get(record);
		if (kept === undefined) {
			kept = new Map();
			this.#fragments.set(record, kept);
		}
		const known = kept.get(this.#renaming);
		if (known === undefined) {
			const from = this.#length;
			this.#thawed(record);
			kept.set(this.#renaming, this.#units.slice(from, this.#length));
			return;
		}
		this.#reserve(known.length);
		this.#units.set(known, this.#length);
		this.#length += known.length;
	}

	#thawed(record: Readonly<Record<string, unknown>>): void {
		const shape = this.#shapeOf(record);
		if (shape.isByNode) {
			this.#put(TAG.record);
			this.#size(SMALL_MAX);
			const from = this.#beginSorted(shape.keys.length);
			for (const key of shape.keys) {
				this.#pair(key, record[key]);
				this.#ends.push(this.#length);
			}
			this.#endSorted(from, shape.keys.length);
			return;
		}
		this.#put(TAG.record);
		this.#size(shape.number);
		for (const key of shape.keys) this.#value(record[key]);
	}

	#pair(key: unknown, item: unknown): void {
		this.#value(key);
		this.#value(item);
	}

	#size(size: number): void {
		assert(size <= 0xffff_ffff, "sizes fit into 32 bits");
		this.#put(size & 0xffff);
		this.#put(size >>> 16);
	}

	/** Parts follow, and the end of each is pushed to `#ends`. Returns where the first one begins. */
	#beginSorted(parts: number): number {
		this.#size(parts);
		return this.#length;
	}

	/** Puts the parts into the order of their own units, so that the order they came in does not show. */
	#endSorted(from: number, parts: number): void {
		const ends = this.#ends;
		const first = ends.length - parts;
		let isInOrder = true;
		for (let at = first + 1, begin = from; at < ends.length && isInOrder; at++) {
			isInOrder = this.#isBefore(begin, ends[at - 1]!, ends[at]!);
			begin = ends[at - 1]!;
		}
		if (!isInOrder) {
			const texts: string[] = [];
			for (let at = first, begin = from; at < ends.length; begin = ends[at++]!)
				texts.push(this.#text(begin, ends[at]!));
			this.#length = from;
			for (const text of texts.sort()) for (let i = 0; i < text.length; i++) this.#put(text.charCodeAt(i));
		}
		ends.length = first;
	}

	/** Whether the units from `begin` to `middle` come before those from there to `end`. */
	#isBefore(begin: number, middle: number, end: number): boolean {
		const units = this.#units;
		for (let left = begin, right = middle; left < middle && right < end; left++, right++) {
			if (units[left] !== units[right]) return units[left]! < units[right]!;
		}
		return middle - begin <= end - middle;
	}

	/** The keys are compared one by one with those of records before, since that is several times faster than to join them. */
	#shapeOf(record: Readonly<Record<string, unknown>>): Shape {
		const names = Object.keys(record);
		const alike = this.#shapesOf[names.length] ?? [];
		for (const known of alike) if (hasNames(known.names, names)) return known.shape;
		const shape = this.#newShape(record, names);
		this.#shapesOf[names.length] = [...alike, { names, shape }];
		return shape;
	}

	#newShape(record: Readonly<Record<string, unknown>>, names: readonly string[]): Shape {
		const prototype = Object.getPrototypeOf(record);
		assert(prototype === Object.prototype || prototype === null, "protocol state holds no class instances");
		const keys = [...names].sort();
		const sorted = keys.join("\0");
		const same = this.#shapes.get(sorted);
		if (same !== undefined) return same;
		const shape = { number: this.#shapes.size, keys, isByNode: keys.some((key) => this.#nodes.has(key)) };
		this.#shapes.set(sorted, shape);
		return shape;
	}
}

function hasNames(names: readonly string[], others: readonly string[]): boolean {
	for (let i = 0; i < names.length; i++) if (names[i] !== others[i]) return false;
	return true;
}

/** Murmur3's finaliser: every bit of the input moves about half of the output's. */
function finish(word: number): number {
	let h = word;
	h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
	h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
	return (h ^ (h >>> 16)) >>> 0;
}
