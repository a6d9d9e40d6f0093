// Goal: whichever thread dies at whichever moment, no published record is lost, none is torn, and none comes twice but those that
// were processed and not yet freed when their consumer died.
// Method: a real producer and consumer on one small lane, terminated at seeded random moments; every record checks itself. It
// ends after so many deaths and records, however long they take.
import { expect, test } from "vitest";

const soak = (await import(
	new URL("../../../dist/test/fixtures/lane-soak.js", import.meta.url).href
)) as typeof import("../../fixtures/lane-soak.ts");

test("a lane outlives its threads", async () => {
	const seed = Number(process.env["QUORATE_SEED"] ?? 20_261_122);
	const result = await soak.runLaneSoak({ seed, rounds: 50, recordsMin: 1_001, recordsMax: 4_000_000 });
	const told = `seed ${seed}: ${JSON.stringify(result)}`;
	expect(result.problem, told).toBe("none");
	expect(result.missing, told).toBe(0);
	expect(result.processed, told).toBe(result.sent);
	expect(result.repeated, told).toBeLessThanOrEqual(result.repeatedMax);
	// A soak that moved nothing, or killed nobody, proves nothing.
	expect(result.sent, told).toBeGreaterThan(1_000);
	expect(Math.min(result.kills.producer, result.kills.consumer), told).toBeGreaterThan(3);
});
