/** What the application may not find out by itself: proposed by the primary, checked by backups (OSDI'99 §4.6). */
import { emptyBytes } from "./bytes.ts";

/**
 * A host's say in what its replicas can not compute alike, such as the time of a batch. Backups may be behind the primary, so
 * `accepts` has to leave room for that: what a correct primary proposes and a correct backup refuses costs a view change.
 */
export interface ChoicePort {
	/** What this member proposes as primary; `previous` is the choice that was executed last here. */
	propose(previous: Uint8Array): Uint8Array;
	/** Whether this member, as backup, lets a primary's choice pass. */
	accepts(choice: Uint8Array, previous: Uint8Array): boolean;
}

/** The default: applications get no choices, and a primary that sends one is refused. */
export const noChoices: ChoicePort = {
	propose: () => emptyBytes,
	accepts: (choice) => choice.length === 0,
};
