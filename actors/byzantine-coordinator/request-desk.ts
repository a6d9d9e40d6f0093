/**
 * Where the requests of all clients of a group leave this thread: those of one turn go to each member in one message, and a member's
 * answers of one turn come back in one. A message for each request cost a client more than its cryptography.
 *
 * It is an actor, so that members know whom to answer, and an answer counts as the member's whose actor has sent it.
 */
import type { NodeId } from "../../protocols/core/index.ts";
import type { ClientRequest, SequenceNumber, ViewNumber } from "../../protocols/pbft/index.ts";
import type { ActorContext, ActorRef, ActorSystem, Address, Behaviour, Clock } from "../../runtime/actor/index.ts";
import type {
	PbftClientAnswer,
	PbftClientRefusals,
	PbftClientRequests,
	PbftClientResults,
} from "../participant/index.ts";

/** Asks that may wait for an answer; one more fails at once, as if its member were down. */
export const DESK_ASKS_MAX = 65_536;
/** Bytes of operations in one message, beside the last one. */
const MESSAGE_BYTES_MAX = 64 * 1024;
/** How often asks are dropped whose time is over. */
const SWEEP_MS = 500;
const ASK_ID_MAX = 0xffff_ffff;

/** Who is told what becomes of an ask. Either is called at most once, in a turn of its own. */
export interface DeskAsker {
	answered(node: NodeId, answer: PbftClientAnswer): void;
	/** The member can not be reached now, or has not answered in time. */
	failed(node: NodeId): void;
}

interface Ask {
	readonly node: NodeId;
	readonly request: ClientRequest;
	readonly asker: DeskAsker;
	readonly deadlineMs: number;
	/** Whose answer counts; null until it is sent. */
	to: Address | null;
}

type DeskMessage = { readonly type: "flush" } | PbftClientResults | PbftClientRefusals;

export class RequestDesk implements Behaviour<DeskMessage> {
	readonly #clock: Clock;
	/** A member's actor. @throws QuorateError when there is none */
	readonly #refOf: (node: NodeId) => Promise<ActorRef>;
	readonly #refs = new Map<NodeId, ActorRef>();
	readonly #asks = new Map<number, Ask>();
	/** What leaves with the next flush, by member. */
	readonly #unsent = new Map<NodeId, number[]>();
	#lastId = 0;
	#self: ActorRef<DeskMessage> | null = null;
	#isFlushDue = false;

	private constructor(clock: Clock, refOf: (node: NodeId) => Promise<ActorRef>) {
		this.#clock = clock;
		this.#refOf = refOf;
	}

	/** Opens the desk of a group. It ends with the system. */
	static async open(
		system: ActorSystem,
		name: string,
		clock: Clock,
		refOf: (node: NodeId) => Promise<ActorRef>,
	): Promise<RequestDesk> {
		const desk = new RequestDesk(clock, refOf);
		await system.spawn({ name, behaviour: { local: () => desk } });
		return desk;
	}

	/** Asks one member, at the end of this turn. */
	ask(node: NodeId, request: ClientRequest, timeoutMs: number, asker: DeskAsker): void {
		if (this.#asks.size >= DESK_ASKS_MAX || this.#self === null) {
			queueMicrotask(() => asker.failed(node));
			return;
		}
		do this.#lastId = this.#lastId === ASK_ID_MAX ? 1 : this.#lastId + 1;
		while (this.#asks.has(this.#lastId));
		const id = this.#lastId;
		this.#asks.set(id, { node, request, asker, deadlineMs: this.#clock.nowMs() + timeoutMs, to: null });
		const unsent = this.#unsent.get(node);
		if (unsent === undefined) this.#unsent.set(node, [id]);
		else unsent.push(id);
		if (this.#isFlushDue) return;
		this.#isFlushDue = true;
		this.#self.tell({ type: "flush" });
	}

	/** A member's actor is gone for good. */
	forget(node: NodeId): void {
		this.#refs.delete(node);
	}

	started(context: ActorContext<DeskMessage>): void {
		this.#self = context.self;
		this.#sweepLater(context);
	}

	receive(message: DeskMessage, { sender }: ActorContext<DeskMessage>): void {
		switch (message.type) {
			case "flush":
				this.#flush();
				return;
			case "results":
				for (const { id, kind, timestamp, sequence, view, data } of message.results) {
					const ask = this.#answered(id, sender);
					if (ask === null) continue;
					const { client } = ask.request;
					const place = { sequence: sequence as SequenceNumber, view: view as ViewNumber };
					const answer: PbftClientAnswer =
						kind === "read-result"
							? { type: kind, client, timestamp, view: place.view, data }
							: { type: kind, client, timestamp, ...place, data };
					ask.asker.answered(ask.node, answer);
				}
				return;
			case "refusals":
				for (const { id, answer } of message.refusals) {
					const ask = this.#answered(id, sender);
					ask?.asker.answered(ask.node, answer);
				}
				return;
			default:
				// A faulty member may tell anything.
				return;
		}
	}

	stopping(): void {
		this.#self = null;
		for (const id of [...this.#asks.keys()]) this.#failed(id);
	}

	/** Takes the ask that an answer is for, if it was put to who answers. */
	#answered(id: number, sender: ActorRef | null): Ask | null {
		const ask = this.#asks.get(id);
		if (ask === undefined || ask.to === null || sender === null || !isSameActor(ask.to, sender.address)) return null;
		this.#asks.delete(id);
		return ask;
	}

	#failed(id: number): void {
		const ask = this.#asks.get(id);
		if (ask === undefined) return;
		this.#asks.delete(id);
		ask.asker.failed(ask.node);
	}

	#flush(): void {
		this.#isFlushDue = false;
		const unsent = [...this.#unsent];
		this.#unsent.clear();
		for (const [node, ids] of unsent) {
			const ref = this.#refs.get(node);
			if (ref !== undefined) this.#send(node, ref, ids);
			else {
				this.#refOf(node).then(
					(found) => {
						this.#refs.set(node, found);
						this.#send(node, found, ids);
					},
					() => {
						for (const id of ids) this.#failed(id);
					},
				);
			}
		}
	}

	#send(node: NodeId, ref: ActorRef, ids: readonly number[]): void {
		let asks: PbftClientRequests["asks"][number][] = [];
		let sizeBytes = 0;
		const tell = (): void => {
			const verdict = asks.length === 0 ? "ok" : ref.tell({ type: "requests", asks });
			if (verdict === "dead") this.#refs.delete(node);
			// Who has no room now, or is gone, is asked again later.
			if (verdict !== "ok") for (const { id } of asks) this.#failed(id);
			[asks, sizeBytes] = [[], 0];
		};
		for (const id of ids) {
			const ask = this.#asks.get(id);
			if (ask === undefined) continue;
			ask.to = ref.address;
			asks.push({ id, request: ask.request });
			sizeBytes += ask.request.operation.length;
			if (sizeBytes >= MESSAGE_BYTES_MAX) tell();
		}
		tell();
	}

	#sweepLater(context: ActorContext<DeskMessage>): void {
		context.timers.run("sweep", SWEEP_MS, () => {
			const nowMs = this.#clock.nowMs();
			for (const [id, { deadlineMs }] of [...this.#asks]) if (deadlineMs <= nowMs) this.#failed(id);
			this.#sweepLater(context);
		});
	}
}

function isSameActor(a: Address, b: Address): boolean {
	return a.slot === b.slot && a.actor === b.actor && a.incarnation === b.incarnation;
}
