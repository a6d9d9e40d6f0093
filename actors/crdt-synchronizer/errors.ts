/** What a synchronizer answers to what it can not do. */
import { defineErrors, type ErrorMaker } from "../../protocols/core/index.ts";

const defined = defineErrors({
	typeUnknown: [
		"crdt-type-unknown",
		(d: { name: string; type: string; known: readonly string[] }) =>
			`${d.name}: there is no type ${d.type}, only ${d.known.join(", ")}`,
	],
	nameTaken: [
		"crdt-name-taken",
		(d: { name: string; type: string; registered: string }) =>
			`${d.name} is registered as ${d.registered} and can not be ${d.type}`,
	],
	notAMember: [
		"not-a-member",
		(d: { node: string; members: readonly string[] }) => `${d.node} is not among the members ${d.members.join(", ")}`,
	],
	nodeTaken: [
		"crdt-node-taken",
		(d: { node: string }) => `a synchronizer of ${d.node} in this group is open already in this process`,
	],
	collectionNeedsStorage: [
		"crdt-collection-needs-storage",
		(d: { node: string }) =>
			`${d.node} keeps its values in memory: after a collection it could not come back with nothing`,
	],
	closed: ["crdt-synchronizer-closed", (d: { node: string }) => `the synchronizer of ${d.node} is closed`],
});

/** A type name that {@link CRDTSynchronizer.registerCRDT} does not know: `{name, type, known}`. */
export const typeUnknown: ErrorMaker<{ name: string; type: string; known: readonly string[] }> = defined.typeUnknown;
/** A name is registered with another type: `{name, type, registered}`. */
export const nameTaken: ErrorMaker<{ name: string; type: string; registered: string }> = defined.nameTaken;
/** `{node, members}` */
export const notAMember: ErrorMaker<{ node: string; members: readonly string[] }> = defined.notAMember;
/** Two synchronizers would be one member: `{node}`. */
export const nodeTaken: ErrorMaker<{ node: string }> = defined.nodeTaken;
/** A group of which a member keeps nothing can not be collected: `{node}`. */
export const collectionNeedsStorage: ErrorMaker<{ node: string }> = defined.collectionNeedsStorage;
/** A call after `close`: `{node}`. */
export const closed: ErrorMaker<{ node: string }> = defined.closed;
