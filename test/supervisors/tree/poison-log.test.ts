/**
 * Goal: the same message type from the same sender is found out after so many deaths, others are not.
 * Method: deaths told one by one.
 */
import { describe, expect, it } from "vitest";
import type { Address, ThreadSlot } from "../../../runtime/actor/address.ts";
import type { InterruptedMessage } from "../../../runtime/actor/signal.ts";
import { PoisonLog, SUSPECTS_MAX } from "../../../supervisors/tree/poison-log.ts";

const sender = (actor: number): Address => ({ slot: 1 as ThreadSlot, actor, incarnation: 1 });
const death = (messageType: string | null, from: Address | null): InterruptedMessage => ({
	messageType,
	sender: from,
	deliveries: 1,
});

describe("PoisonLog", () => {
	it("reports at the limit, then counts anew", () => {
		const log = new PoisonLog(3);
		const deaths = Array.from({ length: 6 }, () => log.record(death("bad", sender(1))));
		const report = { messageType: "bad", sender: "1/1#1", deaths: 3 };
		expect(deaths).toEqual([null, null, report, null, null, report]);
	});

	it("counts deaths that it was not told of", () => {
		const log = new PoisonLog(3);
		log.record(death("bad", null));
		expect(log.record({ ...death("bad", null), deliveries: 3 })).toEqual({
			messageType: "bad",
			sender: null,
			deaths: 3,
		});
	});

	it("tells types and senders apart", () => {
		const log = new PoisonLog(2);
		expect(log.record(death("bad", sender(1)))).toBeNull();
		expect(log.record(death("bad", sender(2)))).toBeNull();
		expect(log.record(death("worse", sender(1)))).toBeNull();
		expect(log.record(death("bad", null))).toBeNull();
		expect(log.record(death("bad", null))).toEqual({ messageType: "bad", sender: null, deaths: 2 });
	});

	it("does not suspect what has no name", () => {
		const log = new PoisonLog(1);
		expect(log.record(null)).toBeNull();
		expect(log.record(death(null, sender(1)))).toBeNull();
	});

	it("forgets the oldest suspect, not the one that just struck again", () => {
		const log = new PoisonLog(3);
		for (let i = 0; i < SUSPECTS_MAX; i++) log.record(death(`type-${i}`, null));
		log.record(death("type-0", null));
		log.record(death("one more", null));
		expect(log.record(death("type-0", null))).toMatchObject({ deaths: 3 });
		log.record(death("type-1", null));
		expect(log.record(death("type-1", null))).toBeNull();
	});
});
