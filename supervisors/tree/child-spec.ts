/**
 * What a supervisor is made of, as data: its flags and its children, each with everything that is needed to start it
 * again and again. Names and defaults are OTP's (`supervisor`, "Supervisor flags" and "Child specification").
 */
import type { ActorSpec } from "../../runtime/actor/index.ts";
import type { BackoffSpec } from "./backoff.ts";

/**
 * Whom a child's failure concerns.
 * - `one-for-one`: only the failed child is restarted;
 * - `one-for-all`: all others are stopped, then all are started;
 * - `rest-for-one`: those that come after it in start order are stopped, then it and they are started.
 */
export type Strategy = "one-for-one" | "one-for-all" | "rest-for-one";

/**
 * - `permanent`: always restarted;
 * - `transient`: restarted only after an abnormal end: a failure, the loss of its thread, a kill by someone else;
 * - `temporary`: never restarted, not even when a sibling's failure was the cause of its end.
 */
export type RestartType = "permanent" | "transient" | "temporary";

/**
 * How a child is ended: in order within so many milliseconds and killed after that; or killed at once; or in order
 * without a limit, for supervisors only (a subtree must be given the time that all its members need together).
 */
export type Shutdown = number | "brutal-kill" | "infinity";

/**
 * When the supervisor ends itself because significant children have ended by themselves: never; with the first of them;
 * with the last of them. Children that the supervisor ended do not count.
 */
export type AutoShutdown = "never" | "any-significant" | "all-significant";

/** One child of a supervisor. */
export interface ChildSpec {
	/** 1 to 128 characters, unique among the children of its supervisor. */
	readonly id: string;
	/** What to start: an actor, or a supervisor with children of its own. */
	readonly start: ActorSpec | SupervisorSpec;
	/** Default `permanent`. */
	readonly restart?: RestartType;
	/** Default 5,000 for workers, `infinity` for supervisors; a number is 0 to 2^31 − 1. */
	readonly shutdownMs?: Shutdown;
	/** Its end by itself may end the supervisor (see {@link AutoShutdown}). Never for permanent children. Default false. */
	readonly significant?: boolean;
	/** Default `supervisor` if `start` is one, else `worker`. An actor may be declared a supervisor: it may then have `infinity`. */
	readonly type?: "worker" | "supervisor";
}

/** The flags that all supervisors have. */
export interface SupervisorFlags {
	/** The name of the supervisor's actor: 1 to 128 characters, unique among living actors. */
	readonly name: string;
	/**
	 * How many restarts are tolerated within {@link periodMs}; with one more the supervisor ends its children and fails with
	 * `intensity-exceeded`. 0 to 1,000; default 1. The rate that is sustained for ever is `intensity / periodMs`.
	 */
	readonly intensity?: number;
	/** Milliseconds, 1 to 86,400,000; default 5,000. */
	readonly periodMs?: number;
	/**
	 * How long to wait before a restart; default: not at all, as OTP. Each restart burns intensity when its failure is
	 * reported, so that with a backoff an intensity of `n` bridges at least the sum of the first `n` delays.
	 */
	readonly backoff?: BackoffSpec;
	/** A message type of one sender is reported as poison after it has killed the same child so many times; 1 to 100; default 3. */
	readonly poisonLimit?: number;
}

/** A supervisor with a list of children. */
export interface StaticSupervisorSpec extends SupervisorFlags {
	/** Default `one-for-one`. */
	readonly strategy?: Strategy;
	/** Default `never`. */
	readonly autoShutdown?: AutoShutdown;
	/** In start order; they are stopped in reverse. */
	readonly children: readonly ChildSpec[];
}

/** What the children of a dynamic supervisor have in common. */
export interface ChildTemplate extends Omit<ChildSpec, "id" | "start" | "significant"> {
	/** The `name` is the prefix of the children's names, `args` the default of their arguments. */
	readonly start: ActorSpec;
}

/**
 * A supervisor of many children of one kind that come and go (OTP's `simple_one_for_one`): it starts empty, each child
 * is started on request from the template, and one that has ended is forgotten.
 */
export interface DynamicSupervisorSpec extends SupervisorFlags {
	readonly strategy: "dynamic";
	readonly template: ChildTemplate;
}

export type SupervisorSpec = StaticSupervisorSpec | DynamicSupervisorSpec;

/** A child spec with its defaults filled in, as {@link checkChild} returns it. */
export interface CheckedChild {
	readonly id: string;
	readonly start: ActorSpec | SupervisorSpec;
	readonly restart: RestartType;
	readonly shutdownMs: Shutdown;
	readonly significant: boolean;
	readonly type: "worker" | "supervisor";
}

/** Supervisor flags with their defaults filled in. */
export interface CheckedFlags {
	readonly name: string;
	readonly strategy: Strategy;
	readonly dynamic: boolean;
	readonly autoShutdown: AutoShutdown;
	readonly intensity: number;
	readonly periodMs: number;
	readonly backoff: BackoffSpec | null;
	readonly poisonLimit: number;
}

/** Children of one supervisor, running or not; one more is refused with `too-many-children`. */
export const CHILDREN_MAX = 10_000;

export function isSupervisorSpec(start: ActorSpec | SupervisorSpec): start is SupervisorSpec {
	return "children" in start || "template" in start;
}
