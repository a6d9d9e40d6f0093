/**
 * The supervisor: an actor that starts its children in order, restarts those that fail, and ends them in reverse order.
 *
 * The rules are OTP's (`supervisor`), with these deliberate differences:
 * - a restart keeps the child's address and mailbox (see child-lifecycle.ts);
 * - a restart may wait ({@link SupervisorFlags.backoff}); siblings that the strategy concerns are down meanwhile;
 * - a supervisor that exceeds its intensity fails, so that its own supervisor restarts it even when it is transient
 *   (OTP's exits with `shutdown`, and a transient one is gone);
 * - a child that was lost with its thread is restarted when the thread is back, without counting here: the thread tree
 *   has counted that crash once. A thread that is given up counts here, as a start that failed.
 *
 * Starting, suspending and ending children is waited for, as in OTP: requests and signals that come meanwhile are handled
 * afterwards. Waiting for a delay or for a thread holds nothing up.
 */
import { errorToObject, must, QuorateError } from "../../protocols/core/index.ts";
import type { ActorContext, ActorSpec, Behaviour, Signal, StopReason } from "../../runtime/actor/index.ts";
import { ChildLifecycle } from "./child-lifecycle.ts";
import type { CheckedChild, ChildTemplate, SupervisorSpec } from "./child-spec.ts";
import * as errors from "./errors.ts";
import type { StartedChild, SupervisorRequest } from "./requests.ts";
import { Restarts } from "./restarts.ts";
import { checkChild, checkChildren, checkFlags, validateSupervisor } from "./spec-validation.ts";
import { endsSupervisor, mustRestart } from "./strategy.ts";
import { type Child, SupervisorState } from "./supervisor-state.ts";

/**
 * The actor spec of a supervisor that lives on the thread that starts it, which is where a tree belongs: its specs may
 * hold local sources, and a crash of another thread leaves it alive to act.
 * @throws QuorateError `invalid-supervisor-spec`, `invalid-child-spec`, `duplicate-child-id`, `too-many-children`
 * @example await system.spawn(supervisorActor({ name: "root", children: [{ id: "ledger", start: ledgerSpec }] }))
 */
export function supervisorActor(spec: SupervisorSpec): ActorSpec {
	validateSupervisor(spec);
	return { name: spec.name, behaviour: { local: () => new Supervisor(spec) }, placement: "local" };
}

type ChildSignal = Exclude<Signal, { readonly type: "terminated" }>;

export class Supervisor implements Behaviour<SupervisorRequest> {
	readonly #state: SupervisorState;
	readonly #initial: readonly CheckedChild[];
	readonly #template: ChildTemplate | null;
	#parts: { readonly lifecycle: ChildLifecycle; readonly restarts: Restarts } | null = null;
	/** Numbers the children of a dynamic supervisor. */
	#dynamicChildren = 0;

	/** @throws QuorateError as {@link supervisorActor} */
	constructor(spec: SupervisorSpec) {
		validateSupervisor(spec);
		const flags = checkFlags(spec);
		this.#state = new SupervisorState(flags);
		this.#initial = spec.strategy === "dynamic" ? [] : checkChildren(spec, flags);
		this.#template = spec.strategy === "dynamic" ? spec.template : null;
	}

	/** Starts the children in order; if one fails, those before it are ended in reverse and the start fails as a unit. */
	async started(context: ActorContext<SupervisorRequest>): Promise<void> {
		const lifecycle = new ChildLifecycle(context, this.#state, supervisorActor);
		this.#parts = { lifecycle, restarts: new Restarts(context, this.#state, lifecycle) };
		for (const spec of this.#initial) await this.#startFirst(this.#state.add(spec));
	}

	async #startFirst(child: Child): Promise<void> {
		const { lifecycle } = this.#running();
		try {
			await lifecycle.start(child);
		} catch (cause) {
			await lifecycle.endAll();
			throw errors.childStartFailed(this.#named(child.id), { cause });
		}
		this.#publishStarted(child);
	}

	/** Answers a request; a refusal goes to whoever asked and leaves the supervisor as it was. */
	async receive(message: SupervisorRequest, context: ActorContext<SupervisorRequest>): Promise<void> {
		const replier = context.replier();
		try {
			const answer = await this.#answer(message);
			replier?.reply(answer);
		} catch (error) {
			if (!(error instanceof QuorateError)) throw error;
			if (replier !== null) replier.fail(error);
			else {
				const { name } = this.#state.flags;
				this.#running().lifecycle.publish({
					type: "supervisor-request-refused",
					supervisor: name,
					error: errorToObject(error),
				});
			}
		}
	}

	async signal(signal: Signal, context: ActorContext<SupervisorRequest>): Promise<void> {
		if (signal.type === "terminated") return;
		const child = this.#state.at(signal.child.address);
		// Not one of ours any more: it was ended, and this notice was under way.
		if (child !== undefined) await this.#heard(child, signal, context);
	}

	/** Reverse start order, each child with its own shutdown time. */
	async stopChildren(): Promise<void> {
		await this.#running().lifecycle.endAll();
	}

	/** A notice about a child, by the system or by a return that came with the notice. */
	async #heard(child: Child, signal: ChildSignal, context: ActorContext<SupervisorRequest>): Promise<void> {
		if (this.#running().restarts.isReturning(child)) {
			// Which of its lives this is about shows when the restart that is under way has settled.
			child.heard = () => this.#heard(child, signal, context);
			return;
		}
		const stopped = signal.type === "child-stopped";
		if (stopped) this.#state.detach(child);
		if (child.state === "running" && (stopped || signal.restarts >= child.life)) {
			await this.#childDown(child, signal.reason, context);
		} else if (child.state === "restarting" && signal.reason.type === "lost-with-thread") {
			// It was down already; now its restart will have to wait for the thread.
			child.lost = true;
		}
	}

	/** A running child is down, by itself or by what happened to it. */
	async #childDown(child: Child, reason: StopReason, context: ActorContext<SupervisorRequest>): Promise<void> {
		const { lifecycle, restarts } = this.#running();
		const ending = reason.type === "normal" || reason.type === "shutdown" ? "normal" : "abnormal";
		const again = mustRestart(child.spec.restart, ending);
		child.lost = reason.type === "lost-with-thread";
		if (again || ending === "abnormal") {
			lifecycle.publish({ type: "child-failed", reason, counted: again && !child.lost, ...this.#named(child.id) });
			this.#suspectPoison(child, reason);
		}
		if (again) {
			await restarts.childDown(child);
			return;
		}
		child.state = "stopped";
		await lifecycle.end(child);
		if (ending === "normal") lifecycle.stopped(child, reason.type);
		if (child.spec.restart === "temporary" || this.#state.flags.dynamic) this.#state.remove(child);
		if (!endsSupervisor(this.#state.flags.autoShutdown, child.spec, this.#state.standings())) return;
		lifecycle.publish({ type: "supervisor-auto-shutdown", ...this.#named(child.id) });
		// Each child gets its own shutdown time; by the time this actor ends, it has none left to wait for.
		await lifecycle.endAll();
		context.stopSelf();
	}

	#suspectPoison(child: Child, reason: StopReason): void {
		const suspect = child.poison.record("interrupted" in reason ? reason.interrupted : null);
		if (suspect === null) return;
		child.poisoned++;
		this.#running().lifecycle.publish({ type: "poison-message", ...this.#named(child.id), ...suspect });
	}

	async #answer(request: SupervisorRequest): Promise<unknown> {
		switch (request?.type) {
			case "start-child":
				this.#refuseDynamic(request.type);
				return this.#startNew(checkChild(request.child, this.#state.flags));
			case "start-dynamic-child":
				return this.#startNew(this.#fromTemplate(request.id, request.args));
			case "terminate-child":
				return this.#terminate(this.#find(request.id));
			case "restart-child":
				this.#refuseDynamic(request.type);
				return this.#restartDown(this.#down(request.id));
			case "delete-child":
				this.#refuseDynamic(request.type);
				this.#state.remove(this.#down(request.id));
				return null;
			case "which-children":
				return this.#state.report();
			case "count-children":
				return this.#state.count();
			default:
				return this.#refuseUnknown(request);
		}
	}

	async #startNew(spec: CheckedChild): Promise<StartedChild> {
		const present = this.#state.get(spec.id);
		if (present?.state === "running") throw errors.childAlreadyStarted(this.#named(spec.id));
		if (present !== undefined) throw errors.childAlreadyPresent(this.#named(spec.id));
		const child = this.#state.add(spec);
		try {
			await this.#running().lifecycle.start(child);
		} catch (cause) {
			this.#state.remove(child);
			throw errors.childStartFailed(this.#named(spec.id), { cause });
		}
		return this.#publishStarted(child);
	}

	async #terminate(child: Child): Promise<null> {
		await this.#running().lifecycle.end(child);
		if (child.spec.restart === "temporary" || this.#state.flags.dynamic) this.#state.remove(child);
		return null;
	}

	async #restartDown(child: Child): Promise<StartedChild> {
		try {
			await this.#running().lifecycle.start(child);
		} catch (cause) {
			throw errors.childStartFailed(this.#named(child.id), { cause });
		}
		return this.#publishStarted(child);
	}

	#fromTemplate(wantedId: string | undefined, args: unknown): CheckedChild {
		const { flags } = this.#state;
		const template = this.#template;
		if (template === null) throw errors.staticSupervisor({ supervisor: flags.name, request: "start-dynamic-child" });
		this.#dynamicChildren++;
		const id = wantedId ?? String(this.#dynamicChildren);
		const { behaviour } = template.start;
		if (args !== undefined && "local" in behaviour) {
			throw errors.invalidChildSpec({
				...this.#named(id),
				field: "args",
				expected: "none, as the source is local",
				actual: "some",
			});
		}
		const start: ActorSpec = {
			...template.start,
			name: `${template.start.name}-${id}`,
			behaviour: args === undefined ? behaviour : { ...behaviour, args },
		};
		return checkChild({ ...template, id, start }, flags);
	}

	#find(id: string): Child {
		const child = this.#state.get(id);
		if (child === undefined) throw errors.childNotFound(this.#named(id));
		return child;
	}

	/** The child, if it neither runs nor is about to. */
	#down(id: string): Child {
		const child = this.#find(id);
		if (child.state === "running") throw errors.childRunning(this.#named(id));
		if (child.state === "restarting") throw errors.childRestarting(this.#named(id));
		return child;
	}

	#refuseDynamic(request: string): void {
		const { name, dynamic } = this.#state.flags;
		if (dynamic) throw errors.dynamicSupervisor({ supervisor: name, request });
	}

	#refuseUnknown(request: unknown): never {
		const type = (request as { type?: unknown } | null | undefined)?.type;
		throw errors.unknownRequest({ supervisor: this.#state.flags.name, request: String(type).slice(0, 80) });
	}

	#publishStarted(child: Child): StartedChild {
		const { address } = must(child.ref ?? undefined, "a running child has an address");
		this.#running().lifecycle.publish({ type: "child-started", address, ...this.#named(child.id) });
		return { id: child.id, address };
	}

	#named(child: string): { readonly supervisor: string; readonly child: string } {
		return { supervisor: this.#state.flags.name, child: String(child).slice(0, 128) };
	}

	#running(): { readonly lifecycle: ChildLifecycle; readonly restarts: Restarts } {
		return must(this.#parts ?? undefined, "a supervisor acts after it was started");
	}
}
