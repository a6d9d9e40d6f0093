/**
 * What people write: the replicated application. It is a deterministic state machine like a protocol, one floor
 * up: the same commands in the same order give the same results and the same state on every replica.
 */

/** Where in the replicated order a command stands. */
export interface LogPosition {
	/** 1-based position in the group's order; it grows, and may skip positions that carry no command. */
	readonly index: number;
	/** The term in which the command was proposed. */
	readonly term: number;
}

/**
 * A replicated application. Commands, results, queries, answers and snapshots are cloneable plain data (what
 * msgpack can carry: numbers, strings, booleans, null, byte arrays, arrays, records, maps and sets).
 *
 * It is named by module and export, because it must be created inside each participant's thread; the export is a
 * class whose constructor takes the `args` of the source. Importing the module must have no side effects.
 *
 * `apply` must not read a clock, draw random numbers or depend on anything but state and command. If it throws,
 * the participant stops: replicas that went on after one of them failed would differ.
 * To refuse a command, return a result that says so. No method may be asynchronous: a promise is refused as a failure.
 * Results and answers are limited in size; see the host (`result-too-large`).
 */
export interface Application<
	Command = unknown,
	Result = unknown,
	Query = unknown,
	Answer = unknown,
	Snapshot = unknown,
> {
	/** Applies one decided command and returns its result. Called once for each command, in order. */
	apply(command: Command, position: LogPosition): Result;
	/** Answers a question from the present state, without changing it. If it throws, who asked gets `query-failed`. */
	query(query: Query): Answer;
	/** The whole state as a value; later `apply` calls must not change what was returned. */
	takeSnapshot(): Snapshot;
	/** Replaces the whole state by a snapshot that a replica (perhaps this one) took. */
	restoreSnapshot(snapshot: Snapshot): void;
}
