/** The vocabulary of robust signing as a protocol. */
import type { NodeId, ProtocolTypes } from "../../core/index.ts";
import type { NonceCommitment } from "../frost/nonces.ts";

/** A signer is ready: fresh nonces for the next session it is asked into. */
export interface Ready {
	readonly type: "ready";
	readonly commitment: NonceCommitment;
}

/** The coordinator asks these signers, at these commitments, for their shares. */
export interface SignRequest {
	readonly type: "sign-request";
	/** Counts the coordinator's sessions from 1. */
	readonly session: number;
	readonly message: Uint8Array;
	readonly commitments: readonly NonceCommitment[];
}

/** A signer's share in one session, with fresh nonces for the next. */
export interface SignResponse {
	readonly type: "sign-response";
	readonly session: number;
	readonly share: Uint8Array;
	readonly next: NonceCommitment;
}

export type RoastMessage = Ready | SignRequest | SignResponse;

/** Why a signer is asked no more in this run. */
export interface RoastFault {
	readonly node: NodeId;
	readonly kind: "share-invalid" | "commitment-invalid" | "unasked";
}

export type RoastEvent =
	| { readonly type: "roast-session"; readonly session: number; readonly signers: readonly NodeId[] }
	| { readonly type: "roast-fault"; readonly fault: RoastFault }
	| {
			readonly type: "roast-signed";
			readonly session: number;
			readonly signature: Uint8Array;
			readonly faults: readonly RoastFault[];
	  }
	| { readonly type: "roast-failed"; readonly faults: readonly RoastFault[] };

export interface RoastTypes extends ProtocolTypes {
	readonly message: RoastMessage;
	readonly request: never;
	readonly reply: never;
	readonly timer: never;
	readonly write: never;
	readonly read: never;
	readonly readResult: never;
	readonly delivery: never;
	readonly snapshot: never;
	readonly event: RoastEvent;
	readonly durable: null;
}
