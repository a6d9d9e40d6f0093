/**
 * Whole numbers by index, each in as few bytes as the largest of them needs: two, four, or eight. Ten thousand members that each
 * hold ten thousand others are a hundred million of them.
 */

type Cells = Uint16Array | Uint32Array | Float64Array;

const NARROW_MAX = 0xffff;
const MIDDLE_MAX = 0xffff_ffff;

export class PackedNumbers {
	#cells: Cells = new Uint16Array(0);

	/** How many there is room for. */
	get length(): number {
		return this.#cells.length;
	}

	/** Bytes that they take. */
	get bytes(): number {
		return this.#cells.byteLength;
	}

	/** The index must be in range. */
	at(index: number): number {
		return this.#cells[index] as number;
	}

	/** @param value a safe integer, not negative; where it does not fit, all become wider */
	set(index: number, value: number): void {
		if (value > NARROW_MAX) this.#widenFor(value);
		this.#cells[index] = value;
	}

	/** Makes room; new ones are 0. */
	grow(length: number): void {
		const cells = this.#cells;
		if (cells instanceof Uint16Array) this.#cells = new Uint16Array(length);
		else this.#cells = cells instanceof Uint32Array ? new Uint32Array(length) : new Float64Array(length);
		this.#cells.set(cells);
	}

	/** Takes one out: those behind it, up to `end`, move down by one. */
	close(index: number, end: number): void {
		this.#cells.copyWithin(index, index + 1, end);
	}

	copy(): PackedNumbers {
		const copy = new PackedNumbers();
		copy.#cells = this.#cells.slice();
		return copy;
	}

	#widenFor(value: number): void {
		const cells = this.#cells;
		if (value > MIDDLE_MAX) {
			if (!(cells instanceof Float64Array)) this.#cells = new Float64Array(cells);
		} else if (cells instanceof Uint16Array) {
			this.#cells = new Uint32Array(cells);
		}
	}
}
