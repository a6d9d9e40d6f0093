/**
 * Goal: `quorate audit verify` from its call to its exit code: intact logs, the first bad record of others, and calls that are wrong
 * (SEC-30). Method: a log of real signatures in a file, changed by the test.
 */
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { gzipSync } from "node:zlib";
import { afterAll, expect, test } from "vitest";
import { auditCommand } from "../../../actors/console/audit-command.ts";
import { parseAuditOptions } from "../../../actors/console/audit-options.ts";
import { nodeId, type QuorateError } from "../../../protocols/core/index.ts";
import { AuditLog, formatAuditRecord } from "../../../protocols/security/index.ts";
import { generateIdentity, KeyRing, NodeCryptoPort } from "../../../runtime/crypto/index.ts";

const directory = mkdtempSync(join(tmpdir(), "quorate-audit-"));
afterAll(() => rmSync(directory, { recursive: true }));
const author = nodeId("node-1");
const identity = generateIdentity(author);
const log = new AuditLog({ author, crypto: new NodeCryptoPort(new KeyRing("test", identity)), signEvery: 3 });
const records = Array.from({ length: 10 }, (_, at) =>
	log.append({ type: "alert", about: [`x-${at}`], note: "ünicode" }, at),
);
const lines = records.map(formatAuditRecord);
const key = Buffer.from(identity.public.signing).toString("hex");
const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
let files = 0;

async function verified(
	content: string | Uint8Array,
	...options: string[]
): Promise<[exitCode: number, output: string]> {
	const file = join(directory, `${files++}.jsonl`);
	writeFileSync(file, content);
	let output = "";
	const sink = { isTerminal: false, columns: 100, hasColours: false };
	const exitCode = await auditCommand(["verify", file, "--key", key, ...options], {
		version: "1.2.3",
		standardInput: Readable.from([]),
		output: {
			...sink,
			write: (text) => {
				output += text;
			},
		},
		interrupt: new AbortController().signal,
	});
	return [exitCode, output.replace(file, "FILE").trimEnd()];
}

test("an intact log, plain or compressed, with or without a last line end", async () => {
	const said = "FILE: intact, 10 records, signed through record 9";
	expect(await verified(`${lines.join("\n")}\n`)).toEqual([0, said]);
	expect(await verified(lines.join("\n"))).toEqual([0, said]);
	expect(await verified(gzipSync(lines.join("\n")))).toEqual([0, said]);
	expect(await verified("")).toEqual([0, "FILE: intact, 0 records, signed through record 0"]);
});

test("the first bad record is named, with the reason", async () => {
	const changed = lines.with(4, lines[4]!.replace("x-4", "x-5"));
	expect(await verified(changed.join("\n"))).toEqual([
		1,
		"FILE: record 5 is bad (digest): its content is not what its digest says; signed through record 3",
	]);
	expect(await verified(lines.toSpliced(6, 1).join("\n"))).toEqual([
		1,
		"FILE: record 7 is bad (sequence): its number is not the next one: a record is missing, repeated or moved; signed through record 6",
	]);
	for (const line of ["", "{", "null", '{"sequence":1}', "x".repeat(300_000)])
		expect((await verified(lines.with(1, line).join("\n")))[1]).toContain("record 2 is bad (malformed)");
	const other = hex(generateIdentity(nodeId("node-2")).public.signing);
	expect((await verified(lines.join("\n"), "--key", other))[1]).toContain("record 3 is bad (signature)");
});

test("a log that does not hold a known head", async () => {
	const head = `9:${hex(records[8]!.digest)}`;
	expect((await verified(lines.join("\n"), "--head", head))[0]).toBe(0);
	expect((await verified(lines.slice(0, 5).join("\n"), "--head", head))[1]).toContain("record 6 is bad (head)");
	expect((await verified(lines.join("\n"), "--head", `9:${"00".repeat(32)}`))[1]).toContain("record 9 is bad (head)");
});

test("as JSON", async () => {
	expect(await verified(lines.join("\n"), "--json")).toEqual([0, '{"isIntact":true,"records":10,"signedThrough":9}']);
});

test("wrong calls", async () => {
	const sink = { isTerminal: false, columns: 100, hasColours: false, write: () => undefined };
	const code = async (...args: string[]): Promise<string | number> => {
		try {
			return await auditCommand(args, {
				version: "1.2.3",
				standardInput: Readable.from([]),
				output: sink,
				interrupt: new AbortController().signal,
			});
		} catch (error) {
			return (error as QuorateError).code;
		}
	};
	expect(await code("--help")).toBe(0);
	expect(await code()).toBe("missing-operand");
	expect(await code("rewrite", "x")).toBe("unknown-command");
	expect(await code("verify")).toBe("missing-operand");
	expect(await code("verify", "x")).toBe("missing-value");
	expect(await code("verify", "x", "--key", "12")).toBe("invalid-value");
	expect(await code("verify", "x", "--key", "00".repeat(32))).toBe("crypto-key-invalid");
	expect(await code("verify", "x", "--key", key, "--head", "0:12")).toBe("invalid-value");
	expect(() => parseAuditOptions(["verify", "x", "--key", key, "--head", "3"])).toThrow(
		/^--head: expected a record's number and its digest/,
	);
	expect(await code("verify", join(directory, "none"), "--key", key)).toBe("input-not-found");
});
