/**
 * Goal: two participants talk so that nobody else can read, change, repeat or speak for them (SEC-38). Method: a handshake with each
 * message exchanged, and a channel under loss, reordering, repetition and forgery, over several keys.
 */
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId, type QuorateError } from "../../../protocols/core/index.ts";
import {
	answerChannel,
	type ChannelParty,
	generateIdentity,
	initiateChannel,
	KeyRing,
	NodeCryptoPort,
	type SealedChannel,
} from "../../../runtime/crypto/index.ts";

const [alice, bob, mallory] = ["alice", "bob", "mallory"].map(nodeId) as [NodeId, NodeId, NodeId];
const identities = [alice, bob, mallory].map(generateIdentity);
const portOf = (self: NodeId): NodeCryptoPort => {
	const ring = new KeyRing("test", identities.find((one) => one.public.id === self)!);
	for (const one of identities) ring.enrol(one.public);
	return new NodeCryptoPort(ring);
};
const party = (self: NodeId, peer: NodeId, change: Partial<ChannelParty> = {}): ChannelParty => ({
	self,
	peer,
	cluster: "test",
	crypto: portOf(self),
	...change,
});
const text = (value: string): Uint8Array => new TextEncoder().encode(value);
const codeOf = (action: () => unknown): string => {
	try {
		action();
	} catch (error) {
		return (error as QuorateError).code;
	}
	return "none";
};
const reasonOf = (action: () => unknown): unknown => {
	try {
		action();
	} catch (error) {
		return (error as QuorateError).details["reason"];
	}
	return "none";
};

function pair(rekeyMessages = 65_536): [SealedChannel, SealedChannel] {
	const initiated = initiateChannel(party(alice, bob, { rekeyMessages }));
	const answered = answerChannel(party(bob, alice, { rekeyMessages }), initiated.hello);
	const { confirm, channel } = initiated.complete(answered.answer);
	return [channel, answered.complete(confirm)];
}

describe("SEC-38: the handshake", () => {
	it("gives both sides one channel, in both directions", () => {
		const [a, b] = pair();
		expect(Buffer.from(b.open(a.seal(text("to bob"), text("head")), text("head"))).toString()).toBe("to bob");
		expect(Buffer.from(a.open(b.seal(text("to alice")))).toString()).toBe("to alice");
	});

	it("refuses an answer by somebody else, of another cluster, for another hello, or meant for another", () => {
		const initiated = initiateChannel(party(alice, bob));
		for (const answerer of [
			answerChannel(party(mallory, alice), initiated.hello),
			answerChannel(party(bob, mallory), initiated.hello),
			answerChannel(party(bob, alice, { cluster: "other" }), initiated.hello),
			answerChannel(party(bob, alice), initiateChannel(party(alice, bob)).hello),
		])
			expect(codeOf(() => initiated.complete(answerer.answer))).toBe("channel-refused");
		const answer = answerChannel(party(bob, alice), initiated.hello).answer;
		const other = initiateChannel(party(mallory, bob)).hello.ephemeral;
		expect(codeOf(() => initiated.complete({ ...answer, ephemeral: other }))).toBe("channel-refused");
	});

	it("a responder has no channel before the initiator has confirmed, with its own signature", () => {
		const initiated = initiateChannel(party(alice, bob));
		const answered = answerChannel(party(bob, alice), initiated.hello);
		expect(codeOf(() => answered.complete({ signature: new Uint8Array(64) }))).toBe("channel-refused");
		// The responder's signature sent back is not the initiator's.
		expect(codeOf(() => answered.complete(answered.answer))).toBe("channel-refused");
		const swapped = initiateChannel(party(mallory, bob));
		const asMallory = swapped.complete(answerChannel(party(bob, mallory), swapped.hello).answer);
		expect(codeOf(() => answered.complete(asMallory.confirm))).toBe("channel-refused");
	});

	it("refuses malformed hellos and keys of small order", () => {
		expect(codeOf(() => answerChannel(party(bob, alice), { ephemeral: new Uint8Array(3) }))).toBe("channel-refused");
		expect(codeOf(() => answerChannel(party(bob, alice), null as never))).toBe("channel-refused");
		expect(codeOf(() => answerChannel(party(bob, alice), { ephemeral: new Uint8Array(32) }))).toBe(
			"agreement-key-invalid",
		);
	});
});

describe("SEC-38: the channel", () => {
	it("refuses what was changed in any byte, bound to something else, cut, or sent back to its sender", () => {
		const [a, b] = pair();
		const sealed = a.seal(text("vote"), text("head"));
		for (let at = 0; at < sealed.length; at++)
			expect(
				codeOf(() =>
					b.open(
						sealed.map((byte, place) => (place === at ? byte ^ 1 : byte)),
						text("head"),
					),
				),
			).toBe("channel-refused");
		expect(codeOf(() => b.open(sealed, text("other")))).toBe("channel-refused");
		expect(codeOf(() => b.open(sealed.subarray(0, 10)))).toBe("channel-refused");
		expect(codeOf(() => a.open(sealed, text("head")))).toBe("channel-refused");
		expect(codeOf(() => pair()[1].open(sealed, text("head")))).toBe("channel-refused");
		expect(b.open(sealed, text("head"))).toEqual(text("vote"));
	});

	it("takes messages in any order within the window, each once", () => {
		const [a, b] = pair();
		const sealed = Array.from({ length: 1_100 }, (_, number) => a.seal(text(String(number))));
		b.open(sealed[1_050]!);
		expect(reasonOf(() => b.open(sealed[1_050]!))).toBe("it has come already");
		expect(Buffer.from(b.open(sealed[27]!)).toString()).toBe("27");
		expect(reasonOf(() => b.open(sealed[27]!))).toBe("it has come already");
		expect(reasonOf(() => b.open(sealed[26]!))).toBe("it is older than the window");
		for (let number = 30; number < 1_050; number++) b.open(sealed[number]!);
		for (let number = 30; number < 1_050; number++)
			expect(codeOf(() => b.open(sealed[number]!))).toBe("channel-refused");
	});

	it("changes its keys, takes late messages of the key before, and none of older ones", () => {
		const [a, b] = pair(4);
		const sealed = Array.from({ length: 16 }, (_, number) => a.seal(text(String(number))));
		expect(Buffer.from(b.open(sealed[0]!)).toString()).toBe("0");
		expect(Buffer.from(b.open(sealed[5]!)).toString()).toBe("5");
		expect(Buffer.from(b.open(sealed[3]!)).toString()).toBe("3");
		expect(Buffer.from(b.open(sealed[8]!)).toString()).toBe("8");
		expect(reasonOf(() => b.open(sealed[2]!))).toBe("its key is gone");
		expect(Buffer.from(b.open(sealed[6]!)).toString()).toBe("6");
		expect(Buffer.from(b.open(sealed[15]!)).toString()).toBe("15");
		// Two keys further: the one before was never computed on this side.
		expect(reasonOf(() => b.open(sealed[9]!))).toBe("none");
	});

	it("a forged number far ahead neither costs many keys nor moves the channel", () => {
		const [a, b] = pair(4);
		const sealed = a.seal(text("first"));
		const ahead = Buffer.from(sealed);
		ahead.writeUIntBE(4 * 5, 0, 6);
		expect(reasonOf(() => b.open(ahead))).toBe("it is too far ahead");
		ahead.writeUIntBE(4 * 3, 0, 6);
		expect(reasonOf(() => b.open(ahead))).toBe("it does not authenticate");
		expect(Buffer.from(b.open(sealed)).toString()).toBe("first");
	});
});
