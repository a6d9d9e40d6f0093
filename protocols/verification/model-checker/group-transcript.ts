/** What happens to a group, in words. */
import { canonicalText, must, type ProtocolTypes } from "../../core/index.ts";
import {
	ARGUMENT_MASK,
	CRASH_MASK,
	CRASH_SHIFT,
	crashBefore,
	crashWithin,
	KIND,
	KIND_SHIFT,
	positionOf,
	VICTIMS_MASK,
	VICTIMS_SHIFT,
} from "./group-action.ts";
import type { GroupModel } from "./group-model.ts";
import type { MemberTable } from "./member-table.ts";

/** One line about an action, taken while the member that it is about is `member`. */
export function describeAction<P extends ProtocolTypes, View>(
	{ port, disk }: GroupModel<P, View>,
	table: MemberTable<P, View>,
	action: number,
	member: number,
): string {
	const node = must(port.nodes[positionOf(action)], "the member exists");
	const argument = action & ARGUMENT_MASK;
	const code = (action >>> CRASH_SHIFT) & CRASH_MASK;
	const unfinished = table.unfinishedOf[member] ?? 0;
	const before = crashBefore(code, disk);
	const choice = (action >>> VICTIMS_SHIFT) & VICTIMS_MASK;
	return [
		before === null ? "" : `${node} crashes and starts again${survived(before, unfinished)}; `,
		describeInput(port, table, action >>> KIND_SHIFT, node, argument, unfinished),
		crashWithin(code, disk) === null ? "" : "; it crashes in the middle of that, before its disk is done",
		choice === 0 ? "" : "; for want of room, a message that was under way is lost",
	].join("");
}

function describeInput<P extends ProtocolTypes, View>(
	port: GroupModel<P, View>["port"],
	table: MemberTable<P, View>,
	kind: number,
	node: string,
	argument: number,
	unfinished: number,
): string {
	switch (kind) {
		case KIND.timer:
			return `${node}: its ${table.timers[argument] ?? ""} timer fires`;
		case KIND.disk:
			return `${node}: its oldest write becomes durable`;
		case KIND.crash:
			return `${node} crashes and starts again${survived(argument, unfinished)}`;
		case KIND.request:
			return `${node}: a client asks ${canonicalText(port.requests[argument])}`;
		case KIND.forge:
			return `forged: ${table.describeEnvelope(must(port.forgeries?.[argument], "the forgery exists"))}`;
		case KIND.lose:
			return `lost: ${table.describeMessage(argument)}`;
		case KIND.duplicate:
			return `${node} receives, and a copy stays under way: ${table.describeMessage(argument)}`;
		default:
			return `${node} receives: ${table.describeMessage(argument)}`;
	}
}

function survived(survivors: number, unfinished: number): string {
	return unfinished === 0 ? "" : ` (${survivors} of its ${unfinished} unfinished writes survive)`;
}
