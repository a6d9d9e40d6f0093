/** The bounds of this room, in one place: what is larger is refused before any group arithmetic. */

/** Members of one key; as many as actors' threads allow. */
export const MEMBERS_MAX = 64;
/** Bytes of a message that is signed: larger content is signed by its digest. */
export const MESSAGE_BYTES_MAX = 65_536;
/** Nonces that one signer holds in advance. */
export const NONCES_WAITING_MAX = 256;
/** Bytes of a session's or a statement's context. */
export const CONTEXT_BYTES_MAX = 1_024;
/** The least bytes of randomness from which scalars are derived. */
export const ENTROPY_BYTES_MIN = 32;
