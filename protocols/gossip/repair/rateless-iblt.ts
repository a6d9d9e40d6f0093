/**
 * Rateless invertible Bloom lookup tables (Yang, Gilad, Alizadeh, "Practical Rateless Set Reconciliation", SIGCOMM 2024): an
 * endless stream of coded symbols of a set. Whoever has another set takes symbols until it has the whole difference, 1.35 to 1.72
 * symbols for each item of it, without either side knowing beforehand how large it is.
 *
 * Items are byte strings of one length (digests, ids with versions). The checksums are keyed but not cryptographic: use digests
 * as items where somebody might choose items to collide.
 */
import { assert } from "../../core/index.ts";
import { requireIntegerField } from "../bounds.ts";
import { symbolsInconsistent, tooLarge } from "../errors.ts";

/** One coded symbol: the sum of the items that are mapped to it, of their checksums, and how many. */
export interface CodedSymbol {
	readonly sum: Uint8Array;
	readonly checksum: readonly [number, number];
	readonly count: number;
}

/** Bytes of one item, in [1, 1,024]. */
export const ITEM_BYTES_MAX = 1_024;

/** The indices that an item is mapped to: with density 1/(1 + i/2) at index i, by jumps (§4.2). */
class Mapping {
	index = 0;
	#state: number;

	constructor([low]: readonly [number, number]) {
		this.#state = low === 0 ? 1 : low;
	}

	next(): void {
		// xorshift32; the fraction is in (0, 1].
		let x = this.#state;
		x ^= x << 13;
		x ^= x >>> 17;
		x ^= x << 5;
		this.#state = x >>> 0;
		const fraction = (this.#state + 1) / 0x1_0000_0000;
		this.index += Math.max(1, Math.ceil((this.index + 1.5) * (1 / Math.sqrt(fraction) - 1)));
	}
}

interface Mapped {
	readonly item: Uint8Array;
	readonly checksum: readonly [number, number];
	readonly mapping: Mapping;
	/** 1 to add it to the symbols that it is mapped to, −1 to take it out. */
	readonly sign: 1 | -1;
}

/** Items by the next index that they are mapped to; an item moves on each time it is met. */
class Window {
	readonly #byIndex = new Map<number, Mapped[]>();

	add(mapped: Mapped): void {
		const there = this.#byIndex.get(mapped.mapping.index);
		if (there === undefined) this.#byIndex.set(mapped.mapping.index, [mapped]);
		else there.push(mapped);
	}

	/** Mixes all that is mapped to an index into a symbol. Indices are asked for in order. */
	mix(index: number, symbol: OpenSymbol): void {
		const there = this.#byIndex.get(index);
		if (there === undefined) return;
		this.#byIndex.delete(index);
		for (const mapped of there) {
			mix(symbol, mapped);
			mapped.mapping.next();
			this.add(mapped);
		}
	}
}

interface OpenSymbol {
	readonly sum: Uint8Array;
	low: number;
	high: number;
	count: number;
}

function mix(symbol: OpenSymbol, { item, checksum, sign }: Pick<Mapped, "item" | "checksum" | "sign">): void {
	for (let i = 0; i < item.length; i++) symbol.sum[i] = (symbol.sum[i] as number) ^ (item[i] as number);
	symbol.low = (symbol.low ^ checksum[0]) >>> 0;
	symbol.high = (symbol.high ^ checksum[1]) >>> 0;
	symbol.count += sign;
}

/** Makes the stream of one set. Items must be there before the first symbol is taken. */
export class SetEncoder {
	readonly #itemBytes: number;
	readonly #key: number;
	readonly #window = new Window();
	#produced = 0;

	/**
	 * @param itemBytes the length of every item
	 * @param key the same at both sides, another in each exchange
	 * @throws QuorateError `gossip-config-invalid`
	 */
	constructor(itemBytes: number, key: number) {
		requireIntegerField("itemBytes", itemBytes, [1, ITEM_BYTES_MAX]);
		this.#itemBytes = itemBytes;
		this.#key = key;
	}

	/** Adds an item, once. @throws QuorateError `gossip-too-large` if it has another length */
	add(item: Uint8Array): void {
		assert(this.#produced === 0, "items are added before symbols are made");
		requireLength(item, this.#itemBytes);
		const checksum = checksumOf(item, this.#key);
		this.#window.add({ item, checksum, mapping: new Mapping(checksum), sign: 1 });
	}

	next(): CodedSymbol {
		const symbol: OpenSymbol = { sum: new Uint8Array(this.#itemBytes), low: 0, high: 0, count: 0 };
		this.#window.mix(this.#produced++, symbol);
		return { sum: symbol.sum, checksum: [symbol.low, symbol.high], count: symbol.count };
	}
}

/** Takes symbols of another set until it knows what either side has alone. */
export class SetDecoder {
	readonly #itemBytes: number;
	readonly #key: number;
	readonly #symbolsMax: number;
	readonly #own = new Window();
	/** Items that were found, to be taken out of symbols to come. */
	readonly #found = new Window();
	readonly #symbols: OpenSymbol[] = [];
	/** Symbols that are not empty yet. */
	#open = 0;
	readonly missing: Uint8Array[] = [];
	readonly surplus: Uint8Array[] = [];

	/** @param symbolsMax symbols that are kept; one more is refused. Default 1,048,576 */
	constructor(itemBytes: number, key: number, symbolsMax = 1_048_576) {
		requireIntegerField("itemBytes", itemBytes, [1, ITEM_BYTES_MAX]);
		requireIntegerField("symbolsMax", symbolsMax, [1, 16_777_216]);
		this.#itemBytes = itemBytes;
		this.#key = key;
		this.#symbolsMax = symbolsMax;
	}

	/** Adds an item of this side's set, before the first symbol. @throws QuorateError `gossip-too-large` */
	add(item: Uint8Array): void {
		assert(this.#symbols.length === 0, "items are added before symbols are taken");
		requireLength(item, this.#itemBytes);
		const checksum = checksumOf(item, this.#key);
		this.#own.add({ item, checksum, mapping: new Mapping(checksum), sign: -1 });
	}

	/** All of the difference is known: `missing` here, `surplus` there. The first symbol holds every item, so it must be empty. */
	get isComplete(): boolean {
		return this.#symbols.length > 0 && this.#open === 0;
	}

	get taken(): number {
		return this.#symbols.length;
	}

	/**
	 * Takes the next symbol.
	 * @throws QuorateError `gossip-too-large` for one of another length, or one too many; `gossip-symbols-inconsistent` for what
	 *   comes from no set, or not in order: the decoder is of no use any more then
	 */
	take({ sum, checksum, count }: CodedSymbol): void {
		requireLength(sum, this.#itemBytes);
		const index = this.#symbols.length;
		const limitBytes = this.#symbolsMax * this.#itemBytes;
		if (index >= this.#symbolsMax) {
			throw tooLarge({ what: "the difference of two sets", sizeBytes: (index + 1) * this.#itemBytes, limitBytes });
		}
		const symbol: OpenSymbol = { sum: sum.slice(), low: checksum[0] >>> 0, high: checksum[1] >>> 0, count };
		this.#own.mix(index, symbol);
		this.#found.mix(index, symbol);
		this.#symbols.push(symbol);
		this.#open++;
		this.#peel([index]);
	}

	/** A symbol with one item left gives that item away, which leaves one less in every other symbol that has it. */
	#peel(touched: number[]): void {
		for (let index = touched.pop(); index !== undefined; index = touched.pop()) {
			const symbol = this.#symbols[index] as OpenSymbol;
			if (symbol.count === 0 && symbol.low === 0 && symbol.high === 0 && symbol.sum.every((byte) => byte === 0)) {
				// NaN marks that it was counted as empty, and equals no count.
				symbol.count = Number.NaN;
				this.#open--;
				continue;
			}
			if (symbol.count !== 1 && symbol.count !== -1) continue;
			const [low, high] = checksumOf(symbol.sum, this.#key);
			if (low !== symbol.low || high !== symbol.high) continue;
			this.#takeOut(symbol.sum.slice(), [low, high], symbol.count, touched);
		}
	}

	#takeOut(item: Uint8Array, checksum: readonly [number, number], count: 1 | -1, touched: number[]): void {
		const items = this.missing.length + this.surplus.length + 1;
		// Each item empties one symbol at least. Without this, symbols that are made up could give items for ever.
		if (items > this.#symbols.length) throw symbolsInconsistent({ symbols: this.#symbols.length, items });
		(count === 1 ? this.missing : this.surplus).push(item);
		const sign = count === 1 ? -1 : 1;
		const mapping = new Mapping(checksum);
		for (; mapping.index < this.#symbols.length; mapping.next()) {
			mix(this.#symbols[mapping.index] as OpenSymbol, { item, checksum, sign });
			touched.push(mapping.index);
		}
		this.#found.add({ item, checksum, mapping, sign });
	}
}

function requireLength(item: Uint8Array, itemBytes: number): void {
	if (item.length !== itemBytes) {
		throw tooLarge({ what: "an item of another length", sizeBytes: item.length, limitBytes: itemBytes });
	}
}

/** 64 keyed bits in two words: two murmur3-style lanes with different constants. */
function checksumOf(item: Uint8Array, key: number): [number, number] {
	let low = (key ^ 0x9e3779b9) | 0;
	let high = (Math.imul(key, 0x85ebca6b) ^ item.length) | 0;
	for (let i = 0; i < item.length; i++) {
		const byte = item[i] as number;
		low = Math.imul(low ^ byte, 0xcc9e2d51);
		low = (low << 13) | (low >>> 19);
		high = Math.imul(high ^ byte, 0x1b873593);
		high = ((high << 15) | (high >>> 17)) + low;
	}
	return [finish(low), finish(high)];
}

function finish(word: number): number {
	let h = word;
	h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
	h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
	return (h ^ (h >>> 16)) >>> 0;
}
