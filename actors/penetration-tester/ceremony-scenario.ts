/** Members that lie while a key is made: whole ceremonies on virtual time, with honest machines and a network that the liars own. */
import { type Effect, Generator, type Input, type NodeId, nodeId } from "../../protocols/core/index.ts";
import {
	type CeremonyConfig,
	type CeremonyEvent,
	type CeremonyMachine,
	type CeremonyMessage,
	type CeremonyTypes,
	joinCeremony,
	type Post,
	type PostBody,
	planCeremony,
	signedBytes,
} from "../../protocols/security/index.ts";
import { IdealAuthority } from "../../protocols/verification/index.ts";
import { PairwiseBox } from "../../runtime/crypto/index.ts";
import { Agenda } from "./agenda.ts";
import type { Scenario, ScenarioContext, Tally } from "./contract.ts";
import { maxFaults } from "./group-size.ts";
import { hashingPort } from "./hashing-port.ts";

type End = Extract<CeremonyEvent, { type: "ceremony-completed" | "ceremony-failed" }>;

/** What a liar does to what its machine says. It has its own signing key, and no other. */
interface Lie {
	readonly name: string;
	/** What is sent in the place of a message; null for nothing. */
	readonly twist: (message: CeremonyMessage, to: NodeId, means: LieMeans) => CeremonyMessage | null;
}
interface LieMeans {
	readonly self: NodeId;
	/** Everybody else, in order. */
	readonly others: readonly NodeId[];
	/** The same post with another body, and the liar's good signature. */
	resigned(body: PostBody): Post;
}

const isOwn = (message: CeremonyMessage, self: NodeId): message is Post =>
	message.type === "post" && message.author === self;
const spoilt = (bytes: Uint8Array): Uint8Array => bytes.map((byte, at) => (at === 0 ? byte ^ 1 : byte));

const lies: readonly Lie[] = [
	{
		name: "wrong-share",
		twist: (message, to, { others }) =>
			message.type === "sealed-share" && to === others[0] ? { ...message, sealed: spoilt(message.sealed) } : message,
	},
	{
		name: "no-justification",
		twist: (message, to, { self, others }) => {
			if (isOwn(message, self) && message.body.type === "justification") return null;
			return message.type === "sealed-share" && to === others[0] ? null : message;
		},
	},
	{
		name: "bad-proof",
		twist: (message, _to, { self, resigned }) =>
			isOwn(message, self) && message.body.type === "introduction"
				? resigned({ ...message.body, proof: spoilt(message.body.proof) })
				: message,
	},
	{
		name: "two-introductions",
		twist: (message, to, { self, others, resigned }) =>
			isOwn(message, self) && message.body.type === "introduction" && others.indexOf(to) % 2 === 1
				? resigned({ ...message.body, channelKey: spoilt(message.body.channelKey) })
				: message,
	},
	{
		name: "bad-signature",
		twist: (message, _to, { self }) =>
			isOwn(message, self) ? { ...message, signature: spoilt(message.signature) } : message,
	},
	{ name: "silent", twist: () => null },
];

interface CeremonyResult {
	readonly ends: ReadonlyMap<NodeId, End>;
	readonly deviations: number;
}

function hold(seed: number, nodes: number, lie: Lie | null, liars: ReadonlySet<NodeId>): CeremonyResult {
	const members = Array.from({ length: nodes }, (_, at) => nodeId(`node-${at + 1}`));
	const authority = new IdealAuthority(seed, members);
	const config: CeremonyConfig = {
		ceremony: `pentest-${seed}`,
		members,
		threshold: nodes - maxFaults(nodes),
		phaseMs: 1_000,
		resendMs: 400,
	};
	const plan = planCeremony(config);
	const dice = new Generator(seed, "ceremony");
	const agenda = new Agenda();
	const machines = new Map<NodeId, CeremonyMachine>();
	const ends = new Map<NodeId, End>();
	const timers = new Map<string, number>();
	let deviations = 0;
	const ceremony = hashingPort(authority, members[0] as NodeId).digest(plan.terms);
	const step = (node: NodeId, input: Input<CeremonyTypes>): void => {
		const effects: Effect<CeremonyTypes>[] = [];
		machines.get(node)?.step(input, agenda.nowMs, effects);
		for (const effect of effects) perform(node, effect);
	};
	const perform = (node: NodeId, effect: Effect<CeremonyTypes>): void => {
		if (effect.type === "send") send(node, effect.to, effect.message);
		else if (
			effect.type === "emit" &&
			(effect.event.type === "ceremony-completed" || effect.event.type === "ceremony-failed")
		)
			ends.set(node, effect.event);
		else if (effect.type === "cancel-timer") timers.delete(`${node}/${effect.timer}`);
		else if (effect.type === "set-timer") {
			const { timer, afterMs } = effect;
			const id = dice.below(2 ** 31);
			timers.set(`${node}/${timer}`, id);
			agenda.after(afterMs.max, () => {
				if (timers.get(`${node}/${timer}`) !== id) return;
				timers.delete(`${node}/${timer}`);
				step(node, { type: "timer", timer });
			});
		}
	};
	const send = (from: NodeId, to: NodeId, message: CeremonyMessage): void => {
		const resigned = (body: PostBody): Post => {
			const signature = hashingPort(authority, from).sign(signedBytes(ceremony, from, body));
			return { type: "post", author: from, body, signature };
		};
		const others = members.filter((member) => member !== from);
		const said = lie !== null && liars.has(from) ? lie.twist(message, to, { self: from, others, resigned }) : message;
		if (said !== message) deviations += 1;
		if (said !== null) agenda.after(dice.between(1, 5), () => step(to, { type: "message", from, message: said }));
	};
	for (const node of members) {
		const entropy = Uint8Array.from({ length: 64 }, () => dice.below(256));
		machines.set(node, joinCeremony(node, plan, hashingPort(authority, node), new PairwiseBox(), { entropy }));
	}
	for (const node of members) step(node, { type: "start", durable: null });
	const honest = members.filter((node) => !liars.has(node));
	agenda.runUntil(() => honest.every((node) => ends.has(node)), 60_000);
	return { ends, deviations };
}

/** What the ends of the honest say of one run. */
function judged(nodes: number, { ends }: CeremonyResult, liars: ReadonlySet<NodeId>) {
	const members = Array.from({ length: nodes }, (_, at) => nodeId(`node-${at + 1}`));
	const honest = members.filter((node) => !liars.has(node));
	const namedBy = honest.map((node) => new Set(ends.get(node)?.faults.map((fault) => fault.node)));
	const keys = honest.flatMap((node) => {
		const end = ends.get(node);
		return end?.type === "ceremony-completed" ? [Buffer.from(end.key.publicKey).toString("hex")] : [];
	});
	return {
		found: [...liars].filter((liar) => namedBy.every((named) => named.has(liar))).length,
		honest: honest.length,
		accused: honest.filter((node) => namedBy.some((named) => named.has(node))).length,
		hasEnded: honest.every((node) => ends.has(node)),
		// The same key for all of the honest, or none for anybody.
		isAgreed: keys.length === 0 || (keys.length === honest.length && new Set(keys).size === 1),
		hasKey: keys.length === honest.length,
	};
}

function tally({ seed, nodes, interrupt }: ScenarioContext): Tally {
	const liars = new Set(Array.from({ length: maxFaults(nodes) }, (_, at) => nodeId(`node-${at + 1}`)));
	let [attacks, detected, innocents, accused, made, runs] = [0, 0, 0, 0, 0, 0];
	const damage: string[] = [];
	let hasProgress = true;
	for (const lie of [...lies, null]) {
		if (interrupt.aborted) break;
		const present = lie === null ? new Set<NodeId>() : liars;
		const result = hold(seed + runs, nodes, lie, present);
		const { found, honest, accused: wrongly, hasEnded, isAgreed, hasKey } = judged(nodes, result, present);
		runs += 1;
		if (result.deviations > 0) {
			// A share that is wrong is justified in the open, if its dealer has a right one: then it has done no harm, and is not named.
			const isJustified = lie?.name === "wrong-share" && hasKey;
			attacks += present.size;
			detected += isJustified ? present.size : found;
		}
		innocents += honest;
		accused += wrongly;
		if (hasKey) made += 1;
		if (!isAgreed) damage.push(`the honest have different keys after ${lie?.name}`);
		if (!hasEnded || (lie === null && !hasKey)) hasProgress = false;
	}
	return {
		trials: runs,
		attacks,
		detected,
		innocents,
		accused,
		latenciesMs: [],
		isSafe: damage.length === 0,
		hasProgress,
		damage,
		mitigation: `${made} of ${runs} ceremonies made a key without the liars, the others named them`,
		beyond: null,
	};
}

export const ceremonyScenarios: readonly Scenario[] = [
	{
		name: "key-ceremony",
		kind: "security",
		mode: null,
		description: "f members send wrong or no shares, false proofs, two introductions, or nothing, while a key is made.",
		means: "suspicion",
		floors: { detection: 1, falsePositives: 0 },
		run: tally,
	},
];
