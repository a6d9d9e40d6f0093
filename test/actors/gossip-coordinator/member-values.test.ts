/**
 * Goal: a member answers a change of shared values when it is kept, and does nothing under the number of a life before that number
 * is; each life is a replica of its own (GOS-21). Method: members side by side on a disk that writes when it is told to.
 */
import { expect, test } from "vitest";
import {
	CHANGES_WAITING_MAX,
	MemberValues,
	type ValuesCommand,
	type ValuesReply,
	type ValuesStore,
} from "../../../actors/gossip-coordinator/member-values.ts";
import { Generator, type NodeId, nodeId } from "../../../protocols/core/index.ts";
import type { AntiEntropyMessage } from "../../../protocols/gossip/index.ts";

const schema = { visits: "g-counter" } as const;
const increment: readonly ValuesCommand[] = [{ type: "increment", path: ["visits"], amount: 1 }];

class Disk {
	life = -1;
	values: Uint8Array | null = null;
	#open: (() => void)[] = [];
	#lost: (() => void)[] = [];

	/** One life's view of it. */
	session(): ValuesStore & { isUsable: boolean } {
		const keep = (write: () => void, done: (isKept: boolean) => void): void => {
			this.#open.push(() => {
				write();
				done(true);
			});
			this.#lost.push(() => done(false));
		};
		return {
			life: this.life,
			values: this.values,
			isUsable: true,
			hasRoom: true,
			keepLife: (life, done) => keep(() => (this.life = life), done),
			keepValues: (values, done) => keep(() => (this.values = values), done),
		};
	}

	flush(): void {
		this.#lost = [];
		for (const write of this.#open.splice(0)) write();
	}

	/** What was not written never will be. */
	lose(): void {
		this.#open = [];
		for (const lost of this.#lost.splice(0)) lost();
	}
}

class Stage {
	readonly disk: Disk = new Disk();
	readonly sent: AntiEntropyMessage[] = [];
	readonly replies: ValuesReply[] = [];
	#fire: () => void = () => undefined;

	member(node = "a", store: ValuesStore = this.disk.session()): MemberValues {
		const timers = {
			run: (_name: string, _delayMs: number, fire: () => void) => {
				this.#fire = fire;
			},
		};
		return new MemberValues({
			context: { clock: { nowMs: () => 0 }, generator: new Generator(1, node), timers } as never,
			node: nodeId(node),
			schema,
			intervalMs: 1_000,
			incarnation: 7,
			store,
			peers: (): NodeId[] => [nodeId("b")],
			send: (_to, message) => this.sent.push(message),
			publish: () => undefined,
			wallMs: () => 0,
		});
	}

	change(member: MemberValues): void {
		member.change(increment, (reply) => this.replies.push(reply));
	}

	exchange(): void {
		this.#fire();
	}
}

/** What a member offers that has something which others lack. */
function newsOfAnother(): AntiEntropyMessage {
	const stage = new Stage();
	const member = stage.member("c");
	stage.disk.flush();
	stage.change(member);
	stage.exchange();
	const [offer] = stage.sent;
	if (offer?.type !== "offer") throw new Error("it offers what it has");
	return offer;
}

test("nothing is done under a life's number before it is kept, and a change is answered when it is", () => {
	const stage = new Stage();
	const member = stage.member();
	stage.change(member);
	member.receive(nodeId("b"), newsOfAnother());
	expect(stage.sent).toEqual([]);
	expect(member.value).toEqual({ visits: 0 });
	stage.disk.flush();
	expect(member.value).toEqual({ visits: 1 });
	expect(stage.replies).toEqual([]);
	stage.disk.flush();
	expect(stage.replies).toEqual([{ type: "values-kept" }]);
});

test("GOS-21: a life that lost what it had told others takes another number, so that nobody takes one change for another", () => {
	const stage = new Stage();
	const other = new Stage();
	const b = other.member("b");
	other.disk.flush();
	// The first life tells b of a change that is never kept.
	const first = stage.member();
	stage.disk.flush();
	stage.change(first);
	first.receive(nodeId("b"), { type: "offer", digests: [{ name: "values", digest: new Uint8Array([0]) }] });
	stage.disk.lose();
	const [told] = stage.sent.splice(0);
	if (told?.type !== "answer") throw new Error("it answers an offer");
	b.receive(nodeId("a"), { type: "supply", differences: told.differences });
	expect(b.value).toEqual({ visits: 1 });
	const second = stage.member();
	stage.disk.flush();
	stage.change(second);
	second.receive(nodeId("b"), { type: "offer", digests: [{ name: "values", digest: new Uint8Array([0]) }] });
	const [again] = stage.sent.splice(0);
	if (again?.type !== "answer") throw new Error("it answers an offer");
	b.receive(nodeId("a"), { type: "supply", differences: again.differences });
	expect(b.value).toEqual({ visits: 2 });
});

test("a change that is not kept is told, and after that the member takes none", () => {
	const stage = new Stage();
	const session = stage.disk.session();
	const member = stage.member("a", session);
	stage.disk.flush();
	stage.change(member);
	session.isUsable = false;
	stage.disk.lose();
	stage.change(member);
	expect(stage.replies).toMatchObject([
		{ type: "values-refused", error: { code: "gossip-storage-lost" } },
		{ type: "values-refused", error: { code: "gossip-storage-lost" } },
	]);
});

test("a life whose number can not be kept does nothing, and says so to who waits", () => {
	const stage = new Stage();
	const member = stage.member();
	stage.change(member);
	stage.disk.lose();
	expect(stage.replies).toMatchObject([{ type: "values-refused", error: { code: "gossip-storage-lost" } }]);
	expect(member.value).toEqual({ visits: 0 });
	member.receive(nodeId("b"), newsOfAnother());
	expect(stage.sent).toEqual([]);
});

test("a life whose number is refused at once takes no change, instead of keeping who asks waiting for ever", () => {
	const stage = new Stage();
	const session = {
		...stage.disk.session(),
		keepLife: (_life: number, done: (isKept: boolean) => void) => done(false),
	};
	stage.change(stage.member("a", session));
	expect(stage.replies).toMatchObject([{ type: "values-refused", error: { code: "gossip-storage-lost" } }]);
});

test("a command that is none is refused, and the member goes on", () => {
	const stage = new Stage();
	const member = stage.member();
	stage.disk.flush();
	const nonsense = [{ type: "nonsense", path: ["visits"] }] as never;
	member.change(nonsense, (reply) => stage.replies.push(reply));
	member.change(null as never, (reply) => stage.replies.push(reply));
	expect(stage.replies.map(({ type }) => type)).toEqual(["values-refused", "values-refused"]);
	stage.change(member);
	expect(member.value).toEqual({ visits: 1 });
});

test("changes wait for the disk up to a number", () => {
	const stage = new Stage();
	const member = stage.member();
	for (let i = 0; i < CHANGES_WAITING_MAX; i++) stage.change(member);
	expect(stage.replies).toEqual([]);
	stage.change(member);
	expect(stage.replies).toMatchObject([{ error: { code: "gossip-values-busy", details: { node: "a" } } }]);
	// The number of the life, then the changes; then there is room again.
	for (let i = 0; i < 2; i++) stage.disk.flush();
	stage.change(member);
	stage.disk.flush();
	expect(stage.replies.at(-1)).toEqual({ type: "values-kept" });
	expect(member.value).toEqual({ visits: CHANGES_WAITING_MAX + 1 });
});

test("a member offers what it has, now and then, to who is there", () => {
	const stage = new Stage();
	stage.member();
	stage.disk.flush();
	stage.exchange();
	expect(stage.sent).toMatchObject([{ type: "offer", digests: [{ name: "values" }] }]);
});
