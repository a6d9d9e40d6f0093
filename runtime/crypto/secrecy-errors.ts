/** What can go wrong where secrets are kept or sent, as typed errors. None of them says anything of a secret. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const secrecyErrors = defineErrors({
	agreementKeyInvalid: ["agreement-key-invalid", (d: { reason: string }) => `no X25519 key to agree with: ${d.reason}`],
	hpkeRefused: ["hpke-refused", (d: { reason: string }) => `the sealed message is refused: ${d.reason}`],
	channelRefused: [
		"channel-refused",
		(d: { peer: string; reason: string }) => `the sealed channel with ${d.peer} refuses: ${d.reason}`,
	],
	keyStoreLocked: [
		"key-store-locked",
		(_: Record<string, never>) => "the key store does not open: the passphrase is wrong, or the store was changed",
	],
	keyStoreInvalid: ["key-store-invalid", (d: { reason: string }) => `this is no key store: ${d.reason}`],
	keyStoreEntryMissing: ["key-store-entry-missing", (d: { name: string }) => `the key store has no entry ${d.name}`],
});

/** `agreement-key-invalid`: not 32 bytes, or of small order. */
export const agreementKeyInvalid: ErrorMaker<{ reason: string }> = secrecyErrors.agreementKeyInvalid;
/** `hpke-refused`: not for this recipient, changed, or out of turn. */
export const hpkeRefused: ErrorMaker<{ reason: string }> = secrecyErrors.hpkeRefused;
/** `channel-refused`: forged, replayed, too old, too far ahead, or used up. */
export const channelRefused: ErrorMaker<{ peer: string; reason: string }> = secrecyErrors.channelRefused;
/** `key-store-locked`: wrong passphrase and changed store can not be told apart. */
export const keyStoreLocked: ErrorMaker<Record<string, never>> = secrecyErrors.keyStoreLocked;
/** `key-store-invalid`: it has not the form of one, or costs more than is allowed. */
export const keyStoreInvalid: ErrorMaker<{ reason: string }> = secrecyErrors.keyStoreInvalid;
/** `key-store-entry-missing` */
export const keyStoreEntryMissing: ErrorMaker<{ name: string }> = secrecyErrors.keyStoreEntryMissing;
