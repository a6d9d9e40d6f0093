/** What a client may do to a document, as data: so that it can be asked of a replica anywhere. */
import { assertNever } from "../../core/index.ts";
import type { ReplicaId } from "../causality/replica.ts";
import type { Path } from "../document/container.ts";
import type { CrdtDocument } from "../document/document.ts";
import type { Value } from "../encoding/value.ts";

/** One change of the part at a path. */
export type CrdtCommand =
	| { readonly type: "increment" | "decrement"; readonly path: Path; readonly amount: number }
	| { readonly type: "transfer"; readonly path: Path; readonly to: ReplicaId; readonly amount: number }
	| { readonly type: "enable" | "disable"; readonly path: Path }
	| { readonly type: "write"; readonly path: Path; readonly value: Value }
	| { readonly type: "add" | "remove"; readonly path: Path; readonly value: Value }
	| {
			readonly type: "insert";
			readonly path: Path;
			readonly position: number;
			readonly content: string | readonly Value[];
	  }
	| { readonly type: "delete"; readonly path: Path; readonly position: number; readonly count: number }
	| { readonly type: "remove-key"; readonly path: Path; readonly key: string }
	/** The last own change that is not undone, or the last undo; without effect if there is none. */
	| { readonly type: "undo" | "redo" };

/**
 * Performs a command.
 * @throws QuorateError as the parts' own methods; the document is then unchanged
 */
export function performCommand(document: CrdtDocument, command: CrdtCommand): void {
	if (!("path" in command)) {
		const history = document.undoHistory();
		if (command.type === "undo") history.undo();
		else history.redo();
		return;
	}
	const { path } = command;
	switch (command.type) {
		case "increment":
		case "decrement":
			count(document, command.path, command.type, command.amount);
			return;
		case "transfer":
			document.boundedCounter(...path).transfer(command.to, command.amount);
			return;
		case "enable":
			document.flag(...path).enable();
			return;
		case "disable":
			document.flag(...path).disable();
			return;
		case "write":
			if (document.typeAt(path) === "mv-register") document.mvRegister(...path).set(command.value);
			else document.lwwRegister(...path).set(command.value);
			return;
		case "add":
			document.set(...path).add(command.value);
			return;
		case "remove":
			document.set(...path).delete(command.value);
			return;
		case "insert":
			if (typeof command.content === "string") document.text(...path).insert(command.position, command.content);
			else document.list(...path).insert(command.position, ...command.content);
			return;
		case "delete":
			if (document.typeAt(path) === "list") document.list(...path).delete(command.position, command.count);
			else document.text(...path).delete(command.position, command.count);
			return;
		case "remove-key":
			document.map(...path).delete(command.key);
			return;
		default:
			assertNever(command, "command");
	}
}

function count(document: CrdtDocument, path: Path, type: "increment" | "decrement", amount: number): void {
	const counter =
		document.typeAt(path) === "bounded-counter" ? document.boundedCounter(...path) : document.counter(...path);
	if (type === "increment") counter.increment(amount);
	else counter.decrement(amount);
}
