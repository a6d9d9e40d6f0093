/**
 * A client's authenticators for the members, as one byte string: for each member its id and its authenticator, each behind a length of one
 * byte. A request is copied some ten times on its way, so it must not be made of twenty objects; and it names the members, since those whom
 * its client knows may not be those who read it.
 */
import { NODE_ID_LENGTH_MAX, type NodeId } from "../core/index.ts";
import { PBFT_MEMBERS_MAX } from "./config.ts";

/** The longest authenticator that a port may make. */
export const MAC_BYTES_MAX = 32;
/** The longest list of a client. */
export const AUTHENTICATORS_BYTES_MAX: number = PBFT_MEMBERS_MAX * (2 + NODE_ID_LENGTH_MAX + MAC_BYTES_MAX);

/** Lists what `authenticate` makes for each of the members. */
export function authenticatorsFor(
	members: readonly NodeId[],
	authenticate: (member: NodeId) => Uint8Array,
): Uint8Array {
	const macs = members.map(authenticate);
	const bytes = new Uint8Array(macs.reduce((sum, mac, i) => sum + 2 + (members[i] as NodeId).length + mac.length, 0));
	let at = 0;
	for (let i = 0; i < macs.length; i++) {
		const [member, mac] = [members[i] as NodeId, macs[i] as Uint8Array];
		bytes[at++] = member.length;
		for (let c = 0; c < member.length; c++) bytes[at++] = member.charCodeAt(c);
		bytes[at++] = mac.length;
		bytes.set(mac, at);
		at += mac.length;
	}
	return bytes;
}

/** The authenticator for a member, the first if there are several; null if there is none. */
export function authenticatorOf(authenticators: Uint8Array, member: NodeId): Uint8Array | null {
	let at = 0;
	while (at < authenticators.length) {
		const idEnd = at + 1 + (authenticators[at] as number);
		const length = authenticators[idEnd];
		if (length === undefined || idEnd + 1 + length > authenticators.length) return null;
		if (isId(authenticators, at + 1, idEnd, member)) return authenticators.subarray(idEnd + 1, idEnd + 1 + length);
		at = idEnd + 1 + length;
	}
	return null;
}

function isId(bytes: Uint8Array, start: number, end: number, id: NodeId): boolean {
	if (end - start !== id.length) return false;
	for (let i = 0; i < id.length; i++) if (bytes[start + i] !== id.charCodeAt(i)) return false;
	return true;
}
