/** What is committed is never contradicted, from what members take for committed. */
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import { CommittedLog } from "./committed-log.ts";
import type { RaftObservation } from "./observation.ts";

export const committedAgreement: Property<RaftObservation> = {
	id: "committed-agreement",
	kind: "always",
	statement: "What any member once took for committed at an index, every member ever takes for committed there.",
	source: "Raft §5.4.3",
	needs: "machine",
	observes: ["started", "ended", "batch"],
	watch: () => new CommittedAgreement(new CommittedLog()),
};

class CommittedAgreement implements Watcher<RaftObservation> {
	readonly #committed: CommittedLog;

	constructor(committed: CommittedLog) {
		this.#committed = committed;
	}

	observe(observation: RaftObservation): Finding | null {
		if (observation.type === "started" || observation.type === "ended") this.#committed.forget(observation.node);
		if (observation.type !== "batch") return null;
		const found = this.#committed.follow(observation);
		if (found === null) return null;
		return typeof found === "number" ? holds : violated({ node: observation.node, ...found });
	}

	get state(): unknown {
		return this.#committed.state;
	}

	copy(): CommittedAgreement {
		return new CommittedAgreement(this.#committed.copy());
	}
}
