/** The messages that the lane benchmark sends: Raft's, as its participants send them. */
import type { AppendEntries, Vote } from "../../../protocols/raft/messages.ts";
import { raftLayouts } from "../../../protocols/raft/messages.ts";
import type { CodecSpec } from "../../../runtime/codec/index.ts";

export const benchCodec: CodecSpec = { layouts: [raftLayouts], records: [] };

export function voteOf(serial: number): Vote {
	return { type: "vote", term: serial as Vote["term"], granted: (serial & 1) === 0, preVote: false };
}

/** 64 entries of 64 bytes. */
export function appendOf(serial: number): AppendEntries {
	const term = serial as AppendEntries["term"];
	const index = serial as AppendEntries["prevIndex"];
	const entries = Array.from({ length: 64 }, (_, i) => ({
		term,
		kind: "command" as const,
		session: 7 as never,
		serial: serial * 64 + i,
		firstIncomplete: serial,
		data: new Uint8Array(64).fill(i),
	}));
	return { type: "append-entries", term, prevIndex: index, prevTerm: term, commit: index, round: serial, entries };
}

/** What the receiver adds up, so that the sender can see that every message was handled and not only counted. */
export function weightOf(message: Vote | AppendEntries): number {
	if (message.type === "vote") return message.term;
	const last = message.entries[message.entries.length - 1];
	return message.term + (last === undefined ? 0 : (last.data[63] ?? 0) + last.serial);
}
