/**
 * What a participant must know of the protocol it hosts, and nothing more: how its durable state is written and read,
 * how clients speak to it, and how its deliveries reach the application. The host keeps the promises of the contract;
 * an adapter only translates.
 */
import type { Input, NodeId, ProtocolTypes, RequestId, StateMachine } from "../../protocols/core/index.ts";
import type { StoreContents, StoreOperation } from "../../runtime/storage/index.ts";

/** A part of the published snapshot, as a protocol asks for it. */
export interface SnapshotPart {
	readonly name: string;
	readonly offset: number;
	readonly lengthBytes: number;
}

/** Reads bytes of the published snapshot, fewer only at its end; null when it is not that one. */
export type SnapshotReader = (part: SnapshotPart) => Promise<Uint8Array | null>;

/** A request that was told and not asked; its asker is told the answer, with this number. */
export interface ToldRequest<P extends ProtocolTypes> {
	readonly id: number;
	readonly request: P["request"];
}

/** What the host offers to an adapter that performs deliveries. */
export interface DeliveryHost<P extends ProtocolTypes> {
	/** Answers the local client that waits for this request; without effect when nobody does (any more). */
	answer(requestId: RequestId, value: unknown): void;
	/** Makes this durable, after everything that was written before; calls back then, in the participant's turn. */
	write(operations: readonly StoreOperation[], durable: () => void): void;
	/** As a {@link SnapshotReader}. */
	readSnapshot(part: SnapshotPart): Promise<Uint8Array | null>;
	/** Gives the machine an input, in a turn of its own. */
	input(input: Input<P>): void;
	/** The participant's clock. */
	nowMs(): number;
	/** Resolves in a turn of its own, behind what has come in meanwhile. */
	later(): Promise<void>;
	/** Stops the participant, loudly. */
	fail(error: unknown): void;
}

/** One protocol, ready to be hosted: the machine of this member and its translations. */
export interface ProtocolAdapter<P extends ProtocolTypes> {
	/** Names the layouts in which members speak to each other. */
	readonly protocol: string;
	/**
	 * The protocol gets again what a store has lost of its log ({@link StoreContents.damagedFrom}): it is given such contents.
	 * Default false: the participant refuses to start with them.
	 */
	readonly repairsLog?: boolean;
	/**
	 * Looks at what a load does not read, before {@link recover}: the bytes of the snapshot.
	 * @throws QuorateError what `read` throws, but for damage that the protocol repairs
	 */
	prepare?(contents: StoreContents, read: SnapshotReader): Promise<void>;
	/**
	 * Builds the machine and what it starts from.
	 * @throws QuorateError `store-foreign` when the store holds something else
	 */
	recover(contents: StoreContents): { readonly machine: StateMachine<P>; readonly durable: P["durable"] };
	/** One persist as operations on the store, in order. */
	operationsOf(write: P["write"]): readonly StoreOperation[];
	/** Which bytes of which snapshot a read asks for. */
	snapshotPartOf(read: P["read"]): SnapshotPart;
	/** The answer to that read. */
	readResultOf(read: P["read"], data: Uint8Array | null): P["readResult"];
	/** The answer to a read of what is damaged. Default: the participant stops with the storage's error. */
	damagedResultOf?(read: P["read"]): P["readResult"];
	/** What a local client asks, or null if it is no request of this protocol. */
	requestOf(message: unknown): P["request"] | null;
	/** Requests that an actor has told, each with its own number for it; null if the message is no such list. Default: nobody tells requests. */
	requestsOf?(message: unknown): readonly ToldRequest<P>[] | null;
	/** Names the layouts in which told requests and their answers travel; default {@link protocol}. */
	readonly clientProtocol?: string;
	/** Answers to told requests, as messages to their asker. With {@link requestsOf}. */
	answersTo?(answers: readonly { readonly id: number; readonly answer: unknown }[]): readonly unknown[];
	/** What the local client is answered. */
	answerOf(reply: P["reply"]): unknown;
	/** What a local client is answered that asks while there is no room: it may ask again. */
	busy(limit: number): unknown;
	/** Performs one delivery. While the promise it may return is pending, later deliveries wait. */
	deliver(delivery: P["delivery"], host: DeliveryHost<P>): undefined | Promise<void>;
	/** The part of an event that observers beyond this thread are told; null for what is only counted. */
	eventOf(event: P["event"]): { readonly type: string } | null;
	/** All members from now on, if this event changes who they are; null if not. */
	membersOf(event: P["event"]): readonly NodeId[] | null;
	/** What this member's own application answers now: encoded query in, encoded answer out. */
	inspect(query: Uint8Array): Uint8Array;
	/** Answers what is asked beside the protocol, from what the member knows now; undefined if it is no such question. */
	answerAside?(message: unknown): unknown;
	/** What the member tells of itself when asked: plain data. */
	status(): Readonly<Record<string, unknown>>;
}
