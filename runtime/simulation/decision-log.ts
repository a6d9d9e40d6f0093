/** The decisions of one run, as a file keeps them. */
import { decisionLogFormat, decisionLogInvalid } from "./errors.ts";

/** The version of the text; another one is refused. It changes when the order or the labels of draws change. */
export const DECISION_LOG_FORMAT = "quorate/decisions/v1";

/** Draws that one log holds: 400 MB of text. */
export const DECISIONS_MAX = 50_000_000;

/** The draws of a run by label, each label's in order. */
export interface DecisionLog {
	readonly seed: number;
	readonly streams: ReadonlyMap<string, Uint32Array>;
}

/** The log as text: one line of JSON for the head, then one for each label with its draws as base64, little-endian. */
export function formatDecisionLog({ seed, streams }: DecisionLog): string {
	const lines = [JSON.stringify({ format: DECISION_LOG_FORMAT, seed })];
	for (const [label, draws] of streams) {
		const bytes = Buffer.alloc(draws.length * 4);
		for (let i = 0; i < draws.length; i++) bytes.writeUInt32LE(draws[i] as number, i * 4);
		lines.push(JSON.stringify({ label, draws: bytes.toString("base64") }));
	}
	return `${lines.join("\n")}\n`;
}

/**
 * Reads what {@link formatDecisionLog} wrote.
 * @throws QuorateError `decision-log-format`, `decision-log-invalid`
 */
export function parseDecisionLog(text: string): DecisionLog {
	const [head = "", ...lines] = text.split("\n");
	const { format, seed } = parseLine(head, 1);
	if (format !== DECISION_LOG_FORMAT) {
		throw decisionLogFormat({ expected: DECISION_LOG_FORMAT, found: String(format ?? "none").slice(0, 80) });
	}
	if (!Number.isSafeInteger(seed)) throw decisionLogInvalid({ problem: "line 1: the seed is no safe integer" });
	const streams = new Map<string, Uint32Array>();
	for (const [index, line] of lines.entries()) {
		if (line === "") continue;
		const at = index + 2;
		const { label, draws } = parseLine(line, at);
		if (typeof label !== "string" || typeof draws !== "string") {
			throw decisionLogInvalid({ problem: `line ${at}: label and draws are texts` });
		}
		if (streams.has(label)) throw decisionLogInvalid({ problem: `line ${at}: label ${label} stands here twice` });
		streams.set(label, decodeDraws(draws, at));
	}
	return { seed: seed as number, streams };
}

function parseLine(line: string, at: number): Readonly<Record<string, unknown>> {
	let value: unknown;
	try {
		value = JSON.parse(line);
	} catch (cause) {
		throw decisionLogInvalid({ problem: `line ${at} is no JSON` }, { cause });
	}
	if (typeof value !== "object" || value === null) throw decisionLogInvalid({ problem: `line ${at} is no object` });
	return value as Readonly<Record<string, unknown>>;
}

function decodeDraws(base64: string, at: number): Uint32Array {
	const bytes = Buffer.from(base64, "base64");
	if (bytes.length % 4 !== 0 || bytes.toString("base64") !== base64) {
		throw decisionLogInvalid({ problem: `line ${at}: the draws are no base64 of 32-bit words` });
	}
	const draws = new Uint32Array(bytes.length / 4);
	for (let i = 0; i < draws.length; i++) draws[i] = bytes.readUInt32LE(i * 4);
	return draws;
}
