/** Bugs planted in Raft's bounds in bytes and in its reads; part of `raft.ts`. */
import type { Mutation } from "./mutation.ts";

export const raftReadsMutations: readonly Mutation[] = [
	{
		name: "inflight-bytes-unbounded",
		bug: "sends a slow peer ahead without a bound in bytes",
		file: "protocols/raft/progress.ts",
		old: "bytesUnderWay(progress) >= maxInflightBytes",
		new: "bytesUnderWay(progress) > maxInflightBytes * 1e6",
	},
	{
		name: "inflight-bytes-kept",
		bug: "bytes that were answered still count as under way",
		file: "protocols/raft/progress.ts",
		old: "\t\tprogress.inflightBytes.splice(0, answered);\n",
		new: "",
	},
	{
		name: "uncommitted-bytes-unbounded",
		bug: "takes commands without a bound in bytes",
		file: "protocols/raft/requests.ts",
		old: "core.uncommittedBytes + sizeBytes <= maxUncommittedBytes",
		new: "sizeBytes <= maxUncommittedBytes",
	},
	{
		name: "uncommitted-bytes-never-alone",
		bug: "a command larger than the bound in bytes is never taken",
		file: "protocols/raft/requests.ts",
		old: "core.uncommittedBytes === 0 || ",
		new: "",
	},
	{
		name: "uncommitted-bytes-of-own-term",
		bug: "a leader does not count what it found uncommitted",
		file: "protocols/raft/roles.ts",
		old: "core.uncommittedBytes = bytesBetween(log, core.commitIndex, log.lastIndex);",
		new: "core.uncommittedBytes = bytesBetween(log, log.lastIndex, log.lastIndex);",
	},
];
