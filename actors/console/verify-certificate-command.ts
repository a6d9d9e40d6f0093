/** The command `quorate verify-certificate`: checks decisions and evidence that somebody else shows, off line. */
import {
	decodeProofs,
	fingerprintOf,
	PROOF_FILE_BYTES_MAX,
	type ProofVerdict,
	verifyProofs,
} from "../byzantine-coordinator/index.ts";
import { inputErrors, usageErrors } from "./errors.ts";
import { describeOptions, parseCall } from "./option-table.ts";
import type { CommandWorld } from "./run-command.ts";
import { helpOption, jsonOption } from "./shared-options.ts";
import { formatCount, formatTable } from "./table.ts";
import { painter } from "./terminal.ts";
import { readText, sourceName } from "./text-source.ts";

const COMMAND = "quorate verify-certificate";

const options = {
	json: jsonOption,
	help: helpOption,
};

export type VerifyCertificateWorld = Pick<CommandWorld, "standardInput" | "output" | "interrupt">;

/**
 * Performs `quorate verify-certificate FILE` and returns its exit code: 0 only if every proof holds, and there is one.
 * @throws QuorateError for a wrong call, for a file that can not be read, `proof-file-invalid`, and for keys that are none
 */
export async function verifyCertificateCommand(
	args: readonly string[],
	world: VerifyCertificateWorld,
): Promise<number> {
	const { values, operands } = parseCall(options, args, COMMAND);
	if (values.help) {
		world.output.write(help());
		return 0;
	}
	const [path, stray] = operands;
	if (path === undefined) {
		throw usageErrors.missingOperand({ command: COMMAND, expected: "the file of proofs, or - for standard input" });
	}
	if (stray !== undefined) throw usageErrors.unexpectedArgument({ argument: stray, command: COMMAND });
	const file = sourceName(path);
	const proofs = decodeProofs(file, await readAll(path, file, world));
	const verdicts = verifyProofs(file, proofs);
	const isGood = verdicts.length > 0 && verdicts.every(({ fault }) => fault === null);
	const members = proofs.members.map((member) => ({ id: String(member.id), key: fingerprintOf(member) }));
	if (values.json) {
		const result = { verdict: isGood ? "valid" : "invalid", cluster: proofs.cluster, members, proofs: verdicts };
		world.output.write(`${JSON.stringify(result)}\n`);
		return isGood ? 0 : 1;
	}
	world.output.write(`group ${proofs.cluster}, epoch ${proofs.epoch}, bears ${formatCount(proofs.faults, "fault")}\n`);
	const rows = [["member", "key"], ...members.map(({ id, key }) => [id, key])];
	world.output.write(`${formatTable(rows, ["left", "left"]).join("\n")}\n\n`);
	printVerdicts(verdicts, world);
	return isGood ? 0 : 1;
}

function printVerdicts(verdicts: readonly ProofVerdict[], { output }: VerifyCertificateWorld): void {
	const paint = painter(output.hasColours);
	for (const { claim, fault } of verdicts) {
		const mark = fault === null ? paint("green", "valid") : paint("red", "invalid");
		output.write(`${mark}: ${claim}${fault === null ? "" : ` (${fault})`}\n`);
	}
	const good = verdicts.filter(({ fault }) => fault === null).length;
	const line =
		verdicts.length === 0
			? "invalid: there is no proof in it"
			: `${good} of ${verdicts.length} proofs hold for these keys`;
	output.write(`${line}\n`);
}

async function readAll(
	path: string,
	file: string,
	{ standardInput, interrupt }: VerifyCertificateWorld,
): Promise<string> {
	let text = "";
	await readText(path, standardInput, interrupt, (piece) => {
		text += piece;
		if (text.length <= PROOF_FILE_BYTES_MAX) return;
		throw inputErrors.inputTooLarge({ file, what: "too long for a file of proofs", limit: PROOF_FILE_BYTES_MAX });
	});
	return text;
}

function help(): string {
	return `quorate verify-certificate: checks proofs that a Byzantine group has made, with nothing but what is in the file.

Usage: quorate verify-certificate FILE [options]

${describeOptions(options).join("\n")}

FILE (- is standard input) holds decisions with their certificates, or evidence against members, and the members' public
keys. A proof says something about whoever has these keys, and about nobody else: a file with keys that somebody has made
up holds too. So each member is printed with the fingerprint of its key, the first 16 hex digits of the SHA-256 of its
Ed25519 public key (32 bytes), to be compared with what you have from another place than the file: whoever runs the group
has the keys as \`trust.members\` of \`ByzantineGroup\` (\`signing\`); they stay the same for a group that is kept with --data.

A file whose head (group, epoch, f, members) is not that of its proofs is refused. The exit code is 0 only if every proof
holds; 1 if one does not; 2 for a wrong call.
`;
}
