/**
 * Anti-entropy as gossip (Demers et al., PODC 1987, §1.3, push-pull): from time to time two members compare digests of what they
 * hold and send each other what is missing, whatever the values are. A lost message costs a round, nothing else: the next
 * exchange starts from what is held then.
 */
import {
	assertNever,
	type ChoicePort,
	type Effect,
	type Input,
	isNodeId,
	type MonotonicMs,
	must,
	type NodeId,
	QuorateError,
	type StateMachine,
} from "../../core/index.ts";
import { type Bounds, requireIntegerField } from "../bounds.ts";
import { configInvalid } from "../errors.ts";
import type { ReconciledValue } from "./port.ts";
import type { AntiEntropyMessage, AntiEntropyTypes, NamedDifference, NamedDigest } from "./vocabulary.ts";

/** Values of one member. */
export const VALUES_MAX = 256;

export interface AntiEntropyConfig {
	readonly nodeId: NodeId;
	/** Between exchanges of this member, in ms. Default 1,000; bounds 1 to 600,000. */
	readonly intervalMs: number;
	/** A larger difference is not sent, but told as an event. Default 1 MiB; bounds 1 KiB to 4 MiB. */
	readonly differenceBytesMax: number;
}

export interface AntiEntropyPorts {
	/** Whom this member talks to next. */
	readonly choices: ChoicePort;
	/** Members that are believed to be there, this one excluded or not: of the failure detector beside it. */
	readonly peers: () => readonly NodeId[];
}

const bounds: Readonly<Record<"intervalMs" | "differenceBytesMax", Bounds>> = {
	intervalMs: [1, 600_000],
	differenceBytesMax: [1_024, 4 * 1_048_576],
};

/** @throws QuorateError `gossip-config-invalid` */
export function antiEntropyConfig(
	given: Pick<AntiEntropyConfig, "nodeId"> & Partial<AntiEntropyConfig>,
): AntiEntropyConfig {
	const config: AntiEntropyConfig = { intervalMs: 1_000, differenceBytesMax: 1_048_576, ...given };
	requireIntegerField("intervalMs", config.intervalMs, bounds.intervalMs);
	requireIntegerField("differenceBytesMax", config.differenceBytesMax, bounds.differenceBytesMax);
	return config;
}

/** One member's part. All members of a group hold values of the same names, and ignore others. */
export class AntiEntropyMachine implements StateMachine<AntiEntropyTypes> {
	readonly #config: AntiEntropyConfig;
	readonly #ports: AntiEntropyPorts;
	readonly #values: ReadonlyMap<string, ReconciledValue>;
	#out: Effect<AntiEntropyTypes>[] = [];

	/** @throws QuorateError `gossip-config-invalid` for more than {@link VALUES_MAX} values */
	constructor(config: AntiEntropyConfig, ports: AntiEntropyPorts, values: ReadonlyMap<string, ReconciledValue>) {
		if (values.size > VALUES_MAX) {
			throw configInvalid({ field: "values", expected: `at most ${VALUES_MAX}`, actual: String(values.size) });
		}
		this.#config = config;
		this.#ports = ports;
		this.#values = values;
	}

	step(input: Input<AntiEntropyTypes>, _now: MonotonicMs, effects: Effect<AntiEntropyTypes>[]): void {
		this.#out = effects;
		switch (input.type) {
			case "start":
				this.#schedule(1);
				return;
			case "timer":
				this.#schedule(this.#config.intervalMs);
				this.#exchange(this.#drawPeer());
				return;
			case "request": {
				const peer = input.request.with ?? this.#drawPeer();
				this.#exchange(peer);
				const reply =
					peer === null ? ({ type: "nobody-there" } as const) : ({ type: "exchanging", with: peer } as const);
				this.#out.push({ type: "reply", requestId: input.requestId, reply, release: "immediate" });
				return;
			}
			case "message":
				if (input.from !== this.#config.nodeId) this.#receive(input.from, input.message);
				return;
			default:
				return;
		}
	}

	/** Values are told apart by their digests. */
	get state(): unknown {
		return new Map([...this.#values].map(([name, value]) => [name, value.digest()]));
	}

	copy(): AntiEntropyMachine {
		const values = new Map([...this.#values].map(([name, value]) => [name, value.copy()]));
		return new AntiEntropyMachine(this.#config, this.#ports, values);
	}

	/** A value of this member, by its name. */
	value(name: string): ReconciledValue | undefined {
		return this.#values.get(name);
	}

	/** Members are out of step with each other, so a first exchange comes at any moment of an interval. */
	#schedule(min: number): void {
		this.#out.push({ type: "set-timer", timer: "exchange", afterMs: { min, max: this.#config.intervalMs } });
	}

	#drawPeer(): NodeId | null {
		const peers = this.#ports.peers().filter((peer) => peer !== this.#config.nodeId);
		return peers.length === 0 ? null : must(peers[this.#ports.choices.below(peers.length)], "in range");
	}

	#exchange(peer: NodeId | null): void {
		if (peer === null || !isNodeId(peer) || peer === this.#config.nodeId || this.#values.size === 0) return;
		this.#send(peer, { type: "offer", digests: [...this.#values].map(([name, value]) => named(name, value)) });
	}

	#receive(from: NodeId, message: AntiEntropyMessage): void {
		switch (message.type) {
			case "offer":
				this.#handleOffer(from, message.digests);
				return;
			case "answer": {
				this.#merge(from, message.differences);
				const differences = this.#differencesFor(from, message.digests);
				if (differences.length > 0) this.#send(from, { type: "supply", differences });
				return;
			}
			case "supply":
				this.#merge(from, message.differences);
				return;
			default:
				assertNever(message, "message");
		}
	}

	/** Only what differs is answered: two members that hold the same cost each other one message. */
	#handleOffer(from: NodeId, offered: readonly NamedDigest[]): void {
		const differing: NamedDigest[] = [];
		for (const { name, digest } of offered.slice(0, VALUES_MAX)) {
			const value = this.#values.get(name);
			if (value !== undefined && !isSame(value.digest(), digest)) differing.push(named(name, value));
		}
		const differences = this.#differencesFor(from, offered);
		if (differing.length > 0) this.#send(from, { type: "answer", differences, digests: differing });
	}

	#differencesFor(peer: NodeId, digests: readonly NamedDigest[]): NamedDifference[] {
		const differences: NamedDifference[] = [];
		for (const { name, digest } of digests.slice(0, VALUES_MAX)) {
			const value = this.#values.get(name);
			if (value === undefined) continue;
			this.#out.push({ type: "emit", event: { type: "digest-heard", from: peer, name, digest } });
			const difference = this.#guarded(peer, name, () => value.difference(digest));
			if (difference !== null && this.#fits(peer, name, difference)) differences.push({ name, difference });
		}
		return differences;
	}

	#fits(to: NodeId, name: string, { length }: Uint8Array): boolean {
		const limitBytes = this.#config.differenceBytesMax;
		if (length <= limitBytes) return true;
		const event = { type: "difference-too-large", to, name, sizeBytes: length, limitBytes } as const;
		this.#out.push({ type: "emit", event });
		return false;
	}

	#merge(from: NodeId, differences: readonly NamedDifference[]): void {
		for (const { name, difference } of differences.slice(0, VALUES_MAX)) {
			const value = this.#values.get(name);
			if (value === undefined || this.#guarded(from, name, () => value.merge(difference)) !== true) continue;
			const event = { type: "value-changed", from, name, bytes: difference.length } as const;
			this.#out.push({ type: "emit", event });
		}
	}

	/** What a value says to bytes from outside: its refusal is an event, its own mistake is not caught. */
	#guarded<T>(from: NodeId, name: string, call: () => T): T | null {
		try {
			return call();
		} catch (error) {
			if (!(error instanceof QuorateError)) throw error;
			this.#out.push({ type: "emit", event: { type: "payload-refused", from, name, code: error.code } });
			return null;
		}
	}

	#send(to: NodeId, message: AntiEntropyMessage): void {
		// Nothing here is promised, so nothing waits for a disk.
		this.#out.push({ type: "send", to, message, release: "immediate" });
	}
}

function named(name: string, value: ReconciledValue): NamedDigest {
	return { name, digest: value.digest() };
}

function isSame(a: Uint8Array, b: Uint8Array): boolean {
	return a.length === b.length && a.every((byte, i) => byte === b[i]);
}
