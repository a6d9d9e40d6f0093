/**
 * Goal: what an LMDB store has reported flushed is there after its process was killed at any moment, and what is there is a
 * prefix of what was written; and of many processes that want one data directory, one gets it.
 * Method: child processes killed with SIGKILL at drawn moments, over and over on the same directory; each new one checks
 * every byte that it finds. A kill keeps the page cache, so this proves that commits are atomic, not that they are
 * flushed: that is the work of `storage-actor.test.ts` (nothing leaves before the flush) and `lmdb-sync.test.ts`.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { Generator } from "quorate/protocols/core";
import { afterEach, beforeEach, expect, it } from "vitest";

const writer = new URL("../../dist/test/fixtures/storage-writer.js", import.meta.url).pathname;
let directory = "";
const children: ChildProcess[] = [];

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), "quorate-crash-"));
});
afterEach(async () => {
	for (const child of children.splice(0)) await killed(child);
	rmSync(directory, { recursive: true, force: true });
});

/** A writer, its lines so far, and the moment of its first one. */
function start(mode: string): {
	readonly child: ChildProcess;
	readonly lines: string[];
	readonly opened: Promise<string>;
} {
	const child = spawn(process.execPath, [writer, directory, mode], { stdio: ["ignore", "pipe", "inherit"] });
	children.push(child);
	const lines: string[] = [];
	const opened = new Promise<string>((resolve, reject) => {
		if (child.stdout === null) throw new Error("its output is piped");
		createInterface({ input: child.stdout }).on("line", (line) => {
			lines.push(line);
			resolve(line);
		});
		child.on("close", (code) => reject(new Error(`the writer ended by itself with ${code}`)));
	});
	return { child, lines, opened };
}

async function killed(child: ChildProcess): Promise<void> {
	if (child.exitCode !== null || child.signalCode !== null) return;
	const closed = new Promise((resolve) => child.on("close", resolve));
	child.kill("SIGKILL");
	await closed;
}

it("keeps everything that was flushed, over a dozen kills", async () => {
	const generator = new Generator(20_15, "kills");
	let flushed = 0;
	for (let life = 1; life <= 12; life++) {
		const { child, lines, opened } = start("write");
		const [word, a, b] = (await opened).split(" ");
		expect(word).toBe("opened");
		expect(Number(a)).toBeGreaterThanOrEqual(flushed);
		expect(Number(b)).toBeGreaterThanOrEqual(flushed);
		await new Promise((resolve) => setTimeout(resolve, generator.between(0, 120)));
		await killed(child);
		expect(child.signalCode).toBe("SIGKILL");
		for (const line of lines) if (line.startsWith("flushed ")) flushed = Number(line.slice("flushed ".length));
	}
	expect(flushed).toBeGreaterThan(100);
});

it("lets one of several processes in, and the next one when it was killed", async () => {
	for (let round = 1; round <= 3; round++) {
		const contenders = Array.from({ length: 4 }, () => start("lock"));
		const words = await Promise.all(contenders.map(({ opened }) => opened));
		expect(words.sort()).toEqual(["opened", ...Array<string>(3).fill("refused data-directory-in-use")]);
		for (const { child } of contenders) await killed(child);
	}
});
