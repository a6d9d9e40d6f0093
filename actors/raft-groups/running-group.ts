/** One of many groups, as long as it runs: what its user holds, and what the others' owner tells it. */
import type { Observable } from "rxjs";
import {
	type ErrorObject,
	errorFromObject,
	type Generator,
	type GroupId,
	must,
	type NodeId,
	type QuorateError,
} from "../../protocols/core/index.ts";
import {
	type ActorSystem,
	type Clock,
	IsolatedObservable,
	type StopReason,
	type ThreadEnd,
} from "../../runtime/actor/index.ts";
import type { PeerDownNotice } from "../participant/index.ts";
import { ApplyWatch } from "../swarm/apply-watch.ts";
import { GroupContact, STATUS_TIMEOUT_MS } from "../swarm/group-contact.ts";
import type { Place } from "../swarm/group-members.ts";
import { GroupView } from "../swarm/group-view.ts";
import type {
	ChangeOptions,
	ClientOptions,
	Leadership,
	MembershipView,
	NodeStatus,
	ReadOptions,
	SwarmClient,
} from "../swarm/index.ts";
import { Membership } from "../swarm/membership.ts";
import type { CheckedGroup } from "../swarm/options.ts";
import { groupSupervisorName } from "../swarm/tree.ts";
import type { RaftGroup } from "./contract.ts";
import * as errors from "./errors.ts";

/** What the owner of all groups lends. */
export interface GroupHost {
	readonly system: ActorSystem;
	readonly clock: Clock;
	readonly generator: Generator;
	/** Threads that have carried this node so far. */
	livesOf(node: NodeId): number;
	/** Why no group can be asked any more; null while they can. */
	ended(): QuorateError | null;
	/** This group has failed: its members are to be stopped. */
	failed(group: GroupRunner, error: QuorateError): void;
	/** A member may not take part any more under its name. */
	refused(group: GroupId, node: NodeId, error: QuorateError): void;
	/** A participant could not be started. */
	memberFailed(group: GroupId, error: unknown): void;
	observerThrew(error: unknown): void;
}

export class GroupRunner implements RaftGroup {
	readonly name: GroupId;
	/** Which of the groups it is, from 1. */
	readonly number: number;
	readonly view: GroupView;
	readonly supervisorName: string;
	readonly leader$: Observable<Leadership | null>;
	readonly failed: Promise<QuorateError>;
	readonly #host: GroupHost;
	readonly #contact: GroupContact;
	readonly #members: Membership;
	/** The index of the command that a thread was applying when it ended, for the watch that is asking. */
	#applyingIndex = 0;
	readonly #applyWatch: ApplyWatch = new ApplyWatch(() => this.#applyingIndex);
	#failure: QuorateError | null = null;
	#reportFailure: (error: QuorateError) => void = () => undefined;
	/** The last error with which a member failed: the likely reason when its supervisor gives up. */
	#lastError: ErrorObject | null = null;

	constructor(settings: CheckedGroup, host: GroupHost) {
		const { group, nodes, shared } = settings;
		this.name = group;
		this.number = must(shared, "a group among others has a number").groupNumber;
		this.#host = host;
		this.view = new GroupView(group, nodes);
		this.supervisorName = groupSupervisorName(group);
		this.leader$ = new IsolatedObservable(this.view.leader$, (error) => host.observerThrew(error));
		this.failed = new Promise((resolve) => {
			this.#reportFailure = resolve;
		});
		const running = {
			...settings,
			view: this.view,
			generator: host.generator.fork(group),
			refs: new Map(),
			clients: 0,
		};
		this.#contact = new GroupContact(running, {
			system: host.system,
			clock: host.clock,
			livesOf: (node) => host.livesOf(node),
			ended: () => this.#failure ?? host.ended(),
		});
		this.#members = new Membership(running, {
			access: () => this.#contact.access(),
			refOf: (node) => this.#contact.refOf(node),
			refused: (node, error) => host.refused(group, node, error),
			failed: (error) => host.memberFailed(group, error),
		});
	}

	get leader(): Leadership | null {
		return this.view.leader;
	}

	get nodes(): readonly NodeStatus[] {
		return this.view.nodes;
	}

	async propose<Result = unknown>(command: unknown): Promise<Result> {
		return this.#contact.sharedClient.propose<Result>(command);
	}

	async read<Answer = unknown>(query: unknown, options: ReadOptions = {}): Promise<Answer> {
		return this.#contact.sharedClient.read<Answer>(query, options);
	}

	client(options: ClientOptions = {}): SwarmClient {
		return this.#contact.newClient(options);
	}

	status(): Promise<readonly NodeStatus[]> {
		return this.#contact.statuses();
	}

	inspect<Answer = unknown>(node: string, query: unknown): Promise<Answer> {
		return this.#contact.inspect<Answer>(node, query);
	}

	membership(): Promise<MembershipView> {
		return this.#contact.membershipView();
	}

	/** @param deadlineMs on the system's clock; default: `timeoutMs` from now on */
	untilLeader(timeoutMs: number, deadlineMs?: number): Promise<Leadership> {
		return this.#contact.untilLeader(timeoutMs, deadlineMs);
	}

	async transferLeadership(to?: string, options: ChangeOptions = {}): Promise<Leadership> {
		const target = to === undefined ? null : this.#contact.member(to);
		const error = this.#failure ?? this.#host.ended();
		if (error !== null) throw error;
		const leadership = await this.#members.transfer(target, options);
		return leadership ?? (await this.untilLeader(STATUS_TIMEOUT_MS));
	}

	/** Starts the members. @throws QuorateError `child-start-failed` */
	begin(place: Place): Promise<void> {
		return this.#members.begin(place);
	}

	/** An event that is about this group's members or its supervisor. */
	heard(event: { readonly type: string } & Readonly<Record<string, unknown>>): void {
		this.#members.heard(event);
		if (event["supervisor"] !== this.supervisorName) return;
		if (event.type === "child-failed") {
			const reason = event["reason"] as StopReason;
			if (reason.type === "failed") this.#lastError = reason.error;
		}
		if (event.type === "supervisor-gave-up") this.#gaveUp(String(event["child"]));
	}

	#gaveUp(child: string): void {
		const error = this.#lastError;
		const what = `${child} failed more often than is tolerated`;
		const reason = error === null ? what : `${what}: ${error.message}`;
		this.#fail(
			errors.groupFailed({ group: this.name, reason }, error === null ? undefined : { cause: errorFromObject(error) }),
		);
	}

	/** The supervisor of this group's members has ended, whatever the reason. */
	supervisorEnded(): void {
		this.#fail(errors.groupFailed({ group: this.name, reason: "its supervisor has ended" }));
	}

	/**
	 * A node's thread has ended. Nobody in a silent group would notice by itself, so the other members are told: who followed the
	 * one that is down campaigns soon.
	 * @param applyingIndex the command of this group that the thread was applying; 0 if none
	 */
	threadEnded(node: NodeId, end: ThreadEnd, applyingIndex: number): void {
		this.#applyingIndex = applyingIndex;
		const fatal = this.#applyWatch.ended(node, end);
		if (fatal !== null) {
			this.#fail(errors.groupFailed({ group: this.name, reason: fatal.message }, { cause: fatal }));
			return;
		}
		for (const other of this.view.members) {
			// Who can not be told is down too: it will ask the others when it is back.
			if (other !== node) this.#tellDown(other, node).catch(() => undefined);
		}
	}

	async #tellDown(to: NodeId, node: NodeId): Promise<void> {
		const ref = await this.#contact.refOf(to);
		await ref.tellWhenReady({ type: "participant-peer-down", node } satisfies PeerDownNotice);
	}

	#fail(error: QuorateError): void {
		if (this.#failure !== null || this.#host.ended() !== null) return;
		this.#failure = error;
		this.end(error);
		this.#reportFailure(error);
		this.#host.failed(this, error);
	}

	/** Whoever waits hears why; nobody is started any more. */
	end(error: Error): void {
		this.#members.end(error);
		this.#contact.endClients(error);
	}

	/** The last word about who leads. */
	complete(): void {
		this.view.complete();
	}
}
