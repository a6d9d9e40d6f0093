/** A whole group on the deterministic driver, for stories: its situation is made by hand, and all properties of Raft are watched. */
import { expect } from "vitest";
import { must, type NodeId, nodeId } from "../../../protocols/core/index.ts";
import { type RaftConfig, type RaftRequest, raftConfig, type SessionId } from "../../../protocols/raft/index.ts";
import { Ledger } from "./chaos-run.ts";
import { DeterministicDriver, type Outcome } from "./deterministic-driver.ts";
import { bytes } from "./lone-machine.ts";
import { StrictWatch } from "./strict-watch.ts";
import { kindWorld, type World } from "./world.ts";

export class Group {
	readonly voters: readonly NodeId[];
	readonly driver: DeterministicDriver;
	readonly watch: StrictWatch = new StrictWatch();

	constructor(size: number, options: { config?: Partial<RaftConfig>; world?: Partial<World>; seed?: number } = {}) {
		this.voters = Array.from({ length: size }, (_, i) => nodeId(`n${i + 1}`));
		this.driver = new DeterministicDriver({
			seed: options.seed ?? 1,
			voters: this.voters,
			config: (id) => raftConfig({ nodeId: id, voters: this.voters, ...options.config }),
			application: () => new Ledger(),
			world: { ...kindWorld, ...options.world },
			observe: (observation) => this.watch.observe(observation),
		});
	}

	/** The leader that most of the group follows, once there is one (another one than `old`). */
	elect(limitMs = 5000, old: NodeId | null = null): NodeId {
		const found = this.driver.runUntil(() => this.leader !== null && this.leader !== old, limitMs);
		expect(found, "a leader is elected").toBe(true);
		return must(this.leader ?? undefined, "just elected");
	}
	get leader(): NodeId | null {
		for (const id of this.voters) {
			if (!this.driver.isUp(id) || this.status(id).role !== "leader") continue;
			const followers = this.voters.filter((other) => this.driver.isUp(other) && this.status(other).leader === id);
			if (followers.length > this.voters.length / 2) return id;
		}
		return null;
	}
	status(id: NodeId): ReturnType<DeterministicDriver["machine"]>["status"] {
		return this.driver.machine(id).status;
	}
	others(...without: NodeId[]): NodeId[] {
		return this.voters.filter((id) => !without.includes(id));
	}
	ledger(id: NodeId): readonly string[] {
		return (this.driver.application(id) as Ledger).applied;
	}
	/** Asks, and returns where the outcome will be. */
	ask(id: NodeId, request: RaftRequest): { outcome: Outcome | null; atMs: number } {
		const answer: { outcome: Outcome | null; atMs: number } = { outcome: null, atMs: 0 };
		this.driver.request(id, request, (outcome) => {
			answer.outcome = outcome;
			answer.atMs = this.driver.now;
		});
		return answer;
	}
	/** Proposes and waits for the result. */
	propose(id: NodeId, text: string, limitMs = 2000): void {
		const answer = this.ask(id, groupProposal(text));
		this.driver.runUntil(() => answer.outcome !== null, limitMs);
		expect(answer.outcome?.type).toBe("result");
	}
	/** All nodes have applied the same, these commands included. */
	converge(commands: readonly string[], limitMs = 5000): void {
		const isDone = (): boolean =>
			this.voters.every((id) => this.ledger(id).join() === this.ledger(this.voters[0] as NodeId).join()) &&
			commands.every((command) => this.ledger(this.voters[0] as NodeId).includes(command));
		expect(this.driver.runUntil(isDone, limitMs), "all converge").toBe(true);
	}
}

export const groupProposal = (text: string): RaftRequest => ({
	type: "propose",
	session: 0 as SessionId,
	serial: 0,
	firstIncomplete: 0,
	data: bytes(text),
});
