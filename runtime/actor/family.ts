/** Parents and children: who starts, restarts and ends whom, and who hears of whose failure. */
import { invalidArgument } from "../../protocols/core/index.ts";
import { type Address, addressText, type ThreadSlot } from "./address.ts";
import type { ActorSpec } from "./behaviour.ts";
import type { Cell, Child } from "./cell.ts";
import { Notice } from "./entry.ts";
import { actorDead, startInterrupted } from "./errors.ts";
import type { KernelPost } from "./kernel-post.ts";
import type { LifeCycle } from "./life-cycle.ts";
import { Mailbox } from "./mailbox.ts";
import type { ActorRef } from "./ref.ts";
import type { SystemServices } from "./services.ts";
import type { StopReason } from "./signal.ts";
import type { NamedAddress } from "./system-message.ts";

const ACTOR_NAME_LENGTH_MAX = 128;

/** What a family needs of its kernel. */
export interface FamilyHost {
	readonly slot: ThreadSlot;
	readonly post: KernelPost;
	readonly services: SystemServices;
	nextAddress(): Address;
	newActor(address: Address, name: string, parent: Address, spec: ActorSpec, mailbox: Mailbox): LifeCycle;
	lifeAt(address: Address): LifeCycle | null;
	ref(address: Address, name: string | null, owner: Cell | null, protocol: string | null): ActorRef;
	publish(event: { readonly type: string }): void;
}

/** A failure on its way to the parent. */
export interface ChildFailure {
	readonly parent: Address;
	readonly child: Address;
	readonly name: string;
	readonly restarts: number;
	readonly reason: StopReason;
}

/** The children of this thread's actors, wherever they live. */
export class Family {
	readonly #host: FamilyHost;

	constructor(host: FamilyHost) {
		this.#host = host;
	}

	async spawn(parent: Cell, spec: ActorSpec): Promise<NamedAddress> {
		checkName(spec.name);
		checkPlacement(spec);
		const mailbox = new Mailbox(spec.mailbox);
		if (spec.placement === undefined || spec.placement === "local") return this.#spawnHere(parent, spec, mailbox);
		let placed: NamedAddress | null = null;
		try {
			return await this.#host.services.place(spec, parent.address, (child) => {
				placed = child;
				parent.children.set(addressText(child.address), child);
			});
		} catch (error) {
			if (placed !== null) parent.children.delete(addressText((placed as NamedAddress).address));
			throw error;
		}
	}

	async #spawnHere(parent: Cell, spec: ActorSpec, mailbox: Mailbox): Promise<NamedAddress> {
		const { services } = this.#host;
		const address = this.#host.nextAddress();
		const child: Child = { address, name: spec.name };
		const registered = services.register(spec.name, address, parent.address);
		if (registered !== undefined) await registered;
		if (parent.state === "ended") {
			services.ended(address, { type: "killed" });
			throw startInterrupted({ actor: spec.name });
		}
		parent.children.set(addressText(address), child);
		const life = this.#host.newActor(address, spec.name, parent.address, spec, mailbox);
		try {
			await life.start(0);
		} catch (error) {
			parent.children.delete(addressText(address));
			throw error;
		}
		return child;
	}

	async restart(child: Child): Promise<number> {
		if (child.address.slot !== this.#host.slot) return this.#host.services.restart(child.address);
		const life = this.#living(child);
		const restarts = life.cell.restarts + 1;
		await life.restart(restarts);
		return restarts;
	}

	async suspend(child: Child, timeoutMs: number): Promise<void> {
		if (child.address.slot !== this.#host.slot) return this.#host.services.suspend(child.address, timeoutMs);
		return this.#living(child).suspend(timeoutMs);
	}

	async stop(child: Child, timeoutMs: number): Promise<void> {
		if (child.address.slot !== this.#host.slot) return this.#host.services.stop(child.address, timeoutMs);
		await this.#host.lifeAt(child.address)?.stop({ type: "shutdown" }, timeoutMs);
	}

	#living(child: Child): LifeCycle {
		const life = this.#host.lifeAt(child.address);
		if (life === null) throw actorDead({ actor: child.name, why: "it was stopped" });
		return life;
	}

	/** An actor of this thread has failed. One whose parent is gone ends with that. */
	failed(cell: Cell, reason: StopReason): void {
		const { address: child, name, restarts, parent } = cell;
		if (parent === null) {
			this.#host.publish({ type: "root-failed", reason } as { readonly type: string });
			return;
		}
		const failure = { parent, child, name, restarts, reason };
		if (parent.slot !== this.#host.slot) this.#host.post.signal(parent.slot, { type: "child-failed", ...failure });
		else if (this.#host.lifeAt(parent) === null) this.#host.lifeAt(child)?.end(reason);
		else this.childFailed(failure);
	}

	/** An actor of this thread has ended. */
	ended({ address, name, parent }: Cell, reason: StopReason): void {
		if (parent === null) return;
		if (parent.slot === this.#host.slot) this.childStopped(parent, address, name, reason);
		else this.#host.post.signal(parent.slot, { type: "child-stopped", parent, child: address, name, reason });
	}

	/** A child of an actor on this thread has failed, wherever it lives. */
	childFailed({ parent: parentAddress, child, name, restarts, reason }: ChildFailure): void {
		const parent = this.#host.lifeAt(parentAddress)?.cell;
		if (parent === undefined || !parent.children.has(addressText(child))) return;
		const ref = this.#host.ref(child, name, parent, null);
		parent.acceptUrgent(new Notice({ type: "child-failed", child: ref, name, restarts, reason }, null, parent.life));
	}

	/** A child of an actor on this thread has ended, wherever it lived. Told once. */
	childStopped(parentAddress: Address, child: Address, name: string, reason: StopReason): void {
		const parent = this.#host.lifeAt(parentAddress)?.cell;
		if (parent === undefined || !parent.children.delete(addressText(child))) return;
		const ref = this.#host.ref(child, name, parent, null);
		parent.acceptUrgent(new Notice({ type: "child-stopped", child: ref, name, reason }, null, parent.life));
	}
}

/** On a shared thread it could not be known whether its neighbours' thread may be killed. */
function checkPlacement({ name, neverKilled, placement }: ActorSpec): void {
	if (neverKilled !== true || placement === "dedicated") return;
	const actual = typeof placement === "string" ? placement : JSON.stringify(placement ?? "local");
	throw invalidArgument({ argument: `placement of ${name}`, expected: "dedicated, as it is never killed", actual });
}

function checkName(name: string): void {
	if (typeof name === "string" && name.length >= 1 && name.length <= ACTOR_NAME_LENGTH_MAX) return;
	throw invalidArgument({
		argument: "actor name",
		expected: `1 to ${ACTOR_NAME_LENGTH_MAX} characters`,
		actual: String(name).slice(0, 160),
	});
}
