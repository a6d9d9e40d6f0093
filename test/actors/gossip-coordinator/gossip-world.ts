/** A gossip group on virtual time, each member on a thread of its own, and a network between these whose delays a test says. */
import { boundClass } from "../../../actors/experiment/bound-class.ts";
import {
	GossipGroup,
	type GossipGroupOptions,
	GossipMember,
	type GossipMemberArgs,
	gossipLayouts,
	gossipMemberModule,
} from "../../../actors/gossip-coordinator/index.ts";
import { Simulation, StorageActor, storageLayouts } from "../../../runtime/index.ts";

const storageModule = "file:///simulation/storage.js";
/** 2020-01-01: where wall clocks begin. */
const WALL_START_MS = 1_577_836_800_000;

export class GossipWorld {
	readonly simulation: Simulation;
	readonly nodes: readonly string[];
	#group: GossipGroup | null = null;

	/** @param delayMs of a message between two members, one way: the way of null is to the main thread and storage, and takes nothing */
	constructor(nodes: readonly string[], delayMs: (from: string, to: string) => number = () => 1, seed = 1) {
		this.nodes = nodes;
		const wallMs = (): number => WALL_START_MS + Math.floor(this.simulation.nowMs);
		const member = (args: GossipMemberArgs): GossipMember => new GossipMember(args, wallMs);
		const storage = (): StorageActor => new StorageActor({ engine: { type: "memory" } });
		this.simulation = new Simulation({
			seed,
			modules: new Map<string, Readonly<Record<string, unknown>>>([
				[storageModule, { Storage: boundClass<void, StorageActor>(StorageActor, storage) }],
				[gossipMemberModule, { GossipMember: boundClass<GossipMemberArgs, GossipMember>(GossipMember, member) }],
			]),
			codec: { layouts: [...gossipLayouts, storageLayouts], records: [] },
		});
		this.simulation.network = {
			deliveries: ({ sender, target }) => {
				const from = sender === null ? undefined : this.#nodeOn(sender.slot);
				const to = this.#nodeOn(target.slot);
				return from === undefined || to === undefined ? null : [{ afterMs: delayMs(from, to) }];
			},
		};
	}

	get group(): GossipGroup {
		if (this.#group === null) throw new Error("start the world first");
		return this.#group;
	}

	/** Starts all members; the others join through the first, and all have met when it resolves. */
	async start(options: Omit<GossipGroupOptions, "backend" | "threads"> = {}): Promise<void> {
		const { simulation, nodes } = this;
		const backend = {
			backend: simulation.backend,
			storage: {
				name: "storage",
				behaviour: { module: storageModule, export: "Storage" },
				placement: "dedicated",
				neverKilled: true,
			},
		} as const;
		const settings = { seed: 1, ...options, threads: nodes.length, backend };
		this.#group = await simulation.complete(GossipGroup.start(settings));
		let met = 0;
		const watch = this.group.events$.subscribe(({ event }) => {
			if (event.type === "member-joined") met++;
		});
		for (const node of nodes) await simulation.complete(this.group.startMember(node));
		const [first = "", ...others] = nodes;
		await simulation.complete(Promise.all(others.map((node) => this.group.join(node, [first]))));
		await simulation.run({ until: () => met >= nodes.length * (nodes.length - 1) });
		watch.unsubscribe();
	}

	async stop(): Promise<void> {
		await this.simulation.complete(this.group.stop());
	}

	#nodeOn(slot: number): string | undefined {
		return this.#group?.nodeOn(slot);
	}
}
