/** An application whose state is the list of what was applied, so that order, loss and repetition show. */
import type { OrderedApplication } from "../../protocols/pbft/index.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class Ledger implements OrderedApplication {
	#applied: string[] = [];

	/** Everything that was applied, in order. */
	get text(): string {
		return this.#applied.join(" ");
	}

	apply(operation: Uint8Array): Uint8Array {
		this.#applied.push(decoder.decode(operation));
		return encoder.encode(String(this.#applied.length));
	}

	query(): Uint8Array {
		return encoder.encode(this.text);
	}

	takeSnapshot(): Uint8Array {
		return encoder.encode(this.text);
	}

	restoreSnapshot(snapshot: Uint8Array): void {
		this.#applied = snapshot.length === 0 ? [] : decoder.decode(snapshot).split(" ");
	}
}
