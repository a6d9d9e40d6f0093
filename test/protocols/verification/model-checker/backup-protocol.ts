/**
 * A protocol of two: what a client asks of the primary is on its disk before the backup hears of it. Small enough to know
 * every state of, and with a switch for each way to break the contract that a host must notice.
 */
import { type Effect, type Input, type NodeId, nodeId, type StateMachine } from "../../../../protocols/core/index.ts";
import { type GroupObservation, holds, type Property, violated } from "../../../../protocols/verification/index.ts";
import type { GroupPort } from "../../../../protocols/verification/model-checker/index.ts";

export interface BackupTypes {
	readonly message: { readonly type: "copy"; readonly value: number };
	readonly request: number;
	readonly reply: "done";
	readonly timer: "resend";
	readonly write: number;
	readonly read: never;
	readonly readResult: never;
	readonly delivery: never;
	readonly snapshot: never;
	readonly event: { readonly type: "copied"; readonly value: number };
	readonly durable: number;
}

export interface Fault {
	/** A copy leaves before the value is durable. */
	readonly isHasty?: boolean;
	/** A copy with this value breaks the backup. */
	readonly breaksAt?: number;
}

export const primary: NodeId = nodeId("primary");
export const backup: NodeId = nodeId("backup");

interface BackupState {
	value: number;
	writes: number;
}

class BackupMachine implements StateMachine<BackupTypes> {
	readonly #node: NodeId;
	readonly #fault: Fault;
	readonly state: BackupState;

	constructor(node: NodeId, fault: Fault, state: BackupState) {
		this.#node = node;
		this.#fault = fault;
		this.state = state;
	}

	step(input: Input<BackupTypes>, _now: number, effects: Effect<BackupTypes>[]): void {
		switch (input.type) {
			case "start":
				this.state.value = input.durable;
				if (this.#node === primary) effects.push({ type: "set-timer", timer: "resend", afterMs: { min: 1, max: 1 } });
				return;
			case "request":
				if (this.#node !== primary) return;
				this.state.value = input.request;
				effects.push({ type: "persist", writeId: ++this.state.writes, write: input.request });
				this.#copy(effects, this.#fault.isHasty === true ? "immediate" : "after-durable");
				return;
			case "timer":
				this.#copy(effects, "after-durable");
				effects.push({ type: "set-timer", timer: "resend", afterMs: { min: 1, max: 1 } });
				return;
			case "message":
				if (input.message.value === this.#fault.breaksAt) throw new Error("a backup that breaks");
				this.state.value = input.message.value;
				effects.push({ type: "emit", event: { type: "copied", value: input.message.value } });
				return;
			default:
		}
	}

	copy(): BackupMachine {
		return new BackupMachine(this.#node, this.#fault, { ...this.state });
	}

	#copy(effects: Effect<BackupTypes>[], release: "immediate" | "after-durable"): void {
		effects.push({ type: "send", to: backup, message: { type: "copy", value: this.state.value }, release });
	}
}

export type BackupObservation = GroupObservation<BackupTypes, BackupState>;

/** What leaves the primary is on its disk. */
export const durableBeforeSent: Property<BackupObservation> = {
	id: "durable-before-sent",
	kind: "always",
	statement: "A copy is durable at the primary before it leaves.",
	source: "this test",
	needs: "disk",
	observes: ["left"],
	watch: () => {
		const watcher = {
			observe: (observation: BackupObservation) => {
				if (observation.type !== "left") return null;
				const { message, durable } = observation;
				return message.value === durable ? holds : violated({ value: message.value, durable });
			},
			state: null,
			copy: () => watcher,
		};
		return watcher;
	},
};

/** What the backup was told is never 9: only a forger says so. */
export const neverNine: Property<BackupObservation> = {
	id: "never-nine",
	kind: "always",
	statement: "Nobody copies nine.",
	source: "this test",
	needs: "events",
	watch: () => {
		const watcher = {
			observe: (observation: BackupObservation) => {
				if (observation.type !== "event") return null;
				return observation.event.value === 9 ? violated({ value: 9 }) : holds;
			},
			state: null,
			copy: () => watcher,
		};
		return watcher;
	},
};

export function backupPort(fault: Fault = {}, requests: readonly number[] = [1]): GroupPort<BackupTypes, BackupState> {
	return {
		nodes: [primary, backup],
		create: (node) => new BackupMachine(node, fault, { value: 0, writes: 0 }),
		blank: 0,
		performWrite: (_, write) => write,
		view: (machine) => machine.state as BackupState,
		essence: (state) => (state as BackupState).value,
		isWithin: () => true,
		requests,
	};
}
