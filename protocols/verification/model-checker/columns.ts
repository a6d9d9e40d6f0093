/** Long lists of words that grow by whole chunks, so that nothing is ever copied, and may be given back from the front. */
const CHUNK_BITS = 14;
const CHUNK_ROWS = 1 << CHUNK_BITS;
const ROW_MASK = CHUNK_ROWS - 1;

/** Rows of a fixed number of words, by their number from 0. */
export class RowStore {
	readonly #rowWords: number;
	readonly #chunks: (Uint32Array | null)[] = [];
	#length = 0;
	#freedChunks = 0;

	constructor(rowWords: number) {
		this.#rowWords = rowWords;
	}

	get length(): number {
		return this.#length;
	}

	get memoryBytes(): number {
		return (this.#chunks.length - this.#freedChunks) * CHUNK_ROWS * this.#rowWords * 4;
	}

	/** Appends a copy of the first words of `words`. */
	push(words: Uint32Array): void {
		const row = this.#length & ROW_MASK;
		if (row === 0) this.#chunks.push(new Uint32Array(CHUNK_ROWS * this.#rowWords));
		const chunk = this.#chunks[this.#length >>> CHUNK_BITS]!;
		const at = row * this.#rowWords;
		for (let i = 0; i < this.#rowWords; i++) chunk[at + i] = words[i]!;
		this.#length++;
	}

	/** The chunk that holds a row; {@link offsetOf} says where in it. */
	chunkOf(row: number): Uint32Array {
		return this.#chunks[row >>> CHUNK_BITS]!;
	}

	offsetOf(row: number): number {
		return (row & ROW_MASK) * this.#rowWords;
	}

	/** Gives back the memory of the rows before this one; they are never asked for again. */
	freeBefore(row: number): void {
		for (; this.#freedChunks < row >>> CHUNK_BITS; this.#freedChunks++) this.#chunks[this.#freedChunks] = null;
	}
}

/** One word a row. */
export class Column {
	readonly #chunks: Uint32Array[] = [];
	#length = 0;

	get length(): number {
		return this.#length;
	}

	get memoryBytes(): number {
		return this.#chunks.length * CHUNK_ROWS * 4;
	}

	push(word: number): void {
		const row = this.#length & ROW_MASK;
		if (row === 0) this.#chunks.push(new Uint32Array(CHUNK_ROWS));
		this.#chunks[this.#length >>> CHUNK_BITS]![row] = word;
		this.#length++;
	}

	at(row: number): number {
		return this.#chunks[row >>> CHUNK_BITS]![row & ROW_MASK]!;
	}

	set(row: number, word: number): void {
		this.#chunks[row >>> CHUNK_BITS]![row & ROW_MASK] = word;
	}
}
