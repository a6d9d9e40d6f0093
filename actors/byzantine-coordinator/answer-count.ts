/** Counts what members answer until enough of them say the same (OSDI'99 §4.1: f + 1 for a result, a quorum for a read). */
import type { NodeId } from "../../protocols/core/index.ts";
import type { PbftClientAnswer } from "../participant/index.ts";

type Settled = Extract<PbftClientAnswer, { readonly type: "result" | "read-result" | "reply-forgotten" }>;

export class AnswerCount {
	readonly #needed: number;
	/** The last answer of each member: a member has one voice. */
	readonly #keys = new Map<NodeId, string>();
	/** Refusals by member. */
	readonly #refusals = new Map<NodeId, string>();

	constructor(needed: number) {
		this.#needed = needed;
	}

	/** Takes a member's answer; returns it if it now has enough voices. */
	take(node: NodeId, answer: PbftClientAnswer): Settled | null {
		if (answer.type === "refused") {
			this.#refusals.set(node, answer.reason);
			return null;
		}
		const key = keyOf(answer);
		this.#keys.set(node, key);
		let voices = 0;
		for (const other of this.#keys.values()) if (other === key) voices += 1;
		return voices >= this.#needed ? answer : null;
	}

	/** A refusal that enough members agree in. */
	get refusal(): string | null {
		for (const reason of this.#refusals.values()) {
			let voices = 0;
			for (const other of this.#refusals.values()) if (other === reason) voices += 1;
			if (voices >= this.#needed) return reason;
		}
		return null;
	}

	/** Who has given no answer that counts. */
	missing(members: readonly NodeId[]): NodeId[] {
		return members.filter((member) => !this.#keys.has(member));
	}

	/** Members say different things: somebody lies, or a read met a moving state. */
	get isDivided(): boolean {
		return new Set(this.#keys.values()).size > 1;
	}
}

function keyOf(answer: Settled): string {
	switch (answer.type) {
		case "result":
			return `${answer.sequence}:${Buffer.from(answer.data).toString("base64")}`;
		case "read-result":
			return Buffer.from(answer.data).toString("base64");
		case "reply-forgotten":
			return "forgotten";
	}
}
