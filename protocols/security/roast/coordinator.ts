/**
 * Robust signing: the coordinator of ROAST (Ruffing, Ronge, Jin, Schneider-Bensch and Schröder, CCS 2022, figure 4). FROST stops
 * when one of the chosen signers is silent or lies; ROAST goes on as soon as any `threshold` signers have answered all they were
 * asked, and ends with a signature if that many are honest, after at most n − t + 1 sessions, with no timer and no synchrony.
 *
 * It holds no secret and needs no trust for unforgeability: a bad coordinator can only fail to produce a signature.
 */
import { type Effect, type Input, type MonotonicMs, must, type StateMachine } from "../../core/index.ts";
import { requireBytes } from "../bytes.ts";
import { ELEMENT_BYTES } from "../ciphersuite.ts";
import type { GroupKey } from "../frost/key-share.ts";
import type { NonceCommitment } from "../frost/nonces.ts";
import { type SignatureShare, SigningSession } from "../frost/signing-session.ts";
import { MESSAGE_BYTES_MAX } from "../limits.ts";
import type { Identifier } from "../shamir.ts";
import type { RoastFault, RoastMessage, RoastTypes, SignResponse } from "./types.ts";

/** One session that was opened. */
interface OpenSession {
	readonly session: SigningSession;
	readonly shares: ReadonlyMap<Identifier, SignatureShare>;
}

type Effects = Effect<RoastTypes>[];

export class RoastCoordinator implements StateMachine<RoastTypes> {
	readonly #key: GroupKey;
	readonly #message: Uint8Array;
	/** Signers that owe nothing, with the nonces that they offer next. */
	#ready = new Map<Identifier, NonceCommitment>();
	/** In which session each signer owes its share. */
	#asked = new Map<Identifier, number>();
	#sessions = new Map<number, OpenSession>();
	#faults = new Map<Identifier, RoastFault>();
	#signature: Uint8Array | null = null;
	#hasFailed = false;

	/** @throws QuorateError `bytes-malformed` for a message over 64 KiB */
	constructor(key: GroupKey, message: Uint8Array) {
		this.#key = key;
		this.#message = requireBytes("message", message, 0, MESSAGE_BYTES_MAX);
	}

	/** Null until there is one. */
	get signature(): Uint8Array | null {
		return this.#signature;
	}

	/** What signers have offered and no session has used. */
	get unspent(): ReadonlyMap<Identifier, NonceCommitment> {
		return this.#ready;
	}

	get faults(): readonly RoastFault[] {
		return [...this.#faults.values()];
	}

	step(input: Input<RoastTypes>, _now: MonotonicMs, effects: Effects): void {
		if (input.type !== "message" || this.#signature !== null || this.#hasFailed) return;
		const identifier = this.#key.identifierOf(input.from);
		if (identifier === undefined || this.#faults.has(identifier)) return;
		this.#receive(identifier, input.message, effects);
	}

	#receive(identifier: Identifier, message: RoastMessage, effects: Effects): void {
		if (typeof message !== "object" || message === null) {
			this.#exclude(identifier, "unasked", effects);
			return;
		}
		if (message.type === "ready") {
			// Said again, or said late: what it has offered first, or owes, stands.
			if (this.#ready.has(identifier) || this.#asked.has(identifier)) return;
			this.#offer(identifier, message.commitment, effects);
		} else if (message.type === "sign-response") this.#answer(identifier, message, effects);
		else this.#exclude(identifier, "unasked", effects);
	}

	#answer(identifier: Identifier, { session: number, share, next }: SignResponse, effects: Effects): void {
		const open = this.#sessions.get(number);
		if (open === undefined || this.#asked.get(identifier) !== number) {
			// A network may deliver an answer twice; what was never asked for is another matter.
			if (open?.shares.has(identifier) !== true) this.#exclude(identifier, "unasked", effects);
			return;
		}
		const given = { identifier, share };
		if (!open.session.isShareValid(given)) {
			this.#exclude(identifier, "share-invalid", effects);
			return;
		}
		this.#asked.delete(identifier);
		const shares = new Map(open.shares).set(identifier, given);
		this.#sessions.set(number, { session: open.session, shares });
		if (shares.size === this.#key.threshold) this.#finish(number, open.session, [...shares.values()], effects);
		else this.#offer(identifier, next, effects);
	}

	#offer(identifier: Identifier, commitment: NonceCommitment, effects: Effects): void {
		if (!this.#isCommitment(identifier, commitment)) {
			this.#exclude(identifier, "commitment-invalid", effects);
			return;
		}
		this.#ready.set(identifier, commitment);
		if (this.#ready.size === this.#key.threshold) this.#open(effects);
	}

	/** Decoding is what shows that a commitment is one; a bad one must fall back on its sender, not on the session. */
	#isCommitment(identifier: Identifier, commitment: NonceCommitment): boolean {
		if (typeof commitment !== "object" || commitment === null || commitment.identifier !== identifier) return false;
		try {
			for (const element of [commitment.hiding, commitment.binding])
				this.#key.suite.decodeElement(requireBytes("a commitment", element, ELEMENT_BYTES), "a commitment");
			return true;
		} catch {
			// Whoever sent it is excluded by name; what exactly is wrong with it does not matter.
			return false;
		}
	}

	#open(effects: Effects): void {
		const commitments = [...this.#ready.values()];
		const number = this.#sessions.size + 1;
		const session = new SigningSession(this.#key, { message: this.#message, commitments });
		this.#sessions.set(number, { session, shares: new Map() });
		this.#ready.clear();
		const signers = session.identifiers.map((identifier) => must(this.#key.nodeOf(identifier), "a signer is a member"));
		effects.push({ type: "emit", event: { type: "roast-session", session: number, signers } });
		const message = { type: "sign-request", session: number, message: this.#message, commitments } as const;
		for (const [at, identifier] of session.identifiers.entries()) {
			this.#asked.set(identifier, number);
			effects.push({ type: "send", to: must(signers[at], "as many"), message, release: "immediate" });
		}
	}

	#finish(number: number, session: SigningSession, shares: readonly SignatureShare[], effects: Effects): void {
		const signature = session.aggregate(shares);
		this.#signature = signature;
		effects.push({
			type: "emit",
			event: { type: "roast-signed", session: number, signature, faults: this.faults },
		});
	}

	#exclude(identifier: Identifier, kind: RoastFault["kind"], effects: Effects): void {
		const fault = { node: must(this.#key.nodeOf(identifier), "a member has a node"), kind };
		this.#faults.set(identifier, fault);
		this.#ready.delete(identifier);
		this.#asked.delete(identifier);
		effects.push({ type: "emit", event: { type: "roast-fault", fault } });
		if (this.#key.members.length - this.#faults.size >= this.#key.threshold) return;
		this.#hasFailed = true;
		effects.push({ type: "emit", event: { type: "roast-failed", faults: this.faults } });
	}

	get state(): unknown {
		return {
			ready: this.#ready,
			asked: this.#asked,
			sessions: [...this.#sessions].map(([number, { session, shares }]) => [number, session.canonicalBytes, shares]),
			faults: this.#faults,
			signature: this.#signature,
			hasFailed: this.#hasFailed,
		};
	}

	copy(): RoastCoordinator {
		const copied = new RoastCoordinator(this.#key, this.#message);
		copied.#ready = new Map(this.#ready);
		copied.#asked = new Map(this.#asked);
		copied.#sessions = new Map(this.#sessions);
		copied.#faults = new Map(this.#faults);
		copied.#signature = this.#signature;
		copied.#hasFailed = this.#hasFailed;
		return copied;
	}
}
