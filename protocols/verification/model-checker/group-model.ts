/**
 * A group of state machines as a model: what a protocol's room supplies ({@link GroupPort}), and what the world may do to
 * the group, all of it bounded ({@link GroupBounds}).
 *
 * The host that the checker plays keeps the duties of `protocols/core/state-machine.ts`, at their weakest: messages wait
 * for any time and overtake each other; every set timer may fire; the disk finishes when it likes; a crash keeps any
 * prefix of the unfinished persists, and the member starts again at once with that (one that stays down does nothing,
 * which is what a slow one does). Every input is a batch of its own. Reads of durable data and orders of snapshots are
 * never answered, which the contract allows for any finite time.
 */
import type { NodeId, ProtocolTypes, StateMachine, WriteId } from "../../core/index.ts";
import type { GroupObservation } from "../observation.ts";
import type { Property } from "../property.ts";
import { modelMalformed, modelUnbounded, requireBound } from "./errors.ts";

/** A message under way. */
export interface Envelope<P extends ProtocolTypes> {
	readonly from: NodeId;
	readonly to: NodeId;
	readonly message: P["message"];
}

/** How one protocol is put into the checker. Its functions are pure, and never keep or change what they are given. */
export interface GroupPort<P extends ProtocolTypes, View> {
	/** The members, each once; their names occur in states, messages and writes only as names of nodes. */
	readonly nodes: readonly NodeId[];
	/** A machine before its start. Under symmetry members differ by nothing but their names. */
	readonly create: (node: NodeId) => StateMachine<P>;
	/** What a first boot finds on the disk. */
	readonly blank: P["durable"];
	/** What is durable after one more persist. The given value stays as it is. */
	readonly performWrite: (durable: P["durable"], write: P["write"]) => P["durable"];
	/** A machine as observers see it. */
	readonly view: (machine: StateMachine<P>) => View;
	/**
	 * A machine's state without what can not matter any more, so that states which behave alike are equal: persists
	 * numbered from the oldest unfinished one (null: all are finished), what never changes left out, and lists whose order
	 * follows from the names of the nodes as sets.
	 */
	readonly essence: (state: unknown, oldestUnfinished: WriteId | null) => unknown;
	/** The same of what is on a disk: what of it can matter after a crash. Default: all of it. */
	readonly durableEssence?: (durable: P["durable"]) => unknown;
	/** Whether a member is within the model's bounds (of terms, of logs); `essence` is what `essence` returned. */
	readonly isWithin: (essence: unknown) => boolean;
	/**
	 * Whether a message can do nothing at its receiver, now or ever, not even after a crash that loses all that is not in
	 * `durable`. Such a message is taken off the network.
	 */
	readonly isObsolete?: (envelope: Envelope<P>, essence: unknown, durable: P["durable"]) => boolean;
	/**
	 * Of a cumulative network: whether a message, delivered now, would only be remembered until something else has happened, and does
	 * all that it would have done if it is delivered after that. Such a message waits: a run in which it comes now is, for all that
	 * leaves members, one in which it comes later, and there are far fewer states without what is remembered in between.
	 */
	readonly isPremature?: (envelope: Envelope<P>, essence: unknown) => boolean;
	/**
	 * How far a member has come, 0 to {@link RANK_MAX}: the more rarely it falls the better. A hint that changes no verdict: of a
	 * cumulative network the states are explored in the order of their members' sums, so that few are explored in vain.
	 */
	readonly rank?: (essence: unknown) => number;
	/**
	 * A timer that, under reduction, fires right after an input if it is set: because whatever a member does before it fires
	 * it can also do (or leave) afterwards, so that no behaviour is lost by not waiting. Given the machine's own state.
	 */
	readonly eagerTimer?: (state: unknown) => P["timer"] | null;
	/**
	 * Timers that never fire here, as any timer may take longer than a run: for what only makes good what a network has lost, where
	 * the model's own network can still deliver it. What depends on such a firing is not explored.
	 */
	readonly silentTimers?: readonly P["timer"][];
	/** What clients ask, in this order, each of any member. A request that nothing comes of is not used up. */
	readonly requests: readonly P["request"][];
	/** Members that lie: they run no machine, hear nothing, and send nothing but {@link GroupPort.forgeries}. Default: none. */
	readonly liars?: readonly NodeId[];
	/** What may be sent beside what the machines send, each under the name of its true sender, who can sign it: a finite set. */
	readonly forgeries?: readonly Envelope<P>[];
	/** A message in one line, without sender and receiver. Default: its fields. */
	readonly describeMessage?: (message: P["message"]) => string;
	/** A member in one line. Default: the canonical text of its essence. */
	readonly describeMember?: (essence: unknown) => string;
}

/** What the world may do. All are mandatory: a model without bounds never ends. */
export interface GroupBounds {
	/**
	 * Messages under way at once, 1 to {@link IN_FLIGHT_MAX}; a state with more is beyond the bounds, and so is one in which
	 * more than that wait for one member's disk. `"any"` of a cumulative network, and only there.
	 */
	readonly inFlight: number | "any";
	/** Crashes in one run, 0 to {@link BUDGET_MAX}. */
	readonly crashes: number;
	/** Messages lost in one run, or `"any"`: every message under way may vanish at any time. */
	readonly losses: number | "any";
	/** Messages delivered twice in one run. `"any"` of a cumulative network, and only there. */
	readonly duplicates: number | "any";
	/**
	 * Forged messages in one run; 0 unless the port has forgeries. `"any"` of a cumulative network, and only there: all are on
	 * it from the beginning.
	 */
	readonly forgeries: number | "any";
}

export const IN_FLIGHT_MAX = 14;
export const RANK_MAX = 4_095;
export const BUDGET_MAX = 63;
/** The most members of a group, and the most of one with symmetry (its renamings are `members!`). */
export const MEMBERS_MAX = 15;
export const SYMMETRIC_MEMBERS_MAX = 5;

export interface GroupModel<P extends ProtocolTypes, View> {
	readonly name: string;
	readonly port: GroupPort<P, View>;
	/**
	 * An `eventually` is judged on runs that stay within the bounds for ever, where faults end since their budgets do: it must
	 * hold again and again on each that is fair to every timer, every write and every single message (weakly: what stays
	 * possible for ever is done). A run that leaves the bounds, as one in which every election fails leaves the terms, is
	 * not judged: nothing is said of it. Without reduction and symmetry, which keep no cycles.
	 */
	readonly properties: readonly Property<GroupObservation<P, View>>[];
	readonly bounds: GroupBounds;
	/**
	 * `asynchronous`: a persist finishes at any later time, one by one. `synchronous`: before the member takes its next
	 * input, so there are far fewer states; a crash may still come between an input's immediate effects and its persists.
	 */
	readonly disk: "synchronous" | "asynchronous";
	/**
	 * `set`: a message equal to one under way adds nothing, as if it were lost. `multiset`: it takes a place of its own.
	 * `cumulative`: nothing ever leaves the network, so any number of messages is under way, and each may be delivered at any
	 * time, as often as one likes, or never: every loss, delay, duplicate and order that there is. Far fewer states than
	 * with a bound on messages (`cumulative-space.ts` says why), and explored under reduction only.
	 */
	readonly network: "multiset" | "set" | "cumulative";
	/** Whether states are left out that can do nothing which others can not do too; see `group-space.ts`. */
	readonly isReduced: boolean;
	/** Whether states that differ only by the names of the nodes are explored once. */
	readonly isSymmetric: boolean;
}

/** @throws QuorateError `model-unbounded`, `model-malformed` */
export function checkGroupModel<P extends ProtocolTypes, View>({
	name,
	port,
	properties,
	bounds,
	network,
	isReduced,
	isSymmetric,
}: GroupModel<P, View>): void {
	const members = isSymmetric ? SYMMETRIC_MEMBERS_MAX : MEMBERS_MAX;
	requireBound(name, "nodes", port.nodes.length, 1, members);
	if (network === "cumulative") {
		for (const bound of ["inFlight", "losses", "duplicates"] as const) {
			const actual = bounds?.[bound];
			if (actual !== "any") throw modelUnbounded({ model: name, bound, expected: "any", actual: String(actual) });
		}
		if (!isReduced)
			throw modelMalformed({ model: name, problem: "a cumulative network is explored under reduction only" });
	} else {
		requireBound(name, "inFlight", bounds?.inFlight, 1, IN_FLIGHT_MAX);
		if (bounds.losses !== "any") requireBound(name, "losses", bounds.losses, 0, BUDGET_MAX);
		requireBound(name, "duplicates", bounds.duplicates, 0, BUDGET_MAX);
	}
	requireBound(name, "crashes", bounds.crashes, 0, BUDGET_MAX);
	if (bounds.forgeries !== "any" || network !== "cumulative") {
		requireBound(name, "forgeries", bounds.forgeries, 0, BUDGET_MAX);
	}
	requireBound(name, "requests", port.requests.length, 0, BUDGET_MAX);
	const eventually = properties.find(({ kind }) => kind === "eventually");
	const isFree = network === "cumulative" || bounds.losses === "any";
	if (eventually !== undefined && (isFree || isReduced || isSymmetric)) {
		const problem = `${eventually.id}, an eventually, is judged with a bound on losses, without reduction and symmetry`;
		throw modelMalformed({ model: name, problem });
	}
	const stranger = [...(port.liars ?? []), ...(port.forgeries ?? []).map(({ from }) => from)].find(
		(node) => !port.nodes.includes(node),
	);
	if (stranger !== undefined) throw modelMalformed({ model: name, problem: `${stranger} lies, and is no member` });
}
