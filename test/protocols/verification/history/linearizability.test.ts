/**
 * Goal: histories with known verdicts get them, by every model; of an illegal one the longest linearizable prefix and the
 * operation that ends it are named; a budget that ends gives `unknown`. Method: histories made by hand, each anomaly that
 * the literature names with a legal twin beside it.
 */
import { expect, test } from "vitest";
import {
	casRegisterModel,
	checkLinearizability,
	counterModel,
	describeOperation,
	type History,
	keyValueModel,
	lockModel,
	type Model,
	type Offending,
	parseHistory,
	queueModel,
	registerModel,
} from "../../../../protocols/verification/index.ts";
import { historyOf } from "./transcript.ts";

type Judged = readonly [title: string, ...steps: string[]];

function verdictsOf<State>(model: Model<State>, histories: readonly Judged[]): Record<string, string> {
	return Object.fromEntries(
		histories.map(([title, ...steps]) => [title, checkLinearizability(historyOf(...steps), model).verdict]),
	);
}

function expectAll<State>(model: Model<State>, verdict: "ok" | "illegal", histories: readonly Judged[]): void {
	expect(verdictsOf(model, histories)).toEqual(Object.fromEntries(histories.map(([title]) => [title, verdict])));
}

function offendingOf<State>(history: History, model: Model<State>): Offending {
	const illegal = checkLinearizability(history, model).partitions.find(({ verdict }) => verdict.type === "illegal");
	if (illegal?.verdict.type !== "illegal" || illegal.verdict.offending === null) throw new Error("it was not illegal");
	return illegal.verdict.offending;
}

test("register", () => {
	expectAll(registerModel, "ok", [
		["one after the other", "0 put 1", "0 ok", "0 get", "0 ok 1", "0 put 2", "0 ok", "1 get", "1 ok 2"],
		["before the first write", "0 get", "0 ok null"],
		["a read beside a write sees it", "0 put 1", "1 get", "1 ok 1", "0 ok"],
		["a read beside a write does not see it yet", "0 put 1", "1 get", "1 ok null", "0 ok"],
		["concurrent writes in either order", "0 put 1", "1 put 2", "0 ok", "1 ok", "0 get", "0 ok 1", "0 get", "0 ok 1"],
		["info takes effect late", "0 put 1", "0 info", "1 get", "1 ok null", "1 get", "1 ok 1"],
		["info takes effect never", "0 put 1", "0 info", "1 get", "1 ok null", "1 get", "1 ok null"],
		["an unfinished read says nothing", "0 put 1", "0 ok", "1 get", "2 get", "2 info", "0 get", "0 ok 1"],
		["an unfinished write may be seen", "0 put 1", "1 get", "1 ok 1"],
		["a former value that was there", "0 put 1", "0 ok", "0 put 2", "0 ok 1"],
	]);
	expectAll(registerModel, "illegal", [
		["stale read", "0 put 1", "0 ok", "0 put 2", "0 ok", "1 get", "1 ok 1"],
		["lost write", "0 put 1", "0 ok", "1 get", "1 ok null"],
		["phantom", "0 put 1", "0 ok", "1 get", "1 ok 7"],
		["read from the future", "1 get", "1 ok 1", "0 put 1", "0 ok"],
		["non-monotonic reads", "0 put 1", "1 get", "1 ok 1", "1 get", "1 ok null", "0 ok"],
		["non-monotonic reads by two clients", "0 put 1", "1 get", "1 ok 1", "2 get", "2 ok null", "0 ok"],
		["read of a failed write", "0 put 1", "0 fail", "1 get", "1 ok 1"],
		["info takes effect twice", ..."0 put 1;0 info;1 get;1 ok 1;1 put 2;1 ok;1 get;1 ok 2;1 get;1 ok 1".split(";")],
		["a former value that was not there", "0 put 1", "0 ok", "0 put 2", "0 ok null"],
	]);
});

test("register with compare-and-set", () => {
	expectAll(casRegisterModel, "ok", [
		["swapped", "0 put 1", "0 ok", "0 cas 1 2", "0 done", "1 get", "1 ok 2"],
		["refused, and nothing changed", "0 put 1", "0 ok", "0 cas 3 2", "0 refused", "1 get", "1 ok 1"],
		["from nothing", "0 cas null 1", "0 done", "1 get", "1 ok 1"],
		["of two one wins", "0 put 1", "0 ok", "0 cas 1 2", "1 cas 1 3", "0 refused 3", "1 done"],
		["unknown, and it has swapped", "0 put 1", "0 ok", "1 cas 1 2", "1 info", "0 get", "0 ok 2"],
	]);
	expectAll(casRegisterModel, "illegal", [
		["both win", "0 put 1", "0 ok", "0 cas 1 2", "1 cas 1 3", "0 done", "1 done"],
		["neither wins", "0 put 1", "0 ok", "0 cas 1 2", "1 cas 1 3", "0 refused", "1 refused"],
		["refused, but changed", "0 put 1", "0 ok", "0 cas 3 2", "0 refused", "1 get", "1 ok 2"],
		["lost update", ..."0 put 0;0 ok;0 cas 0 1;0 done;1 cas 0 2;1 done;0 get;0 ok 2".split(";")],
	]);
});

test("key-value store: lists, deletes, transactions, keys by themselves", () => {
	expectAll(keyValueModel, "ok", [
		["appends in either order", "0 append:a 1", "1 append:a 2", "0 ok", "1 ok", "0 get:a", "0 ok [2,1]"],
		[
			"a read in between",
			"0 append:a 1",
			"1 get:a",
			"2 append:a 2",
			"1 ok [2]",
			"0 ok",
			"2 ok",
			"1 get:a",
			"1 ok [2,1]",
		],
		["nothing is the empty list", "1 get:a", "0 append:a 1", "0 ok", "1 ok []"],
		["an unknown append shows late", "0 append:a 1", "0 info", "1 get:a", "1 ok []", "1 get:a", "1 ok [1]"],
		["a failed append", "0 append:a 1", "0 fail", "1 get:a", "1 ok null"],
		["append after put of a list", "0 put:a [1,2]", "0 ok", "0 append:a 3", "0 ok 3", "1 get:a", "1 ok [1,2,3]"],
		["the same value appended twice", "0 append:a 1", "0 ok 1", "0 append:a 1", "0 ok 2", "1 get:a", "1 ok [1,1]"],
		[
			"delete and begin anew",
			"0 append:a 1",
			"0 ok",
			"0 delete:a",
			"0 ok [1]",
			"0 append:a 2",
			"0 ok",
			"1 get:a",
			"1 ok [2]",
		],
		["keys do not know each other", "0 put:a 1", "0 ok", "1 get:b", "1 ok null", "1 get:a", "1 ok 1"],
		["objects, whatever the order of names", '0 put:a {"x":1,"y":2}', "0 ok", "1 get:a", '1 ok {"y":2,"x":1}'],
		[
			"transactions over two keys",
			...'0 txn [["append","a",1],["put","b",1]];1 txn [["get","a"],["get","b"]];0 ok [["append","a",1],["put","b",1]];1 ok [["get","a",[1]],["get","b",1]]'.split(
				";",
			),
		],
	]);
	expectAll(keyValueModel, "illegal", [
		["a value that was there is not seen", "0 append:a 1", "0 ok", "1 get:a", "1 ok []"],
		[
			"less than an earlier read",
			..."0 append:a 1;0 ok;0 append:a 2;0 ok;1 get:a;1 ok [1,2];1 get:a;1 ok [1]".split(";"),
		],
		[
			"reads that do not continue each other",
			..."0 append:a 1;1 append:a 2;0 ok;1 ok;0 get:a;0 ok [1,2];0 get:a;0 ok [2,1]".split(";"),
		],
		["order against real time", "0 append:a 1", "0 ok", "0 append:a 2", "0 ok", "0 get:a", "0 ok [2,1]"],
		["double apply", "0 append:a 1", "0 ok", "0 get:a", "0 ok [1,1]"],
		["phantom", "0 append:a 1", "0 ok", "1 get:a", "1 ok [1,9]"],
		["a failed append is read", "0 append:a 1", "0 fail", "1 get:a", "1 ok [1]"],
		["a wrong length", "0 append:a 1", "0 ok 2"],
		["append to what is no list", "0 put:a 1", "0 ok", "0 append:a 2", "0 ok"],
		['1 and "1" differ', "0 put:a 1", "0 ok", "1 get:a", '1 ok "1"'],
		[
			"half a transaction is seen",
			...'0 txn [["put","a",1],["put","b",1]];1 txn [["get","a"],["get","b"]];0 ok [["put","a",1],["put","b",1]];1 ok [["get","a",1],["get","b",null]]'.split(
				";",
			),
		],
		[
			"single operations against a transaction",
			...'0 txn [["put","a",1],["put","b",1]];1 get:a;1 ok 1;1 get:b;1 ok null;0 ok [["put","a",1],["put","b",1]]'.split(
				";",
			),
		],
	]);
});

test("counter", () => {
	expectAll(counterModel, "ok", [
		["sums", "0 add 2", "0 ok", "0 add -1", "0 ok 1", "1 get", "1 ok 1"],
		["concurrent", "0 add 1", "1 add 2", "2 get", "2 ok 2", "0 ok 3", "1 ok 2"],
		["unknown", "0 add 1", "0 info", "1 get", "1 ok 0", "1 get", "1 ok 1"],
	]);
	expectAll(counterModel, "illegal", [
		["lost update", "0 add 1", "1 add 1", "0 ok", "1 ok", "0 get", "0 ok 1"],
		["double apply", "0 add 1", "0 ok", "0 get", "0 ok 2"],
		["both were first", "0 add 1", "1 add 1", "0 ok 1", "1 ok 1"],
		["a failed add counts", "0 add 1", "0 fail", "1 get", "1 ok 1"],
	]);
});

test("queue", () => {
	expectAll(queueModel, "ok", [
		[
			"first in, first out",
			..."0 enqueue 1;0 ok;0 enqueue 2;0 ok;1 dequeue;1 ok 1;1 dequeue;1 ok 2;1 dequeue;1 ok null".split(";"),
		],
		[
			"concurrent enqueues in either order",
			..."0 enqueue 1;1 enqueue 2;0 ok;1 ok;0 dequeue;0 ok 2;0 dequeue;0 ok 1".split(";"),
		],
		["an unknown dequeue took it", ..."0 enqueue 1;0 ok;1 dequeue;1 info;0 enqueue 2;0 ok;0 dequeue;0 ok 2".split(";")],
		["equal values", ..."0 enqueue 1;0 ok;0 enqueue 1;0 ok;0 dequeue;0 ok 1;0 dequeue;0 ok 1".split(";")],
	]);
	expectAll(queueModel, "illegal", [
		["out of order", ..."0 enqueue 1;0 ok;0 enqueue 2;0 ok;1 dequeue;1 ok 2".split(";")],
		["out of order by two", ..."0 enqueue 1;0 ok;0 enqueue 2;0 ok;1 dequeue;1 ok 2;1 dequeue;1 ok 1".split(";")],
		["delivered twice", ..."0 enqueue 1;0 ok;1 dequeue;2 dequeue;1 ok 1;2 ok 1".split(";")],
		["lost", ..."0 enqueue 1;0 ok;1 dequeue;1 ok null".split(";")],
		["phantom", "1 dequeue", "1 ok 5"],
		[
			"two orders at once",
			..."0 enqueue 1;1 enqueue 2;0 ok;1 ok;0 enqueue 3;0 ok;0 dequeue;0 ok 1;0 dequeue;0 ok 3".split(";"),
		],
	]);
});

test("lock with fencing tokens", () => {
	expectAll(lockModel, "ok", [
		["one after the other", ..."0 acquire;0 done 1;0 release 1;0 done;1 acquire;1 done 2".split(";")],
		["refused while it is held", ..."0 acquire;0 done 1;1 acquire;1 refused".split(";")],
		["tokens may skip", ..."0 acquire;0 done 4;0 release 4;0 done;1 acquire;1 done 9".split(";")],
		[
			"an expired holder's write is refused",
			..."0 acquire;0 done 1;9 expire;9 ok;1 acquire;1 done 2;1 write 2;1 done;0 write 1;0 refused".split(";"),
		],
		[
			"an expired holder writes before the next",
			..."0 acquire;0 done 1;9 expire;9 ok;1 acquire;1 done 2;0 write 1;0 done;1 write 2;1 done".split(";"),
		],
		[
			"an unknown acquire holds it, then expires",
			..."0 acquire;0 info;1 acquire;1 refused;9 expire;9 ok;1 acquire;1 done 2".split(";"),
		],
		[
			"a lease that ends some time",
			..."0 acquire;0 done 1;9 expire;9 info;1 acquire;1 done 2;0 release 1;0 refused".split(";"),
		],
	]);
	expectAll(lockModel, "illegal", [
		["two holders", ..."0 acquire;0 done 1;1 acquire;1 done 2".split(";")],
		["a token is used again", ..."0 acquire;0 done 1;0 release 1;0 done;1 acquire;1 done 1".split(";")],
		["tokens go back", ..."0 acquire;0 done 5;0 release 5;0 done;1 acquire;1 done 3".split(";")],
		[
			"the token of an unknown acquire is used again",
			..."0 acquire;0 info;1 acquire;1 refused;9 expire;9 ok;1 acquire;1 done 1".split(";"),
		],
		["refused, but it is free", "0 acquire", "0 refused"],
		["released by another", ..."0 acquire;0 done 1;1 release 7;1 done".split(";")],
		[
			"the fence is open",
			..."0 acquire;0 done 1;9 expire;9 ok;1 acquire;1 done 2;1 write 2;1 done;0 write 1;0 done".split(";"),
		],
		["the fence is closed to the holder", ..."0 acquire;0 done 1;0 write 1;0 refused".split(";")],
	]);
});

test("the longest linearizable prefix ends with the offending operation, not with what was asked last", () => {
	const history = historyOf(
		...[
			"0 put 1",
			"0 ok",
			"0 put 2",
			"1 get",
			"0 ok",
			"1 ok 2",
			"2 put 3",
			"1 get",
			"1 ok 1",
			"2 ok",
			"1 get",
			"1 ok 3",
		],
	);
	const { operation, prefixLength, concurrent, witness } = offendingOf(history, registerModel);
	expect(describeOperation(operation)).toBe("get → 1 (client 1, line 8 to 9)");
	expect(prefixLength).toBe(3);
	expect(concurrent.map(describeOperation)).toEqual(["put 3 → ok (client 2, line 7 to 10)"]);
	expect(witness?.order.map(({ id }) => id)).toEqual([0, 1, 2]);
	expect(witness?.state).toBe("2");
});

test("what lies behind the place does not move it, though it guides the search", () => {
	// The last read shows 9, which nobody appended: seen from there no append behind it fits. It is the read that offends.
	const steps = ["0 append:a 1", "0 ok", "0 append:a 2", "0 ok", "0 append:a 3", "0 ok", "1 get:a", "1 ok [1,2,3]"];
	const phantom = historyOf(...steps, "0 append:a 4", "0 ok", "1 get:a", "1 ok [1,9,2,3,4]");
	expect(describeOperation(offendingOf(phantom, keyValueModel).operation)).toContain(
		"[1,9,2,3,4] (client 1, line 11 to 12)",
	);
	// Two reads of which neither continues the other: it is the second, whichever is longer.
	const diverging = historyOf(
		...["0 append:a 1", "1 append:a 2", "0 ok", "1 ok", "0 get:a", "0 ok [1,2]", "0 append:a 3", "0 ok"],
		...["0 get:a", "0 ok [2,1,3]"],
	);
	expect(describeOperation(offendingOf(diverging, keyValueModel).operation)).toContain("[2,1,3]");
});

test("a budget that ends gives unknown, and an illegal key stays illegal beside an undecided one", () => {
	const history = historyOf("0 put:a 1", "0 ok", "1 get:a", "1 ok 2");
	expect(checkLinearizability(history, keyValueModel).verdict).toBe("illegal");
	const over = checkLinearizability(history, keyValueModel, { isOver: () => true });
	// The first slice was enough; nothing was decided without it.
	expect(over.verdict).toBe("illegal");
	const steps = Array.from({ length: 14 }, (_, i) => `${i} put:b ${i}`);
	const ends = Array.from({ length: 14 }, (_, i) => `${i} ok`);
	const hard = historyOf(...steps, ...ends, "0 get:b", "0 ok 99");
	const { verdict, partitions } = checkLinearizability(hard, keyValueModel, { stepsMax: 1 });
	expect(verdict).toBe("unknown");
	expect(partitions[0]?.verdict).toEqual({ type: "unknown", reason: "budget" });
	const both = historyOf(...steps, ...ends, "0 get:b", "0 ok 99", "0 put:a 1", "0 ok", "0 get:a", "0 ok 2");
	let slices = 0;
	const mixed = checkLinearizability(both, keyValueModel, { isOver: () => ++slices > 270 });
	expect(mixed.verdict).toBe("illegal");
});

test("a history without answers proves nothing", () => {
	expect(checkLinearizability(historyOf(), keyValueModel).verdict).toBe("unknown");
	expect(checkLinearizability(historyOf("0 put 1", "0 info"), registerModel).verdict).toBe("unknown");
});

test("a model refuses what it does not know, with the line and the field", () => {
	const refusal = (model: Model<unknown>, text: string): unknown => {
		try {
			checkLinearizability(parseHistory(text), model);
		} catch (error) {
			const { code, details } = error as { code: string; details: object };
			return { code, ...details };
		}
		return null;
	};
	const invoke = (rest: string): string => `{"t":"invoke","id":1,"client":0,${rest}}\n`;
	const model = counterModel as Model<unknown>;
	const code = "history-operation-invalid";
	expect(refusal(model, invoke('"op":"put","value":1'))).toMatchObject({ code, line: 1, key: "op", found: '"put"' });
	expect(refusal(model, invoke('"op":"add","value":1.5'))).toMatchObject({ code, key: "value", found: "1.5" });
	expect(refusal(model, `${invoke('"op":"get"')}{"t":"ok","id":1}`)).toMatchObject({
		code,
		line: 2,
		key: "answer value",
	});
	const lock = lockModel as Model<unknown>;
	expect(refusal(lock, `${invoke('"op":"acquire"')}{"t":"ok","id":1,"ok":true}`)).toMatchObject({
		key: "answer value",
	});
	expect(refusal(lock, `${invoke('"op":"acquire"')}{"t":"ok","id":1}`)).toMatchObject({ key: "answer ok", line: 2 });
});
