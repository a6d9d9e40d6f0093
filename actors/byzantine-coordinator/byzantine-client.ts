/**
 * A client of a Byzantine group: it authenticates its requests to each member, believes what f + 1 members answer alike, and counts
 * on nobody in particular. It asks the primary and f others first, who are enough when all is well; after a while it asks everybody,
 * and again.
 */
import { assert, type CryptoPort, type NodeId, requireInteger } from "../../protocols/core/index.ts";
import {
	authenticatorsFor,
	type ClientRequest,
	type Configuration,
	decodeMembershipOutcome,
	encodeMembershipOperation,
	type MembershipOperation,
	type MembershipOutcome,
	quorumOf,
	ReplyCollector,
	type RequestKind,
	requestDigest,
	requestStatement,
	type SupportedReply,
} from "../../protocols/pbft/index.ts";
import type { Clock } from "../../runtime/actor/index.ts";
import { decodeAnswer, decodeResult, encodeValue, type PbftClientAnswer } from "../participant/index.ts";
import * as swarmErrors from "../swarm/errors.ts";
import { Window } from "../swarm/window.ts";
import type { Decision } from "./contract.ts";
import type { DeskAsker } from "./request-desk.ts";

export const BYZANTINE_CLIENT_WINDOW_DEFAULT = 32;
const TIMEOUT_MS_DEFAULT = 20_000;
/** After so long without an answer that counts, all members are asked. */
const HEDGE_MS = 400;
/** So often that is put off while this client's other requests get results: where requests queue, asking more members makes the queue longer. */
const HEDGES_PUT_OFF_MAX = 8;
/** After that, whoever has not answered is asked again this often. */
const AGAIN_MS = 1_000;
/** How long the members may take over a read that is not ordered, before it is asked as one that is. */
const READ_MS = 200;

const nothing = new Uint8Array(0);
const noTimes: Map<NodeId, number> = new Map();

/** How a client reaches its group. */
export interface ByzantineAccess {
	readonly cluster: string;
	/** That is in force now, as far as is known. */
	readonly configuration: Configuration;
	readonly clock: Clock;
	/** Requests of one client that members keep apart; see `clientWindow` of `PbftConfig`. */
	readonly clientWindow: number;
	readonly operationBytesMax: number;
	/** Names the first request of a client. */
	readonly firstTimestamp: number;
	/** Members answer before they have committed: a quorum has to be asked at first, instead of f + 1. Default false. */
	readonly isTentative?: boolean;
	/** The primary, as far as is known. */
	primary(): NodeId;
	/** Asks one member, see `RequestDesk`. */
	ask(node: NodeId, request: ClientRequest, timeoutMs: number, asker: DeskAsker): void;
}

export interface ByzantineClientOptions {
	/** Requests that may be outstanding; more wait. 1 to half of the group's `clientWindow`, default 32. */
	readonly window?: number;
	/** How long a request is tried before it rejects; milliseconds, default 20,000. */
	readonly timeoutMs?: number;
	/** Told of what each member answers to an ordered request, also when it comes after the result. Must not throw. */
	readonly observe?: (answer: ObservedAnswer) => void;
}

/** One member's answer to an ordered request. A faulty member may answer anything, and at any time. */
export interface ObservedAnswer {
	readonly member: NodeId;
	/** Names the request. */
	readonly timestamp: number;
	/** Since the member was asked last. */
	readonly delayMs: number;
	/** Where the member says that the request was executed. */
	readonly sequence: number;
	/** The application's result, encoded. */
	readonly data: Uint8Array;
}

export class ByzantineClient {
	readonly id: NodeId;
	readonly #port: CryptoPort;
	readonly #access: ByzantineAccess;
	readonly #window: Window;
	readonly #timeoutMs: number;
	readonly #observe: ((answer: ObservedAnswer) => void) | null;
	#nextTimestamp: number;
	/** Timestamps without a result, ascending. */
	readonly #incomplete = new Set<number>();
	/** Requests that wait for the oldest one's result; at most as many as the window has places. */
	#aheadOfSpan: (() => void)[] = [];
	/** How often a member of the first asked was not among those who answered. */
	readonly #silence = new Map<NodeId, number>();
	#turn = 0;
	/** Requests that have got their result. */
	#results = 0;
	#closed: Error | null = null;
	readonly #interrupts = new Set<(error: Error) => void>();

	/** @throws QuorateError `invalid-argument` */
	constructor(id: NodeId, port: CryptoPort, access: ByzantineAccess, options: ByzantineClientOptions = {}) {
		const windowMax = Math.max(1, access.clientWindow >> 1);
		const window = requireInteger(
			"window",
			options.window ?? Math.min(BYZANTINE_CLIENT_WINDOW_DEFAULT, windowMax),
			1,
			windowMax,
		);
		this.id = id;
		this.#nextTimestamp = access.firstTimestamp;
		this.#port = port;
		this.#access = access;
		this.#window = new Window(window);
		this.#timeoutMs = requireInteger("timeoutMs", options.timeoutMs ?? TIMEOUT_MS_DEFAULT, 1, 2 ** 31 - 1);
		this.#observe = options.observe ?? null;
	}

	/**
	 * Has a command ordered and applied, exactly once, and resolves with what the application returned.
	 * @throws QuorateError `value-not-encodable`, `value-too-large`, `client-overloaded` before anything is sent; `outcome-unknown`
	 *   when f + 1 equal answers did not come in time; `result-too-large` (the command was applied); `client-closed`, and what has
	 *   ended the group
	 */
	async propose<Result = unknown>(command: unknown): Promise<Result> {
		return decodeResult((await this.#ordered("command", this.#encode(command))).data) as Result;
	}

	/** The same, with the command's place in the order. */
	async decide<Result = unknown>(command: unknown): Promise<Decision<Result>> {
		const { data, sequence, view } = await this.#ordered("command", this.#encode(command));
		return { result: decodeResult(data) as Result, sequence, view };
	}

	/** The same, with the timestamp that names the request for ever. */
	async decideNamed<Result = unknown>(command: unknown): Promise<Decision<Result> & { readonly timestamp: number }> {
		const { data, sequence, view, timestamp } = await this.#ordered("command", this.#encode(command));
		return { result: decodeResult(data) as Result, sequence, view, timestamp };
	}

	/**
	 * Reads: from a quorum that answers alike at once, or else in the order. It sees every command that was acknowledged before it
	 * began. @throws QuorateError as {@link propose}; `query-failed` when the application throws at it
	 */
	async read<Answer = unknown>(query: unknown): Promise<Answer> {
		const operation = this.#encode(query);
		const data = await this.#inWindow(async () => {
			const fast = await this.#readNow(operation);
			return fast ?? (await this.#agreed("query", operation)).data;
		});
		return decodeAnswer(data) as Answer;
	}

	/**
	 * The same, always in the order: it sees whatever was proposed before, also by a process that is gone, and of that nothing comes
	 * after it that it has not seen. @throws QuorateError as {@link read}
	 */
	async readOrdered<Answer = unknown>(query: unknown): Promise<Answer> {
		const operation = this.#encode(query);
		return decodeAnswer((await this.#ordered("query", operation)).data) as Answer;
	}

	/**
	 * Has a change of membership ordered, and resolves with what the members make of it, alike.
	 * @throws QuorateError as {@link propose}
	 */
	async configure(operation: MembershipOperation): Promise<MembershipOutcome> {
		const bytes = encodeMembershipOperation(operation);
		const limitBytes = this.#access.operationBytesMax;
		if (bytes.length > limitBytes) throw swarmErrors.valueTooLarge({ sizeBytes: bytes.length, limitBytes });
		const { data } = await this.#ordered("configure", bytes);
		const outcome = decodeMembershipOutcome(data);
		assert(outcome !== null, "f + 1 members answer a change of membership as correct ones do");
		return outcome;
	}

	close(error: Error = swarmErrors.clientClosed({})): void {
		if (this.#closed !== null) return;
		this.#closed = error;
		this.#window.close(error);
		for (const interrupt of [...this.#interrupts]) interrupt(error);
	}

	#encode(value: unknown): Uint8Array {
		if (this.#closed !== null) throw this.#closed;
		let data: Uint8Array;
		try {
			data = encodeValue(value);
		} catch (cause) {
			throw swarmErrors.valueNotEncodable({ reason: String((cause as Error).message).slice(0, 200) }, { cause });
		}
		const limitBytes = this.#access.operationBytesMax;
		if (data.length > limitBytes) throw swarmErrors.valueTooLarge({ sizeBytes: data.length, limitBytes });
		return data;
	}

	async #inWindow<T>(run: () => Promise<T>): Promise<T> {
		if (!this.#window.tryEnter()) await this.#window.enter();
		try {
			return await run();
		} finally {
			this.#window.leave();
		}
	}

	#request(kind: RequestKind, timestamp: number, operation: Uint8Array): ClientRequest {
		const body = { client: this.id, timestamp, kind, operation };
		const { cluster, configuration } = this.#access;
		const statement = requestStatement(requestDigest(cluster, this.#port.digest, body));
		const macs = authenticatorsFor(configuration.members, (member) => this.#port.authenticate(member, statement));
		return { ...body, signature: nothing, macs };
	}

	#signed(request: ClientRequest): ClientRequest {
		const digest = requestDigest(this.#access.cluster, this.#port.digest, request);
		return { ...request, signature: this.#port.sign(requestStatement(digest)), macs: nothing };
	}

	/** In a place of the window. */
	async #ordered(kind: Exclude<RequestKind, "read">, operation: Uint8Array): Promise<Agreed> {
		if (!this.#window.tryEnter()) await this.#window.enter();
		try {
			return await this.#agreed(kind, operation);
		} finally {
			this.#window.leave();
		}
	}

	async #agreed(kind: Exclude<RequestKind, "read">, operation: Uint8Array): Promise<Agreed> {
		// Members forget results that are clientWindow timestamps old.
		while (this.#nextTimestamp - this.#lowestIncomplete() >= this.#access.clientWindow) await this.#oneIsComplete();
		const timestamp = this.#nextTimestamp++;
		this.#incomplete.add(timestamp);
		try {
			return await this.#untilAgreed(this.#request(kind, timestamp, operation));
		} finally {
			this.#incomplete.delete(timestamp);
			if (this.#aheadOfSpan.length > 0) for (const goOn of this.#aheadOfSpan.splice(0)) goOn();
		}
	}

	#lowestIncomplete(): number {
		const lowest = this.#incomplete.values().next();
		return lowest.done === true ? this.#nextTimestamp : lowest.value;
	}

	#oneIsComplete(): Promise<void> {
		return new Promise((goOn) => this.#aheadOfSpan.push(goOn));
	}

	/** Asks until f + 1 members answer alike. */
	#untilAgreed(request: ClientRequest): Promise<Agreed> {
		const { clock, configuration } = this.#access;
		const startedMs = clock.nowMs();
		const replies = new ReplyCollector(configuration, request.timestamp);
		// Few members: arrays, since sets for each request cost more.
		const answered: NodeId[] = [];
		const heard: NodeId[] = [];
		const first = this.#firstAsked();
		let attempts = 0;
		// Answers that come later are observed, and nothing else.
		let isAgreed = false;
		let refusal = "too few answers";
		let said = request;
		const askedAtMs = this.#observe === null ? noTimes : new Map<NodeId, number>();
		return this.#settled((resolve, reject) => {
			const take = (node: NodeId, answer: PbftClientAnswer): void => {
				if (answer.type === "refused") {
					refusal = answer.reason;
					if (refusal === "signature-required") sign();
					return;
				}
				// A tentative answer may be all that it gives to this ask: if too few are equal, it is asked again.
				if (answer.type !== "tentative-result") answered.push(node);
				heard.push(node);
				if (answer.type === "result" && this.#observe !== null) {
					const { timestamp, sequence, data } = answer;
					const delayMs = clock.nowMs() - (askedAtMs.get(node) ?? startedMs);
					if (timestamp === request.timestamp) this.#observe({ member: node, timestamp, delayMs, sequence, data });
				}
				if (isAgreed) return;
				const reply = replies.add(node, answer);
				if (reply === null || reply.sequence === null || answer.type === "reply-forgotten") return;
				isAgreed = true;
				this.#remember(first, heard);
				this.#results += 1;
				resolve({ data: reply.data, sequence: reply.sequence, view: answer.view, timestamp: request.timestamp });
			};
			const asker: DeskAsker = { answered: guarded(take, reject), failed: () => undefined };
			const ask = (nodes: readonly NodeId[]): void => {
				attempts += 1;
				const leftMs = Math.max(1, Math.ceil(startedMs + this.#timeoutMs - clock.nowMs()));
				// Who can not be asked now is asked again later.
				for (const node of nodes) {
					if (askedAtMs !== noTimes) askedAtMs.set(node, clock.nowMs());
					this.#access.ask(node, said, leftMs, asker);
				}
			};
			// Somebody could not check this client's authenticators, and has nothing to show others; a signature all can check.
			const sign = (): void => {
				if (said !== request) return;
				said = this.#signed(request);
				ask(configuration.members.filter((member) => !answered.includes(member)));
			};
			ask(first);
			let [results, putOff] = [this.#results, 0];
			const again = (): void => {
				if (attempts === 1 && results !== this.#results && putOff < HEDGES_PUT_OFF_MAX) {
					[results, putOff] = [this.#results, putOff + 1];
					timer = clock.schedule(Math.min(HEDGE_MS, Math.max(1, startedMs + this.#timeoutMs - clock.nowMs())), again);
					return;
				}
				const waitedMs = Math.round(clock.nowMs() - startedMs);
				if (waitedMs >= this.#timeoutMs) {
					const reason = replies.isHopeless ? "members answer differently" : refusal;
					reject(swarmErrors.outcomeUnknown({ operation: "command", waitedMs, attempts, reason }));
					return;
				}
				ask(configuration.members.filter((member) => !answered.includes(member)));
				timer = clock.schedule(Math.min(AGAIN_MS, this.#timeoutMs - waitedMs), again);
			};
			let timer = clock.schedule(Math.min(HEDGE_MS, this.#timeoutMs), again);
			return () => clock.cancel(timer);
		});
	}

	/** The primary and f others: those who were silent least often, in turns. */
	#firstAsked(): NodeId[] {
		const { configuration } = this.#access;
		const { members, faults } = configuration;
		const primary = this.#access.primary();
		this.#turn += 1;
		const wanted = this.#access.isTentative === true ? quorumOf(configuration) : 1 + faults;
		const asked = [primary];
		const at = members.indexOf(primary);
		const others = at < 0 ? members.length : members.length - 1;
		// Few members: to look for the least again and again costs less than to sort them for each request.
		while (asked.length < wanted) {
			let next: NodeId | null = null;
			let least = Number.POSITIVE_INFINITY;
			for (let i = 0; i < others; i++) {
				const member = members[(at + 1 + ((i + this.#turn) % others)) % members.length] as NodeId;
				const silence = this.#silence.get(member) ?? 0;
				if (silence < least && !asked.includes(member)) [next, least] = [member, silence];
			}
			if (next === null) break;
			asked.push(next);
		}
		return asked;
	}

	#remember(first: readonly NodeId[], answered: readonly NodeId[]): void {
		for (const node of first) {
			if (!answered.includes(node)) this.#silence.set(node, (this.#silence.get(node) ?? 0) + 1);
		}
	}

	/** Null when no quorum answers alike in time: the state moves, or somebody lies. */
	async #readNow(operation: Uint8Array): Promise<Uint8Array | null> {
		const { clock, configuration } = this.#access;
		const request = this.#request("read", this.#nextTimestamp, operation);
		const replies = new ReplyCollector(configuration, request.timestamp);
		const reply = await this.#settled<SupportedReply | null>((resolve, reject) => {
			let waiting = configuration.members.length;
			const done = (): void => {
				waiting -= 1;
				if (waiting === 0 || replies.isHopeless) resolve(null);
			};
			const take = (node: NodeId, answer: PbftClientAnswer): void => {
				const supported = answer.type === "read-result" ? replies.add(node, answer) : null;
				if (supported !== null) resolve(supported);
				else done();
			};
			const asker: DeskAsker = { answered: guarded(take, reject), failed: done };
			for (const node of configuration.members) this.#access.ask(node, request, READ_MS, asker);
			const timer = clock.schedule(READ_MS, () => resolve(null));
			return () => clock.cancel(timer);
		});
		return reply?.data ?? null;
	}

	/** A promise that is rejected when the client is closed; `begin` returns what ends it. */
	#settled<T>(begin: (resolve: (value: T) => void, reject: (error: unknown) => void) => () => void): Promise<T> {
		if (this.#closed !== null) return Promise.reject(this.#closed);
		return new Promise<T>((resolve, reject) => {
			let end: () => void = () => undefined;
			let isDone = false;
			const done = (): void => {
				isDone = true;
				this.#interrupts.delete(interrupt);
				end();
			};
			const interrupt = (error: Error): void => {
				done();
				reject(error);
			};
			this.#interrupts.add(interrupt);
			end = begin(
				(value) => {
					done();
					resolve(value);
				},
				(error) => {
					done();
					reject(error);
				},
			);
			if (isDone) end();
		});
	}
}

/** What f + 1 members, or a quorum of them, say alike of an ordered request. */
interface Agreed {
	readonly data: Uint8Array;
	readonly sequence: number;
	readonly view: number;
	/** Names the request. */
	readonly timestamp: number;
}

/** What an observer throws fails the request, and not the desk. */
function guarded(answered: DeskAsker["answered"], reject: (error: unknown) => void): DeskAsker["answered"] {
	return (node, answer) => {
		try {
			answered(node, answer);
		} catch (error) {
			reject(error);
		}
	};
}
