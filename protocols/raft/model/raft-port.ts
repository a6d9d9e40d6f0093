/** How Raft is put into the model checker: its disk, what of a machine's state matters, and what can not matter any more. */
import { assert, canonicalText, type NodeId, nodeId, type StateMachine, type WriteId } from "../../core/index.ts";
import type { GroupPort } from "../../verification/model-checker/index.ts";
import { type RaftConfig, raftConfig } from "../config.ts";
import type { RaftCore, RaftRole } from "../core.ts";
import type { Entry, LogIndex, Term } from "../entry.ts";
import { RaftMachine } from "../machine.ts";
import type { RaftMessage } from "../messages.ts";
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
> &
	Pick<RaftCore, "hardStateWriteId" | "nextWriteId" | "writes"> & {
		readonly log: {
			readonly baseIndex: LogIndex;
			readonly entries: readonly Entry[];
			readonly durableThrough: LogIndex;
		};
	};

export function raftPort(options: RaftPortOptions): GroupPort<RaftTypes, RaftView> {
	const nodes = Array.from({ length: options.nodes }, (_, i) => nodeId(`n${i + 1}`));
	const create = options.create ?? ((config): ViewableRaft => new RaftMachine(config));
	return {
		nodes,
		create: (node) => create(raftConfig({ nodeId: node, voters: nodes, preVote: options.preVote })),
		blank: {
			hardState: { term: 0 as Term, votedFor: null },
			snapshot: null,
			firstIndex: 1 as LogIndex,
			entries: [],
		},
		performWrite,
		view: (machine) => (machine as ViewableRaft).view,
		essence: (state, oldestUnfinished) => essenceOf(state as RaftState, oldestUnfinished),
		isWithin: (essence) => {
			const { term, log } = essence as RaftState;
			return term <= options.terms && log.baseIndex + log.entries.length <= options.log;
		},
		isObsolete: (message, essence, durable) => isObsolete(message, essence as RaftState, durable),
		// A follower that trusts its leader ignores candidates, which is what one does whose requests are late; and the
		// first firing of its timer ends only that.
		eagerTimer: (state) => {
			const { role, leaderHeard } = state as RaftState;
			return role === "follower" && leaderHeard ? "election" : null;
		},
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
function essenceOf(state: RaftState, oldestUnfinished: WriteId | null): unknown {
	const from = oldestUnfinished ?? state.nextWriteId;
	const since = (writeId: WriteId): number | null => (writeId < from ? null : writeId - from);
	const { configuration: _same, configurations: _all, configurationIndex, ...variables } = state;
	assert(configurationIndex === 0, "nobody joins or leaves a model");
	return {
		...variables,
		nextWriteId: state.nextWriteId - from,
		hardStateWriteId: since(state.hardStateWriteId),
		voteWriteId: state.role === "candidate" ? since(state.voteWriteId) : null,
		writes: state.writes.map(({ writeId, through }) => ({ writeId: since(writeId), through })),
	};
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
 */
function isObsolete(message: RaftMessage, { role }: RaftState, { hardState }: RaftDurable): boolean {
	switch (message.type) {
		case "vote":
			if (message.preVote) return message.term < hardState.term;
			return message.term < hardState.term || (message.term === hardState.term && role !== "candidate");
		case "append-response":
		case "snapshot-response":
			return (
				message.term < hardState.term || (message.term === hardState.term && role !== "candidate" && role !== "leader")
			);
		default:
			return false;
	}
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
