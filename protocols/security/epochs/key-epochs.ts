/**
 * Which sharing of which key may sign, and which may still be verified under: the rules of rotation as a replicated application, so
 * that they survive restarts and all replicas apply them at the same place in the order. Time comes in with the commands, from whoever
 * proposes them, and never goes back.
 *
 * | epoch is | signs | verifies |
 * |---|---|---|
 * | current | yes | yes |
 * | overlapping: replaced less than `overlapMs` ago | no | yes |
 * | retired: replaced longer ago | no | no, if its public key was replaced too; a refresh keeps the key |
 * | revoked | no | no, from the command on |
 */
import { type Application, assertNever } from "../../core/index.ts";
import { equalBytes } from "../bytes.ts";
import { GroupKey, type GroupKeyData } from "../frost/key-share.ts";

/** 24 hours. */
export const OVERLAP_MS_DEFAULT = 86_400_000;
/** Sharings that are remembered; the oldest retired one is forgotten first. */
export const EPOCHS_MAX = 1_024;

export type KeyEpochCommand =
	/** The sharing that is current from now on. */
	| { readonly type: "install"; readonly key: GroupKeyData; readonly atMs: number }
	/** Ends a key at once: it has leaked. */
	| { readonly type: "revoke"; readonly publicKey: Uint8Array; readonly atMs: number };

export type KeyEpochResult =
	| { readonly isDone: true; readonly generation: number }
	| { readonly isDone: false; readonly reason: "key-invalid" | "epoch-not-next" | "revoked" | "unknown-key" };

export type KeyEpochQuery = { readonly publicKey: Uint8Array; readonly epoch: number; readonly atMs: number };

export type KeyEpochStatus = "current" | "overlapping" | "retired" | "revoked" | "unknown";

export interface KeyEpochAnswer {
	readonly status: KeyEpochStatus;
	readonly maySign: boolean;
	readonly mayVerify: boolean;
}

interface Installed {
	readonly key: GroupKeyData;
	readonly installedAtMs: number;
	/** Null while it is current. */
	readonly replacedAtMs: number | null;
	readonly isRevoked: boolean;
}

export type KeyEpochSnapshot = {
	readonly installed: readonly Installed[];
	readonly generation: number;
	readonly nowMs: number;
};

/** The register: {@link Application} for the group that guards a key. */
export class KeyEpochRegister
	implements Application<KeyEpochCommand, KeyEpochResult, KeyEpochQuery, KeyEpochAnswer, KeyEpochSnapshot>
{
	readonly #overlapMs: number;
	#installed: readonly Installed[] = [];
	/** Counts installations, over all keys. */
	#generation = 0;
	#nowMs = 0;

	constructor({ overlapMs = OVERLAP_MS_DEFAULT }: { readonly overlapMs?: number } = {}) {
		this.#overlapMs = overlapMs;
	}

	/** The sharing that signs now. */
	get current(): GroupKeyData | null {
		return this.#installed.find(({ replacedAtMs, isRevoked }) => replacedAtMs === null && !isRevoked)?.key ?? null;
	}

	apply(command: KeyEpochCommand): KeyEpochResult {
		this.#nowMs = Math.max(this.#nowMs, command.atMs);
		switch (command.type) {
			case "install":
				return this.#install(command.key);
			case "revoke":
				return this.#revoke(command.publicKey);
			default:
				return assertNever(command, "command");
		}
	}

	query({ publicKey, epoch, atMs }: KeyEpochQuery): KeyEpochAnswer {
		const nowMs = Math.max(this.#nowMs, atMs);
		const found = this.#installed.find(({ key }) => key.epoch === epoch && equalBytes(key.publicKey, publicKey));
		const status = found === undefined ? "unknown" : this.#statusOf(found, nowMs);
		// After a refresh the key itself is still current: what was signed in a retired epoch verifies under it.
		const isKeyCurrent = this.current !== null && equalBytes(this.current.publicKey, publicKey);
		const mayVerify = status === "current" || status === "overlapping" || (status === "retired" && isKeyCurrent);
		return { status, maySign: status === "current", mayVerify };
	}

	takeSnapshot(): KeyEpochSnapshot {
		return { installed: this.#installed, generation: this.#generation, nowMs: this.#nowMs };
	}

	restoreSnapshot({ installed, generation, nowMs }: KeyEpochSnapshot): void {
		this.#installed = installed;
		this.#generation = generation;
		this.#nowMs = nowMs;
	}

	#install(key: GroupKeyData): KeyEpochResult {
		if (!isGroupKey(key)) return { isDone: false, reason: "key-invalid" };
		const ofSameKey = this.#installed.filter((one) => equalBytes(one.key.publicKey, key.publicKey));
		if (ofSameKey.some(({ isRevoked }) => isRevoked)) return { isDone: false, reason: "revoked" };
		const expected = ofSameKey.reduce((epoch, one) => Math.max(epoch, one.key.epoch + 1), 0);
		if (key.epoch !== expected) return { isDone: false, reason: "epoch-not-next" };
		const replaced = this.#installed.map((one) =>
			one.replacedAtMs === null ? { ...one, replacedAtMs: this.#nowMs } : one,
		);
		const entry: Installed = { key, installedAtMs: this.#nowMs, replacedAtMs: null, isRevoked: false };
		this.#installed = [...replaced, entry].slice(-EPOCHS_MAX);
		this.#generation += 1;
		return { isDone: true, generation: this.#generation };
	}

	#revoke(publicKey: Uint8Array): KeyEpochResult {
		if (!this.#installed.some(({ key }) => equalBytes(key.publicKey, publicKey)))
			return { isDone: false, reason: "unknown-key" };
		this.#installed = this.#installed.map((one) =>
			equalBytes(one.key.publicKey, publicKey) ? { ...one, isRevoked: true } : one,
		);
		return { isDone: true, generation: this.#generation };
	}

	#statusOf({ replacedAtMs, isRevoked }: Installed, nowMs: number): KeyEpochStatus {
		if (isRevoked) return "revoked";
		if (replacedAtMs === null) return "current";
		return nowMs - replacedAtMs < this.#overlapMs ? "overlapping" : "retired";
	}
}

function isGroupKey(data: GroupKeyData): boolean {
	try {
		new GroupKey(data);
		return true;
	} catch {
		// A command that holds no key is refused by its result; every replica refuses it alike.
		return false;
	}
}
