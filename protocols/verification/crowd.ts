/**
 * A host for thousands of small machines at once: pure, in one process, on virtual time in whole milliseconds. One seed
 * decides every delay, loss and choice. What a participant's host does beyond that (holding effects for the disk, mailboxes,
 * threads) it leaves out: writes are durable at once and every input is a batch. For protocols whose safety rests on the
 * disk, use the deterministic simulator of `runtime/simulation`.
 *
 * Events are packed: a bucket for each millisecond of the present window, as linked lists through typed arrays, and later
 * windows as plain lists. To schedule and to take an event costs the same whatever the number of members.
 */
import {
	assert,
	assertNever,
	type ChoicePort,
	type Effect,
	Generator,
	type Input,
	must,
	type NodeId,
	type ProtocolTypes,
	type RequestId,
	type StateMachine,
} from "../core/index.ts";
import { NOTHING, TimerTable } from "./timer-table.ts";

/** How messages travel. It may be changed at any time. */
export interface CrowdNetwork {
	/** Probability that a message is lost, in [0, 1]. */
	lossChance: number;
	/** One way, uniform, in whole ms; at least 0. */
	latencyMs: { readonly min: number; readonly max: number };
	/** Whether a link is cut; asked for each message. Null: none is. */
	isCut: ((from: number, to: number) => boolean) | null;
	/** Whether a sender hears `peer-unreachable` when its message meets a member that is down, as a stream's would. Default false. */
	reportsUnreachable: boolean;
}

export interface CrowdOptions<P extends ProtocolTypes> {
	readonly seed: number;
	readonly nodes: readonly NodeId[];
	/** One life of a member. All draw from the same choices. */
	readonly machine: (node: NodeId, choices: ChoicePort, place: number) => StateMachine<P>;
	/** What a first boot starts from. */
	readonly durable: (node: NodeId) => P["durable"];
	/** What the disk holds after a write. */
	readonly perform: (durable: P["durable"], write: P["write"]) => P["durable"];
	readonly network?: Partial<CrowdNetwork>;
	/** Bytes of a message, for {@link CrowdCounts.bytes}. Default: not counted. */
	readonly bytesOf?: (message: P["message"]) => number;
	/** Told of every event of a member, by its place in `nodes`. */
	readonly observe?: (place: number, event: P["event"], nowMs: number) => void;
	/** Told of every message that leaves, lost or not. */
	readonly sent?: (from: number, to: number, message: P["message"]) => void;
	/** Performs what a member delivers to its application. */
	readonly deliver?: (place: number, delivery: P["delivery"]) => void;
}

export interface CrowdCounts {
	/** Inputs that were stepped, without the ends of batches. */
	inputs: number;
	messages: number;
	lost: number;
	bytes: number;
	/** Messages to members that were down or do not exist. */
	undeliverable: number;
}

/** What is looked at seldom; what every event needs of a member is in arrays by place. */
interface Member<P extends ProtocolTypes> {
	durable: P["durable"];
	/** Requests that wait for an answer; null while there are none. */
	requests: Map<RequestId, (reply: P["reply"]) => void> | null;
}

const WINDOW_MS = 4_096;
const GONE = 0;
const MESSAGE = 1;
const TIMER = 2;
const CALL = 3;

const batchEnded = { type: "batch-ended" } as const;

export class Crowd<P extends ProtocolTypes> {
	readonly #options: CrowdOptions<P>;
	readonly #dice: Generator;
	readonly #choices: Generator;
	/**
	 * By place. With ten thousand members an event costs the cache lines it touches, so that what every event needs lies in arrays
	 * of its own: machines, names, whether it is up, and until when it neither sends nor receives while its timers go on.
	 */
	readonly #machines: StateMachine<P>[] = [];
	readonly #nodes: readonly NodeId[];
	readonly #isUp: Uint8Array;
	readonly #mutedUntil: Float64Array;
	readonly #timers: TimerTable<P["timer"]>[] = [];
	readonly #members: Member<P>[] = [];
	readonly #places = new Map<NodeId, number>();
	readonly #effects: Effect<P>[] = [];
	#nextRequest = 1;
	/** The event store: one event an index. */
	#kinds = new Uint8Array(1_024);
	#targets = new Int32Array(1_024);
	#sources = new Int32Array(1_024);
	#next = new Int32Array(1_024);
	readonly #payloads: unknown[] = [];
	#used = 0;
	#firstFree = NOTHING;
	/** First and last event of each millisecond of the present window. */
	readonly #heads = new Int32Array(WINDOW_MS).fill(NOTHING);
	readonly #tails = new Int32Array(WINDOW_MS).fill(NOTHING);
	/** Events of later windows, with their times. */
	readonly #later = new Map<number, { readonly events: number[]; readonly times: number[] }>();
	#windowEndMs = WINDOW_MS;
	nowMs = 0;
	readonly network: CrowdNetwork;
	readonly counts: CrowdCounts = { inputs: 0, messages: 0, lost: 0, bytes: 0, undeliverable: 0 };

	constructor(options: CrowdOptions<P>) {
		this.#options = options;
		this.#dice = new Generator(options.seed, "crowd/network");
		this.#choices = new Generator(options.seed, "crowd/choices");
		this.network = {
			lossChance: 0,
			latencyMs: { min: 1, max: 1 },
			isCut: null,
			reportsUnreachable: false,
			...options.network,
		};
		this.#nodes = [...options.nodes];
		this.#isUp = new Uint8Array(this.#nodes.length);
		this.#mutedUntil = new Float64Array(this.#nodes.length);
		this.#nodes.forEach((node, place) => {
			assert(!this.#places.has(node), "every member has a name of its own", { node });
			this.#places.set(node, place);
			this.#machines.push(options.machine(node, this.#choices, place));
			this.#timers.push(new TimerTable());
			this.#members.push({ durable: options.durable(node), requests: null });
		});
	}

	get size(): number {
		return this.#nodes.length;
	}

	machine(place: number): StateMachine<P> {
		return must(this.#machines[place], "the member exists");
	}

	isUp(place: number): boolean {
		return this.#isUp[place] === 1;
	}

	nodeAt(place: number): NodeId {
		return must(this.#nodes[place], "the member exists");
	}

	placeOf(node: NodeId): number {
		return must(this.#places.get(node), "the member exists");
	}

	/** Starts a member, the first time or again: with what is on its disk, or with `durable` in its place. */
	start(place: number, durable?: P["durable"]): void {
		const member = this.#member(place);
		assert(!this.isUp(place), "only a member that is down is started");
		this.#machines[place] = this.#options.machine(this.nodeAt(place), this.#choices, place);
		this.#isUp[place] = 1;
		if (durable !== undefined) member.durable = durable;
		this.#step(place, { type: "start", durable: member.durable });
	}

	startAll(): void {
		for (let place = 0; place < this.size; place++) this.start(place);
	}

	/** Ends a member's life; its disk stays. */
	crash(place: number): void {
		assert(this.isUp(place), "only a member that is up can crash");
		this.#isUp[place] = 0;
		for (const event of this.#timersOf(place).clear()) this.#kinds[event] = GONE;
		this.#member(place).requests = null;
	}

	/** For so long a member neither sends nor receives; then all of it happens at once, in order. Its timers go on. */
	mute(place: number, durationMs: number): void {
		this.#mutedUntil[place] = Math.max(must(this.#mutedUntil[place], "the member exists"), this.nowMs + durationMs);
	}

	request(place: number, request: P["request"], answered: (reply: P["reply"]) => void = ignore): void {
		const member = this.#member(place);
		assert(this.isUp(place), "only a member that is up can be asked");
		const requestId = this.#nextRequest++;
		member.requests ??= new Map();
		member.requests.set(requestId, answered);
		this.#step(place, { type: "request", requestId, request });
	}

	/** Hands a member a message as if another had sent it, and the network had been quick. */
	inject(place: number, from: NodeId, message: P["message"]): void {
		this.#arrive(place, this.placeOf(from), message);
	}

	/** Calls back at a later time. */
	after(delayMs: number, call: () => void): void {
		this.#schedule(this.nowMs + delayMs, CALL, NOTHING, NOTHING, call);
	}

	/** Runs until this time, or until `isDone`, which is asked before each millisecond that has events. */
	run(untilMs: number, isDone?: () => boolean): boolean {
		for (; this.nowMs <= untilMs; this.nowMs++) {
			this.#enterWindow();
			if (this.#heads[this.nowMs % WINDOW_MS] === NOTHING) continue;
			if (isDone?.()) return true;
			this.#runMillisecond(this.nowMs % WINDOW_MS);
		}
		this.nowMs = untilMs;
		return isDone?.() ?? true;
	}

	#member(place: number): Member<P> {
		return must(this.#members[place], "the member exists");
	}

	#timersOf(place: number): TimerTable<P["timer"]> {
		return must(this.#timers[place], "the member exists");
	}

	/** The buckets hold one window; events of the next come in when it begins. */
	#enterWindow(): void {
		if (this.nowMs < this.#windowEndMs) return;
		const window = Math.floor(this.nowMs / WINDOW_MS);
		this.#windowEndMs = (window + 1) * WINDOW_MS;
		const due = this.#later.get(window);
		if (due === undefined) return;
		this.#later.delete(window);
		for (let i = 0; i < due.events.length; i++) this.#append(due.events[i] as number, due.times[i] as number);
	}

	#runMillisecond(bucket: number): void {
		for (;;) {
			const event = this.#heads[bucket] as number;
			if (event === NOTHING) return;
			const next = this.#next[event] as number;
			this.#heads[bucket] = next;
			if (next === NOTHING) this.#tails[bucket] = NOTHING;
			const kind = this.#kinds[event];
			const target = this.#targets[event] as number;
			const source = this.#sources[event] as number;
			const payload = this.#payloads[event];
			this.#payloads[event] = undefined;
			this.#next[event] = this.#firstFree;
			this.#firstFree = event;
			if (kind === MESSAGE) this.#arrive(target, source, payload as P["message"]);
			else if (kind === TIMER) this.#fire(target, payload as P["timer"]);
			else if (kind === CALL) (payload as () => void)();
		}
	}

	#arrive(target: number, source: number, message: P["message"]): void {
		if (this.#isUp[target] !== 1) {
			this.counts.undeliverable++;
			if (this.network.reportsUnreachable && this.isUp(source)) {
				this.#step(source, { type: "peer-unreachable", peer: this.nodeAt(target) });
			}
			return;
		}
		const mutedUntil = this.#mutedUntil[target] as number;
		if (mutedUntil > this.nowMs) this.#schedule(mutedUntil, MESSAGE, target, source, message);
		else this.#step(target, { type: "message", from: this.#nodes[source] as NodeId, message });
	}

	#fire(target: number, timer: P["timer"]): void {
		this.#timersOf(target).take(timer);
		this.#step(target, { type: "timer", timer });
	}

	/** One input is one batch. */
	#step(place: number, input: Input<P>): void {
		const effects = this.#effects;
		const machine = this.#machines[place] as StateMachine<P>;
		this.counts.inputs++;
		machine.step(input, this.nowMs, effects);
		machine.step(batchEnded, this.nowMs, effects);
		for (let i = 0; i < effects.length; i++) this.#perform(place, effects[i] as Effect<P>);
		// To set the length to 0 would give up the memory of the list with each step.
		while (effects.length > 0) effects.pop();
	}

	#perform(place: number, effect: Effect<P>): void {
		switch (effect.type) {
			case "send":
				this.#send(place, effect.to, effect.message);
				return;
			case "set-timer":
				this.#setTimer(place, effect.timer, this.#between(effect.afterMs));
				return;
			case "cancel-timer":
				this.#cancelTimer(place, effect.timer);
				return;
			case "persist":
				this.#persist(this.#member(place), effect.write);
				return;
			case "emit":
				this.#options.observe?.(place, effect.event, this.nowMs);
				return;
			case "apply":
				this.#options.deliver?.(place, effect.delivery);
				return;
			case "reply":
				this.#reply(this.#member(place), effect.requestId, effect.reply);
				return;
			case "read":
				assert(false, "a crowd has no disk to read from");
				return;
			default:
				assertNever(effect, "effect");
		}
	}

	#persist(member: Member<P>, write: P["write"]): void {
		member.durable = this.#options.perform(member.durable, write);
	}

	#reply({ requests }: Member<P>, requestId: RequestId, reply: P["reply"]): void {
		const answered = requests?.get(requestId);
		requests?.delete(requestId);
		answered?.(reply);
	}

	#send(place: number, to: NodeId, message: P["message"]): void {
		const { counts, network } = this;
		const target = this.#places.get(to);
		counts.messages++;
		if (this.#options.bytesOf !== undefined) counts.bytes += this.#options.bytesOf(message);
		if (target === undefined) {
			counts.undeliverable++;
			return;
		}
		this.#options.sent?.(place, target, message);
		if (network.isCut?.(place, target) || (network.lossChance > 0 && this.#dice.chance(network.lossChance))) {
			counts.lost++;
			return;
		}
		const leavesAt = Math.max(this.nowMs, this.#mutedUntil[place] as number);
		this.#schedule(leavesAt + this.#between(network.latencyMs), MESSAGE, target, place, message);
	}

	#setTimer(place: number, timer: P["timer"], delayMs: number): void {
		this.#cancelTimer(place, timer);
		this.#timersOf(place).set(timer, this.#schedule(this.nowMs + delayMs, TIMER, place, NOTHING, timer));
	}

	#cancelTimer(place: number, timer: P["timer"]): void {
		const event = this.#timersOf(place).take(timer);
		if (event !== NOTHING) this.#kinds[event] = GONE;
	}

	#between({ min, max }: { readonly min: number; readonly max: number }): number {
		return min === max ? min : min + this.#dice.below(Math.floor(max - min) + 1);
	}

	#schedule(atMs: number, kind: number, target: number, source: number, payload: unknown): number {
		// Events that were stepped in this millisecond may cause others in it, never earlier ones.
		const at = Math.max(this.nowMs, Math.ceil(atMs));
		const event = this.#allocate();
		this.#kinds[event] = kind;
		this.#targets[event] = target;
		this.#sources[event] = source;
		this.#payloads[event] = payload;
		if (at < this.#windowEndMs) {
			this.#append(event, at);
			return event;
		}
		const window = Math.floor(at / WINDOW_MS);
		let later = this.#later.get(window);
		if (later === undefined) {
			later = { events: [], times: [] };
			this.#later.set(window, later);
		}
		later.events.push(event);
		later.times.push(at);
		return event;
	}

	#append(event: number, at: number): void {
		const bucket = at % WINDOW_MS;
		const tail = this.#tails[bucket] as number;
		this.#next[event] = NOTHING;
		if (tail === NOTHING) this.#heads[bucket] = event;
		else this.#next[tail] = event;
		this.#tails[bucket] = event;
	}

	#allocate(): number {
		const free = this.#firstFree;
		if (free !== NOTHING) {
			this.#firstFree = this.#next[free] as number;
			return free;
		}
		if (this.#used === this.#kinds.length) this.#grow();
		return this.#used++;
	}

	#grow(): void {
		const length = 2 * this.#kinds.length;
		const [kinds, targets, sources, next] = [this.#kinds, this.#targets, this.#sources, this.#next];
		this.#kinds = new Uint8Array(length);
		this.#kinds.set(kinds);
		this.#targets = new Int32Array(length);
		this.#targets.set(targets);
		this.#sources = new Int32Array(length);
		this.#sources.set(sources);
		this.#next = new Int32Array(length);
		this.#next.set(next);
	}
}

function ignore(): void {}
