/**
 * `protocols/gossip`: news that reach everybody by talking to a few: membership and failure detection, broadcast, replicated
 * state that converges. Delivered is not decided: nothing in this room says "committed".
 *
 * Each folder is one protocol with its paper: `swim/`.
 */
export { bytesMalformed, configContradiction, configInvalid, tooLarge } from "./errors.ts";
export * from "./swim/index.ts";
