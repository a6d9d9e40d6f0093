/**
 * What of a Byzantine group outlives its process: everybody's keys, encrypted under a passphrase, and beside them the members' logs. Who
 * the group is (its first members and reserve, f, how it votes, who attacks) is kept with the keys: with other ones nothing there would be true
 * any more. So is what has become of it: the configurations that it has been through, who runs, and who is convicted by which evidence.
 */
import { existsSync, linkSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { isDeepStrictEqual } from "node:util";
import { type NodeId, nodeId } from "../../protocols/core/index.ts";
import { type Configuration, type Epoch, type Evidence, verifyEvidence } from "../../protocols/pbft/index.ts";
import {
	exportIdentity,
	generateIdentity,
	importIdentity,
	KeyStore,
	type OwnIdentity,
	readKeyStore,
	type SecretIdentity,
	writeKeyStore,
} from "../../runtime/crypto/index.ts";
import { decodeValue, encodeValue } from "../participant/index.ts";
import * as errors from "./errors.ts";
import { ADMINISTRATOR, clientId, GroupIdentities } from "./identities.ts";
import type { CheckedByzantineGroup } from "./options.ts";

const KEYS_FILE = "keys.json";
const LOG_DIRECTORY = "log";
/** Names the description among the keys. No node may have such a name. */
const DESCRIPTION = "group/description";
/**
 * Timestamps that one process's clients may use: those of the next one are all above, so that nothing is taken for a request that was
 * answered before.
 */
const TIMESTAMPS_A_START = 2 ** 32;

/** What must be the same at every start. */
interface GroupDescription {
	readonly cluster: string;
	readonly nodes: readonly string[];
	readonly standbys: readonly string[];
	readonly faults: number;
	readonly votes: string;
	readonly certificates: string;
	readonly attackers: readonly (readonly [node: string, attack: string])[];
}

interface StoredDescription extends GroupDescription {
	/** Processes that have run this group. */
	readonly starts: number;
}

/** What has become of a group. */
export interface GroupPast {
	/** Ascending; the last one is the present one. */
	readonly configurations: readonly Configuration[];
	/** Nodes that have, or are about to have, a thread: the members, and during a change who comes. */
	readonly running: readonly NodeId[];
	readonly convictions: readonly { readonly toldBy: NodeId; readonly evidence: Evidence }[];
}

const PAST = "group/past";
const noReserve = { standbys: [] as readonly string[] };

export class GroupData {
	readonly identities: GroupIdentities;
	/** Where the members' logs are. */
	readonly logDirectory: string;
	readonly #path: string;
	readonly #keys: KeyStore;
	readonly #description: StoredDescription;
	#past: GroupPast;

	/**
	 * Opens a directory, or founds one that is not there yet.
	 * @throws QuorateError `byzantine-data-foreign` `{directory, field, expected, found}`, `byzantine-data-incomplete`
	 *   `{directory, missing}`, `byzantine-data-refuted` `{culprit}`, `key-store-locked` for a wrong passphrase, `key-store-invalid`, `crypto-key-invalid`; errors of the
	 *   file system as they are
	 */
	static open(directory: string, passphrase: string, options: CheckedByzantineGroup): GroupData {
		mkdirSync(directory, { recursive: true, mode: 0o700 });
		const path = join(directory, KEYS_FILE);
		if (!existsSync(path)) {
			if (!isEmpty(join(directory, LOG_DIRECTORY))) throw errors.dataIncomplete({ directory, missing: KEYS_FILE });
			found(path, passphrase, { ...descriptionOf(options), starts: 0 });
		}
		return new GroupData(directory, readKeyStore(path, passphrase), options);
	}

	private constructor(directory: string, keys: KeyStore, options: CheckedByzantineGroup) {
		this.#path = join(directory, KEYS_FILE);
		this.#keys = keys;
		// Groups that were founded before there could be a reserve have none.
		this.#description = { ...noReserve, ...(decodeValue(keys.get(DESCRIPTION)) as StoredDescription) };
		this.logDirectory = join(directory, LOG_DIRECTORY);
		const { starts } = this.#description;
		requireSame(directory, descriptionOf(options), this.#description);
		// Who has lost what it has promised must not speak under its old keys.
		if (starts > 0 && isEmpty(this.logDirectory)) throw errors.dataIncomplete({ directory, missing: LOG_DIRECTORY });
		const { group, nodes, standbys, faults, clientsMax } = options;
		const first: Configuration = { epoch: 0 as Epoch, members: nodes, faults };
		const begun: GroupPast = { configurations: [first], running: nodes, convictions: [] };
		this.#past = keys.has(PAST) ? (decodeValue(keys.get(PAST)) as GroupPast) : begun;
		const clients = Array.from({ length: clientsMax + 1 }, (_, i) => this.#identity(clientId(i)));
		this.identities = new GroupIdentities(
			group,
			{
				members: [...nodes, ...standbys].map((node) => this.#identity(node)),
				clients,
				administrator: this.#identity(nodeId(ADMINISTRATOR)),
			},
			starts * TIMESTAMPS_A_START + 1,
		);
		this.#requireProved(options);
	}

	/** Nobody is convicted by what this process can not check itself. */
	#requireProved({ group, windowSize }: CheckedByzantineGroup): void {
		const { configurations, convictions } = this.#past;
		const configurationOf = (epoch: number): Configuration | null =>
			configurations.find((known) => known.epoch === epoch) ?? null;
		const judge = { cluster: group, verifier: this.identities.observer(), windowSize, configurationOf };
		for (const { evidence } of convictions)
			if (!verifyEvidence(evidence, judge)) throw errors.dataRefuted({ culprit: evidence.culprit });
	}

	/** The group runs and nobody has asked it for anything yet: whoever starts it next must use later timestamps. */
	begun(): void {
		const { starts } = this.#description;
		this.#keys.put(DESCRIPTION, encodeValue({ ...this.#description, starts: starts + 1 }));
		writeKeyStore(this.#path, this.#keys);
	}

	/** As it was told last. */
	get past(): GroupPast {
		return this.#past;
	}

	/** The nodes to start with: the members, and who was about to become one when the last process ended. Who was removed is not among them. */
	get starting(): readonly NodeId[] {
		const { configurations, running } = this.#past;
		const present = configurations.at(-1)?.members ?? [];
		const former = configurations.flatMap(({ members }) => members);
		return [...present, ...running.filter((node) => !former.includes(node))];
	}

	/** Something has become of the group: written before anything rests on it. */
	remember(news: Partial<GroupPast>): void {
		const { configurations, running, convictions } = { ...this.#past, ...news };
		const told = convictions.map(({ toldBy, evidence }) => ({ toldBy, evidence }));
		this.#past = { configurations, running, convictions: told };
		this.#keys.put(PAST, encodeValue(this.#past));
		writeKeyStore(this.#path, this.#keys);
	}

	/** The keys that are kept, or fresh ones: more clients may be asked for than before. */
	#identity(id: NodeId): OwnIdentity {
		if (this.#keys.has(id)) return importIdentity(decodeValue(this.#keys.get(id)) as SecretIdentity);
		const own = generateIdentity(id);
		this.#keys.put(id, encodeValue(exportIdentity(own)));
		return own;
	}
}

/** Writes keys for a new group, unless another process has just done so: whose log it becomes the log's lock decides. */
function found(path: string, passphrase: string, description: StoredDescription): void {
	const keys = KeyStore.create(passphrase);
	keys.put(DESCRIPTION, encodeValue(description));
	for (const id of [...description.nodes, ...description.standbys, ADMINISTRATOR]) {
		keys.put(id, encodeValue(exportIdentity(generateIdentity(nodeId(id)))));
	}
	const draft = `${path}.${process.pid}`;
	writeKeyStore(draft, keys);
	try {
		linkSync(draft, path);
	} catch (error) {
		if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
	} finally {
		rmSync(draft, { force: true });
	}
}

function descriptionOf({ group, nodes, standbys, faults, tuning, attackers }: CheckedByzantineGroup): GroupDescription {
	const { votes = "signed", certificates = "all-to-all" } = tuning;
	return { cluster: group, nodes, standbys, faults, votes, certificates, attackers: [...attackers].sort() };
}

function requireSame(directory: string, asked: GroupDescription, kept: GroupDescription): void {
	for (const [field, expected] of Object.entries(asked)) {
		const found: unknown = kept[field as keyof GroupDescription];
		if (isDeepStrictEqual(found, expected)) continue;
		throw errors.dataForeign({ directory, field, expected: textOf(expected), found: textOf(found) });
	}
}

function textOf(value: unknown): string {
	if (!Array.isArray(value)) return String(value);
	return value.length === 0 ? "none" : value.map(String).join(" ");
}

function isEmpty(directory: string): boolean {
	return !existsSync(directory) || readdirSync(directory).length === 0;
}
