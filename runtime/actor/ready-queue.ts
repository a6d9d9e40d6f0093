/** The cells of one kernel that have something to do, first come first served. */
import type { Cell } from "./cell.ts";

/** Taken places at the front that are kept before the array is cut. */
const COMPACT_AT = 1024;

/** Each cell is in it at most once, so it is bounded by the actors of the thread. */
export class ReadyQueue {
	#cells: Cell[] = [];
	#head = 0;

	get length(): number {
		return this.#cells.length - this.#head;
	}

	add(cell: Cell): void {
		cell.isScheduled = true;
		this.#cells.push(cell);
	}

	take(): Cell | null {
		if (this.#head === this.#cells.length) return null;
		const cell = this.#cells[this.#head] as Cell;
		this.#head += 1;
		if (this.#head === this.#cells.length) {
			this.#cells.length = 0;
			this.#head = 0;
		} else if (this.#head === COMPACT_AT) {
			this.#cells.splice(0, COMPACT_AT);
			this.#head = 0;
		}
		cell.isScheduled = false;
		return cell;
	}
}
