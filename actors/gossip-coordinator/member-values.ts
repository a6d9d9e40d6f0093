/**
 * Values that a gossip group shares: one document, a replica at each member, reconciled by anti-entropy among those whom the failure
 * detector believes to be there. A change is answered when its member has kept it; that others have it, nobody says.
 *
 * A life of a member is a replica of its own, and its number is on the disk before anything is done under it: a number that two lives
 * share would make replicas differ for good.
 */
import {
	assertNever,
	type Effect,
	type ErrorObject,
	errorToObject,
	type Input,
	type NodeId,
} from "../../protocols/core/index.ts";
import {
	type CrdtCommand,
	CrdtDocument,
	type DocumentSchema,
	performCommand,
	ReconciledDocument,
	replicaId,
	type Value,
} from "../../protocols/crdt/index.ts";
import {
	type AntiEntropyEvent,
	AntiEntropyMachine,
	type AntiEntropyMessage,
	type AntiEntropyTypes,
	antiEntropyConfig,
	ConvergenceMonitor,
	type ConvergenceReading,
} from "../../protocols/gossip/index.ts";
import type { ActorContext } from "../../runtime/actor/index.ts";
import { storageLost, valuesBusy, valuesTooLarge } from "./errors.ts";
import type { MemberEvent } from "./member-messages.ts";
import type { MemberStore } from "./member-store.ts";

/** A change after which the state takes more is refused: it travels whole to members that know nothing yet. 1 MiB. */
export const VALUES_BYTES_MAX = 1_048_576;
/** Changes that may wait for the disk. */
export const CHANGES_WAITING_MAX = 1_024;

/** What is done to shared values: all of {@link CrdtCommand} but undo, which is of one life. */
export type ValuesCommand = Exclude<CrdtCommand, { readonly type: "undo" | "redo" }>;

export type ValuesReply =
	| { readonly type: "values-kept" }
	| { readonly type: "values-refused"; readonly error: ErrorObject };

/** What of a member's store concerns values. */
export type ValuesStore = Pick<MemberStore, "life" | "values" | "hasRoom" | "isUsable" | "keepLife" | "keepValues">;

export interface MemberValuesPorts {
	readonly context: Pick<ActorContext, "clock" | "generator" | "timers">;
	readonly node: NodeId;
	readonly schema: DocumentSchema;
	/** Between exchanges of this member, in ms. */
	readonly intervalMs: number;
	/** A number for this life that is above all former ones, if the store knows none of them. */
	readonly incarnation: number;
	readonly store: ValuesStore;
	readonly peers: () => readonly NodeId[];
	readonly send: (to: NodeId, message: AntiEntropyMessage) => void;
	readonly publish: (event: MemberEvent) => void;
	readonly wallMs: () => number;
}

const VALUE_NAME = "values";
const TIMER = "values/exchange";
/** What a replica held so many exchanges ago does not count any more. In each about one other is heard. */
const CONVERGENCE_ROUNDS = 100;

export class MemberValues {
	readonly #ports: MemberValuesPorts;
	readonly #document: CrdtDocument;
	readonly #value: ReconciledDocument;
	readonly #machine: AntiEntropyMachine;
	readonly #dice: ActorContext["generator"];
	readonly #monitor = new ConvergenceMonitor(CONVERGENCE_ROUNDS);
	#reading: ConvergenceReading | null = null;
	/** Told whether the number of this life is kept; null once that is known. */
	#held: ((isBegun: boolean) => void)[] | null = [];
	/** The number of this life is kept, so something may be done under it. */
	#isBegun = false;
	#waiting = 0;
	#isStateStale = false;

	/** @throws QuorateError as {@link CrdtDocument.load}, for a state of another schema */
	constructor(ports: MemberValuesPorts) {
		const { node, schema, store, context, intervalMs } = ports;
		this.#ports = ports;
		this.#dice = context.generator.fork("values");
		const life = Math.max(ports.incarnation, store.life + 1);
		const options = { schema, replica: replicaId(node, life) };
		this.#document = store.values === null ? new CrdtDocument(options) : CrdtDocument.load(store.values, options);
		this.#value = new ReconciledDocument(this.#document);
		this.#machine = new AntiEntropyMachine(
			antiEntropyConfig({ nodeId: node, intervalMs, differenceBytesMax: 2 * VALUES_BYTES_MAX }),
			{ choices: this.#dice, peers: ports.peers },
			new Map([[VALUE_NAME, this.#value]]),
		);
		store.keepLife(life, (isKept) => this.#begin(isKept));
	}

	#begin(isKept: boolean): void {
		const held = this.#held ?? [];
		this.#held = null;
		this.#isBegun = isKept;
		if (isKept) this.#step({ type: "start", durable: null });
		for (const action of held) action(isKept);
	}

	/** Everything that is known here. */
	get value(): Readonly<Record<string, Value>> {
		return this.#document.value;
	}

	/** Whether the others hold what is held here, as of the last exchange; null before the first. */
	get convergence(): ConvergenceReading | null {
		return this.#reading;
	}

	/** A member is gone, and what it held does not count. */
	forget(node: NodeId): void {
		this.#monitor.forget(node);
	}

	/** From a member that the registry knows. */
	receive(from: NodeId, message: AntiEntropyMessage): void {
		// Before this life has its number nothing is lost by not answering: the other asks again.
		if (this.#isBegun) this.#step({ type: "message", from, message });
	}

	/** All of the commands, or none. */
	change(commands: readonly ValuesCommand[], answer: (reply: ValuesReply) => void): void {
		const { node, store } = this.#ports;
		const isLost = !store.isUsable || (this.#held === null && !this.#isBegun);
		if (isLost || !store.hasRoom || this.#waiting >= CHANGES_WAITING_MAX) {
			const error = isLost ? storageLost({ node }) : valuesBusy({ node, limit: CHANGES_WAITING_MAX });
			answer({ type: "values-refused", error: errorToObject(error) });
			return;
		}
		this.#waiting++;
		const done = (reply: ValuesReply): void => {
			this.#waiting--;
			answer(reply);
		};
		if (this.#held === null) this.#change(commands, done);
		else {
			this.#held.push((isBegun) => {
				if (isBegun) this.#change(commands, done);
				else done({ type: "values-refused", error: errorToObject(storageLost({ node })) });
			});
		}
	}

	#change(commands: readonly ValuesCommand[], done: (reply: ValuesReply) => void): void {
		const document = this.#document;
		try {
			document.advanceClock(this.#ports.wallMs());
			// Tried on a copy first: a command that fails takes back those before it, and so does a state that gets too large.
			const tried = CrdtDocument.load(document.encode(), { schema: document.schema, replica: document.replica });
			tried.advanceClock(this.#ports.wallMs());
			for (const command of commands) performCommand(tried, command);
			const sizeBytes = tried.encode().length;
			if (sizeBytes > VALUES_BYTES_MAX) {
				throw valuesTooLarge({ node: this.#ports.node, sizeBytes, limitBytes: VALUES_BYTES_MAX });
			}
		} catch (error) {
			// Whatever it is, nothing has been done: a command that is none must not end the member.
			done({ type: "values-refused", error: errorToObject(error) });
			return;
		}
		for (const command of commands) performCommand(document, command);
		const update = document.takeUpdate();
		if (update !== null) this.#ports.publish({ type: "values-changed", from: null, bytes: update.length });
		this.#ports.store.keepValues(document.encode(), (isKept) => {
			const error = errorToObject(storageLost({ node: this.#ports.node }));
			done(isKept ? { type: "values-kept" } : { type: "values-refused", error });
		});
	}

	#step(input: Input<AntiEntropyTypes>): void {
		const effects: Effect<AntiEntropyTypes>[] = [];
		const nowMs = this.#ports.context.clock.nowMs();
		// What others send may be stamped by their clocks, and is judged by this one.
		this.#document.advanceClock(this.#ports.wallMs());
		this.#machine.step(input, nowMs, effects);
		this.#machine.step({ type: "batch-ended" }, nowMs, effects);
		for (const effect of effects) this.#perform(effect);
		if (this.#isStateStale) {
			this.#isStateStale = false;
			// Nothing was promised of what others have, too: it may as well come again.
			this.#ports.store.keepValues(this.#document.encode(), () => undefined);
		}
	}

	#perform(effect: Effect<AntiEntropyTypes>): void {
		switch (effect.type) {
			case "send":
				this.#ports.send(effect.to, effect.message);
				return;
			case "set-timer": {
				const { min, max } = effect.afterMs;
				const { timers } = this.#ports.context;
				timers.run(TIMER, this.#dice.between(min, max), () => {
					this.#step({ type: "timer", timer: "exchange" });
					this.#endRound();
				});
				return;
			}
			case "emit":
				this.#tell(effect.event);
				return;
			case "cancel-timer":
			case "reply":
			case "persist":
			case "read":
			case "apply":
				return;
			default:
				assertNever(effect, "effect");
		}
	}

	/** Between two exchanges. */
	#endRound(): void {
		const { peers, publish } = this.#ports;
		const before = this.#reading;
		const reading = this.#monitor.endRound(textOf(this.#value.digest()), peers().length + 1);
		this.#reading = reading;
		const isSame = reading.agreeing === before?.agreeing && reading.heard === before.heard;
		if (!isSame || reading.isConverged !== before.isConverged) publish({ type: "values-convergence", reading });
	}

	#tell(event: AntiEntropyEvent): void {
		const { publish } = this.#ports;
		switch (event.type) {
			case "digest-heard":
				this.#monitor.hear(event.from, textOf(event.digest));
				return;
			case "value-changed":
				this.#isStateStale = true;
				publish({ type: "values-changed", from: event.from, bytes: event.bytes });
				return;
			case "payload-refused":
				publish({ type: "values-refused", from: event.from, code: event.code });
				return;
			case "difference-too-large": {
				const { to, sizeBytes, limitBytes } = event;
				publish({ type: "values-too-large", to, sizeBytes, limitBytes });
				return;
			}
			default:
				assertNever(event, "event of anti-entropy");
		}
	}
}

function textOf(bytes: Uint8Array): string {
	return Buffer.from(bytes).toString("latin1");
}
