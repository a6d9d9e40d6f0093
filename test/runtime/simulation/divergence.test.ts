/**
 * Goal: a run that does not repeat itself is found, and the first event that differs is named; one that does is not.
 * Method: two actors whose behaviour is repeatable, or depends on something outside of the simulation.
 */
import { describe, expect, it } from "vitest";
import { findDivergence, type TraceEvent, type TraceObserver } from "../../../runtime/simulation/index.ts";
import { Pair } from "./pair.ts";

/** Sends the same messages; what no seed decides comes from outside. */
const run =
	(text: () => string, isLonger: () => boolean = () => false) =>
	async (observe: TraceObserver): Promise<void> => {
		const two = await new Pair({ seed: 3, observe }).start();
		two.sendMany(3);
		await two.pass(5);
		two.send({ type: "late", number: 1, text: text() });
		await two.pass(5);
		if (isLonger()) two.sendMany(1, "more");
		await two.pass(5);
	};

describe("two runs of one seed", () => {
	it("are the same when nothing else decides", async () => {
		expect(await findDivergence(run(() => "same"))).toBeNull();
	});

	it("differ by the bytes of a message, even if its length and type are the same", async () => {
		let runs = 0;
		const found = await findDivergence(run(() => String(runs++)));
		expect(found?.first).toMatchObject({ step: "sent", kind: "tell", messageType: "send" });
		expect(found?.second).toMatchObject({ index: found?.index, messageType: "send", atMs: found?.first?.atMs });
		expect(found?.first?.payloadHash).not.toBe(found?.second?.payloadHash);
		expect(found?.text).toContain(`part at event ${found?.index}`);
		expect(found?.text.split("\n").filter((line) => line.startsWith("    both"))).toHaveLength(8);
		expect(found?.text).toMatch(
			/ {2}first {3}[\d.]+ ms {2}slot 0 sends tell send to 1\/1 {2}#[0-9a-f]{8}\n {2}second /,
		);
	});

	it("differ by the order of a map that was filled otherwise", async () => {
		let runs = 0;
		const found = await findDivergence(
			run(() => {
				const keys = runs++ === 0 ? ["x", "y"] : ["y", "x"];
				return [...new Map(keys.map((key) => [key, 1])).keys()].join();
			}),
		);
		expect(found?.first?.messageType).toBe("send");
	});

	it.each([
		["first", 0],
		["second", 1],
	] as const)("differ when the %s goes on longer", async (which, longer) => {
		let runs = 0;
		const found = await findDivergence(
			run(
				() => "same",
				() => runs++ === longer,
			),
		);
		expect(found?.[which]).toMatchObject({ step: "sent", messageType: "send" });
		expect(found?.[which === "first" ? "second" : "first"]).toBeNull();
		expect(found?.text).toContain("the run has ended");
	});
});

describe("a trace", () => {
	it("has another hash for other bytes of the same length at the same time", async () => {
		const hash = async (text: string): Promise<string> => {
			const two = await new Pair({ seed: 3 }).start();
			two.send({ type: "late", number: 1, text });
			await two.pass(5);
			return two.simulation.traceHash;
		};
		expect(await hash("x")).toBe(await hash("x"));
		expect(await hash("x")).not.toBe(await hash("y"));
	});

	it("tells each event to its observer, in order, and the observer changes nothing", async () => {
		const events: TraceEvent[] = [];
		const two = await new Pair({ seed: 3, observe: (event) => events.push(event) }).start();
		two.sendMany(2);
		await two.pass(5);
		await two.stop();
		const silent = await new Pair({ seed: 3 }).start();
		silent.sendMany(2);
		await silent.pass(5);
		await silent.stop();
		expect(two.simulation.traceHash).toBe(silent.simulation.traceHash);
		expect(events.map(({ index }) => index)).toEqual(events.map((_, i) => i));
		expect(events.filter(({ step, messageType }) => step === "sent" && messageType === "number")).toHaveLength(2);
		expect(events.filter(({ step, messageType }) => step === "handled" && messageType === "number")).toHaveLength(2);
		for (const [i, event] of events.entries()) expect(event.atMs).toBeGreaterThanOrEqual(events[i - 1]?.atMs ?? 0);
	});
});
