/** The world around a command, kept in memory: what it writes, and the way to interrupt it. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Readable } from "node:stream";
import { onTestFinished } from "vitest";
import type { CommandWorld } from "../../../actors/console/run-command.ts";
import type { Output } from "../../../actors/console/terminal.ts";
import { ManualClock } from "./manual-clock.ts";

export class TestWorld implements CommandWorld {
	readonly version = "1.2.3";
	readonly workingDirectory: string = newWorkingDirectory();
	readonly standardInput: Readable = Readable.from([]);
	readonly environment: Record<string, string | undefined> = {};
	readonly clock: ManualClock = new ManualClock();
	readonly interruption: AbortController = new AbortController();
	readonly interrupt: AbortSignal = this.interruption.signal;
	readonly startTarget = (): never => {
		throw new Error("this command starts no swarm of its own");
	};
	readonly temporaries: Set<string> = new Set();
	written = "";
	readonly output: Output = this.#sink((text) => {
		this.written += text;
	});
	readonly errors: Output = this.#sink(() => undefined);

	#sink(write: (text: string) => void): Output {
		return { write, isTerminal: false, columns: 120, hasColours: false };
	}
}

function newWorkingDirectory(): string {
	const directory = mkdtempSync(join(tmpdir(), "quorate-command-"));
	onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
	return directory;
}
