/**
 * Encrypted and authenticated traffic between two participants: a handshake of three messages with ephemeral X25519 keys, signed over
 * everything that was said and by whom (SIGMA, Krawczyk 2003), then ChaCha20-Poly1305 under keys that move on. It is for links that
 * may lose, repeat and reorder: each message carries its number, and a window refuses repetitions.
 *
 * Forward secrecy: the ephemeral keys die with the handshake, and each {@link REKEY_MESSAGES} messages the key is replaced by its own
 * digest, so that who takes a key later reads nothing older. Not hidden: that, when and how much two participants talk.
 */
import { createHash } from "node:crypto";
import { type CryptoPort, type NodeId, requireInteger } from "../../protocols/core/index.ts";
import { AEAD_NONCE_BYTES, AEAD_TAG_BYTES, aeadOpen, aeadSeal } from "./aead.ts";
import { hkdfExpand, hkdfExtract } from "./hkdf.ts";
import { channelRefused } from "./secrecy-errors.ts";
import { type AgreementKey, agree, generateAgreementKey, X25519_KEY_BYTES } from "./x25519.ts";

const AEAD = "chacha20-poly1305";
const KEY_BYTES = 32;
const NUMBER_BYTES = 6;
/** Messages under one key, of one direction. */
export const REKEY_MESSAGES = 65_536;
/** How far behind the newest a message may come. */
export const REPLAY_WINDOW = 1_024;
/** Keys that a receiver computes ahead for one message; more is an attack on its time. */
const KEYS_AHEAD_MAX = 4;
const NUMBER_MAX = 2 ** 47;

/** Who takes part, as both sides must see it. */
export interface ChannelParty {
	readonly self: NodeId;
	readonly peer: NodeId;
	/** Names the group: a handshake of another one does not pass. */
	readonly cluster: string;
	readonly crypto: Pick<CryptoPort, "sign" | "verify">;
	/** Messages under one key, 1 to 65,536, the same on both sides; default {@link REKEY_MESSAGES}. */
	readonly rekeyMessages?: number;
}

/** First message, of the initiator. */
export interface ChannelHello {
	readonly ephemeral: Uint8Array;
}
/** Second message, of the responder. */
export interface ChannelAnswer {
	readonly ephemeral: Uint8Array;
	readonly signature: Uint8Array;
}
/** Third message, of the initiator. */
export interface ChannelConfirm {
	readonly signature: Uint8Array;
}

/** An initiator that waits for its answer. */
export interface InitiatedChannel {
	readonly hello: ChannelHello;
	/** @throws QuorateError `channel-refused`, `agreement-key-invalid` */
	complete(answer: ChannelAnswer): { readonly confirm: ChannelConfirm; readonly channel: SealedChannel };
}

/** A responder that waits for the confirmation: until it comes, it knows of nobody. */
export interface AnsweredChannel {
	readonly answer: ChannelAnswer;
	/** @throws QuorateError `channel-refused` */
	complete(confirm: ChannelConfirm): SealedChannel;
}

export function initiateChannel(party: ChannelParty): InitiatedChannel {
	const own = generateAgreementKey();
	return {
		hello: { ephemeral: own.publicKey },
		complete: ({ ephemeral, signature }) => {
			const said = transcript(party.cluster, party.self, party.peer, own.publicKey, ephemeral);
			if (!party.crypto.verify(party.peer, roleBytes("responder", said), signature))
				throw channelRefused({ peer: party.peer, reason: "the answer is not signed by it" });
			const confirm = { signature: party.crypto.sign(roleBytes("initiator", said)) };
			return { confirm, channel: channelOf(party, own, ephemeral, said, "initiator") };
		},
	};
}

/** @throws QuorateError `channel-refused` for a malformed hello; `agreement-key-invalid` */
export function answerChannel(party: ChannelParty, hello: ChannelHello): AnsweredChannel {
	if (!(hello?.ephemeral instanceof Uint8Array) || hello.ephemeral.length !== X25519_KEY_BYTES)
		throw channelRefused({ peer: party.peer, reason: "its hello is malformed" });
	const own = generateAgreementKey();
	const said = transcript(party.cluster, party.peer, party.self, hello.ephemeral, own.publicKey);
	const channel = channelOf(party, own, hello.ephemeral, said, "responder");
	return {
		answer: { ephemeral: own.publicKey, signature: party.crypto.sign(roleBytes("responder", said)) },
		complete: ({ signature }) => {
			if (!party.crypto.verify(party.peer, roleBytes("initiator", said), signature))
				throw channelRefused({ peer: party.peer, reason: "the confirmation is not signed by it" });
			return channel;
		},
	};
}

/** Both names and both keys, so that neither side can be made to believe that it talks to somebody else. */
function transcript(
	cluster: string,
	initiator: NodeId,
	responder: NodeId,
	first: Uint8Array,
	second: Uint8Array,
): Uint8Array {
	const hash = createHash("sha256");
	for (const part of ["quorate/sealed-channel/v1", cluster, initiator, responder].map((text) => Buffer.from(text)))
		hash.update(Uint8Array.of(part.length >> 8, part.length & 255)).update(part);
	return hash.update(first).update(second).digest();
}

function roleBytes(role: "initiator" | "responder", said: Uint8Array): Uint8Array {
	return Buffer.concat([Buffer.from(`quorate/sealed-channel/${role}/`), said]);
}

function channelOf(
	party: ChannelParty,
	own: AgreementKey,
	peer: Uint8Array,
	said: Uint8Array,
	role: "initiator" | "responder",
): SealedChannel {
	const secret = hkdfExtract(said, agree(own, peer));
	const [fromInitiator, fromResponder] = ["initiator", "responder"].map((from) =>
		hkdfExpand(secret, Buffer.from(`from ${from}`), KEY_BYTES),
	) as [Uint8Array, Uint8Array];
	const [sending, receiving] = role === "initiator" ? [fromInitiator, fromResponder] : [fromResponder, fromInitiator];
	return new SealedChannel(party.peer, sending, receiving, party.rekeyMessages ?? REKEY_MESSAGES);
}

/** One side of an established channel. */
export class SealedChannel {
	readonly peer: NodeId;
	readonly #rekeyMessages: number;
	readonly #sending: KeyChain;
	/** The chain that the newest messages use, and the one before it, for those that come late. */
	#receiving: KeyChain;
	#before: KeyChain | null = null;
	#sent = 0;
	#newest = -1;
	/** Numbers that have come, none older than the window. */
	readonly #seen = new Set<number>();

	/** Made by {@link initiateChannel} and {@link answerChannel}. */
	constructor(peer: NodeId, sending: Uint8Array, receiving: Uint8Array, rekeyMessages: number) {
		requireInteger("rekeyMessages", rekeyMessages, 1, REKEY_MESSAGES);
		this.peer = peer;
		this.#rekeyMessages = rekeyMessages;
		this.#sending = new KeyChain(sending);
		this.#receiving = new KeyChain(receiving);
	}

	/** @throws QuorateError `channel-refused` after 2^47 messages */
	seal(plaintext: Uint8Array, associated: Uint8Array = new Uint8Array()): Uint8Array {
		if (this.#sent >= NUMBER_MAX) throw channelRefused({ peer: this.peer, reason: "it is used up" });
		const number = this.#sent;
		this.#sent += 1;
		this.#sending.advanceTo(Math.floor(number / this.#rekeyMessages));
		const head = numberBytes(number);
		const sealed = aeadSeal(AEAD, this.#sending.key, nonceOf(number), Buffer.concat([head, associated]), plaintext);
		return Buffer.concat([head, sealed]);
	}

	/** @throws QuorateError `channel-refused` for what is forged, repeated, too old or too far ahead; nothing changes then */
	open(message: Uint8Array, associated: Uint8Array = new Uint8Array()): Uint8Array {
		if (!(message instanceof Uint8Array) || message.length < NUMBER_BYTES + AEAD_TAG_BYTES)
			this.#refuse("it is too short");
		const head = message.subarray(0, NUMBER_BYTES);
		const number = Buffer.from(head).readUIntBE(0, NUMBER_BYTES);
		if (number <= this.#newest - REPLAY_WINDOW) this.#refuse("it is older than the window");
		if (this.#seen.has(number)) this.#refuse("it has come already");
		const chain = this.#chainFor(Math.floor(number / this.#rekeyMessages));
		const bound = Buffer.concat([head, associated]);
		const opened = aeadOpen(AEAD, chain.key, nonceOf(number), bound, message.subarray(NUMBER_BYTES));
		if (opened === null) this.#refuse("it does not authenticate");
		this.#accept(number, chain);
		return opened;
	}

	/** The chain at a key number, computed on a copy: a forged number must not move the real one. */
	#chainFor(keyNumber: number): KeyChain {
		if (keyNumber === this.#receiving.number) return this.#receiving;
		if (keyNumber === this.#before?.number) return this.#before;
		if (keyNumber < this.#receiving.number) this.#refuse("its key is gone");
		if (keyNumber > this.#receiving.number + KEYS_AHEAD_MAX) this.#refuse("it is too far ahead");
		const chain = this.#receiving.copy();
		chain.advanceTo(keyNumber);
		return chain;
	}

	#accept(number: number, chain: KeyChain): void {
		if (chain.number > this.#receiving.number) {
			this.#before = chain.number === this.#receiving.number + 1 ? this.#receiving : null;
			this.#receiving = chain;
		}
		this.#seen.add(number);
		if (number <= this.#newest) return;
		this.#newest = number;
		if (this.#seen.size > 2 * REPLAY_WINDOW)
			for (const old of this.#seen) if (old <= number - REPLAY_WINDOW) this.#seen.delete(old);
	}

	#refuse(reason: string): never {
		throw channelRefused({ peer: this.peer, reason });
	}
}

/** A key that is replaced by what follows from it, and can not be got back. */
class KeyChain {
	#key: Uint8Array;
	#number = 0;

	constructor(key: Uint8Array) {
		this.#key = key;
	}

	get key(): Uint8Array {
		return this.#key;
	}
	get number(): number {
		return this.#number;
	}

	advanceTo(number: number): void {
		for (; this.#number < number; this.#number++) {
			this.#key = hkdfExpand(this.#key, Buffer.from("quorate/sealed-channel/rekey"), KEY_BYTES);
		}
	}

	copy(): KeyChain {
		const copied = new KeyChain(this.#key);
		copied.#number = this.#number;
		return copied;
	}
}

function numberBytes(number: number): Buffer {
	const bytes = Buffer.alloc(NUMBER_BYTES);
	bytes.writeUIntBE(number, 0, NUMBER_BYTES);
	return bytes;
}

function nonceOf(number: number): Uint8Array {
	return Buffer.concat([Buffer.alloc(AEAD_NONCE_BYTES - NUMBER_BYTES), numberBytes(number)]);
}
