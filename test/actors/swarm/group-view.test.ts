/**
 * Goal: what members and threads tell adds up to who runs and who leads, whatever order old news arrives in.
 * Method: the news of a few short stories, by hand.
 */
import { describe, expect, it } from "vitest";
import type { Leadership } from "../../../actors/swarm/contract.ts";
import { GroupView } from "../../../actors/swarm/group-view.ts";
import { groupId, type NodeId, nodeId } from "../../../protocols/core/index.ts";

const [a, b, c] = ["a", "b", "c"].map(nodeId) as [NodeId, NodeId, NodeId];

function viewed(): { readonly view: GroupView; readonly heard: (Leadership | null)[] } {
	const view = new GroupView(groupId("g"), [a, b, c]);
	const heard: (Leadership | null)[] = [];
	view.leader$.subscribe((leadership) => heard.push(leadership));
	for (const node of [a, b, c]) view.started(node, 0);
	return { view, heard };
}

describe("the view of a group", () => {
	it("knows the leader of the latest term", () => {
		const { view, heard } = viewed();
		view.roleChanged(a, "leader", 1, a);
		view.roleChanged(b, "leader", 3, b);
		view.roleChanged(a, "leader", 2, a);
		expect(view.leader).toEqual({ leader: b, term: 3 });
		expect(heard).toEqual([null, { leader: a, term: 1 }, { leader: b, term: 3 }]);
	});

	it("takes no follower's word for who leads", () => {
		const { view } = viewed();
		view.roleChanged(b, "follower", 1, a);
		expect(view.leader).toBeNull();
	});

	it("has no leader once that steps down or its thread ends", () => {
		const { view, heard } = viewed();
		view.roleChanged(a, "leader", 1, a);
		view.roleChanged(a, "follower", 2, null);
		view.roleChanged(b, "leader", 2, b);
		view.down(b);
		expect(view.leader).toBeNull();
		expect(view.nodes.find(({ node }) => node === b)).toMatchObject({ state: "down", role: "follower" });
		expect(heard).toEqual([null, { leader: a, term: 1 }, null, { leader: b, term: 2 }, null]);
	});

	it("keeps the leader when another member goes down", () => {
		const { view } = viewed();
		view.roleChanged(a, "leader", 1, a);
		view.down(c);
		expect(view.leader).toEqual({ leader: a, term: 1 });
	});

	it("counts restarts and lives, and keeps the last figures of a member that does not answer", () => {
		const { view } = viewed();
		const figures = {
			role: "follower",
			term: 4,
			leader: a,
			commitIndex: 9,
			appliedIndex: 9,
			firstIndex: 1,
			lastIndex: 10,
			isWithoutState: false,
			snapshotIndex: 0,
		} as const;
		view.reported(b, figures, 1);
		view.unreported(b, 1);
		expect(view.nodes[1]).toMatchObject({ state: "down", commitIndex: 9, threadLives: 1 });
		view.started(b, 1);
		view.reported(b, figures, 2);
		expect(view.nodes[1]).toMatchObject({ state: "running", restarts: 1, threadLives: 2 });
	});
});
