/** Attacks on sealed channels between two participants, by somebody who sees, keeps and changes everything that passes. */
import { type NodeId, nodeId } from "../../protocols/core/index.ts";
import {
	answerChannel,
	generateIdentity,
	initiateChannel,
	KeyRing,
	NodeCryptoPort,
	type SealedChannel,
} from "../../runtime/crypto/index.ts";
import { Attempts, isRefused } from "./attempt.ts";
import type { Scenario, ScenarioContext, Tally } from "./contract.ts";

const MESSAGES = 64;
/** Keys change during the attack. */
const REKEY_MESSAGES = 16;

/** Two participants that know each other's keys, and one whose key is known and who is somebody else. */
class Link {
	readonly #ports: ReadonlyMap<NodeId, NodeCryptoPort>;
	readonly alice = nodeId("alice");
	readonly bob = nodeId("bob");
	readonly mallory = nodeId("mallory");

	constructor() {
		const all = [this.alice, this.bob, this.mallory].map(generateIdentity);
		this.#ports = new Map(
			all.map((own) => {
				const ring = new KeyRing("pentest", own);
				for (const other of all) if (other !== own) ring.enrol(other.public);
				return [own.public.id, new NodeCryptoPort(ring)];
			}),
		);
	}

	party(self: NodeId, peer: NodeId, cluster = "pentest") {
		return { self, peer, cluster, crypto: this.#ports.get(self) as NodeCryptoPort, rekeyMessages: REKEY_MESSAGES };
	}

	open(): { readonly sender: SealedChannel; readonly receiver: SealedChannel } {
		const initiated = initiateChannel(this.party(this.alice, this.bob));
		const answered = answerChannel(this.party(this.bob, this.alice), initiated.hello);
		const { confirm, channel } = initiated.complete(answered.answer);
		return { sender: channel, receiver: answered.complete(confirm) };
	}
}

function result(trials: number, attempts: Attempts, mitigation: string): Tally {
	const { attacks, detected, innocents, accused, damage } = attempts;
	const figures = { trials, attacks, detected, innocents, accused };
	const [isSafe, hasProgress] = [damage.length === 0, accused === 0];
	return { ...figures, latenciesMs: [], isSafe, hasProgress, damage, mitigation, beyond: null };
}

/** Every frame passes once, a little out of order, and then again and again. */
function replay({ trials }: ScenarioContext): Tally {
	const attempts = new Attempts();
	for (let trial = 0; trial < trials; trial++) {
		const { sender, receiver } = new Link().open();
		const frames = Array.from({ length: MESSAGES }, (_, at) => sender.seal(Uint8Array.of(at)));
		for (let at = 0; at < MESSAGES; at += 2) {
			for (const place of [at + 1, at]) attempts.honest(isRefused(() => receiver.open(frames[place] as Uint8Array)));
			attempts.attack(
				"a frame was taken twice",
				isRefused(() => receiver.open(frames[at] as Uint8Array)),
			);
		}
		for (const frame of frames)
			attempts.attack(
				"an old frame was taken",
				isRefused(() => receiver.open(frame)),
			);
		const later = new Link().open();
		for (const frame of frames)
			attempts.attack(
				"a frame of another session was taken",
				isRefused(() => later.receiver.open(frame)),
			);
		for (const frame of frames)
			attempts.attack(
				"a frame was reflected to its sender",
				isRefused(() => sender.open(frame)),
			);
	}
	return result(trials, attempts, `${attempts.detected} of ${attempts.attacks} repeated frames refused`);
}

/** Each frame is first changed in one place, then delivered as it was: a forgery must not keep the true one out. */
function tamper({ trials }: ScenarioContext): Tally {
	const attempts = new Attempts();
	for (let trial = 0; trial < trials; trial++) {
		const { sender, receiver } = new Link().open();
		for (let at = 0; at < MESSAGES; at++) {
			const frame = sender.seal(new Uint8Array(24).fill(at));
			const flipped = frame.map((byte, place) => (place === at % frame.length ? byte ^ (1 << (at % 8)) : byte));
			attempts.attack(
				"a changed frame was taken",
				isRefused(() => receiver.open(flipped)),
			);
			attempts.attack(
				"a shortened frame was taken",
				isRefused(() => receiver.open(frame.subarray(0, at % frame.length))),
			);
			attempts.attack(
				"a prolonged frame was taken",
				isRefused(() => receiver.open(Buffer.concat([frame, frame]))),
			);
			attempts.honest(isRefused(() => receiver.open(frame)));
		}
	}
	return result(
		trials,
		attempts,
		`${attempts.detected} of ${attempts.attacks} changed frames refused, the true ones taken after`,
	);
}

/** Somebody in the middle of a handshake puts its own keys in, or speaks for another with its own good signature. */
function intercept({ trials }: ScenarioContext): Tally {
	const attempts = new Attempts();
	for (let trial = 0; trial < trials; trial++) {
		const link = new Link();
		const { alice, bob, mallory } = link;
		attempts.honest(isRefused(() => link.open()));
		const victim = initiateChannel(link.party(alice, bob));
		const own = answerChannel(link.party(mallory, alice), victim.hello);
		attempts.attack(
			"mallory answered for bob",
			isRefused(() => victim.complete(own.answer)),
		);
		const honest = answerChannel(link.party(bob, alice), victim.hello);
		const swapped = { ...honest.answer, ephemeral: own.answer.ephemeral };
		attempts.attack(
			"a key was exchanged under bob's signature",
			isRefused(() => victim.complete(swapped)),
		);
		const third = initiateChannel(link.party(mallory, bob));
		const misled = answerChannel(link.party(bob, alice), third.hello);
		const said = third.complete(answerChannel(link.party(bob, mallory), third.hello).answer);
		attempts.attack(
			"mallory confirmed for alice",
			isRefused(() => misled.complete(said.confirm)),
		);
		const elsewhere = answerChannel(link.party(bob, alice, "another-group"), victim.hello);
		attempts.attack(
			"another group's handshake passed",
			isRefused(() => victim.complete(elsewhere.answer)),
		);
		const weak = { ephemeral: new Uint8Array(32) };
		attempts.attack(
			"a key of low order was taken",
			isRefused(() => answerChannel(link.party(bob, alice), weak)),
		);
	}
	return result(trials, attempts, `${attempts.detected} of ${attempts.attacks} handshakes refused`);
}

const channel = {
	kind: "security",
	mode: null,
	means: "refusal",
	floors: { detection: 1, falsePositives: 0 },
} as const;

export const channelScenarios: readonly Scenario[] = [
	{
		...channel,
		name: "channel-replay",
		description:
			"Delivers frames of sealed channels again: at once, late, to other sessions, and back to their sender.",
		run: replay,
	},
	{
		...channel,
		name: "channel-tamper",
		description: "Changes, shortens and prolongs frames of sealed channels.",
		run: tamper,
	},
	{
		...channel,
		name: "channel-intercept",
		description:
			"Stands between two participants and takes part in their handshake under a name or with a key that is not its own.",
		run: intercept,
	},
];
