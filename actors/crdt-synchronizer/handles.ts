/** What {@link CRDTSynchronizer.registerCRDT} gives: one kind of handle for each type name. */
import type { Observable } from "rxjs";
import type { CrdtChange, CrdtCommand, CrdtDocument, Schema, Value } from "../../protocols/crdt/index.ts";

/** Type names as the design document has them, and the parts that they are. */
export const crdtTypes: Readonly<Record<CRDTType, Schema>> = {
	G_COUNTER: "g-counter",
	PN_COUNTER: "pn-counter",
	OR_SET: "add-wins-set",
	LWW_REGISTER: "lww-register",
	OR_MAP: { map: "lww-register" },
	RGA: "list",
};

export type CRDTType = keyof Handles;

/** What every handle has. */
interface Handle {
	readonly name: string;
	/** Changes of this value, own and remote. */
	readonly changes$: Observable<CrdtChange>;
}

export interface GCounterHandle extends Handle {
	readonly value: number;
	/** @param amount a positive safe integer; default 1. @throws QuorateError `crdt-amount-invalid` */
	increment(amount?: number): void;
}

export interface PNCounterHandle extends GCounterHandle {
	/** @param amount a positive safe integer; default 1. @throws QuorateError `crdt-amount-invalid` */
	decrement(amount?: number): void;
}

export interface ORSetHandle extends Handle {
	readonly values: readonly Value[];
	has(value: Value): boolean;
	/** @throws QuorateError `crdt-value-unencodable` */
	add(value: Value): void;
	remove(value: Value): void;
}

export interface LWWRegisterHandle extends Handle {
	/** `undefined` before the first write. */
	readonly value: Value | undefined;
	/** @throws QuorateError `crdt-value-unencodable` */
	set(value: Value): void;
}

export interface ORMapHandle extends Handle {
	readonly keys: readonly string[];
	get(key: string): Value | undefined;
	/** @throws QuorateError `crdt-value-unencodable` */
	set(key: string, value: Value): void;
	remove(key: string): void;
}

export interface RGAHandle extends Handle {
	readonly values: readonly Value[];
	/** @throws QuorateError `crdt-position-out-of-range`, `crdt-value-unencodable` */
	insert(position: number, ...values: readonly Value[]): void;
	/** @throws QuorateError `crdt-position-out-of-range` */
	remove(position: number, count?: number): void;
}

interface Handles {
	readonly G_COUNTER: GCounterHandle;
	readonly PN_COUNTER: PNCounterHandle;
	readonly OR_SET: ORSetHandle;
	readonly LWW_REGISTER: LWWRegisterHandle;
	readonly OR_MAP: ORMapHandle;
	readonly RGA: RGAHandle;
}

/** The handle of a type. */
export type CRDTOf<T extends CRDTType> = Handles[T];

/** What a handle works on. */
export interface HandleSource {
	readonly name: string;
	readonly document: CrdtDocument;
	readonly changes$: Observable<CrdtChange>;
	/** @throws QuorateError what the command is refused with */
	perform(command: CrdtCommand): void;
}

export function makeHandle<T extends CRDTType>(type: T, source: HandleSource): CRDTOf<T> {
	return makers[type](source);
}

const makers: { readonly [T in CRDTType]: (source: HandleSource) => CRDTOf<T> } = {
	G_COUNTER: counterHandle,
	PN_COUNTER: counterHandle,
	OR_SET: ({ name, document, changes$, perform }) => ({
		name,
		changes$,
		get values() {
			return document.set(name).values;
		},
		has: (value) => document.set(name).has(value),
		add: (value) => perform({ type: "add", path: [name], value }),
		remove: (value) => perform({ type: "remove", path: [name], value }),
	}),
	LWW_REGISTER: ({ name, document, changes$, perform }) => ({
		name,
		changes$,
		get value() {
			return document.lwwRegister(name).value;
		},
		set: (value) => perform({ type: "write", path: [name], value }),
	}),
	OR_MAP: ({ name, document, changes$, perform }) => ({
		name,
		changes$,
		get keys() {
			return document.map(name).keys;
		},
		get: (key) => document.lwwRegister(name, key).value,
		set: (key, value) => perform({ type: "write", path: [name, key], value }),
		remove: (key) => perform({ type: "remove-key", path: [name], key }),
	}),
	RGA: ({ name, document, changes$, perform }) => ({
		name,
		changes$,
		get values() {
			return document.list(name).values;
		},
		insert: (position, ...content) => perform({ type: "insert", path: [name], position, content }),
		remove: (position, count = 1) => perform({ type: "delete", path: [name], position, count }),
	}),
};

function counterHandle({ name, document, changes$, perform }: HandleSource): PNCounterHandle {
	return {
		name,
		changes$,
		get value() {
			return document.counter(name).value;
		},
		increment: (amount = 1) => perform({ type: "increment", path: [name], amount }),
		decrement: (amount = 1) => perform({ type: "decrement", path: [name], amount }),
	};
}
