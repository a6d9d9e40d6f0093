/**
 * A lock service of your own, and a judge of it: four clients take and release the lock while leaders are killed under them,
 * everything that they ask and hear is recorded, and a checker judges the history. A careless variant is refuted.
 *
 * Run it: `npm run build && node dist/examples/lock-service.js`
 */
import { fileURLToPath } from "node:url";
import { Swarm } from "quorate";
import type { Application } from "quorate/protocols/core";
import {
	checkLinearizability,
	describeOperation,
	HistoryRecorder,
	type Invocation,
	lockModel,
} from "quorate/verification";

export type LockCommand = { readonly acquireFor: number } | { readonly release: number };
/** `value` is the fencing token: whoever guards the locked thing refuses all tokens below the highest it has seen. */
export type LockAnswer = { readonly ok: boolean; readonly value?: number };

export class LockService implements Application<LockCommand, LockAnswer, "holder", number | null> {
	/** The holder's token. */
	#holder: number | null = null;
	#lastTokens: Record<string, number> = {};

	/** Which counter the tokens of a client come from: one for all, so that no two tenures have the same token. */
	protected counterFor(_client: number): string {
		return "all";
	}

	apply(command: LockCommand): LockAnswer {
		if ("release" in command) {
			if (command.release !== this.#holder) return { ok: false };
			this.#holder = null;
			return { ok: true };
		}
		if (this.#holder !== null) return { ok: false };
		const counter = this.counterFor(command.acquireFor);
		this.#holder = (this.#lastTokens[counter] ?? 0) + 1;
		this.#lastTokens[counter] = this.#holder;
		return { ok: true, value: this.#holder };
	}

	query(): number | null {
		return this.#holder;
	}

	takeSnapshot(): unknown {
		return [this.#holder, { ...this.#lastTokens }];
	}

	restoreSnapshot(snapshot: unknown): void {
		[this.#holder, this.#lastTokens] = snapshot as [number | null, Record<string, number>];
	}
}

/** Counts for each client apart, and so hands the tokens of one client out to the next again. */
export class CarelessLockService extends LockService {
	protected override counterFor(client: number): string {
		return `client ${client}`;
	}
}

type Propose = (command: LockCommand) => Promise<LockAnswer>;

/** Four clients contend for the lock. What they ask and hear, in the order in which it happens, is judged. */
async function judge(propose: Propose): Promise<string> {
	const recorder = new HistoryRecorder();
	let calls = 0;
	const clients = [0, 1, 2, 3].map(async (client) => {
		const call = async (asked: Pick<Invocation, "op" | "value">, command: LockCommand): Promise<LockAnswer> => {
			const id = calls++;
			recorder.invoke({ id, client, ...asked });
			const answer = await propose(command);
			recorder.ok(id, answer);
			return answer;
		};
		for (let attempt = 1; attempt <= 50; attempt++) {
			const { ok, value = 0 } = await call({ op: "acquire" }, { acquireFor: client });
			if (ok) await call({ op: "release", value }, { release: value });
		}
	});
	// A call that rejects stays open in the history: it may have had its effect, or not. Its client ends there.
	await Promise.allSettled(clients);
	const { verdict, partitions } = checkLinearizability(recorder.history, lockModel);
	const found = partitions[0]?.verdict;
	if (found?.type !== "illegal" || found.offending === null) return `${verdict}, ${calls} calls`;
	return `${verdict}, ${describeOperation(found.offending.operation)}`;
}

async function main(): Promise<void> {
	const application = { module: import.meta.url, export: "LockService" };
	const swarm = await Swarm.start({ raft: { nodes: 3, application } });
	let proposed = 0;
	const propose: Propose = async (command) => {
		if (++proposed % 80 === 0 && swarm.leader !== null) {
			console.log(`${swarm.leader.leader} is killed`);
			await swarm.kill(swarm.leader.leader);
		}
		return swarm.propose(command);
	};
	try {
		console.log(`lock service: ${await judge(propose)}`);
	} finally {
		await swarm.stop();
	}

	// The checker needs a history and nothing else: here of one machine, without a swarm.
	const careless = new CarelessLockService();
	console.log(`careless lock service: ${await judge(async (command) => careless.apply(command))}`);
}

// Threads import this module too, for the classes alone. (No top-level await: the module must be loaded completely before
// it can be imported again.)
if (process.argv[1] === fileURLToPath(import.meta.url)) void main();
