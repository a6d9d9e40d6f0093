// Goal: the design document's usage pattern works as written, on real threads. Method: the built package, by its own name.
import { SecurityManager } from "quorate";
import { verifySignature } from "quorate/protocols/security";
import { expect, test } from "vitest";

test("new SecurityManager(); generateDistributedKeys(participants, threshold): each share on a thread of its own", async () => {
	const securityManager = new SecurityManager();
	try {
		const participants = ["node-1", "node-2", "node-3", "node-4"];
		const key = await securityManager.generateDistributedKeys(participants, 3);
		const message = new TextEncoder().encode("decision 1");
		const { signature } = await securityManager.createThresholdSignature(message);
		expect(securityManager.verifyThresholdSignature(message, signature)).toBe(true);
		expect(verifySignature(key.suite, key.publicKey, message, signature)).toBe(true);
		const refreshed = await securityManager.refreshShares();
		expect(Buffer.from(refreshed.publicKey).equals(key.publicKey)).toBe(true);
		const again = await securityManager.createThresholdSignature(message);
		expect(again.epoch).toBe(1);
		expect(securityManager.verifyThresholdSignature(message, again.signature)).toBe(true);
	} finally {
		await securityManager.shutdown();
	}
});
