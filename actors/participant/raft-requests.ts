/** What a client and a Raft participant say to each other, and the layouts in which they say it. */
import type { LayoutTable } from "../../protocols/core/index.ts";
import type { RaftAnswer, RaftReply, RaftRequest } from "../../protocols/raft/index.ts";

/** A request as it travels: Raft's own request types. */
export type RaftClientRequest = RaftRequest;

/** What a client is answered: the application's word, or the machine's refusal. */
export type RaftClientAnswer = RaftAnswer | RaftReply;

/** The layouts of what clients ask and are answered often; append only. */
export const raftClientLayouts: LayoutTable = {
	protocol: "raft-client",
	version: 1,
	messages: [
		{
			type: "propose",
			fields: [
				{ name: "session", kind: "safe-integer" },
				{ name: "serial", kind: "safe-integer" },
				{ name: "firstIncomplete", kind: "safe-integer" },
				{ name: "data", kind: "bytes" },
			],
		},
		{ type: "read", fields: [{ name: "query", kind: "bytes" }] },
		{
			type: "result",
			fields: [
				{ name: "index", kind: "safe-integer" },
				{ name: "data", kind: "bytes" },
			],
		},
		{ type: "answer", fields: [{ name: "data", kind: "bytes" }] },
		{
			type: "read-at",
			fields: [
				{ name: "level", kind: { oneOf: ["index", "lease", "follower", "stale"] } },
				{ name: "maxStalenessMs", kind: "safe-integer" },
				{ name: "query", kind: "bytes" },
			],
		},
	],
};
