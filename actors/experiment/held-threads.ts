/** A thread directory that keeps chosen threads dead, so that a member can be down for as long as an experiment says. */
import type {
	Backend,
	ThreadDirectory,
	ThreadEvent,
	ThreadSlot,
	ThreadSpec,
	ThreadStatus,
} from "../../runtime/index.ts";

type KernelControl = ReturnType<ThreadDirectory["control"]>;

export class HeldThreads implements ThreadDirectory {
	readonly #threads: ThreadDirectory;
	/** By the thread's name: how many hold it, and who waits to start it. */
	readonly #held = new Map<string, { holders: number; readonly waiting: (() => void)[] }>();

	constructor(threads: ThreadDirectory) {
		this.#threads = threads;
	}

	/** From now on no thread of this name starts, until everybody who holds it has called what is returned. */
	hold(name: string): () => void {
		const held = this.#held.get(name) ?? { holders: 0, waiting: [] };
		this.#held.set(name, held);
		held.holders += 1;
		let isHolding = true;
		return () => {
			if (!isHolding) return;
			isHolding = false;
			held.holders -= 1;
			if (held.holders > 0) return;
			this.#held.delete(name);
			for (const go of held.waiting) go();
		};
	}

	async start(spec: ThreadSpec): Promise<ThreadSlot> {
		await this.#released(spec.name);
		return this.#threads.start(spec);
	}

	async replace(slot: ThreadSlot): Promise<void> {
		const name = this.#threads.status().find((thread) => thread.slot === slot)?.spec.name;
		if (name !== undefined) await this.#released(name);
		return this.#threads.replace(slot);
	}

	kill(slot: ThreadSlot, cause: "killed" | "stalled" | "stopped"): Promise<void> {
		return this.#threads.kill(slot, cause);
	}

	release(slot: ThreadSlot): void {
		this.#threads.release(slot);
	}

	control(slot: ThreadSlot): KernelControl {
		return this.#threads.control(slot);
	}

	status(): readonly ThreadStatus[] {
		return this.#threads.status();
	}

	observe(listener: (event: ThreadEvent) => void): () => void {
		return this.#threads.observe(listener);
	}

	async #released(name: string): Promise<void> {
		const held = this.#held.get(name);
		if (held !== undefined) await new Promise<void>((go) => held.waiting.push(go));
	}
}

/** The same backend with another thread directory, and other ports of the main thread if some are given. */
export function withThreads(
	backend: Backend,
	threads: ThreadDirectory,
	ports: Backend["ports"] = backend.ports,
): Backend {
	return {
		ports,
		threads,
		parallelism: backend.parallelism,
		attach: (kernel) => backend.attach(kernel),
		publishedThrough: (from, to) => backend.publishedThrough(from, to),
		close: () => backend.close(),
	};
}
