/** What kernels send each other: signals, and the answers to asks. */
import { errorToObject } from "../../protocols/core/index.ts";
import type { ThreadSlot } from "./address.ts";
import type { EnvelopeKind, Transport } from "./ports.ts";
import type { TellVerdict } from "./ref.ts";
import type { SystemMessage } from "./system-message.ts";

export class KernelPost {
	readonly #transport: Transport;
	readonly #wake: () => void;

	/** @param wake asks for a turn, at whose end the lanes are flushed */
	constructor(transport: Transport, wake: () => void) {
		this.#transport = transport;
		this.#wake = wake;
	}

	signal(slot: ThreadSlot, message: SystemMessage): TellVerdict {
		return this.#send("signal", slot, 0, message, null);
	}

	answer(
		slot: ThreadSlot,
		correlation: number,
		kind: "reply" | "failure",
		value: unknown,
		protocol: string | null,
	): void {
		this.#send(kind, slot, correlation, value, protocol);
	}

	/** The ask could not even be tried. */
	refuse(slot: ThreadSlot, correlation: number, error: unknown): void {
		this.#send("failure", slot, correlation, errorToObject(error), null);
	}

	#send(
		kind: EnvelopeKind,
		slot: ThreadSlot,
		correlation: number,
		payload: unknown,
		protocol: string | null,
	): TellVerdict {
		const target = { slot, actor: 0, incarnation: 0 };
		const head = { kind, target, sender: null, correlation, deadlineMs: 0, priority: "normal" } as const;
		const verdict = this.#transport.send(head, payload, protocol);
		this.#wake();
		return verdict;
	}
}
