/**
 * A deterministic host for a PBFT group under attack: the shipped machines and appliers on virtual time, with an ideal crypto port, one
 * seed that decides every delay. Writes are durable at once; crashes lose what is in memory, messages travel for a few milliseconds.
 * What the correct members do is shown to an observer, to depth `disk`; what liars do is not.
 */
import {
	assert,
	assertNever,
	type CryptoPort,
	type Effect,
	Generator,
	groupId,
	type Input,
	must,
	type NodeId,
	nodeId,
	type RequestId,
	type StateMachine,
} from "../../protocols/core/index.ts";
import {
	type CapturedState,
	type ClientRequest,
	type OrderedApplication,
	type PbftAnswer,
	PbftApplier,
	type PbftConfig,
	type PbftDelivery,
	type PbftDurable,
	PbftMachine,
	type PbftMessage,
	type PbftRead,
	type PbftReadResult,
	type PbftReply,
	type PbftTimer,
	type PbftTypes,
	type PbftView,
	type PbftWrite,
	partsOf,
	pbftConfig,
	requestDigest,
	requestStatement,
	StateTree,
	type ViewNumber,
} from "../../protocols/pbft/index.ts";
import type { PbftObservation } from "../../protocols/pbft/properties/index.ts";
import { IdealAuthority, ObservedMachine } from "../../protocols/verification/index.ts";
import { Agenda } from "./agenda.ts";

/** What a request is answered with. */
export type Outcome = PbftReply | PbftAnswer;

export interface SimulatedGroupOptions {
	readonly seed: number;
	readonly members: number;
	readonly faults: number;
	readonly clients: readonly NodeId[];
	readonly tuning: Partial<Omit<PbftConfig, "nodeId" | "members" | "faults" | "cluster">>;
	readonly application: () => OrderedApplication;
	/** What runs in the place of a liar's machine; null for a correct member. */
	readonly corrupt: (node: NodeId, config: PbftConfig, crypto: CryptoPort) => StateMachine<PbftTypes> | null;
	/** Of correct members. */
	readonly observe: (observation: PbftObservation) => void;
}

interface Member {
	readonly id: NodeId;
	durable: PbftDurable;
	/** The bytes of the base's state. */
	baseBytes: Uint8Array;
	received: Uint8Array[];
	machine: StateMachine<PbftTypes>;
	honest: PbftMachine | null;
	application: OrderedApplication;
	applier: PbftApplier;
	captures: Map<number, CapturedState>;
	isUp: boolean;
	/** Counts restarts: what was scheduled in a former life does not happen. */
	life: number;
	readonly timers: Map<PbftTimer, number>;
	timersSet: number;
	readonly requests: Map<RequestId, (outcome: Outcome) => void>;
}

const CLUSTER = groupId("pentest");
const LATENCY_MS = { min: 1, max: 3 };

const blank: PbftDurable = {
	view: { view: 0 as ViewNumber, isActive: true, viewChange: null, opened: null, alarm: null },
	stable: null,
	base: null,
	firstIndex: 1,
	records: [],
};

export class SimulatedGroup {
	readonly #options: SimulatedGroupOptions;
	readonly #dice: Generator;
	readonly #authority: IdealAuthority;
	readonly #members = new Map<NodeId, Member>();
	#nextRequest = 1;
	readonly members: readonly NodeId[];
	readonly agenda: Agenda = new Agenda();

	constructor(options: SimulatedGroupOptions) {
		this.#options = options;
		this.#dice = new Generator(options.seed, "network");
		this.members = Array.from({ length: options.members }, (_, i) => nodeId(`node-${i + 1}`));
		this.#authority = new IdealAuthority(options.seed, [...this.members, ...options.clients]);
		for (const id of this.members) this.#members.set(id, this.#create(id));
		for (const id of this.members) this.restart(id);
	}

	get nowMs(): number {
		return this.agenda.nowMs;
	}

	isUp(id: NodeId): boolean {
		return this.#member(id).isUp;
	}

	/** The machine of a correct member; null of a liar. */
	machine(id: NodeId): PbftMachine | null {
		return this.#member(id).honest;
	}

	application(id: NodeId): OrderedApplication {
		return this.#member(id).application;
	}

	/** A client's request, signed by it. */
	signed(client: NodeId, timestamp: number, operation: Uint8Array): ClientRequest {
		const port = this.#authority.portOf(client);
		const body = { client, timestamp, kind: "command", operation } as const;
		const signature = port.sign(requestStatement(requestDigest(CLUSTER, port.digest, body)));
		return { ...body, signature, macs: new Uint8Array(0) };
	}

	/** Asks a member; one that is down does not answer. */
	request(id: NodeId, request: ClientRequest, answered: (outcome: Outcome) => void): void {
		const member = this.#member(id);
		if (!member.isUp) return;
		const requestId = this.#nextRequest++;
		member.requests.set(requestId, answered);
		this.#later(member, 0, { type: "request", requestId, request: { type: "submit", request } });
	}

	/** Loses what is in memory. */
	crash(id: NodeId): void {
		const member = this.#member(id);
		assert(member.isUp, "only a member that is up can crash");
		member.isUp = false;
		member.life++;
		member.received = [];
		member.timers.clear();
		member.requests.clear();
		if (member.honest !== null) this.#options.observe({ type: "ended", node: id });
	}

	restart(id: NodeId): void {
		const member = this.#member(id);
		assert(!member.isUp, "only a member that is down can start");
		const config = this.#config(id);
		const crypto = this.#authority.portOf(id);
		const corrupt = this.#options.corrupt(id, config, crypto);
		member.honest = corrupt === null ? new PbftMachine(config, crypto) : null;
		member.machine =
			corrupt ??
			new ObservedMachine<PbftTypes, PbftView>(
				id,
				must(member.honest ?? undefined, "it is correct"),
				this.#options.observe,
			);
		member.application = this.#options.application();
		member.applier = this.#applierOf(id, member.application);
		member.captures = new Map();
		member.isUp = true;
		// At once: no message may come before it.
		this.#step(member, { type: "start", durable: member.durable });
	}

	#config(id: NodeId): PbftConfig {
		const { tuning, faults } = this.#options;
		return pbftConfig({ ...tuning, nodeId: id, cluster: CLUSTER, members: this.members, faults });
	}

	#applierOf(id: NodeId, application: OrderedApplication): PbftApplier {
		const { clientWindow, statePartBytes } = this.#config(id);
		return new PbftApplier({ application, digest: this.#authority.portOf(id).digest, clientWindow, statePartBytes });
	}

	#create(id: NodeId): Member {
		const application = this.#options.application();
		return {
			id,
			durable: blank,
			baseBytes: new Uint8Array(0),
			received: [],
			machine: new PbftMachine(this.#config(id), this.#authority.portOf(id)),
			honest: null,
			application,
			applier: this.#applierOf(id, application),
			captures: new Map(),
			isUp: false,
			life: 0,
			timers: new Map(),
			timersSet: 0,
			requests: new Map(),
		};
	}

	#member(id: NodeId): Member {
		return must(this.#members.get(id), "the member exists");
	}

	#later(member: Member, delayMs: number, input: Input<PbftTypes>): void {
		const { life } = member;
		this.agenda.after(delayMs, () => {
			if (member.life === life) this.#step(member, input);
		});
	}

	#step(member: Member, input: Input<PbftTypes>): void {
		const effects: Effect<PbftTypes>[] = [];
		member.machine.step(input, this.nowMs, effects);
		member.machine.step({ type: "batch-ended" }, this.nowMs, effects);
		for (const effect of effects) this.#perform(member, effect);
	}

	#perform(member: Member, effect: Effect<PbftTypes>): void {
		switch (effect.type) {
			case "send":
				this.#send(member, effect.to, effect.message);
				break;
			case "set-timer":
				this.#setTimer(member, effect.timer, this.#dice.between(effect.afterMs.min, effect.afterMs.max));
				break;
			case "cancel-timer":
				member.timers.delete(effect.timer);
				break;
			case "persist":
				this.#write(member, effect.write);
				this.#later(member, 0, { type: "write-completed", writeId: effect.writeId });
				break;
			case "read":
				this.#later(member, 0, {
					type: "read-completed",
					readId: effect.readId,
					result: this.#read(member, effect.read),
				});
				break;
			case "apply":
				this.#deliver(member, effect.delivery);
				break;
			case "reply":
				this.#answer(member, effect.requestId, effect.reply);
				break;
			case "emit":
				break;
			default:
				assertNever(effect, "effect");
		}
	}

	#send(member: Member, to: NodeId, message: PbftMessage): void {
		if (member.honest !== null)
			this.#options.observe({ type: "left", from: member.id, to, message, durable: member.durable });
		const receiver = this.#members.get(to);
		if (receiver === undefined) return;
		this.agenda.after(this.#dice.between(LATENCY_MS.min, LATENCY_MS.max), () => {
			if (receiver.isUp) this.#step(receiver, { type: "message", from: member.id, message });
		});
	}

	#setTimer(member: Member, timer: PbftTimer, delayMs: number): void {
		const id = ++member.timersSet;
		const { life } = member;
		member.timers.set(timer, id);
		this.agenda.after(delayMs, () => {
			if (member.life !== life || member.timers.get(timer) !== id) return;
			member.timers.delete(timer);
			this.#step(member, { type: "timer", timer });
		});
	}

	/** Performs one persist in the order of its fields. */
	#write(member: Member, write: PbftWrite): void {
		const { durable } = member;
		let { base, firstIndex, records } = durable;
		if (write.append !== undefined) {
			assert(write.append.firstIndex === firstIndex + records.length, "an append continues the journal");
			records = [...records, ...write.append.records];
		}
		for (const { index, data } of write.parts ?? []) {
			if (index === 0) member.received = [];
			member.received.push(data);
		}
		if (write.base !== undefined) {
			const { isReceived, ...record } = write.base;
			const { certificate } = record;
			base = record;
			const captured = member.captures.get(certificate.sequence)?.bytes;
			member.baseBytes = isReceived
				? new Uint8Array(Buffer.concat(member.received))
				: must(captured, "the base was captured");
			for (const sequence of member.captures.keys())
				if (sequence < certificate.sequence) member.captures.delete(sequence);
		}
		if (write.compactThrough !== undefined && write.compactThrough >= firstIndex) {
			records = records.slice(write.compactThrough - firstIndex + 1);
			firstIndex = write.compactThrough + 1;
		}
		member.durable = {
			view: write.view ?? durable.view,
			stable: write.stable ?? durable.stable,
			base,
			firstIndex,
			records,
		};
		if (member.honest !== null) this.#options.observe({ type: "persisted", node: member.id, durable: member.durable });
	}

	#read(member: Member, { sequence, index }: PbftRead): PbftReadResult {
		const isBase = member.durable.base?.certificate.sequence === sequence;
		const bytes = isBase ? member.baseBytes : member.captures.get(sequence)?.bytes;
		const parts = bytes === undefined ? [] : partsOf(bytes, this.#config(member.id).statePartBytes);
		const data = parts[index];
		if (data === undefined) return { type: "missing", sequence, index };
		const path = new StateTree(this.#authority.portOf(member.id).digest, parts).pathOf(index);
		return { type: "part", sequence, index, data, path };
	}

	#deliver(member: Member, delivery: PbftDelivery): void {
		if (delivery.type === "take-checkpoint") {
			const capture = member.applier.capture(delivery.sequence);
			member.captures.set(delivery.sequence, capture);
			this.#later(member, 0, { type: "snapshot-ready", snapshot: capture.snapshot });
		} else if (delivery.type === "restore-checkpoint") member.applier.restore(member.baseBytes);
		else for (const { requestId, answer } of member.applier.perform(delivery)) this.#answer(member, requestId, answer);
	}

	#answer(member: Member, requestId: RequestId, outcome: Outcome): void {
		const answered = member.requests.get(requestId);
		member.requests.delete(requestId);
		answered?.(outcome);
	}
}
