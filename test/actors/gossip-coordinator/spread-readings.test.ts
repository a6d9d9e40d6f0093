/**
 * Goal: a reading says when 50, 99 and 100 % of those that ran had heard a message, and of one that never reaches all that it did
 * not (GOS-20). Method: arrivals by hand, on virtual time.
 */
import { Subject, VirtualTimeScheduler } from "rxjs";
import { expect, test } from "vitest";
import {
	type GossipGroupEvent,
	readSpreads,
	SPREADS_FOLLOWED_MAX,
	type SpreadReading,
} from "../../../actors/gossip-coordinator/index.ts";
import { nodeId } from "../../../protocols/core/index.ts";

const nodes = Array.from({ length: 10 }, (_, i) => nodeId(`n${i}`));

class Stage {
	readonly scheduler: VirtualTimeScheduler = new VirtualTimeScheduler();
	readonly events$: Subject<GossipGroupEvent> = new Subject();
	readonly readings: SpreadReading[] = [];
	isOver = false;
	readonly group = { events$: this.events$, nodes };

	constructor() {
		readSpreads(this.group, { waitMs: 500, scheduler: this.scheduler }).subscribe({
			next: (reading) => this.readings.push(reading),
			complete: () => {
				this.isOver = true;
			},
		});
	}

	arrives(at: number, atMs: number, lamport = 1): void {
		const event = { type: "user-event", name: "news", lamport, origin: nodes[0], payload: new Uint8Array() } as const;
		this.events$.next({ node: nodes[at], event, atMs } as GossipGroupEvent);
	}
}

test("GOS-20: the times until half, 99 % and all have heard, from the arrival at the origin", () => {
	const stage = new Stage();
	for (let at = 0; at < 10; at++) stage.arrives(at, 1_000 + at * 10);
	expect(stage.readings).toEqual([
		{ name: "news", origin: "n0", lamport: 1, members: 10, heard: 10, to50Ms: 40, to99Ms: 90, to100Ms: 90 },
	]);
});

test("what does not reach all in its time is told as it stands, and what arrives later is nothing", () => {
	const stage = new Stage();
	for (let at = 0; at < 5; at++) stage.arrives(at, at);
	// Told once more, and by somebody who did not run: neither counts.
	stage.arrives(4, 5);
	stage.events$.next({ node: nodeId("new"), event: { type: "health-changed", score: 1 }, atMs: 5 });
	expect(stage.readings).toEqual([]);
	stage.scheduler.flush();
	stage.arrives(5, 900);
	stage.scheduler.flush();
	expect(stage.readings).toMatchObject([{ heard: 5, members: 10, to50Ms: 4, to99Ms: null, to100Ms: null }]);
});

test("the end of the group ends the readings, with those under way as they stand", () => {
	const stage = new Stage();
	stage.arrives(0, 0);
	stage.events$.complete();
	expect(stage.readings).toMatchObject([{ heard: 1, members: 10 }]);
	expect(stage.isOver).toBe(true);
});

test("a message that set out before is not measured", () => {
	const stage = new Stage();
	for (let at = 1; at < 10; at++) stage.arrives(at, at);
	stage.scheduler.flush();
	expect(stage.readings).toEqual([]);
});

test("messages are followed up to a number; one more ends the oldest", () => {
	const stage = new Stage();
	for (let lamport = 1; lamport <= SPREADS_FOLLOWED_MAX; lamport++) stage.arrives(0, 0, lamport);
	expect(stage.readings).toEqual([]);
	stage.arrives(0, 0, SPREADS_FOLLOWED_MAX + 1);
	expect(stage.readings).toMatchObject([{ lamport: 1, heard: 1 }]);
});

test("a time that is none is refused", () => {
	expect(() => readSpreads(new Stage().group, { waitMs: 0 })).toThrow("waitMs");
});
