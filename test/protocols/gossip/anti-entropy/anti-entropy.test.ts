/**
 * Goal: gossip carries the anti-entropy of CRDTs: documents that are changed apart converge by exchanged digests and differences,
 * under loss, with everybody's convergence seen from one member; and bytes that are nothing harm nobody (GOS-7, GOS-16, GOS-21).
 * Method: documents of `protocols/crdt` behind the port, on virtual time.
 */
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId } from "../../../../protocols/core/index.ts";
import { CrdtDocument, ReconciledDocument, replicaId } from "../../../../protocols/crdt/index.ts";
import {
	type AntiEntropyEvent,
	AntiEntropyMachine,
	type AntiEntropyMessage,
	type AntiEntropyTypes,
	antiEntropyConfig,
	ConvergenceMonitor,
	type ReconciledValue,
} from "../../../../protocols/gossip/index.ts";
import { Crowd, type CrowdNetwork } from "../../../../protocols/verification/index.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

const schema = { hits: "pn-counter", users: "add-wins-set", notes: "text" } as const;

class DocumentCrowd {
	readonly crowd: Crowd<AntiEntropyTypes>;
	readonly events: { readonly place: number; readonly event: AntiEntropyEvent }[] = [];

	constructor(size: number, network: Partial<CrowdNetwork> = {}, differenceBytesMax = 1_048_576) {
		const nodes = Array.from({ length: size }, (_, i) => nodeId(`node-${i}`));
		this.crowd = new Crowd<AntiEntropyTypes>({
			seed: 1,
			nodes,
			machine: (node, choices) => {
				const document = new CrdtDocument({ schema, replica: replicaId(node, 1) });
				const values = new Map([["document", new ReconciledDocument(document)]]);
				const config = antiEntropyConfig({ nodeId: node, differenceBytesMax });
				return new AntiEntropyMachine(config, { choices, peers: () => nodes }, values);
			},
			durable: () => null,
			perform: () => null,
			network,
			observe: (place, event) => this.events.push({ place, event }),
		});
		this.crowd.startAll();
	}
	document(place: number): CrdtDocument {
		const machine = this.crowd.machine(place) as AntiEntropyMachine;
		return (machine.value("document") as ReconciledDocument).document;
	}
	change(place: number): void {
		const document = this.document(place);
		document.counter("hits").increment(place + 1);
		document.set("users").add(`user-${place}`);
		document.text("notes").insert(0, `from ${place}. `);
	}
	states(): Set<string> {
		const all = Array.from({ length: this.crowd.size }, (_, place) => this.document(place).encodeShared());
		return new Set(all.map((bytes) => hex(bytes)));
	}
	hear(place: number, message: AntiEntropyMessage): void {
		this.crowd.inject(place, nodeId("node-1"), message);
	}
}

describe("documents of a group", () => {
	it("that are changed apart have the same bytes after a few rounds, in spite of 30 % loss", () => {
		const group = new DocumentCrowd(16, { lossChance: 0.3 });
		for (let place = 0; place < 16; place++) group.change(place);
		expect(group.states().size).toBe(16);
		group.crowd.run(group.crowd.nowMs + 30_000, () => group.states().size === 1);
		expect(group.states().size).toBe(1);
		expect(group.document(7).counter("hits").value).toBe(136);
		expect(group.document(7).set("users").size).toBe(16);
	});

	it("that are equal cost one message an exchange", () => {
		const group = new DocumentCrowd(4);
		group.change(0);
		group.crowd.run(20_000);
		const { messages } = { ...group.crowd.counts };
		group.crowd.run(group.crowd.nowMs + 10_000);
		// Four members, an exchange a second or sooner.
		const sent = group.crowd.counts.messages - messages;
		expect(sent).toBeGreaterThanOrEqual(4 * 9);
		expect(sent).toBeLessThanOrEqual(4 * 11);
		expect(group.events.filter(({ event }) => event.type === "value-changed")).toHaveLength(3);
	});

	it("are seen to have converged by one member, from the digests that pass it", () => {
		const group = new DocumentCrowd(6);
		const monitor = new ConvergenceMonitor(20);
		const own = (): string => hex(new ReconciledDocument(group.document(0)).digest());
		for (let place = 0; place < 6; place++) group.change(place);
		const readings = Array.from({ length: 40 }, () => {
			group.crowd.run(group.crowd.nowMs + 1_000);
			for (const { place, event } of group.events.splice(0)) {
				if (place === 0 && event.type === "digest-heard") monitor.hear(event.from, hex(event.digest));
			}
			return monitor.endRound(own(), 6);
		});
		expect(readings[0]?.isConverged).toBe(false);
		expect(readings.at(-1)).toMatchObject({ isConverged: true, share: 1, heard: 6 });
	});
});

describe("a difference", () => {
	it("that brings nothing new is no change", () => {
		const group = new DocumentCrowd(2);
		group.change(1);
		const theirs = new ReconciledDocument(group.document(1));
		const difference = theirs.difference(new ReconciledDocument(group.document(0)).digest())!;
		for (let i = 0; i < 2; i++) group.hear(0, { type: "supply", differences: [{ name: "document", difference }] });
		expect(group.events.map(({ event }) => event.type)).toEqual(["value-changed"]);
	});
});

describe("what is not sound", () => {
	it("is refused with its code, and the value is as before", () => {
		const group = new DocumentCrowd(2);
		group.change(0);
		const before = group.states();
		group.hear(0, { type: "supply", differences: [{ name: "document", difference: new Uint8Array([1, 2, 3]) }] });
		group.hear(0, { type: "offer", digests: [{ name: "document", digest: new Uint8Array([200]) }] });
		const refused = group.events.filter(({ event }) => event.type === "payload-refused").map(({ event }) => event);
		expect(refused).toMatchObject([{ code: "crdt-update-damaged" }, { code: "crdt-update-damaged" }]);
		expect(group.states()).toEqual(before);
	});

	it("is ignored when nobody here holds a value of that name", () => {
		const group = new DocumentCrowd(2);
		group.hear(0, { type: "offer", digests: [{ name: "other", digest: new Uint8Array(4) }] });
		expect(group.crowd.counts.messages).toBe(0);
	});

	it("a difference over the limit is told, not sent", () => {
		const group = new DocumentCrowd(2, {}, 1_024);
		group.document(0).text("notes").insert(0, "x".repeat(5_000));
		group.crowd.run(5_000);
		expect(group.events.map(({ event }) => event)).toContainEqual(
			expect.objectContaining({ type: "difference-too-large", name: "document", limitBytes: 1_024 }),
		);
		expect(group.document(1).text("notes").length).toBe(0);
	});

	it("too many values, and settings out of bounds, are refused", () => {
		const node = nodeId("a");
		const values = new Map<string, ReconciledValue>(
			Array.from({ length: 257 }, (_, i) => [
				`v${i}`,
				new ReconciledDocument(new CrdtDocument({ schema, replica: replicaId(node, 1) })),
			]),
		);
		const ports = { choices: { below: () => 0 }, peers: (): NodeId[] => [] };
		expect(() => new AntiEntropyMachine(antiEntropyConfig({ nodeId: node }), ports, values)).toThrow("values");
		expect(() => antiEntropyConfig({ nodeId: node, intervalMs: 0 })).toThrow("intervalMs");
	});
});

describe("a copy of a machine", () => {
	it("is independent of it", () => {
		const group = new DocumentCrowd(2);
		const machine = group.crowd.machine(0) as AntiEntropyMachine;
		const copy = machine.copy();
		group.change(0);
		expect(copy.state).not.toEqual(machine.state);
	});
});
