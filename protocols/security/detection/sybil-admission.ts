/**
 * Who may join. Identities that cost nothing can not be told apart (Douceur 2002), so the base is a credential that an admission
 * authority has signed for this node's key; proof of work, stake and history are further factors, and a candidate needs two of the
 * four, the credential being one of them unless the operator says otherwise. Admissions are rate-limited, and many from one place at
 * a time are an alarm. The verdict is advice to whoever proposes the ordered membership change.
 */
import type { CryptoPort, NodeId } from "../../core/index.ts";
import { frame, textBytes, uint53 } from "../bytes.ts";
import { requireSetting } from "./finding.ts";
import { TokenBucket, type TokenBucketOptions } from "./token-bucket.ts";

/** What the admission authority says of a node. */
export interface Credential {
	readonly node: NodeId;
	readonly publicKey: Uint8Array;
	/** On the authority's clock, milliseconds. */
	readonly expiresAtMs: number;
	readonly signature: Uint8Array;
}

export interface JoinRequest {
	readonly node: NodeId;
	readonly publicKey: Uint8Array;
	/** Where it comes from, as observed, never as it says: an address prefix, a rack, a provider. */
	readonly origin: string;
	readonly credential?: Credential;
	/** A number that makes the digest of challenge, node and key start with enough zero bits. */
	readonly work?: { readonly challenge: Uint8Array; readonly nonce: number };
}

export type AdmissionFactor = "credential" | "work" | "stake" | "history";

export interface SybilAdmissionOptions {
	readonly crypto: Pick<CryptoPort, "digest" | "verify">;
	/** Whose signature makes a credential. */
	readonly authority: NodeId;
	/** Zero bits that work needs; 0 to 64, default 18: some 2^18 digests. */
	readonly workBits?: number;
	/** The challenge that work must be for; the operator changes it, so work can not be stored up. */
	readonly workChallenge: Uint8Array;
	/** Stake of a node as the ledger has it, and how much is enough; without it nobody has stake. */
	readonly stakeOf?: (node: NodeId) => number;
	readonly stakeMin?: number;
	/** Reputation of a node that was here before, 0 to 1; undefined for who was not. */
	readonly reputationOf?: (node: NodeId) => number | undefined;
	/** Default 0.6: better than never seen. */
	readonly reputationMin?: number;
	/** Factors of four that must hold; 1 to 4, default 2. */
	readonly factorsMin?: number;
	/** Whether the credential must be among them; default true. False opens the group to whoever pays. */
	readonly needsCredential?: boolean;
	/** Admissions; default 5, refilled with one in 10 s. */
	readonly rate?: TokenBucketOptions;
	/** Requests of one origin within `originWindowMs` that are an alarm; 1 to 10,000, default 3. */
	readonly originLimit?: number;
	/** Milliseconds, default 600,000. */
	readonly originWindowMs?: number;
}

export interface AdmissionVerdict {
	readonly isAdmitted: boolean;
	readonly factors: readonly AdmissionFactor[];
	/** Why not; empty when admitted. */
	readonly reasons: readonly ("too-few-factors" | "no-credential" | "rate" | "origin-pattern")[];
	/** Whether somebody should look. */
	readonly isAlarm: boolean;
}

/** Origins that are watched at a time; the one silent for longest is forgotten. */
const ORIGINS_MAX = 4_096;

export class SybilAdmission {
	readonly #options: Required<Omit<SybilAdmissionOptions, "rate">>;
	readonly #bucket: TokenBucket;
	readonly #origins = new Map<string, number[]>();

	/** @throws QuorateError `detector-config-invalid` */
	constructor(options: SybilAdmissionOptions, nowMs: number) {
		const defaults = {
			workBits: 18,
			stakeMin: 1,
			reputationMin: 0.6,
			factorsMin: 2,
			originLimit: 3,
			originWindowMs: 600_000,
		};
		const full = { ...defaults, needsCredential: true, stakeOf: () => 0, reputationOf: () => undefined, ...options };
		requireSetting("workBits", full.workBits, 0, 64);
		requireSetting("reputationMin", full.reputationMin, 0, 1, false);
		requireSetting("factorsMin", full.factorsMin, 1, 4);
		requireSetting("originLimit", full.originLimit, 1, 10_000);
		requireSetting("originWindowMs", full.originWindowMs, 1, Number.MAX_SAFE_INTEGER);
		requireSetting("stakeMin", full.stakeMin, Number.MIN_VALUE, Number.MAX_VALUE, false);
		this.#options = full;
		this.#bucket = new TokenBucket(options.rate ?? { capacity: 5, refillPerSecond: 0.1 }, nowMs);
	}

	/** Judges one request. Cheap checks come first, and a request that fails costs no admission. */
	judge(request: JoinRequest, nowMs: number): AdmissionVerdict {
		const hasPattern = this.#isPattern(request.origin, nowMs);
		const factors = this.#factors(request, nowMs);
		const { needsCredential, factorsMin } = this.#options;
		const reasons: AdmissionVerdict["reasons"][number][] = [];
		if (needsCredential && !factors.includes("credential")) reasons.push("no-credential");
		if (factors.length < factorsMin) reasons.push("too-few-factors");
		if (hasPattern) reasons.push("origin-pattern");
		if (reasons.length === 0 && !this.#bucket.take(nowMs)) reasons.push("rate");
		return { isAdmitted: reasons.length === 0, factors, reasons, isAlarm: hasPattern };
	}

	#factors(request: JoinRequest, nowMs: number): readonly AdmissionFactor[] {
		const { stakeOf, stakeMin, reputationOf, reputationMin } = this.#options;
		const factors: AdmissionFactor[] = [];
		if (this.#hasCredential(request, nowMs)) factors.push("credential");
		if (this.#hasWorked(request)) factors.push("work");
		if (stakeOf(request.node) >= stakeMin) factors.push("stake");
		if ((reputationOf(request.node) ?? 0) >= reputationMin) factors.push("history");
		return factors;
	}

	#hasCredential({ node, publicKey, credential }: JoinRequest, nowMs: number): boolean {
		if (credential === undefined || credential.node !== node || credential.expiresAtMs <= nowMs) return false;
		const isOwn = credential.publicKey.join() === publicKey.join();
		return (
			isOwn && this.#options.crypto.verify(this.#options.authority, credentialBytes(credential), credential.signature)
		);
	}

	#hasWorked({ node, publicKey, work }: JoinRequest): boolean {
		if (work === undefined || !Number.isSafeInteger(work.nonce) || work.nonce < 0) return false;
		if (work.challenge.join() !== this.#options.workChallenge.join()) return false;
		return (
			leadingZeroBits(this.#options.crypto.digest(workBytes(work.challenge, node, publicKey, work.nonce))) >=
			this.#options.workBits
		);
	}

	#isPattern(origin: string, nowMs: number): boolean {
		const since = nowMs - this.#options.originWindowMs;
		const recent = (this.#origins.get(origin) ?? []).filter((atMs) => atMs > since);
		recent.push(nowMs);
		this.#origins.delete(origin);
		this.#origins.set(origin, recent.slice(-this.#options.originLimit - 1));
		if (this.#origins.size > ORIGINS_MAX) {
			const [oldest] = this.#origins.keys();
			if (oldest !== undefined) this.#origins.delete(oldest);
		}
		return recent.length > this.#options.originLimit;
	}
}

/** What the authority signs. */
export function credentialBytes({ node, publicKey, expiresAtMs }: Omit<Credential, "signature">): Uint8Array {
	return frame(textBytes("quorate/admission/credential/v1"), textBytes(node), publicKey, uint53(expiresAtMs));
}

/** What is digested for proof of work (after Back's Hashcash 2002): bound to the candidate, so it can not be handed on. */
export function workBytes(challenge: Uint8Array, node: NodeId, publicKey: Uint8Array, nonce: number): Uint8Array {
	return frame(textBytes("quorate/admission/work/v1"), challenge, textBytes(node), publicKey, uint53(nonce));
}

/** Zero bits before the first one. */
export function leadingZeroBits(bytes: Uint8Array): number {
	const at = bytes.findIndex((byte) => byte !== 0);
	return at < 0 ? bytes.length * 8 : at * 8 + Math.clz32(bytes[at] as number) - 24;
}
