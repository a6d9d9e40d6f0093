/**
 * Whether replicas have converged, as one member sees it: it compares digests that pass by on gossip anyway, round by round,
 * without a snapshot of all (Jelasity, Montresor, Babaoglu, TOCS 2005, monitor in the same way).
 *
 * It is an estimate: it knows only who it has heard of late, and digests are as old as their way here.
 */
import type { NodeId } from "../../core/index.ts";
import { requireIntegerField } from "../bounds.ts";

export interface ConvergenceReading {
	readonly round: number;
	/** Replicas heard within the window, this one included, and those of them that hold what this one holds. */
	readonly heard: number;
	readonly agreeing: number;
	/** `agreeing / heard`. */
	readonly share: number;
	/** All that were heard agree, and they are as many as are expected. */
	readonly isConverged: boolean;
	/** Rounds from this member's last change until all agreed; null while they do not. */
	readonly roundsToConverge: number | null;
}

export class ConvergenceMonitor {
	readonly #windowRounds: number;
	readonly #replicasMax: number;
	readonly #heard = new Map<NodeId, { readonly digest: string; readonly round: number }>();
	#round = 0;
	#own = "";
	#changedAt = 0;
	#convergedAt: number | null = null;

	/**
	 * @param windowRounds rounds after which what was heard does not count any more; 1 to 100,000, default 10
	 * @param replicasMax replicas that are remembered; 1 to 1,048,576, default 65,536
	 * @throws QuorateError `gossip-config-invalid`
	 */
	constructor(windowRounds = 10, replicasMax = 65_536) {
		requireIntegerField("windowRounds", windowRounds, [1, 100_000]);
		requireIntegerField("replicasMax", replicasMax, [1, 1_048_576]);
		this.#windowRounds = windowRounds;
		this.#replicasMax = replicasMax;
	}

	/** What a replica holds, by its digest as text. */
	hear(node: NodeId, digest: string): void {
		if (!this.#heard.has(node) && this.#heard.size >= this.#replicasMax) return;
		this.#heard.set(node, { digest, round: this.#round });
	}

	/** A replica is gone. */
	forget(node: NodeId): void {
		this.#heard.delete(node);
	}

	/**
	 * Ends a round.
	 * @param own the digest of what this member holds
	 * @param expected replicas that there are, this one included, as far as known
	 */
	endRound(own: string, expected: number): ConvergenceReading {
		if (own !== this.#own) {
			this.#own = own;
			this.#changedAt = this.#round;
			this.#convergedAt = null;
		}
		let [heard, agreeing] = [1, 1];
		for (const [node, { digest, round }] of this.#heard) {
			if (this.#round - round >= this.#windowRounds) {
				this.#heard.delete(node);
				continue;
			}
			heard++;
			if (digest === own) agreeing++;
		}
		const isConverged = agreeing === heard && heard >= expected;
		if (!isConverged) this.#convergedAt = null;
		else this.#convergedAt ??= this.#round;
		const roundsToConverge = this.#convergedAt === null ? null : this.#convergedAt - this.#changedAt;
		const reading = { round: this.#round, heard, agreeing, share: agreeing / heard, isConverged, roundsToConverge };
		this.#round++;
		return reading;
	}
}
