/**
 * What a swarm's user may do to the members of its group and their leader, as requests to the group: asked of whoever
 * leads, and again while the answer is that it can not be done just now.
 */
import { type NodeId, QuorateError } from "../../protocols/core/index.ts";
import type { MembershipChange } from "../../protocols/raft/index.ts";
import type { RaftClientAnswer, RaftClientRequest } from "../participant/index.ts";
import type { GroupAccess } from "./client.ts";
import type { Leadership } from "./contract.ts";
import * as errors from "./errors.ts";

/** One attempt waits no longer for its answer. */
const ATTEMPT_TIMEOUT_MS = 2_000;
/** How long to wait before the same is asked again. */
const AGAIN_MS = 20;

/** Refusals that a little time mends: another change or transfer is under way, a learner catches up, a leader is new. */
const PASSING: ReadonlySet<string> = new Set([
	"change-in-progress",
	"term-not-committed",
	"joint",
	"transfer-in-progress",
	"too-many-pending",
	"not-caught-up",
	"not-leader",
]);
/** Failures that say nothing about the group: it is asked again. */
const LOST: ReadonlySet<string> = new Set(["ask-timeout", "actor-dead", "node-down", "mailbox-full", "asks-exhausted"]);

type Refused = Extract<RaftClientAnswer, { readonly type: "refused" }>;

/** What an answer comes to: a result, or (undefined) that it is to be asked again. */
type Settle<Result> = (answer: RaftClientAnswer, isRepeated: boolean) => { readonly result: Result } | undefined;

export class MemberChanges {
	readonly #group: GroupAccess;

	constructor(group: GroupAccess) {
		this.#group = group;
	}

	/** @throws QuorateError `membership-refused`, `membership-not-done` */
	async change(change: MembershipChange, timeoutMs: number): Promise<void> {
		const request: RaftClientRequest = { type: "change-membership", change, transition: "automatic" };
		await this.#untilSettled(change.type, request, timeoutMs, (answer, isRepeated) => {
			if (answer.type === "membership-changed") return { result: undefined };
			if (answer.type !== "refused" || PASSING.has(answer.reason)) return undefined;
			// After an attempt whose end is not known, who is to be removed may be so already.
			const isRemoved = isRepeated && change.type === "remove" && answer.reason === "member-unknown";
			if (answer.reason === "unchanged" || isRemoved) return { result: undefined };
			throw refusedError(change.type, answer);
		});
	}

	/**
	 * The new leadership; null if an attempt whose end is not known has succeeded.
	 * @throws QuorateError `transfer-given-up`, `membership-refused`, `membership-not-done`
	 */
	async transfer(to: NodeId | null, timeoutMs: number): Promise<Leadership | null> {
		const request: RaftClientRequest = { type: "transfer-leadership", to };
		return await this.#untilSettled<Leadership | null>("transfer", request, timeoutMs, (answer, isRepeated) => {
			if (answer.type === "leadership-transferred") {
				return { result: { leader: answer.leader, term: answer.term } };
			}
			if (answer.type === "transfer-given-up") {
				throw errors.transferGivenUp({ to: answer.to, failure: answer.failure });
			}
			if (answer.type !== "refused" || PASSING.has(answer.reason)) return undefined;
			if (answer.reason === "already-leader" && isRepeated) return { result: null };
			throw refusedError("transfer", answer);
		});
	}

	async #untilSettled<Result>(
		operation: string,
		request: RaftClientRequest,
		timeoutMs: number,
		settle: Settle<Result>,
	): Promise<Result> {
		const { clock } = this.#group;
		const sinceMs = clock.nowMs();
		let told: NodeId | null = null;
		let reason = "no-leader";
		let isRepeated = false;
		for (let attempt = 0; ; attempt++) {
			const leftMs = Math.ceil(sinceMs + timeoutMs - clock.nowMs());
			if (leftMs <= 0) throw errors.membershipNotDone({ operation, waitedMs: timeoutMs, reason });
			const { members } = this.#group;
			const target: NodeId = told ?? this.#group.leader() ?? (members[attempt % members.length] as NodeId);
			told = null;
			try {
				const answer = await this.#group.ask(target, request, Math.min(leftMs, ATTEMPT_TIMEOUT_MS));
				const settled = settle(answer, isRepeated);
				if (settled !== undefined) return settled.result;
				if (answer.type === "refused") reason = answer.reason;
				else isRepeated = true;
				if (answer.type === "refused" && answer.reason === "not-leader") told = answer.leader;
			} catch (error) {
				if (!(error instanceof QuorateError) || !LOST.has(error.code)) throw error;
				reason = error.code;
				isRepeated = true;
			}
			await new Promise<void>((resume) => void clock.schedule(AGAIN_MS, resume));
		}
	}
}

/** The machine's reason with the values that belong to it. */
function refusedError(operation: string, { type: _type, reason, ...values }: Refused): Error {
	const detail = Object.entries(values).map(([name, value]) => `${name} ${String(value)}`);
	return errors.membershipRefused({ operation, reason, detail: detail.join(", ") });
}
