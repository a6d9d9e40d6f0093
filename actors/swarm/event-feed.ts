/**
 * From what the system, its threads and its actors tell to what a swarm's user is told: one stream, each event with its
 * time and origin, and the view of the group kept up to date on the way.
 */
import { type Observable, Subject } from "rxjs";
import type { NodeId } from "../../protocols/core/index.ts";
import type { RaftEvent } from "../../protocols/raft/index.ts";
import type { Clock, ThreadEvent } from "../../runtime/actor/index.ts";
import type { SupervisionEvent, ThreadSupervisionEvent } from "../../supervisors/index.ts";
import { participantName } from "../participant/index.ts";
import type { SwarmEvent, SwarmHappening } from "./contract.ts";
import type { GroupView } from "./group-view.ts";

/** An event as actors publish it: a type, and whatever belongs to it. */
type Published = { readonly type: string } & Readonly<Record<string, unknown>>;

type Told<T extends string> = { readonly [K in T]: true };

// Records and not lists: the compiler then insists that each type is there.
const raftTypes: Told<Exclude<RaftEvent["type"], "commit-advanced">> = {
	"role-changed": true,
	"log-compacted": true,
	"snapshot-installed": true,
	"snapshot-send-started": true,
	"quorum-lost": true,
	"configuration-changed": true,
	"configuration-committed": true,
	"transfer-begun": true,
	"transfer-completed": true,
	"transfer-given-up": true,
	"log-damaged": true,
	"log-repaired": true,
	"snapshot-damaged": true,
	"snapshot-repaired": true,
};
const supervisionTypes: Told<SupervisionEvent["type"]> = {
	"child-started": true,
	"child-failed": true,
	"child-restart-delayed": true,
	"child-start-failed": true,
	"child-restarted": true,
	"child-suspended": true,
	"child-stopped": true,
	"poison-message": true,
	"supervisor-gave-up": true,
	"supervisor-auto-shutdown": true,
	"supervisor-request-refused": true,
};
const threadTypes: Told<ThreadSupervisionEvent["type"]> = {
	"thread-stalled": true,
	"thread-restart-delayed": true,
	"thread-start-failed": true,
	"thread-restarted": true,
	"thread-gave-up": true,
};
const lifeTypes: Told<ThreadEvent["type"]> = {
	"thread-started": true,
	"thread-ended": true,
	"thread-released": true,
};

/** A member and what is known of its group. */
export interface KnownMember {
	readonly view: GroupView;
	readonly node: NodeId;
}

/** Whose events are told. */
export interface KnownMembers {
	/** The group of this name. */
	view(group: unknown): GroupView | null;
	/** The member whose actor has this name. */
	named(actor: string): KnownMember | null;
	/** The members on the thread of this name. */
	onThread(thread: string): readonly KnownMember[];
}

/** The members of one group, each on a thread of its own, or nobody. */
export function membersOf(view: GroupView | null): KnownMembers {
	const named = (name: string): KnownMember | null => {
		if (view === null) return null;
		const prefix = participantName(view.group, "");
		const node = name.startsWith(prefix) ? name.slice(prefix.length) : "";
		return view.has(node) ? { view, node } : null;
	};
	return {
		view: (group) => (view?.group === group ? view : null),
		named,
		onThread: (thread) => {
			const member = named(thread);
			return member === null ? [] : [member];
		},
	};
}

/** One swarm's events. */
export class EventFeed {
	readonly #clock: Clock;
	readonly #members: KnownMembers;
	readonly #told: (event: SwarmEvent) => void;
	readonly #events$ = new Subject<SwarmEvent>();

	#hasEnded = false;

	/** @param told hears of each event after all who listen, so that what it has to tell of it comes after it */
	constructor(clock: Clock, members: KnownMembers, told: (event: SwarmEvent) => void = () => undefined) {
		this.#clock = clock;
		this.#members = members;
		this.#told = told;
	}

	/** Nothing more can be told. */
	get hasEnded(): boolean {
		return this.#hasEnded;
	}

	get events$(): Observable<SwarmEvent> {
		return this.#events$.asObservable();
	}

	/** An event of the system's stream. */
	published(event: { readonly type: string }): void {
		const { type } = event;
		const values = event as Published;
		if (type in raftTypes || type === "participant-started") this.#ofMember(values);
		else if (type in supervisionTypes) this.#ofSupervisor(values);
		else if (type in threadTypes) this.#tell(event as SwarmHappening, String(values["name"]));
		else if (type === "dead-letter") this.#tell(event as SwarmHappening, "system");
		else if (type in lifeTypes) this.#ofThread(event as ThreadEvent);
		else if (type === "storage-failed") this.#tell(event as SwarmHappening, "storage");
		else {
			const origin = values["publisher"] ?? values["name"];
			this.#tell({ type: "published", event }, typeof origin === "string" ? origin : "system");
		}
	}

	#ofThread(event: ThreadEvent): void {
		const members = this.#members.onThread(event.name);
		switch (event.type) {
			case "thread-started":
				for (const { view, node } of members) view.threadStarted(node, event.lives);
				this.#tell({ type: "thread-started", lives: event.lives }, event.name);
				break;
			case "thread-ended":
				for (const { view, node } of members) view.down(node);
				this.#tell({ type: "thread-ended", end: event.end }, event.name);
				break;
			case "thread-released":
				break;
		}
	}

	/** Something that the swarm itself has to tell. */
	tell(happening: SwarmHappening, origin: string): void {
		this.#tell(happening, origin);
	}

	complete(): void {
		this.#hasEnded = true;
		this.#events$.complete();
	}

	#ofMember(event: Published): void {
		const view = this.#members.view(event["group"]);
		const node = event["node"] as NodeId;
		if (view === null || !view.has(node)) return;
		if (event.type === "participant-started") view.started(node, event["restarts"] as number);
		if (event.type === "role-changed") {
			const { role, term, leader } = event as unknown as Extract<RaftEvent, { type: "role-changed" }>;
			view.roleChanged(node, role, term, leader);
		}
		this.#tell(event as unknown as SwarmHappening, participantName(view.group, node));
	}

	#ofSupervisor(event: Published): void {
		const child = String(event["child"]);
		const member = this.#members.named(child);
		if (event.type === "child-failed" || event.type === "child-stopped") member?.view.down(member.node);
		this.#tell(event as unknown as SwarmHappening, member === null ? String(event["supervisor"]) : child);
	}

	#tell(happening: SwarmHappening, origin: string): void {
		const event: SwarmEvent = { ...happening, atMs: this.#clock.nowMs(), origin, node: this.nodeNamed(origin) };
		this.#events$.next(event);
		this.#told(event);
	}

	/** The member whose actor has this name. */
	nodeNamed(name: string): NodeId | null {
		return this.#members.named(name)?.node ?? null;
	}
}
