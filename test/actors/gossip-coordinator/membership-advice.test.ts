/**
 * Goal: gossip only advises on membership, and only when a belief has lasted; a quorum decides, one change at a time, and what would
 * leave it too small is not put to it (GOS-22). Method: events by hand on virtual time, a quorum that notes what it is asked.
 */
import { Subject, VirtualTimeScheduler } from "rxjs";
import { beforeEach, expect, test } from "vitest";
import {
	adviseOnMembership,
	decideMembership,
	type GossipCoordinatorEvent,
	type MembershipAdvice,
	type QuorumDecision,
	type QuorumMembershipOptions,
} from "../../../actors/gossip-coordinator/index.ts";
import { invalidArgument, type NodeId, nodeId } from "../../../protocols/core/index.ts";

const LASTING_MS = 1_000;
let scheduler: VirtualTimeScheduler;
let events$: Subject<GossipCoordinatorEvent>;
let advices: MembershipAdvice[];

beforeEach(() => {
	scheduler = new VirtualTimeScheduler();
	events$ = new Subject();
	advices = [];
	adviseOnMembership(events$, { lastingMs: LASTING_MS, scheduler }).subscribe((advice) => advices.push(advice));
});

function pass(ms: number): void {
	scheduler.maxFrames = scheduler.frame + ms;
	scheduler.flush();
	scheduler.frame = scheduler.maxFrames;
}

const joined = (node: string, incarnation = 1): GossipCoordinatorEvent => ({
	type: "member-joined",
	node: nodeId(node),
	incarnation,
	tags: new Uint8Array(),
});
const failed = (node: string, incarnation = 1): GossipCoordinatorEvent => ({
	type: "member-failed",
	node: nodeId(node),
	incarnation,
	by: nodeId("a"),
});

test("GOS-22: who is held dead for the time is advised to be removed, who refutes in it is not", () => {
	events$.next(failed("b"));
	events$.next(failed("c"));
	pass(LASTING_MS - 1);
	expect(advices).toEqual([]);
	events$.next(joined("c", 2));
	pass(1);
	expect(advices).toEqual([{ advice: "remove", node: "b", because: "failed", incarnation: 1 }]);
	pass(LASTING_MS - 1);
	expect(advices.slice(1)).toEqual([{ advice: "add", node: "c", because: "present", incarnation: 2 }]);
});

test("who flaps is advised on only when it stops, and who leaves is believed at once", () => {
	for (let round = 1; round < 20; round++) {
		events$.next(round % 2 === 0 ? failed("b", round) : joined("b", round));
		pass(LASTING_MS / 2);
	}
	expect(advices).toEqual([]);
	events$.next({ type: "member-left", node: nodeId("b"), incarnation: 20 });
	expect(advices).toEqual([{ advice: "remove", node: "b", because: "left", incarnation: 20 }]);
});

test("who is forgotten and comes back is as if new", () => {
	events$.next({ type: "member-left", node: nodeId("b"), incarnation: 1 });
	events$.next({ type: "member-forgotten", node: nodeId("b") });
	events$.next(joined("b", 3));
	pass(LASTING_MS);
	expect(advices.map(({ advice, incarnation }) => [advice, incarnation])).toEqual([
		["remove", 1],
		["add", 3],
	]);
});

test("a time that is none is refused", () => {
	expect(() => adviseOnMembership(events$, { lastingMs: -1 })).toThrow("lastingMs");
	expect(() => decideMembership(new Quorum(["a"]), new Subject(), { membersMin: 5, membersMax: 4 })).toThrow(
		"membersMax",
	);
});

/** Decides when it is let; notes what is asked of it, and never more than one thing at a time. */
class Quorum {
	readonly #members: Set<NodeId>;
	readonly asked: string[] = [];
	#open = 0;
	#decide: ((error: Error | null) => void) | null = null;

	constructor(members: readonly string[]) {
		this.#members = new Set(members.map(nodeId));
	}

	get nodes(): readonly { readonly node: NodeId }[] {
		return [...this.#members].map((node) => ({ node }));
	}

	addMember = (node: string): Promise<void> => this.#change(`add ${node}`, () => this.#members.add(nodeId(node)));
	removeMember = (node: string): Promise<void> =>
		this.#change(`remove ${node}`, () => this.#members.delete(nodeId(node)));

	#change(asked: string, change: () => void): Promise<void> {
		expect(this.#open++).toBe(0);
		this.asked.push(asked);
		return new Promise((resolve, reject) => {
			this.#decide = (error) => {
				this.#open--;
				if (error !== null) return reject(error);
				change();
				resolve();
			};
		});
	}

	async decides(error: Error | null = null): Promise<void> {
		const decide = this.#decide;
		this.#decide = null;
		decide?.(error);
		for (let turn = 0; turn < 5; turn++) await Promise.resolve();
	}
}

function decided(quorum: Quorum, options: QuorumMembershipOptions = {}): QuorumDecision[] {
	const decisions: QuorumDecision[] = [];
	decideMembership(quorum, adviseOnMembership(events$, { lastingMs: LASTING_MS, scheduler }), options).subscribe(
		(decision) => decisions.push(decision),
	);
	return decisions;
}

test("the quorum decides one change after the other, and what has changed meanwhile is not put to it", async () => {
	const quorum = new Quorum(["a", "b", "c", "d", "e"]);
	const decisions = decided(quorum);
	for (const node of ["b", "c"]) events$.next(failed(node));
	pass(LASTING_MS);
	expect(quorum.asked).toEqual(["remove b"]);
	// c is back, for so long that it is believed, before its removal was put.
	events$.next(joined("c", 2));
	pass(LASTING_MS);
	await quorum.decides();
	expect(quorum.asked).toEqual(["remove b"]);
	expect(decisions.map(({ node, outcome }) => [node, outcome])).toEqual([["b", "decided"]]);
});

test("GOS-22: below the least number nobody is taken out, above the most nobody is taken in, whatever gossip says", async () => {
	const quorum = new Quorum(["a", "b", "c", "d"]);
	const decisions = decided(quorum, { membersMin: 3, membersMax: 4 });
	for (const node of ["b", "c"]) events$.next(failed(node));
	events$.next(joined("x"));
	pass(LASTING_MS);
	await quorum.decides();
	await quorum.decides();
	expect(quorum.asked).toEqual(["remove b", "add x"]);
	expect(
		decisions.map(({ node, ...decision }) => [node, decision.outcome, "limit" in decision && decision.limit]),
	).toEqual([
		["b", "decided", false],
		["c", "declined", 3],
		["x", "decided", false],
	]);
	events$.next(joined("y"));
	pass(LASTING_MS);
	await quorum.decides();
	expect(decisions.at(-1)).toMatchObject({ node: "y", outcome: "declined", members: 4, limit: 4 });
});

test("what the quorum refuses is told with its reason, and the next is put", async () => {
	const quorum = new Quorum(["a", "b", "c", "d", "e"]);
	const decisions = decided(quorum);
	for (const node of ["b", "c"]) events$.next(failed(node));
	pass(LASTING_MS);
	await quorum.decides(invalidArgument({ argument: "name", expected: "better times", actual: "these" }));
	await quorum.decides();
	expect(decisions).toMatchObject([
		{ node: "b", outcome: "refused", error: { code: "invalid-argument" } },
		{ node: "c", outcome: "decided" },
	]);
});

test("a quorum that can not be asked at all ends the stream with its error", async () => {
	const errors: unknown[] = [];
	const broken = {
		get nodes(): never {
			throw invalidArgument({ argument: "quorum", expected: "one that runs", actual: "none" });
		},
		addMember: () => Promise.resolve(),
		removeMember: () => Promise.resolve(),
	};
	const advice$ = adviseOnMembership(events$, { lastingMs: LASTING_MS, scheduler });
	decideMembership(broken, advice$).subscribe({ error: (error) => errors.push(error) });
	events$.next(failed("b"));
	pass(LASTING_MS);
	for (let turn = 0; turn < 5; turn++) await Promise.resolve();
	expect(errors).toMatchObject([{ code: "invalid-argument" }]);
});
