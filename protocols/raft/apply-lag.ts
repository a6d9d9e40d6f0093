/**
 * An application that can not keep up (the host says so, in the words of {@link RaftRequest}): a leader refuses commands
 * (`admission.ts`), and a follower takes no further entries.
 */
import type { RaftCore } from "./core.ts";
import { indexAfter } from "./log.ts";
import type { AppendEntries } from "./messages.ts";

/**
 * What a follower takes of an append. What its application could not bear is as good as lost: the leader's window closes, and it
 * sends again what is missing when a heartbeat finds it so. What is here already may be acknowledged and decided.
 */
export function bearable({ isApplicationBehind, log }: RaftCore, message: AppendEntries): AppendEntries {
	const { prevIndex, entries } = message;
	const last = entries.at(-1);
	if (!isApplicationBehind || last === undefined) return message;
	return log.termAt(indexAfter(prevIndex, entries.length)) === last.term ? message : { ...message, entries: [] };
}
