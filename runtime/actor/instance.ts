/** From a behaviour's source to one instance of it. */
import type { Behaviour, BehaviourClass, BehaviourSource, ReactiveBehaviour } from "./behaviour.ts";
import { notABehaviour } from "./errors.ts";
import type { ModuleLoader } from "./ports.ts";
import { ReactiveHost } from "./reactive.ts";

/** The behaviour of one life, and how to let go of it. */
export interface Instance {
	readonly behaviour: Behaviour;
	readonly close: () => void;
}

/**
 * Builds an instance. Synchronous for local sources; a module is loaded first.
 * @throws QuorateError `module-not-loadable`, `export-missing`, `not-a-behaviour`, or what the constructor throws
 */
export function buildInstance(
	name: string,
	source: BehaviourSource,
	loadModule: ModuleLoader,
	fail: (error: unknown) => void,
): Instance | Promise<Instance> {
	if ("local" in source) return instanceOf(name, source.local(), undefined, fail);
	return loadModule(source).then((exported) => {
		if (isBehaviourClass(exported)) return instanceOf(name, new exported(source.args), undefined, fail);
		return instanceOf(name, exported, source.args, fail);
	});
}

function instanceOf(name: string, made: unknown, args: unknown, fail: (error: unknown) => void): Instance {
	if (typeof made === "function") {
		const host = new ReactiveHost(made as ReactiveBehaviour, args, fail);
		return { behaviour: host, close: () => host.close() };
	}
	if (typeof made === "object" && made !== null && "receive" in made && typeof made.receive === "function") {
		return { behaviour: made as Behaviour, close: nothingToClose };
	}
	throw notABehaviour({ name, found: made === null ? "null" : typeof made });
}

function isBehaviourClass(exported: unknown): exported is BehaviourClass {
	return typeof exported === "function" && typeof exported.prototype?.receive === "function";
}

function nothingToClose(): void {}
