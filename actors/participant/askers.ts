/**
 * Who waits for the answer to a request: an ask, or an actor that has told several requests in one message. Answers to the latter are
 * gathered, and told together.
 */
import type { RequestId } from "../../protocols/core/index.ts";
import type { ActorRef, Replier } from "../../runtime/actor/index.ts";

/** An actor that tells requests. */
export interface Teller {
	readonly ref: ActorRef;
	answers: { readonly id: number; readonly answer: unknown }[];
}

type Asker = { readonly replier: Replier } | { readonly teller: Teller; readonly id: number };

/** The askers of one participant's life. */
export class Askers {
	readonly #waiting = new Map<RequestId, Asker>();
	/** By address; those that wait for an answer, or are owed one. */
	readonly #tellers = new Map<string, Teller>();
	readonly #owed = new Set<Teller>();
	#nextRequestId: RequestId = 1;

	/** Requests that wait for an answer. */
	get size(): number {
		return this.#waiting.size;
	}

	/** Takes note of an ask, and names its request. */
	asked(replier: Replier): RequestId {
		return this.#note({ replier });
	}

	/** The same for a request that was told under a number of the teller's. */
	told(teller: Teller, id: number): RequestId {
		return this.#note({ teller, id });
	}

	/** Good for the requests of one message. */
	tellerAt(ref: ActorRef): Teller {
		const { slot, actor, incarnation } = ref.address;
		const key = `${slot}/${actor}/${incarnation}`;
		let teller = this.#tellers.get(key);
		if (teller === undefined) {
			teller = { ref, answers: [] };
			this.#tellers.set(key, teller);
		}
		return teller;
	}

	/** Answers a request; without effect when nobody waits for it (any more). */
	answer(requestId: RequestId, answer: unknown): void {
		const asker = this.#waiting.get(requestId);
		if (asker === undefined) return;
		this.#waiting.delete(requestId);
		if ("replier" in asker) {
			asker.replier.reply(answer);
			return;
		}
		asker.teller.answers.push({ id: asker.id, answer });
		this.#owed.add(asker.teller);
	}

	/** Tells what was gathered. An answer that finds no room is lost, as on any network: its asker asks again. */
	flush(messagesOf: (answers: Teller["answers"]) => readonly unknown[]): void {
		if (this.#owed.size === 0) return;
		for (const teller of this.#owed) {
			for (const message of messagesOf(teller.answers)) teller.ref.tell(message);
			teller.answers = [];
		}
		this.#owed.clear();
		if (this.#waiting.size === 0) this.#tellers.clear();
	}

	#note(asker: Asker): RequestId {
		const requestId = this.#nextRequestId;
		this.#nextRequestId += 1;
		this.#waiting.set(requestId, asker);
		return requestId;
	}
}
