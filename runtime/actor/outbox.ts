/** The messages that leave this thread's actors: tells, asks and their answers, and who waits for room. */
import { type ErrorObject, errorFromObject, invalidArgument } from "../../protocols/core/index.ts";
import type { Address, ThreadSlot } from "./address.ts";
import type { AskTable } from "./asks.ts";
import type { Cell } from "./cell.ts";
import type { Clock } from "./clock.ts";
import { messageType, Received } from "./entry.ts";
import { actorDead, mailboxFull, messageTooLarge, waitersExhausted } from "./errors.ts";
import type { KernelMeter } from "./kernel-meter.ts";
import type { KernelPost } from "./kernel-post.ts";
import type { KernelRef } from "./kernel-ref.ts";
import type { DeadLetterReason, EnvelopeHead, Transport } from "./ports.ts";
import type { TellVerdict } from "./ref.ts";
import type { StopReason } from "./signal.ts";
import { TIMER_MS_MAX } from "./timers.ts";

/** `tellWhenReady` calls that may wait for one slot. */
export const SLOT_WAITERS_MAX = 65_536;

/** What the outbox needs of its kernel. */
export interface OutboxHost {
	readonly clock: Clock;
	readonly transport: Transport;
	readonly post: KernelPost;
	readonly asks: AskTable;
	readonly meter: KernelMeter;
	/** Asks for a turn. */
	wake(): void;
	endOf(address: Address): StopReason | null;
	deadLetter(reason: DeadLetterReason, target: Address, sender: Address | null, type: string | null): void;
}

interface SlotWaiter {
	readonly head: EnvelopeHead;
	readonly payload: unknown;
	readonly protocol: string | null;
	readonly name: string;
	readonly resolve: () => void;
	readonly reject: (error: unknown) => void;
}

export class Outbox {
	readonly #host: OutboxHost;
	readonly #slot: ThreadSlot;
	readonly #waiters = new Map<ThreadSlot, SlotWaiter[]>();

	constructor(host: OutboxHost) {
		this.#host = host;
		this.#slot = host.transport.slot;
	}

	/** A tell whose target is not alive on this thread. */
	tell(ref: KernelRef, sender: Address | null, message: unknown, high: boolean): TellVerdict {
		if (ref.address.slot === this.#slot) return this.#tellDead(ref.address, sender, message);
		this.#host.meter.toldRemotely += 1;
		return this.#send(headOf("tell", ref.address, sender, 0, 0, high), message, ref.protocol);
	}

	async tellWhenReady(ref: KernelRef, sender: Cell | null, message: unknown): Promise<void> {
		const { cell } = ref;
		if (cell !== null) return cell.acceptWhenReady(message, sender === null ? null : sender.identity);
		const from = sender === null ? null : sender.address;
		if (ref.address.slot === this.#slot) {
			this.#tellDead(ref.address, from, message);
			throw actorDead({ actor: ref.name, why: "there is no such actor" });
		}
		const head = headOf("tell", ref.address, from, 0, 0, false);
		return new Promise((resolve, reject) => {
			this.#sendWhenReady({ head, payload: message, protocol: ref.protocol, name: ref.name, resolve, reject });
		});
	}

	ask(ref: KernelRef, sender: Address | null, message: unknown, timeoutMs: number): Promise<unknown> {
		const { asks, clock, meter } = this.#host;
		return new Promise((resolve, reject) => {
			if (!(timeoutMs >= 1 && timeoutMs <= TIMER_MS_MAX)) {
				throw invalidArgument({ argument: "timeoutMs", expected: `1 to ${TIMER_MS_MAX}`, actual: String(timeoutMs) });
			}
			meter.asked += 1;
			const deadlineMs = clock.nowMs() + timeoutMs;
			const correlation = asks.open(ref.name, ref.address.slot, timeoutMs, deadlineMs, resolve, reject);
			let verdict: TellVerdict;
			try {
				verdict = this.#sendAsk(ref, sender, message, correlation, deadlineMs);
			} catch (error) {
				asks.refuse(correlation, error);
				return;
			}
			if (verdict === "ok") return;
			if (verdict === "full") asks.refuse(correlation, mailboxFull({ actor: ref.name }));
			else if (verdict === "too-large") asks.refuse(correlation, messageTooLarge({ actor: ref.name }));
			else asks.refuse(correlation, actorDead({ actor: ref.name, why: "there is no such actor" }));
		});
	}

	answer(ask: Received, kind: "reply" | "failure", value: unknown): void {
		const { asks, post } = this.#host;
		if (ask.from !== this.#slot) post.answer(ask.from, ask.correlation, kind, value, ask.protocol);
		else if (kind === "reply") asks.resolve(ask.correlation, value);
		else asks.reject(ask.correlation, errorFromObject(value as ErrorObject));
	}

	/** Nothing can be sent to that slot any more. */
	slotGone(slot: ThreadSlot): void {
		for (const waiter of this.#waiters.get(slot) ?? []) {
			waiter.reject(actorDead({ actor: waiter.name, why: "its thread is gone" }));
		}
		this.#waiters.delete(slot);
	}

	#sendAsk(
		ref: KernelRef,
		sender: Address | null,
		message: unknown,
		correlation: number,
		deadlineMs: number,
	): TellVerdict {
		const { cell } = ref;
		if (cell !== null) {
			return cell.accept(message, new Received(sender, this.#slot, correlation, deadlineMs, null, 0), false);
		}
		if (ref.address.slot === this.#slot) return this.#tellDead(ref.address, sender, message);
		return this.#send(headOf("ask", ref.address, sender, correlation, deadlineMs, false), message, ref.protocol);
	}

	#send(head: EnvelopeHead, payload: unknown, protocol: string | null): TellVerdict {
		const verdict = this.#host.transport.send(head, payload, protocol);
		if (verdict === "ok") this.#host.wake();
		else this.#refused(verdict, head, payload);
		return verdict;
	}

	#refused(verdict: Exclude<TellVerdict, "ok">, { target, sender }: EnvelopeHead, payload: unknown): void {
		if (verdict === "full") this.#host.meter.full += 1;
		else this.#host.deadLetter(verdict === "dead" ? "thread-gone" : verdict, target, sender, messageType(payload));
	}

	#tellDead(target: Address, sender: Address | null, message: unknown): TellVerdict {
		const reason = this.#host.endOf(target) === null ? "no-such-actor" : "stopped";
		this.#host.deadLetter(reason, target, sender, messageType(message));
		return "dead";
	}

	#sendWhenReady(waiter: SlotWaiter): void {
		const { slot } = waiter.head.target;
		const queue = this.#waiters.get(slot);
		if (queue === undefined) {
			if (this.#sendNow(waiter)) return;
			this.#waiters.set(slot, [waiter]);
			this.#host.transport.whenReady(slot, () => this.#slotReady(slot));
			this.#host.wake();
		} else if (queue.length < SLOT_WAITERS_MAX) queue.push(waiter);
		else waiter.reject(waitersExhausted({ actor: waiter.name, waitersMax: SLOT_WAITERS_MAX }));
	}

	/** True when the waiter need not wait any longer, whatever became of its message. */
	#sendNow({ head, payload, protocol, name, resolve, reject }: SlotWaiter): boolean {
		let verdict: TellVerdict;
		try {
			verdict = this.#host.transport.send(head, payload, protocol);
		} catch (error) {
			reject(error);
			return true;
		}
		if (verdict === "full") return false;
		this.#host.meter.toldRemotely += 1;
		this.#host.wake();
		if (verdict === "ok") {
			resolve();
			return true;
		}
		this.#refused(verdict, head, payload);
		if (verdict === "dead") reject(actorDead({ actor: name, why: "its thread is gone" }));
		else reject(messageTooLarge({ actor: name }));
		return true;
	}

	#slotReady(slot: ThreadSlot): void {
		const queue = this.#waiters.get(slot) ?? [];
		let sent = 0;
		while (sent < queue.length && this.#sendNow(queue[sent] as SlotWaiter)) sent += 1;
		queue.splice(0, sent);
		if (queue.length > 0) this.#host.transport.whenReady(slot, () => this.#slotReady(slot));
		else this.#waiters.delete(slot);
		this.#host.wake();
	}
}

/**
 * A deadline travels in whole milliseconds: were it a fraction, the first ask would change the hidden class of all heads,
 * and each later tell would be migrated from the former one (1.5 µs, five times what a tell costs).
 */
function headOf(
	kind: "tell" | "ask",
	target: Address,
	sender: Address | null,
	correlation: number,
	deadlineMs: number,
	high: boolean,
): EnvelopeHead {
	return { kind, target, sender, correlation, deadlineMs: Math.ceil(deadlineMs), priority: high ? "high" : "normal" };
}
