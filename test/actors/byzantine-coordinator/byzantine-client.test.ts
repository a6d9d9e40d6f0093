/**
 * Goal: a client whose authenticators are not believed signs; one whose requests queue does not ask more members, one that hears nothing
 * does. Method: members and a clock of the test's own making.
 */
import { expect, it } from "vitest";
import { type ByzantineAccess, ByzantineClient } from "../../../actors/byzantine-coordinator/byzantine-client.ts";
import { encodeValue, type PbftClientAnswer } from "../../../actors/participant/index.ts";
import { nodeId } from "../../../protocols/core/index.ts";
import {
	type Epoch,
	requestDigest,
	requestStatement,
	type SequenceNumber,
	type ViewNumber,
} from "../../../protocols/pbft/index.ts";
import { generateIdentity, KeyRing, NodeCryptoPort } from "../../../runtime/crypto/index.ts";

it("signs when members can not check what it says otherwise, once, and is answered at once", async () => {
	const own = generateIdentity(nodeId("client-1"));
	const ring = new KeyRing("bank", own);
	const members = ["a", "b", "c", "d"].map(nodeId);
	for (const member of members) ring.enrol(generateIdentity(member).public);
	const port = new NodeCryptoPort(ring);
	let signed = 0;
	const access: ByzantineAccess = {
		cluster: "bank",
		configuration: { epoch: 0 as Epoch, members, faults: 1 },
		// Time stands still: what is answered is answered without waiting.
		clock: { nowMs: () => 0, schedule: () => 0 as never, cancel: () => undefined },
		clientWindow: 8,
		operationBytesMax: 1_000,
		firstTimestamp: 1,
		primary: () => nodeId("a"),
		ask: (node, request, _timeoutMs, asker) => {
			const answer = (value: PbftClientAnswer): void => queueMicrotask(() => asker.answered(node, value));
			if (request.signature.length === 0) {
				answer({ type: "refused", reason: "signature-required" });
				return;
			}
			const statement = requestStatement(requestDigest("bank", port.digest, request));
			expect(port.verify(own.public.id, statement, request.signature)).toBe(true);
			signed += 1;
			const { client, timestamp } = request;
			const place = { sequence: 3 as SequenceNumber, view: 0 as ViewNumber };
			answer({ type: "result", client, timestamp, ...place, data: encodeValue("done") });
		},
	};
	const client = new ByzantineClient(own.public.id, port, access);
	expect(await client.propose("anything")).toBe("done");
	expect(signed).toBe(members.length);
});

it("asks all members when it hears nothing, and not while its other requests get results", async () => {
	const own = generateIdentity(nodeId("client-1"));
	const ring = new KeyRing("bank", own);
	const members = ["a", "b", "c", "d"].map(nodeId);
	for (const member of members) ring.enrol(generateIdentity(member).public);
	let nowMs = 0;
	let due: { readonly atMs: number; readonly run: () => void }[] = [];
	const clock = {
		nowMs: () => nowMs,
		schedule: (afterMs: number, run: () => void) => {
			const timer = { atMs: nowMs + afterMs, run };
			due.push(timer);
			return timer as never;
		},
		cancel: (timer: unknown) => {
			due = due.filter((other) => other !== timer);
		},
	};
	const pass = (ms: number): void => {
		nowMs += ms;
		const now = due.filter(({ atMs }) => atMs <= nowMs);
		due = due.filter(({ atMs }) => atMs > nowMs);
		for (const { run } of now) run();
	};
	const asked: number[] = [];
	const client = new ByzantineClient(own.public.id, new NodeCryptoPort(ring), {
		cluster: "bank",
		configuration: { epoch: 0 as Epoch, members, faults: 1 },
		clock,
		clientWindow: 16,
		operationBytesMax: 1_000,
		firstTimestamp: 1,
		primary: () => nodeId("a"),
		ask: (node, { client: id, timestamp }, _timeoutMs, asker) => {
			asked.push(timestamp);
			// The first one is never answered.
			if (timestamp === 1) return;
			const place = { sequence: timestamp as SequenceNumber, view: 0 as ViewNumber };
			const answer = { type: "result", client: id, timestamp, ...place, data: encodeValue("done") } as const;
			queueMicrotask(() => asker.answered(node, answer));
		},
	});
	const lost = expect(client.propose("lost")).rejects.toMatchObject({ code: "client-closed" });
	await client.propose("served");
	pass(400);
	expect(asked.filter((timestamp) => timestamp === 1).length).toBe(2);
	pass(400);
	expect(asked.filter((timestamp) => timestamp === 1).length).toBe(2 + members.length);
	client.close();
	await lost;
});
