/**
 * Anti-entropy: how two replicas find out where they differ. {@link MerkleTree} for maps that are compared often and differ in
 * few places; {@link SetEncoder} and {@link SetDecoder} for sets whose difference nobody can estimate.
 */
export { MerkleTree } from "./merkle-tree.ts";
export { type CodedSymbol, ITEM_BYTES_MAX, SetDecoder, SetEncoder } from "./rateless-iblt.ts";
