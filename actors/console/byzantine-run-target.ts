/** A {@link RunTarget} that is a Byzantine group: the flight ledger, agreed by members of which some may attack. */
import { writeFile } from "node:fs/promises";
import { filter, map, type Observable, type Subscription } from "rxjs";
import {
	attackNames,
	type ByzantineEvent,
	ByzantineGroup,
	type ByzantineGroupOptions,
	type Conviction,
} from "../byzantine-coordinator/index.ts";
import type { Leadership } from "../swarm/index.ts";
import { runErrors } from "./errors.ts";
import type { LedgerQuery, LedgerSummary } from "./flight-ledger.ts";
import type { TargetOptions } from "./run-command.ts";
import type { Findings, LedgerClient, RunTarget, TargetEvent, TargetNode } from "./run-target.ts";
import { formatMs } from "./table.ts";

/** As that of a swarm's clients. */
const OPERATION_TIMEOUT_MS = 60_000;
const WARM_SPARES = 1;
/**
 * How long a backup waits for the primary before it asks for another, on a machine whose cores are shared by all members: a thread
 * that has to wait for a core must not count as a primary that lies.
 */
const VIEW_TIMEOUT_MS = 1_500;
/** One more than twice what a client may have outstanding here. */
const CLIENT_WINDOW = 256;

export class ByzantineRunTarget implements RunTarget {
	readonly #group: ByzantineGroup;
	readonly #attackers: ReadonlyMap<string, string>;
	readonly #evidence: string | null;
	/** Votes can be shown to others: only then can anybody be convicted. */
	readonly #isProvable: boolean;
	/** Keeps the figures of `nodes` fresh: a group reads them while somebody listens. */
	readonly #readings: Subscription;
	#viewChanges = 0;
	readonly #changes: Subscription;

	private constructor(group: ByzantineGroup, attackers: ReadonlyMap<string, string>, options: TargetOptions) {
		this.#group = group;
		this.#attackers = attackers;
		this.#evidence = options.evidence;
		this.#isProvable = options.modes.votes !== "authenticated";
		this.#readings = group.metrics$.subscribe();
		this.#changes = group.events$.subscribe(({ type }) => {
			if (type === "primary-changed") this.#viewChanges += 1;
		});
	}

	/** @throws QuorateError as `ByzantineGroup.start` */
	static async start(options: TargetOptions): Promise<ByzantineRunTarget> {
		const { nodes, byzantine, attacks, modes, clients, storage, seed } = options;
		const attackers = new Map(
			Array.from({ length: byzantine }, (_, i) => [`node-${i + 1}`, attacks.join("+")] as const),
		);
		const group = await ByzantineGroup.start({
			nodes,
			application: { module: new URL("./flight-ledger.js", import.meta.url), export: "FlightLedger" },
			storage: keptStorage(storage),
			config: { ...modes, viewTimeoutMs: VIEW_TIMEOUT_MS, clientWindow: CLIENT_WINDOW },
			clientsMax: clients,
			seed,
			warmSpares: WARM_SPARES,
			attackers: Object.fromEntries(attackers),
		});
		return new ByzantineRunTarget(group, attackers, options);
	}

	get notes(): readonly string[] {
		const { nodes, faults } = this.#group;
		return faults === 0 ? [`${nodes.length} members bear none that lies: 4 are the least that do`] : [];
	}

	/** Those that do not attack: what the others hold is worth nothing. */
	get nodes(): readonly TargetNode[] {
		const { primary, view } = this.#group.primary;
		return this.#group.figures
			.filter(({ node }) => !this.#attackers.has(node))
			.map(({ node, isDown, executed, lives }) => ({
				id: node,
				state: isDown ? "down" : "running",
				role: node === primary ? "primary" : "backup",
				term: view,
				commit: executed,
				restarts: Math.max(0, lives - 1),
			}));
	}

	get leader(): Leadership | null {
		const { primary, view } = this.#group.primary;
		return { leader: primary, term: view };
	}

	get events$(): Observable<TargetEvent> {
		return this.#group.events$.pipe(
			map((event) => this.#targetEventOf(event)),
			filter((event) => event !== null),
		);
	}

	async openClient(window: number): Promise<LedgerClient> {
		const client = this.#group.client({ window, timeoutMs: OPERATION_TIMEOUT_MS });
		let isFirst = true;
		return {
			propose: (command) => client.propose<number>(command),
			// Of what an earlier process proposed nothing may be applied any more once the ledger has been read.
			read: (query) => {
				const read = isFirst ? client.readOrdered(query) : client.read(query);
				isFirst = false;
				return read;
			},
		};
	}

	kill(node: string): Promise<void> {
		return this.#group.kill(node);
	}

	inspectReplica(node: string): Promise<LedgerSummary> {
		return this.#group.inspect<LedgerSummary>(node, { type: "summary" } satisfies LedgerQuery);
	}

	async findings(): Promise<Findings> {
		const { convictions, primary, falseAccusations } = this.#group;
		const innocent = convictions.filter(({ culprit }) => !this.#attackers.has(culprit));
		const attackers = [...this.#attackers].map(([node, attack]) => {
			const conviction = convictions.find(({ culprit }) => culprit === node);
			const none = this.#isProvable ? "no proof against it" : "authenticated votes prove nothing against it";
			const proof = conviction === undefined ? none : `convicted: ${describe(conviction)}`;
			return `${node} attacks (${attackNames(attack).join(", ")}); ${proof}`;
		});
		const lines = [
			...(attackers.length === 0 ? ["nobody attacks"] : attackers),
			`${this.#viewChanges} ${this.#viewChanges === 1 ? "view change" : "view changes"}; ${primary.primary} leads view ${primary.view}`,
			...[...falseAccusations].map(([node, count]) => `${node} told ${count} proofs that prove nothing`),
		];
		if (this.#evidence !== null) {
			await writeEvidence(this.#evidence, this.#group.evidenceFile());
			lines.push(`evidence in ${this.#evidence}: quorate verify-certificate ${this.#evidence}`);
		}
		return {
			title: "Members under suspicion",
			lines,
			data: {
				attackers: Object.fromEntries(this.#attackers),
				convictions: convictions.map(({ culprit, evidence, atMs, toldBy }) => ({
					culprit,
					type: evidence.type,
					atMs: Math.round(atMs),
					toldBy,
				})),
				viewChanges: this.#viewChanges,
			},
			faults: innocent.map(
				({ culprit, evidence }) => `${culprit} does not attack, and was convicted of ${evidence.type}`,
			),
		};
	}

	async stop(): Promise<void> {
		this.#readings.unsubscribe();
		this.#changes.unsubscribe();
		await this.#group.stop();
	}

	#targetEventOf(event: ByzantineEvent): TargetEvent | null {
		switch (event.type) {
			case "primary-changed":
				return { type: "leader-elected", leader: event.primary, term: event.view };
			case "thread-ended":
				return event.node === null ? null : { type: "node-lost", node: event.node };
			case "participant-started":
				return event.node === null ? null : { type: "node-recovered", node: event.node };
			case "member-convicted":
				return { type: "noted", text: `${event.conviction.culprit} is convicted: ${describe(event.conviction)}` };
			default:
				return null;
		}
	}
}

/** Without a passphrase there is nothing to keep: the group has a temporary directory of its own. */
function keptStorage(storage: TargetOptions["storage"]): NonNullable<ByzantineGroupOptions["storage"]> {
	if (storage.type === "memory") return { type: "memory" };
	const { directory, passphrase } = storage;
	return passphrase === undefined ? { type: "lmdb" } : { type: "lmdb", directory, passphrase };
}

function describe({ evidence, toldBy, atMs }: Conviction): string {
	return `${evidence.type}, told by ${toldBy} ${formatMs(atMs)} after the start`;
}

async function writeEvidence(path: string, text: string): Promise<void> {
	try {
		await writeFile(path, text);
	} catch (cause) {
		throw runErrors.evidenceUnwritable({ file: path, reason: (cause as Error).message }, { cause });
	}
}
