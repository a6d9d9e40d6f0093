/** A directory of one's own among the system's temporary files, for data that go with the process. */
import { mkdtemp } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { failureOf } from "./disk-failure.ts";

/**
 * Makes it; whoever asks removes it.
 * @throws QuorateError `disk-full`, `disk-failed` when nothing can be made there
 */
export async function makeTemporaryDirectory(parent: string = tmpdir()): Promise<string> {
	try {
		return await mkdtemp(join(parent, "quorate-"));
	} catch (cause) {
		throw failureOf(parent, "make a temporary directory", cause, () => Number.POSITIVE_INFINITY);
	}
}
