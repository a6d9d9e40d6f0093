/** Checks supervisor and child specs and fills in their defaults. It rejects, it does not repair. */
import type { QuorateError } from "../../protocols/core/index.ts";
import type { BackoffSpec } from "./backoff.ts";
import {
	CHILDREN_MAX,
	type CheckedChild,
	type CheckedFlags,
	type ChildSpec,
	isSupervisorSpec,
	type StaticSupervisorSpec,
	type SupervisorSpec,
} from "./child-spec.ts";
import { duplicateChild, invalidChildSpec, invalidSupervisorSpec, tooManyChildren } from "./errors.ts";

const NAME_LENGTH_MAX = 128;
const INTENSITY_MAX = 1_000;
const POISON_LIMIT_MAX = 100;
const IMMEDIATE_MAX = 100;
const DAY_MS = 86_400_000;
export const SHUTDOWN_MS_MAX = 0x7fff_ffff;
const SHUTDOWN_MS_DEFAULT = 5_000;

type Reject = (field: string, expected: string, actual: unknown) => QuorateError;

/**
 * Checks a whole tree: the flags, the children, and the supervisors among them.
 * @throws QuorateError `invalid-supervisor-spec`, `invalid-child-spec`, `duplicate-child-id`, `too-many-children`
 */
export function validateSupervisor(spec: SupervisorSpec): void {
	const flags = checkFlags(spec);
	if (spec.strategy === "dynamic") {
		checkChild({ ...spec.template, id: "template" }, flags);
		return;
	}
	checkChildren(spec, flags);
}

/** The flags with their defaults. @throws QuorateError `invalid-supervisor-spec` */
export function checkFlags(spec: SupervisorSpec): CheckedFlags {
	const supervisor = String(spec.name);
	const reject: Reject = (field, expected, actual) =>
		invalidSupervisorSpec({ supervisor: supervisor.slice(0, NAME_LENGTH_MAX), field, expected, actual: show(actual) });
	checkText(spec.name, "name", reject);
	const strategy = spec.strategy ?? "one-for-one";
	checkOneOf(strategy, ["one-for-one", "one-for-all", "rest-for-one", "dynamic"], "strategy", reject);
	const autoShutdown = ("autoShutdown" in spec ? spec.autoShutdown : undefined) ?? "never";
	checkOneOf(autoShutdown, ["never", "any-significant", "all-significant"], "autoShutdown", reject);
	if (strategy === "dynamic" && autoShutdown !== "never")
		throw reject("autoShutdown", "never, as it is dynamic", autoShutdown);
	const { intensity = 1, periodMs = 5_000, poisonLimit = 3, backoff = null } = spec;
	checkInteger(intensity, 0, INTENSITY_MAX, "intensity", reject);
	checkInteger(periodMs, 1, DAY_MS, "periodMs", reject);
	checkInteger(poisonLimit, 1, POISON_LIMIT_MAX, "poisonLimit", reject);
	if (backoff !== null) checkBackoff(backoff, reject);
	return {
		name: spec.name,
		strategy: strategy === "dynamic" ? "one-for-one" : strategy,
		dynamic: strategy === "dynamic",
		autoShutdown,
		intensity,
		periodMs,
		backoff,
		poisonLimit,
	};
}

/** The children with their defaults. @throws QuorateError as {@link validateSupervisor} */
export function checkChildren(spec: StaticSupervisorSpec, flags: CheckedFlags): readonly CheckedChild[] {
	if (!Array.isArray(spec.children)) {
		throw invalidSupervisorSpec({
			supervisor: flags.name,
			field: "children",
			expected: "a list",
			actual: show(spec.children),
		});
	}
	if (spec.children.length > CHILDREN_MAX) throw tooManyChildren({ supervisor: flags.name, max: CHILDREN_MAX });
	const seen = new Set<string>();
	return spec.children.map((child) => {
		const checked = checkChild(child, flags);
		if (seen.has(checked.id)) throw duplicateChild({ supervisor: flags.name, child: checked.id });
		seen.add(checked.id);
		return checked;
	});
}

/** One child with its defaults. @throws QuorateError `invalid-child-spec`, and what its own children get */
export function checkChild(spec: ChildSpec, flags: CheckedFlags): CheckedChild {
	const reject: Reject = (field, expected, actual) =>
		invalidChildSpec({
			supervisor: flags.name,
			child: String(spec?.id).slice(0, NAME_LENGTH_MAX),
			field,
			expected,
			actual: show(actual),
		});
	if (typeof spec !== "object" || spec === null) throw reject("spec", "an object", spec);
	checkText(spec.id, "id", reject);
	const { restart = "permanent", significant = false } = spec;
	checkOneOf(restart, ["permanent", "transient", "temporary"], "restart", reject);
	checkSignificant(significant, restart, flags, reject);
	const type = checkStart(spec, reject);
	const shutdownMs = spec.shutdownMs ?? (type === "supervisor" ? "infinity" : SHUTDOWN_MS_DEFAULT);
	checkShutdown(shutdownMs, type, reject);
	return { id: spec.id, start: spec.start, restart, shutdownMs, significant, type };
}

function checkSignificant(significant: unknown, restart: string, flags: CheckedFlags, reject: Reject): void {
	if (typeof significant !== "boolean") throw reject("significant", "true or false", significant);
	if (!significant) return;
	if (restart === "permanent") throw reject("significant", "false, as the child is permanent", significant);
	if (flags.autoShutdown === "never") throw reject("significant", "false, as autoShutdown is never", significant);
}

function checkStart(spec: ChildSpec, reject: Reject): "worker" | "supervisor" {
	const { start } = spec;
	if (typeof start !== "object" || start === null) throw reject("start", "an actor spec or a supervisor spec", start);
	const nested = isSupervisorSpec(start);
	const { type = nested ? "supervisor" : "worker" } = spec;
	checkOneOf(type, ["worker", "supervisor"], "type", reject);
	if (nested) {
		if (type === "worker") throw reject("type", "supervisor, as start is one", type);
		validateSupervisor(start);
		return type;
	}
	if (typeof start.behaviour !== "object" || start.behaviour === null) {
		throw reject("start.behaviour", "a module source or a local source", start.behaviour);
	}
	checkText(start.name, "start.name", reject);
	return type;
}

function checkShutdown(shutdownMs: unknown, type: "worker" | "supervisor", reject: Reject): void {
	if (shutdownMs === "brutal-kill") return;
	if (shutdownMs === "infinity") {
		// OTP allows it with a warning: one worker that never ends would hold up the end of the whole tree.
		if (type === "worker") throw reject("shutdownMs", "a bound, as the child is a worker", shutdownMs);
		return;
	}
	checkInteger(shutdownMs, 0, SHUTDOWN_MS_MAX, "shutdownMs", reject);
}

/** @throws QuorateError what `reject` makes for the first field that is out of its range */
export function checkBackoff(backoff: BackoffSpec, reject: Reject): void {
	checkInteger(backoff.minMs, 1, DAY_MS, "backoff.minMs", reject);
	checkInteger(backoff.maxMs, backoff.minMs, DAY_MS, "backoff.maxMs", reject);
	checkInteger(backoff.stableMs, 0, DAY_MS, "backoff.stableMs", reject);
	checkInteger(backoff.immediate ?? 0, 0, IMMEDIATE_MAX, "backoff.immediate", reject);
	if (!(typeof backoff.jitter === "number" && backoff.jitter >= 0 && backoff.jitter <= 1)) {
		throw reject("backoff.jitter", "0 to 1", backoff.jitter);
	}
}

export function checkInteger(value: unknown, min: number, max: number, field: string, reject: Reject): void {
	if (!Number.isInteger(value) || (value as number) < min || (value as number) > max) {
		throw reject(field, `an integer from ${min} to ${max}`, value);
	}
}

function checkText(value: unknown, field: string, reject: Reject): void {
	if (typeof value !== "string" || value.length === 0 || value.length > NAME_LENGTH_MAX) {
		throw reject(field, `1 to ${NAME_LENGTH_MAX} characters`, value);
	}
}

function checkOneOf(value: unknown, allowed: readonly string[], field: string, reject: Reject): void {
	if (!allowed.includes(value as string)) throw reject(field, allowed.join(" | "), value);
}

function show(value: unknown): string {
	if (Array.isArray(value)) return "a list";
	return typeof value === "object" && value !== null ? "an object" : String(value).slice(0, 80);
}
