/**
 * The application side of a Raft participant: decided entries in, answers to local requests out, exactly once per
 * session command. It works on bytes; who owns the codec of commands wraps the application. Threads, simulator and
 * tests use the same one.
 */
import { assertNever, type LogPosition, type RequestId } from "../core/index.ts";
import { decodeConfiguration } from "./configuration-codec.ts";
import type { Configuration, Entry, LogIndex, SessionId } from "./entry.ts";
import { type AppliedResult, type SessionLimits, SessionTable, type SessionTableSnapshot } from "./sessions.ts";
import type { RaftDelivery } from "./vocabulary.ts";

/** The replicated application as bytes. The rules of `Application` in `protocols/core` hold. */
export interface ByteApplication {
	apply(data: Uint8Array, position: LogPosition): Uint8Array;
	query(data: Uint8Array): Uint8Array;
	takeSnapshot(): Uint8Array;
	restoreSnapshot(snapshot: Uint8Array): void;
}

/** What a local request is answered with by the application side. */
export type RaftAnswer =
	/** The command was applied at `index`, now or (a repetition) before. */
	| AppliedResult
	| { readonly type: "session-opened"; readonly session: SessionId }
	| { readonly type: "answer"; readonly data: Uint8Array }
	/** The change is done: this configuration is in force, by the entry at `index`. */
	| { readonly type: "membership-changed"; readonly index: LogIndex; readonly configuration: Configuration }
	/** Not applied now; whether it was before is not known. */
	| { readonly type: "session-unknown" }
	/** Not applied now; it was before, and its result is forgotten. */
	| { readonly type: "stale-serial" };

export interface RequestAnswer {
	readonly requestId: RequestId;
	readonly answer: RaftAnswer;
}

/** The whole replicated state: the application's and the session table's, at one point of the log. */
export interface ApplierSnapshot {
	readonly application: Uint8Array;
	readonly sessions: SessionTableSnapshot;
}

export class RaftApplier {
	readonly #application: ByteApplication;
	readonly #sessions: SessionTable;

	constructor(application: ByteApplication, limits?: SessionLimits) {
		this.#application = application;
		this.#sessions = new SessionTable(limits);
	}

	/** Performs a delivery and returns the answers to the local requests that waited for it, in order. */
	perform(delivery: Extract<RaftDelivery, { type: "entries" | "query" }>): RequestAnswer[] {
		if (delivery.type === "query") {
			const { requestId, query } = delivery;
			return [{ requestId, answer: { type: "answer", data: this.#application.query(query) } }];
		}
		const { firstIndex, entries, requestIds } = delivery;
		const answers: RequestAnswer[] = [];
		for (let i = 0; i < entries.length; i++) {
			const answer = this.#applyEntry(entries[i] as Entry, (firstIndex + i) as LogIndex);
			const requestId = requestIds?.[i] ?? null;
			if (requestId !== null && answer !== null) answers.push({ requestId, answer });
		}
		return answers;
	}

	takeSnapshot(): ApplierSnapshot {
		return { application: this.#application.takeSnapshot(), sessions: this.#sessions.takeSnapshot() };
	}

	restoreSnapshot(snapshot: ApplierSnapshot): void {
		this.#application.restoreSnapshot(snapshot.application);
		this.#sessions.restoreSnapshot(snapshot.sessions);
	}

	/** Applies one entry; null for a kind that nobody can wait for. */
	#applyEntry(entry: Entry, index: LogIndex): RaftAnswer | null {
		switch (entry.kind) {
			case "no-op":
			// No member with an application is handed any.
			case "withheld":
				return null;
			case "configuration":
				return { type: "membership-changed", index, configuration: decodeConfiguration(entry.data) };
			case "open-session":
				return { type: "session-opened", session: this.#sessions.open(index) };
			case "command":
				return this.#applyCommand(entry, index);
			default:
				return assertNever(entry.kind, "entry kind");
		}
	}

	#applyCommand(entry: Entry, index: LogIndex): RaftAnswer {
		const { session, serial, firstIncomplete, data, term } = entry;
		if (session === 0) return { type: "result", index, data: this.#application.apply(data, { index, term }) };
		const verdict = this.#sessions.look(session, serial, firstIncomplete, index);
		if (verdict.type !== "new") return verdict;
		const result: AppliedResult = { type: "result", index, data: this.#application.apply(data, { index, term }) };
		this.#sessions.record(session, serial, result);
		return result;
	}
}
