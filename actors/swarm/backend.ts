/** What a swarm stands on: worker threads, or a simulation. */
import type { ActorSpec } from "../../runtime/actor/behaviour.ts";
import type { Backend } from "../../runtime/actor/ports.ts";

/** A backend that is injected, and the storage that belongs to it. */
export interface SwarmBackend {
	readonly backend: Backend;
	/** The storage actor of this backend; its name is `storage`. */
	readonly storage: ActorSpec;
}
