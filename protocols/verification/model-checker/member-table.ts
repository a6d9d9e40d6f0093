/**
 * The members and messages of a group by numbers, and the transitions of members: the place where the shipped code is
 * called, once for each distinct (member, input).
 */
import { assert, canonicalText, compareIds, must, type ProtocolTypes } from "../../core/index.ts";
import type { GroupObservation } from "../observation.ts";
import { ComponentTable, type Renamings } from "./component-table.ts";
import { modelMalformed } from "./errors.ts";
import { ARGUMENT_MASK, CRASH_MASK, CRASH_SHIFT, crashWithin, KIND, KIND_SHIFT } from "./group-action.ts";
import type { Envelope, GroupModel, GroupPort } from "./group-model.ts";
import { type Member, type MemberInput, type MemberStep, plainMember, stepMember } from "./member.ts";
import { PairTable } from "./pair-table.ts";
import { renameNodes } from "./rename-nodes.ts";
import type { StateEncoder } from "./state-encoder.ts";

/** Steps whose observations are kept; those of others are worked out again when a watcher asks. */
const OBSERVATIONS_KEPT = 1 << 16;

/** A member's transition, worked out. */
export interface Transition {
	readonly number: number;
	readonly member: number;
	/** Numbers of messages. */
	readonly sent: readonly number[];
	/** What the machine threw; then nothing else counts. */
	readonly failure: string | null;
}

export class MemberTable<P extends ProtocolTypes, View> {
	readonly #model: GroupModel<P, View>;
	readonly #port: GroupPort<P, View>;
	readonly members: ComponentTable<Member<P>>;
	/** Number 0 is no message. */
	readonly messages: ComponentTable<Envelope<P> | null>;
	readonly #essences: unknown[] = [];
	/** By number of a member: whether it is within the bounds. */
	readonly isWithin: boolean[] = [];
	/** By number of a member: its {@link GroupPort.rank}. */
	readonly ranks: (number | null)[] = [];
	/** By number of a message: the position of its receiver. */
	readonly receivers: number[] = [-1];
	readonly timers: P["timer"][] = [];
	/** By number of a member: the numbers of its timers, and how many persists are unfinished. */
	readonly timersOf: (readonly number[])[] = [];
	readonly unfinishedOf: number[] = [];
	readonly #transitions: (Transition | null)[] = [];
	readonly #transitionOf = new PairTable();
	/** Two words a transition: the member and the input that it is of, to work it out again. */
	readonly #origins: number[] = [];
	readonly #observations = new Map<number, readonly GroupObservation<P, View>[]>();
	readonly #obsolete = new PairTable();
	readonly #hasObsolete: boolean;
	readonly #renamings: Renamings;
	/** By number of a message: itself under each renaming, -1 where that is not worked out. */
	readonly #renamedMessages: number[][] = [];

	constructor(model: GroupModel<P, View>, encoder: StateEncoder, renamings: Renamings) {
		this.#model = model;
		this.#port = model.port;
		this.#renamings = renamings;
		this.#hasObsolete = model.port.isObsolete !== undefined || model.port.liars !== undefined;
		this.members = new ComponentTable(encoder, renamings);
		this.messages = new ComponentTable(encoder, renamings);
		this.messages.intern(null, null);
	}

	get memoryBytes(): number {
		const tables = this.members.memoryBytes + this.messages.memoryBytes;
		return tables + this.#transitionOf.memoryBytes + this.#obsolete.memoryBytes;
	}

	/** Transitions worked out by the shipped code. */
	get transitions(): number {
		return this.#transitions.length;
	}

	/** What comes of an input (an action without what does not matter to its member); null: it is not possible. */
	transition(member: number, input: number): Transition | null {
		const known = this.#transitionOf.get(member, input);
		return this.#transitions[known === -1 ? this.#workOut(member, input) : known]!;
	}

	/** A transition that was worked out and is possible. */
	transitionOf(number: number): Transition {
		return must(this.#transitions[number] ?? undefined, "a transition that was possible stays so");
	}

	/** Takes note of a boot, which is no transition of any member, and returns its number. */
	boot(): number {
		this.#origins.push(0, 0);
		return this.#transitions.push(null) - 1;
	}

	observationsOf(transition: number): readonly GroupObservation<P, View>[] {
		const kept = this.#observations.get(transition);
		if (kept !== undefined) return kept;
		const step = this.#stepOf(this.#origins[transition * 2]!, this.#origins[transition * 2 + 1]!);
		const { observations } = must(step ?? undefined, "a transition that was possible stays so");
		this.#keepObservations(transition, observations);
		return observations;
	}

	internMember(member: Member<P>): number {
		const essence = this.#port.essence(member.machine.state, member.unfinished[0]?.writeId ?? null);
		const known = this.members.size;
		const durable = this.#port.durableEssence?.(member.durable) ?? member.durable;
		const number = this.members.intern(member, plainMember(member, essence, durable));
		if (number < known) return number;
		this.#essences.push(essence);
		const waiting = member.held.filter(({ effect }) => effect.type === "send").length;
		const { inFlight } = this.#model.bounds;
		this.isWithin.push((inFlight === "any" || waiting <= inFlight) && this.#port.isWithin(essence));
		this.ranks.push(this.#port.rank?.(essence) ?? null);
		this.unfinishedOf.push(member.unfinished.length);
		this.timersOf.push(member.timers.map((timer) => this.#timerNumber(timer)));
		return number;
	}

	internMessage(envelope: Envelope<P>): number {
		const known = this.messages.size;
		const number = this.messages.intern(envelope, [envelope.from, envelope.to, envelope.message]);
		if (number < known) return number;
		const receiver = this.#port.nodes.indexOf(envelope.to);
		if (receiver === -1) {
			throw modelMalformed({ model: this.#model.name, problem: `a message to ${envelope.to}, which is no member` });
		}
		if (number > ARGUMENT_MASK) {
			throw modelMalformed({ model: this.#model.name, problem: `more than ${ARGUMENT_MASK} distinct messages` });
		}
		this.receivers.push(receiver);
		return number;
	}

	/** Whether a message need not be kept for its receiver as it is; a liar needs none. */
	isObsolete(message: number, member: number): boolean {
		if (!this.#hasObsolete) return false;
		const known = this.#obsolete.get(message, member);
		if (known !== -1) return known === 1;
		const envelope = this.messages.value(message);
		const { durable } = this.members.value(member);
		const isObsolete =
			envelope !== null &&
			(this.#port.liars?.includes(envelope.to) === true ||
				this.#port.isObsolete?.(envelope, this.#essences[member], durable) === true);
		this.#obsolete.set(message, member, isObsolete ? 1 : 0);
		return isObsolete;
	}

	/** Whether a message waits until its receiver has come further. */
	isPremature(message: number, member: number): boolean {
		const envelope = this.messages.value(message);
		return envelope !== null && this.#port.isPremature?.(envelope, this.#essences[member]) === true;
	}

	/** The number of a message with all nodes in it renamed. */
	renamedMessage(message: number, renaming: number): number {
		this.#renamedMessages[message] ??= this.#renamings.map((_, i) => (i === 0 ? message : -1));
		const renamed = this.#renamedMessages[message];
		if (renamed[renaming] === -1) {
			const { nodes } = this.#port;
			const order = this.#renamings[renaming]!;
			const names = new Map(nodes.map((node, i) => [node, must(nodes[order[i]!], "a node")]));
			const envelope = renameNodes(this.messages.value(message), names);
			renamed[renaming] = this.internMessage(must(envelope ?? undefined, "number 0 is no message"));
		}
		return renamed[renaming]!;
	}

	describeMember(number: number): string {
		const member = this.members.value(number);
		const essence = this.#essences[number];
		const text = this.#port.describeMember?.(essence) ?? canonicalText(essence);
		const writes = member.unfinished.length === 0 ? "" : `; ${member.unfinished.length} unfinished writes`;
		return `${member.node}: ${text}${writes}`;
	}

	describeMessage(number: number): string {
		const envelope = this.messages.value(number);
		return envelope === null ? "" : this.describeEnvelope(envelope);
	}

	describeEnvelope({ from, to, message }: Envelope<P>): string {
		const text = this.#port.describeMessage?.(message) ?? fieldsOf(message);
		return `${from} -> ${to} ${text}`;
	}

	/** Lets the shipped machine take an input, once for ever. */
	#workOut(from: number, input: number): number {
		const step = this.#stepOf(from, input);
		const number = this.#transitions.length;
		this.#origins.push(from, input);
		if (step === null) {
			this.#transitions.push(null);
		} else {
			const member = step.failure === null ? this.internMember(step.member) : from;
			const sent = step.sent.map((envelope) => this.internMessage(envelope));
			this.#transitions.push({ number, member, sent, failure: step.failure });
			this.#keepObservations(number, step.observations);
		}
		this.#transitionOf.set(from, input, number);
		return number;
	}

	#stepOf(from: number, input: number): MemberStep<P, View> | null {
		const crash = (input >>> CRASH_SHIFT) & CRASH_MASK;
		const { disk, isReduced } = this.#model;
		const mode = { disk, isReduced, crashWith: crashWithin(crash, disk) };
		return stepMember(this.#port, this.members.value(from), this.#inputOf(input), mode);
	}

	#inputOf(input: number): MemberInput<P> {
		const argument = input & ARGUMENT_MASK;
		const kind = input >>> KIND_SHIFT;
		switch (kind) {
			case KIND.timer:
				return { type: "timer", timer: this.timers[argument]! };
			case KIND.disk:
				return { type: "disk" };
			case KIND.crash:
				return { type: "crash", survivors: argument };
			case KIND.request:
				return { type: "request", requestId: argument, request: this.#port.requests[argument]! };
			default: {
				const envelope = this.messages.value(argument);
				assert(envelope !== null, "number 0 is no message");
				return { type: "message", from: envelope.from, message: envelope.message };
			}
		}
	}

	#keepObservations(transition: number, observations: readonly GroupObservation<P, View>[]): void {
		if (this.#observations.size >= OBSERVATIONS_KEPT) {
			for (const oldest of this.#observations.keys()) {
				this.#observations.delete(oldest);
				break;
			}
		}
		this.#observations.set(transition, observations);
	}

	#timerNumber(timer: P["timer"]): number {
		const known = this.timers.indexOf(timer);
		return known === -1 ? this.timers.push(timer) - 1 : known;
	}
}

function fieldsOf(message: { readonly type: string }): string {
	const fields = Object.entries(message)
		.filter(([name]) => name !== "type")
		.sort(([a], [b]) => compareIds(a, b))
		.map(([name, value]) => `${name} ${canonicalText(value)}`);
	return [message.type, ...fields].join(" ");
}
