/** The command `quorate audit verify`: reads a log line by line, and says whether it is as it was written. */
import { createHash, createPublicKey, type KeyObject, verify } from "node:crypto";
import type { CryptoPort } from "../../protocols/core/index.ts";
import {
	AUDIT_LINE_LENGTH_MAX,
	type AuditFault,
	type AuditVerdict,
	AuditVerifier,
	parseAuditRecord,
} from "../../protocols/security/index.ts";
import { requirePrimeOrderKey } from "../../runtime/crypto/index.ts";
import { type AuditOptions, auditHelp, parseAuditOptions } from "./audit-options.ts";
import type { CommandWorld } from "./run-command.ts";
import { formatNumber } from "./table.ts";
import { readText, sourceName } from "./text-source.ts";
import { interruptExitCode } from "./verdict.ts";

/** The world of this command. */
export type AuditWorld = Pick<CommandWorld, "version" | "standardInput" | "output" | "interrupt">;

const SIGNATURE_BYTES = 64;

const explanations: Readonly<Record<AuditFault, string>> = {
	malformed: "it can not be read as a record",
	sequence: "its number is not the next one: a record is missing, repeated or moved",
	author: "it is by another author than those before",
	link: "it does not follow the record before it",
	digest: "its content is not what its digest says",
	signature: "its signature is not the author's",
	head: "the log does not hold the head that is known from elsewhere",
};

/**
 * Performs `quorate audit` and returns its exit code.
 * @throws QuorateError for a wrong call, a key that is none, and a file that can not be read
 */
export async function auditCommand(args: readonly string[], world: AuditWorld): Promise<number> {
	const options = parseAuditOptions(args);
	if (options === null) {
		world.output.write(auditHelp());
		return 0;
	}
	try {
		const verdict = await verdictOn(options, world);
		world.output.write(options.json ? `${JSON.stringify(verdict)}\n` : `${sentence(verdict, options.file)}\n`);
		return verdict.isIntact ? 0 : 1;
	} catch (error) {
		if (world.interrupt.aborted) return interruptExitCode(world.interrupt);
		throw error;
	}
}

async function verdictOn({ file, key, head }: AuditOptions, world: AuditWorld): Promise<AuditVerdict> {
	const verifier = new AuditVerifier(verifierOf(key), head);
	let rest = "";
	await readText(file, world.standardInput, world.interrupt, (piece) => {
		const lines = (rest + piece).split("\n");
		// What is longer than any record is none: its rest need not be kept.
		rest = (lines.pop() ?? "").slice(0, AUDIT_LINE_LENGTH_MAX + 1);
		for (const line of lines) verifier.feed(parseAuditRecord(line));
	});
	if (rest.length > 0) verifier.feed(parseAuditRecord(rest));
	return verifier.end();
}

/** Digests and signatures as the crypto port on threads has them, for one author's key. */
function verifierOf(key: Uint8Array): Pick<CryptoPort, "digest" | "verify"> {
	requirePrimeOrderKey("the author", key);
	const x = Buffer.from(key).toString("base64url");
	const publicKey: KeyObject = createPublicKey({ key: { kty: "OKP", crv: "Ed25519", x }, format: "jwk" });
	return {
		digest: (bytes) => createHash("sha256").update(bytes).digest(),
		verify: (_author, bytes, signature) =>
			signature.length === SIGNATURE_BYTES && verify(null, bytes, publicKey, signature),
	};
}

function sentence(verdict: AuditVerdict, file: string): string {
	const signed = `signed through record ${formatNumber(verdict.signedThrough)}`;
	if (verdict.isIntact) return `${sourceName(file)}: intact, ${formatNumber(verdict.records)} records, ${signed}`;
	const { firstBad, fault } = verdict;
	return `${sourceName(file)}: record ${formatNumber(firstBad)} is bad (${fault}): ${explanations[fault]}; ${signed}`;
}
