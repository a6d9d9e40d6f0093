/** A short name for an entry's content, so that watchers remember numbers and not entries. */
import type { Entry, SessionId, Term } from "../entry.ts";

/** 53 bits over every field of an entry: equal entries have the same, others almost surely (2^-53) not. */
export type EntryDigest = number;

const kinds: Readonly<Record<Entry["kind"], number>> = {
	"no-op": 1,
	"open-session": 2,
	command: 3,
	configuration: 4,
	withheld: 5,
};

/** Entries are immutable and the same one is seen many times, at several members and by several properties. */
const known = new WeakMap<Entry, EntryDigest>();

export function entryDigest(entry: Entry): EntryDigest {
	let found = known.get(entry);
	if (found === undefined) {
		found = digest(entry);
		known.set(entry, found);
	}
	return found;
}

type Digested = "term" | "kind" | "session" | "serial" | "firstIncomplete" | "data";
/** An entry, unless it has come to have a field that is not digested: then no entry is one, and the call does not compile. */
type WholeEntry = Entry & Readonly<Record<Exclude<keyof Entry, Digested>, never>>;

const withheldOf = new Map<Term, EntryDigest>();

/** The digest of what a witness keeps in place of a command of this term. */
export function withheldDigest(term: Term): EntryDigest {
	let found = withheldOf.get(term);
	if (found === undefined) {
		const session = 0 as SessionId;
		found = digest({ term, kind: "withheld", session, serial: 0, firstIncomplete: 0, data: new Uint8Array(0) });
		withheldOf.set(term, found);
	}
	return found;
}

/** Two lanes of 32 bits that mix alike and multiply differently, of which 53 are kept. */
function digest({ term, kind, session, serial, firstIncomplete, data }: WholeEntry): EntryDigest {
	let a = 0x9e3779b9;
	let b = 0x85ebca6b;
	const add = (value: number): void => {
		a = Math.imul(a ^ value, 0xcc9e2d51);
		a = (a ^ (a >>> 15)) | 0;
		b = Math.imul(b ^ value, 0x1b873593);
		b = (b ^ (b >>> 13)) | 0;
	};
	for (const field of [term, session, serial, firstIncomplete]) {
		add(field | 0);
		add(Math.floor(field / 2 ** 32));
	}
	add(kinds[kind]);
	add(data.length);
	// Four bytes at a time; the length, which went before, tells where the last ones end.
	const whole = data.length & -4;
	for (let at = 0; at < whole; at += 4) add(wordAt(data, at));
	for (let at = whole; at < data.length; at++) add(data[at] as number);
	add(0x27d4eb2f);
	return (a >>> 0) * 2 ** 21 + (b >>> 11);
}

function wordAt(data: Uint8Array, at: number): number {
	const low = (data[at] as number) | ((data[at + 1] as number) << 8);
	return low | ((data[at + 2] as number) << 16) | ((data[at + 3] as number) << 24);
}
