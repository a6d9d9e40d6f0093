/**
 * Tags of members and filters of queries over them (serf): a member says things of itself by name, and a query may be for those alone that
 * say what is wanted, or that are named.
 *
 * Both are bytes on the wire, and one set of tags, or one filter, has one encoding: names ascending, each once, lengths before texts,
 * nothing behind. What is encoded in another way is malformed. A filter of another member is never run as a regular expression, which can take
 * time without a bound: its patterns know one sign, and a match costs at most the product of the lengths of pattern and value.
 */
import { isNodeId, type NodeId } from "../../core/index.ts";
import { tagsInvalid, tooLarge } from "../errors.ts";
import { TAGS_BYTES_MAX } from "./config.ts";

/**
 * By name. Names have 1 to 64 of `A–Z a–z 0–9 . _ -`, values 0 to 255 printable ASCII characters; all of them at most
 * {@link TAGS_BYTES_MAX} bytes, two for each tag included.
 */
export type MemberTags = Readonly<Record<string, string>>;

/** Who is asked: a member that is named (if any are), and of which each tag matches its pattern. Without both, everybody. */
export interface QueryFilter {
	/** Default: any. At most 255. */
	readonly nodes?: readonly NodeId[];
	/**
	 * Patterns by the name of a tag: `*` stands for any characters or none, `\` takes the next sign as it is, and all else for itself. A member
	 * without the tag does not match. Names and patterns have the bounds of {@link MemberTags}.
	 */
	readonly tags?: MemberTags;
}

/** A filter as it was decoded. */
export interface DecodedFilter {
	readonly nodes: readonly NodeId[];
	readonly tags: ReadonlyMap<string, string>;
}

const NAME = /^[A-Za-z0-9._-]{1,64}$/;
const VALUE = /^[\x20-\x7e]{0,255}$/;
const NODES_MAX = 255;

/**
 * @returns no bytes for no tags
 * @throws QuorateError `gossip-tags-invalid` `{tag, expected, actual}`, `gossip-too-large`
 */
export function encodeTags(tags: MemberTags): Uint8Array {
	const bytes = encodeEntries(tags);
	if (bytes.length > TAGS_BYTES_MAX) {
		throw tooLarge({ what: "a member's tags", sizeBytes: bytes.length, limitBytes: TAGS_BYTES_MAX });
	}
	return Uint8Array.from(bytes);
}

/** The tags that these bytes are, or null if they are none: a member may say of itself what it likes. */
export function decodeTags(bytes: Uint8Array): ReadonlyMap<string, string> | null {
	return bytes.length > TAGS_BYTES_MAX ? null : decodeEntries(bytes, 0);
}

/**
 * @returns no bytes for a filter that everybody passes
 * @throws QuorateError `gossip-tags-invalid` `{tag, expected, actual}`
 */
export function encodeFilter({ nodes = [], tags = {} }: QueryFilter): Uint8Array {
	const named = Array.isArray(nodes) && nodes.length <= NODES_MAX && nodes.every(isNodeId);
	if (!named) throw tagsInvalid({ tag: "nodes", expected: `at most ${NODES_MAX} node ids`, actual: shown(nodes) });
	const patterns = encodeEntries(tags);
	for (const [tag, pattern] of Object.entries(tags)) {
		if (!isPattern(pattern)) throw tagsInvalid({ tag, expected: "a sign after the last \\", actual: shown(pattern) });
	}
	const ascending = [...new Set(nodes)].sort();
	if (ascending.length === 0 && patterns.length === 0) return new Uint8Array(0);
	return Uint8Array.from([ascending.length, ...ascending.flatMap(encodeText), ...patterns]);
}

/** The filter that these bytes are, or null if they are none. No bytes are no filter, which is not asked. */
export function decodeFilter(bytes: Uint8Array): DecodedFilter | null {
	let at = 1;
	const nodes: NodeId[] = [];
	for (let i = 0; i < (bytes[0] ?? 0); i++) {
		const node = decodeText(bytes, at);
		if (node === null || !isNodeId(node) || node <= (nodes.at(-1) ?? "")) return null;
		nodes.push(node);
		at += 1 + node.length;
	}
	const tags = bytes.length === 0 ? null : decodeEntries(bytes, at);
	if (tags === null || nodes.length + tags.size === 0) return null;
	return [...tags.values()].every(isPattern) ? { nodes, tags } : null;
}

/** Whether a member is asked: one whose tags are none of these has no tags. */
export function isAsked(filter: DecodedFilter, node: NodeId, tagBytes: Uint8Array): boolean {
	if (filter.nodes.length > 0 && !filter.nodes.includes(node)) return false;
	if (filter.tags.size === 0) return true;
	const tags = decodeTags(tagBytes);
	if (tags === null) return false;
	for (const [name, pattern] of filter.tags) {
		const value = tags.get(name);
		if (value === undefined || !matchesPattern(pattern, value)) return false;
	}
	return true;
}

/**
 * Whether a value is what a pattern says. When a sign does not fit, only the last `*` takes one character more: what the earlier ones have
 * taken is the least they can, so that a longer share of theirs could not help.
 */
export function matchesPattern(pattern: string, value: string): boolean {
	let [at, next] = [0, 0];
	let star: { readonly next: number; at: number } | null = null;
	while (at < value.length) {
		if (pattern[next] === "*") {
			star = { next: ++next, at };
			continue;
		}
		const escaped = pattern[next] === "\\" ? 1 : 0;
		if (next < pattern.length && pattern[next + escaped] === value[at]) {
			next += 1 + escaped;
			at++;
		} else if (star !== null) {
			next = star.next;
			at = ++star.at;
		} else {
			return false;
		}
	}
	while (pattern[next] === "*") next++;
	return next === pattern.length;
}

/** Nothing is left to take as it is behind a last `\`. */
function isPattern(text: string): boolean {
	let at = 0;
	while (at < text.length) at += text[at] === "\\" ? 2 : 1;
	return at === text.length;
}

function encodeEntries(entries: MemberTags): number[] {
	const bytes: number[] = [];
	if (typeof entries !== "object" || entries === null) {
		throw tagsInvalid({ tag: "", expected: "texts by name", actual: shown(entries) });
	}
	for (const name of Object.keys(entries).sort()) {
		const value: unknown = entries[name];
		if (!NAME.test(name))
			throw tagsInvalid({ tag: shown(name), expected: `a name like ${NAME.source}`, actual: shown(name) });
		if (typeof value !== "string" || !VALUE.test(value)) {
			throw tagsInvalid({ tag: name, expected: `a text like ${VALUE.source}`, actual: shown(value) });
		}
		bytes.push(...encodeText(name), ...encodeText(value));
	}
	return bytes;
}

function decodeEntries(bytes: Uint8Array, from: number): ReadonlyMap<string, string> | null {
	const entries = new Map<string, string>();
	let last = "";
	for (let at = from; at < bytes.length; ) {
		const name = decodeText(bytes, at);
		if (name === null || !NAME.test(name) || name <= last) return null;
		const value = decodeText(bytes, at + 1 + name.length);
		if (value === null || !VALUE.test(value)) return null;
		entries.set(name, value);
		last = name;
		at += 2 + name.length + value.length;
	}
	return entries;
}

/** ASCII, so that a character is a byte. */
function encodeText(text: string): number[] {
	return [text.length, ...Array.from(text, (character) => character.charCodeAt(0))];
}

function decodeText(bytes: Uint8Array, at: number): string | null {
	const length = bytes[at];
	if (length === undefined || at + 1 + length > bytes.length) return null;
	return String.fromCharCode(...bytes.subarray(at + 1, at + 1 + length));
}

function shown(value: unknown): string {
	return String(value).slice(0, 80);
}
