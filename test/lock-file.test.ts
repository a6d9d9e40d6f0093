/**
 * Goal: `npm ci` works on every platform and from every mirror. It fails when the lock file leaves out an optional
 * dependency that some package declares, which npm does by itself when it writes the file where a platform's binary
 * can not be looked up.
 * Method: every optional dependency named in the lock file must have an entry of its own.
 */
import { readFileSync } from "node:fs";
import { expect, it } from "vitest";

interface LockedPackage {
	readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const lock = JSON.parse(readFileSync(new URL("../package-lock.json", import.meta.url), "utf8")) as {
	readonly packages: Readonly<Record<string, LockedPackage>>;
};

/** The places where npm looks for a dependency of the package at `place`, nearest first. */
function places(place: string, name: string): string[] {
	const found = [`${place === "" ? "" : `${place}/`}node_modules/${name}`];
	for (let at = place.lastIndexOf("/node_modules/"); at >= 0; at = place.lastIndexOf("/node_modules/", at - 1)) {
		found.push(`${place.slice(0, at)}/node_modules/${name}`);
	}
	found.push(`node_modules/${name}`);
	return found;
}

it("has an entry for every optional dependency of every platform", () => {
	const missing: string[] = [];
	let checked = 0;
	for (const [place, locked] of Object.entries(lock.packages)) {
		for (const name of Object.keys(locked.optionalDependencies ?? {})) {
			checked += 1;
			if (!places(place, name).some((path) => path in lock.packages)) missing.push(`${name} (of ${place})`);
		}
	}
	expect(checked).toBeGreaterThan(20);
	expect(missing).toEqual([]);
});
