/**
 * One machine under a test's hands: inputs one by one, each closed as a batch, and the effects of each, so that a test
 * can play all of its peers. The disk completes when the test says so.
 */
import {
	assert,
	type Effect,
	type Input,
	must,
	type NodeId,
	nodeId,
	type WriteId,
} from "../../../protocols/core/index.ts";
import {
	type AppendEntries,
	type AppendResponse,
	configurationOf,
	type Entry,
	type InstallSnapshot,
	type LogIndex,
	type RaftConfig,
	type RaftDelivery,
	type RaftDurable,
	type RaftEvent,
	RaftMachine,
	type RaftMessage,
	type RaftReply,
	type RaftRequest,
	type RaftSnapshot,
	type RaftTimer,
	type RaftTypes,
	type RaftWrite,
	type RequestVote,
	raftConfig,
	type SessionId,
	type Term,
	type Vote,
} from "../../../protocols/raft/index.ts";

export const a: NodeId = nodeId("a");
export const b: NodeId = nodeId("b");
export const c: NodeId = nodeId("c");
export const d: NodeId = nodeId("d");
export const e: NodeId = nodeId("e");
export const three: readonly NodeId[] = [a, b, c];
export const five: readonly NodeId[] = [a, b, c, d, e];

export const term = (value: number): Term => value as Term;
export const index = (value: number): LogIndex => value as LogIndex;
export const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

/** A command entry that says what it is. */
export function command(inTerm: number, text = `${inTerm}`): Entry {
	const session = 0 as SessionId;
	return { term: term(inTerm), kind: "command", session, serial: 0, firstIncomplete: 0, data: bytes(text) };
}
/** A log by its terms: `entriesOf([1, 1, 2])`. */
export function entriesOf(terms: readonly number[]): Entry[] {
	return terms.map((inTerm, i) => command(inTerm, `${i + 1}/${inTerm}`));
}

export function append(fields: Partial<AppendEntries> & { readonly term: Term }): AppendEntries {
	return {
		type: "append-entries",
		prevIndex: index(0),
		prevTerm: term(0),
		commit: index(0),
		round: 0,
		entries: [],
		...fields,
	};
}
export function accepted(inTerm: number, at: number, round = 0): AppendResponse {
	const zero = { hintIndex: index(0), hintTerm: term(0) };
	return { type: "append-response", term: term(inTerm), accepted: true, index: index(at), ...zero, round };
}
export function refused(inTerm: number, at: number, hintIndex: number, hintTerm: number): AppendResponse {
	const hint = { hintIndex: index(hintIndex), hintTerm: term(hintTerm) };
	return { type: "append-response", term: term(inTerm), accepted: false, index: index(at), ...hint, round: 0 };
}
export function requestVote(
	inTerm: number,
	lastIndex: number,
	lastTerm: number,
	preVote = false,
	transfer = false,
): RequestVote {
	const last = { lastIndex: index(lastIndex), lastTerm: term(lastTerm) };
	return { type: "request-vote", term: term(inTerm), ...last, preVote, transfer };
}
export function vote(inTerm: number, granted: boolean, preVote = false): Vote {
	return { type: "vote", term: term(inTerm), granted, preVote };
}
export function proposal(text: string): RaftRequest {
	return { type: "propose", session: 0 as SessionId, serial: 0, firstIncomplete: 0, data: bytes(text) };
}

export class LoneMachine {
	machine: RaftMachine;
	readonly config: RaftConfig;
	/** The effects of the last input and its batch's end. */
	effects: Effect<RaftTypes>[] = [];
	/** Every effect of this machine's life. */
	readonly all: Effect<RaftTypes>[] = [];
	#lastWriteId: WriteId = 0;
	#nextRequest = 1;
	/** What the machine is told is the time. */
	nowMs = 0;

	/** A machine that has started from these entries (each given by its term) in this term. */
	constructor(options: {
		readonly voters?: readonly NodeId[];
		readonly term?: number;
		readonly votedFor?: NodeId | null;
		readonly log?: readonly number[];
		readonly durable?: RaftDurable;
		readonly config?: Partial<RaftConfig>;
	}) {
		this.config = raftConfig({ nodeId: a, voters: options.voters ?? three, ...options.config });
		this.machine = new RaftMachine(this.config);
		const durable = options.durable ?? {
			hardState: { term: term(options.term ?? 0), votedFor: options.votedFor ?? null },
			snapshot: null,
			firstIndex: index(1),
			entries: entriesOf(options.log ?? []),
		};
		this.step({ type: "start", durable });
	}

	/** Steps one batch. */
	step(...inputs: Input<RaftTypes>[]): this {
		this.effects = [];
		for (const input of [...inputs, { type: "batch-ended" } as const])
			this.machine.step(input, this.nowMs, this.effects);
		for (const effect of this.effects) {
			this.all.push(effect);
			if (effect.type === "persist") this.#lastWriteId = effect.writeId;
		}
		return this;
	}

	/** From now on it is so much later; no timer fires by itself. */
	after(ms: number): this {
		this.nowMs += ms;
		return this;
	}
	receive(from: NodeId, message: RaftMessage): this {
		return this.step({ type: "message", from, message });
	}
	electionTimeout(): this {
		return this.step({ type: "timer", timer: "election" });
	}
	heartbeat(): this {
		return this.step({ type: "timer", timer: "heartbeat" });
	}
	request(request: RaftRequest): number {
		const requestId = this.#nextRequest++;
		this.step({ type: "request", requestId, request });
		return requestId;
	}
	/** The disk has done everything that it was handed. */
	writesComplete(): this {
		return this.step({ type: "write-completed", writeId: this.#lastWriteId });
	}

	/** Wins the election of the next term with the votes of all, up to the no-op's own persist. */
	becomeLeader(): this {
		this.electionTimeout();
		const next = this.status.term + 1;
		for (const peer of this.peers) this.receive(peer, vote(next, true, true));
		this.writesComplete();
		for (const peer of this.peers) this.receive(peer, vote(next, true));
		assert(this.status.role === "leader", "all voted for it");
		return this;
	}
	/** Everything that the leader has is on a quorum's disks. */
	commitAll(): this {
		this.writesComplete();
		for (const peer of this.peers) this.receive(peer, accepted(this.status.term, this.status.lastIndex));
		assert(this.status.commitIndex === this.status.lastIndex, "all of it is committed");
		return this;
	}

	get peers(): NodeId[] {
		return this.config.voters.filter((voter) => voter !== this.config.nodeId);
	}
	get status(): RaftMachine["status"] {
		return this.machine.status;
	}
	/** What durable state and log the machine shows. */
	get view(): {
		readonly votedFor: NodeId | null;
		readonly log: { readonly baseIndex: number; readonly entries: readonly Entry[]; readonly durableThrough: number };
	} {
		return this.machine.state as never;
	}
	/** The terms of the log's entries. */
	get logTerms(): number[] {
		return this.view.log.entries.map((entry) => entry.term);
	}

	/** What the last batch sent, all or to one peer. */
	sent(to?: NodeId): RaftMessage[] {
		return this.effects.flatMap((effect) =>
			effect.type === "send" && (to === undefined || effect.to === to) ? [effect.message] : [],
		);
	}
	/** The only message that the last batch sent to a peer, which must be of this type. */
	sentOnly<Type extends RaftMessage["type"]>(to: NodeId, type: Type): Extract<RaftMessage, { type: Type }> {
		const messages = this.sent(to);
		assert(messages.length === 1, "one message was sent", { to, types: messages.map((m) => m.type).join(" ") });
		const message = must(messages[0], "counted");
		assert(message.type === type, "it is of this type", { expected: type, found: message.type });
		return message as Extract<RaftMessage, { type: Type }>;
	}
	get writes(): RaftWrite[] {
		return this.effects.flatMap((effect) => (effect.type === "persist" ? [effect.write] : []));
	}
	get deliveries(): RaftDelivery[] {
		return this.effects.flatMap((effect) => (effect.type === "apply" ? [effect.delivery] : []));
	}
	get replies(): RaftReply[] {
		return this.effects.flatMap((effect) => (effect.type === "reply" ? [effect.reply] : []));
	}
	get events(): RaftEvent[] {
		return this.effects.flatMap((effect) => (effect.type === "emit" ? [effect.event] : []));
	}
	/** The delay ranges that the last batch set a timer to. */
	timers(timer: RaftTimer): { readonly min: number; readonly max: number }[] {
		return this.effects.flatMap((effect) =>
			effect.type === "set-timer" && effect.timer === timer ? [effect.afterMs] : [],
		);
	}
	/** Whether, in the last batch, every message of this type waits for the persists before it. */
	isHeld(type: RaftMessage["type"]): boolean {
		const sends = this.effects.filter((effect) => effect.type === "send" && effect.message.type === type);
		assert(sends.length > 0, "such a message was sent", { type });
		return sends.every((effect) => effect.type === "send" && effect.release === "after-durable");
	}
}

/** A snapshot of `voters` through `lastIndex`. */
export function snapshotAt(
	lastIndex: number,
	lastTerm: number,
	sizeBytes = 6,
	voters: readonly NodeId[] = three,
): RaftSnapshot {
	return { lastIndex: index(lastIndex), lastTerm: term(lastTerm), configuration: configurationOf(voters), sizeBytes };
}
/** One chunk of that snapshot. */
export function chunk(inTerm: number, snapshot: RaftSnapshot, offset: number, data: Uint8Array): InstallSnapshot {
	const { lastIndex, lastTerm, sizeBytes, configuration } = snapshot;
	return {
		type: "install-snapshot",
		term: term(inTerm),
		lastIndex,
		lastTerm,
		configuration,
		withheld: snapshot.withheld === true,
		sizeBytes,
		offset,
		data,
		round: 0,
	};
}
