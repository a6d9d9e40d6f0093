/**
 * What stands under a member's word: a signature, or, where votes are authenticated (TOCS §4), a vector with one authenticator for each
 * member of the epoch. Everything else asks this room and does not know which.
 *
 * A vector convinces each member for itself, also when another passes it on, since only its maker and that member have the key. It is no
 * proof all the same: a liar can make one that is good for some and not for others, and who checks it could have made its own part. So
 * nothing in that mode waits for a certificate of others to be good here (`testimony.ts` has the way around), and nobody is convicted.
 */
import type { NodeId } from "../core/index.ts";
import { MAC_BYTES_MAX } from "./authenticators.ts";
import { ByteWriter, emptyBytes } from "./bytes.ts";
import { PBFT_MEMBERS_MAX } from "./config.ts";
import type { PbftCore } from "./core.ts";
import type { Vote } from "./entities.ts";
import { type Statement, statementToCheck, type Verifier } from "./statements.ts";

/** The number of the keys that a part is made under. It says where to look, and proves nothing: it is under the authenticator too. */
const GENERATION_BYTES = 4;
/** The longest vector: for each member a length, the number of its keys, and an authenticator. */
export const VECTOR_BYTES_MAX: number = PBFT_MEMBERS_MAX * (1 + GENERATION_BYTES + MAC_BYTES_MAX);

/** Who speaks, and under which keys. */
export interface Authenticating extends Pick<PbftCore, "config" | "configuration" | "crypto"> {
	/** See `session-keys.ts`. Default: none was renewed. */
	readonly keyGeneration?: number;
	readonly peerGenerations?: ReadonlyMap<NodeId, number>;
}

/** Whether members' words are authenticated to each other, so that no third can be shown one. */
export function isAuthenticated({ config }: Pick<PbftCore, "config">): boolean {
	return config.votes === "authenticated";
}

/** This member's signature, or vector, under a statement. `readers` are those that it must convince; default the members. */
export function sign(
	core: Authenticating,
	statement: Statement,
	readers: readonly NodeId[] = core.configuration.members,
): Uint8Array {
	const bytes = statementToCheck(core.config.cluster, core.config.nodeId, statement);
	if (!isAuthenticated(core)) return core.crypto.sign(bytes);
	return vectorOf(
		core.configuration.members.map((member) => {
			if (member === core.config.nodeId || !readers.includes(member)) return emptyBytes;
			const generation = core.peerGenerations?.get(member) ?? 0;
			return numbered(generation, core.crypto.authenticate(member, underKey(generation, bytes)));
		}),
	);
}

/** Checks members' words: signatures, or this member's part of vectors. */
export function verifierOf(core: Authenticating): Verifier {
	const { config, configuration, crypto, keyGeneration = 0 } = core;
	if (config.votes === "signed") return crypto;
	const place = configuration.members.indexOf(config.nodeId);
	return {
		digest: crypto.digest,
		verify: (signer, bytes, vector) => {
			const own = partOf(vector, place);
			if (own === null || own.generation !== lowBits(keyGeneration)) return false;
			return crypto.isAuthentic(signer, underKey(keyGeneration, bytes), own.authenticator);
		},
	};
}

/**
 * Whether a word that is not good here was good under keys that this member has renewed since: it was under way then, or its sender has
 * not heard of it.
 */
export function isUnderOldKeys(core: PbftCore, { sender, signature }: Vote, statement: Statement): boolean {
	if (!isAuthenticated(core)) return false;
	const own = partOf(signature, core.configuration.members.indexOf(core.config.nodeId));
	if (own === null || own.generation >= core.keyGeneration) return false;
	const bytes = statementToCheck(core.config.cluster, sender, statement);
	return core.crypto.isAuthentic(sender, underKey(own.generation, bytes), own.authenticator);
}

const keyScratch = new ByteWriter(256);

/** What is authenticated under the receiver's keys of a number: an authenticator under another is none of it. Good until the next call. */
function underKey(generation: number, bytes: Uint8Array): Uint8Array {
	return keyScratch.restart().integer(generation).bytes(bytes).finish();
}

/** This member's word once more: under the keys that its readers have now. A signature stays what it was. */
export function signAgain(core: PbftCore, statement: Statement, signature: Uint8Array): Uint8Array {
	return isAuthenticated(core) ? sign(core, statement) : signature;
}

function numbered(generation: number, authenticator: Uint8Array): Uint8Array {
	const part = new Uint8Array(GENERATION_BYTES + authenticator.length);
	new DataView(part.buffer).setUint32(0, lowBits(generation));
	part.set(authenticator, GENERATION_BYTES);
	return part;
}

function lowBits(generation: number): number {
	return generation % 2 ** (8 * GENERATION_BYTES);
}

/** Each part behind its length. */
function vectorOf(parts: readonly Uint8Array[]): Uint8Array {
	const vector = new Uint8Array(parts.reduce((sum, part) => sum + 1 + part.length, 0));
	let at = 0;
	for (const part of parts) {
		vector[at] = part.length;
		vector.set(part, at + 1);
		at += 1 + part.length;
	}
	return vector;
}

interface VectorPart {
	readonly generation: number;
	readonly authenticator: Uint8Array;
}

/** Null if the vector has no such part. */
function partOf(vector: Uint8Array, place: number): VectorPart | null {
	let at = 0;
	for (let i = 0; i < place; i++) at += 1 + (vector[at] ?? 0);
	const length = vector[at];
	if (place < 0 || length === undefined || length < GENERATION_BYTES || at + 1 + length > vector.length) return null;
	const part = vector.subarray(at + 1, at + 1 + length);
	const generation = new DataView(part.buffer, part.byteOffset, GENERATION_BYTES).getUint32(0);
	return { generation, authenticator: part.subarray(GENERATION_BYTES) };
}
