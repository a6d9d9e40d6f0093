/**
 * The five properties of Raft (Figure 3), checked on a whole group after each event, and three that they need or imply:
 * what is committed is on a quorum's disks, nothing leaves before what it claims is durable, and a read never
 * misses what was acknowledged before it was asked. Everything is compared with what any node ever showed, so a
 * violation is found even if the nodes that disagree are never up at the same time.
 */
import type { Effect, NodeId } from "../../../protocols/core/index.ts";
import type { Entry, RaftDelivery, RaftMessage, RaftTypes, Term } from "../../../protocols/raft/index.ts";
import type { DeterministicDriver, Disk } from "./deterministic-driver.ts";

/** What `state` of a machine shows of its log. */
interface LogView {
	readonly baseIndex: number;
	readonly baseTerm: number;
	readonly entries: readonly Entry[];
}

interface LeaderTrace {
	readonly term: Term;
	/** The log when last seen. */
	log: LogView;
}

export class RaftInvariants {
	readonly #voters: readonly NodeId[];
	readonly #leaders = new Map<Term, NodeId>();
	/** Every entry ever seen in a log, by index and term, with the term before it. */
	readonly #entries = new Map<string, { readonly entry: Entry; readonly before: number }>();
	/** What was committed, by index, and the highest. */
	readonly #committed = new Map<number, Entry>();
	#highestCommitted = 0;
	readonly #applied = new Map<number, Entry>();
	/** The next index each node is to apply in its present life. */
	readonly #nextApplied = new Map<NodeId, number>();
	readonly #leading = new Map<NodeId, LeaderTrace>();
	readonly #commitSeen = new Map<NodeId, number>();
	/** What the run has shown, so that a test can see that it was no vacuous one. */
	readonly counts: Record<"elections" | "conflicts" | "installs" | "compactions" | "quorumLosses", number> = {
		elections: 0,
		conflicts: 0,
		installs: 0,
		compactions: 0,
		quorumLosses: 0,
	};

	constructor(voters: readonly NodeId[]) {
		this.#voters = voters;
	}

	/** Looks at a node after a batch. */
	observe(driver: DeterministicDriver, node: NodeId, effects: readonly Effect<RaftTypes>[]): void {
		const machine = driver.machine(node);
		const { role, term, commitIndex, lastIndex } = machine.status;
		for (const effect of effects) this.#observeEffect(driver, node, effect);
		const trace = this.#leading.get(node);
		const isNewLeader = role === "leader" && trace?.term !== term;
		const hasChanged =
			effects.some(({ type }) => type === "persist") ||
			commitIndex !== this.#commitSeen.get(node) ||
			(trace !== undefined && lastIndex !== trace.log.baseIndex + trace.log.entries.length);
		if (role !== "leader") this.#leading.delete(node);
		if (!isNewLeader && !hasChanged) return;
		const log = (machine.state as { log: LogView }).log;
		this.#checkLogMatching(node, log);
		this.#checkCommitted(node, log, commitIndex);
		if (isNewLeader) this.#checkNewLeader(node, term, log);
		else if (role === "leader" && trace !== undefined) this.#checkAppendOnly(node, trace, log);
	}

	/** Looks at a message that leaves: what it claims is durable at its sender. */
	observeSend(from: NodeId, to: NodeId, message: RaftMessage, disk: Disk): void {
		const { term } = message;
		const prospective = (message.type === "request-vote" || message.type === "vote") && message.preVote;
		if (!prospective) require(disk.hardState.term >= term, "a term is durable before it is spoken of", { from, term });
		if (message.type === "vote" && message.granted && !message.preVote && disk.hardState.term === term) {
			require(disk.hardState.votedFor === to, "a vote is durable before it is given", { from, to, term });
		}
		if (message.type === "append-response" && message.accepted && disk.hardState.term === term) {
			const last = Math.max(disk.firstIndex + disk.entries.length - 1, disk.snapshot?.lastIndex ?? 0);
			require(last >= message.index, "entries are durable before they are acknowledged", {
				from,
				index: message.index,
			});
		}
	}

	/** A node has started again: it applies from its snapshot on. */
	restarted(node: NodeId): void {
		this.#nextApplied.delete(node);
		this.#leading.delete(node);
		this.#commitSeen.delete(node);
	}

	/** Every committed entry is on the disks of a quorum. */
	checkDisks(driver: DeterministicDriver): void {
		for (const [index, entry] of this.#committed) this.#requireOnQuorum(driver, index, entry);
	}

	#observeEffect(driver: DeterministicDriver, node: NodeId, effect: Effect<RaftTypes>): void {
		if (effect.type === "apply") this.#checkDelivery(node, effect.delivery);
		if (effect.type === "persist" && effect.write.truncateFrom !== undefined) this.counts.conflicts++;
		if (effect.type !== "emit") return;
		const { event } = effect;
		if (event.type === "role-changed" && event.role === "leader") {
			const known = this.#leaders.get(event.term);
			require(known === undefined || known === node, "election safety: one leader per term", { ...event, known, node });
			this.#leaders.set(event.term, node);
			this.counts.elections++;
		} else if (event.type === "commit-advanced" && this.#leaders.get(event.term) === node) {
			const entry = (driver.machine(node).state as { log: LogView }).log;
			const committed = entry.entries[event.index - entry.baseIndex - 1];
			if (committed !== undefined) this.#requireOnQuorum(driver, event.index, committed);
		} else if (event.type === "snapshot-installed") this.counts.installs++;
		else if (event.type === "log-compacted") this.counts.compactions++;
		else if (event.type === "quorum-lost") this.counts.quorumLosses++;
	}

	/** State machine safety: at each index every node applies the same entry, and none leaves one out. */
	#checkDelivery(node: NodeId, delivery: RaftDelivery): void {
		if (delivery.type === "restore-snapshot") this.#nextApplied.set(node, delivery.snapshot.lastIndex + 1);
		if (delivery.type !== "entries") return;
		const expected = this.#nextApplied.get(node) ?? 1;
		require(delivery.firstIndex === expected, "entries are applied in order", { node, expected, ...delivery });
		delivery.entries.forEach((entry, i) => {
			const index = delivery.firstIndex + i;
			const known = this.#applied.get(index);
			require(known === undefined || sameEntry(known, entry), "state machine safety", { node, index });
			this.#applied.set(index, entry);
		});
		this.#nextApplied.set(node, delivery.firstIndex + delivery.entries.length);
	}

	/** Log matching, by induction: an index and a term name one entry and one term before it, in every log. */
	#checkLogMatching(node: NodeId, log: LogView): void {
		let before = log.baseTerm;
		let index = log.baseIndex;
		for (const entry of log.entries) {
			index++;
			const key = `${index}/${entry.term}`;
			const known = this.#entries.get(key);
			if (known === undefined) this.#entries.set(key, { entry, before });
			else {
				require(sameEntry(known.entry, entry), "log matching: same index and term, same entry", { node, index });
				require(known.before === before, "log matching: same entry, same entries before it", { node, index });
			}
			before = entry.term;
		}
	}

	#checkCommitted(node: NodeId, log: LogView, commitIndex: number): void {
		const seen = this.#commitSeen.get(node) ?? 0;
		require(commitIndex >= seen, "the commit index only grows in one life", { node, seen, commitIndex });
		this.#commitSeen.set(node, commitIndex);
		for (let index = Math.max(seen, log.baseIndex) + 1; index <= commitIndex; index++) {
			const entry = log.entries[index - log.baseIndex - 1];
			require(entry !== undefined, "what is committed is in the log", { node, index });
			const known = this.#committed.get(index);
			require(known === undefined || sameEntry(known, entry as Entry), "one entry is committed at an index", {
				node,
				index,
			});
			this.#committed.set(index, entry as Entry);
		}
		if (commitIndex > this.#highestCommitted) this.#highestCommitted = commitIndex;
	}

	/** Leader completeness: a new leader's log has everything that was ever committed. */
	#checkNewLeader(node: NodeId, term: Term, log: LogView): void {
		for (let index = log.baseIndex + 1; index <= this.#highestCommitted; index++) {
			const committed = this.#committed.get(index);
			const own = log.entries[index - log.baseIndex - 1];
			const isComplete = committed === undefined || (own !== undefined && sameEntry(own, committed));
			require(isComplete, "leader completeness", { node, term, index });
		}
		this.#leading.set(node, { term, log });
	}

	#checkAppendOnly(node: NodeId, trace: LeaderTrace, log: LogView): void {
		trace.log.entries.forEach((entry, i) => {
			const at = trace.log.baseIndex + 1 + i - log.baseIndex - 1;
			if (at >= 0)
				require(log.entries[at] === entry, "leader append-only", { node, index: trace.log.baseIndex + 1 + i });
		});
		trace.log = log;
	}

	#requireOnQuorum(driver: DeterministicDriver, index: number, entry: Entry): void {
		const holders = this.#voters.filter((voter) => {
			const disk = driver.disk(voter);
			if ((disk.snapshot?.lastIndex ?? 0) >= index) return true;
			const own = disk.entries[index - disk.firstIndex];
			return own !== undefined && sameEntry(own, entry);
		});
		const isSafe = holders.length > this.#voters.length / 2;
		require(isSafe, "what is committed is on a quorum's disks", {
			index,
			term: entry.term,
			holders: holders.join(" "),
		});
	}
}

function sameEntry(a: Entry, b: Entry): boolean {
	if (a === b) return true;
	const { data: aData, ...aFields } = a;
	const { data: bData, ...bFields } = b;
	return JSON.stringify(aFields) === JSON.stringify(bFields) && Buffer.compare(aData, bData) === 0;
}

function require(holds: boolean, invariant: string, context: Readonly<Record<string, unknown>>): void {
	if (!holds) throw new Error(`violated: ${invariant} ${JSON.stringify(context)}`);
}
