/** The client's side: which answer is to be believed, and whom to ask (OSDI'99 §4.1, §5.1.3). */
import type { NodeId } from "../core/index.ts";
import type { PbftAnswer } from "./applier.ts";
import { equalBytes, hexOf } from "./bytes.ts";
import type { Configuration, SequenceNumber, ViewNumber } from "./entities.ts";
import { quorumOf, weakQuorumOf } from "./quorum.ts";

/** An answer that enough members give alike. */
export interface SupportedReply {
	readonly data: Uint8Array;
	/** Where the request was executed; null for a read. */
	readonly sequence: SequenceNumber | null;
	/** Members that gave it. */
	readonly members: readonly NodeId[];
}

/**
 * Gathers the answers to one request. A result needs f + 1 equal answers, one of which is a correct member's; one that is tentative needs a
 * quorum of one view, so that no view change loses it; a read that was not ordered needs a quorum, or two of them might be answered from states of which neither contains the other's past.
 */
export class ReplyCollector {
	readonly #configuration: Configuration;
	readonly #timestamp: number;
	/** The last answer of each member, by its authenticated name: nothing that an answer says of its sender counts. */
	readonly #answers: { readonly from: NodeId; answer: PbftAnswer }[] = [];

	constructor(configuration: Configuration, timestamp: number) {
		this.#configuration = configuration;
		this.#timestamp = timestamp;
	}

	/** Takes an answer from a member that the channel vouches for. Returns the reply, once it is supported. */
	add(from: NodeId, answer: PbftAnswer): SupportedReply | null {
		if (!this.#configuration.members.includes(from) || answer.timestamp !== this.#timestamp) return null;
		if (answer.type === "reply-forgotten") return null;
		const given = this.#answers.find((known) => known.from === from);
		if (given === undefined) this.#answers.push({ from, answer });
		else given.answer = answer;
		const needed = answer.type === "result" ? weakQuorumOf(this.#configuration) : quorumOf(this.#configuration);
		const members: NodeId[] = [];
		for (const other of this.#answers) if (saySame(answer, other.answer)) members.push(other.from);
		if (members.length < needed) return null;
		return { data: answer.data, sequence: answer.type === "read-result" ? null : answer.sequence, members };
	}

	/**
	 * Whether no answer can become supported any more, with so many members still silent: a read is then asked again as a query.
	 */
	get isHopeless(): boolean {
		const silent = this.#configuration.members.length - this.#answers.length;
		const counts = new Map<string, number>();
		let needed = weakQuorumOf(this.#configuration);
		for (const { answer } of this.#answers) {
			counts.set(nameOf(answer), (counts.get(nameOf(answer)) ?? 0) + 1);
			if (answer.type === "read-result" || answer.type === "tentative-result") needed = quorumOf(this.#configuration);
		}
		return Math.max(0, ...counts.values()) + silent < needed;
	}
}

/** Whether two answers have the same {@link nameOf name}, without making it. */
function saySame(a: PbftAnswer, b: PbftAnswer): boolean {
	if (a === b) return true;
	if (a.type === "reply-forgotten" || b.type === "reply-forgotten") return a.type === b.type;
	if (a.type !== b.type || !equalBytes(a.data, b.data)) return false;
	if (a.type === "read-result" || b.type === "read-result") return true;
	return a.sequence === b.sequence && (a.type === "result" || a.view === b.view);
}

/**
 * Equal for answers that say the same. The view of an answer is no part of what it says, but for tentative ones: those of different views
 * do not add up to a batch that is prepared at a quorum.
 */
function nameOf(answer: PbftAnswer): string {
	switch (answer.type) {
		case "result":
			return `${answer.sequence}:${hexOf(answer.data)}`;
		case "tentative-result":
			return `tentative:${answer.view}:${answer.sequence}:${hexOf(answer.data)}`;
		case "read-result":
			return `read:${hexOf(answer.data)}`;
		default:
			return "forgotten";
	}
}

/** What a client believes of the group's view: the highest that f + 1 members have reached, so that no liar sends it astray. */
export class ViewEstimate {
	readonly #configuration: Configuration;
	readonly #views = new Map<NodeId, ViewNumber>();
	#view = 0 as ViewNumber;

	constructor(configuration: Configuration) {
		this.#configuration = configuration;
	}

	/** Takes note of the view in which a member has answered. */
	note(from: NodeId, view: ViewNumber): void {
		if (!this.#configuration.members.includes(from)) return;
		if (view <= (this.#views.get(from) ?? -1)) return;
		this.#views.set(from, view);
		const views = [...this.#views.values()].sort((a, b) => b - a);
		this.#view = views[weakQuorumOf(this.#configuration) - 1] ?? (0 as ViewNumber);
	}

	/** Asked for with each request, and changed with each view. */
	get view(): ViewNumber {
		return this.#view;
	}
}
