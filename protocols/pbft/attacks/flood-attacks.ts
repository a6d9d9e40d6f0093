/** What a member can do by sending too much, or what is no message at all. */
import { emptyBytes } from "../bytes.ts";
import type { SequenceNumber, ViewNumber } from "../entities.ts";
import type { PbftMessage } from "../messages.ts";
import { type Attack, sayToAll } from "./attack.ts";

/** Messages a batch of a flood. */
const FLOOD = 20;

/** Values that a codec carries and that are no messages of PBFT. */
const malformed: readonly unknown[] = [
	null,
	7,
	"prepare",
	{},
	{ type: "prepare" },
	{ type: "prepare", epoch: 0, view: -1, sequence: 1.5, digest: "x", signature: null },
	{ type: "commit", epoch: 0, view: Number.NaN, sequence: Number.MAX_VALUE, digest: [], signature: {} },
	{ type: "view-change", epoch: 0, view: 1, stable: 7, prepared: {}, signature: new Uint8Array(0) },
	{ type: "new-view", epoch: 0, view: 1, viewChanges: [null], proposals: [1], signature: new Uint8Array(1) },
	{ type: "status", view: 0, isActive: "yes", low: -5, executed: 0, chain: new Uint8Array(9999) },
	{ type: "forward", requests: [{ client: "?", timestamp: 1 }] },
	{ type: "constructor" },
	{ type: "__proto__" },
];

export const floodAttacks: readonly Attack[] = [
	{
		name: "malformed",
		description: "Sends what is no message: wrong types, missing fields, numbers out of every range.",
		sendsNoMessages: true,
		invent: (means) => sayToAll(means, means.dice.pick(malformed) as PbftMessage),
	},
	{
		name: "flood-requests",
		description: "Passes on requests that no client has made, many at once.",
		invent: (means) => {
			const signature = new Uint8Array(64);
			const [client] = means.peers;
			const requests = Array.from({ length: FLOOD }, (_, i) => ({
				client: client as (typeof means.peers)[number],
				timestamp: means.step * FLOOD + i,
				kind: "command" as const,
				operation: Uint8Array.of(i),
				signature,
				macs: emptyBytes,
			}));
			return sayToAll(means, { type: "forward", requests });
		},
	},
	{
		name: "flood-future",
		description: "Votes in views and slots that are not there yet, many at once.",
		invent: (means) => {
			const { epoch } = means.view.configuration;
			const digest = means.crypto.digest(Uint8Array.of(1));
			const votes = Array.from({ length: FLOOD }, (_, i): PbftMessage => {
				const view = (means.view.view + 1 + (i % 5)) as ViewNumber;
				const sequence = (means.view.low + 1 + means.dice.below(1000)) as SequenceNumber;
				return { type: "prepare", epoch, view, sequence, digest, signature: digest };
			});
			return votes.flatMap((vote) => sayToAll(means, vote));
		},
	},
	{
		name: "flood-asks",
		description: "Asks for decisions, bodies, parts and repetitions without end.",
		invent: (means) => {
			// Each answer is a batch of its own: asking after every one would never end.
			if (means.dice.chance(0.8)) return [];
			const one = 1 as SequenceNumber;
			const { view, low, executed, configuration } = means.view;
			const digest = means.crypto.digest(Uint8Array.of(2));
			const place = { view: 0 as ViewNumber, isActive: true, low: one, executed: one, chain: digest };
			const asks: PbftMessage[] = [
				{ type: "status", configurationEpoch: configuration.epoch, ...place },
				{ type: "fetch-decisions", from: one, to: (executed + 1000) as SequenceNumber },
				{ type: "fetch-part", sequence: low, index: 0 },
				{ type: "fetch-batch", sequence: executed, digest },
				{ type: "fetch-view-change", view, sender: means.config.nodeId, digest },
			];
			return asks.flatMap((ask) => sayToAll(means, ask));
		},
	},
];
