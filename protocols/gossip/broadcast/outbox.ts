/** Where tree and overlay put what they want done: one object for both, since a call in every step should cost no closure. */
import type { Effect, NodeId } from "../../core/index.ts";
import type { Broadcast, BroadcastMessage, BroadcastTypes } from "./vocabulary.ts";

export class BroadcastOutbox {
	/** The host's list; set by each step. */
	effects: Effect<BroadcastTypes>[] = [];

	/** Nothing is durable here, so nothing waits for a disk. */
	send(to: NodeId, message: BroadcastMessage): void {
		this.effects.push({ type: "send", to, message, release: "immediate" });
	}

	setTimer(timer: BroadcastTypes["timer"], min: number, max: number = min): void {
		this.effects.push({ type: "set-timer", timer, afterMs: { min, max } });
	}

	cancelTimer(timer: BroadcastTypes["timer"]): void {
		this.effects.push({ type: "cancel-timer", timer });
	}

	deliver(broadcast: Broadcast, hops: number): void {
		this.effects.push({ type: "apply", delivery: { type: "delivered", broadcast, hops }, release: "immediate" });
	}

	emit(event: BroadcastTypes["event"]): void {
		this.effects.push({ type: "emit", event });
	}
}
