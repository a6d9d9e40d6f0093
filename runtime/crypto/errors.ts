/** What can be wrong about keys, as typed errors. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const cryptoErrors = defineErrors({
	keyInvalid: [
		"crypto-key-invalid",
		(d: { node: string; reason: string }) => `the key of ${d.node} can not be enrolled: ${d.reason}`,
	],
	keyConflict: ["crypto-key-conflict", (d: { node: string }) => `another key is enrolled for ${d.node} already`],
	keyShared: [
		"crypto-key-shared",
		(d: { node: string; other: string }) => `the key of ${d.node} is enrolled for ${d.other} already`,
	],
});

/** A key is no key that this cluster accepts: `{node, reason}`. */
export const keyInvalid: ErrorMaker<{ node: string; reason: string }> = cryptoErrors.keyInvalid;

/** Somebody else's key is enrolled under this id: `{node}`. A key is replaced by an ordered change, never by enrolling again. */
export const keyConflict: ErrorMaker<{ node: string }> = cryptoErrors.keyConflict;

/** Two ids with one key would be one member with two votes: `{node, other}`. */
export const keyShared: ErrorMaker<{ node: string; other: string }> = cryptoErrors.keyShared;
