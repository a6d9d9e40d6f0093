/** Which protocol a call is about, before its options are known: each has options of its own. */

/** The value of the last `--protocol`; undefined without one. */
export function namedProtocol(args: readonly string[]): string | undefined {
	let protocol: string | undefined;
	for (const [place, text] of args.entries()) {
		if (text === "--protocol") protocol = args[place + 1];
		else if (text.startsWith("--protocol=")) protocol = text.slice("--protocol=".length);
	}
	return protocol;
}
