/** How a leadership transfer ends (thesis §3.10): with the target as leader, or given up. */
import { emit, type RaftCore, reply } from "./core.ts";
import type { TransferFailure } from "./events.ts";

/** Ends the transfer that is under way: `failure` null when its target leads the present term. */
export function endTransfer(core: RaftCore, failure: TransferFailure | null): void {
	const { transfer, term } = core;
	if (transfer === null) return;
	const { to, requestId } = transfer;
	core.transfer = null;
	if (core.role === "leader") core.out.push({ type: "cancel-timer", timer: "transfer" });
	if (failure === null) {
		emit(core, { type: "transfer-completed", to, term });
		if (requestId !== null) reply(core, requestId, { type: "leadership-transferred", leader: to, term });
	} else {
		emit(core, { type: "transfer-given-up", to, failure });
		if (requestId !== null) reply(core, requestId, { type: "transfer-given-up", to, failure });
	}
}
