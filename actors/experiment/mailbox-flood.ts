/** Messages that nobody wants, told to a member at a steady rate from the main thread. */
import type { ActorRef, Clock, TimerHandle } from "../../runtime/index.ts";
import { faultNotApplicable } from "../../supervisors/index.ts";

/** Whoever knows actors by their names. */
export interface ActorDirectory {
	/** Null while there is none of this name. */
	lookup(actor: string): Promise<ActorRef | null>;
}

/** Between two gusts. */
const GUST_EVERY_MS = 5;
/** A gust ends early when the lane takes no more. */
const junk = { type: "flood", filling: "x".repeat(64) };

/** Returns what ends it. @throws QuorateError `fault-not-applicable` */
export async function floodMailbox(
	swarm: ActorDirectory,
	clock: Clock,
	actor: string,
	messagesPerSecond: number,
): Promise<() => Promise<void>> {
	const ref = await swarm.lookup(actor);
	if (ref === null) throw faultNotApplicable({ fault: "mailbox-flood", reason: `${actor} is down` });
	let due = 0;
	let timer: TimerHandle | null = null;
	const gust = (): void => {
		due += (messagesPerSecond * GUST_EVERY_MS) / 1_000;
		while (due >= 1 && ref.tell(junk) === "ok") due -= 1;
		due %= 1;
		timer = clock.schedule(GUST_EVERY_MS, gust);
	};
	gust();
	return async () => {
		if (timer !== null) clock.cancel(timer);
	};
}
