/**
 * Reads text for a command: from a file, plain or compressed by gzip, or from standard input, piece by piece. Why it can
 * not be read is one clear error.
 */
import { createReadStream } from "node:fs";
import { addAbortSignal, pipeline, Readable } from "node:stream";
import { createGunzip } from "node:zlib";
import { QuorateError } from "../../protocols/core/index.ts";
import { inputErrors } from "./errors.ts";

/** The name under which `-`, standard input, appears in messages. */
const STANDARD_INPUT = "standard input";

/** How messages name what `path` leads to. */
export function sourceName(path: string): string {
	return path === "-" ? STANDARD_INPUT : path;
}

/**
 * The text of `path`, in pieces; `-` is `standardInput`. What the caller throws while it reads goes through unchanged.
 * @throws QuorateError `input-not-found`, `input-unreadable`; an AbortError once `signal` is aborted
 */
export async function readText(
	path: string,
	standardInput: Readable,
	signal: AbortSignal,
	take: (piece: string) => void,
): Promise<void> {
	const source = addAbortSignal(signal, path === "-" ? standardInput : createReadStream(path));
	try {
		const decoder = new TextDecoder("utf-8", { fatal: true });
		for await (const chunk of decompressed(source)) take(decoder.decode(chunk, { stream: true }));
		take(decoder.decode());
	} catch (thrown) {
		if (thrown instanceof QuorateError || signal.aborted) throw thrown;
		throw unreadable(sourceName(path), thrown, path.endsWith(".gz"));
	}
}

/** The bytes of a stream; if they begin with gzip's magic number, what they decompress to. */
async function* decompressed(source: Readable): AsyncGenerator<Uint8Array> {
	const chunks = source[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
	let head: Uint8Array = new Uint8Array(0);
	while (head.length < 2) {
		const next = await chunks.next();
		if (next.done === true) break;
		head = Buffer.concat([head, next.value]);
	}
	const all = restored(head, chunks);
	if (head[0] !== 0x1f || head[1] !== 0x8b) {
		yield* all;
		return;
	}
	const gunzip = createGunzip();
	// An error on either side destroys both; the iteration below rejects with it, so the callback has nothing to add.
	pipeline(Readable.from(all), gunzip, () => undefined);
	yield* gunzip;
}

async function* restored(head: Uint8Array, rest: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
	if (head.length > 0) yield head;
	for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
}

function unreadable(file: string, thrown: unknown, isNamedGzip: boolean): QuorateError {
	const { code, message } = thrown as NodeJS.ErrnoException;
	if (code === "ENOENT") return inputErrors.inputNotFound({ file });
	const reasons: Readonly<Record<string, string>> = {
		...(isNamedGzip && {
			ERR_ENCODING_INVALID_ENCODED_DATA: "it is neither gzip data, as its name says, nor UTF-8 text",
		}),
		Z_DATA_ERROR: `its gzip data is damaged (${message})`,
		Z_BUF_ERROR: "its gzip data ends too early",
	};
	return inputErrors.inputUnreadable(
		{ file, reason: reasons[code ?? ""] ?? fileErrorReason(thrown) },
		{ cause: thrown },
	);
}

const fileReasons: Readonly<Record<string, string>> = {
	ENOENT: "there is no such file or directory",
	ENOTDIR: "what should be a directory on the way there is none",
	EISDIR: "it is a directory",
	EACCES: "permission denied",
	EROFS: "the file system is read-only",
	ENOSPC: "no space is left",
	ERR_ENCODING_INVALID_ENCODED_DATA: "it is not UTF-8 text",
};

/** Why a file or directory can not be read or written, as messages say it: without the call and the path. */
export function fileErrorReason(thrown: unknown): string {
	const { code, message } = thrown as NodeJS.ErrnoException;
	return fileReasons[code ?? ""] ?? message;
}
