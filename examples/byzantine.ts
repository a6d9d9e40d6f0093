/**
 * Four members of which one lies: the others decide all the same, and what they decide is proved to anybody.
 *
 * Run it: `npm run build && node dist/examples/byzantine.js`
 */
import { ByzantineConsensusCoordinator, certificateFile, decodeProofs, verifyProofs } from "quorate";

const coordinator = new ByzantineConsensusCoordinator("node-2", 4, 1, {
	// It signs two different orders, one for each half of the group.
	attackers: { "node-1": "equivocate" },
	// A busy machine must not be taken for a slow primary.
	config: { viewTimeoutMs: 2_000 },
});
await coordinator.initializeNode();
try {
	const decision = await coordinator.initiateConsensus({ type: "put", key: "limit", value: 5 });
	console.log(`decided in slot ${decision.sequence}`);
	console.log("the limit is", await coordinator.read({ type: "get", key: "limit" }));

	// What a third party gets, and what it finds: `quorate verify-certificate FILE` does the same.
	const file = certificateFile(decision.certificate);
	const [verdict] = verifyProofs("decision.json", decodeProofs("decision.json", file));
	console.log(verdict?.fault === null ? "the certificate holds" : `no proof: ${verdict?.fault}`);
} finally {
	await coordinator.shutdown();
}
