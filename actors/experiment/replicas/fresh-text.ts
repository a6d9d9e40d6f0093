/** What a text takes that nobody has ever changed: the measure for what a collection leaves. */
import { CrdtDocument, replicaId } from "../../../protocols/crdt/index.ts";
import { TEXT_PART } from "./typing-replica.ts";

/** Bytes of the shared part of a document into which the text was written in one go. */
export function freshTextBytes(text: string): number {
	const document = new CrdtDocument({ replica: replicaId("fresh", 0), schema: { [TEXT_PART]: "text" } });
	document.text(TEXT_PART).insert(0, text);
	document.collectAt(document.context);
	return document.encodeShared().length;
}
