/** The commands of the program `quorate`, by name: what each is for, and who performs it. */
import { auditCommand } from "./audit-command.ts";
import { chaosCommand } from "./chaos-command.ts";
import { checkCommand } from "./check-command.ts";
import { checkHistoryCommand } from "./check-history-command.ts";
import { pentestCommand } from "./pentest-command.ts";
import { type CommandWorld, runCommand } from "./run-command.ts";
import { simulateCommand } from "./simulate-command.ts";
import { verifyCertificateCommand } from "./verify-certificate-command.ts";

interface Command {
	readonly summary: string;
	readonly perform: (args: readonly string[], world: CommandWorld) => Promise<number>;
}

export const commands: ReadonlyMap<string, Command> = new Map([
	["run", { summary: "apply records through a swarm while its leaders are killed", perform: runCommand }],
	["simulate", { summary: "run a group on virtual time under random faults, seed by seed", perform: simulateCommand }],
	["chaos", { summary: "break a group on purpose, as an experiment file says", perform: chaosCommand }],
	["check", { summary: "explore every interleaving of a protocol's code within bounds", perform: checkCommand }],
	[
		"verify-certificate",
		{ summary: "check decisions and evidence of a Byzantine group, off line", perform: verifyCertificateCommand },
	],
	[
		"check-history",
		{ summary: "judge what clients saw: linearizability, sets, sessions, transactions", perform: checkHistoryCommand },
	],
	[
		"pentest",
		{ summary: "attack groups on purpose, and report what was found out and what held", perform: pentestCommand },
	],
	["audit", { summary: "verify an audit log, and name its first bad record", perform: auditCommand }],
]);
