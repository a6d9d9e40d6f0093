/**
 * A group of PBFT members in this process: threads, supervision, storage and participants, started together and stopped in reverse.
 * The tree is a swarm's: storage, then the members under a one-for-one supervisor, with a thread supervisor beside it.
 */
import { type Observable, Subject, type Subscription, share } from "rxjs";
import {
	type CryptoPort,
	errorToObject,
	Generator,
	must,
	type NodeId,
	type QuorateError,
} from "../../protocols/core/index.ts";
import type { Configuration, Epoch, MembershipOperation } from "../../protocols/pbft/index.ts";
import { type ActorRef, ActorSystem, IsolatedObservable } from "../../runtime/actor/index.ts";
import { SupervisorClient, supervisorActor, ThreadSupervisor } from "../../supervisors/index.ts";
import { decodeAnswer, encodeValue, participantName, pbftClientLayouts } from "../participant/index.ts";
import * as swarmErrors from "../swarm/errors.ts";
import type { SwarmBackend } from "../swarm/index.ts";
import { ROOT_NAME, rootSpec } from "../swarm/tree.ts";
import { type ByzantineAccess, ByzantineClient, type ByzantineClientOptions } from "./byzantine-client.ts";
import { startByzantineThreads } from "./byzantine-threads.ts";
import { byzantineGroupChild } from "./byzantine-tree.ts";
import { gatherCertificate } from "./certificate-source.ts";
import type {
	ByzantineEvent,
	ByzantineGroupOptions,
	ByzantineHappening,
	ByzantineNodeStatus,
	CertifiedDecision,
	Conviction,
	GroupTrust,
	MemberFigures,
	Primacy,
} from "./contract.ts";
import { Convictions } from "./convictions.ts";
import * as errors from "./errors.ts";
import { GroupData } from "./group-data.ts";
import { GroupMembership } from "./group-membership.ts";
import { GroupIdentities, type Identities } from "./identities.ts";
import { MemberReadings } from "./member-readings.ts";
import { MemberReports } from "./member-reports.ts";
import { MembershipChanges } from "./membership-changes.ts";
import { type CheckedByzantineGroup, checkByzantineOptions } from "./options.ts";
import { encodeProofs } from "./proof-file.ts";
import { RequestDesk } from "./request-desk.ts";

const FIRST_EPOCH = 0 as Epoch;

/**
 * A running group.
 * @example
 * const group = await ByzantineGroup.start({ nodes: 4 });
 * try {
 *   await group.client().propose({ type: "put", key: "greeting", value: "hello" });
 * } finally {
 *   await group.stop();
 * }
 */
export class ByzantineGroup {
	readonly #options: CheckedByzantineGroup;
	readonly #backend: SwarmBackend;
	readonly #system: ActorSystem;
	readonly #threads: ThreadSupervisor;
	readonly #identities: Identities;
	readonly #membership: GroupMembership;
	readonly #verifier: CryptoPort;
	readonly #convictions: Convictions;
	readonly #changes: MembershipChanges;
	#desk: RequestDesk | null = null;
	#administrator: ByzantineClient | null = null;
	readonly #reports: MemberReports;
	readonly #generator: Generator;
	readonly #readings: MemberReadings;
	readonly #clients: ByzantineClient[] = [];
	readonly #told$ = new Subject<ByzantineEvent>();
	readonly #events$: Observable<ByzantineEvent>;
	readonly #metrics$: Observable<readonly ByzantineNodeStatus[]>;
	#subscription: Subscription | null = null;
	#failure: QuorateError | null = null;
	#reportFailure: (error: QuorateError) => void = () => undefined;
	readonly #failed: Promise<QuorateError>;
	#stopping: Promise<void> | null = null;
	#reportStop: () => void = () => undefined;
	readonly #stopped: Promise<void> = new Promise((resolve) => {
		this.#reportStop = resolve;
	});

	/**
	 * Boots a group; its members' keys are made now and live as long as it does, or are those of its directory.
	 * @throws QuorateError as `checkByzantineOptions`, and as `GroupData.open`; whatever keeps threads, storage or members from starting
	 */
	static async start(given: ByzantineGroupOptions): Promise<ByzantineGroup> {
		const options = await checkByzantineOptions(given);
		const { kept } = options;
		const data = kept === null ? null : GroupData.open(kept.directory, kept.passphrase, options);
		const identities = data?.identities ?? given.identities ?? freshIdentities(options);
		const backend = given.backend ?? (await startByzantineThreads(options, data?.logDirectory ?? null));
		const group = new ByzantineGroup(options, backend, identities, data);
		try {
			await group.#boot();
			data?.begun();
		} catch (error) {
			await group.stop();
			throw swarmErrors.startReason(error);
		}
		return group;
	}

	private constructor(
		options: CheckedByzantineGroup,
		backend: SwarmBackend,
		identities: Identities,
		data: GroupData | null,
	) {
		const { group, nodes, faults, seed, windowSize } = options;
		this.#options = options;
		this.#backend = backend;
		this.#system = new ActorSystem(backend.backend);
		this.#generator = new Generator(seed, "byzantine-group");
		this.#identities = identities;
		const first = { epoch: FIRST_EPOCH, members: nodes, faults };
		this.#membership = new GroupMembership(data?.past.configurations ?? [first]);
		this.#verifier = this.#identities.observer();
		const { of: configurationOf } = this.#membership;
		this.#convictions = new Convictions({ cluster: group, verifier: this.#verifier, windowSize, configurationOf });
		const now = backend.backend.ports.clock.nowMs();
		for (const { toldBy, evidence } of data?.past.convictions ?? []) this.#convictions.told(toldBy, evidence, now);
		const { threads, ports } = backend.backend;
		this.#threads = new ThreadSupervisor({
			threads,
			clock: ports.clock,
			generator: this.#generator.fork("threads"),
			publish: (event) => this.#reports.heard(event),
		});
		this.#readings = new MemberReadings(
			() => this.nodes,
			(node) => this.#refOf(node),
			ports.clock,
		);
		this.#reports = new MemberReports({
			options,
			storage: backend.storage.name,
			membership: this.#membership,
			convictions: this.#convictions,
			readings: this.#readings,
			nowMs: () => ports.clock.nowMs(),
			tell: (happening, origin, node) => this.#tell(happening, origin, node),
			convicted: ({ culprit }) => {
				data?.remember({ convictions: this.convictions });
				this.#isolateIfWanted(culprit);
			},
			membersChanged: () => {
				data?.remember({ configurations: this.#membership.all });
				this.#changes.settle();
			},
			fail: (error) => this.#fail(error),
		});
		this.#failed = new Promise((resolve) => {
			this.#reportFailure = resolve;
		});
		const over = Promise.race([this.#failed, this.#stopped.then(() => swarmErrors.swarmStopped({}))]);
		this.#changes = new MembershipChanges(
			{
				options,
				identities,
				membership: this.#membership,
				administrator: () => this.#administrating(),
				forget: (node) => {
					this.#desk?.forget(node);
					this.#reports.forget(node);
				},
				runs: (running) => data?.remember({ running }),
				over: over.then((error) => Promise.reject(error)),
			},
			data?.starting ?? nodes,
		);
		const thrown = (error: unknown): void => {
			const event = { type: "observer-failed", error: errorToObject(error) } as { readonly type: string };
			this.#tell({ type: "published", event }, "system");
		};
		this.#events$ = new IsolatedObservable(this.#told$, thrown);
		this.#metrics$ = new IsolatedObservable(this.#readings.all$(this.#told$).pipe(share()), thrown);
	}

	/** The members, in the order of their names once they have changed. */
	get nodes(): readonly NodeId[] {
		return this.configuration.epoch === FIRST_EPOCH ? this.#options.nodes : this.configuration.members;
	}

	get faults(): number {
		return this.configuration.faults;
	}

	/** Who agrees, as f + 1 members have told. It changes in the order alone, never by who can be reached. */
	get configuration(): Configuration {
		return this.#membership.configuration;
	}

	/** Nodes in reserve that are no members now. */
	get standbys(): readonly NodeId[] {
		const { members } = this.configuration;
		return this.#options.standbys.filter((node) => !members.includes(node));
	}

	/** Who leads, as far as f + 1 members have told. */
	get primary(): Primacy {
		return this.#reports.primary;
	}

	/** Members convicted by proofs that were checked in this thread, in the order of the first proof. */
	get convictions(): readonly Conviction[] {
		return this.#convictions.all;
	}

	/** How often each member has told evidence that proves nothing. */
	get falseAccusations(): ReadonlyMap<NodeId, number> {
		return this.#convictions.falseAccusations;
	}

	/** Whose keys the members' proofs are to be checked with, and how many of them may be faulty. */
	get trust(): GroupTrust {
		const { group, faults } = this.#options;
		return { cluster: group, epoch: FIRST_EPOCH, faults, members: this.#identities.members };
	}

	/** The proofs against members so far, as a file that anyone can check: see `quorate verify-certificate`. */
	evidenceFile(): string {
		const { group, windowSize } = this.#options;
		const { epoch, faults } = this.configuration;
		const evidence = this.convictions.map((conviction) => conviction.evidence);
		const { all: configurations } = this.#membership;
		const members = this.#identities.members.filter(({ id }) =>
			configurations.some((known) => known.members.includes(id)),
		);
		return encodeProofs({
			cluster: group,
			epoch,
			faults,
			windowSize,
			members,
			configurations,
			decisions: [],
			evidence,
		});
	}

	/** A reading of all members each second, while somebody listens. Ends with the group. */
	get metrics$(): Observable<readonly ByzantineNodeStatus[]> {
		return this.#metrics$;
	}

	/** What happens, from now on. An observer that throws is unsubscribed and reported here. */
	get events$(): Observable<ByzantineEvent> {
		return this.#events$;
	}

	/** Resolves with the reason if the group can not go on: storage, restarts without end, or two decisions of one slot. */
	get failed(): Promise<QuorateError> {
		return this.#failed;
	}

	/** Asks every member; one that does not answer within a second is `down`. What a faulty one tells is worth nothing. */
	async status(): Promise<readonly ByzantineNodeStatus[]> {
		return this.#readings.all();
	}

	/** Members as last heard of, without asking. */
	get figures(): readonly MemberFigures[] {
		return this.#readings.figures;
	}

	/** A client with keys of its own. @throws QuorateError `invalid-argument`, `clients-exhausted`, what has ended the group */
	client(options: ByzantineClientOptions = {}): ByzantineClient {
		this.#requireAlive();
		const { id, port } = this.#identities.nextClient();
		const client = new ByzantineClient(id, port, this.#access(), options);
		this.#clients.push(client);
		return client;
	}

	/**
	 * A decision with the proof that a third party can check: of a request that this process's clients had decided.
	 * @throws QuorateError `certificate-gone` when a checkpoint has covered the slot at all members that answer; `certificates-none`
	 */
	async certify<Result>(client: ByzantineClient, command: unknown): Promise<CertifiedDecision<Result>> {
		const { votes } = this.#options.tuning;
		if (votes === "authenticated") throw errors.certificatesNone({ votes });
		const { timestamp, ...decision } = await client.decideNamed<Result>(command);
		const certificate = await gatherCertificate(
			{
				cluster: this.#options.group,
				nodes: this.nodes,
				refOf: (node) => this.#refOf(node),
				verifier: this.#verifier,
				membership: this.#membership,
				identities: this.#identities,
			},
			{ sequence: decision.sequence, client: client.id, timestamp },
		);
		return { ...decision, certificate };
	}

	/** What one member's application answers by itself. @throws QuorateError `node-unknown`, `node-down`, `ask-timeout`, `query-failed` */
	async inspect<Answer = unknown>(node: string, query: unknown): Promise<Answer> {
		const ref = await this.#refOf(this.#member(node));
		return decodeAnswer(
			await ref.ask<Uint8Array>({ type: "participant-inspect", query: encodeValue(query) }),
		) as Answer;
	}

	/** An actor of this group, by its name: for whoever disturbs it. Null while there is none. */
	lookup(actor: string): Promise<ActorRef | null> {
		return this.#system.lookup(actor);
	}

	/** Ends a member's thread at once, as a crash would. @throws QuorateError `node-unknown` */
	async kill(node: string): Promise<void> {
		this.#requireAlive();
		const name = participantName(this.#options.group, this.#member(node));
		const { threads } = this.#backend.backend;
		const thread = threads.status().find(({ spec }) => spec.name === name);
		if (thread !== undefined && thread.state !== "dead") await threads.kill(thread.slot, "killed");
	}

	/**
	 * Isolates a convicted member: an ordered change that carries the evidence, which every member checks. Resolves when the members
	 * go on without it; its thread is ended then.
	 * @throws QuorateError `node-unknown`, `member-not-convicted`; `pbft-too-few-members` `{members, faults, needed}` when no more than
	 *   3f + 1 members are there and nobody replaces it; `membership-change-refused`; as `ByzantineClient.propose`
	 */
	async isolate(node: string, { replacement = null }: { readonly replacement?: string | null } = {}): Promise<void> {
		const culprit = this.#member(node);
		const conviction = this.convictions.find((known) => known.culprit === culprit);
		if (conviction === undefined) throw errors.notConvicted({ node });
		const { evidence } = conviction;
		await this.#change({ type: "isolate", evidence, replacement: this.#standby(replacement) });
	}

	/** Adds a node in reserve to the members; resolves when they count it. @throws QuorateError as {@link isolate} */
	async addMember(node: string): Promise<void> {
		await this.#change({ type: "add", member: must(this.#standby(node) ?? undefined, "it is named") });
	}

	/** Removes a member, correct or not. @throws QuorateError as {@link isolate} */
	async removeMember(
		node: string,
		{ replacement = null }: { readonly replacement?: string | null } = {},
	): Promise<void> {
		const member = this.#member(node);
		await this.#change({ type: "remove", member, replacement: this.#standby(replacement) });
	}

	/** Ends everything in order. Idempotent. */
	stop(): Promise<void> {
		this.#stopping ??= this.#stop();
		return this.#stopping;
	}

	async [Symbol.asyncDispose](): Promise<void> {
		await this.stop();
	}

	async #boot(): Promise<void> {
		this.#subscription = this.#system.events$.subscribe((event) => this.#reports.heard(event));
		this.#threads.start();
		const { storage } = this.#backend;
		const root = new SupervisorClient(await this.#system.spawn(supervisorActor(rootSpec(storage))));
		const { address } = must((await this.#system.lookup(storage.name)) ?? undefined, "the storage has started");
		const { clock } = this.#backend.backend.ports;
		const desk = `${this.#options.group}-clients`;
		this.#desk = await RequestDesk.open(this.#system, desk, clock, (node) => this.#refOf(node));
		const members = await root.startChild(
			byzantineGroupChild(this.#options, this.#changes.running, this.#identities, address),
		);
		const supervisor = must(
			(await this.#system.lookup(members.id)) ?? undefined,
			"the members' supervisor has started",
		);
		this.#changes.begin({ supervisor: new SupervisorClient(supervisor), storage: address });
		for (const { culprit } of this.convictions) this.#isolateIfWanted(culprit);
	}

	#standby(node: string | null): NodeId | null {
		if (node === null || this.standbys.includes(node as NodeId)) return node as NodeId | null;
		throw swarmErrors.nodeUnknown({ node, members: this.standbys });
	}

	async #change(operation: MembershipOperation): Promise<void> {
		this.#requireAlive();
		await this.#changes.change(operation);
	}

	#administrating(): ByzantineClient {
		if (this.#administrator === null) {
			const { id, port } = this.#identities.administrator();
			this.#administrator = new ByzantineClient(id, port, this.#access());
			this.#clients.push(this.#administrator);
		}
		return this.#administrator;
	}

	async #stop(): Promise<void> {
		this.#reportStop();
		for (const client of this.#clients) client.close(this.#failure ?? swarmErrors.swarmStopped({}));
		try {
			await this.#system.stop();
		} finally {
			this.#threads.stop();
			this.#subscription?.unsubscribe();
			this.#told$.complete();
			await this.#backend.dispose?.();
		}
	}

	#isolateIfWanted(culprit: NodeId): void {
		if (!this.#options.isolateConvicted || !this.nodes.includes(culprit)) return;
		const replacement = this.standbys.find((node) => this.convictions.every((known) => known.culprit !== node)) ?? null;
		this.isolate(culprit, { replacement }).catch((error: unknown) => {
			this.#tell({ type: "isolation-refused", culprit, error: errorToObject(error) }, ROOT_NAME, culprit);
		});
	}

	#tell(happening: ByzantineHappening, origin: string, node: NodeId | null = null): void {
		this.#told$.next({ ...happening, atMs: this.#backend.backend.ports.clock.nowMs(), origin, node });
	}

	#fail(error: QuorateError): void {
		if (this.#failure !== null || this.#stopping !== null) return;
		this.#failure = error;
		this.#tell({ type: "group-failed", error: errorToObject(error) }, ROOT_NAME);
		for (const client of this.#clients) client.close(error);
		this.#reportFailure(error);
	}

	#requireAlive(): void {
		if (this.#failure !== null) throw this.#failure;
		if (this.#stopping !== null) throw swarmErrors.swarmStopped({});
	}

	#member(node: string): NodeId {
		if (this.nodes.includes(node as NodeId)) return node as NodeId;
		throw swarmErrors.nodeUnknown({ node: String(node), members: this.nodes });
	}

	#access(): ByzantineAccess {
		const { group, clientWindow, requestMaxBytes } = this.#options;
		const membership = this.#membership;
		return {
			cluster: group,
			get configuration(): Configuration {
				return membership.configuration;
			},
			clock: this.#backend.backend.ports.clock,
			clientWindow,
			operationBytesMax: requestMaxBytes,
			firstTimestamp: this.#identities.firstTimestamp,
			isTentative: this.#options.tuning.executesTentatively ?? false,
			primary: () => this.primary.primary,
			ask: (node, request, timeoutMs, asker) => {
				must(this.#desk ?? undefined, "clients come after the start").ask(node, request, timeoutMs, asker);
			},
		};
	}

	async #refOf(node: NodeId): Promise<ActorRef> {
		const found = await this.#system.lookup(participantName(this.#options.group, node));
		if (found === null) throw swarmErrors.nodeDown({ node });
		return found.speaking(pbftClientLayouts.protocol);
	}
}

function freshIdentities({ group, nodes, standbys, clientsMax }: CheckedByzantineGroup): Identities {
	// One more for the group's own client.
	return GroupIdentities.fresh(group, [...nodes, ...standbys], clientsMax + 1);
}
