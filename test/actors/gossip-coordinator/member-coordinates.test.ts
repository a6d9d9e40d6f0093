/**
 * Goal: members that take the time of their probes know how far others are, also those whom they have not probed (GOS-14, GOS-15); whoever
 * lies about where it is moves nobody. Method: a group on virtual time, on a network whose delays are known; one member by itself for
 * what others send.
 */
import { describe, expect, it } from "vitest";
import { MemberCoordinates, roundTripBetween } from "../../../actors/gossip-coordinator/member-coordinates.ts";
import type { MemberEvent } from "../../../actors/gossip-coordinator/member-messages.ts";
import { Generator, nodeId } from "../../../protocols/core/index.ts";
import { encodeCoordinate, originCoordinate } from "../../../protocols/gossip/index.ts";
import { GossipWorld } from "./gossip-world.ts";

const nodes = ["a", "b", "c", "d", "e", "f", "g", "h"];
/** Two sites, 40 ms apart; within one, 5 ms by each step in the alphabet. */
const place = (node: string): [number, number] => [nodes.indexOf(node) < 4 ? 0 : 40, (nodes.indexOf(node) % 4) * 5];
const oneWayMs = (from: string, to: string): number => {
	const [[x, y], [u, v]] = [place(from), place(to)];
	return Math.hypot(x - u, y - v);
};

describe("a group on a network with known delays", () => {
	it("estimates come near the true round trips, between all pairs, and a detour around a slow link is suggested", async () => {
		// The line between a and b is ten times as slow as it would be.
		const detour = (from: string, to: string): number =>
			oneWayMs(from, to) * ([from, to].sort().join() === "a,b" ? 10 : 1);
		const world = new GossipWorld(nodes, detour);
		await world.start({ coordinates: true, tuning: { probeIntervalMs: 300, probeTimeoutMs: 250 } });
		const { group, simulation } = world;
		await simulation.run({ untilMs: simulation.nowMs + 60_000 });
		const report = await simulation.complete(group.coordinates("h"));
		const errors: number[] = [];
		for (const a of nodes) {
			for (const b of nodes) {
				if (a >= b || (a === "a" && b === "b")) continue;
				const estimateMs = roundTripBetween(report, nodeId(a), nodeId(b)) as number;
				errors.push(Math.abs(estimateMs - 2 * oneWayMs(a, b)) / (2 * oneWayMs(a, b)));
			}
		}
		errors.sort((x, y) => x - y);
		expect(errors[Math.floor(errors.length / 2)]).toBeLessThan(0.25);
		const [suggestion] = (await simulation.complete(group.topology())).suggestPaths(nodeId("a"));
		expect(suggestion).toMatchObject({ nodes: ["a", "c", "b"] });
		expect(suggestion?.directMs).toBeGreaterThan(99);
		expect(suggestion?.roundTripMs).toBeCloseTo(30, 0);
		await world.stop();
	});

	it("who does not measure says so", async () => {
		const world = new GossipWorld(["a", "b"]);
		await world.start();
		await expect(world.group.coordinates("a")).rejects.toMatchObject({ code: "gossip-coordinates-missing" });
		await world.stop();
	});
});

describe("one member", () => {
	const [b, c] = [nodeId("b"), nodeId("c")];
	const heard: MemberEvent[] = [];
	const member = (): MemberCoordinates => {
		heard.length = 0;
		return new MemberCoordinates(nodeId("a"), new Generator(1, "coordinates"), (event) => heard.push(event));
	};
	const ack = (payload: Uint8Array, sequence = 1) =>
		({ type: "ack", sequence, payload, updates: [], events: [] }) as const;
	const sound = encodeCoordinate(originCoordinate);

	it("serf #468: NaN, the far end of the world and half a coordinate move it nowhere, and are told", () => {
		const coordinates = member();
		const bad = [
			encodeCoordinate({ ...originCoordinate, heightMs: Number.NaN }),
			encodeCoordinate({ ...originCoordinate, place: originCoordinate.place.map(() => 1e30) }),
			encodeCoordinate({ ...originCoordinate, error: -1 }),
			sound.slice(1),
			new Uint8Array(0),
		];
		for (const [sequence, payload] of bad.entries()) {
			coordinates.probed(b, sequence, 0);
			coordinates.acknowledged(b, ack(payload, sequence), 10);
		}
		expect(coordinates.report).toEqual({ node: "a", own: originCoordinate, others: [] });
		expect(heard).toEqual(bad.map(() => ({ type: "coordinate-refused", from: b })));
	});

	it("counts each probe once, by its target's own answer, and a time that can be one", () => {
		const coordinates = member();
		coordinates.probed(b, 1, 0);
		// A relay passes an answer on.
		coordinates.acknowledged(c, ack(sound), 10);
		coordinates.acknowledged(b, ack(sound, 2), 10);
		expect(coordinates.report.others).toEqual([]);
		coordinates.acknowledged(b, ack(sound), 10);
		coordinates.acknowledged(b, ack(sound), 5_000);
		expect(coordinates.report.others).toMatchObject([{ node: b, roundTripMs: 10 }]);
		for (const [sequence, atMs] of [-1, 0, 10_001, Number.NaN].entries()) {
			coordinates.probed(b, sequence, 0);
			coordinates.acknowledged(b, ack(sound, sequence), atMs);
		}
		expect(coordinates.report.others).toMatchObject([{ node: b, roundTripMs: 10 }]);
		coordinates.probed(b, 9, 0);
		coordinates.acknowledged(b, ack(sound, 9), 30);
		coordinates.probed(b, 10, 0);
		coordinates.acknowledged(b, ack(sound, 10), 900);
		// One slow answer among three does not count.
		expect(coordinates.report.others).toMatchObject([{ node: b, roundTripMs: 30 }]);
		coordinates.forget(b);
		expect(coordinates.report.others).toEqual([]);
	});
});
