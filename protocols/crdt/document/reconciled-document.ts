/**
 * A document behind the three functions by which anti-entropy of any kind reconciles a value: what is held, what another lacks, and
 * take what I lack. The digest is the causal context, so equal digests mean equal values.
 */
import { CausalContext } from "../causality/causal-context.ts";
import { ByteReader } from "../encoding/byte-reader.ts";
import { ByteWriter } from "../encoding/byte-writer.ts";
import { CrdtDocument } from "./document.ts";

/** What a difference is made of: exactly what was missing, or the whole state where that has left the log. */
const UPDATE = 0;
const STATE = 1;

/** @example new AntiEntropyMachine(config, ports, new Map([["cart", new ReconciledDocument(document)]])); */
export class ReconciledDocument {
	readonly document: CrdtDocument;

	constructor(document: CrdtDocument) {
		this.document = document;
	}

	/** The document's causal context in its one spelling. */
	digest(): Uint8Array {
		const writer = new ByteWriter();
		this.document.context.encode(writer);
		return writer.take();
	}

	/** What whoever has this digest lacks; null if nothing. @throws QuorateError `crdt-update-damaged` for bytes that are no digest */
	difference(digest: Uint8Array): Uint8Array | null {
		const reader = new ByteReader(digest);
		const context = CausalContext.decode(reader);
		reader.end();
		const difference = this.document.differenceTo(context);
		if (difference.type === "nothing") return null;
		if (difference.type === "update") return tagged(UPDATE, difference.bytes);
		return tagged(STATE, this.document.encode());
	}

	/**
	 * Takes a difference; whether anything of it was new.
	 * @throws QuorateError as {@link CrdtDocument.apply} and {@link CrdtDocument.merge}; the document is then as before
	 */
	merge(difference: Uint8Array): boolean {
		const reader = new ByteReader(difference);
		const tag = reader.byte();
		const bytes = reader.take(reader.remaining);
		if (tag === UPDATE) return this.document.apply(bytes) === "applied";
		if (tag === STATE) return this.document.merge(bytes);
		throw reader.damaged(`a difference of kind ${tag}`);
	}

	copy(): ReconciledDocument {
		const { schema, replica } = this.document;
		return new ReconciledDocument(CrdtDocument.load(this.document.encode(), { schema, replica }));
	}
}

function tagged(tag: number, bytes: Uint8Array): Uint8Array {
	const writer = new ByteWriter();
	writer.byte(tag);
	writer.bytes(bytes);
	return writer.take();
}
