/** What becomes of single attempts: whether each is refused, as it should be. */
import { QuorateError } from "../../protocols/core/index.ts";

/** Whether a call is refused by a typed error. Anything else that it throws is a bug, and no refusal. */
export function isRefused(attempt: () => unknown): boolean {
	try {
		attempt();
		return false;
	} catch (thrown) {
		if (thrown instanceof QuorateError) return true;
		throw thrown;
	}
}

/** Counts attempts of attackers and of honest ones. */
export class Attempts {
	attacks = 0;
	detected = 0;
	innocents = 0;
	accused = 0;
	/** What got through that must not have. */
	readonly damage: string[] = [];

	/** An attacker's attempt; `what` names it if it gets through. */
	attack(what: string, isStopped: boolean): void {
		this.attacks += 1;
		if (isStopped) this.detected += 1;
		else if (!this.damage.includes(what)) this.damage.push(what);
	}

	honest(isStopped: boolean): void {
		this.innocents += 1;
		if (isStopped) this.accused += 1;
	}
}
