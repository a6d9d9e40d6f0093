/** A fault's arguments, as the runner hands them to a target: checked, and all given. */
import { must } from "../../protocols/core/index.ts";
import type { FaultSpec } from "../../supervisors/index.ts";

export class FaultArguments {
	readonly #fault: FaultSpec;

	constructor(fault: FaultSpec) {
		this.#fault = fault;
	}

	text(name: string): string {
		const value = this.#fault.arguments[name];
		return must(typeof value === "string" ? value : undefined, `${this.#fault.kind} has a text ${name}`);
	}

	number(name: string): number {
		const value = this.#fault.arguments[name];
		return must(typeof value === "number" ? value : undefined, `${this.#fault.kind} has a number ${name}`);
	}

	list(name: string): readonly string[] {
		const value = this.#fault.arguments[name];
		return must(
			Array.isArray(value) ? (value as readonly string[]) : undefined,
			`${this.#fault.kind} has a list ${name}`,
		);
	}
}
