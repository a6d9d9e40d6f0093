/**
 * Push-sum among members (Kempe, Dobra, Gehrke, FOCS 2003): one asks for a figure of all, each brings in what it has contributed, and after
 * some rounds of halving the asker's estimate is near the truth. Only members that are believed to be there are given mass, and what could
 * not be delivered is taken back.
 *
 * A member that dies takes along the mass that it holds, about one part in n of it, and the estimate is off by as much. When the asker hears
 * that somebody has gone or come, it starts a further epoch with the mass of those who are there.
 */
import {
	type ErrorObject,
	errorToObject,
	invalidArgument,
	type NodeId,
	requireInteger,
} from "../../protocols/core/index.ts";
import {
	type AggregateKind,
	aggregateKinds,
	aggregationRounds,
	initialMass,
	type MassMessage,
	PushSum,
} from "../../protocols/gossip/index.ts";
import type { ActorContext } from "../../runtime/actor/index.ts";
import { requestRefused } from "./errors.ts";
import type { MemberEvent } from "./member-messages.ts";

export interface AggregateOptions {
	/** Names the contributed values, as {@link checkedContribution}; not for `count`. Default `value`. */
	readonly of?: string;
	/** The share by which the estimate may be off, see `aggregationRounds`. Default 0.01; bounds 1e-6 to 0.5. */
	readonly accuracy?: number;
	/** In ms. Default 100; bounds 1 to 60,000. */
	readonly roundMs?: number;
}

/** What an aggregate has come to. It is an estimate, of the members that its member could reach. */
export interface Aggregate {
	/** Null if nobody has contributed anything. */
	readonly estimate: number | null;
	/** Rounds of the last epoch, and how many epochs there were. */
	readonly rounds: number;
	readonly epochs: number;
	/** Nobody was heard to go or to come during the last epoch. If false, mass may be missing. */
	readonly isWhole: boolean;
}

export type AggregateReply =
	| { readonly type: "aggregated"; readonly aggregate: Aggregate }
	| { readonly type: "aggregate-refused"; readonly error: ErrorObject };

/** Names of contributed values of one member, and characters of a name. */
const CONTRIBUTIONS_MAX = 64;
const NAME_LENGTH_MAX = 64;
/** Figures that one member asks for, and those of all that it remembers, at once. */
const ASKED_MAX = 16;
const EPOCHS_KNOWN_MAX = 256;
/** Epochs of one question. */
export const EPOCHS_MAX = 5;
/** More than {@link aggregationRounds} ever says. */
export const ROUNDS_MAX = 128;
const ROUND_MS_MAX = 60_000;

/** @throws QuorateError `invalid-argument` */
export function checkedContribution(name: string, value: number): void {
	requireName(name);
	if (Number.isFinite(value)) return;
	throw invalidArgument({ argument: "value", expected: "a finite number", actual: String(value).slice(0, 80) });
}

/** Fills in the defaults. @throws QuorateError `invalid-argument`, `gossip-config-invalid` */
export function checkedAggregate(kind: AggregateKind, given: AggregateOptions): Required<AggregateOptions> {
	if (!aggregateKinds.includes(kind)) {
		const actual = String(kind).slice(0, 80);
		throw invalidArgument({ argument: "kind", expected: aggregateKinds.join(", "), actual });
	}
	const { of = "value", accuracy = 0.01, roundMs = 100 } = given;
	requireName(of);
	aggregationRounds(2, accuracy);
	return { of: kind === "count" ? "" : of, accuracy, roundMs: requireInteger("roundMs", roundMs, 1, ROUND_MS_MAX) };
}

function requireName(name: string): void {
	if (typeof name === "string" && name.length > 0 && name.length <= NAME_LENGTH_MAX) return;
	const expected = `1 to ${NAME_LENGTH_MAX} characters`;
	throw invalidArgument({ argument: "name", expected, actual: String(name).slice(0, 80) });
}

export interface MemberAggregatesPorts {
	readonly context: Pick<ActorContext, "generator" | "timers">;
	readonly node: NodeId;
	/** The others that are believed to be there. */
	readonly peers: () => readonly NodeId[];
	/** Whether it is on its way. */
	readonly send: (to: NodeId, message: MassMessage) => boolean;
	readonly publish: (event: MemberEvent) => void;
}

/** One epoch at this member: what it says to all, and its mass. */
interface Epoch {
	readonly about: Omit<MassMessage, "rounds" | "sum" | "weight">;
	readonly pushSum: PushSum;
	/** Rounds that it still gives in. */
	roundsLeft: number;
}

/** A figure that this member wants to know. */
interface Asked {
	readonly accuracy: number;
	readonly answer: (reply: AggregateReply) => void;
	rounds: number;
	isWhole: boolean;
}

export class MemberAggregates {
	readonly #ports: MemberAggregatesPorts;
	readonly #dice: ActorContext["generator"];
	readonly #contributed = new Map<string, number>();
	/** By origin and serial, the oldest first; those that have ended stay, or late mass would begin them anew. */
	readonly #epochs = new Map<string, Epoch>();
	readonly #asked = new Map<string, Asked>();
	/** Of this life alone: a former one's questions begin elsewhere. */
	#serial: number;

	constructor(ports: MemberAggregatesPorts) {
		this.#ports = ports;
		this.#dice = ports.context.generator.fork("aggregates");
		this.#serial = this.#dice.below(2 ** 31) * 65_536;
	}

	/** What this member brings into aggregates from now on, as long as it lives. */
	contribute(name: string, value: number): AggregateReply | null {
		if (!this.#contributed.has(name) && this.#contributed.size >= CONTRIBUTIONS_MAX) return this.#refuse("contribute");
		this.#contributed.set(name, value);
		return null;
	}

	/** @param options checked by {@link checkedAggregate} */
	ask(kind: AggregateKind, options: Required<AggregateOptions>, answer: (reply: AggregateReply) => void): void {
		if (this.#asked.size >= ASKED_MAX) {
			answer(this.#refuse("aggregate"));
			return;
		}
		const { accuracy, of, roundMs } = options;
		const { node: origin } = this.#ports;
		const about = { type: "mass", origin, serial: this.#serial++, kind, of, epoch: 0, roundMs } as const;
		this.#asked.set(keyOf(about), { accuracy, answer, rounds: 0, isWhole: true });
		this.#begin(about, null);
	}

	receive(message: MassMessage): void {
		const { sum, weight, rounds, ...about } = message;
		const known = this.#epochs.get(keyOf(about));
		if (known === undefined || known.about.epoch < about.epoch) {
			// A question of this member that it does not know is one of its former life.
			const isSound = about.roundMs >= 1 && about.roundMs <= ROUND_MS_MAX && rounds <= ROUNDS_MAX;
			if (!isSound || about.origin === this.#ports.node) return;
			this.#begin(about, rounds);
		}
		this.#epochs.get(keyOf(about))?.pushSum.take(about.epoch, { sum, weight });
	}

	/** Somebody has gone or come: what mass there is in all may not be known any more. */
	disturb(): void {
		for (const asked of this.#asked.values()) asked.isWhole = false;
	}

	/** @param rounds those that the sender still gives in; null where the question is this member's own */
	#begin(about: Epoch["about"], rounds: number | null): void {
		const key = keyOf(about);
		const asked = this.#asked.get(key);
		const isOwn = rounds === null && asked !== undefined;
		const roundsLeft = rounds ?? aggregationRounds(this.#ports.peers().length + 1, asked?.accuracy ?? 0.5);
		if (isOwn) {
			asked.rounds = roundsLeft;
			asked.isWhole = true;
		}
		const pushSum = new PushSum(about.epoch, initialMass(about.kind, this.#contributed.get(about.of), isOwn));
		this.#epochs.delete(key);
		this.#epochs.set(key, { about, pushSum, roundsLeft });
		for (const oldest of this.#epochs.keys()) {
			if (this.#epochs.size <= EPOCHS_KNOWN_MAX) break;
			if (!this.#asked.has(oldest)) this.#epochs.delete(oldest);
		}
		this.#setTimer(key, about.roundMs);
	}

	#setTimer(key: string, roundMs: number): void {
		this.#ports.context.timers.run(`aggregate/${key}`, roundMs, () => this.#round(key));
	}

	#round(key: string): void {
		const epoch = this.#epochs.get(key);
		if (epoch === undefined) return;
		const { about } = epoch;
		const asked = this.#asked.get(key);
		if (asked !== undefined && !asked.isWhole && about.epoch + 1 < EPOCHS_MAX) {
			this.#ports.publish({ type: "aggregate-restarted", kind: about.kind, of: about.of, epoch: about.epoch + 1 });
			this.#begin({ ...about, epoch: about.epoch + 1 }, null);
			return;
		}
		if (epoch.roundsLeft === 0) {
			if (asked !== undefined) this.#end(key, epoch, asked);
			return;
		}
		epoch.roundsLeft--;
		this.#give(epoch);
		this.#setTimer(key, about.roundMs);
	}

	#give({ about, pushSum, roundsLeft }: Epoch): void {
		const peers = this.#ports.peers();
		const peer = peers.length === 0 ? undefined : peers[this.#dice.below(peers.length)];
		if (peer === undefined) return;
		const mass = pushSum.give();
		const isOnItsWay = this.#ports.send(peer, { ...about, rounds: roundsLeft, ...mass });
		if (!isOnItsWay) pushSum.take(about.epoch, mass);
	}

	#end(key: string, { about, pushSum }: Epoch, { answer, rounds, isWhole }: Asked): void {
		this.#asked.delete(key);
		const estimate = Number.isNaN(pushSum.estimate) ? null : pushSum.estimate;
		answer({ type: "aggregated", aggregate: { estimate, rounds, epochs: about.epoch + 1, isWhole } });
	}

	#refuse(request: string): AggregateReply {
		const error = requestRefused({ node: this.#ports.node, request, reason: "too-many" });
		return { type: "aggregate-refused", error: errorToObject(error) };
	}
}

function keyOf({ origin, serial }: Pick<MassMessage, "origin" | "serial">): string {
	return `${origin}/${serial}`;
}
