/** What can be wrong with a disk, as data, and which of it is in force. */
import type { Generator } from "../../protocols/core/index.ts";
import { diskFaultInvalid } from "./errors.ts";

/** Which stores a fault concerns; not given: all. A flush is of a whole group, and one such store in it is enough. */
interface StoreFilter {
	readonly stores?: readonly string[];
}

/**
 * When a fault strikes: at the `nth` occasion from now on (from 1; default 1), and is over then; or at each one with this
 * probability, until it is removed.
 */
interface Moment {
	readonly nth?: number;
	readonly probability?: number;
}

/** Faults that last until they are removed, or that wait for their moment. */
export type LastingDiskFault =
	/** Flushes take so many times longer. */
	| ({ readonly kind: "slow"; readonly factor: number } & StoreFilter)
	/** Flushes do not end before the fault is removed. */
	| ({ readonly kind: "stall" } & StoreFilter)
	/** A flush fails, and with it the disk until it is reopened, as the contract of engines has it. */
	| ({ readonly kind: "fail-flush"; readonly code: "disk-full" | "disk-failed" } & Moment & StoreFilter)
	/** A load or a read of a snapshot fails with `disk-failed`, and with it the disk until it is reopened. */
	| ({ readonly kind: "read-error" } & Moment & StoreFilter)
	/** A read of a snapshot is answered, with this probability, as if it were not the published one any more. */
	| ({ readonly kind: "stale-snapshot"; readonly probability: number } & StoreFilter);

/** Faults that are over at once. */
export type InstantDiskFault =
	/** See `SimulatedDisk.crash`. */
	| { readonly kind: "lose-power"; readonly store: string }
	/** See `SimulatedDisk.wipe`. */
	| { readonly kind: "wipe"; readonly store: string }
	/** See `SimulatedDisk.damage`. */
	| { readonly kind: "bit-rot" | "misdirected-write"; readonly store: string };

export type DiskFault = LastingDiskFault | InstantDiskFault;
export type DiskFaultKind = DiskFault["kind"];

/** Every kind, for catalogues. */
export const diskFaultKinds: readonly DiskFaultKind[] = [
	"slow",
	"stall",
	"fail-flush",
	"read-error",
	"stale-snapshot",
	"lose-power",
	"wipe",
	"bit-rot",
	"misdirected-write",
];

interface Entry {
	readonly fault: LastingDiskFault;
	/** Of a fault that waits for its moment: how many more times it is asked. */
	left: number;
}

/** The lasting faults of one disk, and counts of all. */
export class DiskFaults {
	readonly #generator: Generator;
	readonly #entries = new Set<Entry>();
	readonly counts: Map<DiskFaultKind, number> = new Map();

	constructor(generator: Generator) {
		this.#generator = generator;
	}

	get active(): readonly LastingDiskFault[] {
		return [...this.#entries].map(({ fault }) => fault);
	}

	/** Returns the way to end it. @throws QuorateError `disk-fault-invalid` */
	add(fault: LastingDiskFault): () => void {
		checkDiskFault(fault);
		const entry: Entry = { fault, left: "nth" in fault ? (fault.nth ?? 1) : 1 };
		this.#entries.add(entry);
		return () => this.#entries.delete(entry);
	}

	clear(): void {
		this.#entries.clear();
	}

	count(kind: DiskFaultKind): void {
		this.counts.set(kind, (this.counts.get(kind) ?? 0) + 1);
	}

	/** How many times longer a flush of these stores takes. */
	slowness(stores: readonly string[]): number {
		let factor = 1;
		for (const { fault } of this.#entries) {
			if (fault.kind !== "slow" || !concerns(fault, stores)) continue;
			factor *= fault.factor;
			this.count(fault.kind);
		}
		return factor;
	}

	/** Whether a flush of these stores may not end yet. */
	isStalled(stores: readonly string[]): boolean {
		for (const { fault } of this.#entries) if (fault.kind === "stall" && concerns(fault, stores)) return true;
		return false;
	}

	/** With what a flush of these stores fails; null: it does not. */
	flushFailure(stores: readonly string[]): "disk-full" | "disk-failed" | null {
		for (const entry of this.#entries) {
			const { fault } = entry;
			if (fault.kind === "fail-flush" && concerns(fault, stores) && this.#isDue(entry, fault)) return fault.code;
		}
		return null;
	}

	/** Whether this load or read fails. */
	readFails(store: string): boolean {
		for (const entry of this.#entries) {
			const { fault } = entry;
			if (fault.kind === "read-error" && concerns(fault, [store]) && this.#isDue(entry, fault)) return true;
		}
		return false;
	}

	/** Whether this snapshot is answered as out of date. */
	isStale(store: string): boolean {
		for (const { fault } of this.#entries) {
			if (fault.kind !== "stale-snapshot" || !concerns(fault, [store])) continue;
			if (!this.#generator.chance(fault.probability)) continue;
			this.count(fault.kind);
			return true;
		}
		return false;
	}

	/** Its moment has come. */
	#isDue(entry: Entry, { probability }: Moment): boolean {
		if (probability !== undefined) {
			if (!this.#generator.chance(probability)) return false;
		} else {
			entry.left -= 1;
			if (entry.left > 0) return false;
			this.#entries.delete(entry);
		}
		this.count(entry.fault.kind);
		return true;
	}
}

function concerns({ stores }: StoreFilter, touched: readonly string[]): boolean {
	return stores === undefined || touched.some((store) => stores.includes(store));
}

function isProbability(value: number): boolean {
	return value >= 0 && value <= 1;
}

function checkDiskFault(fault: LastingDiskFault): void {
	const refuse = (problem: string): never => {
		throw diskFaultInvalid({ kind: fault.kind, target: fault.stores?.join(", ") ?? "all", problem });
	};
	switch (fault.kind) {
		case "slow":
			if (!(fault.factor > 0 && Number.isFinite(fault.factor))) refuse(`the factor is ${fault.factor}`);
			return;
		case "fail-flush":
		case "read-error":
			if (fault.nth !== undefined && !(Number.isInteger(fault.nth) && fault.nth >= 1)) refuse(`nth is ${fault.nth}`);
			if (fault.probability !== undefined && !isProbability(fault.probability)) {
				refuse(`the probability is ${fault.probability}`);
			}
			return;
		case "stale-snapshot":
			if (!isProbability(fault.probability)) refuse(`the probability is ${fault.probability}`);
			return;
		case "stall":
			return;
		default:
			refuse(`there is no such kind; kinds are ${diskFaultKinds.join(", ")}`);
	}
}
