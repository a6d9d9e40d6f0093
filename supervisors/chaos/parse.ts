/**
 * Experiment files: text into {@link Experiment} and back. YAML 1.2 or JSON, read strictly by the table in
 * `experiment-format.ts`.
 */
import { Document, isMap, isSeq, type Node, visit } from "yaml";
import type { Experiment, TimedFault } from "./experiment.ts";
import { experimentShape } from "./experiment-format.ts";
import { type Located, locateText, locateValue } from "./located.ts";
import { readRecord } from "./read-shape.ts";
import { writeShape } from "./write-shape.ts";

/**
 * Reads an experiment; what is left out has its default, and the method is in order of time.
 * @param file named in errors
 * @throws QuorateError `experiment-malformed`, `experiment-unknown-key`, `experiment-invalid`, each with line and column
 */
export function parseExperiment(text: string, file: string | null = null): Experiment {
	return readExperiment(locateText(text, file), file);
}

/**
 * Checks an experiment that was made by code as strictly as one from a file, and fills in what its faults leave out.
 * @throws QuorateError `experiment-unknown-key`, `experiment-invalid`, without line and column
 */
export function checkExperiment(experiment: Experiment): Experiment {
	return readExperiment(locateValue(writeShape(experiment, experimentShape)), null);
}

/** YAML that {@link parseExperiment} reads as the same experiment. It says everything, so later defaults change nothing. */
export function formatExperiment(experiment: Experiment): string {
	const document = new Document(writeShape(checkExperiment(experiment), experimentShape));
	// One line for each fault and probe.
	visit(document, {
		Map: (_, node, path) => {
			const holder = path.at(-1);
			if (isSeq(holder) || (isMap(node) && node.items.length === 0)) node.flow = true;
		},
		Seq: (_, node) => {
			if (node.items.every((item) => !isMap(item as Node))) node.flow = true;
		},
	});
	return document.toString({ lineWidth: 0, flowCollectionPadding: false });
}

function readExperiment(source: Located, file: string | null): Experiment {
	const experiment = readRecord(source, experimentShape, file) as unknown as Experiment;
	return { ...experiment, method: inOrder(experiment.method) };
}

function inOrder(method: readonly TimedFault[]): readonly TimedFault[] {
	return method
		.map((timed, index) => ({ timed, index }))
		.sort((a, b) => a.timed.atMs - b.timed.atMs || a.index - b.index)
		.map(({ timed }) => timed);
}
