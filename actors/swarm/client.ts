/**
 * A client with a session: each command takes effect exactly once, over leader changes, deaths and timeouts (Raft thesis
 * §6.3; several commands may be outstanding, as in RIFL, SOSP 2015). The session's id is the index of the entry that
 * opened it; each command has a serial, and says up to which serial the client has all results.
 *
 * Why a retry is safe: (1) the group applies each (session, serial) at most once and remembers the result until the
 * client has said that it has it; (2) a retry carries the same session and serial; (3) a new session is only used for a
 * command that no attempt under the old one can have left undecided; (4) no command runs so far ahead of the oldest without
 * a result that the group would have to forget results that are still wanted.
 */

import {
	assert,
	type Generator,
	isNodeId,
	type NodeId,
	QuorateError,
	requireInteger,
} from "../../protocols/core/index.ts";
import {
	ANY_STALENESS_MS,
	type AppliedResult,
	defaultSessionLimits,
	type SessionId,
} from "../../protocols/raft/index.ts";
import type { Clock } from "../../runtime/actor/index.ts";
import {
	decodeAnswer,
	decodeResult,
	encodeValue,
	type RaftClientAnswer,
	type RaftClientRequest,
} from "../participant/index.ts";
import type { ClientOptions, Committed, ReadOptions, SwarmClient } from "./contract.ts";
import * as errors from "./errors.ts";
import { refused, requireOptions } from "./given-options.ts";
import { Window } from "./window.ts";

const readLevels: readonly unknown[] = ["linearizable", "lease", "follower", "stale"];
export const CLIENT_WINDOW_MAX = 1_024;
const CLIENT_WINDOW_DEFAULT = 64;
/**
 * Serials from the oldest without a result to the newest. Places in the window are given back in any order, so without this
 * bound one slow command lets thousands past, and the group keeps only so many results.
 */
const SERIAL_SPAN_MAX: number = defaultSessionLimits.resultsPerSessionMax;
assert(CLIENT_WINDOW_MAX <= SERIAL_SPAN_MAX, "a full window fits in what the group remembers");
const CLIENT_TIMEOUT_MS_DEFAULT = 10_000;
/** One attempt waits no longer for its answer: a leader that is alive but cut off must not cost the whole time. */
const ATTEMPT_TIMEOUT_MS = 1_500;
/** Members that disagree about the leader would send a client to and fro for ever: it follows so many words, then waits. */
const REDIRECTS_MAX = 2;
const BACKOFF_MS_MIN = 2;
const BACKOFF_MS_MAX = 200;

/** Failures of an ask that never left this thread, or never reached a member: they leave nothing undecided. */
const NOT_SENT: ReadonlySet<string> = new Set(["mailbox-full", "asks-exhausted", "message-too-large", "node-down"]);

/** How a client reaches its group. */
export interface GroupAccess {
	readonly name: string;
	/** Those that can be asked now. */
	readonly members: readonly NodeId[];
	readonly clock: Clock;
	readonly generator: Generator;
	/** Most bytes of an encoded command or query. */
	readonly valueBytesMax: number;
	/** Who leads, as far as is known. */
	leader(): NodeId | null;
	/** Rejects when no answer came: the outcome is then unknown. */
	ask(node: NodeId, request: RaftClientRequest, timeoutMs: number): Promise<RaftClientAnswer>;
}

/** One operation and what is known of it. */
interface Operation {
	readonly name: "command" | "read" | "session";
	readonly sinceMs: number;
	attempts: number;
	/** True once an attempt may have left something undecided behind. */
	uncertain: boolean;
	/** What the last attempt came to. */
	refusal: string;
}

/** See {@link SwarmClient}. */
export class SessionClient implements SwarmClient {
	readonly #group: GroupAccess;
	readonly #window: Window;
	readonly #timeoutMs: number;
	#session: Promise<SessionId> | null = null;
	#nextSerial = 1;
	/** Serials without a result, in order of their numbers. */
	readonly #incomplete = new Set<number>();
	/** Commands that wait for the oldest serial's result; at most as many as the window has places. */
	#aheadOfSpan: (() => void)[] = [];
	#closed: Error | null = null;
	/** Ends what waits for an answer or a pause, when the client is closed. */
	readonly #interrupts = new Set<(error: Error) => void>();
	readonly #onClose: () => void;

	/** @throws QuorateError `invalid-argument`, `option-unknown` */
	constructor(group: GroupAccess, options: ClientOptions = {}, onClose: () => void = () => undefined) {
		requireOptions("", options, ["window", "timeoutMs"]);
		const window = options.window ?? CLIENT_WINDOW_DEFAULT;
		const timeoutMs = options.timeoutMs ?? CLIENT_TIMEOUT_MS_DEFAULT;
		requireInteger("window", window, 1, CLIENT_WINDOW_MAX);
		requireInteger("timeoutMs", timeoutMs, 1, 2 ** 31 - 1);
		this.#group = group;
		this.#window = new Window(window);
		this.#timeoutMs = timeoutMs;
		this.#onClose = onClose;
	}

	async propose<Result = unknown>(command: unknown): Promise<Result> {
		return (await this.commit<Result>(command)).result;
	}

	async commit<Result = unknown>(command: unknown): Promise<Committed<Result>> {
		const encoded = this.#encode(command);
		if (!this.#window.tryEnter()) await this.#window.enter();
		try {
			const { index, data: result } = await this.#decide(encoded);
			return { index, result: decodeResult(result) as Result };
		} finally {
			this.#window.leave();
		}
	}

	async read<Answer = unknown>(query: unknown, options: ReadOptions = {}): Promise<Answer> {
		const request = readRequest(options, this.#encode(query));
		const isAnywhere = options.level === "follower" || options.level === "stale";
		const first = options.at ?? (isAnywhere ? this.#group.generator.pick(this.#group.members) : null);
		if (!this.#window.tryEnter()) await this.#window.enter();
		try {
			const answer = await this.#untilAnswered(request, this.#begin("read"), first);
			if (answer.type !== "answer") throw unexpected(answer);
			return decodeAnswer(answer.data) as Answer;
		} finally {
			this.#window.leave();
		}
	}

	close(): void {
		this.#close(errors.clientClosed({}));
	}

	/** Ends the client because its swarm has ended. */
	end(error: Error): void {
		this.#close(error);
	}

	#close(error: Error): void {
		if (this.#closed !== null) return;
		this.#closed = error;
		this.#window.close(error);
		for (const interrupt of [...this.#interrupts]) interrupt(error);
		this.#onClose();
	}

	#encode(value: unknown): Uint8Array {
		if (this.#closed !== null) throw this.#closed;
		let data: Uint8Array;
		try {
			data = encodeValue(value);
		} catch (cause) {
			throw errors.valueNotEncodable({ reason: String((cause as Error).message).slice(0, 200) }, { cause });
		}
		const limitBytes = this.#group.valueBytesMax;
		if (data.length > limitBytes) throw errors.valueTooLarge({ sizeBytes: data.length, limitBytes });
		return data;
	}

	#begin(name: Operation["name"]): Operation {
		return { name, sinceMs: this.#group.clock.nowMs(), attempts: 0, uncertain: false, refusal: "not sent" };
	}

	/** One command, under as many sessions as it may safely use. */
	async #decide(data: Uint8Array): Promise<AppliedResult> {
		const operation = this.#begin("command");
		for (;;) {
			this.#session ??= this.#openSession();
			const opening = this.#session;
			const session = await opening;
			while (this.#nextSerial - this.#lowestIncomplete() >= SERIAL_SPAN_MAX) await this.#oneIsComplete();
			const serial = this.#nextSerial++;
			this.#incomplete.add(serial);
			try {
				const answer = await this.#untilAnswered(() => this.#proposal(session, serial, data), operation);
				if (answer.type === "result") return answer;
				if (answer.type === "stale-serial") throw errors.resultForgotten({ session, serial });
				if (answer.type !== "session-unknown") throw unexpected(answer);
				if (this.#session === opening) this.#session = null;
				if (operation.uncertain) throw this.#outOfTime(operation);
			} finally {
				this.#incomplete.delete(serial);
				for (const goOn of this.#aheadOfSpan.splice(0)) goOn();
			}
		}
	}

	#proposal(session: SessionId, serial: number, data: Uint8Array): RaftClientRequest {
		return { type: "propose", session, serial, firstIncomplete: this.#lowestIncomplete(), data };
	}

	/** The oldest serial without a result; the next one if there is none. */
	#lowestIncomplete(): number {
		const lowest = this.#incomplete.values().next();
		return lowest.done === true ? this.#nextSerial : lowest.value;
	}

	/** It takes no longer than the oldest command's time, which began before that of those who wait. */
	#oneIsComplete(): Promise<void> {
		return new Promise((goOn) => this.#aheadOfSpan.push(goOn));
	}

	#openSession(): Promise<SessionId> {
		const opening = this.#untilAnswered({ type: "open-session" }, this.#begin("session")).then((answer) => {
			if (answer.type !== "session-opened") throw unexpected(answer);
			return answer.session as SessionId;
		});
		opening.catch(() => {
			// The next command tries again; this one's error reaches those who wait for it.
			if (this.#session === opening) this.#session = null;
		});
		return opening;
	}

	/** Asks member after member until one answers for good, or the time is over. */
	async #untilAnswered(
		request: RaftClientRequest | (() => RaftClientRequest),
		operation: Operation,
		first: NodeId | null = null,
	): Promise<RaftClientAnswer> {
		const { clock, generator } = this.#group;
		let backoffMs = BACKOFF_MS_MIN;
		let target = first ?? this.#group.leader() ?? generator.pick(this.#group.members);
		let redirects = 0;
		for (;;) {
			if (this.#closed !== null) throw operation.uncertain ? this.#outOfTime(operation) : this.#closed;
			const leftMs = Math.ceil(operation.sinceMs + this.#timeoutMs - clock.nowMs());
			if (leftMs <= 0) throw this.#outOfTime(operation);
			const made = typeof request === "function" ? request() : request;
			const outcome = await this.#attempt(target, made, operation, Math.min(leftMs, ATTEMPT_TIMEOUT_MS));
			if (outcome.type === "final") return outcome.answer;
			if (outcome.leader !== null && outcome.leader !== target && redirects < REDIRECTS_MAX) {
				redirects += 1;
				target = outcome.leader;
				continue;
			}
			redirects = 0;
			if (this.#closed !== null) continue;
			await this.#pause(backoffMs * (0.5 + generator.fraction()));
			backoffMs = Math.min(2 * backoffMs, BACKOFF_MS_MAX);
			target = this.#group.leader() ?? after(this.#group.members, target);
		}
	}

	async #attempt(
		target: NodeId,
		request: RaftClientRequest,
		operation: Operation,
		timeoutMs: number,
	): Promise<
		| { readonly type: "final"; readonly answer: RaftClientAnswer }
		| { readonly type: "again"; readonly leader: NodeId | null }
	> {
		operation.attempts += 1;
		let answer: RaftClientAnswer;
		try {
			answer = await this.#unlessClosed(this.#group.ask(target, request, timeoutMs));
		} catch (error) {
			if (!(error instanceof QuorateError)) throw error;
			operation.uncertain ||= !NOT_SENT.has(error.code);
			operation.refusal = error.code;
			return { type: "again", leader: null };
		}
		if (answer.type === "outcome-unknown") {
			operation.uncertain = true;
			operation.refusal = "leader changed";
			return { type: "again", leader: answer.leader };
		}
		if (answer.type !== "refused") return { type: "final", answer };
		operation.refusal = answer.reason;
		switch (answer.reason) {
			case "not-leader":
				return { type: "again", leader: answer.leader };
			case "too-many-pending":
			case "too-many-uncommitted-bytes":
			case "application-behind":
			case "too-many-forwarded":
			case "too-many-forwarded-bytes":
			case "read-index-timeout":
			case "transfer-in-progress":
				return { type: "again", leader: null };
			case "lease-off":
				throw errors.leaseOff({});
			case "too-large":
				throw errors.valueTooLarge({ sizeBytes: answer.sizeBytes, limitBytes: answer.limitBytes });
			default:
				throw unexpected(answer);
		}
	}

	/** Closing ends the pause; what comes of it is the loop's to say. */
	#pause(ms: number): Promise<void> {
		const { clock } = this.#group;
		return new Promise((resume) => {
			const end = (): void => {
				clock.cancel(timer);
				this.#interrupts.delete(end);
				resume();
			};
			const timer = clock.schedule(ms, end);
			this.#interrupts.add(end);
		});
	}

	/** The same promise, but rejected when the client is closed first: its swarm may be gone, and would never settle it. */
	#unlessClosed<T>(promise: Promise<T>): Promise<T> {
		return new Promise((resolve, reject) => {
			this.#interrupts.add(reject);
			const settled = (): void => void this.#interrupts.delete(reject);
			promise.then(
				(value) => {
					settled();
					resolve(value);
				},
				(error: unknown) => {
					settled();
					reject(error);
				},
			);
		});
	}

	/** A read or a session that was not answered has no effect that matters; a command may have one. */
	#outOfTime({ name, sinceMs, attempts, uncertain, refusal }: Operation): Error {
		const waitedMs = Math.round(this.#group.clock.nowMs() - sinceMs);
		if (uncertain && name === "command") {
			// Ended by the swarm's failure rather than by time: that is the reason to look at.
			return errors.outcomeUnknown(
				{ operation: name, waitedMs, attempts, reason: refusal },
				this.#closed === null ? {} : { cause: this.#closed },
			);
		}
		return errors.notDecided({ operation: name, waitedMs, attempts, reason: refusal });
	}
}

/** @throws QuorateError `option-unknown`, `invalid-argument` */
function readRequest(options: ReadOptions, query: Uint8Array): RaftClientRequest {
	const { level, maxStalenessMs, at } = requireOptions("", options, ["level", "maxStalenessMs", "at"]);
	if (at !== undefined && !isNodeId(at)) throw refused("at", "the name of a member", at);
	if (level !== undefined && !readLevels.includes(level)) throw refused("level", readLevels.join(", "), level);
	if (maxStalenessMs !== undefined && level !== "stale")
		throw refused("maxStalenessMs", "none beside another level", level);
	if (level === undefined) return { type: "read", query };
	const bound = level === "stale" ? (maxStalenessMs ?? ANY_STALENESS_MS) : 0;
	requireInteger("maxStalenessMs", bound, 0, ANY_STALENESS_MS);
	return { type: "read-at", level: level === "linearizable" ? "index" : level, maxStalenessMs: bound, query };
}

function after(members: readonly NodeId[], node: NodeId): NodeId {
	return members[(members.indexOf(node) + 1) % members.length] as NodeId;
}

function unexpected(answer: RaftClientAnswer): Error {
	return errors.answerUnexpected({ type: answer.type });
}
