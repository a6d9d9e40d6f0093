/** A ref as kernels hand it out. */
import { type Address, addressText } from "./address.ts";
import type { Cell } from "./cell.ts";
import type { ActorRef, AskOptions, TellOptions, TellVerdict } from "./ref.ts";

/** Milliseconds an ask waits where nobody said otherwise. */
export const ASK_TIMEOUT_MS_DEFAULT = 5_000;

/** What a ref needs of its kernel. */
export interface RefHost {
	/** Whose hook is running now. */
	readonly current: Cell | null;
	/** Plain tells on this thread since the last turn, for the metrics. */
	localTells: number;
	/** The living cell of an address on this thread. */
	cellAt(address: Address): Cell | null;
	/** The slow way: the target is on another thread, or gone. */
	tell(ref: KernelRef, sender: Cell | null, message: unknown, high: boolean): TellVerdict;
	handOver(ref: KernelRef, wake: "now" | "soon"): boolean;
	tellWhenReady(ref: KernelRef, sender: Cell | null, message: unknown): Promise<void>;
	ask(ref: KernelRef, sender: Cell | null, message: unknown, timeoutMs: number): Promise<unknown>;
}

/**
 * Messages are sent in the name of the actor whose hook is running; outside of any hook (after an `await`) in the name
 * of the actor whose context gave the ref. A tell on the same thread goes straight into the mailbox.
 */
export class KernelRef implements ActorRef {
	readonly address: Address;
	readonly protocol: string | null;
	/** Null: as the target itself says. */
	readonly #name: string | null;
	readonly #host: RefHost;
	readonly #owner: Cell | null;
	/** The target, when it lives on this thread. */
	#cell: Cell | null;

	constructor(host: RefHost, address: Address, name: string | null, owner: Cell | null, protocol: string | null) {
		this.#host = host;
		this.address = address;
		this.#name = name;
		this.protocol = protocol;
		this.#owner = owner;
		this.#cell = host.cellAt(address);
	}

	/** Found when it is asked for: of the sender of each message a ref is made, whose name hardly anybody wants to know. */
	get name(): string {
		return this.#name ?? this.#cell?.name ?? addressText(this.address);
	}

	/** The target's cell on this thread, if it is alive. */
	get cell(): Cell | null {
		if (this.#cell === null) this.#cell = this.#host.cellAt(this.address);
		else if (this.#cell.state === "ended") return null;
		return this.#cell;
	}

	tell(message: unknown, options?: TellOptions): TellVerdict {
		const host = this.#host;
		const cell = this.#cell;
		const sender = host.current ?? this.#owner;
		if (cell === null || cell.state === "ended") {
			return host.tell(this, sender, message, options?.priority === "high");
		}
		host.localTells += 1;
		return cell.accept(message, sender === null ? null : sender.identity, options?.priority === "high");
	}

	handOver(wake: "now" | "soon" = "now"): boolean {
		return this.#host.handOver(this, wake);
	}

	tellWhenReady(message: unknown): Promise<void> {
		return this.#host.tellWhenReady(this, this.#host.current ?? this.#owner, message);
	}

	ask<Reply = unknown>(message: unknown, options?: AskOptions): Promise<Reply> {
		const timeoutMs = options?.timeoutMs ?? ASK_TIMEOUT_MS_DEFAULT;
		return this.#host.ask(this, this.#host.current ?? this.#owner, message, timeoutMs) as Promise<Reply>;
	}

	speaking<Spoken = unknown>(protocol: string): ActorRef<Spoken> {
		return new KernelRef(this.#host, this.address, this.#name, this.#owner, protocol) as ActorRef<Spoken>;
	}
}
