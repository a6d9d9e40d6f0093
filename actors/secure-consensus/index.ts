/**
 * `actors/secure-consensus`: the secure consensus wrapper of the design document. {@link SecureConsensusWrapper} joins a Byzantine
 * coordinator to a security manager: decisions are checked and signed by a threshold of share owners, and {@link verifySecuredDecision}
 * tells a third party whether one holds. It agrees on nothing and keeps no secret; coordinator and manager do.
 */
export { type SecureConsensusOptions, SecureConsensusWrapper } from "./secure-consensus-wrapper.ts";
export {
	type DecisionSignature,
	type SecuredDecision,
	type TrustedKey,
	verifyDecisionSignature,
	verifySecuredDecision,
} from "./secured-decision.ts";
