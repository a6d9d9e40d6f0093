/** The fingerprint of a run: equal runs have equal hashes, and the first difference changes all that follow. */
const WORDS = new Uint32Array(2);
const NUMBER = new Float64Array(WORDS.buffer);

/** A rolling 64-bit hash in two 32-bit lanes; for telling runs apart, not for cryptography. */
export class Trace {
	#a = 0x9e3779b9;
	#b = 0x85ebca6b;
	/** What has been added so far. */
	length = 0;

	get hash(): string {
		return hex(this.#a) + hex(this.#b);
	}

	number(value: number): void {
		NUMBER[0] = value;
		this.#word(WORDS[0] as number);
		this.#word(WORDS[1] as number);
		this.length += 1;
	}

	text(value: string): void {
		for (let i = 0; i < value.length; i++) this.#word(value.charCodeAt(i));
		this.#word(value.length);
		this.length += 1;
	}

	#word(word: number): void {
		let a = Math.imul(this.#a ^ word, 0xcc9e2d51);
		a = (a << 13) | (a >>> 19);
		let b = Math.imul(this.#b ^ word, 0x1b873593);
		b = (b << 15) | (b >>> 17);
		this.#a = a;
		this.#b = (b + a) | 0;
	}
}

function hex(word: number): string {
	return (word >>> 0).toString(16).padStart(8, "0");
}
