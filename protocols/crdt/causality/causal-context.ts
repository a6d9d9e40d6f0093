/**
 * Causal contexts: sets of dots. A dot names one operation, as (replica, number), numbered from 1 without gaps by its replica.
 * A context is a version vector ("all up to here") and, beyond it, exceptions as ranges, so it stays as small as what is
 * missing (Almeida, Shoker and Baquero, "Delta state replicated data types", JPDC 2018, §7.2).
 */

import type { ByteReader } from "../encoding/byte-reader.ts";
import type { ByteWriter } from "../encoding/byte-writer.ts";
import { updateDamaged } from "../errors.ts";
import { compareReplicas, isReplicaId, type ReplicaId } from "./replica.ts";

/** One operation's name. */
export interface Dot {
	readonly replica: ReplicaId;
	/** From 1, without gaps. */
	readonly sequence: number;
}

/** Operations of one replica: ids of elements are 32-bit columns in memory. */
export const SEQUENCE_MAX = 0x7fff_fffe;

/** How two contexts (or states) stand to each other: a partial order has four answers. */
export type CausalOrder = "equal" | "before" | "after" | "concurrent";

/** A closed range of numbers of one replica, beyond its vector entry. */
interface Range {
	first: number;
	last: number;
}

/** Exceptions a context keeps per replica; a decoded one with more is refused. */
export const EXCEPTION_RANGES_MAX = 4096;

export class CausalContext {
	/** Each entry is at least 1. */
	readonly #vector = new Map<ReplicaId, number>();
	/** Ascending, not touching each other nor the vector's entry; no empty lists. */
	readonly #exceptions = new Map<ReplicaId, Range[]>();

	/** A context of these entries without exceptions. */
	static of(entries: Iterable<readonly [ReplicaId, number]>): CausalContext {
		const context = new CausalContext();
		for (const [replica, sequence] of entries) context.addThrough(replica, sequence);
		return context;
	}

	/** The vector's entry: every dot of the replica up to and including it is here. 0 if there is none. */
	sequenceOf(replica: ReplicaId): number {
		return this.#vector.get(replica) ?? 0;
	}

	/** The vector's entries, in order of their replicas. */
	get entries(): readonly (readonly [ReplicaId, number])[] {
		return [...this.#vector].sort(([a], [b]) => compareReplicas(a, b));
	}

	/** Whether it is a version vector alone. */
	get isVector(): boolean {
		return this.#exceptions.size === 0;
	}

	get isEmpty(): boolean {
		return this.#vector.size === 0 && this.#exceptions.size === 0;
	}

	has(replica: ReplicaId, sequence: number): boolean {
		if (sequence <= this.sequenceOf(replica)) return true;
		return this.#exceptions.get(replica)?.some((range) => range.first <= sequence && sequence <= range.last) ?? false;
	}

	/** Adds one dot. */
	add(replica: ReplicaId, sequence: number): void {
		this.addRange(replica, sequence, sequence);
	}

	/** Adds every dot of the replica up to and including this one; 0 adds none. */
	addThrough(replica: ReplicaId, sequence: number): void {
		if (sequence > 0) this.addRange(replica, 1, sequence);
	}

	/** Adds a closed range of dots. */
	addRange(replica: ReplicaId, first: number, last: number): void {
		const through = this.sequenceOf(replica);
		if (last <= through) return;
		const ranges = this.#exceptions.get(replica) ?? [];
		const added = { first: Math.max(first, through + 1), last };
		const kept = ranges.filter((range) => {
			if (range.last < added.first - 1 || range.first > added.last + 1) return true;
			added.first = Math.min(added.first, range.first);
			added.last = Math.max(added.last, range.last);
			return false;
		});
		if (added.first === through + 1) this.#vector.set(replica, added.last);
		else kept.push(added);
		if (kept.length === 0) this.#exceptions.delete(replica);
		else
			this.#exceptions.set(
				replica,
				kept.sort((a, b) => a.first - b.first),
			);
	}

	/** Adds every dot of another context. */
	join(other: CausalContext): void {
		for (const [replica, sequence] of other.#vector) this.addThrough(replica, sequence);
		for (const [replica, ranges] of other.#exceptions) {
			for (const { first, last } of ranges) this.addRange(replica, first, last);
		}
	}

	/** The version vector of what both have without gaps: the pointwise least. */
	meet(other: CausalContext): CausalContext {
		const entries = [...this.#vector].map(
			([replica, sequence]) => [replica, Math.min(sequence, other.sequenceOf(replica))] as const,
		);
		return CausalContext.of(entries);
	}

	/** Whether every dot of the other one is here. */
	includes(other: CausalContext): boolean {
		for (const [replica, sequence] of other.#vector) {
			if (sequence > this.sequenceOf(replica)) return false;
		}
		for (const [replica, ranges] of other.#exceptions) {
			if (!ranges.every((range) => this.#covers(replica, range))) return false;
		}
		return true;
	}

	/** Its place in the partial order of inclusion. */
	compare(other: CausalContext): CausalOrder {
		const above = this.includes(other);
		const below = other.includes(this);
		if (above) return below ? "equal" : "after";
		return below ? "before" : "concurrent";
	}

	copy(): CausalContext {
		const copy = new CausalContext();
		copy.join(this);
		return copy;
	}

	/** Writes it in its one spelling. */
	encode(writer: ByteWriter): void {
		const replicas = [...new Set([...this.#vector.keys(), ...this.#exceptions.keys()])].sort(compareReplicas);
		writer.varint(replicas.length);
		for (const replica of replicas) {
			writer.text(replica);
			let at = this.sequenceOf(replica);
			writer.varint(at);
			const ranges = this.#exceptions.get(replica) ?? [];
			writer.varint(ranges.length);
			for (const { first, last } of ranges) {
				// Two ranges never touch, so each distance is at least 2.
				writer.varint(first - at - 2);
				writer.varint(last - first);
				at = last;
			}
		}
	}

	/** @throws QuorateError `crdt-update-damaged` */
	static decode(reader: ByteReader): CausalContext {
		const context = new CausalContext();
		const replicas = reader.count();
		for (let i = 0; i < replicas; i++) {
			const replica = readReplica(reader);
			let at = reader.varint();
			context.addThrough(replica, at);
			const ranges = reader.count();
			if (ranges > EXCEPTION_RANGES_MAX)
				throw updateDamaged({ reason: `more than ${EXCEPTION_RANGES_MAX} exceptions`, offset: reader.offset });
			for (let range = 0; range < ranges; range++) {
				const first = at + 2 + reader.varint();
				at = first + reader.varint();
				if (!Number.isSafeInteger(at)) throw updateDamaged({ reason: "a number too large", offset: reader.offset });
				context.addRange(replica, first, at);
			}
		}
		return context;
	}

	/** As plain data, for states and transcripts. */
	get view(): Readonly<Record<string, readonly (number | readonly [number, number])[]>> {
		const view: Record<string, (number | readonly [number, number])[]> = {};
		for (const [replica, sequence] of this.entries) view[replica] = [sequence];
		for (const [replica, ranges] of this.#exceptions) {
			view[replica] = [this.sequenceOf(replica), ...ranges.map(({ first, last }) => [first, last] as const)];
		}
		return view;
	}

	#covers(replica: ReplicaId, range: Range): boolean {
		const first = Math.max(range.first, this.sequenceOf(replica) + 1);
		if (first > range.last) return true;
		return this.#exceptions.get(replica)?.some((own) => own.first <= first && range.last <= own.last) ?? false;
	}
}

/** @throws QuorateError `crdt-update-damaged` */
export function readReplica(reader: ByteReader): ReplicaId {
	const text = reader.text();
	if (!isReplicaId(text)) throw updateDamaged({ reason: "no replica id", offset: reader.offset });
	return text;
}
