/** What a simulated world has to know of the protocol whose members run in it. */
import type { LayoutTable, NodeId, ProtocolTypes } from "../../protocols/core/index.ts";
import type { GroupObservation, Property } from "../../protocols/verification/index.ts";
import type { StoreContents } from "../../runtime/index.ts";
import type { StoreView } from "./observed-disk.ts";

/** Who watches the members. */
export interface ParticipantObserver<P extends ProtocolTypes, View> {
	/** Hears each batch of each member. */
	observe(observation: GroupObservation<P, View>): void;
	/** A message has come in from another member. */
	heard(to: NodeId, from: NodeId, messageType: string): void;
}

export interface SimulatedProtocol<P extends ProtocolTypes, View> {
	/** The group's name, and so the first part of its members' actors' names. */
	readonly group: string;
	/** The name of a member's store. */
	readonly storeOf: (node: NodeId) => string;
	/** All that there are. */
	readonly properties: readonly Property<GroupObservation<P, View>>[];
	/** How members and clients speak. */
	readonly layouts: readonly LayoutTable[];
	/** Reads what a store holds. */
	readonly viewOf: (contents: StoreContents) => StoreView & P["durable"];
	/** Of whom properties speak: not of members that are made to lie. */
	readonly isJudged: (node: NodeId) => boolean;
	/** What stands in the place of the modules that members are loaded from. */
	readonly modules: (
		observer: ParticipantObserver<P, View>,
	) => readonly (readonly [url: string, exports: Readonly<Record<string, unknown>>])[];
}
