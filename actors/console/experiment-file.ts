/** An experiment from a file that a user names. */
import { readFile } from "node:fs/promises";
import { resolve } from "node:path";
import { type Experiment, parseExperiment } from "../../supervisors/index.ts";
import { experimentErrors } from "./errors.ts";
import { fileErrorReason } from "./text-source.ts";

/**
 * @param file as the user wrote it; errors name it so
 * @throws QuorateError `experiment-unreadable`, and what `parseExperiment` throws, with line and key
 */
export async function readExperiment(file: string, workingDirectory: string): Promise<Experiment> {
	let text: string;
	try {
		text = new TextDecoder("utf-8", { fatal: true }).decode(await readFile(resolve(workingDirectory, file)));
	} catch (cause) {
		throw experimentErrors.unreadable({ file, reason: fileErrorReason(cause) }, { cause });
	}
	return parseExperiment(text, file);
}
