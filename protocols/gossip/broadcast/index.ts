/**
 * Broadcast over partial views: HyParView (Leitão et al., DSN 2007) keeps each member a handful of links that heal, Plumtree
 * (Leitão et al., SRDS 2007) a tree over them that costs one message a member and mends itself.
 *
 * Not here: optimisation of the overlay by latency (X-BOT), order among messages, flow control.
 */
export { type BroadcastConfig, broadcastConfig } from "./config.ts";
export { broadcastLayouts, broadcastMessageTypes, isBroadcastMessage } from "./layouts.ts";
export { BroadcastMachine } from "./machine.ts";
export type { Broadcast, BroadcastMessage, BroadcastTypes, OverlayMessage, TreeMessage } from "./vocabulary.ts";
