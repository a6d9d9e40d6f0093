/** A gossip group on virtual time, in one thread: crashes, loss and slow members, and what the others make of them. */
import { Generator, type NodeId, nodeId } from "../../protocols/core/index.ts";
import {
	MemberDirectory,
	type MemberUpdate,
	messageBytes,
	type SwimEvent,
	SwimMachine,
	type SwimProfile,
	type SwimTypes,
	swimConfig,
} from "../../protocols/gossip/index.ts";
import { Crowd } from "../../protocols/verification/index.ts";

export interface GossipSimulationPlan {
	readonly seed: number;
	readonly nodes: number;
	readonly profile: SwimProfile;
	/** Members that crash at once, when a sixth of the time is over. */
	readonly crashes: number;
	readonly lossChance: number;
	/** Members that are mute for eight seconds, again and again, for a quarter of a second well in between. */
	readonly slow: number;
	/** Virtual ms. */
	readonly forMs: number;
}

export interface GossipSimulationReport {
	/** Virtual ms from the crash until the first, and until the last member holds each crashed one dead; null if not all do. */
	readonly detections: readonly {
		readonly node: string;
		readonly firstMs: number | null;
		readonly allMs: number | null;
	}[];
	/** Members that were up and not slow, held dead by somebody. */
	readonly falsePositives: number;
	/** Rounds (gossip intervals) until each event had reached all that were up, and how many it reached of them. */
	readonly events: readonly { readonly rounds: number; readonly heard: number; readonly due: number }[];
	readonly messages: number;
	readonly bytes: number;
	readonly inputs: number;
	/** Members that are up and see exactly those that are up, in the end. */
	readonly wholeViews: number;
	readonly up: number;
	readonly virtualMs: number;
}

const MUTE_MS = 8_000;
const WELL_MS = 250;
/** Between events that are spread. */
const EVENT_EVERY_MS = 5_000;
/** What an event gets to reach everybody before the end. */
const EVENT_TAIL_MS = 5_000;
const noBytes = new Uint8Array(0);

interface Spread {
	readonly atMs: number;
	readonly due: number;
	heard: number;
	lastMs: number;
}

export class GossipSimulation {
	readonly #plan: GossipSimulationPlan;
	readonly #crowd: Crowd<SwimTypes>;
	readonly #intervalMs: number;
	readonly #dice: Generator;
	readonly #spreads = new Map<string, Spread>();
	readonly #held = new Map<NodeId, { count: number; firstMs: number; lastMs: number }>();
	#crashedAtMs = Number.POSITIVE_INFINITY;
	#crashed: readonly number[] = [];
	#falsePositives = 0;
	/** Members that have joined, and what they are told; nothing when all have. */
	#gathered = 0;
	#everybody: readonly MemberUpdate[] = [];

	constructor(plan: GossipSimulationPlan) {
		const directory = new MemberDirectory();
		this.#plan = plan;
		this.#dice = new Generator(plan.seed, "gossip-simulation");
		this.#intervalMs = swimConfig({ nodeId: nodeId("any") }, plan.profile).gossipIntervalMs;
		this.#crowd = new Crowd<SwimTypes>({
			seed: plan.seed,
			nodes: Array.from({ length: plan.nodes }, (_, i) => nodeId(`node-${i + 1}`)),
			machine: (node, choices) => new SwimMachine(swimConfig({ nodeId: node }, plan.profile), { choices, directory }),
			durable: () => ({ incarnation: 0 }),
			perform: (_durable, write) => write,
			network: { latencyMs: { min: 1, max: 5 } },
			bytesOf: messageBytes,
			observe: (_place, event, nowMs) => this.#observe(event, nowMs),
		});
	}

	/**
	 * Begins with a group that knows itself: each member joins, and a seed answers at once with all of them. What thousands of joins
	 * cost that are under way together is another question. Each takes over as many statements as there are members, so that whoever
	 * waits may let a few join at a time.
	 * @returns whether all have joined
	 */
	gather(membersMax: number): boolean {
		const crowd = this.#crowd;
		if (this.#gathered === 0) {
			crowd.network.lossChance = 1;
			crowd.startAll();
			this.#everybody = Array.from({ length: crowd.size }, (_, place) => aliveAt(crowd.nodeAt(place)));
		}
		const members = this.#everybody;
		for (const until = this.#gathered + membersMax; this.#gathered < Math.min(until, crowd.size); this.#gathered++) {
			const place = this.#gathered;
			const seed = crowd.nodeAt(place === 0 ? 1 : 0);
			crowd.request(place, { type: "join", seeds: [seed] });
			crowd.inject(place, seed, { type: "sync-response", sequence: 1, members, lamport: 0 });
		}
		if (this.#gathered < crowd.size) return false;
		this.#everybody = [];
		this.#begin();
		return true;
	}

	get gathered(): number {
		return this.#gathered;
	}

	#begin(): void {
		const crowd = this.#crowd;
		crowd.network.lossChance = this.#plan.lossChance;
		for (let place = 0; place < this.#plan.slow; place++) this.#muteAgain(place);
		const { forMs } = this.#plan;
		crowd.after(Math.floor(forMs / 6), () => this.#crash());
		for (let atMs = EVENT_EVERY_MS; atMs <= forMs - EVENT_TAIL_MS; atMs += EVENT_EVERY_MS) {
			crowd.after(atMs, () => this.#spread(`event-${atMs}`));
		}
	}

	/** Goes on for so many virtual ms. */
	run(durationMs: number): void {
		this.#crowd.run(this.#crowd.nowMs + durationMs);
	}

	get nowMs(): number {
		return this.#crowd.nowMs;
	}

	report(): GossipSimulationReport {
		const crowd = this.#crowd;
		const places = Array.from({ length: crowd.size }, (_, place) => place).filter((place) => crowd.isUp(place));
		const present = (place: number): number => (crowd.machine(place) as SwimMachine).status.present;
		const detections = this.#crashed.map((place) => {
			const node = crowd.nodeAt(place);
			const held = this.#held.get(node);
			const since = (ms: number): number => ms - this.#crashedAtMs;
			const isByAll = held !== undefined && held.count >= places.length;
			return {
				node,
				firstMs: held === undefined ? null : since(held.firstMs),
				allMs: isByAll ? since(held.lastMs) : null,
			};
		});
		return {
			detections,
			falsePositives: this.#falsePositives,
			events: [...this.#spreads.values()].map(({ atMs, due, heard, lastMs }) => {
				return { rounds: (lastMs - atMs) / this.#intervalMs, heard, due };
			}),
			messages: crowd.counts.messages,
			bytes: crowd.counts.bytes,
			inputs: crowd.counts.inputs,
			wholeViews: places.filter((place) => present(place) === places.length).length,
			up: places.length,
			virtualMs: crowd.nowMs,
		};
	}

	#observe(event: SwimEvent, nowMs: number): void {
		if (event.type === "user-event") {
			const spread = this.#spreads.get(event.name);
			if (spread === undefined) return;
			spread.heard++;
			spread.lastMs = nowMs;
		} else if (event.type === "member-failed") {
			const place = this.#crowd.placeOf(event.node);
			if (this.#crowd.isUp(place)) {
				if (place >= this.#plan.slow) this.#falsePositives++;
				return;
			}
			const held = this.#held.get(event.node) ?? { count: 0, firstMs: nowMs, lastMs: nowMs };
			this.#held.set(event.node, { ...held, count: held.count + 1, lastMs: nowMs });
		}
	}

	/** Slow members are the first places, so those that crash are others. */
	#crash(): void {
		const { crashes, slow, nodes } = this.#plan;
		const rest = Array.from({ length: nodes - slow }, (_, i) => slow + i);
		this.#crashed = Array.from({ length: crashes }, () => rest.splice(this.#dice.below(rest.length), 1)[0] as number);
		this.#crashedAtMs = this.#crowd.nowMs;
		for (const place of this.#crashed) this.#crowd.crash(place);
	}

	#muteAgain(place: number): void {
		this.#crowd.mute(place, MUTE_MS);
		this.#crowd.after(MUTE_MS + WELL_MS, () => this.#muteAgain(place));
	}

	#spread(name: string): void {
		const up = Array.from({ length: this.#crowd.size }, (_, place) => place).filter((place) => this.#crowd.isUp(place));
		const nowMs = this.#crowd.nowMs;
		this.#spreads.set(name, { atMs: nowMs, due: up.length, heard: 0, lastMs: nowMs });
		const origin = this.#dice.pick(up.filter((place) => place >= this.#plan.slow));
		this.#crowd.request(origin, { type: "spread-event", name, payload: noBytes });
	}
}

function aliveAt(node: NodeId): MemberUpdate {
	return { kind: "alive", node, incarnation: 1, by: node, tags: noBytes, signature: noBytes };
}
