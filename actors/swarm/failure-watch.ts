/** Tells from the system's events when a swarm can not go on, and why. */
import { type ErrorObject, errorFromObject, type QuorateError } from "../../protocols/core/index.ts";
import type { StopReason } from "../../runtime/actor/index.ts";
import * as errors from "./errors.ts";
import { ROOT_NAME, STORAGE_SUPERVISOR_NAME } from "./tree.ts";

type Heard = { readonly type: string } & Readonly<Record<string, unknown>>;

/** Listens for the few events that end a swarm. */
export class FailureWatch {
	readonly #storage: string;
	readonly #groupSupervisor: string | null;
	/** The last error with which an actor failed: the likely reason when a supervisor gives up. */
	#lastError: ErrorObject | null = null;

	/**
	 * @param storage the name of the storage's actor and thread
	 * @param groupSupervisor the name of the members' supervisor, if there are members
	 */
	constructor(storage: string, groupSupervisor: string | null) {
		this.#storage = storage;
		this.#groupSupervisor = groupSupervisor;
	}

	/** Takes an event; the swarm's failure, if this is its end. */
	heard(event: { readonly type: string }): QuorateError | null {
		const values = event as Heard;
		switch (event.type) {
			case "storage-failed":
				this.#lastError = values["error"] as ErrorObject;
				return this.#failure("the storage failed");
			case "thread-ended":
				return values["name"] === this.#storage ? this.#failure("the storage thread ended") : null;
			case "child-failed": {
				const reason = values["reason"] as StopReason;
				if (reason.type === "failed") this.#lastError = reason.error;
				return values["supervisor"] === STORAGE_SUPERVISOR_NAME ? this.#failure("the storage actor failed") : null;
			}
			case "supervisor-gave-up": {
				const supervisor = values["supervisor"];
				if (supervisor !== ROOT_NAME && supervisor !== this.#groupSupervisor) return null;
				return this.#failure(`${String(values["child"])} failed more often than is tolerated`);
			}
			default:
				return null;
		}
	}

	#failure(what: string): QuorateError {
		const error = this.#lastError;
		const reason = error === null ? what : `${what}: ${error.message}`;
		return errors.swarmFailed({ reason }, error === null ? undefined : { cause: errorFromObject(error) });
	}
}
