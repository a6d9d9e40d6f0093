/**
 * Goal: copies converge whatever is exchanged in which order, and what was deleted does not come back (GOS-3, GOS-7; chitchat
 * #94, #110, #155, #161). Method: random histories of three members against plain maps of what each has set; each defect as its story.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { type NodeId, nodeId } from "../../../../protocols/core/index.ts";
import { Scuttlebutt, scuttlebuttLimits } from "../../../../protocols/gossip/index.ts";

const [a, b, c] = ["a", "b", "c"].map(nodeId) as [NodeId, NodeId, NodeId];
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (value: Uint8Array | undefined): string | undefined => value && new TextDecoder().decode(value);

/** `to` takes what it lacks. */
function pull(to: Scuttlebutt, from: Scuttlebutt): number {
	return to.apply(from.deltas(to.digest()));
}
function contents(store: Scuttlebutt, node: NodeId): Record<string, string | undefined> {
	return Object.fromEntries(
		store
			.keysOf(node)
			.sort()
			.map((key) => [key, text(store.get(node, key))]),
	);
}

describe("convergence", () => {
	it("after a round of exchanges all hold what each owner holds, whatever happened before", () => {
		const step = fc.oneof(
			fc.record({ type: fc.constant("set" as const), who: fc.nat(2), key: fc.nat(4), value: fc.nat(9) }),
			fc.record({ type: fc.constant("delete" as const), who: fc.nat(2), key: fc.nat(4) }),
			fc.record({ type: fc.constant("pull" as const), who: fc.nat(2), from: fc.nat(2) }),
			fc.record({ type: fc.constant("collect" as const), who: fc.nat(2) }),
		);
		fc.assert(
			fc.property(fc.array(step, { maxLength: 60 }), fc.integer({ min: 25, max: 60_000 }), (steps, deltaBytesMax) => {
				const ids = [a, b, c];
				const stores = ids.map((id) => new Scuttlebutt(id, 1, { ...scuttlebuttLimits, deltaBytesMax }));
				const wanted = ids.map(() => new Map<string, string>());
				for (const each of steps) {
					const store = stores[each.who] as Scuttlebutt;
					if (each.type === "set") {
						store.set(`k${each.key}`, bytes(`${each.value}`));
						wanted[each.who]?.set(`k${each.key}`, `${each.value}`);
					} else if (each.type === "delete") {
						expect(store.delete(`k${each.key}`)).toBe(wanted[each.who]?.delete(`k${each.key}`));
					}
					if (each.type === "collect") store.collect();
					else if (each.type === "pull" && each.from !== each.who) pull(store, stores[each.from] as Scuttlebutt);
				}
				// Small packets take many rounds; each brings somebody forward, or nobody is behind.
				for (let round = 0; round < 400; round++) {
					let taken = 0;
					for (const to of stores) for (const from of stores) if (to !== from) taken += pull(to, from);
					if (taken === 0) break;
				}
				ids.forEach((owner, i) => {
					for (const store of stores) expect(contents(store, owner)).toEqual(Object.fromEntries(wanted[i] ?? []));
				});
			}),
			{ numRuns: 300 },
		);
	});

	it("a packet holds the oldest changes of an owner, so what was taken is a state that was once there", () => {
		const [owner, other] = [new Scuttlebutt(a, 1), new Scuttlebutt(b, 1, { ...scuttlebuttLimits, deltaBytesMax: 40 })];
		for (const key of ["x", "y", "z"]) owner.set(key, bytes("1"));
		const small = new Scuttlebutt(c, 1, { ...scuttlebuttLimits, deltaBytesMax: 40 });
		pull(small, owner);
		expect(pull(other, small)).toBe(2);
		expect(other.keysOf(a)).toEqual(["x", "y"]);
		expect(pull(other, small)).toBe(1);
	});
});

describe("deletions", () => {
	it("spread", () => {
		const [owner, other] = [new Scuttlebutt(a, 1), new Scuttlebutt(b, 1)];
		owner.set("k", bytes("1"));
		pull(other, owner);
		expect(owner.delete("k")).toBe(true);
		expect(owner.delete("k")).toBe(false);
		pull(other, owner);
		expect(other.get(a, "k")).toBeUndefined();
	});

	it("have the time between two collections to spread as changes, and what is set again meanwhile stays", () => {
		const [owner, other] = [new Scuttlebutt(a, 1), new Scuttlebutt(b, 1)];
		for (const key of ["gone", "again"]) owner.set(key, bytes("1"));
		pull(other, owner);
		for (const key of ["gone", "again"]) owner.delete(key);
		owner.collect();
		owner.set("again", bytes("2"));
		const [delta] = owner.deltas(other.digest());
		expect(delta).toMatchObject({ fromVersion: 2, changes: [{ key: "gone", isDeleted: true }, { key: "again" }] });
		owner.collect();
		expect(contents(owner, a)).toEqual({ again: "2" });
		expect(owner.digest()).toMatchObject([{ collectedVersion: 3 }]);
	});

	it("chitchat #110: a key that was deleted and collected during a partition does not come back", () => {
		const [owner, near, far] = [new Scuttlebutt(a, 1), new Scuttlebutt(b, 1), new Scuttlebutt(c, 1)];
		owner.set("k", bytes("1"));
		owner.set("other", bytes("1"));
		pull(near, owner);
		pull(far, owner);
		owner.delete("k");
		pull(near, owner);
		for (const store of [owner, near]) for (let i = 0; i < 2; i++) store.collect();
		// Neither knows of the deletion any more; `far` has the key and must be made to drop it, by either of them.
		pull(owner, far);
		expect(owner.get(a, "k")).toBeUndefined();
		pull(near, far);
		expect(near.get(a, "k")).toBeUndefined();
		pull(far, near);
		expect(contents(far, a)).toEqual({ other: "1" });
	});

	it("chitchat #94: a new generation replaces the old one whole", () => {
		const [owner, other] = [new Scuttlebutt(a, 1), new Scuttlebutt(b, 1)];
		owner.set("old", bytes("1"));
		for (let i = 0; i < 5; i++) owner.set("more", bytes(`${i}`));
		pull(other, owner);
		const again = new Scuttlebutt(a, 2);
		again.set("new", bytes("2"));
		pull(other, again);
		expect(contents(other, a)).toEqual({ new: "2" });
		// What is still on its way from the former life is ignored.
		pull(other, owner);
		expect(contents(other, a)).toEqual({ new: "2" });
	});

	it("chitchat #155, #161: who was forgotten does not come back from others' copies, until it starts anew", () => {
		const [owner, near, far] = [new Scuttlebutt(a, 1), new Scuttlebutt(b, 1), new Scuttlebutt(c, 1)];
		owner.set("k", bytes("1"));
		pull(near, owner);
		pull(far, owner);
		near.forget(a);
		expect(pull(near, far)).toBe(0);
		expect(near.nodes).not.toContain(a);
		const again = new Scuttlebutt(a, 2);
		again.set("k", bytes("2"));
		pull(near, again);
		expect(contents(near, a)).toEqual({ k: "2" });
	});
});

describe("bounds", () => {
	it("a key that is too large, or one too many, is refused", () => {
		const store = new Scuttlebutt(a, 1, { ...scuttlebuttLimits, keyBytesMax: 10, keysMax: 2 });
		expect(() => store.set("k", new Uint8Array(10))).toThrow("11 bytes");
		store.set("k", new Uint8Array(9));
		store.set("l", new Uint8Array(9));
		expect(() => store.set("m", new Uint8Array(1))).toThrow("keys of one member");
		store.set("k", new Uint8Array(1));
	});

	it("a delta that does not continue what is held is ignored", () => {
		const [owner, other] = [new Scuttlebutt(a, 1), new Scuttlebutt(b, 1)];
		for (let i = 0; i < 3; i++) owner.set(`k${i}`, bytes("1"));
		const [delta] = owner.deltas([{ node: a, generation: 1, version: 2, collectedVersion: 0 }]);
		expect(other.apply(delta === undefined ? [] : [delta])).toBe(0);
		expect(other.keysOf(a)).toEqual([]);
	});

	it("nor one that leaves a gap behind what is held, or more keys than may be held", () => {
		const other = new Scuttlebutt(b, 1, { ...scuttlebuttLimits, keysMax: 2 });
		const owner = new Scuttlebutt(a, 1);
		owner.set("k0", bytes("1"));
		pull(other, owner);
		for (let i = 1; i < 4; i++) owner.set(`k${i}`, bytes("1"));
		const late = owner.deltas([{ node: a, generation: 1, version: 2, collectedVersion: 0 }]);
		expect(other.apply(late)).toBe(0);
		expect(pull(other, owner)).toBe(1);
		expect(other.keysOf(a)).toEqual(["k0", "k1"]);
		expect(other.digest()).toMatchObject([{ node: a, version: 2 }, { node: b }]);
	});

	it("nobody is told about itself", () => {
		const [owner, other] = [new Scuttlebutt(a, 1), new Scuttlebutt(b, 1)];
		const forged = {
			node: a,
			generation: 9,
			fromVersion: 0,
			collectedVersion: 0,
			version: 5,
			sourceVersion: 5,
			changes: [],
		};
		owner.set("k", bytes("1"));
		expect(owner.apply([forged])).toBe(0);
		expect(text(owner.get(a, "k"))).toBe("1");
		expect(other.nodes).toEqual([b]);
	});
});
