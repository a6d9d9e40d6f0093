/**
 * The control plane of a worker's kernel: comlink carries the calls, and this file adds what comlink lacks. A call
 * has a timeout, is rejected when the thread ends (comlink's would hang for ever), and fails with the error that was
 * thrown on the other side, code and details intact. For orders of a few a second, never for messages.
 */
import type { MessagePort } from "node:worker_threads";
import * as Comlink from "comlink";
import nodeEndpoint from "comlink/dist/esm/node-adapter.mjs";
import { type ErrorObject, errorFromObject, errorToObject, type QuorateError } from "../../protocols/core/index.ts";
import {
	type ActorInspection,
	type ActorSpec,
	type Address,
	type Adoption,
	type KernelControl,
	localSourceOnThread,
	moduleHref,
	type SpawnOrder,
	type StopReason,
	type ThreadEnd,
	threadDied,
} from "../actor/index.ts";
import { controlTimeout } from "./errors.ts";

/** A spawn loads modules and runs a `started` hook, which may recover from disk. */
export const SPAWN_TIMEOUT_MS = 60_000;
/** What a stop gets beyond the actor's own shutdown timeout. */
export const STOP_GRACE_MS = 5_000;
/** An inspection only reads, an adoption only notes. */
export const INSPECT_TIMEOUT_MS = 5_000;

/** How an answer travels: comlink's own error transport would lose code and details. */
type Outcome = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: ErrorObject };

interface ControlSurface {
	call(method: keyof KernelControl, args: readonly unknown[]): Promise<Outcome>;
}

/** Serves a kernel's control plane at a port; the worker's side. */
export function serveControl(control: KernelControl, port: MessagePort): void {
	const surface: ControlSurface = {
		async call(method, args) {
			try {
				const run = control[method] as (...args: readonly unknown[]) => Promise<unknown>;
				return { ok: true, value: await run.apply(control, [...args]) };
			} catch (thrown) {
				return { ok: false, error: errorToObject(thrown) };
			}
		},
	};
	Comlink.expose(surface, nodeEndpoint(port));
}

interface PendingCall {
	readonly call: string;
	readonly reject: (error: QuorateError) => void;
	readonly timer: NodeJS.Timeout;
}

/** The main thread's view of one kernel in another thread. */
export class RemoteKernelControl implements KernelControl {
	readonly #name: string;
	readonly #slot: number;
	readonly #port: MessagePort;
	readonly #ring: () => void;
	readonly #hear: () => void;
	readonly #surface: Comlink.Remote<ControlSurface>;
	/** Bounded by the actors of the thread: each has one order under way. */
	readonly #pending = new Set<PendingCall>();
	#end: ThreadEnd | null = null;

	/**
	 * @param ring wakes the thread, which may be parked where it does not see its ports
	 * @param hear takes what the thread has made visible before it answered; the answer is acted on after that
	 */
	constructor(name: string, slot: number, port: MessagePort, ring: () => void, hear: () => void) {
		this.#name = name;
		this.#slot = slot;
		this.#port = port;
		this.#ring = ring;
		this.#hear = hear;
		this.#surface = Comlink.wrap<ControlSurface>(nodeEndpoint(port));
	}

	spawn(order: SpawnOrder): Promise<void> {
		return this.#call("spawn", SPAWN_TIMEOUT_MS, () => [travelling(order)]) as Promise<void>;
	}

	suspend(address: Address, timeoutMs: number): Promise<void> {
		return this.#call("suspend", timeoutMs + STOP_GRACE_MS, () => [address, timeoutMs]) as Promise<void>;
	}

	stop(address: Address, reason: StopReason, timeoutMs: number): Promise<StopReason> {
		return this.#call("stop", timeoutMs + STOP_GRACE_MS, () => [address, reason, timeoutMs]) as Promise<StopReason>;
	}

	adopt(actors: readonly Adoption[]): Promise<void> {
		return this.#call("adopt", INSPECT_TIMEOUT_MS, () => [actors]) as Promise<void>;
	}

	inspect(): Promise<readonly ActorInspection[]> {
		return this.#call("inspect", INSPECT_TIMEOUT_MS, () => []) as Promise<readonly ActorInspection[]>;
	}

	/** The thread has ended: every pending call, and each later one, rejects with `thread-died`. */
	close(end: ThreadEnd): void {
		if (this.#end !== null) return;
		this.#end = end;
		for (const pending of [...this.#pending]) {
			clearTimeout(pending.timer);
			pending.reject(this.#died(pending.call, end));
		}
		this.#pending.clear();
		this.#port.close();
	}

	async #call(method: keyof KernelControl, timeoutMs: number, args: () => readonly unknown[]): Promise<unknown> {
		if (this.#end !== null) throw this.#died(method, this.#end);
		const sent = args();
		const outcome = await new Promise<Outcome>((resolve, reject) => {
			const timer = setTimeout(() => {
				this.#pending.delete(pending);
				reject(controlTimeout({ name: this.#name, slot: this.#slot, call: method, timeoutMs }));
			}, timeoutMs);
			const pending: PendingCall = { call: method, reject, timer };
			this.#pending.add(pending);
			const settled = (): boolean => {
				clearTimeout(timer);
				return this.#pending.delete(pending);
			};
			this.#surface.call(method, sent).then(
				(answer) => {
					if (!settled()) return;
					this.#hear();
					resolve(answer);
				},
				(error) => settled() && reject(error),
			);
			this.#ring();
		});
		if (!outcome.ok) throw errorFromObject(outcome.error);
		return outcome.value;
	}

	#died(call: string, end: ThreadEnd): QuorateError {
		return threadDied({ name: this.#name, slot: this.#slot, cause: end.cause, call });
	}
}

/** The order as data that can be cloned: a module by its href, no closures. */
function travelling(order: SpawnOrder): SpawnOrder {
	const { behaviour, name } = order.spec;
	if ("local" in behaviour) throw localSourceOnThread({ name });
	const spec: ActorSpec = { ...order.spec, behaviour: { ...behaviour, module: moduleHref(behaviour.module) } };
	return { ...order, spec };
}
