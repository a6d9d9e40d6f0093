/**
 * Goal: the judge of histories finds what is wrong with them, and nothing where nothing is. Method: small histories with
 * known verdicts, good ones and one for each way to be bad.
 */
import { expect, test } from "vitest";
import { checkHistory } from "./history-check.ts";

/** `a1 0` begins an append of 1 by client 0, `g 0` a read; `ok 0` ends what client 0 began, `ok 0 1,2` with a list. */
function history(...steps: string[]): string {
	const current = new Map<string, number>();
	let id = 0;
	return steps
		.map((step, ns) => {
			const [what = "", client = "", list] = step.split(" ");
			if (what.startsWith("a") || what === "g") {
				current.set(client, id);
				const op = what === "g" ? "get" : "append";
				const value = what === "g" ? undefined : Number(what.slice(1));
				return JSON.stringify({ t: "invoke", id: id++, client: Number(client), op, key: "7", value, ns });
			}
			const value = list === undefined ? undefined : list.split(",").filter(Boolean).map(Number);
			return JSON.stringify({ t: what, id: current.get(client), value, ns });
		})
		.join("\n");
}

test("good histories", () => {
	const good = [
		["a1 0", "ok 0", "g 0", "ok 0 1"],
		// Two at the same time, in either order; a read beside them sees none, one or both.
		["a1 0", "a2 1", "ok 0", "ok 1", "g 0", "ok 0 2,1"],
		["a1 0", "g 1", "a2 2", "ok 1 2", "ok 0", "ok 2", "g 1", "ok 1 2,1"],
		["g 1", "a1 0", "ok 0", "ok 1 "],
		// An unknown outcome may take effect late, or never.
		["a1 0", "info 0", "g 1", "ok 1 ", "g 1", "ok 1 1"],
		["a1 0", "fail 0", "g 1", "ok 1 "],
	];
	for (const steps of good) expect(checkHistory(history(...steps)).faults, steps.join("; ")).toEqual([]);
});

test("bad histories", () => {
	const bad: [fault: string, ...steps: string[]][] = [
		["where 1 had been there", "a1 0", "ok 0", "g 1", "ok 1 "],
		["where 2 had been there", "a1 0", "ok 0", "a2 0", "ok 0", "g 1", "g 2", "ok 1 1,2", "g 1", "ok 1 1", "ok 2 1,2"],
		["where 1 had been there", "a1 0", "g 1", "ok 1 1", "g 1", "ok 1 ", "ok 0"],
		["no prefix", "a1 0", "a2 1", "ok 0", "ok 1", "g 0", "ok 0 1,2", "g 0", "ok 0 2,1"],
		["began after it had ended", "a1 0", "ok 0", "a2 0", "ok 0", "g 0", "ok 0 2,1"],
		["began after it had ended", "g 1", "ok 1 1", "a1 0", "ok 0"],
		["stands twice", "a1 0", "ok 0", "g 0", "ok 0 1,1"],
		["not appended", "a1 0", "fail 0", "g 1", "ok 1 1"],
		["has an operation already", "a1 0", "a2 0", "ok 0"],
		["has an operation already", "a1 0", "info 0", "a2 0", "ok 0"],
	];
	for (const [fault, ...steps] of bad) {
		expect(checkHistory(history(...steps)).faults.join("; "), steps.join("; ")).toContain(fault);
	}
});
