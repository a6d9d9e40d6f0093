/** A state machine that lets an observer look, for hosts that run a shipped participant unchanged. */
import type { Effect, Input, MonotonicMs, NodeId, ProtocolTypes, RequestId, StateMachine } from "../core/index.ts";
import type { GroupObservation } from "./observation.ts";

/** A machine that shows itself to observers. */
export interface ViewableMachine<P extends ProtocolTypes, View> extends StateMachine<P> {
	/** As it stands now; valid until the next step. */
	readonly view: View;
	copy(): ViewableMachine<P, View>;
}

/**
 * Passes every input on to a machine and reports what depth `machine` can see of it: `started` before its start is
 * stepped; after each `batch-ended` a `batch` with the effects of that whole batch, then an `event` for each that the
 * batch emits. The host has performed none of them by then. What the host alone knows (`ended`, `left`, `persisted`,
 * `applied`) the host reports.
 */
export class ObservedMachine<P extends ProtocolTypes, View> implements StateMachine<P> {
	readonly #node: NodeId;
	readonly #machine: ViewableMachine<P, View>;
	readonly #observe: (observation: GroupObservation<P, View>) => void;
	/** The effects of the batch so far: the host may take them from its own list at any time. */
	#batch: Effect<P>[] = [];
	/** What clients have asked in it. */
	#asked = new Set<RequestId>();

	constructor(
		node: NodeId,
		machine: ViewableMachine<P, View>,
		observe: (observation: GroupObservation<P, View>) => void,
	) {
		this.#node = node;
		this.#machine = machine;
		this.#observe = observe;
	}

	step(input: Input<P>, now: MonotonicMs, effects: Effect<P>[]): void {
		if (input.type === "start") this.#observe({ type: "started", node: this.#node });
		if (input.type === "request") this.#asked.add(input.requestId);
		const before = effects.length;
		this.#machine.step(input, now, effects);
		for (let i = before; i < effects.length; i++) this.#batch.push(effects[i] as Effect<P>);
		if (input.type === "batch-ended") this.#report();
	}

	get state(): unknown {
		return this.#machine.state;
	}

	/** An independent machine in the same state, under the same observer. */
	copy(): ObservedMachine<P, View> {
		const copy = new ObservedMachine(this.#node, this.#machine.copy(), this.#observe);
		copy.#batch = this.#batch.slice();
		copy.#asked = new Set(this.#asked);
		return copy;
	}

	#report(): void {
		const effects = this.#batch;
		const asked = this.#asked;
		this.#batch = [];
		if (asked.size > 0) this.#asked = new Set();
		this.#observe({ type: "batch", node: this.#node, effects, machine: this.#machine.view, asked });
		for (const effect of effects) {
			if (effect.type === "emit") this.#observe({ type: "event", node: this.#node, event: effect.event });
		}
	}
}
