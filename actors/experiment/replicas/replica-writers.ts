/** One writer at each replica, all at once: each makes its next edits when the last ones are acknowledged, or when they are due. */
import { QuorateError } from "../../../protocols/core/index.ts";
import type { CrdtReply } from "../../../protocols/crdt/index.ts";
import type { Clock } from "../../../runtime/index.ts";
import type { Edit, EditRequest, Writer } from "./typing.ts";

export interface WritersReport {
	/** Edits that are durable at their replica, as it has said. */
	readonly acknowledged: number;
	/** Edits whose replica's thread died before it said so: they may have been made or not. */
	readonly unresolved: number;
	/** Edits that a replica could not make: others had changed the place while the edit waited. */
	readonly refused: number;
}

export interface WritersSetting {
	readonly writers: readonly Writer[];
	readonly editsMax: number;
	readonly rate: number | "max";
	readonly forMs: number | null;
}

export interface WritersWorld {
	readonly group: {
		readonly nodes: readonly string[];
		request(node: string, message: EditRequest): Promise<CrdtReply>;
	};
	readonly clock: Clock;
	readonly interrupt: AbortSignal;
	readonly isUp: (node: string) => boolean;
}

/** Edits of one transaction, at most. */
const BATCH_MAX = 64;
/** Without a rate. */
const BATCH_FREE = 16;
const PAUSE_MS = 5;

export class CrdtWriters {
	readonly #setting: WritersSetting;
	readonly #world: WritersWorld;
	#begun = 0;
	#acknowledged = 0;
	#unresolved = 0;
	#refused = 0;
	#isDone = false;
	readonly #through = new Map<string, number>();

	constructor(setting: WritersSetting, world: WritersWorld) {
		this.#setting = setting;
		this.#world = world;
	}

	/** Whether all edits are made, or the time is over. */
	get isDone(): boolean {
		return this.#isDone;
	}

	get report(): WritersReport {
		return { acknowledged: this.#acknowledged, unresolved: this.#unresolved, refused: this.#refused };
	}

	/** By replica, the last of its operations that was acknowledged: it numbers them without gaps. */
	get acknowledgedThrough(): ReadonlyMap<string, number> {
		return this.#through;
	}

	async write(): Promise<void> {
		const { group, clock } = this.#world;
		const startMs = clock.nowMs();
		try {
			await Promise.all(group.nodes.map((node, at) => this.#writeAt(node, this.#setting.writers[at]!, startMs)));
		} finally {
			this.#isDone = true;
		}
	}

	async #writeAt(node: string, writer: Writer, startMs: number): Promise<void> {
		const { clock, interrupt, isUp } = this.#world;
		const { forMs, rate } = this.#setting;
		/** An edit that did not fit into the transaction before. */
		let kept: Edit | null = null;
		let made = 0;
		while (!interrupt.aborted) {
			const elapsedMs = clock.nowMs() - startMs;
			if (forMs !== null && elapsedMs >= forMs) break;
			const due = rate === "max" ? BATCH_FREE : this.#dueAt(elapsedMs, rate) - made;
			if (due < 1 || !isUp(node)) {
				await this.#pause();
				continue;
			}
			const batch = this.#take(writer, kept, Math.min(BATCH_MAX, due));
			if (batch.edits.length === 0) break;
			kept = batch.kept;
			made += batch.edits.length;
			await this.#send(node, batch.edits);
		}
	}

	#dueAt(elapsedMs: number, rate: number): number {
		return Math.floor((rate * elapsedMs) / 1_000 / this.#world.group.nodes.length);
	}

	/** The next transaction; an undo is one of its own. */
	#take(writer: Writer, first: Edit | null, count: number): { edits: Edit[]; kept: Edit | null } {
		const edits: Edit[] = [];
		let next = first ?? this.#next(writer);
		while (next !== null) {
			if (next.type === "undo" && edits.length > 0) return { edits, kept: next };
			edits.push(next);
			if (next.type === "undo" || edits.length >= count) break;
			next = this.#next(writer);
		}
		return { edits, kept: null };
	}

	#next(writer: Writer): Edit | null {
		if (this.#begun >= this.#setting.editsMax) return null;
		const edit = writer.next();
		if (edit !== null) this.#begun += 1;
		return edit;
	}

	async #send(node: string, edits: readonly Edit[]): Promise<void> {
		const { group, isUp, clock } = this.#world;
		const answered = group.request(node, { type: "edit-text", edits }).then(
			(reply) => reply,
			(error: unknown) => {
				if (error instanceof QuorateError) return null;
				throw error;
			},
		);
		// A thread that has died answers nothing of what it was asked.
		let timer: ReturnType<Clock["schedule"]> | null = null;
		const lost = new Promise<null>((resolve) => {
			const look = (): void => {
				if (isUp(node)) timer = clock.schedule(PAUSE_MS, look);
				else resolve(null);
			};
			timer = clock.schedule(PAUSE_MS, look);
		});
		const reply = await Promise.race([answered, lost]);
		if (timer !== null) clock.cancel(timer);
		if (reply?.type === "changed") {
			this.#acknowledged += edits.length;
			this.#through.set(reply.replica, Math.max(this.#through.get(reply.replica) ?? 0, reply.through));
		} else if (reply?.type === "refused") this.#refused += edits.length;
		else this.#unresolved += edits.length;
	}

	#pause(): Promise<void> {
		return new Promise((resolve) => this.#world.clock.schedule(PAUSE_MS, () => resolve()));
	}
}
