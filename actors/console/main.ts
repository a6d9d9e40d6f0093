#!/usr/bin/env node
/**
 * The program `quorate`: finds the command, gives it the process's world, and turns its outcome into an exit code. The
 * only place that installs signal handlers: the first Ctrl-C or SIGTERM ends the command in order, the second at once.
 */
import { readFileSync, writeSync } from "node:fs";
import { QuorateError } from "../../protocols/core/index.ts";
import { machineNowMs, ThreadClock } from "../../runtime/index.ts";
import { nearestName } from "../../supervisors/chaos/index.ts";
import { ByzantineRunTarget } from "./byzantine-run-target.ts";
import { commands } from "./commands.ts";
import { isUsageError, usageErrors } from "./errors.ts";
import type { CommandWorld } from "./run-command.ts";
import { SwarmRunTarget } from "./swarm-run-target.ts";
import { streamOutput } from "./terminal.ts";
import { interruptExitCode } from "./verdict.ts";

/** Exit codes: 1 for what went wrong, 2 for how it was called. */
const EXIT_FAILED = 1;
const EXIT_USAGE = 2;

function version(): string {
	const file = new URL("../../../package.json", import.meta.url);
	return (JSON.parse(readFileSync(file, "utf8")) as { readonly version: string }).version;
}

function help(): string {
	const rows = [...commands].map(([name, { summary }]) => `  ${name.padEnd(20)}${summary}`);
	return `quorate: consensus inside TypeScript, with every participant an actor in a thread of its own.

Usage: quorate COMMAND [options]

${rows.join("\n")}

  --version      print the version
  --help         print this; quorate COMMAND --help tells about one command
`;
}

async function perform(args: readonly string[], world: CommandWorld): Promise<number> {
	const [name, ...rest] = args;
	if (name === undefined || name === "--help" || name === "-h" || name === "help") {
		world.output.write(help());
		return name === undefined ? EXIT_USAGE : 0;
	}
	if (name === "--version" || name === "-v") {
		world.output.write(`${world.version}\n`);
		return 0;
	}
	const command = commands.get(name);
	if (command === undefined) {
		const suggestion = nearestName(name, [...commands.keys()]);
		throw usageErrors.unknownCommand({ command: name, suggestion, parent: "quorate" });
	}
	return await command.perform(rest, world);
}

function report(thrown: unknown, world: CommandWorld): number {
	if (!(thrown instanceof QuorateError)) {
		// Not one of ours on purpose: a bug, so the place counts.
		world.errors.write(`quorate: internal: ${thrown instanceof Error ? thrown.stack : String(thrown)}\n`);
		return EXIT_FAILED;
	}
	const { code, message } = reasonOf(thrown);
	world.errors.write(`quorate: ${code}: ${message.replaceAll(/\s*\n\s*/g, " ")}\n`);
	return isUsageError(code) ? EXIT_USAGE : EXIT_FAILED;
}

/** Supervisors report that a child did not start; what its user can mend is why. */
function reasonOf(error: QuorateError): QuorateError {
	let reason = error;
	while (reason.code === "child-start-failed" && reason.cause instanceof QuorateError) reason = reason.cause;
	return reason;
}

const temporaries = new Set<string>();
const interrupt = new AbortController();
const onSignal = (signal: NodeJS.Signals): void => {
	if (interrupt.signal.aborted) endAtOnce();
	interrupt.abort(signal);
};
/** Nobody can tidy up any more: threads may still write there. */
function endAtOnce(): never {
	for (const directory of temporaries)
		writeSync(2, `quorate: temporary data are left in ${directory}: they can be removed\n`);
	process.exit(interruptExitCode(interrupt.signal));
}
process.on("SIGINT", onSignal);
process.on("SIGTERM", onSignal);
// The reader of a pipe has gone: nobody would see the rest.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
	if (error.code !== "EPIPE") throw error;
	interrupt.abort("SIGPIPE");
});

const clock = new ThreadClock(machineNowMs());
const world: CommandWorld = {
	version: version(),
	workingDirectory: process.cwd(),
	standardInput: process.stdin,
	environment: process.env,
	output: streamOutput(process.stdout, process.env),
	errors: streamOutput(process.stderr, process.env),
	clock,
	interrupt: interrupt.signal,
	temporaries,
	startTarget: (options) =>
		options.protocol === "pbft" ? ByzantineRunTarget.start(options) : SwarmRunTarget.start(options),
};
try {
	process.exitCode = await perform(process.argv.slice(2), world);
} catch (thrown) {
	process.exitCode = report(thrown, world);
} finally {
	clock.stop();
	process.off("SIGINT", onSignal);
	process.off("SIGTERM", onSignal);
}
