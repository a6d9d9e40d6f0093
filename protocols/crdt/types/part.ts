/** What all handles of parts have in common: they stay valid when their document takes over another state. */
import type { Container, Path } from "../document/container.ts";
import type { DocumentCore } from "../document/core.ts";
import type { LeafType } from "./schema.ts";

/** Who has the document's present data. */
export interface CoreHolder {
	readonly core: DocumentCore;
}

export class Part {
	readonly #holder: CoreHolder;
	readonly #path: Path;
	readonly #types: readonly LeafType[];
	/** Of this data {@link #container} is a part. */
	#core: DocumentCore;
	#container: Container;

	/** @throws QuorateError `crdt-container-unknown` unless the schema has one of these types at the path */
	constructor(holder: CoreHolder, path: Path, types: readonly LeafType[]) {
		this.#holder = holder;
		this.#path = path;
		this.#types = types;
		this.#core = holder.core;
		this.#container = holder.core.container(path, types);
	}

	protected get core(): DocumentCore {
		return this.#holder.core;
	}

	protected get container(): Container {
		const { core } = this.#holder;
		if (core !== this.#core) {
			this.#core = core;
			this.#container = core.container(this.#path, this.#types);
		}
		return this.#container;
	}
}
