/**
 * Goal: an observer that throws is unsubscribed and reported at once, and harms neither the source nor its neighbours.
 * Method: RxJS chains on an isolated stream; RxJS's own way (rethrow from a timer) would end this process.
 */
import { filter, map, mergeMap, of } from "rxjs";
import { describe, expect, it } from "vitest";
import { EventStream } from "../../../runtime/actor/event-stream.ts";

function stream(): { source: EventStream<number>; thrown: string[] } {
	const thrown: string[] = [];
	return { source: new EventStream<number>((error) => thrown.push((error as Error).message)), thrown };
}

describe("an isolated stream", () => {
	it("unsubscribes and reports an observer that throws, synchronously", () => {
		const { source, thrown } = stream();
		const seen: number[] = [];
		source.stream$.subscribe((value) => {
			if (value === 2) throw new Error("two");
			seen.push(value);
		});
		const others: number[] = [];
		source.stream$.subscribe((value) => others.push(value));
		for (const value of [1, 2, 3]) source.next(value);
		expect(seen).toEqual([1]);
		expect(thrown).toEqual(["two"]);
		expect(others).toEqual([1, 2, 3]);
	});

	it("does so at the end of any chain of operators", () => {
		const { source, thrown } = stream();
		const chain$ = source.stream$.pipe(
			map((value) => value * 2),
			filter((value) => value > 2),
			mergeMap((value) => of(value, value + 1)),
		);
		const seen: number[] = [];
		const subscription = chain$.subscribe({
			next: (value) => {
				seen.push(value);
				if (value === 7) throw new Error("seven");
			},
		});
		for (const value of [1, 2, 3, 4]) source.next(value);
		expect(seen).toEqual([4, 5, 6, 7]);
		expect(thrown).toEqual(["seven"]);
		expect(subscription.closed).toBe(true);
		expect(source.observed).toBe(false);
	});

	it("reports an operator's error that no observer handles, and leaves one that is handled to its observer", () => {
		const { source, thrown } = stream();
		const failing$ = source.stream$.pipe(
			map((value) => {
				if (value === 1) throw new Error("operator");
				return value;
			}),
		);
		const handled: string[] = [];
		failing$.subscribe(() => {});
		failing$.subscribe({ error: (error: Error) => handled.push(error.message) });
		source.next(1);
		expect(thrown).toEqual(["operator"]);
		expect(handled).toEqual(["operator"]);
	});

	it("completes its observers", () => {
		const { source } = stream();
		let completed = 0;
		source.stream$.subscribe({ complete: () => (completed += 1) });
		source.complete();
		expect(completed).toBe(1);
	});
});
