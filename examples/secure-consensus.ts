/**
 * Seven members of which two may do anything, and do: what the others decide is signed by a key that no single one of them holds.
 *
 * Run it: `npm run build && node dist/examples/secure-consensus.js`
 */
import { ByzantineConsensusCoordinator, SecureConsensusWrapper, SecurityManager, verifySecuredDecision } from "quorate";

const byzantineConsensus = new ByzantineConsensusCoordinator("node-1", 7, 2, {
	// One votes for what nobody has proposed, one spoils its signatures.
	attackers: { "node-6": "wrong-votes", "node-7": "bad-signature" },
	// A busy machine must not be taken for a slow primary.
	config: { viewTimeoutMs: 4_000 },
});
const securityManager = new SecurityManager();
try {
	await byzantineConsensus.initializeNode();
	// What it takes to decide, 2f + 1, is also what it takes to sign.
	const { publicKey, suite } = await securityManager.generateDistributedKeys(byzantineConsensus.members, 5);

	const secureConsensus = new SecureConsensusWrapper(byzantineConsensus, securityManager);
	const decision = await secureConsensus.initiateConsensus({ type: "put", key: "limit", value: 5 });
	console.log(`decided in slot ${decision.sequence}, signed by a threshold of the members`);

	// A third party needs the key alone.
	const fault = verifySecuredDecision(decision, { suite, publicKey });
	console.log(fault === null ? "the decision holds" : `it does not: ${fault}`);
	const forged = { ...decision, signature: { ...decision.signature, signature: new Uint8Array(64) } };
	console.log(`another signature: ${verifySecuredDecision(forged, { suite, publicKey })}`);

	// The key signs decisions and nothing else any more: each of its owners looks at the certificate.
	const anything = new TextEncoder().encode("node-1 owns everything");
	const refused = await securityManager.createThresholdSignature(anything).catch((error: unknown) => error as Error);
	console.log("code" in refused ? `anything else: ${refused.code}` : "anything can be signed");
	secureConsensus.close();
} finally {
	await securityManager.shutdown();
	await byzantineConsensus.shutdown();
}
