/** Messages and layouts that can not be encoded or decoded. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const made = defineErrors({
	messageUndecodable: [
		"message-undecodable",
		(d: { schema: number; form: string; lengthBytes: number; reason: string }) =>
			`${d.lengthBytes} bytes are no message of schema ${d.schema} (${d.form}): ${d.reason}`,
	],
	messageUnencodable: [
		"message-unencodable",
		(d: { form: string; field: string; expected: string; actual: string }) =>
			`${d.form}${d.field === "" ? "" : `, field ${d.field}`}: expected ${d.expected}, got ${d.actual}`,
	],
	messageTooLarge: [
		"message-too-large",
		(d: { form: string; sizeBytes: number; limitBytes: number }) =>
			`${d.form}: ${d.sizeBytes} bytes are over the limit of ${d.limitBytes}`,
	],
	layoutInvalid: [
		"layout-invalid",
		(d: { protocol: string; type: string; field: string; reason: string }) =>
			`layout ${d.protocol}/${d.type}${d.field === "" ? "" : `, field ${d.field}`}: ${d.reason}`,
	],
	recordTableInvalid: [
		"record-table-invalid",
		(d: { reason: string; shapes: number; limit: number }) => `${d.reason} (${d.shapes} shapes, limit ${d.limit})`,
	],
});

/** The bytes are no message of that schema. */
export const messageUndecodable: ErrorMaker<{ schema: number; form: string; lengthBytes: number; reason: string }> =
	made.messageUndecodable;
/** The value can not travel: a function or symbol, a number out of its field's range, a field of another kind. */
export const messageUnencodable: ErrorMaker<{ form: string; field: string; expected: string; actual: string }> =
	made.messageUnencodable;
/** The encoded message is over the codec's limit. */
export const messageTooLarge: ErrorMaker<{ form: string; sizeBytes: number; limitBytes: number }> =
	made.messageTooLarge;
/** A layout that can not be compiled. */
export const layoutInvalid: ErrorMaker<{ protocol: string; type: string; field: string; reason: string }> =
	made.layoutInvalid;
/** A table of record shapes that can not be built. */
export const recordTableInvalid: ErrorMaker<{ reason: string; shapes: number; limit: number }> =
	made.recordTableInvalid;
