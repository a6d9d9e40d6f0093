/**
 * A signer for ROAST, and for plain FROST: one key share with a ledger of its unspent nonces. It is no `StateMachine`, on purpose: a
 * state machine can be copied, and two copies of one nonce give the key share away.
 */
import { toHex } from "../bytes.ts";
import { noncesSpent } from "../errors.ts";
import type { KeyShare } from "../frost/key-share.ts";
import { commitNonces, type NonceCommitment, type SigningNonces } from "../frost/nonces.ts";
import { type SignatureShare, type SigningPackage, SigningSession } from "../frost/signing-session.ts";
import { NONCES_WAITING_MAX } from "../limits.ts";

export class ThresholdSigner {
	readonly share: KeyShare;
	/** By hiding commitment; oldest first. */
	readonly #nonces = new Map<string, SigningNonces>();

	constructor(share: KeyShare) {
		this.share = share;
	}

	/** Nonces that were offered and have not signed. */
	get offered(): number {
		return this.#nonces.size;
	}

	/**
	 * Makes nonces and tells their commitment. `randomness` is 64 fresh bytes. With 256 unspent ones the oldest are given up: whoever
	 * comes back to them late gets `nonces-spent`.
	 * @throws QuorateError `bytes-malformed`
	 */
	offer(randomness: Uint8Array): NonceCommitment {
		if (this.#nonces.size >= NONCES_WAITING_MAX) this.#giveUpOldest();
		const nonces = commitNonces(this.share, randomness);
		this.#nonces.set(toHex(nonces.commitment.hiding), nonces);
		return nonces.commitment;
	}

	/**
	 * Signs with the nonces that the package names, and forgets them, whether or not signing succeeds.
	 * @throws QuorateError `nonces-spent` for nonces that this signer has not, or no longer; what {@link SigningSession} throws
	 */
	sign(signingPackage: SigningPackage): SignatureShare {
		const { identifier } = this.share;
		const session = new SigningSession(this.share.key, signingPackage);
		const named = signingPackage.commitments.find((commitment) => commitment.identifier === identifier);
		const place = named === undefined ? "" : toHex(named.hiding);
		const nonces = this.#nonces.get(place);
		if (nonces === undefined) throw noncesSpent({ identifier });
		this.#nonces.delete(place);
		return session.sign(this.share, nonces);
	}

	#giveUpOldest(): void {
		const [oldest] = this.#nonces;
		if (oldest === undefined) return;
		const [place, nonces] = oldest;
		nonces.discard();
		this.#nonces.delete(place);
	}

	/** Gives up all nonces, as before the share is replaced. */
	discardNonces(): void {
		for (const nonces of this.#nonces.values()) nonces.discard();
		this.#nonces.clear();
	}
}
