/** Byzantine consensus with a shared key over it, for programs: every decision proved, signed by a threshold, and watched. */
import { createHash } from "node:crypto";
import type { Subscription } from "rxjs";
import { Generator, type NodeId, nodeId } from "../../protocols/core/index.ts";
import type { DecisionProof } from "../../protocols/pbft/index.ts";
import type { GroupKeyData } from "../../protocols/security/index.ts";
import { generateIdentity, KeyRing, NodeCryptoPort } from "../../runtime/crypto/index.ts";
import type {
	ByzantineClient,
	ByzantineConsensusCoordinator,
	ByzantineGroup,
	CertifiedDecision,
	ObservedAnswer,
} from "../byzantine-coordinator/index.ts";
import { encodeValue } from "../participant/index.ts";
import { decisionStatement, type SecurityManager, SecurityMonitor } from "../security-manager/index.ts";
import { keyUnfit, notAuthentic, proposalRefused } from "./errors.ts";
import { RoundWatch, reportConviction } from "./round-watch.ts";
import { type SecuredDecision, type TrustedKey, verifySecuredDecision } from "./secured-decision.ts";

export interface SecureConsensusOptions {
	/** Judges a proposal before anything is sent: null, or why it is refused. Default: everything is put to the group. */
	readonly validate?: (proposal: unknown) => string | null;
	/** Takes what detectors find; default: one of its own, whose alerts can be read at {@link SecureConsensusWrapper.monitor}. */
	readonly monitor?: SecurityMonitor;
}

/** Bytes of the challenge that joiners would have to work on; nobody joins through a wrapper. */
const CHALLENGE_BYTES = 16;

interface Secured {
	readonly group: ByzantineGroup;
	readonly client: ByzantineClient;
	readonly watch: RoundWatch;
	readonly subscription: Subscription;
}

/**
 * Puts proposals to a Byzantine group, and has each decision signed with the security manager's key by a threshold of its holders, each of
 * whom checks the decision's certificate itself: the key signs nothing else any more. A decision is given out only when everything about
 * it was checked. What members do meanwhile goes to the detectors of a {@link SecurityMonitor}.
 *
 * The key's holders must be members of the group, and its threshold between f + 1, so that liars alone can not sign, and as many as are
 * left without f of them, so that liars alone can not keep others from signing; for `3f + 1` members `2f + 1` is both.
 *
 * The proposal is authenticated by this wrapper's own client; the decision, not the proposal, is threshold-signed, since there is nothing
 * that a threshold could vouch for before the group has decided.
 * @example
 * const secureConsensus = new SecureConsensusWrapper(byzantineConsensus, securityManager);
 * const decision = await secureConsensus.initiateConsensus({ type: "put", key: "limit", value: 5 });
 * verifySecuredDecision(decision, securityManager.key); // null: it holds
 */
export class SecureConsensusWrapper {
	readonly #coordinator: ByzantineConsensusCoordinator;
	readonly #security: SecurityManager;
	readonly #validate: (proposal: unknown) => string | null;
	readonly #monitor: SecurityMonitor;
	readonly #verifier: { readonly ring: KeyRing; readonly port: NodeCryptoPort };
	#secured: Secured | null = null;
	/** The key that was last found fit, and restricted. */
	#restricted: string | null = null;

	constructor(
		coordinator: ByzantineConsensusCoordinator,
		security: SecurityManager,
		options: SecureConsensusOptions = {},
	) {
		this.#coordinator = coordinator;
		this.#security = security;
		this.#validate = options.validate ?? ((): null => null);
		const ring = new KeyRing("secure-consensus", generateIdentity(nodeId("wrapper")));
		this.#verifier = { ring, port: new NodeCryptoPort(ring) };
		this.#monitor = options.monitor ?? this.#ownMonitor();
	}

	/** The detectors, with what they have found so far. */
	get monitor(): SecurityMonitor {
		return this.#monitor;
	}

	/**
	 * Has a proposal decided, proved and signed.
	 * @throws QuorateError `proposal-refused`, `group-key-unfit`, `no-group-key`; as `ByzantineConsensusCoordinator.initiateConsensus`; and
	 *   when the proposal was decided all the same: `decision-not-authentic` (nobody may rely on it), `signing-failed`
	 */
	async initiateConsensus<Result = unknown>(proposal: unknown): Promise<SecuredDecision<Result>> {
		const refusal = this.#validate(proposal);
		if (refusal !== null) throw proposalRefused({ reason: refusal });
		const { group, client, watch } = this.#running();
		const key = await this.#fitKey(group);
		let proof: DecisionProof | null = null;
		try {
			const decision = await group.certify<Result>(client, proposal);
			proof = decision.certificate.proof;
			return await this.#secure(decision, encodeValue(proposal), client.id, key);
		} finally {
			this.#monitor.detectByzantineAttacks(watch.roundOf(proof));
		}
	}

	/** What is wrong with a decision, under the manager's present key; null if it holds. @throws QuorateError `no-group-key` */
	verify(decision: SecuredDecision, trusted: TrustedKey = this.#security.key): string | null {
		return verifySecuredDecision(decision, trusted);
	}

	/** Stops looking. Coordinator and security manager go on: whoever has made them ends them. Idempotent. */
	close(): void {
		this.#secured?.subscription.unsubscribe();
		this.#secured?.client.close();
		this.#secured = null;
	}

	[Symbol.dispose](): void {
		this.close();
	}

	async #secure<Result>(
		decision: CertifiedDecision<Result>,
		operation: Uint8Array,
		client: NodeId,
		key: GroupKeyData,
	): Promise<SecuredDecision<Result>> {
		const { proof } = decision.certificate;
		const isOurs = proof.request.client === client && Buffer.from(proof.request.operation).equals(operation);
		if (!isOurs) throw notAuthentic({ fault: "the certificate is of another proposal" });
		const statement = decisionStatement(proof, sha256);
		const { signature, publicKey, epoch } = await this.#security.createThresholdSignature(statement, undefined, proof);
		const signed = { suite: key.suite, publicKey, keyEpoch: epoch, signature };
		const secured: SecuredDecision<Result> = { ...decision, signature: signed };
		const fault = verifySecuredDecision(secured, key);
		if (fault !== null) throw notAuthentic({ fault });
		return secured;
	}

	/** The manager's present key, once it is sure to vouch for this group's decisions and for nothing else. */
	async #fitKey(group: ByzantineGroup): Promise<GroupKeyData> {
		const { key } = this.#security;
		const name = `${Buffer.from(key.publicKey).toString("hex")}/${key.epoch}`;
		if (this.#restricted === name) return key;
		const { members, threshold } = key;
		const strangers = members.filter(({ node }) => !group.nodes.includes(node)).map(({ node }) => node);
		if (strangers.length > 0) throw keyUnfit({ reason: `${strangers.join(", ")} hold shares and are no members` });
		const least = group.faults + 1;
		const most = members.length - group.faults;
		if (threshold < least)
			throw keyUnfit({
				reason: `its threshold ${threshold} must be at least ${least}, or liars alone could sign`,
			});
		if (threshold > most)
			throw keyUnfit({
				reason: `its threshold ${threshold} must be at most ${most}, or silent liars could keep it from signing`,
			});
		await this.#security.restrictToDecisions(group.trust);
		this.#restricted = name;
		return key;
	}

	#running(): Secured {
		if (this.#secured !== null) return this.#secured;
		const { group } = this.#coordinator;
		for (const member of group.trust.members) this.#verifier.ring.enrol(member);
		const watch = new RoundWatch(group.faults);
		const client = group.client({ observe: (answer: ObservedAnswer) => watch.answered(answer) });
		for (const conviction of group.convictions) reportConviction(this.#monitor, group.trust.cluster, conviction);
		const subscription = group.events$.subscribe((event) => {
			if (event.type === "member-convicted") reportConviction(this.#monitor, group.trust.cluster, event.conviction);
		});
		this.#secured = { group, client, watch, subscription };
		return this.#secured;
	}

	#ownMonitor(): SecurityMonitor {
		const { port } = this.#verifier;
		return new SecurityMonitor({
			node: nodeId("wrapper"),
			members: this.#coordinator.members,
			crypto: port,
			generator: new Generator(0, "secure-consensus"),
			nowMs: () => performance.now(),
			admission: { authority: nodeId("wrapper"), workChallenge: new Uint8Array(CHALLENGE_BYTES) },
		});
	}
}

function sha256(bytes: Uint8Array): Uint8Array {
	return createHash("sha256").update(bytes).digest();
}
