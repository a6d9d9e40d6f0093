/** One PBFT machine alone, with everybody's keys at hand: a test says what the others say, word by word. */
import type { CryptoPort, Effect, Input, NodeId } from "../../../protocols/core/index.ts";
import { groupId, must, nodeId } from "../../../protocols/core/index.ts";
import {
	authenticatorsFor,
	type Batch,
	batchDigest,
	type Checkpoint,
	type CheckpointCertificate,
	type ClientRequest,
	type Commit,
	type CommitCertificate,
	type Digest,
	type Epoch,
	type JournalRecord,
	type NewView,
	type PbftConfig,
	type PbftDelivery,
	type PbftDurable,
	type PbftEvent,
	PbftMachine,
	type PbftMessage,
	type PbftTypes,
	type PbftWrite,
	type PrePrepare,
	type Prepare,
	type PreparedProof,
	pbftConfig,
	primaryOf,
	requestDigest,
	requestStatement,
	type SequenceNumber,
	type Statement,
	type ViewChange,
	type ViewChangeContext,
	type ViewNumber,
	type Vote,
} from "../../../protocols/pbft/index.ts";
import type { ViewChangeClaims } from "../../../protocols/pbft/messages.ts";
import { newViewDigest, nullDigest, viewChangeDigest } from "../../../protocols/pbft/statements.ts";
import { sign } from "../../../protocols/pbft/vote-authentication.ts";
import { IdealAuthority } from "../../../protocols/verification/index.ts";
import { encode } from "./ledger.ts";

export const n1: NodeId = nodeId("n1");
export const n2: NodeId = nodeId("n2");
export const n3: NodeId = nodeId("n3");
export const n4: NodeId = nodeId("n4");
export const c1: NodeId = nodeId("c1");
export const c2: NodeId = nodeId("c2");
export const members: readonly NodeId[] = [n1, n2, n3, n4];
const cluster = groupId("lone");
const epoch = 0 as Epoch;

export const at = (sequence: number): SequenceNumber => sequence as SequenceNumber;
export const inView = (view: number): ViewNumber => view as ViewNumber;

const blank: PbftDurable = {
	view: { view: inView(0), isActive: true, viewChange: null, opened: null, alarm: null },
	stable: null,
	base: null,
	firstIndex: 1,
	records: [],
};

export class LoneReplica {
	readonly #authority = new IdealAuthority(7, [...members, c1, c2]);
	readonly self: NodeId;
	readonly config: PbftConfig;
	machine: PbftMachine;
	/** What the last batch has emitted, in order. */
	effects: readonly Effect<PbftTypes>[] = [];
	/** Everything persisted so far. */
	readonly writes: PbftWrite[] = [];
	#nextRequest = 1;

	constructor(self: NodeId = n2, tuning: Partial<PbftConfig> = {}) {
		this.self = self;
		const group = { nodeId: self, cluster, members, faults: 1 };
		// Nothing waits for time to pass, unless a test says so.
		const prompt = { partialSlotsMax: 8, forwardDelayMs: 0 };
		this.config = pbftConfig({ checkpointInterval: 4, windowSize: 8, ...prompt, ...tuning, ...group });
		this.machine = new PbftMachine(this.config, this.port(self));
		this.step({ type: "start", durable: blank });
	}

	/** A new life with what the former one has persisted. */
	restart(): void {
		const records: JournalRecord[] = [];
		let durable = blank;
		for (const write of this.writes) {
			records.push(...(write.append?.records ?? []));
			durable = { ...durable, view: write.view ?? durable.view, stable: write.stable ?? durable.stable };
			if (write.base !== undefined) durable = { ...durable, base: write.base };
		}
		this.machine = new PbftMachine(this.config, this.port(this.self));
		this.step({ type: "start", durable: { ...durable, records } });
	}

	port(id: NodeId): CryptoPort {
		return this.#authority.portOf(id);
	}

	get judge(): ViewChangeContext {
		const configuration = { epoch, members, faults: 1 };
		return {
			cluster,
			verifier: this.port(n1),
			windowSize: this.config.windowSize,
			configurationOf: (of) => (of === 0 ? configuration : null),
		};
	}

	/** Steps inputs as one batch. */
	step(...inputs: Input<PbftTypes>[]): this {
		const effects: Effect<PbftTypes>[] = [];
		for (const input of inputs) this.machine.step(input, 0, effects);
		this.machine.step({ type: "batch-ended" }, 0, effects);
		this.effects = effects;
		for (const effect of effects) if (effect.type === "persist") this.writes.push(effect.write);
		return this;
	}

	hear(from: NodeId, ...messages: unknown[]): this {
		return this.step(
			...messages.map((message) => ({ type: "message", from, message: message as PbftMessage }) as const),
		);
	}

	fire(timer: PbftTypes["timer"]): this {
		return this.step({ type: "timer", timer });
	}

	ask(request: ClientRequest): this {
		return this.step({ type: "request", requestId: this.#nextRequest++, request: { type: "submit", request } });
	}

	/** What the last batch has sent of a type. */
	said<T extends PbftMessage["type"]>(type: T): Extract<PbftMessage, { type: T }>[] {
		return this.effects.flatMap((effect) =>
			effect.type === "send" && effect.message.type === type
				? [effect.message as Extract<PbftMessage, { type: T }>]
				: [],
		);
	}

	events<T extends PbftEvent["type"]>(type: T): Extract<PbftEvent, { type: T }>[] {
		return this.effects.flatMap((effect) =>
			effect.type === "emit" && effect.event.type === type ? [effect.event as Extract<PbftEvent, { type: T }>] : [],
		);
	}

	delivered<T extends PbftDelivery["type"]>(type: T): Extract<PbftDelivery, { type: T }>[] {
		return this.effects.flatMap((effect) =>
			effect.type === "apply" && effect.delivery.type === type
				? [effect.delivery as Extract<PbftDelivery, { type: T }>]
				: [],
		);
	}

	timersSet(): string[] {
		return this.effects.flatMap((effect) => (effect.type === "set-timer" ? [effect.timer] : []));
	}

	timersCancelled(): string[] {
		return this.effects.flatMap((effect) => (effect.type === "cancel-timer" ? [effect.timer] : []));
	}

	/** Somebody's word on a statement, as the settings have it; a vector is good for `readers`, under the keys that this replica has now. */
	sign(by: NodeId, statement: Statement, readers: readonly NodeId[] = members): Uint8Array {
		const config = { ...this.config, nodeId: by };
		const configuration = { epoch, members, faults: 1 };
		const peerGenerations = new Map([[this.self, this.machine.view.keyGeneration]]);
		return sign({ config, configuration, crypto: this.port(by), peerGenerations }, statement, readers);
	}

	request(
		timestamp: number,
		text = `op${timestamp}`,
		client: NodeId = c1,
		kind: ClientRequest["kind"] = "command",
	): ClientRequest {
		const body = { client, timestamp, kind, operation: encode(text) } as const;
		const digest = requestDigest(cluster, this.port(client).digest, body);
		return { ...body, signature: this.port(client).sign(requestStatement(digest)), macs: new Uint8Array(0) };
	}

	/** Authenticators good for these members only. */
	authenticated(timestamp: number, goodFor: readonly NodeId[], client: NodeId = c1): ClientRequest {
		const body = { client, timestamp, kind: "command", operation: encode(`op${timestamp}`) } as const;
		const port = this.port(client);
		const statement = requestStatement(requestDigest(cluster, port.digest, body));
		const macs = authenticatorsFor(members, (member) =>
			goodFor.includes(member) ? port.authenticate(member, statement) : new Uint8Array(8),
		);
		return { ...body, signature: new Uint8Array(0), macs };
	}

	batch(...requests: ClientRequest[]): Batch {
		return { requests, choice: new Uint8Array(0) };
	}

	digestOf(batch: Batch): Digest {
		return batchDigest(cluster, this.port(n1).digest, batch);
	}

	get nothing(): Digest {
		return nullDigest(this.port(n1).digest);
	}

	prePrepare(sequence: number, batch: Batch, view = 0): PrePrepare {
		const slot = { epoch, view: inView(view), sequence: at(sequence), digest: this.digestOf(batch) };
		const primary = primaryOf({ epoch, members, faults: 1 }, inView(view));
		return { type: "pre-prepare", ...slot, batch, signature: this.sign(primary, { type: "pre-prepare", ...slot }) };
	}

	prepare(by: NodeId, sequence: number, digest: Digest, view = 0): Prepare {
		const slot = { epoch, view: inView(view), sequence: at(sequence), digest };
		return { type: "prepare", ...slot, signature: this.sign(by, { type: "prepare", ...slot }) };
	}

	commit(by: NodeId, sequence: number, digest: Digest, view = 0): Commit {
		const slot = { epoch, view: inView(view), sequence: at(sequence), digest };
		return { type: "commit", ...slot, signature: this.sign(by, { type: "commit", ...slot }) };
	}

	checkpoint(by: NodeId, sequence: number, digest: Digest): Checkpoint {
		const statement = { epoch, sequence: at(sequence), digest };
		const signature = this.sign(by, { type: "checkpoint", view: inView(0), ...statement });
		return { type: "checkpoint", ...statement, signature };
	}

	stable(sequence: number, digest: Digest, by: readonly NodeId[] = [n1, n3, n4]): CheckpointCertificate {
		const votes = by.map((sender) => ({ sender, signature: this.checkpoint(sender, sequence, digest).signature }));
		return { epoch, sequence: at(sequence), digest, votes };
	}

	prepared(sequence: number, digest: Digest, view = 0, by: readonly NodeId[] = [n3, n4]): PreparedProof {
		const primary = primaryOf({ epoch, members, faults: 1 }, inView(view));
		const slot = { epoch, view: inView(view), sequence: at(sequence), digest };
		const prepares: Vote[] = by.map((sender) => ({
			sender,
			signature: this.prepare(sender, sequence, digest, view).signature,
		}));
		const prePrepare = this.sign(primary, { type: "pre-prepare", ...slot });
		return { view: inView(view), sequence: at(sequence), digest, prePrepare, prepares };
	}

	certificate(sequence: number, digest: Digest, view = 0, by: readonly NodeId[] = [n1, n3, n4]): CommitCertificate {
		const commits = by.map((sender) => ({ sender, signature: this.commit(sender, sequence, digest, view).signature }));
		return { epoch, view: inView(view), sequence: at(sequence), digest, commits };
	}

	viewChange(
		by: NodeId,
		view: number,
		prepared: readonly PreparedProof[] = [],
		stable: CheckpointCertificate | null = null,
		claims?: ViewChangeClaims,
	): ViewChange {
		const body = { epoch, view: inView(view), stable, prepared, ...(claims === undefined ? {} : { claims }) };
		const digest = viewChangeDigest(this.port(by).digest, body);
		const signature = this.sign(by, { type: "view-change", epoch, view: inView(view), sequence: at(0), digest });
		return { type: "view-change", ...body, signature };
	}

	/** A new view as its primary would open it, with the proposals that the test says. */
	newView(
		view: number,
		bodies: readonly (readonly [NodeId, ViewChange])[],
		proposals: readonly (readonly [sequence: number, digest: Digest])[] = [],
	): NewView {
		const primary = primaryOf({ epoch, members, faults: 1 }, inView(view));
		const { digest: hash } = this.port(primary);
		const viewChanges = bodies.map(([sender, body]) => ({ sender, digest: viewChangeDigest(hash, body) }));
		const signed = proposals.map(([sequence, digest]) => {
			const slot = { epoch, view: inView(view), sequence: at(sequence), digest };
			return { sequence: at(sequence), digest, signature: this.sign(primary, { type: "pre-prepare", ...slot }) };
		});
		const digest = newViewDigest(hash, viewChanges, signed);
		const signature = this.sign(primary, { type: "new-view", epoch, view: inView(view), sequence: at(0), digest });
		return { type: "new-view", epoch, view: inView(view), viewChanges, proposals: signed, signature };
	}

	/** Brings a slot to its decision in view 0, as seen by a backup; `effects` are those of all of it. */
	decide(sequence: number, ...requests: ClientRequest[]): Digest {
		const batch = this.batch(...requests);
		const digest = this.digestOf(batch);
		const others = [n3, n4, n2].filter((id) => id !== this.self);
		const said: [NodeId, PbftMessage][] = [
			[n1, this.prePrepare(sequence, batch)],
			...others.map((by): [NodeId, PbftMessage] => [by, this.prepare(by, sequence, digest)]),
			...[n1, ...others].map((by): [NodeId, PbftMessage] => [by, this.commit(by, sequence, digest)]),
		];
		this.effects = said.flatMap(([by, message]) => this.hear(by, message).effects);
		return digest;
	}

	/** The last persist of this batch comes before these sends, in the order of emission. */
	isPersistedBefore(type: PbftMessage["type"]): boolean {
		const sent = this.effects.findIndex((effect) => effect.type === "send" && effect.message.type === type);
		const persisted = this.effects.findIndex((effect) => effect.type === "persist");
		const effect = must(this.effects[sent], "it was sent");
		return persisted >= 0 && persisted < sent && effect.type === "send" && effect.release === "after-durable";
	}
}
