/**
 * One member of a group as the checker's host keeps it: the machine, its disk, what waits for the disk, and its timers.
 * Here the shipped `step` is called, once for each distinct (member, input); everything else works on numbers.
 */
import {
	assertNever,
	compareIds,
	type Effect,
	type Input,
	type NodeId,
	type ProtocolTypes,
	type StateMachine,
	type WriteId,
} from "../../core/index.ts";
import type { GroupObservation } from "../observation.ts";
import { reasonOf } from "./errors.ts";
import type { Envelope, GroupPort } from "./group-model.ts";

/** Immutable once made; its machine is never stepped, only copied. */
export interface Member<P extends ProtocolTypes> {
	readonly node: NodeId;
	readonly machine: StateMachine<P>;
	readonly durable: P["durable"];
	/** Persists that are not durable yet, oldest first. */
	readonly unfinished: readonly { readonly writeId: WriteId; readonly write: P["write"] }[];
	/** Effects that wait, each for the persist `after` and all before it. */
	readonly held: readonly HeldEffect<P>[];
	/** The timers that are set, in code-unit order, but for silent ones. */
	readonly timers: readonly P["timer"][];
}

type HeldEffect<P extends ProtocolTypes> = { readonly after: WriteId; readonly effect: Effect<P> };

/** What may happen to a member. */
export type MemberInput<P extends ProtocolTypes> =
	| { readonly type: "message"; readonly from: NodeId; readonly message: P["message"] }
	| { readonly type: "timer"; readonly timer: P["timer"] }
	| { readonly type: "request"; readonly requestId: number; readonly request: P["request"] }
	/** The oldest unfinished persist becomes durable. */
	| { readonly type: "disk" }
	/** It loses all but the first `survivors` unfinished persists, and starts again. */
	| { readonly type: "crash"; readonly survivors: number };

/** What came of an input. */
export interface MemberStep<P extends ProtocolTypes, View> {
	readonly member: Member<P>;
	readonly sent: readonly Envelope<P>[];
	/** In order. The views are of machines that nobody steps any more. */
	readonly observations: readonly GroupObservation<P, View>[];
	/** What the machine threw, if it did. */
	readonly failure: string | null;
}

export interface StepMode {
	readonly disk: "synchronous" | "asynchronous";
	/** With a synchronous disk: the member crashes right after the input's immediate effects; so many persists survive. */
	readonly crashWith: number | null;
	/** Eager timers of the port fire at once. */
	readonly isReduced: boolean;
}

/** A member's first life, on a blank disk. */
export function bootMember<P extends ProtocolTypes, View>(
	port: GroupPort<P, View>,
	node: NodeId,
	mode: StepMode,
): MemberStep<P, View> {
	const run = new MemberRun(port, node, port.create(node), port.blank);
	return run.perform(() => {
		run.start();
		if (mode.disk === "synchronous") run.finishWrites();
	});
}

/**
 * What comes of one input; `member` stays as it is. Null: the crash that was asked for in the middle of it is none of its
 * own, since nothing had left before, or nothing was lost.
 */
export function stepMember<P extends ProtocolTypes, View>(
	port: GroupPort<P, View>,
	member: Member<P>,
	input: MemberInput<P>,
	mode: StepMode,
): MemberStep<P, View> | null {
	const run = new MemberRun(port, member.node, member.machine, member.durable);
	run.resume(member);
	let isPossible = true;
	const step = run.perform(() => {
		takeInput(run, input);
		if (mode.crashWith !== null) {
			isPossible = run.isCrashVisible(mode.crashWith);
			run.crash(mode.crashWith);
		}
		if (mode.disk === "synchronous") run.finishWrites();
		if (mode.isReduced) run.fireEager();
	});
	return isPossible ? step : null;
}

function takeInput<P extends ProtocolTypes, View>(run: MemberRun<P, View>, input: MemberInput<P>): void {
	switch (input.type) {
		case "message":
		case "request":
			run.stepBatch(input);
			return;
		case "timer":
			run.timers.delete(input.timer);
			run.stepBatch(input);
			return;
		case "disk":
			run.finishOldest();
			return;
		case "crash":
			run.crash(input.survivors);
			return;
		default:
			assertNever(input, "input of a member");
	}
}

/** A member while one thing happens to it. */
class MemberRun<P extends ProtocolTypes, View> {
	readonly #port: GroupPort<P, View>;
	readonly #node: NodeId;
	#machine: StateMachine<P>;
	#durable: P["durable"];
	#unfinished: { readonly writeId: WriteId; readonly write: P["write"] }[] = [];
	#held: HeldEffect<P>[] = [];
	readonly timers = new Set<P["timer"]>();
	readonly #sent: Envelope<P>[] = [];
	readonly #observations: GroupObservation<P, View>[] = [];

	constructor(port: GroupPort<P, View>, node: NodeId, machine: StateMachine<P>, durable: P["durable"]) {
		this.#port = port;
		this.#node = node;
		this.#machine = machine;
		this.#durable = durable;
	}

	resume({ unfinished, held, timers }: Member<P>): void {
		this.#unfinished = unfinished.slice();
		this.#held = held.slice();
		for (const timer of timers) this.timers.add(timer);
	}

	/** Does something and says what came of it. A machine that throws has broken an invariant of its own. */
	perform(action: () => void): MemberStep<P, View> {
		let failure: string | null = null;
		try {
			action();
		} catch (thrown) {
			failure = reasonOf(thrown);
		}
		const member: Member<P> = {
			node: this.#node,
			machine: this.#machine,
			durable: this.#durable,
			unfinished: this.#unfinished,
			held: this.#held,
			timers: [...this.timers].sort(compareIds),
		};
		return { member, sent: this.#sent, observations: this.#observations, failure };
	}

	start(): void {
		this.#observations.push({ type: "started", node: this.#node });
		this.stepBatch({ type: "start", durable: this.#durable });
	}

	/** One input, closed as a batch, and its effects. */
	stepBatch(input: Input<P>): void {
		// Earlier views are of the machine as it was.
		const machine = this.#machine.copy();
		this.#machine = machine;
		const effects: Effect<P>[] = [];
		machine.step(input, 0, effects);
		machine.step({ type: "batch-ended" }, 0, effects);
		const node = this.#node;
		this.#observations.push({ type: "batch", node, effects, machine: this.#port.view(machine) });
		for (const effect of effects) this.#perform(effect);
	}

	finishWrites(): void {
		while (this.#unfinished.length > 0) this.finishOldest();
	}

	/** The oldest persist becomes durable, what waited for it leaves, and the machine is told. */
	finishOldest(): void {
		const oldest = this.#unfinished.shift();
		if (oldest === undefined) return;
		const { writeId, write } = oldest;
		this.#persist(write);
		while (this.#held.length > 0 && this.#held[0]!.after <= writeId) this.#release(this.#held.shift()!.effect);
		this.stepBatch({ type: "write-completed", writeId });
	}

	fireEager(): void {
		const timer = this.#port.eagerTimer?.(this.#machine.state) ?? null;
		if (timer === null || !this.timers.delete(timer)) return;
		this.stepBatch({ type: "timer", timer });
	}

	/** Whether a crash now is another one than before the input: something has left, and a persist is lost. */
	isCrashVisible(survivors: number): boolean {
		return survivors < this.#unfinished.length && this.#sent.length > 0;
	}

	crash(survivors: number): void {
		for (const { write } of this.#unfinished.slice(0, survivors)) this.#persist(write);
		this.#observations.push({ type: "ended", node: this.#node });
		this.#unfinished = [];
		this.#held = [];
		this.timers.clear();
		this.#machine = this.#port.create(this.#node);
		this.start();
	}

	#persist(write: P["write"]): void {
		this.#durable = this.#port.performWrite(this.#durable, write);
		this.#observations.push({ type: "persisted", node: this.#node, durable: this.#durable });
	}

	#perform(effect: Effect<P>): void {
		const newest = this.#unfinished.at(-1);
		const isHeld = "release" in effect && effect.release === "after-durable" && newest !== undefined;
		if (isHeld) this.#held.push({ after: newest.writeId, effect });
		else this.#release(effect);
	}

	#release(effect: Effect<P>): void {
		switch (effect.type) {
			case "send": {
				const { to, message } = effect;
				const from = this.#node;
				this.#sent.push({ from, to, message });
				this.#observations.push({ type: "left", from, to, message, durable: this.#durable });
				return;
			}
			case "persist":
				this.#unfinished.push(effect);
				return;
			case "set-timer":
				if (this.#port.silentTimers?.includes(effect.timer) !== true) this.timers.add(effect.timer);
				return;
			case "cancel-timer":
				this.timers.delete(effect.timer);
				return;
			case "emit":
				this.#observations.push({ type: "event", node: this.#node, event: effect.event });
				return;
			case "apply":
			case "reply":
			case "read":
				// Observers have them from the batch; see `group-model.ts` for what is never answered.
				return;
			default:
				assertNever(effect, "effect");
		}
	}
}

/** A member as plain data, equal for members that behave alike: what matters of its machine and its disk, and what waits. */
export function plainMember<P extends ProtocolTypes>(member: Member<P>, essence: unknown, durable: unknown): unknown {
	const { node, unfinished, held, timers } = member;
	const place = new Map(unfinished.map(({ writeId }, i) => [writeId, i]));
	return [
		node,
		essence,
		durable,
		unfinished.map(({ write }) => write),
		held.map(({ after, effect }) => [place.get(after) ?? null, effect]),
		timers,
	];
}
