/**
 * The timers of one member of a {@link Crowd}, by name, with the event that each stands for. Most members have a few at a time,
 * which are found faster in a list than by hashing; where there are many, a map takes over.
 */

/** No event. */
export const NOTHING = -1;

/** A list up to this length. */
const LISTED_MAX = 8;

export class TimerTable<Timer extends string> {
	#names: Timer[] = [];
	#events: number[] = [];
	#mapped: Map<Timer, number> | null = null;

	/** The name must not be set. */
	set(timer: Timer, event: number): void {
		if (this.#mapped !== null) {
			this.#mapped.set(timer, event);
			return;
		}
		this.#names.push(timer);
		this.#events.push(event);
		if (this.#names.length > LISTED_MAX) {
			this.#mapped = new Map(this.#names.map((name, at) => [name, this.#events[at] as number]));
			this.#names = [];
			this.#events = [];
		}
	}

	/** Unsets a timer; its event, or {@link NOTHING} if it was not set. */
	take(timer: Timer): number {
		if (this.#mapped !== null) {
			const event = this.#mapped.get(timer) ?? NOTHING;
			this.#mapped.delete(timer);
			return event;
		}
		const at = this.#names.indexOf(timer);
		if (at < 0) return NOTHING;
		const event = this.#events[at] as number;
		const [lastName, lastEvent] = [this.#names.pop() as Timer, this.#events.pop() as number];
		if (at < this.#names.length) {
			this.#names[at] = lastName;
			this.#events[at] = lastEvent;
		}
		return event;
	}

	/** Unsets all; their events. */
	clear(): number[] {
		const events = this.#mapped === null ? this.#events : [...this.#mapped.values()];
		this.#names = [];
		this.#events = [];
		this.#mapped = null;
		return events;
	}
}
