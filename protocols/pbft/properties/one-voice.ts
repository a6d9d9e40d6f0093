/** What a correct member says, over all its lives, and what is on its disk when it says so. */
import type { NodeId } from "../../core/index.ts";
import { type Finding, holds, type Property, violated, type Watcher } from "../../verification/index.ts";
import { equalBytes, hexOf } from "../bytes.ts";
import type { Commit, NewView, PbftMessage, PrePrepare, Prepare, ViewChange } from "../messages.ts";
import type { PbftObservation } from "./observation.ts";
import { remember } from "./remember.ts";

type Left = Extract<PbftObservation, { type: "left" }>;

export const oneVoice: Property<PbftObservation> = {
	id: "one-voice",
	kind: "always",
	statement:
		"A correct member speaks for one digest of a slot in a view, and for one state at a checkpoint, whatever it lives through.",
	source: "OSDI'99 §4.2; TOCS §4.6 (what must survive a restart)",
	needs: "disk",
	observes: ["left"],
	watch: () => new OneVoice(new Map()),
};

export const voteInViewOnly: Property<PbftObservation> = {
	id: "no-vote-in-a-view-that-was-left",
	kind: "always",
	statement: "Who has sent a view change for a view sends no first vote in an earlier one.",
	source: "OSDI'99 §4.4 (accepts only checkpoint, view-change and new-view messages)",
	needs: "disk",
	observes: ["left"],
	watch: () => new VoteInViewOnly(new Map(), new Map()),
};

export const durableBeforeSent: Property<PbftObservation> = {
	id: "durable-before-sent",
	kind: "always",
	statement: "What a member accepts, prepares or leaves is on its disk before anyone hears of it.",
	source: 'TOCS §4.6; contract, "durable before sent"',
	needs: "disk",
	observes: ["left"],
	watch: () => ({ observe: onLeft(checkDurable), state: null, copy: () => durableBeforeSent.watch() }),
};

class OneVoice implements Watcher<PbftObservation> {
	readonly #said: Map<string, string>;

	constructor(said: Map<string, string>) {
		this.#said = said;
	}

	observe(observation: PbftObservation): Finding | null {
		if (observation.type !== "left") return null;
		const { from, message } = observation;
		const place = placeOf(message);
		if (place === null) return null;
		const key = `${from} ${place.key}`;
		const known = this.#said.get(key);
		if (known !== undefined && known !== place.value) {
			return violated({ from, place: place.key, value: place.value, other: known });
		}
		remember(this.#said, key, place.value);
		return holds;
	}

	get state(): unknown {
		return this.#said;
	}

	copy(): OneVoice {
		return new OneVoice(new Map(this.#said));
	}
}

function placeOf(message: PbftMessage): { readonly key: string; readonly value: string } | null {
	switch (message.type) {
		case "pre-prepare":
		case "prepare":
		case "commit":
			return { key: `slot ${message.epoch}.${message.view}.${message.sequence}`, value: hexOf(message.digest) };
		case "checkpoint":
			return { key: `checkpoint ${message.sequence}`, value: hexOf(message.digest) };
		case "view-change":
			return { key: `${message.type} ${message.epoch}.${message.view}`, value: wordOf(message) };
		case "new-view":
			return { key: `${message.type} ${message.epoch}.${message.view}`, value: openingOf(message) };
		default:
			return null;
	}
}

/** A signature stands for what it is under; authenticators are made anew when keys are. */
function wordOf({ signature, prepared, claims }: ViewChange): string {
	if (claims === undefined) return hexOf(signature);
	const said = [...prepared, ...claims.prePrepared].map(
		(claim) => `${claim.view}.${claim.sequence}.${hexOf(claim.digest)}`,
	);
	return [...claims.checkpoints.map(({ sequence, digest }) => `${sequence}.${hexOf(digest)}`), ...said].join(" ");
}

function openingOf({ viewChanges, proposals }: NewView): string {
	const said = [...viewChanges, ...proposals].map(({ digest }) => hexOf(digest));
	return [...viewChanges.map(({ sender }) => sender), ...said].join(" ");
}

class VoteInViewOnly implements Watcher<PbftObservation> {
	/** The view of each epoch that each member wants last, by `node epoch`. */
	readonly #wanted: Map<string, number>;
	/** Votes that have left already: they may be repeated. */
	readonly #given: Map<string, boolean>;

	constructor(wanted: Map<string, number>, given: Map<string, boolean>) {
		this.#wanted = wanted;
		this.#given = given;
	}

	observe(observation: PbftObservation): Finding | null {
		if (observation.type !== "left") return null;
		const { from, message } = observation;
		if (message.type === "view-change") {
			const key = `${from} ${message.epoch}`;
			remember(this.#wanted, key, Math.max(message.view, this.#wanted.get(key) ?? 0));
			return null;
		}
		if (message.type !== "prepare" && message.type !== "commit") return null;
		const vote = `${from} ${message.type} ${message.epoch}.${message.view}.${message.sequence}`;
		const wanted = this.#wanted.get(`${from} ${message.epoch}`) ?? 0;
		if (message.view < wanted && !this.#given.has(vote)) return violated({ from, vote, wanted });
		remember(this.#given, vote, true);
		return holds;
	}

	get state(): unknown {
		return { wanted: this.#wanted, given: this.#given };
	}

	copy(): VoteInViewOnly {
		return new VoteInViewOnly(new Map(this.#wanted), new Map(this.#given));
	}
}

function onLeft(check: (left: Left) => Finding | null): (observation: PbftObservation) => Finding | null {
	return (observation) => (observation.type === "left" ? check(observation) : null);
}

function checkDurable({ from, message, durable }: Left): Finding | null {
	switch (message.type) {
		case "pre-prepare":
		case "prepare":
		case "commit":
			return checkVote(from, message, durable);
		case "view-change":
			return checkViewChange(from, message, durable);
		default:
			return null;
	}
}

function checkVote(from: NodeId, message: PrePrepare | Prepare | Commit, durable: Left["durable"]): Finding | null {
	const { type, view, sequence, digest } = message;
	// Below the base the slot is decided, and whoever the vote reaches has no use for it.
	if (sequence <= (durable.base?.certificate.sequence ?? 0)) return null;
	const isOnDisk = durable.records.some((record) => {
		if (record.sequence !== sequence) return false;
		if (type === "commit") {
			return record.type === "prepared" && record.proof.view === view && equalBytes(record.proof.digest, digest);
		}
		return record.type === "accepted" && record.view === view && equalBytes(record.digest, digest);
	});
	return isOnDisk ? holds : violated({ from, message: type, view, sequence });
}

function checkViewChange(from: NodeId, message: ViewChange, durable: Left["durable"]): Finding | null {
	const { epoch, view } = message;
	const { view: durableView, viewChange } = durable.view;
	// Each epoch has its own views.
	if ((durable.base?.state.configuration.epoch ?? epoch) > epoch) return holds;
	if (durableView > view) return null;
	const isOnDisk = durableView === view && (viewChange === null || wordOf(viewChange) === wordOf(message));
	return isOnDisk ? holds : violated({ from, message: "view-change", view, durableView });
}
