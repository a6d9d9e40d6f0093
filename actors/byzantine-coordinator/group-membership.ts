/**
 * Who the members of a group are, as this process knows it: a configuration counts when f + 1 members of the one before have told that
 * they have entered it. Nothing else changes it: not who answers, not who is suspected.
 */
import { must, type NodeId } from "../../protocols/core/index.ts";
import { type Configuration, weakQuorumOf } from "../../protocols/pbft/index.ts";

/** Configurations that are remembered, for proofs of their time. */
const REMEMBERED_MAX = 64;
/** Configurations that one member may tell of and nobody else; the oldest gives way. */
const TOLD_MAX = 16;

export class GroupMembership {
	#configuration: Configuration;
	readonly #past: Configuration[];
	/** What each node has told, by node and epoch. */
	readonly #told = new Map<NodeId, Map<number, Configuration>>();
	readonly #waiting = new Set<{ readonly epoch: number; readonly entered: () => void }>();

	/** @param known ascending; the last is the present one, as far as is known */
	constructor(known: readonly Configuration[]) {
		this.#configuration = must(known.at(-1), "there is a configuration");
		this.#past = known.slice(0, -1);
	}

	get configuration(): Configuration {
		return this.#configuration;
	}

	/** All that are remembered, ascending. */
	get all(): readonly Configuration[] {
		return [...this.#past, this.#configuration];
	}

	readonly of = (epoch: number): Configuration | null => this.all.find((known) => known.epoch === epoch) ?? null;

	/** A node tells that it has entered a configuration. Returns the one that counts from now on, if that is another than before. */
	told(node: NodeId, configuration: Configuration): Configuration | null {
		if (configuration.epoch <= this.#configuration.epoch) return null;
		let told = this.#told.get(node);
		if (told === undefined) {
			told = new Map();
			this.#told.set(node, told);
		}
		told.set(configuration.epoch, configuration);
		const [oldest] = told.keys();
		if (told.size > TOLD_MAX && oldest !== undefined) told.delete(oldest);
		return this.#enter(configuration);
	}

	/** Resolves when this epoch, or a later one, has begun; `stop` ends the waiting. */
	entered(epoch: number): { readonly done: Promise<void>; readonly stop: () => void } {
		let entered: () => void = () => undefined;
		const done = new Promise<void>((resolve) => {
			entered = resolve;
		});
		const waiting = { epoch, entered };
		if (this.#configuration.epoch >= epoch) entered();
		else this.#waiting.add(waiting);
		return { done, stop: () => void this.#waiting.delete(waiting) };
	}

	#enter(configuration: Configuration): Configuration | null {
		const name = nameOf(configuration);
		const { members } = this.#configuration;
		const agreeing = members.filter((member) => {
			const said = this.#told.get(member)?.get(configuration.epoch);
			return said !== undefined && nameOf(said) === name;
		});
		if (agreeing.length < weakQuorumOf(this.#configuration)) return null;
		this.#past.push(this.#configuration);
		if (this.#past.length > REMEMBERED_MAX) this.#past.shift();
		this.#configuration = configuration;
		for (const told of this.#told.values()) {
			for (const epoch of told.keys()) if (epoch <= configuration.epoch) told.delete(epoch);
		}
		for (const waiting of this.#waiting) {
			if (waiting.epoch > configuration.epoch) continue;
			this.#waiting.delete(waiting);
			waiting.entered();
		}
		return configuration;
	}
}

function nameOf({ epoch, members, faults }: Configuration): string {
	return JSON.stringify([epoch, members, faults]);
}
