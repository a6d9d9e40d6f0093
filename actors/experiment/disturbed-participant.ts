/**
 * The shipped Raft participant with a network that has faults between its mailbox and its machine: what members run in an
 * experiment on threads.
 *
 * Why here and not in the lanes: (1) an ordinary swarm never loads this module, so the product has no switch and no branch
 * for it; (2) only the members' own messages are disturbed, as on a network: clients, supervisors and the storage use the
 * same lanes and must not be; (3) to the protocol, a message that was lost, held or copied at its receiver's edge is one
 * that was lost, held or copied on its way; (4) faults are read from shared memory, so a thread that has just been
 * restarted is under them at once, and no order has to pass a mailbox that another fault has filled.
 */
import { type NodeId, nodeId } from "../../protocols/core/index.ts";
import type { RaftMessage, RaftTypes } from "../../protocols/raft/index.ts";
import {
	type ActorContext,
	type ActorRef,
	type Address,
	type EnvelopeHead,
	FaultyNetwork,
} from "../../runtime/index.ts";
import {
	Participant,
	participantName,
	type RaftParticipantArgs,
	raftParticipantSettings,
} from "../participant/index.ts";
import { FaultBoardReader, memberOrders } from "./fault-board.ts";

/** How often the board is read while no message comes. */
const POLL_MS = 20;
/** What lanes are filled with: large, so that a full lane holds few of them. */
const FILLING = { type: "filling", text: "x".repeat(16_384) };
/** Told to one member at a time, at most; a lane that has grown as far as it may holds fewer. */
const FILLINGS_MAX = 1_024;

export interface DisturbedParticipantArgs extends RaftParticipantArgs {
	readonly board: SharedArrayBuffer;
}

/** Where this module is. */
export const disturbedParticipantModule: string = import.meta.url;

export class DisturbedParticipant extends Participant<RaftTypes> {
	readonly #group: string;
	readonly #node: NodeId;
	readonly #members: readonly NodeId[];
	readonly #board: FaultBoardReader;
	/** By the numbers that the board gives them. */
	readonly #inForce = new Map<number, { remove(): void }>();
	#life: { readonly context: ActorContext; readonly network: FaultyNetwork } | null = null;
	/** Names the timers of messages that wait. */
	#delayed = 0;
	/** While this is so each message keeps the next ones in the mailbox. */
	#isHeld = false;
	/** Members that this one fills the lanes to. */
	readonly #filled = new Map<NodeId, ActorRef>();

	constructor({ board, ...args }: DisturbedParticipantArgs) {
		super(raftParticipantSettings(args));
		this.#group = args.group;
		this.#node = nodeId(args.node);
		this.#members = args.members.map(nodeId);
		this.#board = new FaultBoardReader(board);
	}

	override async started(context: ActorContext, restarts: number): Promise<void> {
		const network = new FaultyNetwork({
			generator: context.generator.fork("network-faults"),
			nodeOf: ({ actor }) => this.#members[actor] ?? null,
			delay: { type: "constant", ms: 0 },
		});
		this.#life = { context, network };
		await super.started(context, restarts);
		this.#poll(context);
	}

	/** A member that is told to take nothing out of its mailbox handles one message more, and then waits in its turn. */
	override receive(message: unknown, context: ActorContext): void | Promise<void> {
		super.receive(message, context);
		if (!this.#isHeld) return;
		return this.#released(context);
	}

	/** On the thread's clock, not on the actor's timers: those are held back with the mailbox. */
	async #released({ clock }: ActorContext): Promise<void> {
		const member = this.#members.indexOf(this.#node);
		while (this.#board.isTaken(member)) await new Promise<void>((resolve) => clock.schedule(POLL_MS, resolve));
		this.#isHeld = false;
	}

	protected override heard(from: NodeId, message: RaftMessage): void {
		if ((message as { readonly type: string }).type === FILLING.type) return;
		this.#readBoard();
		const life = this.#life;
		if (life === null || this.#inForce.size === 0) {
			super.heard(from, message);
			return;
		}
		const { network, context } = life;
		for (const { afterMs, gate } of network.deliveries(this.#head(from), message, context.clock.nowMs(), 0) ?? []) {
			const deliver = (): void => {
				super.heard(from, message);
				this.drained();
			};
			const later = (): void => {
				this.#delayed += 1;
				context.timers.run(`delayed-${this.#delayed}`, afterMs, deliver);
			};
			if (gate !== undefined) gate.pass(later);
			else if (afterMs > 0) later();
			else super.heard(from, message);
		}
	}

	/** What the network's policy looks at: members stand for their addresses. */
	#head(from: NodeId): EnvelopeHead {
		const at = (node: NodeId): Address => ({
			slot: 1 as Address["slot"],
			actor: this.#members.indexOf(node),
			incarnation: 0,
		});
		return {
			kind: "tell",
			sender: at(from),
			target: at(this.#node),
			correlation: 0,
			deadlineMs: 0,
			priority: "normal",
		};
	}

	#poll(context: ActorContext): void {
		context.timers.run("read-fault-board", POLL_MS, () => {
			this.#poll(context);
			this.#readBoard();
			this.#fillLanes(context);
		});
	}

	#fillLanes(context: ActorContext): void {
		for (const [index, member] of this.#members.entries()) {
			if (member === this.#node || !this.#board.isFilled(index)) {
				this.#filled.delete(member);
				continue;
			}
			const ref = this.#filled.get(member);
			if (ref === undefined) this.#find(member, context);
			for (let count = 0; count < FILLINGS_MAX && ref?.tell(FILLING) === "ok"; count++);
		}
	}

	#find(member: NodeId, context: ActorContext): void {
		context.lookup(participantName(this.#group, member)).then(
			(ref) => {
				if (ref !== null) this.#filled.set(member, ref);
			},
			// The registry is gone with the main thread's system: nobody is there to be disturbed any more.
			() => undefined,
		);
	}

	#readBoard(): void {
		const faults = this.#board.changed();
		if (faults !== null && this.#life !== null) {
			const { network } = this.#life;
			for (const [number, fault] of this.#inForce) {
				if (faults.some((one) => one.number === number)) continue;
				this.#inForce.delete(number);
				fault.remove();
			}
			for (const { number, fault } of faults) {
				if (!this.#inForce.has(number)) this.#inForce.set(number, network.add(fault));
			}
		}
		this.#obey();
	}

	/** What a thread can only do to itself. Each order is taken once: a thread that replaces this one is not under it. */
	#obey(): void {
		const order = this.#board.takeOrder(this.#members.indexOf(this.#node));
		if (order === memberOrders.none) return;
		if (order === memberOrders.exhaustMemory) exhaustMemory();
		if (order === memberOrders.hold) this.#isHeld = true;
		this.#board.stand(this.#members.indexOf(this.#node), order);
	}
}

/** Allocates until the thread's heap limit ends it. */
function exhaustMemory(): never {
	const hoard: unknown[] = [];
	// Some megabytes at a time: it is to be over before anybody takes it for a stall.
	for (;;) hoard.push(new Array(1_000_000).fill(0));
}
