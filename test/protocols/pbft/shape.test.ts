/**
 * Goal: whatever a peer sends, a member neither throws nor does costly work for what is no message, and never says two things. Method: one
 * good message of each type, damaged at random from a fixed seed: as values, as ByzzFuzz does (OOPSLA 2023), and as bytes of a lane.
 */
import { describe, expect, it } from "vitest";
import { Generator, must, type NodeId, QuorateError } from "../../../protocols/core/index.ts";
import { type PbftMessage, pbftLayouts } from "../../../protocols/pbft/index.ts";
import { MessageShapes } from "../../../protocols/pbft/shape.ts";
import { MessageCodec } from "../../../runtime/codec/index.ts";
import { at, inView, LoneReplica, members, n1, n2, n3, n4 } from "./lone-replica.ts";

const SEED = 4;
const REPLICAS = 12;
const MESSAGES_EACH = 150;
/** No list and no byte string of a message may be so long. */
const OVERSIZE = 70_000;

/** One good message of each type. */
function examples(replica: LoneReplica): readonly PbftMessage[] {
	const batch = replica.batch(replica.request(1));
	const digest = replica.digestOf(batch);
	const proof = replica.prepared(1, digest);
	const stable = replica.stable(4, digest);
	const changes = [n1, n3, n4].map((id) => [id, replica.viewChange(id, 1, [proof], stable)] as const);
	const viewChange = must(changes[0], "there is one")[1];
	const configuration = { epoch: stable.epoch, members, faults: 1 };
	const nextEpoch = (stable.epoch + 1) as typeof stable.epoch;
	const state = {
		...{ sequence: at(4), configuration, chain: digest, choice: new Uint8Array(0) },
		pending: { configuration: { ...configuration, epoch: nextEpoch }, effectiveAfter: at(8) },
		history: [configuration],
		clients: [{ client: n1, timestamps: [1, 2] }],
		...{ root: digest, sizeBytes: 10, partBytes: 64 },
	};
	const header = { ...state, clients: digest };
	const prePrepare = replica.prePrepare(1, batch);
	const { batch: _batch, ...shown } = prePrepare;
	return [
		prePrepare,
		replica.prepare(n3, 1, digest),
		replica.commit(n3, 1, digest),
		replica.checkpoint(n3, 4, digest),
		viewChange,
		replica.newView(5, changes, [[1, digest]]),
		{ type: "forward", requests: [replica.request(2), replica.authenticated(3, [n2])] },
		{ type: "unverifiable", client: n1 },
		{ type: "fetch-proposal", view: inView(0), sequence: at(1) },
		{ ...shown, type: "proposal-shown" },
		{ type: "fetch-batch", sequence: at(1), digest },
		{ type: "batch", sequence: at(1), batch },
		{ type: "fetch-view-change", view: inView(1), sender: n3, digest },
		{ type: "view-change-body", sender: n1, viewChange },
		{
			type: "status",
			configurationEpoch: stable.epoch,
			view: inView(0),
			isActive: true,
			low: at(0),
			executed: at(0),
			chain: digest,
		},
		{ type: "decision", certificate: replica.certificate(1, digest), batch },
		{ type: "fetch-decisions", from: at(1), to: at(4) },
		{ type: "stable-checkpoint", certificate: stable, state, epochs: [{ certificate: stable, header }] },
		{ type: "fetch-part", sequence: at(4), index: 0 },
		{ type: "state-part", sequence: at(4), index: 0, data: new Uint8Array(10), path: [digest] },
	];
}

type Path = readonly (string | number)[];

/** The places in a value, its own included, byte strings not looked into. */
function pathsOf(value: unknown, path: Path = []): readonly Path[] {
	if (typeof value !== "object" || value === null || value instanceof Uint8Array) return [path];
	return [path, ...Object.entries(value).flatMap(([name, inner]) => pathsOf(inner, [...path, name]))];
}

function valueAt(value: unknown, path: Path): unknown {
	return path.reduce((inner: unknown, name) => (inner as Readonly<Record<string, unknown>>)[name], value);
}

/** The same with another value in one place; `undefined` leaves the field out. */
function replaced(value: unknown, [name, ...rest]: Path, by: unknown): unknown {
	if (name === undefined) return by;
	const copy: Record<string, unknown> = Array.isArray(value)
		? ([...value] as unknown as Record<string, unknown>)
		: { ...(value as object) };
	const inner = replaced(copy[name], rest, by);
	if (inner === undefined && !Array.isArray(copy)) delete copy[name];
	else copy[name] = inner;
	return copy;
}

/** Of another kind than anything in a message, or beyond its bound. */
const wrongKinds: readonly unknown[] = [
	undefined,
	true,
	-1,
	0.5,
	Number.NaN,
	2 ** 60,
	"",
	"__proto__",
	[],
	{},
	() => 0,
].concat([new Uint8Array(OVERSIZE * 64), Array.from({ length: OVERSIZE }, () => 0)]);

function damaged(message: PbftMessage, others: readonly PbftMessage[], dice: Generator): unknown {
	const path = dice.pick(pathsOf(message));
	const old = valueAt(message, path);
	switch (dice.below(5)) {
		case 0:
			return replaced(message, path, dice.pick([...wrongKinds, null]));
		case 1:
			return replaced(message, path, typeof old === "number" ? old + dice.pick([-1, 1]) : null);
		case 2: {
			const other = dice.pick(others);
			return replaced(message, path, valueAt(other, dice.pick(pathsOf(other))));
		}
		case 3:
			if (old instanceof Uint8Array && old.length > 0) {
				const place = dice.below(old.length);
				return replaced(
					message,
					path,
					old.map((byte, i) => (i === place ? byte ^ (1 << dice.below(8)) : byte)),
				);
			}
			return replaced(message, path, Array.isArray(old) ? [...old, ...old, ...old] : undefined);
		default:
			return replaced(message, path, undefined);
	}
}

/** Whether a member or client is named here. */
function isName(path: Path): boolean {
	const [parent, last] = [path.at(-2), path.at(-1)];
	return ["client", "member", "sender"].includes(String(last)) || parent === "members";
}

/** Throws when a member says something else in a slot and view than it has said. */
class OneVoice {
	readonly #said = new Map<string, string>();

	hear(replica: LoneReplica): void {
		for (const type of ["prepare", "commit", "pre-prepare"] as const) {
			for (const { view, sequence, digest } of replica.said(type)) {
				const place = `${view}.${sequence}`;
				const value = Buffer.from(digest).toString("hex");
				expect(this.#said.get(place) ?? value, place).toBe(value);
				this.#said.set(place, value);
			}
		}
	}
}

describe("what a peer may send", () => {
	it("there is a good example of each type, and each is taken for a message", () => {
		const replica = new LoneReplica();
		const shapes = new MessageShapes(replica.config);
		const types = examples(replica).map((message) => {
			expect(shapes.isMessage(message), message.type).toBe(true);
			return message.type;
		});
		expect(new Set(types).size).toBe(20);
	});

	it("a message whose fields are of another kind is refused before it costs anything", () => {
		const replica = new LoneReplica();
		const shapes = new MessageShapes(replica.config);
		for (const message of examples(replica)) {
			for (const path of pathsOf(message)) {
				const old = valueAt(message, path);
				for (const wrong of wrongKinds) {
					// A list may be empty, and a truth value another.
					if (Array.isArray(old) && Array.isArray(wrong) && wrong.length === 0) continue;
					if (typeof old === "boolean" && typeof wrong === "boolean") continue;
					// As a name it is one like any other: names are keys of maps, and of nothing else.
					if (wrong === "__proto__" && isName(path)) continue;
					const place = `${message.type} ${path.join(".")} as ${typeof wrong}`;
					expect(shapes.isMessage(replaced(message, path, wrong)), place).toBe(false);
				}
			}
		}
	});

	it("no message that was damaged at random makes a member throw, or speak for it", () => {
		const dice = new Generator(SEED, "fuzz");
		for (let i = 0; i < REPLICAS; i++) {
			const replica = new LoneReplica(dice.pick([n1, n2]), { futureMax: 4, offencesMax: 1_000 });
			const voice = new OneVoice();
			const good = examples(replica);
			for (let j = 0; j < MESSAGES_EACH; j++) {
				const from: NodeId = dice.pick(members);
				const message = dice.chance(0.2) ? dice.pick(good) : damaged(dice.pick(good), good, dice);
				voice.hear(replica.hear(from, message));
				if (dice.chance(0.05)) voice.hear(replica.fire(dice.pick(["status", "request", "view-change", "transfer"])));
			}
			expect(replica.machine.status.isHalted, `replica ${i}`).toBe(false);
		}
	});

	it("nor do bytes of a lane that were damaged: they are no message, or one that is judged like any other", () => {
		const dice = new Generator(SEED, "bytes");
		const codec = new MessageCodec({ layouts: [pbftLayouts], records: [] });
		const replica = new LoneReplica(n2, { futureMax: 4, offencesMax: 1_000 });
		const voice = new OneVoice();
		let decoded = 0;
		for (const message of examples(replica)) {
			const bound = codec.prepare(message, codec.protocol("pbft"));
			const bytes = new Uint8Array(new ArrayBuffer(bound));
			const end = codec.write(bytes, new DataView(bytes.buffer), 0);
			for (let i = 0; i < 60; i++) {
				const spoilt = Buffer.from(bytes.subarray(0, dice.chance(0.2) ? dice.below(end + 1) : end));
				for (let flips = dice.below(4); flips > 0 && spoilt.length > 0; flips--) {
					const place = dice.below(spoilt.length);
					spoilt[place] = dice.below(256);
				}
				let heard: unknown;
				try {
					heard = codec.decode(codec.schema, spoilt, 0, spoilt.length);
				} catch (error) {
					expect(error).toBeInstanceOf(QuorateError);
					continue;
				}
				decoded++;
				voice.hear(replica.hear(dice.pick([n1, n3, n4]), heard));
			}
		}
		expect(decoded).toBeGreaterThan(100);
	});
});
