/** Goal: which requests are executed already, at the edges of what is kept (rule 9; BYZ-3). Method: the table by itself. */
import { expect, it } from "vitest";
import { nodeId } from "../../../protocols/core/index.ts";
import { ClientTable } from "../../../protocols/pbft/client-table.ts";

const [one, two, three] = ["c1", "c2", "c3"].map((id) => nodeId(id)) as [
	ReturnType<typeof nodeId>,
	ReturnType<typeof nodeId>,
	ReturnType<typeof nodeId>,
];

it("only what is below all that is kept of a full window is stale; between what is kept a request is new", () => {
	const table = new ClientTable({ clientWindow: 3, clientsMax: 2 });
	for (const timestamp of [5, 9, 7]) table.record(one, timestamp);
	expect([4, 5, 6, 8, 9, 10].map((timestamp) => table.look(one, timestamp))).toEqual([
		"stale",
		"executed",
		"new",
		"new",
		"executed",
		"new",
	]);
	table.record(one, 6);
	expect(table.snapshot()).toEqual([{ client: one, timestamps: [6, 7, 9] }]);
	expect(table.look(one, 5)).toBe("stale");
});

it("a window that is not full forgets nothing, so nothing is stale yet", () => {
	const table = new ClientTable({ clientWindow: 3, clientsMax: 2 });
	for (const timestamp of [5, 9]) table.record(one, timestamp);
	expect(table.look(one, 1)).toBe("new");
});

it("so many clients have room, and one more is refused while those are served", () => {
	const table = new ClientTable({ clientWindow: 1, clientsMax: 2 });
	for (const client of [one, two]) table.record(client, 1);
	expect(table.look(three, 1)).toBe("full");
	expect(table.look(two, 2)).toBe("new");
});
