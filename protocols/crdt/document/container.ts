/**
 * Containers: the leaf parts of a document, each named by its path. A path and the schema say what type it has, so replicas that
 * create the same nested part concurrently have created one part, not two.
 */
import { ByteWriter, utf8Length } from "../encoding/byte-writer.ts";
import { containerUnknown } from "../errors.ts";
import type { Sequence } from "../sequence/sequence.ts";
import type { DocumentSchema, LeafType, Schema } from "../types/schema.ts";
import { type Entry, isSuperseded } from "./entry.ts";

/** From the root: names of parts, and keys of maps. */
export type Path = readonly string[];

/** Segments of a path, and characters of a segment. */
export const PATH_SEGMENT_LENGTH_MAX = 1024;

export class Container {
	readonly path: Path;
	readonly type: LeafType;
	/** Whether a map is above it, so that it can be removed whole while others update it. */
	readonly inMap: boolean;
	/** The path as updates spell it. */
	readonly pathBytes: Uint8Array;
	/** For texts and lists; else null. */
	readonly sequence: Sequence | null;
	/** By key, the entries in force. Empty for sequences. */
	readonly entries: Map<string, Entry> = new Map();

	constructor(path: Path, type: LeafType, inMap: boolean, sequence: Sequence | null) {
		this.path = path;
		this.type = type;
		this.inMap = inMap;
		this.sequence = sequence;
		const writer = new ByteWriter();
		writePath(writer, path);
		this.pathBytes = writer.take();
	}

	/** Whether it differs from one that was never touched. */
	get isEmpty(): boolean {
		return this.sequence === null ? this.entries.size === 0 : this.sequence.length === 0;
	}

	/** Puts an entry in force beside those of its key. */
	add(entry: Entry): void {
		entry.live = true;
		entry.next = this.entries.get(entry.key) ?? null;
		this.entries.set(entry.key, entry);
	}

	/** Takes the entries of a key out of force for which `gone` is true, and returns how many. */
	drop(key: string, gone: (entry: Entry) => boolean): number {
		let kept: Entry | null = null;
		let dropped = 0;
		for (let entry = this.entries.get(key) ?? null; entry !== null; ) {
			const next: Entry | null = entry.next;
			if (gone(entry)) {
				entry.live = false;
				entry.next = null;
				dropped += 1;
			} else {
				entry.next = kept;
				kept = entry;
			}
			entry = next;
		}
		if (kept === null) this.entries.delete(key);
		else this.entries.set(key, kept);
		return dropped;
	}

	/** Takes superseded entries of a key out of force. */
	supersede(key: string, ranges: readonly number[]): void {
		const only = this.entries.get(key);
		if (only === undefined) return;
		if (only.next === null) {
			if (!isSuperseded(ranges, only.replica, only.sequence)) return;
			only.live = false;
			this.entries.delete(key);
			return;
		}
		this.drop(key, (entry) => isSuperseded(ranges, entry.replica, entry.sequence));
	}
}

/** What the schema says of a path. */
export interface Located {
	readonly schema: Schema;
	readonly inMap: boolean;
}

/**
 * @throws QuorateError `crdt-container-unknown` if the schema has nothing there
 */
export function locate(schema: DocumentSchema, path: Path): Located {
	let at: Schema = { record: schema };
	let inMap = false;
	for (const segment of path) {
		if (typeof segment !== "string" || segment.length > PATH_SEGMENT_LENGTH_MAX) {
			throw containerUnknown({
				path: describePath(path),
				expected: `names of up to ${PATH_SEGMENT_LENGTH_MAX} characters`,
				actual: "no such name",
			});
		}
		if (typeof at === "object" && "map" in at) {
			at = at.map;
			inMap = true;
		} else if (typeof at === "object" && Object.hasOwn(at.record, segment)) at = at.record[segment]!;
		else throw containerUnknown({ path: describePath(path), expected: "a part of the schema", actual: "not in it" });
	}
	return { schema: at, inMap };
}

/** A path for messages: segments behind slashes. */
export function describePath(path: Path): string {
	return `/${path.map((segment) => String(segment).slice(0, 40)).join("/")}`;
}

/** Writes a path: each segment with its length, doubled, plus one if another one follows. */
export function writePath(writer: ByteWriter, path: Path): void {
	for (const [index, segment] of path.entries()) {
		const bytes = utf8Length(segment);
		writer.varint(bytes * 2 + (index + 1 < path.length ? 1 : 0));
		writer.utf8(segment, bytes);
	}
}
