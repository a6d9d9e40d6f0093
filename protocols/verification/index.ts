/**
 * `protocols/verification`: judges of protocols, generic over any state machine. {@link Property} is what they judge;
 * a {@link WatchList} watches many of them over one stream of observations, an {@link ObservedMachine} makes that stream.
 *
 * Place: beside the protocols, below every host. It runs nothing by itself and knows no protocol; a protocol's own
 * properties and models stand in the protocol's room.
 */
export { propertyFailed, propertyRepeated } from "./errors.ts";
export type { GroupObservation } from "./observation.ts";
export { ObservedMachine, type ViewableMachine } from "./observed-machine.ts";
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
export { type PropertyResult, type PropertyVerdict, type Violation, WatchList } from "./watch-list.ts";
