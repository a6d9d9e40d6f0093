/**
 * Goal: a configuration is taken as it is or refused with a typed error that names the field; nothing is repaired.
 * Method: the defaults pass; each field is moved just outside each of its bounds; each relation is broken by itself.
 */
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId, QuorateError } from "../../../protocols/core/index.ts";
import {
	RAFT_VOTERS_MAX,
	type RaftConfig,
	RaftMachine,
	raftConfig,
	validateRaftConfig,
} from "../../../protocols/raft/index.ts";
import { a, b, c } from "./lone-machine.ts";

const given = { nodeId: a, voters: [a, b, c] };
const valid = raftConfig(given);

function refusal(run: () => unknown): { code: string; details: Readonly<Record<string, unknown>> } {
	try {
		run();
	} catch (error) {
		if (error instanceof QuorateError) return { code: error.code, details: error.details };
		throw error;
	}
	throw new Error("it was accepted");
}

describe("raftConfig", () => {
	it("fills in defaults that are valid, and puts the voters in order", () => {
		const config = raftConfig({ nodeId: b, voters: [c, a, b] });
		expect(config.voters).toEqual([a, b, c]);
		expect(config).toMatchObject({ electionTimeoutMs: { min: 150, max: 300 }, heartbeatMs: 50 });
		expect(() => validateRaftConfig(config)).not.toThrow();
	});

	it("does not change what it was given", () => {
		const voters = [c, a, b];
		raftConfig({ nodeId: a, voters });
		expect(voters).toEqual([c, a, b]);
	});
});

describe("witnesses and priorities", () => {
	it("witnesses are voters, in order, and fewer than a majority", () => {
		const refused = (witnesses: readonly NodeId[]): unknown =>
			refusal(() => validateRaftConfig({ ...valid, witnesses }));
		expect(refused([nodeId("x")])).toMatchObject({ code: "raft-config-invalid", details: { field: "witnesses" } });
		expect(refused([c, b])).toMatchObject({ code: "raft-config-invalid", details: { actual: "c b" } });
		expect(refused([b, c])).toMatchObject({ code: "raft-config-contradiction", details: { left: 2, right: 2 } });
		expect(() => validateRaftConfig({ ...valid, witnesses: [b] })).not.toThrow();
	});

	it("a priority is an integer in [0, 1,000,000]", () => {
		for (const priority of [-1, 1_000_001, 0.5]) {
			const refused = refusal(() => raftConfig({ ...given, priorities: { b: priority } }));
			expect(refused).toMatchObject({ code: "raft-config-invalid", details: { field: "priorities.b" } });
		}
		const priorities = null as unknown as RaftConfig["priorities"];
		expect(refusal(() => raftConfig({ ...given, priorities })).details).toMatchObject({ field: "priorities" });
	});

	it("a zone has a name of 1 to 64 characters", () => {
		for (const zone of ["", "x".repeat(65), 7 as unknown as string]) {
			const refused = refusal(() => raftConfig({ ...given, commitZones: { b: zone } }));
			expect(refused).toMatchObject({ code: "raft-config-invalid", details: { field: "commitZones.b" } });
		}
		const commitZones = null as unknown as RaftConfig["commitZones"];
		expect(refusal(() => raftConfig({ ...given, commitZones })).details).toMatchObject({ field: "commitZones" });
	});
});

describe("validateRaftConfig", () => {
	it.each([
		["preVote", 1],
		["handoverPriorityGap", -1],
		["handoverPriorityGap", 1_000_001],
		["forwardProposals", 1],
		["maxForwardedProposals", 0],
		["maxForwardedProposals", 65_537],
		["maxForwardedBytes", 1023],
		["maxForwardedBytes", 2 ** 40 + 1],
		["heartbeatMs", 0],
		["heartbeatMs", 300_001],
		["heartbeatMs", 1.5],
		["heartbeatMs", Number.NaN],
		["maxEntriesPerAppend", 0],
		["maxEntriesPerAppend", 65_537],
		["maxBytesPerAppend", 1023],
		["maxBytesPerAppend", 64 * 2 ** 20 + 1],
		["maxInflightAppends", 0],
		["maxInflightAppends", 1025],
		["maxInflightBytes", 1023],
		["maxInflightBytes", 2 ** 40 + 1],
		["maxInflightWrites", 0],
		["maxInflightWrites", 1025],
		["maxPendingProposals", 0],
		["maxPendingProposals", 2 ** 20 + 1],
		["maxUncommittedBytes", 1023],
		["maxUncommittedBytes", 2 ** 40 + 1],
		["maxPendingReads", 0],
		["maxPendingReads", 2 ** 20 + 1],
		["maxInflightReadRounds", 0],
		["maxInflightReadRounds", 1025],
		["maxEntryBytes", 0],
		["maxEntryBytes", 64 * 2 ** 20],
		["maxEntriesPerDelivery", 0],
		["maxEntriesPerDelivery", 2 ** 20 + 1],
		["snapshotEveryEntries", 0],
		["snapshotEveryEntries", 2 ** 31 + 1],
		["snapshotEveryBytes", 1023],
		["snapshotEveryBytes", 2 ** 40 + 1],
		["retainedEntries", -1],
		["retainedEntries", 2 ** 31 + 1],
		["snapshotChunkBytes", 0],
		["snapshotChunkBytes", 64 * 2 ** 20 + 1],
		["catchUpLagEntries", -1],
		["catchUpLagEntries", 2 ** 31 + 1],
	] as const)("refuses %s = %d", (field, value) => {
		const { code, details } = refusal(() => validateRaftConfig({ ...valid, [field]: value }));
		expect(code).toBe("raft-config-invalid");
		expect(details).toMatchObject({ field, actual: String(value) });
	});

	it.each([
		["electionTimeoutMs.min", { min: 0, max: 300 }],
		["electionTimeoutMs.max", { min: 150, max: 600_001 }],
	])("refuses %s outside its bounds", (field, electionTimeoutMs) => {
		expect(refusal(() => raftConfig({ ...given, electionTimeoutMs })).details).toMatchObject({ field });
	});

	it.each<[string, Partial<RaftConfig>]>([
		["electionTimeoutMs.min is below electionTimeoutMs.max", { electionTimeoutMs: { min: 200, max: 200 } }],
		["twice heartbeatMs is at most electionTimeoutMs.min", { heartbeatMs: 76 }],
		["one entry of maxEntryBytes fits into maxBytesPerAppend", { maxBytesPerAppend: 2048, maxEntryBytes: 2048 }],
	])("refuses a contradiction: %s", (rule, fields) => {
		const { code, details } = refusal(() => raftConfig({ ...given, ...fields }));
		expect(code).toBe("raft-config-contradiction");
		expect(details["rule"]).toBe(rule);
	});

	it.each<[string, readonly NodeId[]]>([
		["no voters", []],
		["a voter twice", [a, a, b]],
		["voters out of order", [b, a]],
		[
			"too many voters",
			Array.from({ length: RAFT_VOTERS_MAX + 1 }, (_, i) => nodeId(`a${String(i).padStart(3, "0")}`)),
		],
	])("refuses %s", (_what, voters) => {
		const { code, details } = refusal(() => validateRaftConfig({ ...valid, voters }));
		expect(code).toBe("raft-config-invalid");
		expect(details["field"]).toBe("voters");
	});

	it("takes a node that is not among the voters: it joins later", () => {
		expect(raftConfig({ nodeId: nodeId("z"), voters: [a, b] }).voters).toEqual([a, b]);
	});

	it.each([
		["lease", true],
		["lease", undefined],
		["lease.maxClockDriftPpm", {}],
		["lease.maxClockDriftPpm", { maxClockDriftPpm: -1 }],
		["lease.maxClockDriftPpm", { maxClockDriftPpm: 500_001 }],
	])("refuses %s of %o", (field, lease) => {
		expect(refusal(() => raftConfig({ ...given, lease: lease as never })).details).toMatchObject({ field });
	});

	it("refuses a followerReads that is no boolean", () => {
		const { details } = refusal(() => raftConfig({ ...given, followerReads: 1 as never }));
		expect(details).toMatchObject({ field: "followerReads", actual: "1" });
	});

	it("refuses a promoteLearners that is no boolean", () => {
		const { code, details } = refusal(() => validateRaftConfig({ ...valid, promoteLearners: "yes" as never }));
		expect(code).toBe("raft-config-invalid");
		expect(details).toMatchObject({ field: "promoteLearners", actual: "yes" });
	});

	it("guards the machine's constructor", () => {
		expect(() => new RaftMachine({ ...valid, heartbeatMs: 0 })).toThrow(QuorateError);
	});
});
