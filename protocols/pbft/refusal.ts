/** What becomes of a word whose signature is not good here. */
import { budgetOf, type PbftCore, suspect } from "./core.ts";
import type { Vote } from "./entities.ts";
import { tellKey } from "./own-key.ts";
import type { Statement } from "./statements.ts";
import { isUnderOldKeys } from "./vote-authentication.ts";

/**
 * A bad signature is its sender's doing. What was good under keys that this member has renewed is not: it counts for nothing either
 * (rule 31), is counted apart, and its sender is told the present number, once in a status period.
 */
export function refuseWord(core: PbftCore, word: Vote, statement: Statement): void {
	if (!isUnderOldKeys(core, word, statement)) {
		suspect(core, word.sender, "bad-signature");
		return;
	}
	const budget = budgetOf(core, word.sender);
	if (budget.staleWords++ === 0) tellKey(core, word.sender);
}
