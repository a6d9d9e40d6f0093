/** What anti-entropy needs of a replicated value: three functions over bytes that only the value itself understands. */

/**
 * A value that is replicated by its differences: a CRDT, a key-value state, a set. Two of them that have exchanged differences in
 * both directions, with nobody changing them meanwhile, have equal digests.
 */
export interface ReconciledValue {
	/** What is held here, in as few bytes as tell it apart. Equal values have equal digests. */
	digest(): Uint8Array;
	/**
	 * What whoever has this digest lacks; null if that is nothing.
	 * @throws QuorateError for bytes that are no digest
	 */
	difference(digest: Uint8Array): Uint8Array | null;
	/**
	 * Takes a difference; whether anything of it was new. It may come twice, late, or after a newer one.
	 * @throws QuorateError for bytes that are no difference; the value is then as before
	 */
	merge(difference: Uint8Array): boolean;
	/** An independent value with the same content. */
	copy(): ReconciledValue;
}
