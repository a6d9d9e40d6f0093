/**
 * Changes the members and the leader of a group at random moments: learners join, are promoted, members are removed,
 * arbitrary sets replace each other, leadership is handed over. What is refused is refused; what is done is counted.
 */
import { type Generator, type NodeId, nodeId } from "../../../protocols/core/index.ts";
import { isJoint, type MembershipChange, type RaftRequest } from "../../../protocols/raft/index.ts";
import type { DeterministicDriver } from "./deterministic-driver.ts";

/** Servers that may join beside the first ones. */
const JOINERS_MAX = 4;

export class Reshaper {
	readonly #driver: DeterministicDriver;
	readonly #dice: Generator;
	readonly #witnesses: Generator;
	readonly #patienceMs: { readonly min: number; readonly max: number };
	#joined = 0;
	#isOn = false;
	/** What was answered, by type, and for refusals by reason. */
	readonly answers: Map<string, number> = new Map();

	constructor(driver: DeterministicDriver, dice: Generator) {
		this.#driver = driver;
		this.#dice = dice.fork("reshaper");
		this.#witnesses = dice.fork("witnesses");
		this.#patienceMs = { min: 10, max: this.#dice.pick([60, 200]) };
	}

	start(): void {
		this.#isOn = true;
		this.#askLater();
	}

	/** No more wishes; a joint configuration that waits for somebody to leave it is left. */
	stop(): void {
		this.#isOn = false;
		this.#leaveLater();
	}

	get leader(): NodeId | null {
		const { nodes } = this.#driver;
		const leaders = nodes.filter((id) => this.#driver.isUp(id) && this.#driver.machine(id).status.role === "leader");
		const term = (id: NodeId): number => this.#driver.machine(id).status.term;
		return leaders.sort((x, y) => term(y) - term(x))[0] ?? null;
	}

	#askLater(): void {
		this.#driver.after(this.#dice.between(this.#patienceMs.min, this.#patienceMs.max), () => {
			if (!this.#isOn) return;
			const leader = this.leader;
			if (leader !== null) this.#ask(leader, this.#wish(leader));
			this.#askLater();
		});
	}

	#leaveLater(): void {
		const leader = this.leader;
		if (leader !== null) {
			const { configuration } = this.#driver.machine(leader).status;
			if (isJoint(configuration) && !configuration.autoLeave) this.#ask(leader, { type: "leave-joint" });
		}
		this.#driver.after(200, () => this.#leaveLater());
	}

	#ask(node: NodeId, request: RaftRequest): void {
		this.#driver.request(node, request, (outcome) => {
			const name = outcome.type === "refused" ? outcome.reason : outcome.type;
			this.answers.set(name, (this.answers.get(name) ?? 0) + 1);
		});
	}

	#wish(leader: NodeId): RaftRequest {
		const { voters, learners } = this.#driver.machine(leader).status.configuration;
		const transition = this.#dice.pick(["automatic", "automatic", "simple", "joint", "joint-explicit"] as const);
		const change = (wanted: MembershipChange): RaftRequest => ({
			type: "change-membership",
			change: wanted,
			transition,
		});
		switch (this.#dice.below(8)) {
			case 0:
			case 1:
				return change({ type: "add-learner", node: this.#newcomer(), witness: this.#witnesses.chance(0.3) });
			case 2:
			case 3:
				return change({ type: "promote", node: this.#dice.pick(learners.length > 0 ? learners : voters) });
			case 4:
				return voters.length > 2
					? change({ type: "remove", node: this.#dice.pick([...voters, ...learners]) })
					: { type: "leave-joint" };
			case 5: {
				const kept = [...voters, ...learners].filter(() => this.#dice.chance(0.7));
				const demoted = voters.filter((node) => !kept.includes(node) && this.#dice.chance(0.5));
				return kept.length > 1 ? change({ type: "set", voters: kept, learners: demoted }) : { type: "leave-joint" };
			}
			case 6:
				return { type: "leave-joint" };
			default:
				return { type: "transfer-leadership", to: this.#dice.chance(0.3) ? null : this.#dice.pick(voters) };
		}
	}

	/** A server that is new, or one that has been removed and comes back with what it had. */
	#newcomer(): NodeId {
		if (this.#joined >= JOINERS_MAX || this.#dice.chance(0.3)) return this.#dice.pick(this.#driver.nodes);
		this.#joined++;
		const id = nodeId(`x${this.#joined}`);
		this.#driver.join(id);
		return id;
	}
}
