/**
 * Scuttlebutt (van Renesse, Dumitriu, Gough, Thomas, LADIS 2008): every member owns a map of keys that all others hold a copy
 * of. Two members compare digests (a version for each owner) and send each other what is missing, in the order of versions, as
 * far as a packet goes. There are no conflicts, since a key has one writer.
 *
 * The deletion rules are chitchat's: a deletion is a change with a version; it is dropped after a while, and whoever is behind
 * that point takes the whole state of the owner anew, or a deleted key would come back from it.
 */
import { assert, compareIds, isNodeId, type NodeId } from "../../core/index.ts";
import { tooLarge } from "../errors.ts";
import { type KeyChange, NodeState } from "./node-state.ts";

/** How far one owner's state is known. */
export interface StateDigest {
	readonly node: NodeId;
	readonly generation: number;
	readonly version: number;
	readonly collectedVersion: number;
}

/** What brings one owner's copy forward. */
export interface StateDelta {
	readonly node: NodeId;
	readonly generation: number;
	/** Continues exactly here; 0 is the whole state, which makes up for missed deletions and former lives. */
	readonly fromVersion: number;
	readonly collectedVersion: number;
	readonly changes: readonly KeyChange[];
	/** Where the copy is then: the last change's version, or `sourceVersion` if nothing was left out. */
	readonly version: number;
	/** How far the sender knows the owner's state. */
	readonly sourceVersion: number;
}

export interface ScuttlebuttLimits {
	/** Bytes of keys and values in one exchange. Default 60,000 (chitchat's datagram). */
	readonly deltaBytesMax: number;
	/** Bytes of a key and its value. Default 16,384. */
	readonly keyBytesMax: number;
	/** Keys of one owner, deleted ones included. Default 16,384. */
	readonly keysMax: number;
	/** Owners that are held, and forgotten owners that are remembered. Default 16,384 each. */
	readonly nodesMax: number;
}

export const scuttlebuttLimits: ScuttlebuttLimits = {
	deltaBytesMax: 60_000,
	keyBytesMax: 16_384,
	keysMax: 16_384,
	nodesMax: 16_384,
};

/** A change's fixed part on the wire: version, flag, lengths. */
const CHANGE_OVERHEAD_BYTES = 17;

export class Scuttlebutt {
	readonly #self: NodeId;
	readonly #limits: ScuttlebuttLimits;
	readonly #own: NodeState;
	readonly #nodes = new Map<NodeId, NodeState>();
	/** The generations of owners that were forgotten: no late message brings one back. */
	readonly #forgotten = new Map<NodeId, number>();

	/** @param generation above that of every former life of this member */
	constructor(self: NodeId, generation: number, limits: ScuttlebuttLimits = scuttlebuttLimits) {
		this.#self = self;
		this.#limits = limits;
		this.#own = new NodeState(generation);
		this.#nodes.set(self, this.#own);
	}

	/** @throws QuorateError `gossip-too-large` */
	set(key: string, value: Uint8Array): void {
		const { keyBytesMax, keysMax } = this.#limits;
		const sizeBytes = key.length + value.length;
		if (sizeBytes > keyBytesMax) throw tooLarge({ what: "a key with its value", sizeBytes, limitBytes: keyBytesMax });
		if (!this.#own.keys.has(key) && this.#own.keys.size >= keysMax) {
			throw tooLarge({ what: "the keys of one member", sizeBytes: keysMax + 1, limitBytes: keysMax });
		}
		this.#own.change(key, value, false);
	}

	/** Whether there was something to delete. */
	delete(key: string): boolean {
		const held = this.#own.keys.get(key);
		if (held === undefined || held.isDeleted) return false;
		this.#own.change(key, new Uint8Array(0), true);
		return true;
	}

	get(node: NodeId, key: string): Uint8Array | undefined {
		const held = this.#nodes.get(node)?.keys.get(key);
		return held === undefined || held.isDeleted ? undefined : held.value;
	}

	/** The live keys of one owner. */
	keysOf(node: NodeId): string[] {
		const keys = this.#nodes.get(node)?.keys ?? new Map();
		return [...keys].filter(([, { isDeleted }]) => !isDeleted).map(([key]) => key);
	}

	get nodes(): NodeId[] {
		return [...this.#nodes.keys()];
	}

	digest(): StateDigest[] {
		return [...this.#nodes]
			.sort(([a], [b]) => compareIds(a, b))
			.map(([node, { generation, version, collectedVersion }]) => ({ node, generation, version, collectedVersion }));
	}

	/**
	 * What the holder of this digest lacks, as far as one exchange goes: the owner that it lacks most of first
	 * (`scuttle-depth`, §3), and of each owner the oldest changes first.
	 */
	deltas(digest: readonly StateDigest[]): StateDelta[] {
		const theirs = new Map(digest.map((each) => [each.node, each]));
		const stale = [...this.#nodes]
			.map(([node, state]) => this.#missing(node, state, theirs.get(node)))
			.filter((delta) => delta !== null)
			.sort((a, b) => b.changes.length - a.changes.length || compareIds(a.node, b.node));
		let budgetBytes = this.#limits.deltaBytesMax;
		const deltas: StateDelta[] = [];
		for (const delta of stale) {
			const fitting = cutToBudget(delta, budgetBytes);
			if (fitting.changes.length === 0 && delta.changes.length > 0) break;
			deltas.push(fitting);
			budgetBytes -= bytesOf(fitting.changes);
		}
		return deltas;
	}

	/** Takes over what continues what is held; the rest is ignored, for it will be sent again. Returns how many changes were new. */
	apply(deltas: readonly StateDelta[]): number {
		let taken = 0;
		for (const delta of deltas) taken += this.#applyOne(delta);
		return taken;
	}

	/** Drops deletions that have had the time between two calls to spread. */
	collect(): void {
		for (const state of this.#nodes.values()) state.collect();
	}

	/** Drops a dead member's state for good; only a later generation of it is believed again. */
	forget(node: NodeId): void {
		assert(node !== this.#self, "nobody forgets itself");
		const state = this.#nodes.get(node);
		if (state === undefined) return;
		this.#nodes.delete(node);
		this.#forgotten.set(node, state.generation);
		if (this.#forgotten.size <= this.#limits.nodesMax) return;
		for (const oldest of this.#forgotten.keys()) {
			this.#forgotten.delete(oldest);
			return;
		}
	}

	get state(): unknown {
		const nodes = [...this.#nodes].map(([node, { generation, version, collectedVersion, keys }]) => {
			return { node, generation, version, collectedVersion, keys };
		});
		return { nodes, forgotten: this.#forgotten };
	}

	copy(): Scuttlebutt {
		const copy = new Scuttlebutt(this.#self, this.#own.generation, this.#limits);
		copy.#nodes.clear();
		for (const [node, state] of this.#nodes)
			copy.#nodes.set(node, node === this.#self ? copy.#takeOwn(state) : state.copy());
		for (const [node, generation] of this.#forgotten) copy.#forgotten.set(node, generation);
		return copy;
	}

	#takeOwn(state: NodeState): NodeState {
		for (const [key, held] of state.keys) this.#own.keys.set(key, held);
		this.#own.version = state.version;
		this.#own.collectedVersion = state.collectedVersion;
		return this.#own;
	}

	#missing(node: NodeId, state: NodeState, known: StateDigest | undefined): StateDelta | null {
		const { generation, version, collectedVersion } = state;
		if (known !== undefined && known.generation > generation) return null;
		const isSameLife = known?.generation === generation;
		const theirVersion = isSameLife ? known.version : 0;
		if (isSameLife && (theirVersion >= version || known.collectedVersion > version)) return null;
		// A deletion that the receiver has not seen may have been dropped here.
		const isBehind = isSameLife && theirVersion < collectedVersion && known.collectedVersion < collectedVersion;
		const isReset = isBehind || (known !== undefined && !isSameLife);
		const fromVersion = isReset ? 0 : theirVersion;
		const changes = state.changesAfter(fromVersion);
		return { node, generation, fromVersion, collectedVersion, changes, version, sourceVersion: version };
	}

	#applyOne(delta: StateDelta): number {
		const { node, generation } = delta;
		if (node === this.#self || !isNodeId(node) || !Number.isSafeInteger(generation)) return 0;
		if (generation <= (this.#forgotten.get(node) ?? -1)) return 0;
		let held = this.#nodes.get(node);
		if (held !== undefined && generation < held.generation) return 0;
		if (held === undefined || generation > held.generation || isBehind(held, delta)) {
			if (delta.fromVersion !== 0 || (held === undefined && this.#nodes.size >= this.#limits.nodesMax)) return 0;
			// Another life, or a copy that missed deletions: whatever is held does not count any more.
			held = new NodeState(generation);
			this.#nodes.set(node, held);
			this.#forgotten.delete(node);
		}
		// A sender that is behind the point up to which deletions were dropped may still hold what they deleted.
		if (delta.fromVersion > held.version || delta.sourceVersion < held.collectedVersion) return 0;
		return this.#takeChanges(held, delta);
	}

	#takeChanges(held: NodeState, { changes, version, collectedVersion }: StateDelta): number {
		let taken = 0;
		for (const { key, value, version: changedAt, isDeleted } of changes) {
			if (changedAt <= held.version) continue;
			if (!held.keys.has(key) && held.keys.size >= this.#limits.keysMax) return taken;
			held.keys.set(key, { value, version: changedAt, isDeleted });
			held.version = changedAt;
			taken++;
		}
		held.version = Math.max(held.version, version);
		held.collectedVersion = Math.max(held.collectedVersion, collectedVersion);
		return taken;
	}
}

/** Whether a whole state makes up for deletions that the copy has missed. */
function isBehind({ version, collectedVersion }: NodeState, delta: StateDelta): boolean {
	return delta.fromVersion === 0 && version < delta.collectedVersion && collectedVersion < delta.collectedVersion;
}

function cutToBudget(delta: StateDelta, budgetBytes: number): StateDelta {
	let used = 0;
	let count = 0;
	for (const change of delta.changes) {
		const sizeBytes = bytesOf([change]);
		if (used + sizeBytes > budgetBytes) break;
		used += sizeBytes;
		count++;
	}
	if (count === delta.changes.length) return delta;
	const changes = delta.changes.slice(0, count);
	return { ...delta, changes, version: changes.at(-1)?.version ?? delta.fromVersion };
}

function bytesOf(changes: readonly KeyChange[]): number {
	return changes.reduce((sum, { key, value }) => sum + key.length + value.length + CHANGE_OVERHEAD_BYTES, 0);
}
