/** How Raft is put into the model checker: its disk, what of a machine's state matters, and what can not matter any more. */
import { assert, canonicalText, must, type NodeId, nodeId, type StateMachine, type WriteId } from "../../core/index.ts";
import { type Envelope, type GroupPort, RANK_MAX } from "../../verification/model-checker/index.ts";
import { type RaftConfig, raftConfig } from "../config.ts";
import type { RaftCore, RaftRole } from "../core.ts";
import type { Entry, LogIndex, Term } from "../entry.ts";
import { RaftMachine } from "../machine.ts";
import type { AppendResponse, RaftMessage } from "../messages.ts";
import type { Progress } from "../progress.ts";
import type { RaftView } from "../view.ts";
import type { RaftDurable, RaftRequest, RaftTypes, RaftWrite } from "../vocabulary.ts";

export interface RaftPortOptions {
	/** Members, named `n1` and so on. */
	readonly nodes: number;
	/** A member with a later term is beyond the bounds. */
	readonly terms: number;
	/** A member with more entries is beyond the bounds. */
	readonly log: number;
	/** Commands that clients propose, each another one. */
	readonly requests: number;
	readonly preVote: boolean;
	/** Default: the machine of this room. A test plants bugs by wrapping it. */
	readonly create?: (config: RaftConfig) => ViewableRaft;
}

/** A Raft machine, or something around one, that observers can look into. */
export interface ViewableRaft extends StateMachine<RaftTypes> {
	readonly view: RaftView;
}

/** The part of a machine's state that this port reads. */
type RaftState = Pick<
	RaftCore,
	| "term"
	| "votedFor"
	| "role"
	| "leader"
	| "commitIndex"
	| "voteWriteId"
	| "configuration"
	| "configurations"
	| "configurationIndex"
	| "leaderHeard"
	| "votes"
	| "progress"
	| "isQuiet"
	| "idleBeats"
	| "isApplicationBehind"
> &
	Pick<RaftCore, "hardStateWriteId" | "nextWriteId" | "writes"> & {
		readonly log: {
			readonly baseIndex: LogIndex;
			readonly entries: readonly Entry[];
			readonly durableThrough: LogIndex;
		};
	};

/** The default of the config, which the essence of a leader counts on. */
const maxInflightAppends = 4;

export function raftPort(options: RaftPortOptions): GroupPort<RaftTypes, RaftView> {
	const nodes = Array.from({ length: options.nodes }, (_, i) => nodeId(`n${i + 1}`));
	const create = options.create ?? ((config): ViewableRaft => new RaftMachine(config));
	return {
		nodes,
		create: (node) => create(raftConfig({ nodeId: node, voters: nodes, preVote: options.preVote, maxInflightAppends })),
		blank: {
			hardState: { term: 0 as Term, votedFor: null },
			snapshot: null,
			firstIndex: 1 as LogIndex,
			entries: [],
		},
		performWrite,
		view: (machine) => (machine as ViewableRaft).view,
		essence: (state, oldestUnfinished) => essenceOf(state as RaftState, oldestUnfinished, options.log),
		isWithin: (essence) => {
			const { term, log } = essence as RaftState;
			return term <= options.terms && log.baseIndex + log.entries.length <= options.log;
		},
		isObsolete: (envelope, essence, durable) => isObsolete(envelope, essence as RaftState, durable),
		eagerTimer: (state) => (firesEagerly(state as RaftState) ? "election" : null),
		rank: (essence) => rankOf(essence as RaftState),
		requests: Array.from({ length: options.requests }, (_, i) => proposal(i + 1)),
		describeMessage,
		describeMember: (essence) => describeMember(essence as RaftState),
	};
}

/** A command outside any session that is told from the others by its only byte. */
function proposal(number: number): RaftRequest {
	const session = 0 as Extract<RaftRequest, { type: "propose" }>["session"];
	return { type: "propose", session, serial: 0, firstIncomplete: 0, data: Uint8Array.of(number) };
}

/** Performs one persist in the order of its fields. Snapshots are far beyond the bounds of any model. */
function performWrite(durable: RaftDurable, write: RaftWrite): RaftDurable {
	const { hardState = durable.hardState, truncateFrom, append } = write;
	const isPlain = write.snapshotChunk === undefined && write.installSnapshot === undefined;
	assert(isPlain && write.compactThrough === undefined, "a model's log is never compacted");
	let { entries } = durable;
	if (truncateFrom !== undefined) {
		assert(truncateFrom >= durable.firstIndex, "only entries that are there are removed", { truncateFrom });
		entries = entries.slice(0, truncateFrom - durable.firstIndex);
	}
	if (append !== undefined) {
		const next = durable.firstIndex + entries.length;
		assert(append.firstIndex === next, "an append continues the log exactly", { next, firstIndex: append.firstIndex });
		entries = [...entries, ...append.entries];
	}
	return { ...durable, hardState, entries };
}

/**
 * The state with persists numbered from the oldest unfinished one. Of a finished persist only that it is finished matters:
 * numbers are compared with those of unfinished ones, or with the one that completes. The persist of one's own vote
 * matters to a candidate only. The configuration is the same for ever.
 */
function essenceOf(state: RaftState, oldestUnfinished: WriteId | null, logMax: number): unknown {
	const from = oldestUnfinished ?? state.nextWriteId;
	const since = (writeId: WriteId): number | null => (writeId < from ? null : writeId - from);
	const { configuration: _same, configurations: _all, configurationIndex, ...more } = state;
	assert(configurationIndex === 0, "nobody joins or leaves a model");
	const { isQuiet, idleBeats, isApplicationBehind, ...variables } = more;
	assert(
		!isQuiet && idleBeats === 0 && !isApplicationBehind,
		"a model is never silent, and its applications never lag",
	);
	return {
		...variables,
		nextWriteId: state.nextWriteId - from,
		hardStateWriteId: since(state.hardStateWriteId),
		voteWriteId: state.role === "candidate" ? since(state.voteWriteId) : null,
		writes: state.writes.map(({ writeId, through }) => ({ writeId: since(writeId), through })),
		progress: new Map([...state.progress].map(([peer, progress]) => [peer, essenceOfProgress(progress, logMax)])),
	};
}

/**
 * What of a peer's progress matters to a model: not which appends are unanswered, if as many as the log has entries may be
 * sent ahead; and not whether the peer was heard of before the last check of the quorum, which only changes of members and
 * transfers ask.
 */
function essenceOfProgress(progress: Progress, logMax: number): unknown {
	const { inflight, inflightBytes, activeBefore: _before, ...variables } = progress;
	return logMax < maxInflightAppends ? variables : { ...variables, inflight, inflightBytes };
}

/**
 * A follower that trusts its leader ignores candidates, which is what one does whose requests are late; and the first
 * firing of its timer ends only that.
 *
 * A leader that has heard a quorum only forgets that when its timer fires, and steps down when it fires again. One that has
 * forgotten can do all that the other can: both take every message alike, but for what they remember of who was heard, and
 * nothing else in a model asks that. Let `X` be who was heard by one and `Y`, without a quorum, by the other. Fires the
 * first one's timer, then either `X` is a quorum, and is forgotten: the other need do nothing. Or both step down. Is a
 * peer heard, then `Y` gets it too, and is forgotten at once if that makes a quorum. So the second has no quorum again.
 */
function firesEagerly({ role, leaderHeard, progress }: RaftState): boolean {
	if (role === "follower") return leaderHeard;
	if (role !== "leader") return false;
	let heard = 1;
	for (const { recentlyActive } of progress.values()) if (recentlyActive) heard++;
	return 2 * heard > progress.size + 1;
}

const roleRanks: Readonly<Record<RaftRole, number>> = { follower: 0, "pre-candidate": 0, candidate: 1, leader: 2 };

/** Terms first, then logs and what is known of them. All but roles only grow in one life and term. */
function rankOf({ term, votedFor, role, votes, commitIndex, log, progress }: RaftState): number {
	let rank = 8 * term + 3 * log.entries.length + 3 * commitIndex + (votedFor === null ? 0 : 1) + roleRanks[role];
	rank += votes.size;
	for (const { match, mode } of progress.values()) rank += match + (mode === "replicate" ? 1 : 0);
	return Math.min(rank, RANK_MAX);
}

/**
 * An answer that its receiver can never use again:
 *
 * 1. A member's term never falls below that on its disk, and answers of an earlier term are dropped (Figure 2, "Rules for
 *    Servers").
 * 2. A campaign always enters a term later than the one on the disk, and only a candidate becomes leader. So a member
 *    that is no candidate in the term on its disk never counts votes of that term again, and one that is neither
 *    candidate nor leader never leads it.
 * 3. A granted pre-vote names the term after the one in which it was given, and counts for whoever asks in that term.
 * 4. A candidate counts the first answer of each voter; a campaign ends when its member crashes.
 * 5. While a leader leads, which it never does again in one term, `match` only grows. An acknowledgement below it, and a
 *    refusal at or below it, tell nothing but that the peer is there; and a leader that has just heard so is one that has
 *    not, under reduction (see {@link firesEagerly}) and if each single peer makes a quorum with it.
 */
function isObsolete(
	{ from, message }: Envelope<RaftTypes>,
	{ role, term, votes, progress }: RaftState,
	{ hardState }: RaftDurable,
): boolean {
	switch (message.type) {
		case "vote":
			if (message.preVote) return message.term < hardState.term;
			if (message.term === term && role === "candidate" && votes.has(from)) return true;
			return message.term < hardState.term || (message.term === hardState.term && role !== "candidate");
		case "append-response":
		case "snapshot-response":
			if (
				message.term < hardState.term ||
				(message.term === hardState.term && role !== "candidate" && role !== "leader")
			) {
				return true;
			}
			if (message.type !== "append-response" || message.term !== term || role !== "leader") return false;
			return isOldNews(message, must(progress.get(from), "a leader knows its peers"), progress.size);
		default:
			return false;
	}
}

function isOldNews({ accepted, index }: AppendResponse, { match }: Progress, peers: number): boolean {
	return peers <= 2 && (accepted ? index < match : index <= match);
}

function describeMessage(message: RaftMessage): string {
	const { type, ...fields } = message;
	const parts = Object.entries(fields).map(([name, value]) => {
		if (name === "entries") return `entries [${(value as readonly Entry[]).map(describeEntry).join(", ")}]`;
		return `${name} ${typeof value === "string" ? value : canonicalText(value)}`;
	});
	return [type, ...parts].join(" ");
}

function describeEntry({ term, kind, data }: Entry): string {
	return kind === "command" ? `command ${data.join()} of term ${term}` : `${kind} of term ${term}`;
}

const roleNames: Readonly<Record<RaftRole, string>> = {
	follower: "follower",
	"pre-candidate": "pre-candidate",
	candidate: "candidate",
	leader: "leader",
};

function describeMember({ role, term, votedFor, leader, commitIndex, log }: RaftState): string {
	const vote = votedFor === null ? "no vote" : `voted for ${votedFor}`;
	const follows = role === "follower" && leader !== null ? ` of ${leader as NodeId}` : "";
	const entries = log.entries.map(describeEntry).join(", ");
	return (
		`${roleNames[role]}${follows} in term ${term}, ${vote}, log [${entries}], ` +
		`durable through ${log.durableThrough}, committed ${commitIndex}`
	);
}
