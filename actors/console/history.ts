/**
 * Writes the history of a run's client operations as JSON lines, in real-time order, so that any linearizability
 * checker can judge them. One line when an operation is invoked, one when it ends:
 *
 * ```
 * {"t":"invoke","id":7,"client":3,"op":"append","key":"13","value":104211,"ns":1843000}
 * {"t":"ok","id":7,"ns":4120000}
 * {"t":"invoke","id":8,"client":3,"op":"get","key":"13","ns":4130000}
 * {"t":"ok","id":8,"value":[104209,104210,104211],"ns":6000000}
 * {"t":"fail","id":9,"ns":9000000}
 * {"t":"info","id":10,"ns":9000000}
 * ```
 *
 * `key` is an hour of day, `value` a record's index in the input, and a get's value the list of all values appended to
 * its key. `fail` says that the operation certainly had no effect, `info` that nobody knows: it may take effect at any
 * later time, and its client's number is never used again. `ns` counts from the start
 * of the run. File order is real-time order, since one writer writes all of it.
 */
import { once } from "node:events";
import { createWriteStream, type WriteStream } from "node:fs";
import { finished } from "node:stream";
import type { QuorateError } from "../../protocols/core/index.ts";
import { runErrors } from "./errors.ts";
import { fileErrorReason } from "./text-source.ts";

/** While more than this waits for the disk, the workload begins no operation. */
const BUFFER_BYTES_MAX = 64 * 1024 * 1024;

export class HistoryWriter {
	readonly #file: string;
	readonly #stream: WriteStream;
	readonly #nowNs: () => number;
	#failure: QuorateError | null = null;
	#operations = 0;
	#clients = 0;

	private constructor(file: string, stream: WriteStream, nowNs: () => number) {
		this.#file = file;
		this.#stream = stream;
		this.#nowNs = nowNs;
		stream.on("error", (error) => {
			this.#failure = runErrors.historyUnwritable({ file: this.#file, reason: error.message }, { cause: error });
		});
	}

	/**
	 * Creates or empties the file.
	 * @param nowNs nanoseconds since the start of the run, as an integer
	 * @throws QuorateError `history-unwritable`
	 */
	static async open(file: string, nowNs: () => number): Promise<HistoryWriter> {
		const stream = createWriteStream(file);
		try {
			await once(stream, "open");
		} catch (error) {
			throw runErrors.historyUnwritable({ file, reason: fileErrorReason(error) }, { cause: error });
		}
		return new HistoryWriter(file, stream, nowNs);
	}

	/** Too much waits for the disk. */
	get full(): boolean {
		return this.#stream.writableLength > BUFFER_BYTES_MAX;
	}

	/** Why writing has failed; null while it has not. */
	get failure(): QuorateError | null {
		return this.#failure;
	}

	/** A number for a client that has one operation at a time. */
	newClient(): number {
		return this.#clients++;
	}

	/** Returns the operation's number. */
	invokeAppend(client: number, hour: number, index: number): number {
		const id = this.#operations++;
		this.#write(`{"t":"invoke","id":${id},"client":${client},"op":"append","key":"${hour}","value":${index}`);
		return id;
	}

	invokeGet(client: number, hour: number): number {
		const id = this.#operations++;
		this.#write(`{"t":"invoke","id":${id},"client":${client},"op":"get","key":"${hour}"`);
		return id;
	}

	/** @param list what a get has answered; null for an append */
	ok(id: number, list: readonly number[] | null): void {
		this.#write(`{"t":"ok","id":${id}${list === null ? "" : `,"value":[${list.join(",")}]`}`);
	}

	/** The operation certainly has no effect. */
	fail(id: number): void {
		this.#write(`{"t":"fail","id":${id}`);
	}

	/** The operation's outcome is unknown: it may take effect at any later time. */
	info(id: number): void {
		this.#write(`{"t":"info","id":${id}`);
	}

	/** @throws QuorateError `history-unwritable` if any of it is not in the file */
	async close(): Promise<void> {
		if (this.#failure === null) {
			// `finished` also resolves when closing fails; the listener of the constructor has the error then.
			await new Promise((ended) => finished(this.#stream.end(), ended));
		}
		if (this.#failure !== null) throw this.#failure;
	}

	#write(opened: string): void {
		if (this.#failure === null) this.#stream.write(`${opened},"ns":${this.#nowNs()}}\n`);
	}
}
