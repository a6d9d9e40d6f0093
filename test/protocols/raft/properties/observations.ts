/** Observations of a Raft group made by hand: what a watcher is shown, without a machine behind it. */
import { type Effect, must, type NodeId } from "../../../../protocols/core/index.ts";
import { configurationOf } from "../../../../protocols/raft/configuration.ts";
import type {
	Configuration,
	Entry,
	LogIndex,
	RaftDelivery,
	RaftDurable,
	RaftEvent,
	RaftMessage,
	RaftRole,
	RaftSnapshot,
	RaftTypes,
	RaftView,
	RaftWrite,
	Term,
} from "../../../../protocols/raft/index.ts";
import type { RaftObservation } from "../../../../protocols/raft/properties/index.ts";
import { index, term, three } from "../lone-machine.ts";

/** What a member shows of itself; all that is not given is that of a follower without a log. */
export interface Shown {
	readonly term?: number;
	readonly role?: RaftRole;
	readonly commit?: number;
	readonly delivered?: number;
	readonly snapshot?: RaftSnapshot | null;
	readonly restoring?: RaftSnapshot;
	readonly base?: readonly [index: number, term: number];
	readonly log?: readonly Entry[];
	readonly durable?: number;
	/** Default: a, b and c. */
	readonly configuration?: Configuration;
	readonly configurationIndex?: number;
}

const firstConfiguration = configurationOf(three);

function viewOf(shown: Shown): RaftView {
	const log = shown.log ?? [];
	const [baseIndex, baseTerm] = (shown.base ?? [0, 0]) as [LogIndex, Term];
	const commitIndex = index(shown.commit ?? 0);
	return {
		term: term(shown.term ?? 1),
		votedFor: null,
		role: shown.role ?? "follower",
		leader: null,
		commitIndex,
		deliveredIndex: index(shown.delivered ?? commitIndex),
		snapshot: shown.snapshot ?? null,
		restoring: shown.restoring === undefined ? null : { snapshot: shown.restoring },
		configuration: shown.configuration ?? firstConfiguration,
		configurationIndex: index(shown.configurationIndex ?? 0),
		log: {
			baseIndex,
			baseTerm,
			lastIndex: index(baseIndex + log.length),
			lastTerm: log.at(-1)?.term ?? baseTerm,
			durableThrough: index(shown.durable ?? 0),
			termAt: (at) => (at === baseIndex ? baseTerm : log[at - baseIndex - 1]?.term),
			entryAt: (at) => must(log[at - baseIndex - 1], "the index is in the log"),
		},
	};
}

export function batch(node: NodeId, shown: Shown, ...effects: Effect<RaftTypes>[]): RaftObservation {
	return { type: "batch", node, machine: viewOf(shown), effects };
}

/** The batch has also brought these questions of clients. */
export function asking(observation: RaftObservation, ...asked: readonly number[]): RaftObservation {
	return observation.type === "batch" ? { ...observation, asked: new Set(asked) } : observation;
}

export function leading(node: NodeId, shown: Shown, ...effects: Effect<RaftTypes>[]): RaftObservation {
	return batch(node, { role: "leader", ...shown }, ...effects);
}

export function persist(write: RaftWrite): Effect<RaftTypes> {
	return { type: "persist", writeId: 1, write };
}

export function emit(event: RaftEvent): Effect<RaftTypes> {
	return { type: "emit", event };
}

export function apply(delivery: RaftDelivery): Effect<RaftTypes> {
	return { type: "apply", delivery, release: "immediate" };
}

export function send(to: NodeId, message: RaftMessage): Effect<RaftTypes> {
	return { type: "send", to, message, release: "immediate" };
}

/** Entries handed to the application. */
export function deliver(firstIndex: number, ...delivered: Entry[]): Effect<RaftTypes> {
	return apply({ type: "entries", firstIndex: index(firstIndex), entries: delivered, requestIds: null });
}

export function started(node: NodeId): RaftObservation {
	return { type: "started", node };
}

export function ended(node: NodeId): RaftObservation {
	return { type: "ended", node };
}

export function applied(node: NodeId, index: number): RaftObservation {
	return { type: "applied", node, index };
}

export function published(node: NodeId, event: RaftEvent): RaftObservation {
	return { type: "event", node, event };
}

export function roleChanged(node: NodeId, inTerm: number, role: RaftRole): RaftObservation {
	return published(node, { type: "role-changed", role, term: term(inTerm), leader: role === "leader" ? node : null });
}

/** What a disk holds; all that is not given is that of an empty one. */
export interface Disk {
	readonly term?: number;
	readonly votedFor?: NodeId;
	readonly snapshot?: RaftSnapshot;
	readonly firstIndex?: number;
	readonly log?: readonly Entry[];
}

function durableOf({ term: inTerm = 0, votedFor, snapshot, firstIndex = 1, log = [] }: Disk): RaftDurable {
	return {
		hardState: { term: term(inTerm), votedFor: votedFor ?? null },
		snapshot: snapshot ?? null,
		firstIndex: index(firstIndex),
		entries: log,
	};
}

export function persisted(node: NodeId, disk: Disk): RaftObservation {
	return { type: "persisted", node, durable: durableOf(disk) };
}

export function left(from: NodeId, to: NodeId, message: RaftMessage, disk: Disk): RaftObservation {
	return { type: "left", from, to, message, durable: durableOf(disk) };
}
