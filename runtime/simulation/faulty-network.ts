/** A network between nodes that has faults while it runs. */
import type { Generator } from "../../protocols/core/index.ts";
import { type Address, type EnvelopeHead, messageType } from "../actor/index.ts";
import { type DelayDistribution, drawDelayMs } from "./delay-distribution.ts";
import { type LinkEffect, linkEffect, type MessageCopy, type Passage } from "./link-effect.ts";
import type { NetworkDelivery, NetworkPolicy } from "./network.ts";
import { checkNetworkFault, type NetworkFault, type NetworkFaultKind, networkFaultKinds } from "./network-fault.ts";

export interface FaultyNetworkOptions {
	/** Decides what each message meets; see `Simulation.generator`. */
	readonly generator: Generator;
	/** The node at an address; null: what it sends and receives is not subject to faults. */
	readonly nodeOf: (address: Address) => string | null;
	/** What every message between nodes takes; default: uniform from 0.05 to 0.5 ms. */
	readonly delay?: DelayDistribution;
}

/** A fault in force. */
export interface AddedFault {
	/** Ends it; what it held back goes on. Does nothing the second time. */
	remove(): void;
}

/** In which order faults of different kinds meet a message: what is cut is not delayed, what is copied is delayed twice. */
const rankOf: ReadonlyMap<NetworkFaultKind, number> = new Map(networkFaultKinds.map((kind, rank) => [kind, rank]));

const DELAY_DEFAULT: DelayDistribution = { type: "uniform", min: 0.05, max: 0.5 };

interface Entry {
	readonly fault: NetworkFault;
	readonly effect: LinkEffect;
}

/** Give it to a `Simulation` as its `network`. */
export class FaultyNetwork implements NetworkPolicy {
	readonly #generator: Generator;
	readonly #nodeOf: (address: Address) => string | null;
	readonly #delay: DelayDistribution;
	readonly #counts = new Map<NetworkFaultKind, number>();
	/** By rank, then in the order of adding. */
	#entries: readonly Entry[] = [];
	#added = 0;
	/** Messages between nodes so far. */
	messages = 0;

	constructor({ generator, nodeOf, delay = DELAY_DEFAULT }: FaultyNetworkOptions) {
		this.#generator = generator;
		this.#nodeOf = nodeOf;
		this.#delay = delay;
	}

	/** Begins a fault; several of one kind may be in force. @throws QuorateError `fault-invalid` */
	add(fault: NetworkFault): AddedFault {
		checkNetworkFault(fault);
		// A sub-stream for each fault: taking one away does not change what the others do.
		const generator = this.#generator.fork(`fault:${this.#added++}:${fault.kind}`);
		const effect = linkEffect(fault, generator, () => this.#newCopy());
		const entry: Entry = { fault, effect };
		this.#entries = [...this.#entries, entry].sort((a, b) => rank(a) - rank(b));
		return {
			remove: () => {
				if (!this.#entries.includes(entry)) return;
				this.#entries = this.#entries.filter((one) => one !== entry);
				effect.end?.();
			},
		};
	}

	/** Ends all faults. */
	clear(): void {
		const entries = this.#entries;
		this.#entries = [];
		for (const { effect } of entries) effect.end?.();
	}

	/** What is in force. */
	get active(): readonly NetworkFault[] {
		return this.#entries.map(({ fault }) => fault);
	}

	/** Messages that each kind of fault has changed, lost or held so far; a kind that met none is not there. */
	get counts(): ReadonlyMap<NetworkFaultKind, number> {
		return this.#counts;
	}

	deliveries(
		head: EnvelopeHead,
		payload: unknown,
		nowMs: number,
		sizeBytes: number,
	): readonly NetworkDelivery[] | null {
		const from = head.sender === null ? null : this.#nodeOf(head.sender);
		const to = from === null ? null : this.#nodeOf(head.target);
		if (from === null || to === null || from === to) return null;
		this.messages += 1;
		const copies = [this.#newCopy()];
		if (this.#entries.length === 0) return copies;
		const passage: Passage = { from, to, messageType: messageType(payload), sizeBytes, nowMs, copies };
		for (const { fault, effect } of this.#entries) {
			if (!effect.alter(passage)) continue;
			this.#counts.set(fault.kind, (this.#counts.get(fault.kind) ?? 0) + 1);
			if (copies.length === 0) break;
		}
		return copies;
	}

	#newCopy(): MessageCopy {
		return { afterMs: drawDelayMs(this.#generator, this.#delay) };
	}
}

function rank({ fault }: Entry): number {
	return rankOf.get(fault.kind) ?? 0;
}
