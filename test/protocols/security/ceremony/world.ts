/**
 * Participants of a key ceremony, wired together in virtual time: a keyed crypto port (a signature is an HMAC under a key that only its
 * node's port has), X25519 channels, a network that a test may bend, and timers.
 */
import { createHash, createHmac } from "node:crypto";
import { x25519 } from "@noble/curves/ed25519.js";
import { type CryptoPort, type Effect, type Input, type NodeId, nodeId } from "../../../../protocols/core/index.ts";
import {
	type CeremonyConfig,
	type CeremonyEvent,
	type CeremonyMachine,
	type CeremonyMessage,
	type CeremonyTypes,
	joinCeremony,
	type KeyShare,
	type PostBody,
	planCeremony,
	type ShareChannel,
	signedBytes,
} from "../../../../protocols/security/index.ts";

export const names = (count: number, from = 1): NodeId[] =>
	Array.from({ length: count }, (_, at) => nodeId(`node-${at + from}`));

const sha = (...parts: (string | Uint8Array)[]): Uint8Array => {
	const hash = createHash("sha256");
	for (const part of parts) hash.update(part);
	return new Uint8Array(hash.digest());
};

const macOf = (node: NodeId, bytes: Uint8Array): Uint8Array =>
	new Uint8Array(createHmac("sha256", `key of ${node}`).update(bytes).digest());

export function cryptoOf(self: NodeId): CryptoPort {
	const isEqual = (a: Uint8Array, b: Uint8Array): boolean => Buffer.compare(a, b) === 0;
	return {
		digest: (bytes) => sha(bytes),
		sign: (bytes) => macOf(self, bytes),
		verify: (signer, bytes, signature) => isEqual(macOf(signer, bytes), signature),
		authenticate: (to, bytes) => macOf(nodeId(`${self}.${to}`), bytes),
		isAuthentic: (from, bytes, mac) => isEqual(macOf(nodeId(`${from}.${self}`), bytes), mac),
	};
}

/** X25519 and a pad of one use, with a tag. */
export function channelOf(seed: string): ShareChannel {
	const secret = sha("channel", seed);
	const pad = (peer: Uint8Array, context: Uint8Array): Uint8Array => sha(x25519.getSharedSecret(secret, peer), context);
	const xor = (a: Uint8Array, b: Uint8Array): Uint8Array => a.map((byte, at) => byte ^ b[at]!);
	return {
		publicKey: x25519.getPublicKey(secret),
		seal: (peer, context, plaintext) => {
			try {
				const key = pad(peer, context);
				return new Uint8Array([...xor(plaintext, key), ...sha(key, plaintext)]);
			} catch {
				return null;
			}
		},
		open: (peer, context, sealed) => {
			const key = pad(peer, context);
			const plaintext = xor(sealed.slice(0, 32), key);
			return Buffer.compare(sha(key, plaintext), sealed.slice(32)) === 0 ? plaintext : null;
		},
	};
}

export interface Sent {
	readonly from: NodeId;
	readonly to: NodeId;
	readonly message: CeremonyMessage;
}

/** What a test does to a message: null loses it, several are all delivered. */
export type Bend = (sent: Sent) => Sent | null | readonly Sent[];

export interface WorldOptions {
	readonly config: Omit<CeremonyConfig, "ceremony"> & { readonly ceremony?: string };
	readonly bend?: Bend;
	/** Old shares, for a resharing. */
	readonly shares?: ReadonlyMap<NodeId, KeyShare>;
	/** Who never starts. */
	readonly absent?: readonly NodeId[];
	readonly seed?: string;
	/** Order of deliveries: draws one of the waiting messages. Default first come, first served. */
	readonly pick?: (waiting: number) => number;
}

export class CeremonyWorld {
	readonly config: CeremonyConfig;
	readonly machines: Map<NodeId, CeremonyMachine> = new Map();
	readonly events: Map<NodeId, CeremonyEvent[]> = new Map();
	readonly #options: WorldOptions;
	readonly #timers = new Map<string, { node: NodeId; timer: "phase" | "resend"; atMs: number }>();
	#waiting: Sent[] = [];
	#nowMs = 0;

	constructor(options: WorldOptions) {
		this.#options = options;
		this.config = { ceremony: "ceremony-1", ...options.config };
		const seed = options.seed ?? "seed";
		const plan = planCeremony(this.config);
		for (const node of plan.participants) {
			if (options.absent?.includes(node)) continue;
			const share = options.shares?.get(node);
			const secrets = { entropy: sha("entropy", seed, node), ...(share === undefined ? {} : { share }) };
			const machine = joinCeremony(node, plan, cryptoOf(node), channelOf(seed + node), secrets);
			this.machines.set(node, machine);
			this.events.set(node, []);
		}
	}

	/** The name of the ceremony as signatures hold it. */
	get ceremony(): Uint8Array {
		return sha(planCeremony(this.config).terms);
	}

	/** A post that `author` really signs, for adversaries that hold its key. */
	post(author: NodeId, body: PostBody): CeremonyMessage {
		return { type: "post", author, body, signature: cryptoOf(author).sign(signedBytes(this.ceremony, author, body)) };
	}

	/** Runs until nothing happens any more. */
	run(): this {
		for (const node of this.machines.keys()) this.#step(node, { type: "start", durable: null });
		for (let steps = 0; steps < 200_000; steps++) {
			if (this.#waiting.length > 0) {
				const at = this.#options.pick?.(this.#waiting.length) ?? 0;
				const [sent] = this.#waiting.splice(at, 1);
				if (this.machines.has(sent!.to))
					this.#step(sent!.to, { type: "message", from: sent!.from, message: sent!.message });
				continue;
			}
			const next = [...this.#timers].sort(([, a], [, b]) => a.atMs - b.atMs)[0];
			if (next === undefined) return this;
			const [key, { node, timer, atMs }] = next;
			this.#timers.delete(key);
			this.#nowMs = atMs;
			this.#step(node, { type: "timer", timer });
		}
		throw new Error("the ceremony does not come to an end");
	}

	get nowMs(): number {
		return this.#nowMs;
	}

	end(node: NodeId): Extract<CeremonyEvent, { type: "ceremony-completed" | "ceremony-failed" }> {
		const ends = (this.events.get(node) ?? []).filter(
			(event) => event.type === "ceremony-completed" || event.type === "ceremony-failed",
		);
		if (ends.length !== 1) throw new Error(`${node} has ended ${ends.length} times`);
		return ends[0] as never;
	}

	/** The faults that a node has found, as `node: kind`. */
	faults(node: NodeId): string[] {
		return this.end(node)
			.faults.map(({ node: at, kind }) => `${at}: ${kind}`)
			.sort();
	}

	#step(node: NodeId, input: Input<CeremonyTypes>): void {
		const effects: Effect<CeremonyTypes>[] = [];
		this.machines.get(node)!.step(input, this.#nowMs, effects);
		for (const effect of effects) this.#perform(node, effect);
	}

	#perform(node: NodeId, effect: Effect<CeremonyTypes>): void {
		if (effect.type === "emit") this.events.get(node)!.push(effect.event);
		else if (effect.type === "cancel-timer") this.#timers.delete(`${node}/${effect.timer}`);
		else if (effect.type === "set-timer")
			this.#timers.set(`${node}/${effect.timer}`, {
				node,
				timer: effect.timer,
				atMs: this.#nowMs + effect.afterMs.max,
			});
		else if (effect.type === "send") {
			const sent = { from: node, to: effect.to, message: effect.message };
			const bent = this.#options.bend?.(sent) ?? (this.#options.bend === undefined ? sent : null);
			if (bent !== null) this.#waiting.push(...(Array.isArray(bent) ? bent : [bent as Sent]));
		} else throw new Error(`a ceremony has no effect ${effect.type}`);
	}
}
