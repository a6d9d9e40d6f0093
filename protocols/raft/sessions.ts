/**
 * Client sessions: each command of a session takes effect at most once, and a repeated one gets the first result
 * (thesis §6.3, with the rule of RIFL, SOSP 2015, for what may be forgotten). The table is part of the replicated
 * state: the same entries in the same order make the same table, and it travels inside snapshots.
 */
import { assert } from "../core/index.ts";
import type { LogIndex, SessionId } from "./entry.ts";

/** The result of a command and where it was applied. */
export interface AppliedResult {
	readonly type: "result";
	readonly index: LogIndex;
	readonly data: Uint8Array;
}

/** What a command of a session is, before it is applied. */
export type SessionVerdict =
	/** Never seen: apply it and `record` its result. */
	| { readonly type: "new" }
	/** Applied before; this is what came of it. */
	| AppliedResult
	/** The session was never opened or is evicted: whether the command was applied before is not known. */
	| { readonly type: "session-unknown" }
	/** Applied before, as far as the table can know, and its result is forgotten. */
	| { readonly type: "stale-serial" };

export interface SessionLimits {
	/** Open sessions; opening one more evicts the least recently used. Default 4,096. */
	readonly sessionsMax: number;
	/**
	 * Results kept per session; one more forgets the one with the lowest serial, whose repetition is then
	 * `stale-serial`. A client that says what it has received (`firstIncomplete`) never gets there. Default 1,024.
	 */
	readonly resultsPerSessionMax: number;
}

export const defaultSessionLimits: SessionLimits = { sessionsMax: 4096, resultsPerSessionMax: 1024 };

/** The table as plain data: sessions by id, results by serial, both ascending. */
export interface SessionTableSnapshot {
	readonly sessions: readonly {
		readonly session: SessionId;
		readonly lastUsed: LogIndex;
		readonly firstIncomplete: number;
		readonly results: readonly { readonly serial: number; readonly index: LogIndex; readonly data: Uint8Array }[];
	}[];
}

interface Session {
	/** The log index of its last command, or of its opening. Unique, so eviction has no ties. */
	lastUsed: LogIndex;
	/** All serials below are forgotten. */
	firstIncomplete: number;
	/** `serial >= firstIncomplete` for each; at most `resultsPerSessionMax`. */
	readonly results: Map<number, AppliedResult>;
}

const isNew: SessionVerdict = { type: "new" };
const sessionUnknown: SessionVerdict = { type: "session-unknown" };
const staleSerial: SessionVerdict = { type: "stale-serial" };

export class SessionTable {
	readonly #limits: SessionLimits;
	readonly #sessions = new Map<SessionId, Session>();

	constructor(limits: SessionLimits = defaultSessionLimits) {
		assert(limits.sessionsMax >= 1 && limits.resultsPerSessionMax >= 1, "session limits are positive");
		this.#limits = limits;
	}

	/** Open sessions. */
	get size(): number {
		return this.#sessions.size;
	}

	/** Opens the session that the entry at `index` asks for; its id is that index. */
	open(index: LogIndex): SessionId {
		const session = index as number as SessionId;
		if (this.#sessions.size >= this.#limits.sessionsMax) this.#evictLeastRecentlyUsed();
		this.#sessions.set(session, { lastUsed: index, firstIncomplete: 1, results: new Map() });
		return session;
	}

	/**
	 * Looks a command up and takes note of what its client has received. If the verdict is `new`, the caller applies the
	 * command and then calls {@link record}.
	 */
	look(session: SessionId, serial: number, firstIncomplete: number, index: LogIndex): SessionVerdict {
		const found = this.#sessions.get(session);
		if (found === undefined) return sessionUnknown;
		found.lastUsed = index;
		forgetBelow(found, firstIncomplete);
		if (serial < found.firstIncomplete) return staleSerial;
		return found.results.get(serial) ?? isNew;
	}

	/** Keeps the result of a command that {@link look} called `new`. */
	record(session: SessionId, serial: number, result: AppliedResult): void {
		const found = this.#sessions.get(session);
		assert(found !== undefined && !found.results.has(serial), "only a new command of an open session is recorded");
		found.results.set(serial, result);
		if (found.results.size <= this.#limits.resultsPerSessionMax) return;
		forgetBelow(found, Math.min(...found.results.keys()) + 1);
	}

	takeSnapshot(): SessionTableSnapshot {
		const sessions = [...this.#sessions].sort(([a], [b]) => a - b);
		return {
			sessions: sessions.map(([session, { lastUsed, firstIncomplete, results }]) => ({
				session,
				lastUsed,
				firstIncomplete,
				results: [...results].sort(([a], [b]) => a - b).map(([serial, { index, data }]) => ({ serial, index, data })),
			})),
		};
	}

	restoreSnapshot(snapshot: SessionTableSnapshot): void {
		this.#sessions.clear();
		for (const { session, lastUsed, firstIncomplete, results } of snapshot.sessions) {
			const kept = new Map<number, AppliedResult>();
			for (const { serial, index, data } of results) kept.set(serial, { type: "result", index, data });
			this.#sessions.set(session, { lastUsed, firstIncomplete, results: kept });
		}
	}

	#evictLeastRecentlyUsed(): void {
		let oldest: SessionId | null = null;
		let oldestUse = Number.POSITIVE_INFINITY;
		for (const [session, { lastUsed }] of this.#sessions) {
			if (lastUsed >= oldestUse) continue;
			oldest = session;
			oldestUse = lastUsed;
		}
		if (oldest !== null) this.#sessions.delete(oldest);
	}
}

function forgetBelow(session: Session, firstIncomplete: number): void {
	if (firstIncomplete <= session.firstIncomplete) return;
	session.firstIncomplete = firstIncomplete;
	for (const serial of session.results.keys()) if (serial < firstIncomplete) session.results.delete(serial);
}
