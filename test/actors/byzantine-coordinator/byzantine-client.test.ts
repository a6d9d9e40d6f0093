/** Goal: a client whose authenticators are not believed signs. Method: members of the test's own making. */
import { expect, it } from "vitest";
import { type ByzantineAccess, ByzantineClient } from "../../../actors/byzantine-coordinator/byzantine-client.ts";
import { encodeValue } from "../../../actors/participant/index.ts";
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
		ask: async (_node, request) => {
			if (request.signature.length === 0) return { type: "refused", reason: "signature-required" };
			const statement = requestStatement(requestDigest("bank", port.digest, request));
			expect(port.verify(own.public.id, statement, request.signature)).toBe(true);
			signed += 1;
			const { client, timestamp } = request;
			const place = { sequence: 3 as SequenceNumber, view: 0 as ViewNumber };
			return { type: "result", client, timestamp, ...place, data: encodeValue("done") };
		},
	};
	const client = new ByzantineClient(own.public.id, port, access);
	expect(await client.propose("anything")).toBe("done");
	expect(signed).toBe(members.length);
});
