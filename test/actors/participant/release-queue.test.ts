/**
 * Goal: nothing that rests on a persist leaves before that persist is durable, and nothing else waits.
 * Method: the rule's sentences one by one on hand-made effects, then random streams of effects and completions judged
 * by the rule itself, stated a second way: for each effect, which persists stood before it.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { HELD_EFFECTS_MAX, ReleaseQueue } from "../../../actors/participant/release-queue.ts";
import type { Effect, NodeId, ProtocolTypes, Release } from "../../../protocols/core/index.ts";

interface Toy extends ProtocolTypes {
	readonly message: { readonly type: "m"; readonly n: number };
	readonly timer: "t";
	readonly event: { readonly type: "e" };
}

const to = "b" as NodeId;
const send = (n: number, release: Release): Effect<Toy> => ({ type: "send", to, message: { type: "m", n }, release });
const persist = (writeId: number): Effect<Toy> => ({ type: "persist", writeId, write: null });
const timer: Effect<Toy> = { type: "set-timer", timer: "t", afterMs: { min: 1, max: 2 } };

/** What leaves when these effects are emitted. */
function emit(queue: ReleaseQueue<Toy>, ...effects: Effect<Toy>[]): Effect<Toy>[] {
	const released: Effect<Toy>[] = [];
	queue.emit(effects, released);
	return released;
}
function complete(queue: ReleaseQueue<Toy>, writeId: number): Effect<Toy>[] {
	const released: Effect<Toy>[] = [];
	queue.durable(writeId, released);
	return released;
}

describe("the release queue", () => {
	it("lets everything pass while no persist is under way", () => {
		const queue = new ReleaseQueue<Toy>();
		const effects = [send(1, "after-durable"), timer, send(2, "immediate")];
		expect(emit(queue, ...effects)).toEqual(effects);
		expect(queue.waiting).toBe(0);
	});

	it("holds an after-durable effect until the persist before it is durable", () => {
		const queue = new ReleaseQueue<Toy>();
		const vote = send(1, "after-durable");
		expect(emit(queue, persist(1), vote)).toEqual([persist(1)]);
		expect(queue.waiting).toBe(1);
		expect(complete(queue, 1)).toEqual([vote]);
		expect(queue.waiting).toBe(0);
	});

	it("holds deliveries and replies like messages", () => {
		const queue = new ReleaseQueue<Toy>();
		const delivery: Effect<Toy> = { type: "apply", delivery: null, release: "after-durable" };
		const reply: Effect<Toy> = { type: "reply", requestId: 1, reply: null, release: "after-durable" };
		expect(emit(queue, persist(1), delivery, reply)).toEqual([persist(1)]);
		expect(complete(queue, 1)).toEqual([delivery, reply]);
	});

	it("does not hold what was emitted before the persist", () => {
		const queue = new ReleaseQueue<Toy>();
		const before = send(1, "after-durable");
		expect(emit(queue, before, persist(1))).toEqual([before, persist(1)]);
	});

	it("lets immediate effects and timers pass held ones", () => {
		const queue = new ReleaseQueue<Toy>();
		const released = emit(queue, persist(1), send(1, "after-durable"), send(2, "immediate"), timer);
		expect(released).toEqual([persist(1), send(2, "immediate"), timer]);
	});

	it("holds an effect of a later step for a persist of an earlier one", () => {
		const queue = new ReleaseQueue<Toy>();
		emit(queue, persist(1));
		expect(emit(queue, send(1, "after-durable"))).toEqual([]);
		expect(complete(queue, 1)).toEqual([send(1, "after-durable")]);
	});

	it("releases in order, each effect with its own persist", () => {
		const queue = new ReleaseQueue<Toy>();
		emit(queue, persist(1), send(1, "after-durable"), persist(2), send(2, "after-durable"), send(3, "after-durable"));
		expect(complete(queue, 1)).toEqual([send(1, "after-durable")]);
		expect(complete(queue, 2)).toEqual([send(2, "after-durable"), send(3, "after-durable")]);
	});

	it("takes the completion of a later persist for all earlier ones", () => {
		const queue = new ReleaseQueue<Toy>();
		emit(queue, persist(1), send(1, "after-durable"), persist(2), send(2, "after-durable"));
		expect(complete(queue, 2)).toEqual([send(1, "after-durable"), send(2, "after-durable")]);
	});

	it("keeps the order over thousands, of which some have left", () => {
		const queue = new ReleaseQueue<Toy>();
		const sends = Array.from({ length: 3_000 }, (_, n) => send(n, "after-durable"));
		for (const [n, effect] of sends.entries()) emit(queue, persist(n + 1), effect);
		expect(complete(queue, 1_500)).toEqual(sends.slice(0, 1_500));
		expect(queue.waiting).toBe(1_500);
		expect(complete(queue, 3_000)).toEqual(sends.slice(1_500));
	});

	it("holds up to its bound and refuses more", () => {
		const queue = new ReleaseQueue<Toy>();
		const full = new Array<Effect<Toy>>(HELD_EFFECTS_MAX).fill(send(1, "after-durable"));
		emit(queue, persist(1));
		queue.emit(full, []);
		expect(queue.waiting).toBe(HELD_EFFECTS_MAX);
		expect(() => emit(queue, send(2, "after-durable"))).toThrowError(
			expect.objectContaining({ code: "held-effects-overflow" }),
		);
	});

	it("refuses a completion that nobody waits for", () => {
		const queue = new ReleaseQueue<Toy>();
		emit(queue, persist(1));
		expect(() => complete(queue, 2)).toThrow("only an emitted persist becomes durable");
		complete(queue, 1);
		expect(() => complete(queue, 1)).toThrow("each once");
	});

	it("keeps the rule on random streams", () => {
		const step = fc.oneof(
			fc.constant("persist" as const),
			fc.constant("after-durable" as const),
			fc.constant("immediate" as const),
			fc.constant("complete" as const),
		);
		fc.assert(
			fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
				const queue = new ReleaseQueue<Toy>();
				const persistsBefore = new Map<number, number>();
				const left: number[] = [];
				let persisted = 0;
				let durable = 0;
				const note = (effects: readonly Effect<Toy>[]): void => {
					for (const effect of effects) {
						if (effect.type !== "send") continue;
						const { n } = effect.message;
						if (effect.release === "after-durable") {
							expect(persistsBefore.get(n)).toBeLessThanOrEqual(durable);
							left.push(n);
						}
					}
				};
				steps.forEach((kind, n) => {
					if (kind === "persist") {
						persisted += 1;
						note(emit(queue, persist(persisted)));
					} else if (kind === "complete") {
						if (durable === persisted) return;
						durable += 1;
						note(complete(queue, durable));
					} else {
						persistsBefore.set(n, persisted);
						const released = emit(queue, send(n, kind));
						if (kind === "immediate") expect(released).toHaveLength(1);
						note(released);
					}
				});
				if (durable < persisted) {
					durable = persisted;
					note(complete(queue, persisted));
				}
				const expected = [...persistsBefore.keys()].filter((n) => steps[n] === "after-durable");
				expect(left).toEqual(expected);
				expect(queue.waiting).toBe(0);
			}),
		);
	});
});
