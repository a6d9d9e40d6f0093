/**
 * Goal: a history says what a client knew, when it knew it: nothing is `ok` before its answer, only what certainly had no
 * effect is a `fail`, and the number of a client whose operation is open for ever is never used again. Method: the real
 * load with one client of one operation at a time, a target in memory, a clock that the test moves; the written lines are
 * judged one by one.
 */
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { generateRecords } from "../../../actors/console/flight-records.ts";
import { HistoryWriter } from "../../../actors/console/history.ts";
import { Workload } from "../../../actors/console/workload.ts";
import { QuorateError } from "../../../protocols/core/index.ts";
import { LedgerTarget } from "./ledger-target.ts";
import { ManualClock } from "./manual-clock.ts";

const ANSWER_MS = 5;
const directory = mkdtempSync(join(tmpdir(), "quorate-history-"));
afterAll(() => rmSync(directory, { recursive: true }));

interface Line {
	readonly t: string;
	readonly id: number;
	readonly client?: number;
	readonly op?: string;
	readonly value?: unknown;
	readonly ns: number;
}

/** The lines of a load of so many records, in which the target answers some indices with an error. */
async function historyOf(name: string, count: number, failures: ReadonlyMap<number, Error>): Promise<Line[]> {
	const clock = new ManualClock();
	const refuse = ([type, , index]: readonly unknown[]): Error | null =>
		type === "append" ? (failures.get(index as number) ?? null) : null;
	const target = new LedgerTarget({ nodes: 1, clock, answerMs: ANSWER_MS, refuse });
	target.ledgers[0]!.apply(["begin", 1, count, ""]);
	const file = join(directory, name);
	const history = await HistoryWriter.open(file, () => clock.nowMs() * 1_000_000);
	const missing = Uint32Array.from({ length: count }, (_, i) => i);
	const plan = { records: generateRecords(count, 1), missing, run: 1, rate: "max", window: 1, forMs: null } as const;
	const workload = new Workload(plan, { clients: [await target.openClient()], clock, history });
	await clock.drive(workload.run());
	await history.close();
	const lines = readFileSync(file, "utf8").trimEnd().split("\n");
	return lines.map((line) => JSON.parse(line) as Line);
}

test("an operation is ok once it is answered, not before, and a read with what it was answered", async () => {
	const lines = await historyOf("answers.jsonl", 120, new Map());
	const invoked = lines.filter(({ t }) => t === "invoke");
	expect(invoked).toHaveLength(121);
	for (const { id, ns } of invoked) {
		const ends = lines.filter((line) => line.id === id && line.t !== "invoke");
		expect(ends).toMatchObject([{ t: "ok", ns: ns + ANSWER_MS * 1_000_000 }]);
	}
	const read = invoked.find(({ op }) => op === "get");
	const list = lines.find(({ t, id }) => t === "ok" && id === read?.id)?.value as readonly number[];
	expect(list).toContain(98);
	expect(list).not.toContain(99);
});

test("only an error that rules out an effect is a fail; after any other the client's number is not used again", async () => {
	const refused = new QuorateError("not-decided", "nobody led", {});
	const unknown = new QuorateError("outcome-unknown", "no answer", {});
	const lines = await historyOf(
		"outcomes.jsonl",
		6,
		new Map([
			[1, refused],
			[3, unknown],
			[4, new Error("lost")],
		]),
	);
	expect(lines.filter(({ t }) => t !== "invoke").map(({ t }) => t)).toEqual(["ok", "fail", "ok", "info", "info", "ok"]);
	expect(lines.filter(({ t }) => t === "invoke").map(({ client }) => client)).toEqual([0, 0, 0, 0, 1, 2]);
});
