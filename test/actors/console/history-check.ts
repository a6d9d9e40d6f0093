/**
 * Judges a history of appends to lists and reads of them, as `--history` writes it. Since every value is appended once and
 * a read shows the whole list, the longest read of a key is the order of its appends, and linearizability comes down to:
 * every read is a prefix of it; what ended before something else began stands before it, appends and reads alike.
 */

interface Line {
	readonly t: "invoke" | "ok" | "fail" | "info";
	readonly id: number;
	readonly client: number;
	readonly op: "append" | "get";
	readonly key: string;
	readonly value: unknown;
	readonly ns: number;
}

interface Operation {
	readonly op: "append" | "get";
	readonly key: string;
	/** The appended value, or the list that was read. */
	value: unknown;
	readonly begin: number;
	/** Infinity while the outcome is unknown. */
	end: number;
	outcome: "ok" | "fail" | "unknown";
}

export interface HistoryVerdict {
	readonly appended: ReadonlySet<number>;
	readonly reads: number;
	readonly operations: number;
	/** What is wrong, one sentence each. */
	readonly faults: readonly string[];
}

export function checkHistory(text: string): HistoryVerdict {
	const faults: string[] = [];
	const operations = parse(text, faults);
	const byKey = new Map<string, Operation[]>();
	for (const operation of operations) {
		const own = byKey.get(operation.key);
		if (own === undefined) byKey.set(operation.key, [operation]);
		else own.push(operation);
	}
	for (const [key, own] of byKey) faults.push(...keyFaults(own).map((fault) => `hour ${key}: ${fault}`));
	const known = operations.filter(({ outcome }) => outcome === "ok");
	return {
		appended: new Set(known.filter(({ op }) => op === "append").map(({ value }) => value as number)),
		reads: known.filter(({ op }) => op === "get").length,
		operations: operations.length,
		faults,
	};
}

/** Reads the lines, and checks their form: time never goes back, a client has one operation at a time. */
function parse(text: string, faults: string[]): Operation[] {
	const operations = new Map<number, Operation>();
	const busy = new Map<number, number>();
	const clientOf = new Map<number, number>();
	let lastNs = 0;
	for (const [number, json] of text.trimEnd().split("\n").entries()) {
		const line = JSON.parse(json) as Line;
		if (!Number.isInteger(line.ns) || line.ns < lastNs) faults.push(`line ${number + 1}: time goes back`);
		lastNs = line.ns;
		if (line.t === "invoke") {
			if (busy.has(line.client)) faults.push(`line ${number + 1}: client ${line.client} has an operation already`);
			busy.set(line.client, line.id);
			clientOf.set(line.id, line.client);
			const { op, key, value } = line;
			operations.set(line.id, { op, key, value, begin: number, end: Number.POSITIVE_INFINITY, outcome: "unknown" });
			continue;
		}
		const operation = operations.get(line.id);
		if (operation === undefined) {
			faults.push(`line ${number + 1}: operation ${line.id} was never invoked`);
			continue;
		}
		// After an unknown outcome a client stays busy: its number must not be used again.
		if (line.t === "info") continue;
		busy.delete(clientOf.get(line.id) as number);
		operation.outcome = line.t;
		operation.end = number;
		if (operation.op === "get") operation.value = line.value;
	}
	return [...operations.values()];
}

function keyFaults(operations: readonly Operation[]): string[] {
	const faults: string[] = [];
	const reads = operations.filter(({ op, outcome }) => op === "get" && outcome === "ok");
	const order = reads.map(({ value }) => value as number[]).reduce((a, b) => (b.length > a.length ? b : a), []);
	const place = new Map(order.map((value, at) => [value, at]));
	if (place.size < order.length) faults.push("a value stands twice in a list");

	const appends = new Map(
		operations.filter(({ op }) => op === "append").map((append) => [append.value as number, append]),
	);
	let latestBegin = -1;
	for (const value of order) {
		const append = appends.get(value);
		if (append === undefined || append.outcome === "fail") faults.push(`${value} was read but not appended`);
		else if (append.end < latestBegin)
			faults.push(`${value} stands behind a value whose append began after it had ended`);
		latestBegin = Math.max(latestBegin, append?.begin ?? -1);
	}

	// By the time of their beginning: all that ended before must be seen.
	const endings = [...operations].filter(({ outcome }) => outcome === "ok").sort((a, b) => a.end - b.end);
	let next = 0;
	let mustSee = 0;
	for (const read of [...reads].sort((a, b) => a.begin - b.begin)) {
		for (; next < endings.length && endings[next]!.end < read.begin; next++) {
			const { op, value } = endings[next]!;
			const seen = op === "get" ? (value as number[]).length : (place.get(value as number) ?? order.length) + 1;
			mustSee = Math.max(mustSee, seen);
		}
		const list = read.value as number[];
		if (list.some((value, at) => value !== order[at]))
			faults.push(`a read of ${list.length} values is no prefix of the longest`);
		if (list.length < mustSee)
			faults.push(`a read shows ${list.length} values where ${mustSee} had been there before it began`);
		const last = list.at(-1);
		const append = last === undefined ? undefined : appends.get(last);
		if (append !== undefined && append.begin > read.end)
			faults.push(`a read shows ${last}, whose append began after it had ended`);
	}
	return faults;
}
