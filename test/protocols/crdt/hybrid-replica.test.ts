/**
 * Goal: what was decided once stays so for a replica beside a log, and the log keeps no more records than its bound (CRDT-22, CRDT-25).
 * Method: one replica and the application of a log, answers out of order.
 */
import { describe, expect, it } from "vitest";
import { ORDERED_LOG_RECORDS_MAX } from "../../../protocols/crdt/hybrid/ordered-document.ts";
import { type DocumentSchema, HybridReplica, OrderedDocument, replicaId } from "../../../protocols/crdt/index.ts";

const schema: DocumentSchema = { stock: "pn-counter", tags: "add-wins-set" };

describe("a replica beside a log", () => {
	it("does not take for undecided again what a late answer does not know of", () => {
		const [log, replica] = [new OrderedDocument({ schema }), new HybridReplica(replicaId("a", 0), schema)];
		const add = (index: number): void => {
			replica.change([{ type: "increment", path: ["stock"], amount: 1 }], 0);
			log.apply({ type: "merge", update: replica.unordered.at(-1)! }, { index, term: 1 });
		};
		add(1);
		const late = log.query(replica.query([]));
		add(2);
		expect(replica.reconcile(log.query(replica.query([])))).toMatchObject({ ahead: 0 });
		expect(replica.reconcile(late)).toMatchObject({ ahead: 0 });
		expect(replica.unordered).toEqual([]);
	});

	it("that is behind the records which the log keeps is given the whole state", () => {
		const log = new OrderedDocument({ schema });
		const [one, other] = ["a", "b"].map((node) => new HybridReplica(replicaId(node, 0), schema));
		const add = (from: number, count: number, index: number): void => {
			const commands = Array.from({ length: count }, (_unused, i) => {
				return { type: "add", path: ["tags"], value: `t${from + i}` } as const;
			});
			one!.change(commands, 0);
			log.apply({ type: "merge", update: one!.unordered.at(-1)! }, { index, term: 1 });
		};
		add(0, ORDERED_LOG_RECORDS_MAX, 1);
		const whole = log.query(other!.query([]));
		expect([whole.update === null, whole.state === null]).toEqual([false, true]);
		add(ORDERED_LOG_RECORDS_MAX, 1, 2);
		const cut = log.query(other!.query([]));
		expect([cut.update === null, cut.state === null]).toEqual([true, false]);
		other!.reconcile(cut);
		expect(other!.document.encodeShared()).toEqual(one!.document.encodeShared());
	});
});
