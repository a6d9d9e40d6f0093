/**
 * `runtime/codec`: messages to bytes and back. Hot messages have compiled fixed layouts (the layout type is of
 * `protocols/core`); everything else travels as msgpack, by msgpackr with a frozen table of record shapes.
 *
 * It knows no protocol, no lane and no thread: the caller registers layouts and names the protocol of a message.
 * It does not fragment (`runtime/memory` does), compress, sign or check what a message means.
 */
export {
	type CodecSpec,
	type EncodedMessage,
	MESSAGE_BYTES_MAX,
	MessageCodec,
	type ProtocolLayouts,
	RECORD_SCHEMA,
	SCHEMA_MAX,
} from "./codec.ts";
export { type CompiledLayout, compileLayouts, type DecodeSource, decodeSourceOf } from "./compiled-layout.ts";
export {
	layoutInvalid,
	messageTooLarge,
	messageUndecodable,
	messageUnencodable,
	recordTableInvalid,
} from "./errors.ts";
export { RECORD_SHAPES_MAX, type RecordShapes, RecordTable, shapesOf } from "./record-table.ts";
