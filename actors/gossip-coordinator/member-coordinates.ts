/**
 * Where a member is among the others (Vivaldi): it takes the time of its probes by the clock of its host, and their acknowledgements carry
 * the coordinate of whoever answers, as serf does by memberlist's ping delegate. What passes through a relay is not measured.
 */
import type { ChoicePort, NodeId } from "../../protocols/core/index.ts";
import {
	type Ack,
	type Coordinate,
	decodeCoordinate,
	encodeCoordinate,
	estimateRoundTripMs,
	originCoordinate,
	ROUND_TRIP_MS_MAX,
	updateCoordinate,
} from "../../protocols/gossip/index.ts";
import type { MemberEvent } from "./member-messages.ts";

/** Another member, as far as it was measured. */
export interface PlacedMember {
	readonly node: NodeId;
	readonly coordinate: Coordinate;
	/** The median of the last three round trips, in ms. */
	readonly roundTripMs: number;
}

export interface CoordinateReport {
	readonly node: NodeId;
	readonly own: Coordinate;
	/** Those that this member has probed itself and that are not known to be gone. */
	readonly others: readonly PlacedMember[];
}

/** The round trip between two members in ms, as a third one knows their coordinates; null if it does not know one of them. */
export function roundTripBetween(report: CoordinateReport, a: NodeId, b: NodeId): number | null {
	const at = (node: NodeId): Coordinate | undefined =>
		node === report.node ? report.own : report.others.find((other) => other.node === node)?.coordinate;
	const [from, to] = [at(a), at(b)];
	if (from === undefined || to === undefined) return null;
	return a === b ? 0 : estimateRoundTripMs(from, to);
}

/** Round trips that are remembered of a member; their median counts, as in serf. */
const SAMPLES = 3;
/** Probes whose time is being taken, and members that are placed, at once. */
const PROBES_MAX = 1_024;
const PLACED_MAX = 4_096;

interface Placed {
	readonly coordinate: Coordinate;
	/** The latest last. */
	readonly roundTripsMs: readonly number[];
}

export class MemberCoordinates {
	readonly #node: NodeId;
	readonly #choices: ChoicePort;
	readonly #publish: (event: MemberEvent) => void;
	readonly #probes = new Map<number, { readonly to: NodeId; readonly atMs: number }>();
	readonly #others = new Map<NodeId, Placed>();
	#own: Coordinate = originCoordinate;
	#payload: Uint8Array = encodeCoordinate(originCoordinate);

	/** @param choices draws a direction for two members in one place */
	constructor(node: NodeId, choices: ChoicePort, publish: (event: MemberEvent) => void) {
		this.#node = node;
		this.#choices = choices;
		this.#publish = publish;
	}

	/** What acknowledgements of this member carry. */
	get payload(): Uint8Array {
		return this.#payload;
	}

	get report(): CoordinateReport {
		const others = [...this.#others].map(([node, { coordinate, roundTripsMs }]) => ({
			node,
			coordinate,
			roundTripMs: median(roundTripsMs),
		}));
		return { node: this.#node, own: this.#own, others };
	}

	/** A ping has left. */
	probed(to: NodeId, sequence: number, nowMs: number): void {
		for (const [oldest, { atMs }] of this.#probes) {
			if (this.#probes.size < PROBES_MAX && nowMs - atMs <= ROUND_TRIP_MS_MAX) break;
			this.#probes.delete(oldest);
		}
		this.#probes.set(sequence, { to, atMs: nowMs });
	}

	/** An acknowledgement has come, perhaps of a probe that this member does not know. */
	acknowledged(from: NodeId, { sequence, payload }: Ack, nowMs: number): void {
		const probe = this.#probes.get(sequence);
		if (probe === undefined || probe.to !== from) return;
		this.#probes.delete(sequence);
		const coordinate = decodeCoordinate(payload);
		if (coordinate === null) {
			this.#publish({ type: "coordinate-refused", from });
			return;
		}
		this.#place(from, coordinate, nowMs - probe.atMs);
	}

	/** A member is gone; what comes back under its name is placed anew. */
	forget(node: NodeId): void {
		this.#others.delete(node);
	}

	#place(node: NodeId, coordinate: Coordinate, sampleMs: number): void {
		const known = this.#others.get(node);
		// A clock that stood still or ran away has measured nothing.
		if (!(sampleMs > 0 && sampleMs <= ROUND_TRIP_MS_MAX)) return;
		if (known === undefined && this.#others.size >= PLACED_MAX) return;
		const roundTripsMs = [...(known?.roundTripsMs ?? []), sampleMs].slice(-SAMPLES);
		this.#others.set(node, { coordinate, roundTripsMs });
		const roundTripMs = median(roundTripsMs);
		this.#own = updateCoordinate(this.#own, coordinate, roundTripMs, this.#choices);
		this.#payload = encodeCoordinate(this.#own);
		this.#publish({ type: "round-trip-measured", node, roundTripMs });
	}
}

function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return sorted[Math.floor((sorted.length - 1) / 2)] as number;
}
