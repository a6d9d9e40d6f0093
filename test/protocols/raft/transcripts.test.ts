/**
 * Goal: a change of behaviour shows as a change of text that a person can review.
 * Method: each file of test/transcripts/raft is run and must come out as it is; `UPDATE_TRANSCRIPTS=1` writes what comes
 * out instead.
 */
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { runTranscript } from "./transcript-runner.ts";

const folder = new URL("../../transcripts/raft/", import.meta.url);
const files = readdirSync(folder).filter((name) => name.endsWith(".txt"));

describe("transcripts", () => {
	it("are there", () => {
		expect(files.length).toBeGreaterThanOrEqual(8);
	});

	it.each(files)("%s", (name) => {
		const file = new URL(name, folder);
		const text = readFileSync(file, "utf8");
		const now = runTranscript(text);
		if (process.env["UPDATE_TRANSCRIPTS"] === "1") writeFileSync(file, now);
		else expect(now).toBe(text);
	});
});
