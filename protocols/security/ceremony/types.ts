/** The vocabulary of a key ceremony as a protocol. */
import type { NodeId, ProtocolTypes } from "../../core/index.ts";
import type { GroupKeyData } from "../frost/key-share.ts";
import type { Equivocation } from "./board.ts";
import type { IntroductionFault } from "./dealing.ts";
import type { CeremonyMessage, Post } from "./messages.ts";
import type { CeremonyCertificate } from "./outcome.ts";

export type CeremonyPhase =
	| "waiting"
	| "introducing"
	| "dealing"
	| "complaining"
	| "justifying"
	| "confirming"
	| "completed"
	| "failed";

/**
 * Why a participant was left out, or why a ceremony failed by it. Only `equivocation` and `share-unjustified` are proofs that can be
 * shown to others; the rest is what this participant has seen.
 */
export interface CeremonyFault {
	readonly node: NodeId;
	readonly kind:
		| "absent"
		| "equivocation"
		| IntroductionFault
		| "share-unjustified"
		| "too-many-complaints"
		| "unconfirmed"
		| "dissent";
	/** What convicts it, where there is proof. */
	readonly evidence: Equivocation | readonly Post[];
}

export type CeremonyEvent =
	| { readonly type: "ceremony-phase"; readonly phase: CeremonyPhase }
	| { readonly type: "ceremony-refused"; readonly from: NodeId; readonly reason: string }
	| { readonly type: "ceremony-fault"; readonly fault: CeremonyFault }
	| {
			readonly type: "ceremony-completed";
			readonly key: GroupKeyData;
			readonly certificate: CeremonyCertificate;
			readonly faults: readonly CeremonyFault[];
	  }
	| { readonly type: "ceremony-failed"; readonly reason: string; readonly faults: readonly CeremonyFault[] };

/** A ceremony makes nothing durable: whoever loses its state in the middle is absent from then on, and starts no second life in it. */
export interface CeremonyTypes extends ProtocolTypes {
	readonly message: CeremonyMessage;
	readonly request: never;
	readonly reply: never;
	readonly timer: "phase" | "resend";
	readonly write: never;
	readonly read: never;
	readonly readResult: never;
	readonly delivery: never;
	readonly snapshot: never;
	readonly event: CeremonyEvent;
	readonly durable: null;
}
