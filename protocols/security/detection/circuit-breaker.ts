/** Stops calling what fails: open after too many failures, half open after a while to try one call, closed when it succeeds (Nygard 2007). */
import { requireSetting } from "./finding.ts";

export interface CircuitBreakerOptions {
	/** Outcomes that the failure rate is taken over; 1 to 10,000, default 20. */
	readonly window?: number;
	/** The share of failures in a full window that opens it; more than 0, up to 1, default 0.5. */
	readonly failureRate?: number;
	/** How long it stays open before one call is tried; milliseconds, default 10,000. */
	readonly openMs?: number;
}

export type CircuitState = "closed" | "open" | "half-open";

export class CircuitBreaker {
	readonly #window: number;
	readonly #failureRate: number;
	readonly #openMs: number;
	#outcomes: boolean[] = [];
	#openedAtMs: number | null = null;
	/** When the call was allowed whose outcome decides; null while there is none. */
	#triedAtMs: number | null = null;

	/** @throws QuorateError `detector-config-invalid` */
	constructor({ window = 20, failureRate = 0.5, openMs = 10_000 }: CircuitBreakerOptions = {}) {
		requireSetting("window", window, 1, 10_000);
		requireSetting("failureRate", failureRate, Number.MIN_VALUE, 1, false);
		requireSetting("openMs", openMs, 1, 86_400_000);
		this.#window = window;
		this.#failureRate = failureRate;
		this.#openMs = openMs;
	}

	state(nowMs: number): CircuitState {
		if (this.#openedAtMs === null) return "closed";
		return nowMs - this.#openedAtMs >= this.#openMs ? "half-open" : "open";
	}

	/**
	 * Whether a call may be made now. In `half-open` the first to ask may; the others wait for its outcome, but no longer than `openMs`:
	 * who never tells must not keep it open for ever.
	 */
	allows(nowMs: number): boolean {
		const state = this.state(nowMs);
		if (state !== "half-open") return state === "closed";
		if (this.#triedAtMs !== null && nowMs - this.#triedAtMs < this.#openMs) return false;
		this.#triedAtMs = nowMs;
		return true;
	}

	/** What became of a call that was allowed. */
	record(hasSucceeded: boolean, nowMs: number): void {
		if (this.#triedAtMs !== null) {
			this.#triedAtMs = null;
			this.#outcomes = [];
			this.#openedAtMs = hasSucceeded ? null : nowMs;
			return;
		}
		// A late outcome of a call that was made before it opened says nothing new.
		if (this.#openedAtMs !== null) return;
		this.#outcomes.push(hasSucceeded);
		if (this.#outcomes.length > this.#window) this.#outcomes.shift();
		const failures = this.#outcomes.filter((outcome) => !outcome).length;
		if (this.#outcomes.length === this.#window && failures / this.#window >= this.#failureRate)
			this.#openedAtMs = nowMs;
	}
}
