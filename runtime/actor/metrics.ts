/** The instruments that actors and kernels write to; `runtime/telemetry` keeps them in shared memory. */

/** Where measurements go. The same name gives the same instrument; names are `room.what_unit`, as `actor.told`. */
export interface Metrics {
	counter(name: string): { add(count: number): void };
	gauge(name: string): { set(value: number): void };
	histogram(name: string): { record(value: number): void };
}
