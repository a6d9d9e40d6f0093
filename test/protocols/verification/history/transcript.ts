/** Small histories as one can read them: each step is what one client does, in real-time order. */
import { type History, HistoryRecorder, type Json } from "../../../../protocols/verification/index.ts";

/**
 * `"0 put:a 1"` is client 0 invoking a put of 1 under `a`; `"0 cas:a 1 2"` from 1 to 2. `"0 ok"` ends what it began last,
 * `"0 ok 5"` with an answer, `"0 done"` and `"0 refused"` say that it was accepted or not (`"0 done 7"` with an answer
 * too); `"0 fail"` and `"0 info"`. Values are JSON without blanks.
 */
export function historyOf(...steps: readonly string[]): History {
	const recorder = new HistoryRecorder();
	const current = new Map<number, number>();
	let nextId = 0;
	for (const step of steps) {
		const [client = "", what = "", first, second] = step.split(" ");
		const number = Number(client);
		const id = current.get(number) ?? -1;
		const value = first === undefined ? {} : { value: JSON.parse(first) as Json };
		switch (what) {
			case "ok":
				recorder.ok(id, value);
				break;
			case "done":
			case "refused":
				recorder.ok(id, { ...value, ok: what === "done" });
				break;
			case "fail":
				recorder.fail(id);
				break;
			case "info":
				recorder.info(id);
				break;
			default: {
				const [op = "", key] = what.split(":");
				const name = key === undefined ? {} : { key };
				const isSwap = second !== undefined && first !== undefined;
				const asked = isSwap ? { from: JSON.parse(first) as Json, value: JSON.parse(second) as Json } : value;
				recorder.invoke({ id: nextId, client: number, op, ...name, ...asked });
				current.set(number, nextId++);
			}
		}
	}
	return recorder.history;
}
