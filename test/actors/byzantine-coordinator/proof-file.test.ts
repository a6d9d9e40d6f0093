/**
 * Goal: a file of proofs convinces exactly when it should. Method: a decision that four identities really signed, and the same file
 * with one thing wrong at a time.
 */
import { describe, expect, it } from "vitest";
import {
	certificateFile,
	type DecisionCertificate,
	decodeProofs,
	verifyProofs,
} from "../../../actors/byzantine-coordinator/index.ts";
import { nodeId } from "../../../protocols/core/index.ts";
import {
	batchDigest,
	type ClientRequest,
	type Epoch,
	requestDigest,
	type SequenceNumber,
	statementBytes,
	type ViewNumber,
} from "../../../protocols/pbft/index.ts";
import { generateIdentity, KeyRing, NodeCryptoPort } from "../../../runtime/crypto/index.ts";

const cluster = "bank";
const identities = ["a", "b", "c", "d"].map((name) => generateIdentity(nodeId(name)));
const ports = identities.map((own) => new NodeCryptoPort(new KeyRing(cluster, own)));
const { digest } = ports[0] as NodeCryptoPort;
const request: ClientRequest = {
	client: nodeId("client-1"),
	timestamp: 7,
	kind: "command",
	operation: Uint8Array.of(1, 2, 3),
	signature: new Uint8Array(0),
	macs: new Uint8Array(0),
};

function certificate(signers: readonly number[]): DecisionCertificate {
	const slot = { epoch: 0 as Epoch, view: 2 as ViewNumber, sequence: 5 as SequenceNumber };
	const decided = batchDigest(cluster, digest, { requests: [request], choice: new Uint8Array(0) });
	const statement = { type: "commit", ...slot, digest: decided } as const;
	const commits = signers.map((i) => {
		const sender = nodeId("abcd"[i] as string);
		return { sender, signature: (ports[i] as NodeCryptoPort).sign(statementBytes(cluster, sender, statement)) };
	});
	const { signature: _signature, macs: _macs, ...named } = request;
	return {
		proof: {
			cluster,
			certificate: { ...slot, digest: decided, commits },
			requests: [requestDigest(cluster, digest, request)],
			choice: new Uint8Array(0),
			index: 0,
			request: named,
		},
		epoch: 0,
		faults: 1,
		members: identities.map((own) => own.public),
	};
}

const good = certificateFile(certificate([0, 1, 3]));
const verdicts = (text: string): (string | null)[] =>
	verifyProofs("f", decodeProofs("f", text)).map(({ fault }) => fault);

describe("a file of proofs (BYZ-21)", () => {
	it("holds when a quorum has signed the decision, and says what it proves", () => {
		const [verdict] = verifyProofs("f", decodeProofs("f", good));
		expect(verdict).toEqual({
			claim: "the request 7 of client-1 is decided in slot 5, view 2, signed by a, b, d",
			fault: null,
		});
	});

	it("does not hold with fewer, or when one of them signs twice", () => {
		expect(verdicts(certificateFile(certificate([0, 1])))).toEqual(["too-few-signers"]);
		expect(verdicts(certificateFile(certificate([0, 1, 1])))).toEqual(["repeated-signer"]);
	});

	it.each([
		["another request", (text: string) => text.replace('"timestamp": 7', '"timestamp": 8'), "wrong-digest"],
		["another slot", (text: string) => text.replace('"sequence": 5', '"sequence": 6'), "bad-signature"],
		["another group", (text: string) => text.replaceAll('"bank"', '"bunk"'), "wrong-digest"],
		["a stranger's vote", (text: string) => text.replace('"sender": "b"', '"sender": "z"'), "not-a-member"],
		["a vote of nobody", (text: string) => text.replace(/"commits": \[/, '"commits": [7,'), "not-a-member"],
		["nonsense for votes", (text: string) => text.replace(/"commits": \[/, '"commits": 7, "other": ['), "malformed"],
	])("does not hold with %s", (_what, spoil, fault) => {
		const spoilt = spoil(good);
		expect(spoilt).not.toBe(good);
		expect(verdicts(spoilt)[0]).toContain(fault);
	});

	it.each([
		["no JSON", "{", /not JSON/],
		["another format", "{}", /its format is undefined/],
		["no members", good.replace('"members": [', '"member": ['), /members is no list/],
		["a fault count below zero", good.replace('"faults": 1', '"faults": -1'), /faults is no natural number/],
	])("is refused when it is %s", (_what, text, reason) => {
		expect(() => decodeProofs("f", text)).toThrow(expect.objectContaining({ code: "proof-file-invalid" }));
		expect(() => decodeProofs("f", text)).toThrow(reason);
	});

	const named = (epoch: number, faults: number, ...members: string[]): string =>
		`"configurations": [${JSON.stringify({ epoch, faults, members })}], "decisions"`;
	it.each([
		["group", '"cluster": "bank"', '"cluster": "bunk"', /decision 1 is of the group bank, not bunk/],
		["epoch", '"epoch": 0', '"epoch": 3', /decision 1 is of epoch 0, not 3/],
		["epoch, beside its configurations", '"decisions"', named(1, 1, "a", "b", "c", "d"), /epoch whose members/],
		["f, beside its configurations", '"decisions"', named(0, 0, "a", "b", "c", "d"), /bears 0 faults, not 1/],
		["members, of whom one has no key", '"decisions"', named(0, 1, "a", "b", "c", "x"), /no key of x/],
	])("is refused when its head names another %s than its proofs", (_what, old, other, reason) => {
		const text = good.replace(old, other);
		expect(text).not.toBe(good);
		expect(() => verdicts(text)).toThrow(expect.objectContaining({ code: "proof-file-invalid" }));
		expect(() => verdicts(text)).toThrow(reason);
	});

	it("holds beside the configurations that it was decided under", () => {
		expect(verdicts(good.replace('"decisions"', named(0, 1, "a", "b", "c", "d")))).toEqual([null]);
	});

	it("is refused when its members can not bear the faults that it claims", () => {
		const text = good.replace('"faults": 1', '"faults": 2');
		expect(() => verdicts(text)).toThrow(expect.objectContaining({ code: "proof-file-invalid" }));
	});
});
