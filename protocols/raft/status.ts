/** Where a participant stands, for people, dashboards and tests: who leads, how far everybody is, and who is behind. */
import type { MonotonicMs, NodeId } from "../core/index.ts";
import { isConfigurationCommitted } from "./active-configuration.ts";
import type { RaftCore, RaftRole } from "./core.ts";
import type { Configuration, LogIndex, Term } from "./entry.ts";
import { leaseLeftMs } from "./lease.ts";
import { bytesUnderWay, isAlive, lagOf, mayAppend, type Progress } from "./progress.ts";
import { lastToSend } from "./replication.ts";
import { isWithoutApplication } from "./witness.ts";

/** Cheap to ask: a leader's costs a little for each member. */
export interface RaftStatus {
	readonly role: RaftRole;
	readonly term: Term;
	readonly leader: NodeId | null;
	readonly commitIndex: LogIndex;
	readonly deliveredIndex: LogIndex;
	readonly lastIndex: LogIndex;
	/** The last compacted index. */
	readonly baseIndex: LogIndex;
	/** The last index of the durable snapshot; 0 if there is none. */
	readonly snapshotIndex: LogIndex;
	readonly pendingProposals: number;
	/** The application is further behind than `maxUnappliedEntries`: no commands are taken. */
	readonly isApplicationBehind: boolean;
	/** It applies nothing and can answer nothing: it is a witness, or its log lacks commands until a snapshot makes it whole. */
	readonly isWithoutState: boolean;
	/** The group is silent, as far as this member knows. */
	readonly isQuiet: boolean;
	/** Bytes of the entries of this leader that are not committed. */
	readonly uncommittedBytes: number;
	readonly pendingReads: number;
	/** Proposals that this follower has passed on to its leader and not answered. */
	readonly forwardedProposals: number;
	/** For how long this leader may answer reads without a round, in milliseconds after this machine's last input; else 0. */
	readonly leaseMs: number;
	/** The configuration in force here, which need not be committed. */
	readonly configuration: Configuration;
	/** The index of its entry; of one that came with a snapshot the snapshot's last, at the first boot 0. */
	readonly configurationIndex: LogIndex;
	readonly configurationCommitted: boolean;
	/** To whom this leader is handing over. */
	readonly transferTo: NodeId | null;
	/** What a leader knows of the other members, in the order in which they joined; empty at everyone else. */
	readonly peers: readonly PeerStatus[];
}

/** One member as its leader sees it: how far it is, and what holds it up. */
export interface PeerStatus {
	readonly node: NodeId;
	/**
	 * `replicate`: it follows. `probe`: where the logs agree is not known, or it can not be reached. `snapshot`: what it
	 * needs next is compacted, so it gets the snapshot.
	 */
	readonly mode: Progress["mode"];
	/** The last entry known to be on its disk. */
	readonly match: LogIndex;
	/** The next entry to send. */
	readonly next: LogIndex;
	/** Entries that it lacks, as far as it has acknowledged. */
	readonly lagEntries: number;
	/** Appends with entries that it has not answered. */
	readonly inflight: number;
	/** The bytes of their entries. */
	readonly inflightBytes: number;
	/**
	 * Why it is sent nothing more at present. `nothing`: it has been sent all that there is, or gets more at once.
	 * `unreachable`: the host believes so. `answer`: of the one append that seeks where the logs agree. `window`: too many
	 * appends or bytes are under way. `snapshot`: it gets that first. `full-member`: it is a witness, and what it lacks is
	 * on no full voter's disk yet.
	 */
	readonly waitsFor: "nothing" | "unreachable" | "answer" | "window" | "snapshot" | "full-member";
	/** Bytes of the snapshot that it has, and of how many; null unless it gets one. */
	readonly snapshotBytes: { readonly sent: number; readonly of: number } | null;
	/** It was heard of within the last two minimum election timeouts, or this leader is younger than that. */
	readonly isAlive: boolean;
	/** Since when it was heard last, in milliseconds before this machine's last input; null: never by this leader. */
	readonly silentMs: number | null;
}

/** `heardAtMs`: when each peer was heard last. */
export function statusOf(core: RaftCore, heardAtMs: ReadonlyMap<NodeId, MonotonicMs>): RaftStatus {
	const { role, term, leader, commitIndex, deliveredIndex, log, snapshot } = core;
	const { pendingProposals, uncommittedBytes, pendingReads, configuration, configurationIndex, transfer } = core;
	const peers = [...core.progress].map(([node, progress]): PeerStatus => {
		const heardMs = heardAtMs.get(node);
		return peerStatusOf(core, node, progress, heardMs === undefined ? null : core.nowMs - heardMs);
	});
	return {
		role,
		term,
		leader,
		commitIndex,
		deliveredIndex,
		lastIndex: log.lastIndex,
		baseIndex: log.baseIndex,
		snapshotIndex: snapshot?.lastIndex ?? (0 as LogIndex),
		pendingProposals,
		isApplicationBehind: core.isApplicationBehind,
		isWithoutState: isWithoutApplication(core),
		isQuiet: core.isQuiet,
		uncommittedBytes,
		pendingReads,
		forwardedProposals: core.forwards.length,
		leaseMs: leaseLeftMs(core),
		configuration,
		configurationIndex,
		configurationCommitted: isConfigurationCommitted(core),
		transferTo: role === "leader" ? (transfer?.to ?? null) : null,
		peers,
	};
}

function peerStatusOf(core: RaftCore, node: NodeId, progress: Progress, silentMs: number | null): PeerStatus {
	const { mode, match, next, inflight, transfer } = progress;
	return {
		node,
		mode,
		match,
		next,
		lagEntries: lagOf(progress, core.log.lastIndex),
		inflight: inflight.length,
		inflightBytes: bytesUnderWay(progress),
		waitsFor: waitsFor(core, node, progress),
		snapshotBytes: transfer === null ? null : { sent: transfer.offset, of: transfer.sizeBytes },
		isAlive: isAlive(progress),
		silentMs,
	};
}

function waitsFor(core: RaftCore, node: NodeId, progress: Progress): PeerStatus["waitsFor"] {
	if (progress.mode === "snapshot") return "snapshot";
	if (progress.next > core.log.lastIndex) return "nothing";
	if (progress.isUnreachable) return "unreachable";
	if (progress.next > lastToSend(core, node)) return "full-member";
	if (mayAppend(progress, core.config)) return "nothing";
	return progress.mode === "probe" ? "answer" : "window";
}
