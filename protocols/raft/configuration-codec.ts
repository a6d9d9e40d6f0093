/**
 * A configuration as the data of its log entry: a version, flags, then the three lists, each a count and its ids, each id
 * a length and its characters, which are ASCII; of version 2, which is written only when there are witnesses, four lists. It
 * is part of what is on disks, so it only changes with the version.
 */
import { assert, must, type NodeId } from "../core/index.ts";
import type { Configuration } from "./entry.ts";

const VERSION = 1;
const VERSION_WITH_WITNESSES = 2;
const AUTO_LEAVE = 1;

export function encodeConfiguration(configuration: Configuration): Uint8Array {
	const { voters, outgoing, learners, witnesses, autoLeave } = configuration;
	const version = witnesses.length === 0 ? VERSION : VERSION_WITH_WITNESSES;
	const bytes: number[] = [version, autoLeave ? AUTO_LEAVE : 0];
	for (const list of version === VERSION ? [voters, outgoing, learners] : [voters, outgoing, learners, witnesses]) {
		bytes.push(list.length);
		for (const node of list) {
			bytes.push(node.length);
			for (let i = 0; i < node.length; i++) bytes.push(node.charCodeAt(i));
		}
	}
	assert(
		bytes.every((byte) => byte < 256),
		"counts, lengths and characters of ids are bytes",
	);
	return Uint8Array.from(bytes);
}

/** What {@link encodeConfiguration} made. Anything else is a broken log, and throws. */
export function decodeConfiguration(data: Uint8Array): Configuration {
	let at = 0;
	const next = (): number => must(data[at++], "a configuration is complete");
	const version = next();
	assert(version === VERSION || version === VERSION_WITH_WITNESSES, "the version of a configuration is known");
	const flags = next();
	const list = (): NodeId[] => Array.from({ length: next() }, () => id());
	const id = (): NodeId => String.fromCharCode(...Array.from({ length: next() }, next)) as NodeId;
	const configuration = {
		voters: list(),
		outgoing: list(),
		learners: list(),
		witnesses: version === VERSION ? [] : list(),
		autoLeave: flags === AUTO_LEAVE,
	};
	assert(at === data.length && flags <= AUTO_LEAVE, "a configuration ends where its lists end");
	return configuration;
}
