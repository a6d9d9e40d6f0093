/** What a client and a PBFT participant say to each other, and the layouts in which they say it. */
import type { LayoutTable } from "../../protocols/core/index.ts";
import {
	type ClientRequest,
	type DecisionProof,
	type PbftAnswer,
	type PbftReply,
	requestFields,
} from "../../protocols/pbft/index.ts";

/** Requests of clients, together in one message: each their own, authenticated. Told by an actor, who is told the answers. */
export interface PbftClientRequests {
	readonly type: "requests";
	/** `id` names the ask to its answer; the asker's own. */
	readonly asks: readonly { readonly id: number; readonly request: ClientRequest }[];
}

/** Whether a message is such a list. The requests in it are the protocol's to check, as everything from outside. */
export function isClientRequests(message: unknown): message is PbftClientRequests {
	const { type, asks } = (message ?? {}) as { readonly type?: unknown; readonly asks?: unknown };
	return type === "requests" && Array.isArray(asks) && asks.every((ask) => typeof ask?.id === "number");
}

/** What one member answers. A client believes a result when f + 1 members say the same. */
export type PbftClientAnswer = PbftAnswer | PbftReply;

/** Results, together in one message. `sequence` is 0 for a read. */
export interface PbftClientResults {
	readonly type: "results";
	readonly results: readonly {
		readonly id: number;
		readonly kind: ResultKind;
		readonly timestamp: number;
		readonly sequence: number;
		readonly view: number;
		readonly data: Uint8Array;
	}[];
}

/** All other answers, which are rare. */
export interface PbftClientRefusals {
	readonly type: "refusals";
	readonly refusals: readonly {
		readonly id: number;
		readonly answer: Exclude<PbftClientAnswer, { readonly data: Uint8Array }>;
	}[];
}

type ResultKind = "result" | "tentative-result" | "read-result";
const resultKinds: readonly ResultKind[] = ["result", "tentative-result", "read-result"];
/** Bytes of results in one message, beside the last one. */
const RESULTS_BYTES_MAX = 64 * 1024;

/** Answers as messages to whoever has asked, in order but for refusals, which come last. */
export function pbftAnswerMessages(
	answers: readonly { readonly id: number; readonly answer: PbftClientAnswer }[],
): (PbftClientResults | PbftClientRefusals)[] {
	const messages: (PbftClientResults | PbftClientRefusals)[] = [];
	const refusals: PbftClientRefusals["refusals"][number][] = [];
	let results: PbftClientResults["results"][number][] = [];
	let sizeBytes = 0;
	for (const { id, answer } of answers) {
		if (!("data" in answer)) {
			refusals.push({ id, answer });
			continue;
		}
		const { type: kind, timestamp, view, data } = answer;
		results.push({ id, kind, timestamp, sequence: kind === "read-result" ? 0 : answer.sequence, view, data });
		sizeBytes += data.length;
		if (sizeBytes < RESULTS_BYTES_MAX) continue;
		messages.push({ type: "results", results });
		[results, sizeBytes] = [[], 0];
	}
	if (results.length > 0) messages.push({ type: "results", results });
	if (refusals.length > 0) messages.push({ type: "refusals", refusals });
	return messages;
}

/** Asks a member for the proof that a request was decided in a slot. */
export interface PbftDecisionQuestion {
	readonly type: "pbft-decision";
	readonly sequence: number;
	readonly client: string;
	readonly timestamp: number;
}

/** `proof` is null when the slot is not decided there, or a checkpoint covers it. */
export interface PbftDecisionAnswer {
	readonly proof: DecisionProof | null;
}

/** The layouts of what is asked and answered often; append only. */
export const pbftClientLayouts: LayoutTable = {
	protocol: "pbft-client",
	version: 2,
	messages: [
		{
			type: "requests",
			fields: [
				{
					name: "asks",
					kind: {
						list: [
							{ name: "id", kind: "uint32" },
							{ name: "request", kind: { record: requestFields } },
						],
					},
				},
			],
		},
		{
			type: "results",
			fields: [
				{
					name: "results",
					kind: {
						list: [
							{ name: "id", kind: "uint32" },
							{ name: "kind", kind: { oneOf: resultKinds } },
							{ name: "timestamp", kind: "safe-integer" },
							{ name: "sequence", kind: "safe-integer" },
							{ name: "view", kind: "safe-integer" },
							{ name: "data", kind: "bytes" },
						],
					},
				},
			],
		},
	],
};
