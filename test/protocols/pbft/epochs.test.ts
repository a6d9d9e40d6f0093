/**
 * Goal: who the members of a later epoch are is believed on the word of a quorum of the epoch before, about just those members (BYZ-13,
 * BYZ-19). Method: one machine of epoch 0, to which checkpoints of later epochs are shown with proofs, whole and forged.
 */
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId } from "../../../protocols/core/index.ts";
import type { CheckpointState, Configuration, Epoch } from "../../../protocols/pbft/index.ts";
import { checkpointDigest, checkpointHeader } from "../../../protocols/pbft/statements.ts";
import { encode } from "./ledger.ts";
import { at, c1, inView, LoneReplica, members, n1, n3, n4 } from "./lone-replica.ts";

const hash = new LoneReplica().port(n1).digest;

function configuration(epoch: number, names: readonly NodeId[] = members): Configuration {
	return { epoch: epoch as Epoch, members: names, faults: 1 };
}

function stateAt(sequence: number, of: Configuration, past: readonly Configuration[]): CheckpointState {
	return {
		sequence: at(sequence),
		configuration: of,
		pending: null,
		history: past,
		chain: hash(encode("chain")),
		choice: encode(""),
		clients: [{ client: c1, timestamps: [1, 2] }],
		root: hash(encode("root")),
		sizeBytes: 10,
		partBytes: 4,
	};
}

describe("a checkpoint of a later epoch", () => {
	const newcomer = nodeId("n5");
	const next = configuration(1, [n1, n3, n4, newcomer, ...members.filter((id) => id === "n2")].sort());

	/** What a member that was not there asks for when it is shown this. */
	function asksFor(
		forge: (header: ReturnType<typeof checkpointHeader>) => ReturnType<typeof checkpointHeader>,
		epoch = 1,
	) {
		const replica = new LoneReplica(undefined, { statePartBytes: 4 });
		const later = configuration(epoch, next.members);
		const first = stateAt(4, later, [configuration(0)]);
		const proof = {
			certificate: replica.stable(4, checkpointDigest(hash, first)),
			header: forge(checkpointHeader(hash, first)),
		};
		const state = stateAt(8, later, [configuration(0)]);
		const digest = checkpointDigest(hash, state);
		const statement = { type: "checkpoint", epoch: epoch as Epoch, view: inView(0), sequence: at(8), digest } as const;
		const votes = [n1, n3, n4, "n2" as NodeId].map((sender) => ({
			sender,
			signature: replica.sign(sender, statement),
		}));
		const certificate = { epoch: epoch as Epoch, sequence: at(8), digest, votes };
		replica.hear(n3, { type: "stable-checkpoint", certificate, state, epochs: [proof] });
		return replica.said("fetch-part").map(({ sequence }) => sequence);
	}

	it("is taken over when a quorum of the epoch before has signed who its members are", () => {
		expect(new Set(asksFor((header) => header))).toEqual(new Set([8]));
	});

	it("is not when other members are put under that signature", () => {
		expect(asksFor((header) => ({ ...header, root: hash(encode("other")) }))).toEqual([]);
		const others = { ...next, members: members.map((id) => nodeId(`x${id}`)) };
		expect(asksFor((header) => ({ ...header, configuration: others }))).toEqual([]);
	});

	it("is not when an epoch between is left out", () => {
		expect(asksFor((header) => header, 2)).toEqual([]);
	});
});

it("the digest of a checkpoint is another for every field that is", () => {
	const change = { configuration: configuration(1), effectiveAfter: at(8) };
	const whole = { ...stateAt(4, configuration(0), [configuration(0)]), pending: change };
	const changed: Partial<CheckpointState>[] = [
		{ sequence: at(5) },
		{ configuration: configuration(1) },
		{ configuration: { ...configuration(0), faults: 0 } },
		{ configuration: configuration(0, members.slice(1)) },
		{ pending: null },
		{ pending: { ...change, effectiveAfter: at(12) } },
		{ pending: { ...change, configuration: configuration(2) } },
		{ history: [] },
		{ chain: hash(encode("x")) },
		{ choice: encode("x") },
		{ clients: [{ client: c1, timestamps: [1] }] },
		{ root: hash(encode("x")) },
		{ sizeBytes: 11 },
		{ partBytes: 5 },
	];
	const digests = [{}, ...changed].map((fields) => checkpointDigest(hash, { ...whole, ...fields }).join());
	expect(new Set(digests).size).toBe(digests.length);
});
