/**
 * What `quorate run` needs of the swarm that it loads, kills and judges: a narrow port, so that the workload, the leader
 * killer and the verdict can be tested against something that misbehaves on purpose.
 */
import type { Observable } from "rxjs";
import type { Leadership } from "../swarm/index.ts";
import type { LedgerCommand, LedgerQuery, LedgerResult, LedgerSummary } from "./flight-ledger.ts";

/** One client of the ledger: exactly-once commands and linearizable reads. Retries are its own affair. */
export interface LedgerClient {
	/** Resolves when the command is applied. Rejects when its outcome can not be known or it certainly has no effect. */
	propose(command: LedgerCommand): Promise<LedgerResult>;
	read(query: LedgerQuery): Promise<unknown>;
}

export interface TargetNode {
	readonly id: string;
	/** `down` from the loss of its thread until its actor handles messages again. */
	readonly state: "running" | "down";
	readonly role: string;
	readonly term: number;
	/** The highest index known to be committed. */
	readonly commit: number;
	readonly restarts: number;
}

export type TargetEvent =
	| ({ readonly type: "leader-elected" } & Leadership)
	/** A node's thread has ended. */
	| { readonly type: "node-lost"; readonly node: string }
	/** A lost node's actor handles messages again. */
	| { readonly type: "node-recovered"; readonly node: string }
	/** Worth a line to whoever watches. */
	| { readonly type: "noted"; readonly text: string };

/** What a target has found out about its members beside what all targets show. */
export interface Findings {
	readonly title: string;
	readonly lines: readonly string[];
	/** The same as plain data. */
	readonly data: Readonly<Record<string, unknown>>;
	/** What must not be, one sentence each. */
	readonly faults: readonly string[];
}

export interface RunTarget {
	/** What its user should know about how it was asked for, such as an even number of members. */
	readonly notes: readonly string[];
	readonly nodes: readonly TargetNode[];
	/** The leader of the highest term, if its thread runs. */
	readonly leader: Leadership | null;
	readonly events$: Observable<TargetEvent>;
	/** A client with a session of its own and at most `window` commands outstanding. */
	openClient(window: number): Promise<LedgerClient>;
	/** Ends a node's thread at once, as a crash would. */
	kill(node: string): Promise<void>;
	/** What one replica holds now, by itself: no read that the others confirm. */
	inspectReplica(node: string): Promise<LedgerSummary>;
	/** At the end of the load; a target that finds out nothing has none. */
	findings?(): Promise<Findings>;
	stop(): Promise<void>;
}
