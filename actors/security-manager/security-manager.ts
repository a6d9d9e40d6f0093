/** Keys that participants hold together, for programs: made, used, refreshed, handed over and backed up without ever being whole. */
import { randomUUID } from "node:crypto";
import {
	errorToObject,
	isNodeId,
	type NodeId,
	nodeId,
	type QuorateError,
	requireInteger,
} from "../../protocols/core/index.ts";
import type { DecisionProof } from "../../protocols/pbft/index.ts";
import {
	type CeremonyCertificate,
	type CeremonyConfig,
	type CeremonyFault,
	GroupKey,
	type GroupKeyData,
	KeyEpochRegister,
	type KeyEpochStatus,
	type SuiteName,
	verifySignature,
} from "../../protocols/security/index.ts";
import { type ActorRef, ActorSystem, type Backend, type Clock, type Placement } from "../../runtime/actor/index.ts";
import type { PublicIdentity } from "../../runtime/crypto/index.ts";
import { createThreadBackend } from "../../runtime/threads/index.ts";
import type { GroupTrust } from "../byzantine-coordinator/index.ts";
import { ceremonyFailed, managerStopped, noKey, participantsInvalid, signingFailed } from "./errors.ts";
import {
	type Acquaintance,
	type CeremonyEnd,
	type KeyHolderMessage,
	keyHolderModule,
	type ShareName,
} from "./key-holder.ts";
import type { BackupPiece, Custodian } from "./share-backup.ts";
import { NonceOffers, signWithThreshold, type ThresholdSignature } from "./threshold-signing.ts";

export interface SecurityManagerOptions {
	/** The group of new keys; default `ristretto255`. `ed25519` gives signatures that verify as those of RFC 8032, at some five times the cost. */
	readonly suite?: SuiteName;
	/** Where each participant's secrets live; default `dedicated`, a thread of its own. */
	readonly placement?: Placement;
	/** What the actors run on; default worker threads. The manager stops it in the end. */
	readonly backend?: Backend;
	/** How long one phase of a ceremony waits for who is late; milliseconds, default 5,000. */
	readonly phaseMs?: number;
	/** How long a signer may take; milliseconds, default 5,000. */
	readonly signingTimeoutMs?: number;
	/** After how long without a signature more signers than it takes are asked; milliseconds, default 100. Shorter costs work, longer time. */
	readonly hedgeAfterMs?: number;
	/** How long a replaced key still verifies; milliseconds, default 24 hours. */
	readonly overlapMs?: number;
}

/** What a ceremony has brought. */
export interface DistributedKey extends GroupKeyData {
	/** Signed by every member: checkable with `verifyCeremonyCertificate`. */
	readonly certificate: CeremonyCertificate;
	/** Who was left out, and why. */
	readonly faults: readonly CeremonyFault[];
}

const PHASES = 5;
const PHASE_MS_DEFAULT = 5_000;
const SIGNING_TIMEOUT_MS_DEFAULT = 5_000;
const HEDGE_AFTER_MS_DEFAULT = 100;
/** One step of a ceremony of 64 members checks thousands of elements: over ed25519 that is seconds, and no stall. */
const STALL_AFTER_MS = 60_000;
const TIMEOUT_MS_MAX = 3_600_000;
/** Asks that need no ceremony. */
const CONTROL_TIMEOUT_MS = 30_000;

interface Running {
	readonly system: ActorSystem;
	readonly holders: Map<NodeId, ActorRef<KeyHolderMessage>>;
	readonly clock: Clock;
}

/**
 * The manager of a threshold key in this process. Each participant is an actor with its own identity, share and nonces; the manager
 * coordinates, sees what is public, and could not sign alone.
 * @example
 * const security = new SecurityManager();
 * const key = await security.generateDistributedKeys(["node-1", "node-2", "node-3", "node-4"], 3);
 * const { signature } = await security.createThresholdSignature(new TextEncoder().encode("decision 1"));
 * security.verifyThresholdSignature(new TextEncoder().encode("decision 1"), signature); // true
 * await security.shutdown();
 */
export class SecurityManager {
	readonly #options: SecurityManagerOptions;
	readonly #cluster = randomUUID();
	readonly #epochs: KeyEpochRegister;
	#starting: Promise<Running> | null = null;
	#isStopped = false;
	#key: GroupKey | null = null;
	#ceremonies = 0;
	/** What the present key may be used for; null for anything. */
	#restriction: { readonly publicKey: string; readonly to: GroupTrust } | null = null;
	readonly #offers = new NonceOffers();

	/** @throws QuorateError `invalid-argument` */
	constructor(options: SecurityManagerOptions = {}) {
		requireInteger("phaseMs", options.phaseMs ?? PHASE_MS_DEFAULT, 1, TIMEOUT_MS_MAX);
		requireInteger("signingTimeoutMs", options.signingTimeoutMs ?? SIGNING_TIMEOUT_MS_DEFAULT, 1, TIMEOUT_MS_MAX);
		requireInteger("hedgeAfterMs", options.hedgeAfterMs ?? HEDGE_AFTER_MS_DEFAULT, 0, TIMEOUT_MS_MAX);
		this.#options = options;
		this.#epochs = new KeyEpochRegister(options.overlapMs === undefined ? {} : { overlapMs: options.overlapMs });
	}

	/** The present key. @throws QuorateError `no-group-key` */
	get key(): GroupKeyData {
		return this.#current().data;
	}

	/**
	 * Makes a new key that `threshold` of the participants must use together: without a dealer, each share only ever in its owner's
	 * actor. A key that was there before is replaced, and verifies on for the overlap.
	 * @throws QuorateError `participants-invalid`, `threshold-invalid`, `ceremony-failed`; whatever starting threads throws
	 */
	async generateDistributedKeys(participants: readonly string[], threshold: number): Promise<DistributedKey> {
		const members = membersOf(participants);
		return this.#replace(members, { threshold, suite: this.#options.suite ?? "ristretto255" });
	}

	/** New shares of the same key for the same members: old shares, and those that were stolen, are worth nothing after. Throws as {@link generateDistributedKeys}. */
	async refreshShares(): Promise<DistributedKey> {
		const { data } = this.#current();
		return this.#replace(
			data.members.map(({ node }) => node),
			{ threshold: data.threshold, previous: data },
		);
	}

	/** Hands the same key over to other participants, or another threshold. Throws as {@link generateDistributedKeys}. */
	async reshare(participants: readonly string[], threshold: number): Promise<DistributedKey> {
		return this.#replace(membersOf(participants), { threshold, previous: this.#current().data });
	}

	/** Another key for the same members and threshold. Throws as {@link generateDistributedKeys}. */
	async rotateKeys(): Promise<DistributedKey> {
		const { members, threshold } = this.#current().data;
		return this.generateDistributedKeys(
			members.map(({ node }) => node),
			threshold,
		);
	}

	/**
	 * Signs with a threshold of the members, or of `signers`; goes on without those that are silent or wrong, and names the latter.
	 * A restricted key also needs the proof of the decision that the message is the statement of.
	 * @throws QuorateError `no-group-key`, `signing-failed`, `bytes-malformed` for a message over 64 KiB
	 */
	async createThresholdSignature(
		message: Uint8Array,
		signers?: readonly string[],
		justification?: DecisionProof,
	): Promise<ThresholdSignature> {
		const key = this.#current();
		const { holders, clock } = await this.#running();
		const chosen = new Map(
			key.members.flatMap(({ node }) => {
				const holder = holders.get(node);
				return holder === undefined || signers?.includes(node) === false ? [] : [[node, holder] as const];
			}),
		);
		if (chosen.size < key.threshold)
			throw signingFailed({ reason: `${chosen.size} signers are fewer than ${key.threshold}`, culprits: [] });
		const timeoutMs = this.#options.signingTimeoutMs ?? SIGNING_TIMEOUT_MS_DEFAULT;
		return signWithThreshold({
			key,
			name: shareName(key.data),
			message,
			...(justification === undefined ? {} : { justification }),
			holders: chosen,
			offers: this.#offers,
			timeoutMs,
			hedgeAfterMs: this.#options.hedgeAfterMs ?? HEDGE_AFTER_MS_DEFAULT,
			clock,
		});
	}

	/** Whether a signature is the present key's on this message; of another key of this manager's, name it. Never throws. */
	verifyThresholdSignature(
		message: Uint8Array,
		signature: Uint8Array,
		key: GroupKeyData | null = this.#key?.data ?? null,
	): boolean {
		return key !== null && verifySignature(key.suite, key.publicKey, message, signature);
	}

	/** What a key of this manager's may be used for now. @throws QuorateError `security-manager-stopped` */
	async keyStatus(key: GroupKeyData): Promise<KeyEpochStatus> {
		const { clock } = await this.#running();
		return this.#epochs.query({ publicKey: key.publicKey, epoch: key.epoch, atMs: clock.nowMs() }).status;
	}

	/**
	 * From now on no share of the present key, refreshed or handed over, signs anything but decisions of that group: each of its owners
	 * checks the certificate in its own actor. It is never lifted; a key that is rotated in is free again.
	 * @throws QuorateError `no-group-key`, `signing-refused` when the key serves another group already
	 */
	async restrictToDecisions(to: GroupTrust): Promise<void> {
		const { publicKey } = shareName(this.#current().data);
		const { holders } = await this.#running();
		await restrictAll([...holders.values()], publicKey, to);
		this.#restriction = { publicKey, to };
	}

	/**
	 * One member's share in the care of custodians, any `threshold` of whom can give it back to a member's actor.
	 * @throws QuorateError `no-group-key`, `participants-invalid`, `threshold-invalid`, `agreement-key-invalid`
	 */
	async backupKeyShare(
		node: string,
		custodians: readonly Custodian[],
		threshold: number,
	): Promise<readonly BackupPiece[]> {
		const share = shareName(this.#current().data);
		const holder = await this.#holderOf(node);
		return holder.ask({ type: "back-up", share, custodians, threshold }, { timeoutMs: CONTROL_TIMEOUT_MS });
	}

	/** The public key to which custodians forward pieces for this member's actor (`forwardBackupPiece`). */
	async recoveryKey(node: string): Promise<Uint8Array> {
		const holder = await this.#holderOf(node);
		const { agreement } = await holder.ask<PublicIdentity>({ type: "identify" }, { timeoutMs: CONTROL_TIMEOUT_MS });
		return agreement;
	}

	/** Gives a member's actor its share back, from forwarded pieces. @throws QuorateError `backup-invalid` with the custodians to blame */
	async recoverFromBackup(node: string, pieces: readonly BackupPiece[]): Promise<void> {
		const holder = await this.#holderOf(node);
		await holder.ask({ type: "recover", pieces }, { timeoutMs: CONTROL_TIMEOUT_MS });
	}

	/** Ends a member's actor, with all that it holds; a new one, without shares, takes its name when it is needed again. */
	async dismiss(node: string): Promise<void> {
		const { system, holders } = await this.#running();
		const holder = holders.get(nodeId(node));
		if (holder === undefined) return;
		holders.delete(nodeId(node));
		const identifier = this.#key?.identifierOf(nodeId(node));
		if (identifier !== undefined) this.#offers.forget(identifier);
		await system.stopActor(holder);
	}

	/** Stops everything, and forgets all secrets. Idempotent. */
	async shutdown(): Promise<void> {
		this.#isStopped = true;
		const starting = this.#starting;
		this.#starting = null;
		this.#key = null;
		this.#offers.clear();
		// One that did not start has nothing to stop; its error was its caller's.
		const running = await starting?.catch(() => null);
		await running?.system.stop();
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.shutdown();
	}

	async #replace(
		members: readonly NodeId[],
		terms: { readonly threshold: number; readonly suite?: SuiteName; readonly previous?: GroupKeyData },
	): Promise<DistributedKey> {
		this.#ceremonies += 1;
		const phaseMs = this.#options.phaseMs ?? PHASE_MS_DEFAULT;
		const config: CeremonyConfig = {
			ceremony: `${this.#cluster}/${this.#ceremonies}`,
			members,
			phaseMs,
			resendMs: Math.max(1, Math.floor(phaseMs / PHASES)),
			...terms,
		};
		const participants = [...new Set([...members, ...(terms.previous?.members ?? []).map(({ node }) => node)])];
		const running = await this.#running();
		await this.#assemble(participants, running);
		const ends = await this.#hold(config, participants, running);
		return this.#install(ends, config, terms.previous ?? null, running);
	}

	/** Starts the actors that are missing, and introduces all to each other. */
	async #assemble(participants: readonly NodeId[], { system, holders }: Running): Promise<void> {
		await Promise.all(
			participants.map(async (node) => {
				if (holders.has(node)) return;
				const behaviour = { module: keyHolderModule, export: "KeyHolder", args: { node, cluster: this.#cluster } };
				const placement = this.#options.placement ?? "dedicated";
				const name = `security/${node}`;
				holders.set(node, await system.spawn<KeyHolderMessage>({ name, behaviour, placement }));
			}),
		);
		const introduced = await settled([...holders.values()], async (holder): Promise<Acquaintance> => {
			const identity = await holder.ask<PublicIdentity>({ type: "identify" }, { timeoutMs: CONTROL_TIMEOUT_MS });
			return { address: holder.address, identity };
		});
		await settled([...holders.values()], (holder) =>
			holder.ask({ type: "acquaint", with: introduced }, { timeoutMs: CONTROL_TIMEOUT_MS }),
		);
		// Who comes new, or again, must not sign what the others would not.
		const restriction = this.#restriction;
		if (restriction !== null) await restrictAll([...holders.values()], restriction.publicKey, restriction.to);
	}

	async #hold(
		config: CeremonyConfig,
		participants: readonly NodeId[],
		{ holders }: Running,
	): Promise<ReadonlyMap<NodeId, CeremonyEnd>> {
		const timeoutMs = Math.min(
			TIMEOUT_MS_MAX,
			(config.phaseMs ?? PHASE_MS_DEFAULT) * (PHASES + 1) + CONTROL_TIMEOUT_MS,
		);
		const ends = await Promise.allSettled(
			participants.map(async (node) => {
				const holder = holders.get(node) as ActorRef<KeyHolderMessage>;
				return [node, await holder.ask<CeremonyEnd>({ type: "ceremony", config }, { timeoutMs })] as const;
			}),
		);
		// Terms that nobody accepts are the caller's mistake, and all say the same.
		const [first] = ends;
		if (ends.every(({ status }) => status === "rejected") && first?.status === "rejected") throw first.reason;
		return new Map(ends.flatMap((end) => (end.status === "fulfilled" ? [end.value] : [])));
	}

	/** Takes the key that all its members have confirmed: one that some members have not got is no key. */
	#install(
		ends: ReadonlyMap<NodeId, CeremonyEnd>,
		{ ceremony }: CeremonyConfig,
		previous: GroupKeyData | null,
		{ holders, clock }: Running,
	): DistributedKey {
		const completed = [...ends.values()].find((end) => end.type === "completed");
		if (completed?.type !== "completed") throw failureOf(ceremony, ends);
		const { key, certificate, faults } = completed;
		const group = new GroupKey(key);
		const missing = key.members.filter(({ node }) => ends.get(node)?.type !== "completed").map(({ node }) => node);
		if (missing.length > 0)
			throw ceremonyFailed({ ceremony, reason: "not all have ended with the key", suspects: missing });
		const installed = this.#epochs.apply({ type: "install", key, atMs: clock.nowMs() });
		if (!installed.isDone) throw ceremonyFailed({ ceremony, reason: installed.reason, suspects: [] });
		const replaced = previous ?? this.#key?.data ?? null;
		this.#key = group;
		this.#offers.clear();
		if (replaced !== null) this.#forget(replaced, holders);
		if (this.#restriction?.publicKey !== shareName(key).publicKey) this.#restriction = null;
		return { ...key, certificate, faults };
	}

	/** A share that no longer signs is only there to be stolen. */
	#forget(replaced: GroupKeyData, holders: ReadonlyMap<NodeId, ActorRef<KeyHolderMessage>>): void {
		const share = shareName(replaced);
		for (const { node } of replaced.members) holders.get(node)?.tell({ type: "forget", share });
	}

	async #holderOf(node: string): Promise<ActorRef<KeyHolderMessage>> {
		const running = await this.#running();
		const id = nodeId(node);
		if (this.#key?.identifierOf(id) === undefined)
			throw participantsInvalid({ reason: `${node} is no member of the key` });
		if (!running.holders.has(id)) await this.#assemble([id], running);
		return running.holders.get(id) as ActorRef<KeyHolderMessage>;
	}

	#running(): Promise<Running> {
		if (this.#isStopped) return Promise.reject(managerStopped({}));
		this.#starting ??= this.#start();
		return this.#starting;
	}

	async #start(): Promise<Running> {
		const backend =
			this.#options.backend ??
			(await createThreadBackend({ preload: [keyHolderModule], stallAfterMs: STALL_AFTER_MS }));
		return { system: new ActorSystem(backend), holders: new Map(), clock: backend.ports.clock };
	}

	#current(): GroupKey {
		if (this.#key === null) throw noKey({});
		return this.#key;
	}
}

/** A holder that is dead holds nothing; one that refuses says why. */
async function restrictAll(
	holders: readonly ActorRef<KeyHolderMessage>[],
	publicKey: string,
	to: GroupTrust,
): Promise<void> {
	const message: KeyHolderMessage = { type: "restrict", publicKey, to };
	const asked = holders.map((holder) => holder.ask(message, { timeoutMs: CONTROL_TIMEOUT_MS }));
	for (const answer of await Promise.allSettled(asked))
		if (answer.status === "rejected" && errorToObject(answer.reason).code === "signing-refused") throw answer.reason;
}

/** What comes of it for each that answers. One that is dead is absent, from a ceremony as from this list. */
async function settled<Item, Result>(
	items: readonly Item[],
	ask: (item: Item) => Promise<Result>,
): Promise<readonly Result[]> {
	const results = await Promise.allSettled(items.map(ask));
	return results.flatMap((result) => (result.status === "fulfilled" ? [result.value] : []));
}

function membersOf(participants: readonly string[]): readonly NodeId[] {
	if (!Array.isArray(participants) || participants.length === 0)
		throw participantsInvalid({ reason: "there must be at least one" });
	const unnamed = participants.filter((participant) => !isNodeId(participant));
	if (unnamed.length > 0)
		throw participantsInvalid({ reason: `${unnamed.slice(0, 8).map(String).join(", ")}: no node ids` });
	if (new Set(participants).size !== participants.length) throw participantsInvalid({ reason: "one is named twice" });
	return participants.map(nodeId);
}

function shareName({ publicKey, epoch }: GroupKeyData): ShareName {
	return { publicKey: Buffer.from(publicKey).toString("hex"), epoch };
}

function failureOf(ceremony: string, ends: ReadonlyMap<NodeId, CeremonyEnd>): QuorateError {
	const [end] = [...ends.values()];
	if (end === undefined || end.type === "completed")
		return ceremonyFailed({ ceremony, reason: "nobody has answered", suspects: [] });
	return ceremonyFailed({
		ceremony,
		reason: end.reason,
		suspects: end.faults.map(({ node, kind }) => `${node}: ${kind}`),
	});
}
