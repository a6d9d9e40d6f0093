/** Goal: a member keeps a few contacts that are there, and never gives up the last (GOS-11). Method: comings and goings by hand. */
import { expect, test } from "vitest";
import { CONTACTS_MAX, MemberContacts } from "../../../actors/gossip-coordinator/member-contacts.ts";
import { type NodeId, nodeId } from "../../../protocols/core/index.ts";

const nodes = Array.from({ length: CONTACTS_MAX + 2 }, (_, i) => nodeId(`n${i}`));
const node = (i: number): NodeId => nodes[i] as NodeId;

test("takes in who comes, up to its limit, once", () => {
	const contacts = new MemberContacts([]);
	expect(nodes.map((each) => contacts.join(each))).toEqual(nodes.map((_, i) => i < CONTACTS_MAX));
	expect(contacts.join(node(0))).toBe(false);
	expect(contacts.nodes).toEqual(nodes.slice(0, CONTACTS_MAX));
});

test("replaces who goes by somebody who is there", () => {
	const contacts = new MemberContacts([node(0), node(1)]);
	expect(contacts.leave(node(0), () => [node(0), node(1), node(2)])).toBe(true);
	expect(contacts.nodes).toEqual([node(1), node(2)]);
	expect(contacts.leave(node(5), () => nodes)).toBe(false);
});

test("keeps the last one, even when it is gone", () => {
	const contacts = new MemberContacts([node(0), node(1)]);
	expect(contacts.leave(node(0), () => [])).toBe(true);
	expect(contacts.leave(node(1), () => [])).toBe(false);
	expect(contacts.nodes).toEqual([node(1)]);
	expect(contacts.leave(node(1), () => [node(3)])).toBe(true);
	expect(contacts.nodes).toEqual([node(3)]);
});
