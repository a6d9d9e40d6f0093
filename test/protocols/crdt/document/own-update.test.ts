/**
 * Goal: a replica that has used all of its dots says so, and changes nothing that it could not tell others of. It fails when a number
 * wraps around, or when something is deleted here only.
 * Method: a document's data whose replica is made to be near its end.
 */
import { expect, it } from "vitest";
import { SEQUENCE_MAX } from "../../../../protocols/crdt/causality/causal-context.ts";
import { DocumentCore } from "../../../../protocols/crdt/document/core.ts";
import { PendingUpdates } from "../../../../protocols/crdt/document/pending.ts";
import { HybridClock, replicaId } from "../../../../protocols/crdt/index.ts";
import { textOf } from "../../../../protocols/crdt/types/text.ts";

it("refuses what would need dots beyond the last", () => {
	const schema = { text: "text", set: "add-wins-set" } as const;
	const core = new DocumentCore(schema, replicaId("a", 0), new HybridClock(), new PendingUpdates());
	const [text, set] = [core.container(["text"]), core.container(["set"])];
	core.own.insert(text, 0, "text");
	core.heads[core.self] = SEQUENCE_MAX - 2;
	const exhausted = expect.objectContaining({ code: "crdt-dots-exhausted" }) as Error;
	expect(() => core.own.insert(text, 0, "abc")).toThrow(exhausted);
	expect(() => core.own.delete(text, 0, 3)).toThrow(exhausted);
	expect(() => core.own.deleteIds(text, core.self, 1, 4)).toThrow(exhausted);
	expect(textOf(core, text)).toBe("text");
	core.own.delete(text, 0, 2);
	expect(textOf(core, text)).toBe("xt");
	expect(() => core.own.entry(set, "x", true, null)).toThrow(exhausted);
	expect(set.entries.size).toBe(0);
});
