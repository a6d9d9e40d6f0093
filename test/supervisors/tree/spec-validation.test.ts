/**
 * Goal: a wrong spec is refused with a code and the values that are wrong, before anything is started.
 * Method: one table of wrong specs, each a small change to a right one.
 */
import { describe, expect, it } from "vitest";
import { QuorateError } from "../../../protocols/core/index.ts";
import {
	type BackoffSpec,
	CHILDREN_MAX,
	type ChildSpec,
	type SupervisorSpec,
	validateSupervisor,
} from "../../../supervisors/index.ts";

const start = { name: "worker", behaviour: { local: () => ({ receive: () => undefined }) } } as const;
const right: ChildSpec = { id: "a", start };
const backoff: BackoffSpec = { minMs: 10, maxMs: 100, jitter: 0.5, stableMs: 0 };

function refusal(spec: unknown): { code: string; field: unknown } {
	try {
		validateSupervisor(spec as SupervisorSpec);
	} catch (error) {
		if (error instanceof QuorateError) return { code: error.code, field: error.details["field"] };
		throw error;
	}
	throw new Error("was accepted");
}

describe("validateSupervisor", () => {
	it("accepts defaults, every kind of child, and trees", () => {
		validateSupervisor({ name: "s", children: [] });
		validateSupervisor({
			name: "s",
			strategy: "rest-for-one",
			autoShutdown: "any-significant",
			intensity: 0,
			periodMs: 1,
			backoff,
			children: [
				right,
				{ id: "b", start, restart: "transient", significant: true, shutdownMs: "brutal-kill" },
				{ id: "c", start, type: "supervisor", shutdownMs: "infinity" },
				{ id: "d", start: { name: "inner", children: [right] } },
				{ id: "e", start: { name: "pool", strategy: "dynamic", template: { start, restart: "temporary" } } },
			],
		});
	});

	it.each<[string, object, string]>([
		["no name", { name: "" }, "name"],
		["an unknown strategy", { strategy: "all-for-one" }, "strategy"],
		["an unknown auto-shutdown", { autoShutdown: "always" }, "autoShutdown"],
		["a negative intensity", { intensity: -1 }, "intensity"],
		["a broken intensity", { intensity: 1.5 }, "intensity"],
		["a huge intensity", { intensity: 1_001 }, "intensity"],
		["no period", { periodMs: 0 }, "periodMs"],
		["a poison limit of 0", { poisonLimit: 0 }, "poisonLimit"],
		["children that are no list", { children: {} }, "children"],
		["a backoff without minimum", { backoff: { ...backoff, minMs: 0 } }, "backoff.minMs"],
		["a backoff whose maximum is below its minimum", { backoff: { ...backoff, maxMs: 9 } }, "backoff.maxMs"],
		["a jitter over 1", { backoff: { ...backoff, jitter: 1.1 } }, "backoff.jitter"],
		["a negative stable time", { backoff: { ...backoff, stableMs: -1 } }, "backoff.stableMs"],
	])("refuses %s", (_, wrong, field) => {
		expect(refusal({ name: "s", children: [], ...wrong })).toEqual({ code: "invalid-supervisor-spec", field });
	});

	it.each<[string, object, string]>([
		["no id", { id: "" }, "id"],
		["an unknown restart type", { restart: "always" }, "restart"],
		["nothing to start", { start: null }, "start"],
		["a start without behaviour", { start: { name: "x" } }, "start.behaviour"],
		["a start without name", { start: { ...start, name: "" } }, "start.name"],
		["a negative shutdown time", { shutdownMs: -1 }, "shutdownMs"],
		["an unbounded shutdown of a worker", { shutdownMs: "infinity" }, "shutdownMs"],
		["a permanent significant child", { significant: true }, "significant"],
		["significance that is no boolean", { significant: 1 }, "significant"],
		["a supervisor declared a worker", { start: { name: "x", children: [] }, type: "worker" }, "type"],
	])("refuses a child with %s", (_, wrong, field) => {
		const spec = { name: "s", autoShutdown: "any-significant", children: [{ ...right, ...wrong }] };
		expect(refusal(spec)).toEqual({ code: "invalid-child-spec", field });
	});

	it("refuses a significant child without auto-shutdown, and auto-shutdown of a dynamic supervisor", () => {
		const child = { ...right, restart: "transient", significant: true };
		expect(refusal({ name: "s", children: [child] })).toEqual({ code: "invalid-child-spec", field: "significant" });
		const dynamic = { name: "s", strategy: "dynamic", template: { start }, autoShutdown: "any-significant" };
		expect(refusal(dynamic)).toEqual({ code: "invalid-supervisor-spec", field: "autoShutdown" });
	});

	it("refuses two children of one id, and too many", () => {
		expect(refusal({ name: "s", children: [right, right] }).code).toBe("duplicate-child-id");
		const many = Array.from({ length: CHILDREN_MAX + 1 }, (_, index) => ({ ...right, id: `c${index}` }));
		expect(refusal({ name: "s", children: many }).code).toBe("too-many-children");
	});

	it("looks into the whole tree", () => {
		const inner = { id: "i", start: { name: "inner", children: [{ ...right, restart: "often" }] } };
		expect(refusal({ name: "s", children: [inner] })).toEqual({ code: "invalid-child-spec", field: "restart" });
		const pool = { id: "p", start: { name: "pool", strategy: "dynamic", template: { start, shutdownMs: -5 } } };
		expect(refusal({ name: "s", children: [pool] })).toEqual({ code: "invalid-child-spec", field: "shutdownMs" });
	});
});
