/**
 * Goal: the host that the checker plays keeps the contract at its weakest, within its budgets. Method: a protocol of two
 * whose states can be counted by hand, and a twin of it for each duty: held effects, crashes, forged messages, machines
 * that throw.
 */
import { describe, expect, it } from "vitest";
import { holds, type Property } from "../../../../protocols/verification/index.ts";
import {
	explore,
	type GroupModel,
	groupSpace,
	type SearchResult,
} from "../../../../protocols/verification/model-checker/index.ts";
import {
	type BackupObservation,
	type BackupTypes,
	backup,
	backupPort,
	durableBeforeSent,
	neverNine,
	primary,
} from "./backup-protocol.ts";

type Model = GroupModel<BackupTypes, { value: number; writes: number }>;

const quiet = { inFlight: 1, crashes: 0, losses: 0, duplicates: 0, forgeries: 0 };

function model(changes: Partial<Model> = {}): Model {
	return {
		name: "backup",
		port: backupPort(),
		properties: [durableBeforeSent, neverNine],
		bounds: quiet,
		disk: "asynchronous",
		network: "set",
		isReduced: false,
		isSymmetric: false,
		...changes,
	};
}

function check(changes: Partial<Model> = {}): SearchResult {
	return explore(groupSpace(model(changes)), { statesMax: 10_000 });
}

describe("the host's duties", () => {
	it("an effect is held until the persists before it are durable", () => {
		expect(check({ bounds: { ...quiet, crashes: 1 } }).verdict).toBe("proved");
		const { counterexample } = check({ port: backupPort({ isHasty: true }) });
		expect(counterexample).toMatchObject({ property: "durable-before-sent", details: { value: 1, durable: 0 } });
		expect(counterexample?.steps.map(({ action }) => action)).toEqual(["primary: a client asks 1"]);
	});

	it("explores exactly the states of a run without faults", () => {
		// The primary: 0; 1 with an unfinished write; 1. A held copy of the timer may wait too: once, twice, …, so the bound
		// on messages does not bound the states, and only the request is looked at here.
		const port = { ...backupPort(), create: backupPort().create };
		const result = check({ port, disk: "synchronous" });
		// (primary 0, backup 0), with the copy of 0 under way; the request done with the copy of 1 under way, received, and
		// sent again. A request while the copy of 0 is under way is beyond the bound.
		expect(result).toMatchObject({ verdict: "proved", distinct: 5, depth: 3 });
	});

	it("a crash keeps any prefix of the unfinished persists, and loses the rest", () => {
		const seen = new Set<number>();
		const restarts: Property<BackupObservation> = {
			...neverNine,
			id: "restarts",
			observes: ["batch"],
			watch: () => {
				const watcher = {
					observe: (observation: BackupObservation) => {
						if (observation.type === "batch" && observation.node === primary) seen.add(observation.machine.value);
						return holds;
					},
					state: null,
					copy: () => watcher,
				};
				return watcher;
			},
		};
		const port = backupPort({}, [1, 2]);
		const synchronous = check({ port, properties: [restarts], disk: "synchronous", bounds: { ...quiet, crashes: 1 } });
		expect(synchronous.verdict).toBe("proved");
		expect([...seen].sort()).toEqual([0, 1, 2]);
	});

	it("losses, duplicates and forgeries are what their budgets allow", () => {
		const bounds = { ...quiet, forgeries: 1 };
		const forged = { from: primary, to: backup, message: { type: "copy", value: 9 } } as const;
		const port = { ...backupPort(), forgeries: [forged] };
		const liar = check({ port, bounds, disk: "synchronous" });
		expect(liar.counterexample?.steps.map(({ action }) => action)).toEqual([
			"forged: primary -> backup copy value 9",
			"backup receives: primary -> backup copy value 9",
		]);
		expect(check({ port, bounds: quiet, disk: "synchronous" }).verdict).toBe("proved");
		const count = (changes: Partial<Model["bounds"]>): number =>
			check({ disk: "synchronous", bounds: { ...quiet, ...changes } }).distinct;
		// A late copy of 0 overwrites 1 at the backup only if it can be delivered twice or wait beside the copy of 1.
		expect(count({ duplicates: 1 })).toBeGreaterThan(count({}));
		expect(count({ losses: 1 })).toBeGreaterThan(count({}));
		expect(count({ inFlight: 2 })).toBeGreaterThan(count({}));
	});

	it("a machine that throws has broken an invariant of its own", () => {
		const { counterexample } = check({ port: backupPort({ breaksAt: 1 }), disk: "synchronous" });
		expect(counterexample).toMatchObject({
			property: "machine-asserts",
			details: { failure: "a backup that breaks" },
		});
		expect(counterexample?.steps.length).toBe(2);
	});
});

describe("bad models", () => {
	it("every bound is mandatory", () => {
		for (const bound of ["inFlight", "crashes", "losses", "duplicates", "forgeries"]) {
			const bounds = { ...quiet, [bound]: undefined } as unknown as Model["bounds"];
			expect(() => groupSpace(model({ bounds }))).toThrow(
				expect.objectContaining({ code: "model-unbounded", details: expect.objectContaining({ bound }) }),
			);
		}
		const none = undefined as unknown as Model["bounds"];
		expect(() => groupSpace(model({ bounds: none }))).toThrow(expect.objectContaining({ code: "model-unbounded" }));
	});

	it("an eventually is refused where cycles are lost, and a watcher that throws is named", () => {
		const eventually = { ...neverNine, kind: "eventually" } as const;
		expect(() => groupSpace(model({ properties: [eventually], isReduced: true }))).toThrow(
			expect.objectContaining({ code: "model-malformed" }),
		);
		const broken: Property<BackupObservation> = {
			...neverNine,
			watch: () => ({
				...neverNine.watch(),
				observe: () => {
					throw new Error("no judge");
				},
				copy: () => broken.watch(),
			}),
		};
		expect(() => check({ properties: [broken] })).toThrow(
			expect.objectContaining({ code: "property-threw", details: { property: "never-nine", reason: "no judge" } }),
		);
	});
});
