/**
 * What the members of a group and its supervisors report, and what is taken of it. Members are believed as what up to f liars may
 * have said: a view counts when f + 1 tell it, evidence when it was checked here, an alarm when it proves a conflict.
 */
import type { NodeId, QuorateError } from "../../protocols/core/index.ts";
import {
	type Configuration,
	type Evidence,
	type PbftEvent,
	primaryOf,
	ViewEstimate,
} from "../../protocols/pbft/index.ts";
import { participantName } from "../participant/index.ts";
import { FailureWatch } from "../swarm/failure-watch.ts";
import { groupSupervisorName, ROOT_NAME } from "../swarm/tree.ts";
import { memberSupervisorName } from "./byzantine-tree.ts";
import type { ByzantineHappening, Conviction, Primacy } from "./contract.ts";
import type { Convictions } from "./convictions.ts";
import * as errors from "./errors.ts";
import type { GroupMembership } from "./group-membership.ts";
import type { MemberReadings } from "./member-readings.ts";
import type { CheckedByzantineGroup } from "./options.ts";

type MemberEvent = PbftEvent | { readonly type: "participant-started"; readonly restarts: number };

export interface ReportsWorld {
	readonly options: CheckedByzantineGroup;
	/** The name of the storage's actor. */
	readonly storage: string;
	readonly membership: GroupMembership;
	readonly convictions: Convictions;
	readonly readings: MemberReadings;
	readonly nowMs: () => number;
	readonly tell: (happening: ByzantineHappening, origin: string, node: NodeId | null) => void;
	/** A proof against a member that nothing was proved of before. */
	readonly convicted: (conviction: Conviction) => void;
	/** f + 1 members have entered a configuration that is in {@link membership} now. */
	readonly membersChanged: () => void;
	/** The group can not go on. */
	readonly fail: (error: QuorateError) => void;
}

export class MemberReports {
	readonly #world: ReportsWorld;
	readonly #watch: FailureWatch;
	#views: ViewEstimate;
	/** Members that have failed so often that nobody starts them any more. */
	readonly #givenUp = new Set<NodeId>();

	constructor(world: ReportsWorld) {
		this.#world = world;
		this.#watch = new FailureWatch(world.storage, groupSupervisorName(world.options.group));
		this.#views = new ViewEstimate(world.membership.configuration);
	}

	/** Who leads, as far as f + 1 members have told. */
	get primary(): Primacy {
		const { view } = this.#views;
		return { primary: primaryOf(this.#world.membership.configuration, view), view };
	}

	/** Forgets that a member was given up: it is started anew. */
	forget(node: NodeId): void {
		this.#givenUp.delete(node);
	}

	/** An event of the actor system or of the supervisor of threads. */
	heard(event: { readonly type: string }): void {
		const { options } = this.#world;
		const failure = this.#watch.heard(event);
		const values = event as Readonly<Record<string, unknown>>;
		const node = this.#nodeOf(values);
		if (node !== null && values["group"] === options.group) this.#ofMember(node, event as MemberEvent);
		else if (node !== null && event.type === "thread-started") this.#threadStarted(node, values["lives"] as number);
		else if (node !== null && event.type === "thread-ended") {
			this.#threadEnded(node, (values["end"] as { readonly cause: string }).cause);
		} else this.#tell({ type: "published", event }, String(values["publisher"] ?? values["name"] ?? "system"), node);
		if (event.type === "supervisor-gave-up") this.#gaveUp(String(values["supervisor"]));
		if (failure !== null) this.#world.fail(failure);
	}

	#tell(happening: ByzantineHappening, origin: string, node: NodeId | null = null): void {
		this.#world.tell(happening, origin, node);
	}

	#threadStarted(node: NodeId, lives: number): void {
		this.#world.readings.threadStarted(node, lives);
		this.#tell({ type: "thread-started", lives }, participantName(this.#world.options.group, node), node);
	}

	#threadEnded(node: NodeId, cause: string): void {
		this.#world.readings.threadEnded(node);
		this.#tell({ type: "thread-ended", cause }, participantName(this.#world.options.group, node), node);
	}

	/** One that is given up is one of the f; with more of them nothing is decided any more. */
	#gaveUp(supervisor: string): void {
		const { group } = this.#world.options;
		const { members, faults } = this.#world.membership.configuration;
		const node = members.find((member) => memberSupervisorName(group, member) === supervisor);
		if (node === undefined) return;
		this.#givenUp.add(node);
		this.#tell({ type: "member-given-up" }, ROOT_NAME, node);
		const lost = members.filter((member) => this.#givenUp.has(member));
		if (lost.length > faults) this.#world.fail(errors.membersGivenUp({ members: lost, faults }));
	}

	/** Which member an event is about: by its own word if its actor published it, else by the name of its thread. */
	#nodeOf(values: Readonly<Record<string, unknown>>): NodeId | null {
		const { group, nodes, standbys } = this.#world.options;
		const publisher = String(values["publisher"] ?? values["name"] ?? "");
		const prefix = participantName(group, "");
		const node = publisher.startsWith(prefix) ? publisher.slice(prefix.length) : "";
		return nodes.includes(node as NodeId) || standbys.includes(node as NodeId) ? (node as NodeId) : null;
	}

	#ofMember(node: NodeId, event: MemberEvent): void {
		this.#tell(event, participantName(this.#world.options.group, node), node);
		switch (event.type) {
			case "participant-started":
				this.#world.readings.participantStarted(node);
				break;
			case "view-entered": {
				const before = this.#views.view;
				this.#views.note(node, event.view);
				if (this.#views.view > before) this.#tell({ type: "primary-changed", ...this.primary }, ROOT_NAME);
				break;
			}
			case "configuration-entered":
				this.#entered(node, event.configuration);
				break;
			case "evidence":
				this.#accused(node, event.evidence);
				break;
			case "alarm": {
				const culprits = this.#world.convictions.conflict(event.conflict);
				// An alarm that proves nothing is one more lie.
				if (culprits === null) break;
				this.#world.fail(errors.groupHalted({ sequence: event.conflict.first.sequence, culprits }));
				break;
			}
			default:
				break;
		}
	}

	#accused(toldBy: NodeId, evidence: Evidence): void {
		const conviction = this.#world.convictions.told(toldBy, evidence, this.#world.nowMs());
		if (conviction === null) return;
		this.#tell({ type: "member-convicted", conviction }, ROOT_NAME, conviction.culprit);
		this.#world.convicted(conviction);
	}

	#entered(node: NodeId, told: Configuration): void {
		const configuration = this.#world.membership.told(node, told);
		if (configuration === null) return;
		// Each epoch has its own views.
		this.#views = new ViewEstimate(configuration);
		this.#world.membersChanged();
		this.#tell({ type: "members-changed", configuration }, ROOT_NAME);
		this.#tell({ type: "primary-changed", ...this.primary }, ROOT_NAME);
	}
}
