/** The values of parts as plain data. */
import type { Container } from "../document/container.ts";
import type { DocumentCore } from "../document/core.ts";
import type { Value } from "../encoding/value.ts";
import { boundedValue } from "./bounded-counter.ts";
import { counterValue } from "./counter.ts";
import { flagValue } from "./flag.ts";
import { listOf } from "./list.ts";
import { lwwValue, mvValues } from "./register.ts";
import type { DocumentSchema, Schema } from "./schema.ts";
import { setValues } from "./set.ts";
import { textOf } from "./text.ts";

/** The whole document: records and maps as objects, sets as lists; a register that was never written is `null`. */
export function documentValue(core: DocumentCore): Readonly<Record<string, Value>> {
	return recordValue(core, core.schema, []);
}

/** Whether a part differs from one that was never touched; a map has its key for as long. */
export function hasValue(container: Container): boolean {
	return container.type === "remove-wins-set" ? setValues(container).length > 0 : !container.isEmpty;
}

function recordValue(core: DocumentCore, record: DocumentSchema, path: readonly string[]): Record<string, Value> {
	return Object.fromEntries(
		Object.entries(record).map(([name, schema]) => [name, valueAt(core, schema, [...path, name])] as const),
	);
}

function valueAt(core: DocumentCore, schema: Schema, path: readonly string[]): Value {
	if (typeof schema === "string") return leafValue(core, core.container(path));
	if ("record" in schema) return recordValue(core, schema.record, path);
	const keys = new Set<string>();
	for (const container of core.containers) {
		const isBelow = container.path.length > path.length && path.every((segment, i) => container.path[i] === segment);
		if (isBelow && hasValue(container)) keys.add(container.path[path.length]!);
	}
	return Object.fromEntries([...keys].sort().map((key) => [key, valueAt(core, schema.map, [...path, key])] as const));
}

/** The value of one container. */
export function leafValue(core: DocumentCore, container: Container): Value {
	switch (container.type) {
		case "g-counter":
		case "pn-counter":
			return counterValue(container);
		case "bounded-counter":
			return boundedValue(container);
		case "enable-wins-flag":
		case "disable-wins-flag":
			return flagValue(container);
		case "lww-register":
			return lwwValue(core, container) ?? null;
		case "mv-register":
			return mvValues(core, container);
		case "add-wins-set":
		case "remove-wins-set":
			return setValues(container);
		case "text":
			return textOf(core, container);
		case "list":
			return listOf(core, container);
	}
}
