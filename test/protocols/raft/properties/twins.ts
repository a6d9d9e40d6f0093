/** Each property of Raft with two streams of observations: one that keeps or witnesses it, and one that does not. */

import { configurationOf } from "../../../../protocols/raft/configuration.ts";
import type { Entry, RaftEvent, RaftMessage, SessionId } from "../../../../protocols/raft/index.ts";
import type { RaftObservation } from "../../../../protocols/raft/properties/index.ts";
import type { FindingDetails } from "../../../../protocols/verification/index.ts";
import { a, accepted, b, bytes, c, command, d, e, entriesOf, index, snapshotAt, term, vote } from "../lone-machine.ts";
import {
	applied,
	apply,
	asking,
	batch,
	deliver,
	emit,
	ended,
	leading,
	left,
	persist,
	persisted,
	published,
	roleChanged,
	send,
	started,
} from "./observations.ts";

export interface Twins {
	readonly id: string;
	/** What the positive stream shows beyond the usual. */
	readonly about: string;
	/** Evaluated and never violated (`always`), witnessed at the last observation (`sometimes`), true at the end. */
	readonly good: readonly RaftObservation[];
	/** Violated at the last observation (`always`), never witnessed, false at the end. */
	readonly bad: readonly RaftObservation[];
	/** What the finding must say; null of a `sometimes`. */
	readonly details: FindingDetails | null;
}

const log = entriesOf;
/** A command of session 1. */
const inSession = (inTerm: number, serial: number, text: string): Entry => ({
	...command(inTerm, text),
	session: 1 as SessionId,
	serial,
});

const committed = (inTerm: number, at: number): RaftEvent => ({
	type: "commit-advanced",
	term: term(inTerm),
	index: index(at),
});
/** What a witness has in place of a command. */
const withheld = (inTerm: number): Entry => ({ ...command(inTerm, ""), kind: "withheld" });
const query = apply({ type: "query", requestId: 1, query: bytes("?") });
const chunk = (offset: number): RaftMessage => ({
	type: "install-snapshot",
	term: term(1),
	...snapshotAt(3, 1),
	withheld: false,
	offset,
	data: bytes("data"),
	round: 0,
});
const withWitness = configurationOf([a, b, c], [], [c]);

export const twins: readonly Twins[] = [
	{
		id: "election-safety",
		about: "one leader elected again in a later term, told twice",
		good: [roleChanged(a, 1, "leader"), roleChanged(a, 1, "leader"), roleChanged(b, 2, "leader")],
		bad: [roleChanged(a, 1, "leader"), roleChanged(b, 2, "leader"), roleChanged(b, 1, "leader")],
		details: { term: 1, leader: "a", other: "b" },
	},
	{
		id: "leader-append-only",
		about: "a follower may cut, and so may a leader of another term",
		good: [
			leading(a, { term: 1, log: log([1, 1]) }),
			leading(a, { term: 1, log: log([1, 1, 1]) }),
			leading(a, { term: 1, base: [2, 1], log: log([1, 1, 1]).slice(2) }),
			batch(a, { term: 2, log: log([1]) }, persist({ truncateFrom: index(2) })),
			leading(a, { term: 3, log: log([1, 3]) }),
			leading(a, { term: 3, log: log([1, 3]) }),
		],
		bad: [leading(a, { term: 1, log: log([1, 1]) }), leading(a, { term: 1, log: log([1]) })],
		details: { node: "a", term: 1, lastIndex: 1, lastIndexBefore: 2 },
	},
	{
		id: "leader-append-only",
		about: "an equal entry that is another object",
		good: [leading(a, { log: log([1, 1]) }), leading(a, { log: [...log([1, 1]), command(1)] })],
		bad: [leading(a, { log: log([1, 1]) }), leading(a, { log: [command(1, "1/1"), command(1, "other")] })],
		details: { node: "a", term: 1, overwritten: 2 },
	},
	{
		id: "leader-append-only",
		about: "a persist that appends",
		good: [
			leading(a, {}),
			leading(a, { log: log([1]) }, persist({ append: { firstIndex: index(1), entries: log([1]) } })),
		],
		bad: [leading(a, { log: log([1]) }), leading(a, { log: log([1]) }, persist({ truncateFrom: index(1) }))],
		details: { node: "a", term: 1, cutFrom: 1 },
	},
	{
		id: "log-matching",
		about: "logs that differ in terms, and conflicts that are cut",
		good: [
			leading(a, { term: 1, log: log([1, 1]) }),
			leading(b, { term: 2, log: log([1, 2]) }),
			batch(a, { term: 2, log: log([1, 2]) }, persist({ truncateFrom: index(2) })),
			batch(c, { term: 2, base: [1, 1], log: log([1, 2]).slice(1) }),
		],
		bad: [
			batch(a, { log: log([1, 1]) }),
			batch(b, { log: log([1]) }),
			batch(b, { log: [...log([1]), command(1, "another")] }),
		],
		details: { node: "b", index: 2, term: 1, differs: "the entry" },
	},
	{
		id: "log-matching",
		about: "a life that begins anew",
		good: [batch(a, { log: log([1, 1]) }), ended(a), started(a), batch(a, { log: log([1]) })],
		bad: [batch(a, { log: log([1, 3]) }), ended(a), batch(b, { log: [command(2), command(3, "2/3")] })],
		details: { node: "b", index: 2, term: 3, differs: "the entry before", termBefore: 2, elsewhere: 1 },
	},
	{
		id: "log-matching",
		about: "a cut that brings the same again",
		good: [batch(a, { log: log([1, 1, 1]) }), batch(a, { log: log([1, 1, 1]) }, persist({ truncateFrom: index(1) }))],
		bad: [
			batch(a, { log: log([1, 1, 1]) }),
			batch(
				a,
				{ log: [command(1, "1/1"), command(1, "shifted"), command(1, "3/1")] },
				persist({ truncateFrom: index(2) }),
			),
		],
		details: { node: "a", index: 2, term: 1, differs: "the entry" },
	},
	{
		id: "leader-completeness",
		about: "a leader that has compacted what was committed",
		good: [
			leading(a, { term: 1, commit: 2, log: log([1, 1]) }),
			leading(b, { term: 2, commit: 2, base: [2, 1], log: log([0, 0, 2]).slice(2) }),
			leading(b, { term: 2, commit: 3, base: [2, 1], log: log([0, 0, 2]).slice(2) }),
		],
		bad: [leading(a, { term: 1, commit: 2, log: log([1, 1]) }), leading(b, { term: 2, log: log([1, 2]) })],
		details: { node: "b", term: 2, index: 2, committedByTerm: 1, lastIndex: 2 },
	},
	{
		id: "leader-completeness",
		about: "a leader of an earlier term that has not heard yet",
		good: [leading(b, { term: 2, commit: 1, log: log([2]) }), leading(a, { term: 1, log: [] })],
		// The commit becomes known after the election.
		bad: [
			leading(b, { term: 2, log: log([2]) }),
			batch(a, { term: 1, commit: 1, log: log([1]) }),
			leading(b, { term: 2, log: log([2]) }),
		],
		details: { node: "b", term: 2, index: 1, committedByTerm: 1, lastIndex: 1 },
	},
	{
		id: "state-machine-safety",
		about: "the same entries at two members",
		good: [
			batch(a, {}, deliver(1, ...log([1, 1]))),
			batch(b, {}, deliver(1, ...log([1])), deliver(2, log([1, 1])[1] as Entry)),
		],
		bad: [batch(a, {}, deliver(1, ...log([1, 1]))), ended(a), batch(b, {}, deliver(2, command(1, "other")))],
		details: { node: "b", index: 2, term: 1 },
	},
	{
		id: "committed-agreement",
		about: "a life that begins before what it had committed",
		good: [
			batch(a, { commit: 2, log: log([1, 1]) }),
			ended(a),
			started(a),
			batch(a, { commit: 1, log: log([1]) }),
			batch(b, { commit: 3, base: [1, 1], log: log([1, 1, 2]).slice(1) }),
		],
		bad: [batch(a, { commit: 1, log: log([1, 1]) }), ended(a), batch(b, { term: 2, commit: 2, log: log([2, 2]) })],
		details: { node: "b", index: 1, term: 2 },
	},
	{
		id: "committed-on-quorum",
		about: "a snapshot that covers the entry, and a disk that loses what is not committed",
		good: [
			persisted(a, { log: log([1, 1]) }),
			persisted(b, { log: log([1]) }),
			leading(a, { commit: 1, log: log([1, 1]) }),
			persisted(a, { log: log([1]) }),
			persisted(b, { snapshot: snapshotAt(2, 1), firstIndex: 3 }),
			persisted(a, { log: log([1, 1]) }),
			leading(a, { commit: 2, log: log([1, 1]) }),
		],
		bad: [persisted(a, { log: log([1]) }), persisted(b, { log: log([2]) }), leading(a, { commit: 1, log: log([1]) })],
		details: { index: 1, holders: "a", voters: "a b c" },
	},
	{
		id: "committed-on-quorum",
		about: "a disk that shows itself when a message leaves it",
		good: [
			left(a, b, accepted(1, 1), { log: log([1]) }),
			left(b, a, accepted(1, 1), { log: log([1]) }),
			leading(a, { commit: 1, log: log([1]) }),
		],
		bad: [
			persisted(a, { log: log([1, 1]) }),
			persisted(b, { log: log([1, 1]) }),
			leading(a, { commit: 2, log: log([1, 1]) }),
			ended(b),
			persisted(b, { log: log([1]) }),
		],
		details: { index: 2, holders: "a", voters: "a b c" },
	},
	{
		id: "monotone-term",
		about: "a crash, seen or not, before a term was durable",
		good: [
			roleChanged(a, 4, "leader"),
			roleChanged(a, 5, "candidate"),
			roleChanged(a, 4, "follower"),
			started(b),
			batch(b, { term: 5 }),
			ended(b),
			started(b),
			batch(b, { term: 4 }),
		],
		bad: [roleChanged(a, 4, "leader"), roleChanged(a, 3, "follower")],
		details: { node: "a", term: 3, floor: 4 },
	},
	{
		id: "monotone-term",
		about: "a batch whose events are of the terms it went through",
		good: [started(a), batch(a, { term: 3 }), roleChanged(a, 2, "candidate"), roleChanged(a, 3, "follower")],
		bad: [started(a), batch(a, { term: 5 }), batch(a, { term: 4 })],
		details: { node: "a", term: 4, floor: 5 },
	},
	{
		id: "monotone-term",
		about: "a leader's next life",
		good: [started(a), leading(a, { term: 5 }), ended(a), started(a), batch(a, { term: 5 })],
		bad: [started(a), leading(a, { term: 5 }), ended(a), started(a), batch(a, { term: 4 })],
		details: { node: "a", term: 4, floor: 5 },
	},
	{
		id: "monotone-commit",
		about: "another life",
		good: [batch(a, { commit: 2 }), batch(b, { commit: 1 }), ended(a), started(a), batch(a, { commit: 1 })],
		bad: [batch(a, { commit: 2 }), batch(b, { commit: 1 }), batch(a, { commit: 1 })],
		details: { node: "a", index: 1, before: 2 },
	},
	{
		id: "monotone-applied",
		about: "another life",
		good: [batch(a, { delivered: 2 }), started(a), batch(a, { delivered: 1 })],
		bad: [batch(a, { delivered: 2 }), batch(a, { delivered: 1 })],
		details: { node: "a", index: 1, before: 2 },
	},
	{
		id: "index-order",
		about: "an installed snapshot that is not durable yet",
		good: [
			batch(a, { log: log([1, 1]), commit: 1 }),
			batch(a, {
				base: [3, 1],
				snapshot: snapshotAt(4, 1),
				restoring: snapshotAt(4, 1),
				commit: 4,
				delivered: 1,
				log: log([1]),
			}),
		],
		bad: [batch(a, { base: [3, 1], snapshot: snapshotAt(4, 1), commit: 4, delivered: 3, log: log([1]) })],
		details: { node: "a", purged: 3, snapshot: 4, applied: 3, committed: 4, last: 4 },
	},
	...(
		[
			["purged beyond the snapshot", { base: [3, 1], snapshot: snapshotAt(2, 1), commit: 3 }, [3, 2, 3, 3, 3]],
			["applied beyond the commit", { commit: 1, delivered: 2, log: log([1, 1]) }, [0, 0, 2, 1, 2]],
			["committed beyond the log", { commit: 2, log: log([1]) }, [0, 0, 2, 2, 1]],
		] as const
	).map(([about, shown, [purged, snapshot, appliedIndex, committed, last]]): Twins => {
		const details = { node: "a", purged, snapshot, applied: appliedIndex, committed, last };
		return { id: "index-order", about, good: [batch(a, {})], bad: [batch(a, shown)], details };
	}),
	{
		id: "snapshot-matches-log",
		about: "a log that goes on behind its snapshot, with its last entry or without",
		good: [
			batch(a, { base: [4, 1], snapshot: snapshotAt(4, 1), commit: 4, delivered: 4, log: log([1]) }),
			batch(a, { base: [3, 1], snapshot: snapshotAt(4, 1), commit: 4, delivered: 4, log: log([1, 2]) }),
		],
		bad: [batch(a, { base: [3, 1], snapshot: snapshotAt(4, 2), commit: 4, delivered: 4, log: log([1, 2]) })],
		details: { node: "a", lastIndex: 4, lastTerm: 2, logTerm: 1 },
	},
	{
		id: "delivery-order",
		about: "a snapshot in between, and another life",
		good: [
			started(a),
			batch(a, {}, deliver(1, ...log([1, 1]))),
			batch(a, {}, apply({ type: "restore-snapshot", snapshot: snapshotAt(7, 1) })),
			batch(a, {}, deliver(8, command(1))),
			ended(a),
			started(a),
			batch(a, {}, deliver(1, command(1))),
		],
		bad: [started(a), batch(a, {}, deliver(1, ...log([1, 1]))), batch(a, {}, deliver(2, command(1)))],
		details: { node: "a", firstIndex: 2, expected: 3 },
	},
	{
		id: "delivery-order",
		about: "a watch that began late",
		good: [batch(a, {}, deliver(5, command(1))), batch(a, {}, deliver(6, command(1)))],
		bad: [started(a), batch(a, {}, deliver(2, command(1)))],
		details: { node: "a", firstIndex: 2, expected: 1 },
	},
	{
		id: "exactly-once",
		about: "a command that is decided twice and applied once, at two members",
		good: [
			batch(a, {}, deliver(2, inSession(1, 1, "x"), inSession(2, 1, "x"))),
			applied(a, 2),
			batch(b, {}, deliver(2, inSession(1, 1, "x"))),
			applied(b, 2),
		],
		bad: [batch(a, {}, deliver(2, inSession(1, 1, "x"), inSession(2, 1, "x"))), applied(a, 2), applied(a, 3)],
		details: { node: "a", index: 3, command: "1.1", firstIndex: 2 },
	},
	{
		id: "exactly-once",
		about: "commands outside sessions, applied as often as they are decided",
		good: [batch(a, {}, deliver(2, command(1, "x"), command(1, "x"))), applied(a, 2), applied(a, 3)],
		bad: [batch(a, {}, deliver(2, inSession(1, 1, "x"))), batch(b, {}, deliver(3, inSession(2, 1, "y")))],
		details: { index: 3, session: 1, serial: 1, differs: "the command" },
	},
	{
		id: "one-change-at-a-time",
		about: "a leader's second change, once the first is committed, and a follower that learns both at once",
		good: [
			leading(a, { commit: 3, configurationIndex: 3 }),
			leading(a, { commit: 3, configurationIndex: 4 }),
			leading(a, { commit: 4, configurationIndex: 5 }),
			batch(b, {}),
			batch(b, { commit: 3, configurationIndex: 5 }),
			leading(b, { term: 2, commit: 3, configurationIndex: 5 }),
		],
		bad: [leading(a, { commit: 3, configurationIndex: 4 }), leading(a, { commit: 3, configurationIndex: 5 })],
		details: { node: "a", index: 5, voters: "a b c", indexBefore: 4, committed: 3 },
	},
	{
		id: "consecutive-quorums-intersect",
		about: "one member more, and others over a joint configuration",
		good: [
			leading(a, {}),
			leading(a, { configurationIndex: 1, configuration: configurationOf([a, b, c, d]) }),
			leading(a, { configurationIndex: 2, configuration: { ...configurationOf([a, e]), outgoing: [a, b, c, d] } }),
			leading(a, { configurationIndex: 3, configuration: configurationOf([a, e]) }),
			leading(a, { configurationIndex: 4, configuration: configurationOf([e]) }),
		],
		bad: [leading(a, {}), leading(a, { configurationIndex: 1, configuration: configurationOf([a, b, c, d, e]) })],
		details: { node: "a", index: 1, voters: "a b c d e", indexBefore: 0, committed: 0 },
	},
	{
		id: "consecutive-quorums-intersect",
		about: "two of three that stay",
		good: [leading(a, {}), leading(a, { configurationIndex: 1, configuration: configurationOf([a, b]) })],
		bad: [leading(a, {}), leading(a, { configurationIndex: 1, configuration: configurationOf([c, d, e]) })],
		details: { node: "a", index: 1, voters: "c d e", indexBefore: 0, committed: 0 },
	},
	{
		id: "durable-vote-kept",
		about: "a vote given late in a term, and one in the next",
		good: [
			persisted(a, { term: 1 }),
			persisted(a, { term: 1, votedFor: b }),
			persisted(a, { term: 1, votedFor: b }),
			persisted(a, { term: 2 }),
			persisted(b, { term: 1 }),
		],
		bad: [persisted(a, { term: 1, votedFor: b }), persisted(a, { term: 1, votedFor: c })],
		details: { node: "a", term: 1, votedFor: "c", votedForBefore: "b" },
	},
	{
		id: "one-change-at-a-time",
		about: "a leader's second change, once the first is committed, and a follower that learns both at once",
		good: [
			leading(a, { commit: 3, configurationIndex: 3 }),
			leading(a, { commit: 3, configurationIndex: 4 }),
			leading(a, { commit: 4, configurationIndex: 5 }),
			batch(b, {}),
			batch(b, { commit: 3, configurationIndex: 5 }),
			leading(b, { term: 2, commit: 3, configurationIndex: 5 }),
		],
		bad: [leading(a, { commit: 3, configurationIndex: 4 }), leading(a, { commit: 3, configurationIndex: 5 })],
		details: { node: "a", index: 5, voters: "a b c", indexBefore: 4, committed: 3 },
	},
	{
		id: "consecutive-quorums-intersect",
		about: "one member more, and others over a joint configuration",
		good: [
			leading(a, {}),
			leading(a, { configurationIndex: 1, configuration: configurationOf([a, b, c, d]) }),
			leading(a, { configurationIndex: 2, configuration: { ...configurationOf([a, e]), outgoing: [a, b, c, d] } }),
			leading(a, { configurationIndex: 3, configuration: configurationOf([a, e]) }),
			leading(a, { configurationIndex: 4, configuration: configurationOf([e]) }),
		],
		bad: [leading(a, {}), leading(a, { configurationIndex: 1, configuration: configurationOf([a, b, c, d, e]) })],
		details: { node: "a", index: 1, voters: "a b c d e", indexBefore: 0, committed: 0 },
	},
	{
		id: "consecutive-quorums-intersect",
		about: "two of three that stay",
		good: [leading(a, {}), leading(a, { configurationIndex: 1, configuration: configurationOf([a, b]) })],
		bad: [leading(a, {}), leading(a, { configurationIndex: 1, configuration: configurationOf([c, d, e]) })],
		details: { node: "a", index: 1, voters: "c d e", indexBefore: 0, committed: 0 },
	},
	{
		id: "durable-vote-kept",
		about: "a term that grows",
		good: [persisted(a, { term: 1 }), persisted(a, { term: 2 })],
		bad: [persisted(a, { term: 2 }), persisted(a, { term: 1 })],
		details: { node: "a", term: 1, termBefore: 2 },
	},
	{
		id: "commits-own-term",
		about: "a follower, what was committed as one, and an earlier entry that follows",
		good: [
			batch(a, { log: log([1, 1]), commit: 2 }, emit(committed(1, 2))),
			leading(a, { term: 2, log: log([1, 1]), commit: 2 }, emit(committed(1, 2))),
			leading(a, { term: 2, log: log([1, 1, 2]), commit: 3 }, emit(committed(2, 3))),
		],
		bad: [leading(a, { term: 2, log: log([1, 1]), commit: 2 }, emit(committed(2, 2)))],
		details: { node: "a", index: 2, term: 2, entryTerm: 1 },
	},
	{
		id: "durable-counted",
		about: "a disk that has more than is counted, and a snapshot",
		good: [
			persisted(a, { log: log([1, 1, 1]) }),
			batch(a, { log: log([1, 1, 2]), durable: 2 }),
			persisted(a, { snapshot: snapshotAt(3, 1), firstIndex: 4 }),
			batch(a, { log: log([1, 1, 1]), durable: 3 }),
			batch(b, { log: log([1]), durable: 1 }),
		],
		bad: [persisted(a, { log: log([1, 1]) }), batch(a, { log: log([1, 2]), durable: 2 })],
		details: { node: "a", index: 2, term: 2 },
	},
	{
		id: "durable-counted",
		about: "a member whose disk was never shown",
		good: [persisted(a, { log: log([1]) }), batch(a, { log: log([1]), durable: 1 }), batch(b, { durable: 7 })],
		bad: [persisted(a, { log: log([1, 1]) }), batch(a, { log: log([1]), durable: 2 })],
		details: { node: "a", index: 2, lastIndex: 1 },
	},
	{
		id: "durable-term-before-sent",
		about: "a pre-vote, which names a term to come",
		good: [left(a, b, accepted(1, 0), { term: 1 }), left(a, b, vote(2, true, true), { term: 1 })],
		bad: [left(a, b, accepted(2, 0), { term: 1 })],
		details: { from: "a", to: "b", message: "append-response", term: 2, durableTerm: 1 },
	},
	{
		id: "durable-vote-before-sent",
		about: "refusals, pre-votes, and a vote that leaves in a later term",
		good: [
			left(a, b, vote(1, true), { term: 1, votedFor: b }),
			left(a, c, vote(1, false), { term: 1, votedFor: b }),
			left(a, c, vote(2, true, true), { term: 1, votedFor: b }),
			left(a, c, vote(1, true), { term: 2, votedFor: b }),
		],
		bad: [left(a, b, vote(1, true), { term: 1, votedFor: c })],
		details: { from: "a", to: "b", term: 1, durableTerm: 1, durableVote: "c" },
	},
	{
		id: "durable-entries-before-acknowledged",
		about: "a snapshot that reaches further than the log, and a later term",
		good: [
			left(a, b, accepted(1, 2), { term: 1, log: log([1, 1]) }),
			left(a, b, accepted(1, 5), { term: 1, snapshot: snapshotAt(5, 1), firstIndex: 6 }),
			left(a, b, accepted(1, 2), { term: 2, log: log([2]) }),
		],
		bad: [left(a, b, accepted(1, 3), { term: 1, firstIndex: 2, log: log([1]) })],
		details: { from: "a", to: "b", term: 1, index: 3, durableIndex: 2 },
	},
	{
		id: "leader-elected",
		about: "a leader",
		good: [roleChanged(a, 1, "candidate"), roleChanged(a, 1, "leader")],
		bad: [roleChanged(a, 1, "candidate"), roleChanged(a, 1, "follower")],
		details: null,
	},
	{
		id: "leader-replaced",
		about: "the crash of the leader",
		good: [roleChanged(a, 1, "leader"), ended(a), roleChanged(b, 2, "leader")],
		bad: [roleChanged(a, 1, "leader"), ended(b), roleChanged(b, 2, "leader"), ended(a)],
		details: null,
	},
	{
		id: "conflict-cut",
		about: "a persist that removes entries",
		good: [batch(a, {}, persist({ truncateFrom: index(2) }))],
		bad: [batch(a, {}, persist({ compactThrough: index(2) }))],
		details: null,
	},
	{
		id: "earlier-term-committed",
		about: "an entry of term 1 under a leader of term 2",
		good: [leading(b, { term: 2, log: log([1, 2]) }), leading(b, { term: 2, commit: 2, log: log([1, 2]) })],
		bad: [
			leading(b, { term: 2, commit: 1, log: log([1, 2]) }),
			leading(b, { term: 2, commit: 2, log: log([1, 2]) }),
			batch(a, { term: 2, log: log([1, 2]) }),
			batch(a, { term: 2, commit: 2, log: log([1, 2]) }),
		],
		details: null,
	},
	{
		id: "snapshot-installed",
		about: "the event",
		good: [published(a, { type: "snapshot-installed", lastIndex: index(3), lastTerm: term(1) })],
		bad: [published(a, { type: "snapshot-send-started", to: b, lastIndex: index(3) })],
		details: null,
	},
	{
		id: "entry-fetched-again",
		about: "damage in the log that was found, and is got again, in whatever life",
		good: [
			published(a, { type: "log-damaged", from: index(3), lastIndex: index(2) }),
			published(a, { type: "log-damaged", from: null, lastIndex: index(2) }),
			published(a, { type: "log-repaired", through: index(4) }),
		],
		bad: [
			published(a, { type: "log-damaged", from: null, lastIndex: index(2) }),
			published(b, { type: "log-damaged", from: index(3), lastIndex: index(2) }),
			published(a, { type: "log-repaired", through: index(4) }),
		],
		details: null,
	},
	{
		id: "snapshot-fetched-again",
		about: "the event",
		good: [published(a, { type: "snapshot-repaired", lastIndex: index(3) })],
		bad: [published(a, { type: "snapshot-damaged", lastIndex: index(3), remedy: "leader" })],
		details: null,
	},
	{
		id: "snapshot-taken-again",
		about: "damage that a leader repairs by itself",
		good: [published(a, { type: "snapshot-damaged", lastIndex: index(3), remedy: "own" })],
		bad: [published(a, { type: "snapshot-damaged", lastIndex: index(3), remedy: "leader" })],
		details: null,
	},
	{
		id: "log-compacted",
		about: "the event",
		good: [published(a, { type: "log-compacted", throughIndex: index(3) })],
		bad: [published(a, { type: "snapshot-installed", lastIndex: index(3), lastTerm: term(1) })],
		details: null,
	},
	{
		id: "quorum-lost",
		about: "the event",
		good: [published(a, { type: "quorum-lost", term: term(1) })],
		bad: [roleChanged(a, 1, "follower")],
		details: null,
	},
	{
		id: "read-answered",
		about: "a query that the application answers",
		good: [batch(a, {}, apply({ type: "query", requestId: 1, query: bytes("?") }))],
		bad: [
			batch(
				a,
				{},
				{
					type: "reply",
					requestId: 1,
					reply: { type: "refused", reason: "not-leader", leader: null },
					release: "immediate",
				},
			),
		],
		details: null,
	},
	{
		id: "read-by-lease",
		about: "a read that its own batch answers",
		good: [asking(leading(a, {}, query), 1)],
		bad: [
			asking(leading(a, {}), 1),
			leading(a, {}, query),
			asking(batch(b, {}, query), 1),
			asking(leading(a, { configuration: configurationOf([a]) }, query), 1),
		],
		details: null,
	},
	{
		id: "read-at-follower",
		about: "a read of an earlier batch",
		good: [asking(batch(a, {}), 1), batch(a, {}, query)],
		bad: [asking(batch(a, {}, query), 1), leading(b, {}, query)],
		details: null,
	},
	{
		id: "read-from-own-state",
		about: "a read that its own batch answers",
		good: [asking(batch(a, {}, query), 1)],
		bad: [batch(a, {}, query), asking(leading(b, {}, query), 1)],
		details: null,
	},
	{
		id: "proposal-forwarded",
		about: "the message",
		good: [
			batch(
				b,
				{},
				send(a, { type: "forwarded-proposals", term: term(1), life: 1, settledBelow: 1, first: 1, entries: [] }),
			),
		],
		bad: [batch(b, {}, send(a, { type: "snapshot-request", term: term(1), minIndex: index(1) }))],
		details: null,
	},
	{
		id: "group-silent",
		about: "the message",
		good: [leading(a, {}, send(b, { type: "quiesce", term: term(1), lastIndex: index(1) }))],
		bad: [leading(a, {}, send(b, { type: "snapshot-request", term: term(1), minIndex: index(1) }))],
		details: null,
	},
	{
		id: "snapshot-replaced-tail",
		about: "a log that went on beyond it",
		good: [
			batch(a, { log: log([1, 1, 1]) }),
			batch(a, {}, persist({ installSnapshot: snapshotAt(2, 2), truncateFrom: index(1) })),
		],
		bad: [
			// It has the snapshot's last entry, or ends before it.
			batch(a, { log: log([1, 1, 1]) }),
			batch(a, { log: log([1, 1, 1]) }, persist({ installSnapshot: snapshotAt(2, 1), compactThrough: index(2) })),
			batch(b, { log: log([1]) }),
			batch(b, {}, persist({ installSnapshot: snapshotAt(2, 2), truncateFrom: index(1) })),
		],
		details: null,
	},
	{
		id: "chunk-sent-again",
		about: "the same offset twice",
		good: [leading(a, {}, send(b, chunk(0))), leading(a, {}, send(b, chunk(4))), leading(a, {}, send(b, chunk(4)))],
		bad: [leading(a, {}, send(b, chunk(0)), send(c, chunk(0))), leading(a, {}, send(b, chunk(4)))],
		details: null,
	},
	{
		id: "leader-exists",
		about: "a leader elected after another has crashed",
		good: [roleChanged(a, 1, "leader"), ended(a), roleChanged(b, 2, "candidate"), roleChanged(b, 2, "leader")],
		bad: [roleChanged(a, 1, "leader"), roleChanged(b, 2, "candidate")],
		details: { latestTerm: 2, members: 2 },
	},
	{
		id: "leader-exists",
		about: "a leader that others follow",
		good: [roleChanged(a, 1, "leader"), roleChanged(b, 1, "follower")],
		bad: [roleChanged(a, 1, "leader"), roleChanged(b, 1, "follower"), ended(a)],
		details: { latestTerm: 1, members: 1 },
	},
	{
		id: "replicas-equal",
		about: "one that catches up last",
		good: [a, b, c].map((node) => batch(node, { commit: 2, log: log([1, 1]) })),
		bad: [
			...[a, b, c].map((node) => batch(node, { commit: 1, log: log([1]) })),
			batch(a, { commit: 2, log: log([1, 1]) }),
			batch(b, { commit: 2, log: log([1, 1]) }),
		],
		details: { voter: "c", last: 1, committed: 1, applied: 1, wanted: 2 },
	},
	{
		id: "replicas-equal",
		about: "one that comes back",
		good: [
			...[a, b, c].map((node) => batch(node, { commit: 1, log: log([1]) })),
			ended(c),
			batch(c, { commit: 1, log: log([1]) }),
		],
		bad: [...[a, b, c].map((node) => batch(node, { commit: 1, log: log([1]) })), ended(c)],
		details: { voter: "c", isUp: false, wanted: 1 },
	},
	{
		id: "replicas-equal",
		about: "one whose application follows last",
		good: [
			...[a, b].map((node) => batch(node, { commit: 1, log: log([1]) })),
			batch(c, { commit: 1, delivered: 0, log: log([1]) }),
			batch(c, { commit: 1, log: log([1]) }),
		],
		bad: [
			...[a, b].map((node) => batch(node, { commit: 1, log: log([1]) })),
			batch(c, { commit: 1, delivered: 0, log: log([1]) }),
		],
		details: { voter: "c", last: 1, committed: 1, applied: 0, wanted: 1 },
	},
	{
		id: "witness-role",
		about: "a witness that follows, and full members that lead and apply",
		good: [
			leading(a, { configuration: withWitness }, deliver(1, command(1))),
			batch(c, { configuration: withWitness }),
		],
		bad: [
			leading(a, { configuration: withWitness }),
			batch(c, { configuration: withWitness, role: "pre-candidate", term: 2 }),
		],
		details: { node: "c", term: 2, role: "pre-candidate" },
	},
	{
		id: "witness-role",
		about: "a snapshot that a witness has from before",
		good: [batch(c, { configuration: withWitness }, apply({ type: "restore-snapshot", snapshot: snapshotAt(1, 1) }))],
		bad: [batch(c, { configuration: withWitness }, deliver(1, command(1)))],
		details: { node: "c", term: 1, delivery: "entries" },
	},
	{
		id: "log-matching",
		about: "a witness that has something withheld where others have a command",
		good: [
			batch(c, { log: [withheld(1), withheld(2)] }),
			batch(a, { log: log([1, 2]) }),
			batch(b, { log: log([1, 2]) }),
		],
		bad: [batch(c, { log: [withheld(1), withheld(2)] }), batch(a, { log: [...log([2]), command(2)] })],
		details: { node: "a", index: 2, term: 2, differs: "the entry before", termBefore: 2, elsewhere: 1 },
	},
	{
		id: "log-matching",
		about: "two full members behind a witness",
		good: [batch(c, { log: [withheld(1)] }), batch(a, { log: log([1]) }), batch(b, { log: log([1]) })],
		bad: [batch(c, { log: [withheld(1)] }), batch(a, { log: log([1]) }), batch(b, { log: [command(1, "other")] })],
		details: { node: "b", index: 1, term: 1, differs: "the entry" },
	},
	{
		id: "committed-agreement",
		about: "a witness that knows the term alone",
		good: [batch(c, { log: [withheld(1)], commit: 1 }), batch(a, { log: log([1]), commit: 1 })],
		bad: [
			batch(c, { log: [withheld(1)], commit: 1 }),
			batch(a, { log: log([1]), commit: 1 }),
			batch(b, { log: [command(1, "other")], commit: 1 }),
		],
		details: { node: "b", index: 1, term: 1 },
	},
	{
		id: "committed-on-quorum",
		about: "a full member and a witness",
		good: [
			persisted(a, { log: log([1]) }),
			persisted(c, { log: [withheld(1)] }),
			leading(a, { log: log([1]), commit: 1, configuration: withWitness }),
		],
		bad: [
			persisted(a, { log: log([1]) }),
			persisted(c, { log: [withheld(2)] }),
			leading(a, { log: log([1]), commit: 1, configuration: withWitness }),
		],
		details: { index: 1, holders: "a", voters: "a b c" },
	},
	{
		id: "committed-on-quorum",
		about: "witnesses that are too many, beside one that is not",
		good: [
			persisted(a, { log: log([1]) }),
			persisted(b, { log: [withheld(1)] }),
			persisted(c, { log: [withheld(1)] }),
			leading(a, { log: log([1]), commit: 1, configuration: configurationOf([a, b, c], [], [b, c]) }),
		],
		bad: [
			persisted(b, { log: [withheld(1)] }),
			persisted(c, { log: [withheld(1)] }),
			leading(a, { log: log([1]), commit: 1, configuration: configurationOf([a, b, c], [], [b, c]) }),
		],
		details: { index: 1, holders: "b c", voters: "a b c" },
	},
];
