/**
 * Finds actors that ask the real world for time or chance: while a guarded simulation runs, the globals that would answer
 * are replaced by ones that refuse when an actor's code calls them, also after an `await`. Everybody else in the process
 * is answered as always.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import crypto from "node:crypto";
import { syncBuiltinESMExports } from "node:module";
import timers from "node:timers";
import type { QuorateError } from "../../protocols/core/index.ts";
import { type Address, addressText } from "../actor/index.ts";
import { hiddenNondeterminism } from "./errors.ts";

/** Findings that a guard keeps. */
export const GUARD_FINDINGS_MAX = 100;

/** Whose code runs. */
export interface GuardedWork {
	readonly thread: string;
	readonly actor: Address;
	readonly kind: string;
	readonly type: string;
}

interface Guarded {
	readonly guard: GlobalGuard;
	readonly work: GuardedWork;
}

const running = new AsyncLocalStorage<Guarded | undefined>();

/** The guard of one simulation. */
export class GlobalGuard {
	/** What was found, the first {@link GUARD_FINDINGS_MAX}: each was thrown where it was called. */
	readonly findings: QuorateError[] = [];
	readonly #before: (Guarded | undefined)[] = [];

	/** An actor's hook begins. */
	enter(work: GuardedWork): void {
		this.#before.push(running.getStore());
		running.enterWith({ guard: this, work });
	}

	/** It ends; what it has left waiting still counts as its own. */
	leave(): void {
		running.enterWith(this.#before.pop());
	}

	/** No hook runs any more, even if one was cut off. */
	reset(): void {
		if (this.#before.length === 0) return;
		running.enterWith(this.#before[0]);
		this.#before.length = 0;
	}

	/** Runs what the runtime itself does on behalf of an actor, such as importing its module. */
	unguarded<T>(run: () => T): T {
		return running.exit(run);
	}

	/** Puts the guards up, until the function that is returned is called. */
	install(): () => void {
		if (installed === 0) replaceGlobals();
		installed += 1;
		return () => {
			installed -= 1;
			if (installed === 0) restoreGlobals();
		};
	}

	refuse(name: string, { thread, actor, kind, type }: GuardedWork): QuorateError {
		const handler = type === "" ? kind : `${kind} ${type}`;
		const error = hiddenNondeterminism({ function: name, thread, actor: addressText(actor), handler });
		if (this.findings.length < GUARD_FINDINGS_MAX) this.findings.push(error);
		return error;
	}
}

/** How many guarded simulations run now. */
let installed = 0;
let restorations: (() => void)[] = [];

/** Throws if an actor's code is at work. */
function check(name: string): void {
	const store = running.getStore();
	if (store !== undefined) throw store.guard.refuse(name, store.work);
}

function replaceGlobals(): void {
	const functions: readonly (readonly [owner: object, prefix: string, names: readonly string[]])[] = [
		[Math, "Math.", ["random"]],
		[performance, "performance.", ["now"]],
		[process, "process.", ["hrtime", "uptime"]],
		[globalThis, "", ["setTimeout", "setInterval", "setImmediate"]],
		[timers, "timers.", ["setTimeout", "setInterval", "setImmediate"]],
		[globalThis.crypto, "crypto.", ["randomUUID", "getRandomValues"]],
		[crypto, "crypto.", ["randomUUID", "randomBytes", "randomInt", "randomFillSync", "randomFill"]],
	];
	for (const [owner, prefix, names] of functions) {
		for (const name of names) replace(owner, name, (real) => guardedFunction(`${prefix}${name}`, real));
	}
	replace(globalThis, "Date", guardedDate);
	syncBuiltinESMExports();
}

function restoreGlobals(): void {
	for (const restore of restorations.reverse()) restore();
	restorations = [];
	syncBuiltinESMExports();
}

type AnyFunction = (...values: unknown[]) => unknown;

function replace(owner: object, name: string, guarded: (real: AnyFunction) => unknown): void {
	const own = Object.getOwnPropertyDescriptor(owner, name);
	const real = Reflect.get(owner, name) as AnyFunction;
	const value = guarded(real);
	Object.defineProperty(owner, name, {
		value,
		configurable: true,
		writable: true,
		enumerable: own?.enumerable ?? false,
	});
	restorations.push(() => {
		// Somebody else may have replaced it meanwhile: that is left to them.
		if (Reflect.get(owner, name) !== value) return;
		if (own === undefined) Reflect.deleteProperty(owner, name);
		else Object.defineProperty(owner, name, own);
	});
}

/** A proxy, so that what hangs on the function (such as `promisify.custom` or `hrtime.bigint`) is still there. */
function guardedFunction(name: string, real: AnyFunction): unknown {
	return new Proxy(real, {
		apply: (target, self, values) => {
			check(name);
			return Reflect.apply(target, self, values);
		},
		get: (target, property) => {
			const value: unknown = Reflect.get(target, property);
			return property === "bigint" ? guardedFunction(`${name}.bigint`, value as AnyFunction) : value;
		},
	});
}

/** Only what reads the clock is guarded: a date of a given time is as good as any value. */
function guardedDate(real: AnyFunction): unknown {
	return new Proxy(real, {
		construct: (target, values, newTarget) => {
			if (values.length === 0) check("new Date");
			return Reflect.construct(target, values, newTarget);
		},
		apply: (target, self, values) => {
			check("Date");
			return Reflect.apply(target, self, values);
		},
		get: (target, property) => {
			const value: unknown = Reflect.get(target, property);
			return property === "now" ? guardedNow(value as AnyFunction) : value;
		},
	});
}

function guardedNow(now: AnyFunction): unknown {
	return () => {
		check("Date.now");
		return now();
	};
}
