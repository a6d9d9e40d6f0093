/**
 * Goal: whole participants answer reads at followers, with layouts, mailboxes and disks between them: what was acknowledged
 * is seen at each member, also by one that has restarted, whose count of lives comes from its store; and a leader with
 * a lease answers by the thread's own clock.
 * Method: three participants on virtual time; commands by a client, reads asked of each member by name.
 */
import { describe, expect, it } from "vitest";
import { decodeValue, encodeValue, type RaftClientAnswer } from "../../../actors/participant/index.ts";
import type { NodeId } from "../../../protocols/core/index.ts";
import { World } from "./world.ts";

const seen = (answer: RaftClientAnswer): unknown => (answer.type === "answer" ? decodeValue(answer.data) : answer);

describe("participants whose followers answer reads", () => {
	it.each([1, 2, 3])("show at each member what was acknowledged, before and after restarts (seed %d)", async (seed) => {
		const lease = { maxClockDriftPpm: 1000 };
		const world = new World({ seed, nodes: 3, tuning: { followerReads: true, lease } });
		await world.start();
		const client = world.client(8_000);
		const read = (node: NodeId): Promise<RaftClientAnswer> =>
			world.simulation.complete(world.ask(node, { type: "read", query: encodeValue("all") }));
		const expectEverywhere = async (known: readonly string[]): Promise<void> => {
			for (const node of world.nodes) expect(seen(await read(node)), node).toEqual(known);
		};
		await world.simulation.complete(client.propose({ id: "x" }));
		await expectEverywhere(["x"]);
		const leader = world.view.leader?.leader;
		for (const node of world.nodes) if (node !== leader) world.kill(node);
		await world.simulation.run({ untilMs: world.simulation.nowMs + 2_000 });
		await world.simulation.complete(client.propose({ id: "y" }));
		await expectEverywhere(["x", "y"]);
		await world.stop();
	});
});
