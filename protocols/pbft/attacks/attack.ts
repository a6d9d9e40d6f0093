/** What an attack is made of: a correct machine, and what its owner does to all that it says. */
import type { CryptoPort, Effect, Generator, NodeId, Send } from "../../core/index.ts";
import type { PbftConfig } from "../config.ts";
import type { SequenceNumber, ViewNumber } from "../entities.ts";
import type { PbftMessage } from "../messages.ts";
import {
	acknowledgementStatement,
	newKeyStatement,
	newViewDigest,
	type Statement,
	statementBytes,
	viewChangeDigest,
} from "../statements.ts";
import type { PbftView } from "../view.ts";
import type { PbftTypes } from "../vocabulary.ts";
import { sign } from "../vote-authentication.ts";

/** Something that a member says to another. */
export type Saying = Send<PbftTypes>;

/** A named way to lie. It has its owner's key and no other, so it can say all that one member can, and forge nothing. */
export interface Attack {
	/** Kebab-case; what commands and reports name. */
	readonly name: string;
	/** One sentence: what it does. */
	readonly description: string;
	/** The setting without which it does nothing: of `votes`, or of `certificates`. Default: it attacks with any. */
	readonly needs?: "authenticated" | "collector";
	/** What it sends need not be a message: no layout can carry it. Default: false. */
	readonly sendsNoMessages?: boolean;
	/** What becomes of each thing that the correct machine inside would say; nothing, or other things. Default: it passes. */
	readonly twist?: (saying: Saying, means: AttackMeans) => readonly Saying[];
	/** What it says beyond that, after each batch. */
	readonly invent?: (means: AttackMeans) => readonly Saying[];
	/** What is done to messages that come in, before the correct machine sees them; null hides one. */
	readonly hear?: (from: NodeId, message: PbftMessage, means: AttackMeans) => PbftMessage | null;
}

/** What an attack has at hand. */
export interface AttackMeans {
	readonly config: PbftConfig;
	readonly crypto: CryptoPort;
	/** Everyone else, in order. */
	readonly peers: readonly NodeId[];
	/** Where the correct machine inside stands. */
	readonly view: PbftView;
	/** Draws of this step. */
	readonly dice: Generator;
	/** Batches so far. */
	readonly step: number;
	/** What it has kept, by its own names; plain values that are never changed. */
	readonly memory: Map<string, unknown>;
}

/** The same with other words, and the owner's good signature under them, or a vector that is good for `readers` alone. */
export function resigned<M extends PbftMessage>(message: M, means: AttackMeans, readers?: readonly NodeId[]): M {
	const { config, crypto } = means;
	const statement = statementOf(message, crypto);
	if (statement === null) return message;
	// Keys are signed for, whatever votes carry.
	if (message.type === "new-key") {
		return { ...message, signature: crypto.sign(statementBytes(config.cluster, config.nodeId, statement)) };
	}
	const { configuration, keyGeneration, peerGenerations } = means.view;
	const speaker = { config, crypto, configuration, keyGeneration, peerGenerations };
	return { ...message, signature: sign(speaker, statement, readers) };
}

/** The statement under a message's signature; null for one that has none. */
export function statementOf(message: PbftMessage, { digest }: CryptoPort): Statement | null {
	const none = 0 as SequenceNumber;
	switch (message.type) {
		case "pre-prepare":
		case "prepare":
		case "commit": {
			const { type, epoch, view, sequence } = message;
			return { type, epoch, view, sequence, digest: message.digest };
		}
		case "checkpoint": {
			const { type, epoch, sequence } = message;
			return { type, epoch, view: 0 as ViewNumber, sequence, digest: message.digest };
		}
		case "view-change": {
			const { type, epoch, view } = message;
			return { type, epoch, view, sequence: none, digest: viewChangeDigest(digest, message) };
		}
		case "new-view": {
			const { type, epoch, view, viewChanges, proposals } = message;
			return { type, epoch, view, sequence: none, digest: newViewDigest(digest, viewChanges, proposals) };
		}
		case "view-change-ack":
			return acknowledgementStatement(digest, message);
		case "new-key":
			return newKeyStatement(message.generation);
		default:
			return null;
	}
}

export function say(to: NodeId, message: PbftMessage): Saying {
	return { type: "send", to, message, release: "immediate" };
}

export function sayToAll(means: AttackMeans, message: PbftMessage): Saying[] {
	return means.peers.map((peer) => say(peer, message));
}

/** The halves of the others: those that are told one thing, and those that are told the other. */
export function isInSecondHalf({ to }: Saying, { peers }: AttackMeans): boolean {
	return peers.indexOf(to) >= peers.length / 2;
}

export function isSaying(effect: Effect<PbftTypes>): effect is Saying {
	return effect.type === "send";
}

/** Some digest that nobody has a batch for, always the same in one place. */
export function otherDigest(digest: Uint8Array): Uint8Array {
	return digest.map((byte) => byte ^ 0x5a);
}
