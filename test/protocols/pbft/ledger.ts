/** An application whose state is the list of what was applied, so that order, loss and repetition show. */
import type { OrderedApplication } from "../../../protocols/pbft/index.ts";

export const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
export const decode = (bytes: Uint8Array): string => new TextDecoder().decode(bytes);

export class Ledger implements OrderedApplication {
	applied: string[] = [];

	apply(operation: Uint8Array): Uint8Array {
		this.applied.push(decode(operation));
		return encode(String(this.applied.length));
	}

	query(): Uint8Array {
		return encode(this.applied.join(" "));
	}

	takeSnapshot(): Uint8Array {
		return encode(this.applied.join(" "));
	}

	restoreSnapshot(snapshot: Uint8Array): void {
		this.applied = snapshot.length === 0 ? [] : decode(snapshot).split(" ");
	}
}
