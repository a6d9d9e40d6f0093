/**
 * Walks through every interleaving of two programs at their shared accesses. The programs run the shipped code; only the
 * port `SharedWords` is replaced.
 *
 * A program can not be stopped in the middle and resumed, but it is deterministic in what it reads. So a state keeps, for
 * each program, what its accesses returned so far: to go one step on, the memory is put back, the program runs again from its
 * start with these answers, performs one more access for real and is cut off right behind it by an exception. What it
 * writes without the port (payloads in the ring, which have one writer) it writes again, to the same bytes.
 *
 * States with equal memory and equal histories are visited once, so all interleavings are covered at the cost of the
 * states; how many interleavings there are is counted along the way.
 */
import { hashText } from "../../../protocols/core/index.ts";
import type { SharedWords } from "../../../runtime/memory/index.ts";

/** What a program gets. */
export interface ProgramPort {
	/** For the option of the same name: the words of this program. */
	readonly wordsOf: (words: Int32Array) => SharedWords;
	/** Records what the program has done; it survives the program's death. */
	emit(event: string): void;
	/**
	 * Says that everything the program will do from here on follows from `digest` and what it will read: so two ways to
	 * the same digest need not be told apart. Whoever writes the program has to show that it is true.
	 */
	checkpoint(digest: string): void;
	/** Sleeps until the waiter of the last `waitAsync` is notified, and then runs what was to follow it. */
	sleep(): void;
}

/** Runs to its end, or is cut off; the same answers must lead to the same accesses. */
export type Program = (port: ProgramPort) => void;

/**
 * Changes what an access does: a planted fault. It sees every access of its life in order; an answer that it returns takes
 * the place of the access.
 */
export type Fault = (access: {
	readonly op: string;
	readonly index: number;
	/** What is stored, added or set. */
	readonly value: number;
	readonly words: Int32Array;
}) => number | undefined;

export interface Role {
	/**
	 * The first life, and then the lives after each death. A role that has lives left may die in every state: right behind
	 * its last access, or with all it does until the next one.
	 */
	readonly lives: readonly Program[];
	/** For each life anew. */
	readonly fault?: () => Fault;
}

/** What two programs share, and what is known of it. */
export interface SharedMemory {
	/** Everything they write; put back after the exploration. */
	readonly memory: readonly Int32Array[];
	/** The words of it that belong to the identity of a state: counters for observers do not. */
	readonly compared: readonly Int32Array[];
	/**
	 * Who may write a word of the memory: it is checked. A load of what nobody else writes commutes with all that the other
	 * does, so it is no point to switch at.
	 */
	writersOf(memory: number, word: number): readonly number[];
}

export interface Exploration {
	readonly states: number;
	/** Distinct interleavings that reach the end. */
	readonly interleavings: number;
}

/** Found on one interleaving: both stopped for ever, or the check of the events failed. */
export class Violation extends Error {
	readonly events: readonly (readonly string[])[];

	constructor(message: string, events: readonly (readonly string[])[]) {
		super(`${message}; events: ${JSON.stringify(events)}`);
		this.events = events;
	}
}

interface Answer {
	readonly value: number | string | Uint8Array;
	/** Equal for equal values. */
	readonly text: string;
}

function answerOf(value: Answer["value"]): Answer {
	return { value, text: typeof value === "object" ? hashText(Buffer.from(value).toString("latin1")) : String(value) };
}

interface RoleState {
	readonly life: number;
	readonly answers: readonly Answer[];
	/** The last checkpoint: how many answers there were, and what the program said it knew. */
	readonly checkpoint: { readonly answers: number; readonly digest: string };
	/** Events of earlier lives, then of this one. */
	readonly events: readonly string[];
	readonly status: "ready" | "blocked" | "done";
	/** The word it is blocked on, or its asynchronous waiter is armed on. */
	readonly waitsOn: string;
	/** The asynchronous waiter: none, armed, or notified and not yet run. */
	readonly waiter: "none" | "armed" | "notified";
}

interface State {
	readonly memory: readonly Int32Array[];
	readonly roles: readonly RoleState[];
}

/** Cuts a program off. */
class CutOff extends Error {}

const STATES_MAX = 400_000;

export class Explorer {
	readonly #shared: readonly Int32Array[];
	readonly #writersOf: SharedMemory["writersOf"];
	readonly #names = new Map<ArrayBufferLike, number>();
	readonly #roles: readonly Role[];
	readonly #compared: readonly Int32Array[];
	readonly #check: (events: readonly (readonly string[])[]) => string | undefined;
	readonly #known = new Map<string, number>();

	/** @param check of the events of both roles at the end of an interleaving: what is wrong, if anything */
	constructor(
		{ memory, compared, writersOf }: SharedMemory,
		roles: readonly Role[],
		check: (events: readonly (readonly string[])[]) => string | undefined,
	) {
		this.#shared = memory;
		this.#writersOf = writersOf;
		memory.forEach(({ buffer }, i) => {
			this.#names.set(buffer, i);
		});
		this.#roles = roles;
		this.#compared = compared;
		this.#check = check;
	}

	/** @throws Violation */
	explore(): Exploration {
		const start: State = {
			memory: this.#shared.map((words) => words.slice()),
			roles: this.#roles.map(() => ({
				life: 0,
				answers: [],
				checkpoint: { answers: 0, digest: "" },
				events: [],
				status: "ready",
				waitsOn: "",
				waiter: "none",
			})),
		};
		try {
			const interleavings = this.#visit(start);
			return { states: this.#known.size, interleavings };
		} finally {
			this.#restore(start);
		}
	}

	/** Explores everything behind a state; returns the number of interleavings from it to the end. */
	#visit(state: State): number {
		this.#restore(state);
		const key = this.#keyOf(state);
		const known = this.#known.get(key);
		if (known !== undefined) return known;
		if (this.#known.size >= STATES_MAX) throw new Error(`more than ${STATES_MAX} states`);
		let paths = 0;
		let isEnd = true;
		state.roles.forEach((role, i) => {
			if (role.status === "done") return;
			const isReady = role.status === "ready";
			if (isReady) {
				isEnd = false;
				paths += this.#visit(this.#step(state, i, false));
			}
			if (role.life + 1 === this.#roles[i]?.lives.length) return;
			paths += this.#visit({ ...state, roles: state.roles.with(i, nextLife(role)) });
			if (isReady) paths += this.#visit(this.#step(state, i, true));
		});
		if (isEnd) {
			const events = state.roles.map((role) => role.events);
			if (state.roles.some((role) => role.status !== "done")) throw new Violation("both stopped for ever", events);
			const wrong = this.#check(events);
			if (wrong !== undefined) throw new Violation(wrong, events);
			paths = 1;
		}
		this.#known.set(key, paths);
		return paths;
	}

	#keyOf(state: State): string {
		const roles = state.roles.map((r) => `${r.life}/${historyOf(r)}/${r.status}/${r.waiter}/${r.waitsOn}/${r.events}`);
		return hashText(`${roles.join(";")};${this.#compared.map((words) => words.join()).join(";")}`);
	}

	#restore(state: State): void {
		state.memory.forEach((words, i) => {
			this.#shared[i]?.set(words);
		});
	}

	/** Lets one role perform one access, or die just before it. */
	#step(state: State, role: number, dies: boolean): State {
		this.#restore(state);
		const nameOf = (buffer: ArrayBufferLike): number => this.#names.get(buffer) as number;
		const run = new Run(this.#roles[role] as Role, state, role, dies, nameOf, this.#writersOf);
		const roles = run.go();
		return { memory: this.#shared.map((words) => words.slice()), roles };
	}
}

/** The role after its death: only its events are left. */
function nextLife(role: RoleState): RoleState {
	return {
		life: role.life + 1,
		answers: [],
		checkpoint: { answers: 0, digest: "" },
		events: role.events,
		status: "ready",
		waitsOn: "",
		waiter: "none",
	};
}

/** What tells a role's local state: the last checkpoint, and what it has read since. */
function historyOf({ checkpoint, answers }: RoleState): string {
	let text = checkpoint.digest;
	for (let i = checkpoint.answers; i < answers.length; i++) text += `,${answers[i]?.text}`;
	return text;
}

/** One execution of a program: the answers it had, and one access more. */
class Run implements ProgramPort {
	readonly #definition: Role;
	readonly #dies: boolean;
	readonly #index: number;
	readonly #roles: RoleState[];
	readonly #nameOf: (buffer: ArrayBufferLike) => number;
	readonly #writersOf: SharedMemory["writersOf"];
	readonly #answers: readonly Answer[];
	readonly #fault: Fault | undefined;
	readonly #events: string[] = [];
	#next = 0;
	/** Answers of this step: of loads that are no switching point, and of the one access that is. */
	readonly #fresh: Answer[] = [];
	#isCutOff = false;
	#died = false;
	#blocked = false;
	#follow: (() => void) | undefined;

	constructor(
		definition: Role,
		state: State,
		index: number,
		dies: boolean,
		nameOf: (buffer: ArrayBufferLike) => number,
		writersOf: SharedMemory["writersOf"],
	) {
		this.#dies = dies;
		this.#writersOf = writersOf;
		this.#definition = definition;
		this.#index = index;
		this.#roles = [...state.roles];
		this.#nameOf = nameOf;
		this.#answers = this.#own.answers;
		this.#fault = definition.fault?.();
	}

	get #own(): RoleState {
		return this.#roles[this.#index] as RoleState;
	}

	#set(change: Partial<RoleState>, index: number = this.#index): void {
		this.#roles[index] = { ...(this.#roles[index] as RoleState), ...change };
	}

	go(): RoleState[] {
		// Events of earlier lives stay; this life's are told again by each run.
		const earlier = this.#own.events.filter((event) => !event.startsWith(this.#lifeMark()));
		let ended = false;
		try {
			(this.#definition.lives[this.#own.life] as Program)(this);
			ended = true;
		} catch (error) {
			if (!(error instanceof CutOff)) throw error;
		}
		const events = [...earlier, ...this.#events.map((event) => `${this.#lifeMark()}${event}`)];
		if (this.#died) {
			this.#roles[this.#index] = nextLife({ ...this.#own, events });
		} else if (this.#blocked) {
			this.#set({ status: "blocked", events });
			for (const answer of this.#fresh) this.#append(this.#index, answer);
		} else {
			for (const answer of this.#fresh) this.#append(this.#index, answer);
			this.#set({ events, ...(ended ? { status: "done" } : {}) });
		}
		return this.#roles;
	}

	#lifeMark(): string {
		return `${this.#own.life}:`;
	}

	#append(index: number, answer: Answer): void {
		this.#set({ answers: [...(this.#roles[index] as RoleState).answers, answer] }, index);
	}

	checkpoint(digest: string): void {
		if (this.#isCutOff) throw new CutOff();
		const answers = this.#next + this.#fresh.length;
		if (answers > this.#own.checkpoint.answers) this.#set({ checkpoint: { answers, digest } });
	}

	emit(event: string): void {
		this.#events.push(event);
	}

	/** Answers an access from the history, or performs it; cuts the program off right behind a switching point. */
	#access(perform: () => Answer["value"], isLocal = false): Answer["value"] {
		if (this.#isCutOff) throw new CutOff();
		if (this.#next < this.#answers.length) return (this.#answers[this.#next++] as Answer).value;
		if (this.#dies) {
			this.#died = true;
			this.#isCutOff = true;
			throw new CutOff();
		}
		const answer = perform();
		if (!this.#blocked) this.#fresh.push(answerOf(answer));
		if (isLocal) return answer;
		// What the program does next belongs to its next step.
		this.#isCutOff = true;
		throw new CutOff();
	}

	readonly wordsOf = (words: Int32Array): SharedWords => {
		const place = (index: number): string => `${this.#nameOf(words.buffer)}:${words.byteOffset / 4 + index}`;
		const word = (op: string, index: number, value: number, perform: (old: number) => number | undefined): number => {
			const faulty = this.#fault?.({ op, index, value, words });
			const writers = this.#writersOf(this.#nameOf(words.buffer), words.byteOffset / 4 + index);
			const isLocal = op === "load" && writers.every((writer) => writer === this.#index);
			return this.#access(() => {
				if (faulty !== undefined) return faulty;
				const old = words[index] as number;
				const stored = perform(old);
				if (stored === undefined) return old;
				if (!writers.includes(this.#index)) throw new Error(`role ${this.#index} writes ${place(index)}`);
				words[index] = stored;
				return old;
			}, isLocal) as number;
		};
		return {
			load: (index) => word("load", index, 0, () => undefined),
			store: (index, value) => void word("store", index, value, () => value),
			add: (index, value) => word("add", index, value, (old) => old + value),
			or: (index, bits) => word("or", index, bits, (old) => old | bits),
			exchange: (index, value) => word("exchange", index, value, () => value),
			compareExchange: (index, expected, value) =>
				word("compareExchange", index, value, (old) => (old === expected ? value : undefined)),
			notify: (index, count) => this.#access(() => this.#notify(place(index), count)) as number,
			wait: (index, expected) =>
				this.#access(() => {
					if (words[index] !== expected) return "not-equal";
					this.#blocked = true;
					this.#set({ waitsOn: place(index) });
					return "ok";
				}) as "ok",
			waitAsync: (index, expected) => {
				this.#access(() => {
					const waiter = words[index] === expected ? "armed" : "notified";
					this.#set({ waiter, waitsOn: place(index) });
					return waiter;
				});
				const waiter = {};
				// A promise would call back on its own; here the program says when, by sleeping.
				Reflect.set(waiter, "then", (then: () => void): void => {
					this.#follow = then;
				});
				return waiter as Promise<"ok">;
			},
			copyOut: (ring, start, end, target, at) => {
				target.set(this.#access(() => ring.slice(start, end)) as Uint8Array, at);
			},
			// A measurement on which nothing rests is no state.
			stampTime: () => undefined,
			microsSince: () => 0,
		};
	};

	sleep(): void {
		this.#access(() => {
			if (this.#own.waiter !== "notified") this.#blocked = true;
			else this.#set({ waiter: "none", waitsOn: "" });
			return "woken";
		});
		this.#follow?.();
	}

	/** Wakes a blocked thread, or fires an asynchronous waiter; this model has one other thread. */
	#notify(place: string, count: number): number {
		let woken = 0;
		this.#roles.forEach((role, i) => {
			if (i === this.#index || role.waitsOn !== place || woken >= count) return;
			if (role.waiter === "armed") {
				woken++;
				this.#set({ waiter: "notified" }, i);
				if (role.status !== "blocked") return;
				// It sleeps on that waiter: its `sleep` returns.
				this.#append(i, answerOf("woken"));
				this.#set({ status: "ready", waiter: "none", waitsOn: "" }, i);
			} else if (role.status === "blocked") {
				woken++;
				this.#append(i, answerOf("ok"));
				this.#set({ status: "ready", waitsOn: "" }, i);
			}
		});
		return woken;
	}
}
