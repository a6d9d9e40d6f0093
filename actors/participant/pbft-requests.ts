/** What a client and a PBFT participant say to each other, and the layouts in which they say it. */
import type { LayoutTable } from "../../protocols/core/index.ts";
import {
	type ClientRequest,
	type DecisionProof,
	type PbftAnswer,
	type PbftReply,
	requestFields,
} from "../../protocols/pbft/index.ts";

/** A client's own, authenticated request. */
export type PbftClientRequest = { readonly type: "submit" } & ClientRequest;

/** What one member answers. A client believes a result when f + 1 members say the same. */
export type PbftClientAnswer = PbftAnswer | PbftReply;

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
	version: 1,
	messages: [
		{ type: "submit", fields: requestFields },
		{
			type: "result",
			fields: [
				{ name: "client", kind: "text" },
				{ name: "timestamp", kind: "safe-integer" },
				{ name: "sequence", kind: "safe-integer" },
				{ name: "view", kind: "safe-integer" },
				{ name: "data", kind: "bytes" },
			],
		},
		{
			type: "tentative-result",
			fields: [
				{ name: "client", kind: "text" },
				{ name: "timestamp", kind: "safe-integer" },
				{ name: "sequence", kind: "safe-integer" },
				{ name: "view", kind: "safe-integer" },
				{ name: "data", kind: "bytes" },
			],
		},
	],
};
