/**
 * A key that four participants hold together and any three can use. Nobody ever has the whole of it: each share is made, kept and used
 * by an actor on a thread of its own.
 *
 * Run it: `npm run build && node dist/examples/threshold-key.js`
 */
import { SecurityManager } from "quorate";

const participants = ["node-1", "node-2", "node-3", "node-4"];
const threshold = 3;
const decision = new TextEncoder().encode("view 7, sequence 42: transfer 100");

const securityManager = new SecurityManager();
try {
	const key = await securityManager.generateDistributedKeys(participants, threshold);
	console.log(`${key.members.length} members have confirmed the key, ${key.threshold} of them can sign`);

	// One member is gone, with its share: the others still sign.
	await securityManager.dismiss("node-2");
	const { signature } = await securityManager.createThresholdSignature(decision);
	console.log(`signed without node-2: ${securityManager.verifyThresholdSignature(decision, signature)}`);

	// The same key in other hands: the old shares are worth nothing any more.
	const handedOver = await securityManager.reshare(["node-3", "node-4", "node-5"], 2);
	const isSame = Buffer.from(handedOver.publicKey).equals(key.publicKey);
	console.log(`handed over to node-3, node-4, node-5; the public key is the same: ${isSame}`);
	console.log(`the old signature verifies: ${securityManager.verifyThresholdSignature(decision, signature)}`);
} finally {
	await securityManager.shutdown();
}
