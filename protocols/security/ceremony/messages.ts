/** What participants of a key ceremony say: signed posts for everybody, and one sealed share for each receiver. */
import { assertNever, isNodeId, type NodeId } from "../../core/index.ts";
import { concat, frame, textBytes } from "../bytes.ts";
import { ELEMENT_BYTES } from "../ciphersuite.ts";
import { MEMBERS_MAX } from "../limits.ts";
import { SCHNORR_PROOF_BYTES } from "../proofs/schnorr.ts";
import { CHANNEL_KEY_BYTES } from "./share-channel.ts";

/** Round 1: the key for private channels and, from a dealer, the commitment to its polynomial with a proof of possession. */
export interface Introduction {
	readonly type: "introduction";
	readonly channelKey: Uint8Array;
	/** Encoded elements, the constant's first; empty from who does not deal. */
	readonly commitment: readonly Uint8Array[];
	/** Of the constant; empty from who does not deal. */
	readonly proof: Uint8Array;
}

/** Round 2: which dealers have sent no share, or one off their polynomial; and which introductions this is said over. */
export interface Complaints {
	readonly type: "complaints";
	/** The digest of all introductions that this participant goes by. */
	readonly view: Uint8Array;
	/** In code-unit order. */
	readonly accused: readonly NodeId[];
}

/** Round 3, of an accused dealer: the shares that were complained about, in the open. */
export interface Justification {
	readonly type: "justification";
	readonly shares: readonly { readonly to: NodeId; readonly share: Uint8Array }[];
}

/** Round 4: the digest of everything that the outcome rests on. Nobody uses a key that not all have confirmed. */
export interface Confirmation {
	readonly type: "confirmation";
	readonly transcript: Uint8Array;
}

export type PostBody = Introduction | Complaints | Justification | Confirmation;
export type PostKind = PostBody["type"];

/** A body that its author has signed for everybody; whoever sees one for the first time passes it on. */
export interface Post {
	readonly type: "post";
	readonly author: NodeId;
	readonly body: PostBody;
	readonly signature: Uint8Array;
}

/** A dealer's share for its receiver, encrypted. */
export interface SealedShare {
	readonly type: "sealed-share";
	readonly sealed: Uint8Array;
}

export type CeremonyMessage = Post | SealedShare;

const DIGEST_BYTES_MAX = 64;
const SIGNATURE_BYTES_MAX = 128;

/** The bytes that a post's author signs: domain, ceremony, author and body, each of them framed. */
export function signedBytes(ceremony: Uint8Array, author: NodeId, body: PostBody): Uint8Array {
	return frame(textBytes("quorate/key-ceremony/post/v1"), ceremony, textBytes(author), bodyBytes(body));
}

/** The one encoding of a body. */
export function bodyBytes(body: PostBody): Uint8Array {
	const type = textBytes(body.type);
	switch (body.type) {
		case "introduction":
			return frame(type, body.channelKey, frame(...body.commitment), body.proof);
		case "complaints":
			return frame(type, body.view, frame(...body.accused.map(textBytes)));
		case "justification":
			return frame(type, ...body.shares.map(({ to, share }) => frame(textBytes(to), share)));
		case "confirmation":
			return frame(type, body.transcript);
		default:
			return assertNever(body, "post");
	}
}

/** Whether a foreign value has the form of a post, by type and length alone: before a signature is verified or a point decoded. */
export function isWellFormedPost(value: unknown, thresholdMax: number): value is Post {
	if (typeof value !== "object" || value === null) return false;
	const { author, body, signature } = value as Partial<Post>;
	return isNodeId(author) && isBytes(signature, 1, SIGNATURE_BYTES_MAX) && isWellFormedBody(body, thresholdMax);
}

function isWellFormedBody(body: unknown, thresholdMax: number): boolean {
	if (typeof body !== "object" || body === null) return false;
	const given = body as PostBody;
	switch (given.type) {
		case "introduction":
			return (
				isBytes(given.channelKey, CHANNEL_KEY_BYTES) &&
				isListOf(given.commitment, thresholdMax, (element) => isBytes(element, ELEMENT_BYTES)) &&
				(isBytes(given.proof, 0) || isBytes(given.proof, SCHNORR_PROOF_BYTES))
			);
		case "complaints":
			return (
				isBytes(given.view, 1, DIGEST_BYTES_MAX) &&
				isListOf(given.accused, MEMBERS_MAX, isNodeId) &&
				new Set(given.accused).size === given.accused.length
			);
		case "justification":
			return (
				isListOf(given.shares, MEMBERS_MAX, (item) => isNodeId(item?.to) && isBytes(item?.share, ELEMENT_BYTES)) &&
				new Set(given.shares.map(({ to }) => to)).size === given.shares.length
			);
		case "confirmation":
			return isBytes(given.transcript, 1, DIGEST_BYTES_MAX);
		default:
			return false;
	}
}

function isBytes(value: unknown, min: number, max: number = min): value is Uint8Array {
	return value instanceof Uint8Array && value.length >= min && value.length <= max;
}

function isListOf<Item>(value: readonly Item[], max: number, holds: (item: Item) => boolean): boolean {
	return Array.isArray(value) && value.length <= max && value.every(holds);
}

/** What a sealed share is bound to. */
export function shareContext(ceremony: Uint8Array, dealer: NodeId, receiver: NodeId): Uint8Array {
	return concat(textBytes("quorate/key-ceremony/share/v1"), frame(ceremony, textBytes(dealer), textBytes(receiver)));
}
