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
	must,
	type NodeId,
	type ProtocolTypes,
	type RequestId,
	type StateMachine,
} from "../core/index.ts";

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

interface Member<P extends ProtocolTypes> {
	readonly node: NodeId;
	readonly place: number;
	machine: StateMachine<P>;
	isUp: boolean;
	durable: P["durable"];
	/** The event of each timer that is set. */
	readonly timers: Map<P["timer"], number>;
	readonly requests: Map<RequestId, (reply: P["reply"]) => void>;
	/** Until then it neither sends nor receives, while its clock and its timers go on. */
	mutedUntil: number;
}

const WINDOW_MS = 4_096;
const NOTHING = -1;
const GONE = 0;
const MESSAGE = 1;
const TIMER = 2;
const CALL = 3;

const batchEnded = { type: "batch-ended" } as const;

export class Crowd<P extends ProtocolTypes> {
	readonly #options: CrowdOptions<P>;
	readonly #dice: Generator;
	readonly #choices: Generator;
	readonly #members: Member<P>[];
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
	#window = 0;
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
		this.#members = options.nodes.map((node, place) => {
			assert(!this.#places.has(node), "every member has a name of its own", { node });
			this.#places.set(node, place);
			return {
				node,
				place,
				machine: options.machine(node, this.#choices, place),
				isUp: false,
				durable: options.durable(node),
				timers: new Map(),
				requests: new Map(),
				mutedUntil: 0,
			};
		});
	}

	get size(): number {
		return this.#members.length;
	}

	machine(place: number): StateMachine<P> {
		return this.#member(place).machine;
	}

	isUp(place: number): boolean {
		return this.#member(place).isUp;
	}

	nodeAt(place: number): NodeId {
		return this.#member(place).node;
	}

	placeOf(node: NodeId): number {
		return must(this.#places.get(node), "the member exists");
	}

	/** Starts a member, the first time or again: with what is on its disk, or with `durable` in its place. */
	start(place: number, durable?: P["durable"]): void {
		const member = this.#member(place);
		assert(!member.isUp, "only a member that is down is started");
		member.machine = this.#options.machine(member.node, this.#choices, place);
		member.isUp = true;
		if (durable !== undefined) member.durable = durable;
		this.counts.inputs++;
		member.machine.step({ type: "start", durable: member.durable }, this.nowMs, this.#effects);
		this.#endBatch(member);
	}

	startAll(): void {
		for (let place = 0; place < this.size; place++) this.start(place);
	}

	/** Ends a member's life; its disk stays. */
	crash(place: number): void {
		const member = this.#member(place);
		assert(member.isUp, "only a member that is up can crash");
		member.isUp = false;
		for (const event of member.timers.values()) this.#kinds[event] = GONE;
		member.timers.clear();
		member.requests.clear();
	}

	/** For so long a member neither sends nor receives; then all of it happens at once, in order. Its timers go on. */
	mute(place: number, durationMs: number): void {
		const member = this.#member(place);
		member.mutedUntil = Math.max(member.mutedUntil, this.nowMs + durationMs);
	}

	request(place: number, request: P["request"], answered: (reply: P["reply"]) => void = ignore): void {
		const member = this.#member(place);
		assert(member.isUp, "only a member that is up can be asked");
		const requestId = this.#nextRequest++;
		member.requests.set(requestId, answered);
		this.counts.inputs++;
		member.machine.step({ type: "request", requestId, request }, this.nowMs, this.#effects);
		this.#endBatch(member);
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

	/** The buckets hold one window; events of the next come in when it begins. */
	#enterWindow(): void {
		const window = Math.floor(this.nowMs / WINDOW_MS);
		if (window === this.#window) return;
		this.#window = window;
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
		const member = this.#member(target);
		if (!member.isUp) {
			this.counts.undeliverable++;
			if (this.network.reportsUnreachable) this.#reportUnreachable(source, member.node);
			return;
		}
		if (member.mutedUntil > this.nowMs) {
			this.#schedule(member.mutedUntil, MESSAGE, target, source, message);
			return;
		}
		this.counts.inputs++;
		const from = this.#member(source).node;
		member.machine.step({ type: "message", from, message }, this.nowMs, this.#effects);
		this.#endBatch(member);
	}

	#reportUnreachable(source: number, peer: NodeId): void {
		const member = this.#member(source);
		if (!member.isUp) return;
		this.counts.inputs++;
		member.machine.step({ type: "peer-unreachable", peer }, this.nowMs, this.#effects);
		this.#endBatch(member);
	}

	#fire(target: number, timer: P["timer"]): void {
		const member = this.#member(target);
		member.timers.delete(timer);
		this.counts.inputs++;
		member.machine.step({ type: "timer", timer }, this.nowMs, this.#effects);
		this.#endBatch(member);
	}

	#endBatch(member: Member<P>): void {
		const effects = this.#effects;
		member.machine.step(batchEnded, this.nowMs, effects);
		for (let i = 0; i < effects.length; i++) this.#perform(member, effects[i] as Effect<P>);
		effects.length = 0;
	}

	#perform(member: Member<P>, effect: Effect<P>): void {
		switch (effect.type) {
			case "send":
				this.#send(member, effect.to, effect.message);
				return;
			case "set-timer":
				this.#setTimer(member, effect.timer, this.#between(effect.afterMs));
				return;
			case "cancel-timer":
				this.#cancelTimer(member, effect.timer);
				return;
			case "persist":
				member.durable = this.#options.perform(member.durable, effect.write);
				return;
			case "emit":
				this.#options.observe?.(member.place, effect.event, this.nowMs);
				return;
			case "apply":
				this.#options.deliver?.(member.place, effect.delivery);
				return;
			case "reply": {
				const answered = member.requests.get(effect.requestId);
				member.requests.delete(effect.requestId);
				answered?.(effect.reply);
				return;
			}
			case "read":
				assert(false, "a crowd has no disk to read from");
				return;
			default:
				assertNever(effect, "effect");
		}
	}

	#send(member: Member<P>, to: NodeId, message: P["message"]): void {
		const { counts, network } = this;
		const target = this.#places.get(to);
		counts.messages++;
		if (this.#options.bytesOf !== undefined) counts.bytes += this.#options.bytesOf(message);
		if (target === undefined) {
			counts.undeliverable++;
			return;
		}
		this.#options.sent?.(member.place, target, message);
		if (network.isCut?.(member.place, target) || (network.lossChance > 0 && this.#dice.chance(network.lossChance))) {
			counts.lost++;
			return;
		}
		const leavesAt = Math.max(this.nowMs, member.mutedUntil);
		this.#schedule(leavesAt + this.#between(network.latencyMs), MESSAGE, target, member.place, message);
	}

	#setTimer(member: Member<P>, timer: P["timer"], delayMs: number): void {
		this.#cancelTimer(member, timer);
		member.timers.set(timer, this.#schedule(this.nowMs + delayMs, TIMER, member.place, NOTHING, timer));
	}

	#cancelTimer(member: Member<P>, timer: P["timer"]): void {
		const event = member.timers.get(timer);
		if (event === undefined) return;
		this.#kinds[event] = GONE;
		member.timers.delete(timer);
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
		const window = Math.floor(at / WINDOW_MS);
		if (window === this.#window) {
			this.#append(event, at);
			return event;
		}
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
