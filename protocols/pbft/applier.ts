/**
 * The application side of PBFT: executes what the machine orders, keeps the last replies of each client, and turns the whole into a
 * state that can be certified and sent part by part (OSDI'99 §4.1, §4.3). Which requests are new is the machine's to say.
 */
import { assert, type CryptoPort, compareIds, type NodeId, type RequestId } from "../core/index.ts";
import { ByteWriter } from "./bytes.ts";
import type { ClientRequest, SequenceNumber, ViewNumber } from "./entities.ts";
import { partsOf, StateTree } from "./merkle.ts";
import type { PbftDelivery, PbftSnapshot } from "./vocabulary.ts";

/** An application in bytes: a deterministic state machine, as `Application` of `protocols/core`, one floor down. */
export interface OrderedApplication {
	/** Applies one command. `choice` is what the primary has chosen for its batch. */
	apply(operation: Uint8Array, position: { readonly index: number; readonly choice: Uint8Array }): Uint8Array;
	query(operation: Uint8Array): Uint8Array;
	/**
	 * Called before something is applied that may have to be undone; returns what undoes everything applied since. Where it is not
	 * offered a snapshot is taken instead, each time.
	 */
	savepoint?(): () => void;
	takeSnapshot(): Uint8Array;
	restoreSnapshot(snapshot: Uint8Array): void;
}

/** What a client is answered. It needs `f + 1` equal ones for a result, a quorum for a read. */
export type PbftAnswer =
	| {
			readonly type: "result";
			readonly client: NodeId;
			readonly timestamp: number;
			/** Where it was executed. */
			readonly sequence: SequenceNumber;
			/** In which the member is that answers. */
			readonly view: ViewNumber;
			readonly data: Uint8Array;
	  }
	/** The same before it is committed: a client needs a quorum of equal ones of one view. */
	| {
			readonly type: "tentative-result";
			readonly client: NodeId;
			readonly timestamp: number;
			readonly sequence: SequenceNumber;
			readonly view: ViewNumber;
			readonly data: Uint8Array;
	  }
	| {
			readonly type: "read-result";
			readonly client: NodeId;
			readonly timestamp: number;
			readonly view: ViewNumber;
			readonly data: Uint8Array;
	  }
	/** Executed, and its reply is not kept any more. */
	| { readonly type: "reply-forgotten"; readonly client: NodeId; readonly timestamp: number };

export interface RequestAnswer {
	readonly requestId: RequestId;
	readonly answer: PbftAnswer;
}

/** One client's kept replies, ascending by timestamp. */
interface KeptReply {
	readonly timestamp: number;
	readonly sequence: SequenceNumber;
	readonly data: Uint8Array;
}

export interface PbftApplierSettings {
	readonly application: OrderedApplication;
	readonly digest: CryptoPort["digest"];
	/** As in the `PbftConfig`. */
	readonly clientWindow: number;
	readonly statePartBytes: number;
}

/** A state at a checkpoint: its bytes, and the tree over its parts. */
export interface CapturedState {
	readonly snapshot: PbftSnapshot;
	readonly bytes: Uint8Array;
	readonly tree: StateTree;
}

const nobody: readonly RequestId[] = [];

export class PbftApplier {
	readonly #settings: PbftApplierSettings;
	#replies = new Map<NodeId, KeptReply[]>();
	/** Undoes what is executed tentatively. */
	#undo: (() => void) | null = null;

	constructor(settings: PbftApplierSettings) {
		this.#settings = settings;
	}

	/** Performs a delivery and returns the answers to the local requests that waited for it, in order. */
	perform(
		delivery: Exclude<PbftDelivery, { readonly type: "take-checkpoint" | "restore-checkpoint" }>,
	): RequestAnswer[] {
		switch (delivery.type) {
			case "execute":
				return this.#execute(delivery);
			case "execute-tentatively":
				assert(this.#undo === null, "one batch is tentative at a time");
				this.#undo = this.#savepoint(delivery.requests);
				return this.#execute(delivery);
			case "confirm":
				assert(this.#undo !== null, "what is confirmed was executed tentatively");
				this.#undo = null;
				return this.#confirm(delivery);
			case "roll-back":
				assert(this.#undo !== null, "what is undone was executed tentatively");
				this.#undo();
				this.#undo = null;
				return [];
			case "repeat-reply": {
				const { requestId, client, timestamp, view } = delivery;
				return [{ requestId, answer: this.#repeat(client, timestamp, view) }];
			}
			case "query": {
				const { requestId, request, view } = delivery;
				const { client, timestamp, operation } = request;
				const data = this.#settings.application.query(operation);
				return [{ requestId, answer: { type: "read-result", client, timestamp, view, data } }];
			}
		}
	}

	/** The whole state as it is now. */
	capture(sequence: SequenceNumber): CapturedState {
		assert(this.#undo === null, "a checkpoint holds nothing tentative");
		const bytes = this.#encode();
		const tree = new StateTree(this.#settings.digest, partsOf(bytes, this.#settings.statePartBytes));
		return { snapshot: { sequence, root: tree.root, sizeBytes: bytes.length }, bytes, tree };
	}

	/** Replaces the whole state by what another member has captured; its parts were checked against a certified root. */
	restore(bytes: Uint8Array): void {
		const reader = new StateReader(bytes);
		const replies = new Map<NodeId, KeptReply[]>();
		for (let clients = reader.integer(); clients > 0; clients--) {
			const client = reader.text() as NodeId;
			const kept: KeptReply[] = [];
			for (let count = reader.integer(); count > 0; count--) {
				const timestamp = reader.integer();
				const sequence = reader.integer() as SequenceNumber;
				kept.push({ timestamp, sequence, data: reader.bytes() });
			}
			replies.set(client, kept);
		}
		this.#settings.application.restoreSnapshot(reader.bytes());
		this.#replies = replies;
		this.#undo = null;
	}

	/** How to undo what these requests will do: to the application, and to the replies of their clients. */
	#savepoint(requests: readonly ClientRequest[]): () => void {
		const { application } = this.#settings;
		const replies = new Map(requests.map(({ client }) => [client, this.#replies.get(client)?.slice()]));
		const snapshot = application.savepoint === undefined ? application.takeSnapshot() : null;
		const undo = application.savepoint?.();
		return () => {
			for (const [client, kept] of replies) {
				if (kept === undefined) this.#replies.delete(client);
				else this.#replies.set(client, kept);
			}
			if (snapshot !== null) application.restoreSnapshot(snapshot);
			undo?.();
		};
	}

	/** Who has asked since it was executed is answered from the kept replies. */
	#confirm({ view, requests, requestIds }: Extract<PbftDelivery, { type: "confirm" }>): RequestAnswer[] {
		const answers: RequestAnswer[] = [];
		for (const [i, { client, timestamp }] of requests.entries()) {
			for (const requestId of requestIds?.[i] ?? []) {
				answers.push({ requestId, answer: this.#repeat(client, timestamp, view) });
			}
		}
		return answers;
	}

	#execute(delivery: Extract<PbftDelivery, { type: "execute" | "execute-tentatively" }>): RequestAnswer[] {
		const { sequence, view, requests, requestIds, choice } = delivery;
		const outcomes = delivery.type === "execute" ? delivery.outcomes : undefined;
		const type = delivery.type === "execute" ? "result" : "tentative-result";
		const answers: RequestAnswer[] = [];
		for (let i = 0; i < requests.length; i++) {
			const request = requests[i] as ClientRequest;
			const { client, timestamp } = request;
			const data = outcomes?.[i] ?? this.#run(request, sequence, choice);
			this.#keep(client, { timestamp, sequence, data });
			const asked = requestIds?.[i] ?? nobody;
			for (const requestId of asked) {
				answers.push({ requestId, answer: { type, client, timestamp, sequence, view, data } });
			}
		}
		return answers;
	}

	#run({ kind, operation }: ClientRequest, index: number, choice: Uint8Array): Uint8Array {
		const { application } = this.#settings;
		assert(
			kind === "command" || kind === "query",
			"reads are not ordered, and changes of membership are the machine's",
		);
		return kind === "query" ? application.query(operation) : application.apply(operation, { index, choice });
	}

	/** The same replies at every member, since they are those of the greatest timestamps. */
	#keep(client: NodeId, reply: KeptReply): void {
		let kept = this.#replies.get(client);
		if (kept === undefined) {
			kept = [];
			this.#replies.set(client, kept);
		}
		kept.push(reply);
		// Clients mostly ask in order.
		if (reply.timestamp < (kept.at(-2)?.timestamp ?? 0)) kept.sort((a, b) => a.timestamp - b.timestamp);
		if (kept.length > this.#settings.clientWindow) kept.shift();
	}

	#repeat(client: NodeId, timestamp: number, view: ViewNumber): PbftAnswer {
		const kept = this.#replies.get(client)?.find((reply) => reply.timestamp === timestamp);
		if (kept === undefined) return { type: "reply-forgotten", client, timestamp };
		return { type: "result", client, timestamp, sequence: kept.sequence, view, data: kept.data };
	}

	#encode(): Uint8Array {
		const writer = new ByteWriter(1024);
		const clients = [...this.#replies].sort(([a], [b]) => compareIds(a, b));
		writer.list(clients, ([client, kept]) => {
			writer.text(client).list(kept, ({ timestamp, sequence, data }) => {
				writer.integer(timestamp).integer(sequence).bytes(data);
			});
		});
		return writer.bytes(this.#settings.application.takeSnapshot()).finish();
	}
}

/** Reads what a {@link ByteWriter} wrote, from bytes that a certificate vouches for. */
class StateReader {
	readonly #bytes: Uint8Array;
	#at = 0;

	constructor(bytes: Uint8Array) {
		this.#bytes = bytes;
	}

	integer(): number {
		return this.#word() * 0x1_0000_0000 + this.#word();
	}

	bytes(): Uint8Array {
		const length = this.#word();
		assert(this.#at + length <= this.#bytes.length, "a certified state is well-formed");
		this.#at += length;
		return this.#bytes.slice(this.#at - length, this.#at);
	}

	text(): string {
		return String.fromCharCode(...this.bytes());
	}

	#word(): number {
		assert(this.#at + 4 <= this.#bytes.length, "a certified state is well-formed");
		let word = 0;
		for (let i = 0; i < 4; i++) word = word * 256 + (this.#bytes[this.#at++] as number);
		return word;
	}
}
