/**
 * What a member shows against a liar, as one proof for all that there are. Of a member's guilt any proof does what any other does, to who
 * is shown it and after a restart, and there are as many as pairs of contradictory words: told apart, they would be most of a model's states.
 */
import type { CryptoPort, Effect, Input, MonotonicMs, NodeId } from "../../core/index.ts";
import type { ViewableMachine } from "../../verification/index.ts";
import type { Epoch, SequenceNumber, ViewNumber } from "../entities.ts";
import type { Evidence } from "../evidence.ts";
import { type Statement, statementBytes } from "../statements.ts";
import type { PbftView } from "../view.ts";
import type { PbftTypes } from "../vocabulary.ts";

type ViewablePbft = ViewableMachine<PbftTypes, PbftView>;

/** Two prepares of one slot, as good as any other proof. */
export function proofAgainst(culprit: NodeId, cluster: string, crypto: CryptoPort): Evidence {
	const said = (byte: number): Extract<Evidence, { type: "equivocation" }>["first"] => {
		const digest = crypto.digest(Uint8Array.of(byte));
		const place = { epoch: 0 as Epoch, view: 0 as ViewNumber, sequence: 1 as SequenceNumber };
		const statement: Statement = { type: "prepare", ...place, digest };
		return { statement, signature: crypto.sign(statementBytes(cluster, culprit, statement)) };
	};
	return { type: "equivocation", culprit, first: said(1), second: said(2) };
}

/** A machine that shows, and keeps on its disk, these proofs in the place of its own. */
export class OneProof implements ViewablePbft {
	readonly #machine: ViewablePbft;
	readonly #proofs: ReadonlyMap<NodeId, Evidence>;

	constructor(machine: ViewablePbft, proofs: ReadonlyMap<NodeId, Evidence>) {
		this.#machine = machine;
		this.#proofs = proofs;
	}

	step(input: Input<PbftTypes>, now: MonotonicMs, effects: Effect<PbftTypes>[]): void {
		const own: Effect<PbftTypes>[] = [];
		this.#machine.step(input, now, own);
		for (const effect of own) effects.push(this.#shown(effect));
	}

	get state(): unknown {
		return this.#machine.state;
	}

	get view(): PbftView {
		return this.#machine.view;
	}

	copy(): OneProof {
		return new OneProof(this.#machine.copy() as ViewablePbft, this.#proofs);
	}

	#shown(effect: Effect<PbftTypes>): Effect<PbftTypes> {
		if (effect.type === "send" && effect.message.type === "accusation") {
			return { ...effect, message: { ...effect.message, evidence: this.#one(effect.message.evidence) } };
		}
		if (effect.type !== "persist" || effect.write.view?.evidence === undefined) return effect;
		const evidence = effect.write.view.evidence.map((proof) => this.#one(proof));
		return { ...effect, write: { ...effect.write, view: { ...effect.write.view, evidence } } };
	}

	#one(evidence: Evidence): Evidence {
		return this.#proofs.get(evidence.culprit) ?? evidence;
	}
}
