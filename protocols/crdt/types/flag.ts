/** Flags: what is written concurrently stays side by side, and the name of the type says how it is read. At first false. */
import type { Container } from "../document/container.ts";
import { supersededBy } from "../document/entry.ts";
import { Part } from "./part.ts";

export class Flag extends Part {
	get value(): boolean {
		return flagValue(this.container);
	}

	enable(): void {
		this.#write(true);
	}

	disable(): void {
		this.#write(false);
	}

	#write(value: boolean): void {
		this.core.own.entry(this.container, "", value, supersededBy(this.container.entries.get("")));
	}
}

/** Enable wins: true if any says so. Disable wins: true if all say so, and there is one. */
export function flagValue(container: Container): boolean {
	const first = container.entries.get("") ?? null;
	for (let entry = first; entry !== null; entry = entry.next) {
		if (container.type === "enable-wins-flag" && entry.value === true) return true;
		if (container.type === "disable-wins-flag" && entry.value === false) return false;
	}
	return container.type === "disable-wins-flag" && first !== null;
}
