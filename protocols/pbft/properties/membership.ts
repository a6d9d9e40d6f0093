/** Who counts, and from where on: the committed configuration and nothing else. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import type { Configuration } from "../entities.ts";
import type { PbftEvent } from "../events.ts";
import type { PbftObservation } from "./observation.ts";
import { witness } from "./witnesses.ts";

const source = "Lamport, Malkhi, Zhou, Reconfiguring a State Machine, SIGACT News 41(1), 2010";

export const configurationAgreement: Property<PbftObservation> = {
	id: "configuration-agreement",
	kind: "always",
	statement:
		"Correct members order the same change for an epoch, with the same members, behind the same slot, and bear n >= 3f + 1.",
	source,
	needs: "events",
	observes: ["event"],
	watch: () => new ConfigurationAgreement(new Map()),
};

export const decidedInItsEpoch: Property<PbftObservation> = {
	id: "decided-in-its-epoch",
	kind: "always",
	statement: "A slot is decided by the members of the epoch that it belongs to, and by no others.",
	source,
	needs: "events",
	observes: ["event"],
	watch: () => new DecidedInItsEpoch(new Map(), new Map()),
};

export const noFalseIsolation: Property<PbftObservation> = {
	id: "no-false-isolation",
	kind: "always",
	statement: "No correct member is isolated.",
	source: "PeerReview, SOSP 2007 (accuracy)",
	needs: "machine",
	observes: ["started", "event"],
	watch: () => new NoFalseIsolation(new Set()),
};

export const configurationChanged: Property<PbftObservation> = witness(
	"configuration-changed",
	"A later configuration is entered.",
	source,
	(event) => event.type === "configuration-entered",
);

class ConfigurationAgreement implements Watcher<PbftObservation> {
	/** What was said first of each epoch. */
	readonly #known: Map<string, string>;

	constructor(known: Map<string, string>) {
		this.#known = known;
	}

	observe(observation: PbftObservation): Finding | null {
		if (observation.type !== "event") return null;
		const { node, event } = observation;
		if (event.type === "change-ordered") {
			const { configuration, effectiveAfter } = event;
			return (
				this.#compare(node, configuration) ?? this.#say(node, `end ${configuration.epoch}`, String(effectiveAfter))
			);
		}
		if (event.type === "configuration-entered") return this.#compare(node, event.configuration) ?? holds;
		return null;
	}

	get state(): unknown {
		return this.#known;
	}

	copy(): ConfigurationAgreement {
		return new ConfigurationAgreement(new Map(this.#known));
	}

	#compare(node: NodeId, { epoch, members, faults }: Configuration): Finding | null {
		if (members.length < 3 * faults + 1) return violated({ node, epoch, members: members.length, faults });
		const finding = this.#say(node, `members ${epoch}`, `${members.join(" ")} f=${faults}`);
		return finding === holds ? null : finding;
	}

	#say(node: NodeId, of: string, value: string): Finding {
		const known = this.#known.get(of);
		if (known !== undefined && known !== value) return violated({ node, of, value, other: known });
		this.#known.set(of, value);
		return holds;
	}
}

class DecidedInItsEpoch implements Watcher<PbftObservation> {
	/** The last slot of each epoch that a change has ended. */
	readonly #ends: Map<number, number>;
	/** The first and last slot that was decided in each. */
	readonly #decided: Map<number, readonly [first: number, last: number]>;

	constructor(ends: Map<number, number>, decided: Map<number, readonly [number, number]>) {
		this.#ends = ends;
		this.#decided = decided;
	}

	observe(observation: PbftObservation): Finding | null {
		if (observation.type !== "event") return null;
		const { event, node } = observation;
		if (event.type === "change-ordered") {
			this.#ends.set(event.configuration.epoch - 1, event.effectiveAfter);
			return this.#check(node);
		}
		if (event.type !== "decided") return null;
		const { epoch, sequence } = event.certificate;
		const [first, last] = this.#decided.get(epoch) ?? [sequence, sequence];
		this.#decided.set(epoch, [Math.min(first, sequence), Math.max(last, sequence)]);
		return this.#check(node);
	}

	get state(): unknown {
		return { ends: this.#ends, decided: this.#decided };
	}

	copy(): DecidedInItsEpoch {
		return new DecidedInItsEpoch(new Map(this.#ends), new Map(this.#decided));
	}

	#check(node: NodeId): Finding {
		for (const [epoch, [first, last]] of this.#decided) {
			const begin = epoch === 0 ? 0 : this.#ends.get(epoch - 1);
			const end = this.#ends.get(epoch) ?? Number.POSITIVE_INFINITY;
			if (begin !== undefined && first <= begin) return violated({ node, epoch, sequence: first, begin });
			if (last > end) return violated({ node, epoch, sequence: last, end });
		}
		return holds;
	}
}

class NoFalseIsolation implements Watcher<PbftObservation> {
	readonly #correct: Set<NodeId>;

	constructor(correct: Set<NodeId>) {
		this.#correct = correct;
	}

	observe(observation: PbftObservation): Finding | null {
		if (observation.type === "started") this.#correct.add(observation.node);
		if (observation.type !== "event") return null;
		const isolated = isolatedBy(observation.event);
		if (isolated === null) return null;
		return this.#correct.has(isolated) ? violated({ node: observation.node, isolated }) : holds;
	}

	get state(): unknown {
		return this.#correct;
	}

	copy(): NoFalseIsolation {
		return new NoFalseIsolation(new Set(this.#correct));
	}
}

function isolatedBy(event: PbftEvent): NodeId | null {
	if (event.type !== "change-ordered" || event.operation.type !== "isolate") return null;
	return event.operation.evidence.culprit;
}
