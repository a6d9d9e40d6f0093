// Goal: a thread that sleeps is woken by whatever arrives, in both ways of waiting.
// Method: many asks, few at a time, so that both threads fall asleep and wake all the time; each one must be answered.
import { afterEach, expect, test } from "vitest";
import { closeStages, Journal, Stage } from "./stage.ts";

afterEach(closeStages);

for (const waiting of ["async", "blocking"] as const) {
	test(`no wake-up is lost over 60,000 asks, 64 at a time (${waiting})`, async () => {
		const stage = await Stage.open();
		const ref = await stage.recorder(new Journal(1), "recorder", waiting);
		let next = 0;
		const asker = async (): Promise<void> => {
			while (next < 60_000) {
				const value = next++;
				expect(await ref.ask({ type: "echo", value }, { timeoutMs: 120_000 })).toBe(value);
			}
		};
		await Promise.all(Array.from({ length: 64 }, asker));
		expect(stage.backend.inspectThreads().repeatedWakeUps).toBe(0);
	});
}
