/**
 * A swarm as the target of an experiment. What differs between simulation and threads (how time passes, how faults are
 * applied, what is observed) is a {@link TargetStage}; the rest is here, once for both.
 */
import type { TargetEvent } from "../../supervisors/index.ts";
import type { Swarm, SwarmEvent } from "../swarm/index.ts";
import { CLIENT_TIMEOUT_MS, StagedTarget, type TargetStage } from "./staged-target.ts";

export class SwarmTarget extends StagedTarget {
	readonly #swarm: Swarm;
	/** The terms that members lead. */
	readonly #leading = new Map<string, number>();

	constructor(swarm: Swarm, stage: TargetStage, seed: number, observe: (event: TargetEvent) => void) {
		const group = {
			client: () => swarm.client({ window: 1, timeoutMs: CLIENT_TIMEOUT_MS }),
			leader: () => swarm.leader?.leader ?? null,
			leads: (node: string) => swarm.nodes.some((status) => status.node === node && status.role === "leader"),
			probed: swarm,
			inspect: (node: string, query: unknown) => swarm.inspect(node, query),
		};
		super(stage, group, seed, observe);
		this.#swarm = swarm;
		swarm.events$.subscribe((event) => this.#heard(event));
		const leadership = swarm.leader;
		if (leadership !== null) this.#roleChanged(leadership.leader, "leader", leadership.term);
	}

	get nodes(): readonly string[] {
		return this.#swarm.nodes.map(({ node }) => node);
	}

	/** All members run, have all there is, and those that apply it answer each question alike. */
	protected async areEqual(): Promise<boolean> {
		// One that was refused its name for good has nothing to agree to.
		const members = (await this.#swarm.status()).filter(({ state }) => state !== "refused");
		if (members.some(({ state }) => state !== "running")) return false;
		if (!members.some(({ role }) => role === "leader")) return false;
		const [first] = members;
		const isAtRest = members.every(
			({ appliedIndex, lastIndex, isWithoutState }) =>
				lastIndex === first?.lastIndex && (isWithoutState || appliedIndex === lastIndex),
		);
		const answering = members.filter(({ isWithoutState }) => !isWithoutState);
		return isAtRest && (await this.holdTheSame(answering.map(({ node }) => node)));
	}

	#heard(event: SwarmEvent): void {
		const { node, origin } = event;
		if (event.type === "role-changed" && node !== null) this.#roleChanged(node, event.role, event.term);
		else if (event.type === "participant-started") this.tell(node, "started", restartsText(event.restarts));
		else if (event.type === "thread-ended") {
			// The end of the experiment itself.
			if (event.end.cause === "stopped") return;
			this.#leading.delete(origin);
			this.tell(node ?? origin, "ended", `thread ended: ${event.end.cause}`);
		} else {
			const text = textOf(event);
			if (text !== null) this.tell(node ?? origin, event.type, text);
		}
	}

	#roleChanged(node: string, role: string, term: number): void {
		const led = this.#leading.get(node);
		if (led !== undefined) {
			this.#leading.delete(node);
			this.tell(node, "leader-lost", `leads term ${led} no more`, { term: led });
		}
		if (role !== "leader") {
			this.tell(node, "term", `${role} in term ${term}`, { term });
			return;
		}
		this.#leading.set(node, term);
		this.tell(node, "leader-elected", `leads term ${term}`, { term });
	}
}

/** A start in words. */
export function restartsText(restarts: number): string {
	return restarts === 0 ? "started" : `started again, ${restarts} times so far`;
}

/** One line for readers; null for what is worth none. */
function textOf(event: SwarmEvent): string | null {
	switch (event.type) {
		case "snapshot-installed":
			return `installed the snapshot of ${event.lastIndex}`;
		case "log-compacted":
			return `compacted its log through ${event.throughIndex}`;
		case "quorum-lost":
			return `heard of no quorum in term ${event.term}`;
		case "log-damaged":
			return event.from === null
				? "comes back before it has got again what its disk had lost"
				: `can not read its log from ${event.from} on: under repair`;
		case "log-repaired":
			return `has again what it had lost, through ${event.through}`;
		case "snapshot-damaged":
			return event.remedy === "own"
				? `can not read its snapshot of ${event.lastIndex}, and takes another`
				: `can not read its snapshot of ${event.lastIndex}: under repair`;
		case "snapshot-repaired":
			return `has a state again, by the leader's snapshot of ${event.lastIndex}`;
		case "child-failed":
			return event.reason.type === "failed" ? `failed: ${event.reason.error.message}` : `ended: ${event.reason.type}`;
		case "thread-gave-up":
		case "supervisor-gave-up":
			return "given up: failed more often than is tolerated";
		case "thread-stalled":
			return `stalled ${event.detail}`;
		case "storage-failed":
		case "swarm-failed":
		case "member-failed":
		case "member-refused":
			return event.error.message;
		default:
			return null;
	}
}
