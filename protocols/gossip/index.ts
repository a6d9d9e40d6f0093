/**
 * `protocols/gossip`: news that reach everybody by talking to a few: membership and failure detection, broadcast, replicated
 * state that converges. Delivered is not decided: nothing in this room says "committed".
 *
 * Each folder is one protocol with its paper: `swim/`, `rumours/`, `broadcast/`, `anti-entropy/`, `state/`,
 * `repair/`, `clocks/`, `estimation/`.
 */
export * from "./anti-entropy/index.ts";
export * from "./broadcast/index.ts";
export * from "./clocks/index.ts";
export { configContradiction, configInvalid, symbolsInconsistent, tagsInvalid, tooLarge } from "./errors.ts";
export * from "./estimation/index.ts";
export * from "./repair/index.ts";
export * from "./rumours/index.ts";
export * from "./state/index.ts";
export * from "./swim/index.ts";
