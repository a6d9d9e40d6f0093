/** How the hot messages of the tree become bytes, and whether one that came without a layout has the shape of a message. */
import { isNodeId, type LayoutTable } from "../../core/index.ts";
import { HAVE_MAX } from "./announcements.ts";

/** Messages of the overlay are few, and travel without a layout. */
export const broadcastLayouts: LayoutTable = {
	protocol: "broadcast",
	version: 1,
	messages: [
		{
			type: "tree-gossip",
			fields: [
				{
					name: "broadcast",
					kind: {
						record: [
							{ name: "id", kind: "text" },
							{ name: "payload", kind: "bytes" },
						],
					},
				},
				{ name: "hops", kind: "uint32" },
			],
		},
		{ type: "tree-graft", fields: [{ name: "id", kind: "text" }] },
		{ type: "tree-prune", fields: [] },
	],
};

/** Every kind of message, those without a layout included. */
export const broadcastMessageTypes: readonly string[] = [
	...broadcastLayouts.messages.map(({ type }) => type),
	"tree-have",
	"join",
	"forward-join",
	"neighbour",
	"neighbour-answer",
	"disconnect",
	"shuffle",
	"shuffle-answer",
];

/** Nodes that one shuffle may name: more than both views send by any configuration. */
const NODES_MAX = 256;
const ID_LENGTH_MAX = 128;

/** Whether what has come is a message, and none that would take the receiver more than its bounds. */
export function isBroadcastMessage(message: Readonly<Record<string, unknown>>): boolean {
	const isCount = (value: unknown): boolean => Number.isSafeInteger(value) && (value as number) >= 0;
	const isId = (value: unknown): boolean => typeof value === "string" && value.length <= ID_LENGTH_MAX;
	const areNodes = (value: unknown): boolean =>
		Array.isArray(value) && value.length <= NODES_MAX && value.every(isNodeId);
	const areAll = (value: unknown, is: (item: unknown) => boolean): boolean =>
		Array.isArray(value) && value.length <= HAVE_MAX && value.every(is);
	switch (message["type"]) {
		case "join":
		case "disconnect":
		case "tree-prune":
			return true;
		case "forward-join":
			return isNodeId(message["node"]) && isCount(message["hops"]);
		case "neighbour":
			return typeof message["isUrgent"] === "boolean";
		case "neighbour-answer":
			return typeof message["isAccepted"] === "boolean";
		case "shuffle":
			return isNodeId(message["origin"]) && areNodes(message["nodes"]) && isCount(message["hops"]);
		case "shuffle-answer":
			return areNodes(message["nodes"]);
		case "tree-have":
			return areAll(message["ids"], isId) && areAll(message["hops"], isCount);
		case "tree-graft":
			return isId(message["id"]);
		case "tree-gossip": {
			const { id, payload } = (message["broadcast"] ?? {}) as Readonly<Record<string, unknown>>;
			return isId(id) && payload instanceof Uint8Array && isCount(message["hops"]);
		}
		default:
			return false;
	}
}
