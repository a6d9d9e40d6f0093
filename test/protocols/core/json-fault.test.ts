/**
 * Goal: a text is found faulty exactly when `JSON.parse` refuses it. Method: random texts over JSON's own characters.
 */
import { expect, test } from "vitest";
import { findJsonFault, Generator } from "../../../protocols/core/index.ts";

test("the fault finder agrees with JSON.parse on what is JSON", () => {
	const alphabet = ["{", "}", "[", "]", ",", ":", '"', "a", "\\", "n", "1", "0", "-", ".", "e", " ", "null", '"k"'];
	const generator = new Generator(11, "json");
	for (let i = 0; i < 4_000; i++) {
		const text = Array.from({ length: generator.below(9) }, () => generator.pick(alphabet)).join("");
		let parses = true;
		try {
			JSON.parse(text);
		} catch {
			parses = false;
		}
		expect(findJsonFault(text) === null, text).toBe(parses);
	}
});
