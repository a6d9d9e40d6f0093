/** A group of SWIM members on virtual time, with counts of what its members believed. */
import { type NodeId, nodeId } from "../../../../protocols/core/index.ts";
import {
	MemberDirectory,
	type MemberUpdate,
	messageBytes,
	type SwimConfig,
	type SwimEvent,
	SwimMachine,
	type SwimMessage,
	type SwimProfile,
	type SwimReply,
	type SwimStatus,
	type SwimTypes,
	swimConfig,
} from "../../../../protocols/gossip/index.ts";
import { Crowd, type CrowdNetwork } from "../../../../protocols/verification/index.ts";

/** All three parts of Lifeguard off. */
export const plainSwim: Partial<SwimConfig> = { healthScoreMax: 0, suspicionMaxMultiplier: 1, buddySystem: false };

export interface SwimCrowdOptions {
	readonly seed: number;
	readonly size: number;
	readonly profile?: SwimProfile;
	readonly config?: Partial<SwimConfig>;
	readonly network?: Partial<CrowdNetwork>;
	readonly observe?: (place: number, event: SwimEvent, nowMs: number) => void;
	readonly sent?: (from: number, to: number, message: SwimMessage) => void;
}

export class SwimCrowd {
	readonly crowd: Crowd<SwimTypes>;
	readonly counts = { suspicions: 0, failures: 0, refutations: 0, refused: 0 };

	constructor({ seed, size, profile = "lan", config = {}, network = {}, observe, sent }: SwimCrowdOptions) {
		const nodes = Array.from({ length: size }, (_, i) => nodeId(`member-${i}`));
		const directory = new MemberDirectory();
		this.crowd = new Crowd<SwimTypes>({
			seed,
			nodes,
			machine: (node, choices) =>
				new SwimMachine(swimConfig({ nodeId: node, ...config }, profile), { choices, directory }),
			durable: () => ({ incarnation: 0 }),
			perform: (_durable, write) => write,
			network: { latencyMs: { min: 1, max: 3 }, ...network },
			bytesOf: messageBytes,
			...(sent === undefined ? {} : { sent }),
			observe: (place, event, nowMs) => {
				if (event.type === "member-suspected") this.counts.suspicions++;
				else if (event.type === "member-failed") this.counts.failures++;
				else if (event.type === "refuted") this.counts.refutations++;
				else if (event.type === "update-refused") this.counts.refused++;
				observe?.(place, event, nowMs);
			},
		});
	}

	/** Starts all, lets each join through the first, and runs until every view is whole. */
	settle(limitMs = 120_000): void {
		this.crowd.startAll();
		for (let place = 1; place < this.crowd.size; place++) this.join(place, [0]);
		this.run(limitMs, () => this.presentCounts().every((present) => present === this.crowd.size));
	}

	/** Starts all as if each had just heard of all others, without the traffic of a thousand joins. */
	gather(): void {
		const { lossChance } = this.crowd.network;
		this.crowd.network.lossChance = 1;
		this.crowd.startAll();
		const members = Array.from({ length: this.crowd.size }, (_, place) => aliveAt(this.nodeAt(place)));
		for (let place = 0; place < this.crowd.size; place++) {
			const seed = place === 0 ? 1 : 0;
			this.join(place, [seed]);
			this.crowd.inject(place, this.nodeAt(seed), { type: "sync-response", sequence: 1, members, lamport: 0 });
		}
		this.crowd.network.lossChance = lossChance;
		// What each says of itself is known already, and spread in vain.
		this.run(10_000);
	}

	join(place: number, seeds: readonly number[], answered?: (reply: SwimReply) => void): void {
		this.crowd.request(place, { type: "join", seeds: seeds.map((seed) => this.nodeAt(seed)) }, answered);
	}

	run(durationMs: number, isDone?: () => boolean): boolean {
		let looked = -1;
		// A look at all members is dear, so it is taken once in 50 ms.
		const looks =
			isDone &&
			((): boolean => {
				const slice = Math.floor(this.crowd.nowMs / 50);
				if (slice === looked) return false;
				looked = slice;
				return isDone();
			});
		return this.crowd.run(this.crowd.nowMs + durationMs, looks);
	}

	nodeAt(place: number): NodeId {
		return this.crowd.nodeAt(place);
	}
	viewOf(place: number): SwimStatus {
		return (this.crowd.machine(place) as SwimMachine).status;
	}
	/** How many members each member believes to be there; −1 of who is down. */
	presentCounts(): number[] {
		return Array.from({ length: this.crowd.size }, (_, place) =>
			this.crowd.isUp(place) ? this.viewOf(place).present : -1,
		);
	}

	/** Lets a member be suspected so often, each time at its present incarnation. */
	accuse(place: number, times: number): void {
		for (let i = 0; i < times; i++) {
			const { incarnation } = this.viewOf(place);
			const from = this.nodeAt((place + 1) % this.crowd.size);
			const update = {
				kind: "suspect",
				node: this.nodeAt(place),
				incarnation,
				by: from,
				tags: NONE,
				signature: NONE,
			} as const;
			this.#hand(place, from, update);
		}
	}

	/** A member says something that is not true, to all others. */
	lie(liar: number, update: MemberUpdate): void {
		for (let place = 0; place < this.crowd.size; place++) {
			if (place !== liar) this.#hand(place, this.nodeAt(liar), update);
		}
	}

	#hand(place: number, from: NodeId, update: MemberUpdate): void {
		this.crowd.inject(place, from, { type: "gossip", updates: [update], events: [] });
	}
}

const NONE = new Uint8Array(0);

function aliveAt(node: NodeId): MemberUpdate {
	return { kind: "alive", node, incarnation: 1, by: node, tags: NONE, signature: NONE };
}
