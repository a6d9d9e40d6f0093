/** Properties of the form: whoever speaks of this says the same of it. */
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import { hexOf } from "../bytes.ts";
import type { PbftObservation, PbftPublished } from "./observation.ts";
import { remember } from "./remember.ts";

/** What an event says of what; null if it says nothing that matters. */
type Said = (event: PbftPublished["event"]) => { readonly of: number; readonly value: string } | null;

export const agreement: Property<PbftObservation> = {
	id: "agreement",
	kind: "always",
	statement: "No two correct members decide different batches for one sequence number, in whatever views.",
	source: "OSDI'99 §4.2, §4.4 (safety)",
	needs: "events",
	observes: ["event"],
	watch: () => new SameAt(decidedDigest, new Map()),
};

export const historyAgreement: Property<PbftObservation> = {
	id: "history-agreement",
	kind: "always",
	statement: "Correct members that have executed equally many slots have executed the same ones in the same order.",
	source: "OSDI'99 §3 (linearizability of the replicated service)",
	needs: "events",
	observes: ["event"],
	watch: () => new SameAt(chainThrough, new Map()),
};

export const checkpointAgreement: Property<PbftObservation> = {
	id: "checkpoint-agreement",
	kind: "always",
	statement: "A checkpoint is stable with one state.",
	source: "OSDI'99 §4.3",
	needs: "events",
	observes: ["event"],
	watch: () => new SameAt(stableDigest, new Map()),
};

const decidedDigest: Said = (event) =>
	event.type === "decided" ? { of: event.certificate.sequence, value: hexOf(event.certificate.digest) } : null;

const chainThrough: Said = (event) =>
	event.type === "executed" || event.type === "restored" ? { of: event.sequence, value: hexOf(event.chain) } : null;

const stableDigest: Said = (event) =>
	event.type === "checkpoint-stable" ? { of: event.sequence, value: hexOf(event.digest) } : null;

class SameAt implements Watcher<PbftObservation> {
	readonly #said: Said;
	readonly #known: Map<number, string>;

	constructor(said: Said, known: Map<number, string>) {
		this.#said = said;
		this.#known = known;
	}

	observe(observation: PbftObservation): Finding | null {
		if (observation.type !== "event") return null;
		const said = this.#said(observation.event);
		if (said === null) return null;
		const known = this.#known.get(said.of);
		if (known !== undefined && known !== said.value) {
			return violated({ node: observation.node, sequence: said.of, value: said.value, other: known });
		}
		remember(this.#known, said.of, said.value);
		return holds;
	}

	get state(): unknown {
		return this.#known;
	}

	copy(): SameAt {
		return new SameAt(this.#said, new Map(this.#known));
	}
}
