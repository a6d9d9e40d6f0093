/**
 * The shipped replica, with two things that a run needs: it takes edits that do not know the text, and links to other members can be
 * cut. A cut is read from shared memory where a message comes in, so a thread that has just been started again is under it at once; to
 * the protocol a message lost there is one lost on its way.
 */
import type { NodeId } from "../../../protocols/core/index.ts";
import type { CrdtMessage, CrdtTypes } from "../../../protocols/crdt/index.ts";
import { type CrdtParticipantArgs, crdtParticipantSettings, Participant } from "../../participant/index.ts";
import { commandsOf, type EditRequest } from "./typing.ts";

/** Where this module is, for a behaviour source. */
export const typingReplicaModule: string = import.meta.url;

/** The text that is written. */
export const TEXT_PART = "text";

/** Which links are cut, and how many messages were lost to that. */
export class LinkBoard {
	readonly memory: SharedArrayBuffer;
	readonly #cuts: Int32Array;
	readonly #members: number;

	constructor(members: number, memory: SharedArrayBuffer = new SharedArrayBuffer(4 * (members + 1))) {
		this.memory = memory;
		this.#members = members;
		this.#cuts = new Int32Array(memory);
	}

	/** Members in one half reach no one in the other; halves are given as one side's numbers. Empty: all links are whole. */
	cut(side: readonly number[]): void {
		for (let member = 0; member < this.#members; member++) {
			Atomics.store(this.#cuts, member, side.includes(member) ? 1 : 0);
		}
	}

	isCut(from: number, to: number): boolean {
		return Atomics.load(this.#cuts, from) !== Atomics.load(this.#cuts, to);
	}

	noteLost(): void {
		Atomics.add(this.#cuts, this.#members, 1);
	}

	/** Messages lost so far. */
	get lost(): number {
		return Atomics.load(this.#cuts, this.#members);
	}
}

export interface TypingReplicaArgs extends CrdtParticipantArgs {
	readonly links: SharedArrayBuffer;
}

export class TypingReplica extends Participant<CrdtTypes> {
	readonly #members: readonly string[];
	readonly #self: number;
	readonly #links: LinkBoard;

	/** @param wallMs given where time is virtual */
	constructor({ links, ...args }: TypingReplicaArgs, wallMs?: () => number) {
		let cursor = 0;
		super(
			crdtParticipantSettings(
				args,
				(message, document) => {
					if ((message as EditRequest | null)?.type !== "edit-text") return null;
					const { length } = document.text(TEXT_PART);
					const done = commandsOf((message as EditRequest).edits, [TEXT_PART], { length, cursor });
					cursor = done.cursor;
					return { type: "change", commands: done.commands };
				},
				wallMs,
			),
		);
		this.#members = args.members;
		this.#self = args.members.indexOf(args.node);
		this.#links = new LinkBoard(args.members.length, links);
	}

	protected override heard(from: NodeId, message: CrdtMessage): void {
		if (this.#links.isCut(this.#members.indexOf(from), this.#self)) this.#links.noteLost();
		else super.heard(from, message);
	}
}
