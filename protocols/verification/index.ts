/**
 * `protocols/verification`: judges of protocols, generic over any state machine. {@link Property} is what they judge.
 *
 * Place: beside the protocols, below every host. It runs nothing by itself and knows no protocol; a protocol's own
 * properties and models stand in the protocol's room.
 */
export type { GroupObservation } from "./observation.ts";
export {
	type Finding,
	type FindingDetails,
	holds,
	type ObservationDepth,
	type Property,
	type PropertyKind,
	violated,
	type Watcher,
} from "./property.ts";
