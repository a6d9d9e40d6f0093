/** Who takes part in a ceremony, as one participant sees it: what each has posted, who was left out and why, whose polynomial counts. */
import type { NodeId } from "../../core/index.ts";
import { equalBytes } from "../bytes.ts";
import type { GroupElement } from "../ciphersuite.ts";
import { type Equivocation, PostBoard } from "./board.ts";
import type { CeremonyPlan } from "./config.ts";
import type { Introduction, Post, PostKind } from "./messages.ts";
import type { CeremonyFault } from "./types.ts";

export class Roll {
	readonly #plan: CeremonyPlan;
	board: PostBoard = new PostBoard();
	/** Of introductions that count. */
	#commitments = new Map<NodeId, readonly GroupElement[]>();
	#faults = new Map<NodeId, CeremonyFault>();

	constructor(plan: CeremonyPlan) {
		this.#plan = plan;
	}

	get faults(): readonly CeremonyFault[] {
		return [...this.#faults.values()];
	}

	/** Undefined for who was not left out. */
	faultOf(node: NodeId): CeremonyFault | undefined {
		return this.#faults.get(node);
	}

	leaveOut(fault: CeremonyFault): void {
		this.#faults.set(fault.node, fault);
	}

	/** Takes a dealer's polynomial into account. */
	qualify(dealer: NodeId, commitment: readonly GroupElement[]): void {
		this.#commitments.set(dealer, commitment);
	}

	/** Undefined for who deals nothing that counts. */
	commitmentOf(dealer: NodeId): readonly GroupElement[] | undefined {
		return this.#commitments.get(dealer);
	}

	/** Who was not left out, in code-unit order. */
	get remaining(): readonly NodeId[] {
		return this.#plan.participants.filter((node) => !this.#faults.has(node));
	}

	/** Those of them that will hold the key. */
	get receivers(): readonly NodeId[] {
		return this.remaining.filter((node) => this.#plan.receivers.has(node));
	}

	/** Those of them whose polynomials count. */
	get dealers(): readonly NodeId[] {
		return this.remaining.filter((node) => this.#commitments.has(node));
	}

	all(holds: (node: NodeId) => boolean): boolean {
		return this.remaining.every(holds);
	}

	/** The introductions of those that remain. */
	get introductions(): ReadonlyMap<NodeId, Introduction> {
		const list = this.remaining.flatMap((node) => {
			const introduction = this.board.get("introduction", node);
			return introduction === undefined ? [] : [[node, introduction] as const];
		});
		return new Map(list);
	}

	/** Whether all that remain have complained, or not, over the same introductions as `self`. */
	areComplaintsOverOneView(self: NodeId): boolean {
		const own = this.board.get("complaints", self);
		return this.all((node) => {
			const complaints = this.board.get("complaints", node);
			return complaints !== undefined && own !== undefined && equalBytes(complaints.view, own.view);
		});
	}

	/** Who complains of whom, among those that remain. */
	get complaints(): ReadonlyMap<NodeId, readonly NodeId[]> {
		const found = new Map<NodeId, NodeId[]>();
		const dealers = new Set(this.dealers);
		for (const node of this.receivers) {
			for (const dealer of this.board.get("complaints", node)?.accused ?? []) {
				if (!dealers.has(dealer)) continue;
				const complainers = found.get(dealer) ?? [];
				complainers.push(node);
				found.set(dealer, complainers);
			}
		}
		return found;
	}

	/** The signed post of a kind, if it is there, to be shown to others. */
	evidence(kind: PostKind, ...nodes: readonly NodeId[]): readonly Post[] {
		return nodes.flatMap((node) => this.board.signed(kind, node) ?? []);
	}

	/** Who has said two things and was not convicted of it yet. */
	get unconvicted(): readonly (readonly [NodeId, Equivocation])[] {
		return [...this.board.equivocations()].filter(([node]) => this.#faults.get(node)?.kind !== "equivocation");
	}

	/** Null while there are dealers and receivers enough; else how few. */
	get shortage(): string | null {
		const [dealers, receivers] = [this.dealers.length, this.receivers.length];
		if (dealers >= this.#plan.dealersNeeded && receivers >= this.#plan.threshold) return null;
		return `${dealers} dealers and ${receivers} receivers are left, which is too few`;
	}

	/** As plain data. */
	get state(): unknown {
		return {
			board: this.board.state,
			qualified: [...this.#commitments.keys()],
			faults: this.faults.map(({ node, kind }) => [node, kind]),
		};
	}

	copy(): Roll {
		const copied = new Roll(this.#plan);
		copied.board = this.board.copy();
		copied.#commitments = new Map(this.#commitments);
		copied.#faults = new Map(this.#faults);
		return copied;
	}
}
