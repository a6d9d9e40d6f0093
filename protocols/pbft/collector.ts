/**
 * Certificates by a collector (after SBFT, DSN 2019): votes go to the primary, which sends everyone a quorum's in one message. A slot costs
 * each backup two votes and the primary three broadcasts: 5(n − 1) messages instead of some 2n², and each phase two delays instead of one.
 *
 * What is in a certificate: the signers as one number (a bit for each member) and the Ed25519 signatures of a quorum, side by side. The
 * number of messages is linear, the number of a certificate's bytes is not constant: 64 bytes for each of ⌈(n + f + 1) / 2⌉ signers, and
 * everyone checks each signature, as with all-to-all votes. Why not one threshold signature: (1) a share says who gave it to who combined it
 * alone, so a certificate would name nobody, and two that contradict each other could convict nobody, while here each signature is its
 * signer's own word, and certificates, view changes and evidence are the same as without a collector; (2) FROST (RFC 9591), which this
 * project has, fixes the signers before they sign and needs nonces that are random, used once and never copied, while a machine here
 * is deterministic, restarts from its disk and is copied; (3) a signature on ristretto255 costs some 50 times an Ed25519 one of
 * `node:crypto`. Beyond the 31 members that a group may have it would be otherwise.
 *
 * Nothing rests on the collector but time. Votes that come from their senders always count too, so a member for which no certificate comes
 * in `collectorTimeoutMs` sends its votes to everyone, and goes on to do so until the next view; repetitions (`repeats.ts`) go from
 * everyone to everyone in any case.
 */
import type { NodeId } from "../core/index.ts";
import { verifyCertificate, verifyPrepares } from "./certificates.ts";
import { broadcast, cancelTimer, judgeOf, type PbftCore, type Slot, send, setTimer, suspect } from "./core.ts";
import { type CommitCertificate, type PreparedProof, primaryOf, type Vote } from "./entities.ts";
import type { Commit, Prepare, VoteCertificate } from "./messages.ts";

function isCollecting(core: PbftCore): boolean {
	return core.config.certificates === "collector" && primaryOf(core.configuration, core.view) === core.config.nodeId;
}

/** Whether votes of this view go to its collector alone. */
function isCollected(core: PbftCore): boolean {
	return core.config.certificates === "collector" && !core.isCollectorSlow;
}

/** Sends this member's vote to those who count it. */
export function castVote(core: PbftCore, vote: Prepare | Commit): void {
	if (!isCollected(core)) {
		broadcast(core, vote);
		return;
	}
	timeCollector(core);
	if (!isCollecting(core)) send(core, primaryOf(core.configuration, core.view), vote);
}

/** Runs while a slot waits for its certificate. */
function timeCollector(core: PbftCore): void {
	if (core.isCollectorTimerSet) return;
	core.isCollectorTimerSet = true;
	setTimer(core, "collector", core.config.collectorTimeoutMs);
}

/** No certificate came: what this member has voted for and is not decided goes to everyone, and so does all of the rest of this view. */
export function handleCollectorTimer(core: PbftCore): void {
	core.isCollectorTimerSet = false;
	if (!core.isActive || core.isCollectorSlow) return;
	const open = [...core.slots.values()].filter(({ decision, accepted }) => decision === null && accepted !== null);
	// Slots that were opened since the timer was set have the rest of their time.
	const isLate = open.some(({ sequence }) => sequence <= core.collectedThrough);
	core.collectedThrough = Math.max(core.collectedThrough, ...open.map(({ sequence }) => sequence));
	if (!isLate) {
		if (open.length > 0) timeCollector(core);
		return;
	}
	core.isCollectorSlow = true;
	if (!isCollecting(core)) suspect(core, primaryOf(core.configuration, core.view), "slow-collector");
	for (const slot of open) voteOpenly(core, slot);
}

function voteOpenly(core: PbftCore, { sequence, accepted, prepares, commits }: Slot): void {
	if (accepted === null) return;
	const { epoch } = core.configuration;
	const { view, digest } = accepted;
	const kept = [
		["prepare", prepares.get(core.config.nodeId)],
		["commit", commits.get(core.config.nodeId)],
	] as const;
	for (const [type, vote] of kept) {
		if (vote !== undefined) broadcast(core, { type, epoch, view, sequence, digest, signature: vote.signature });
	}
}

/** Another view has another collector. */
export function forgetCollector(core: PbftCore): void {
	core.isCollectorSlow = false;
	core.collectedThrough = 0;
	if (core.isCollectorTimerSet) cancelTimer(core, "collector");
	core.isCollectorTimerSet = false;
}

/** The collector has a slot prepared: everyone shall. */
export function sharePrepares(core: PbftCore, { sequence }: Slot, { view, digest, prepares }: PreparedProof): void {
	if (!isCollecting(core)) return;
	const { epoch } = core.configuration;
	broadcast(core, certificateOf(core, { phase: "prepare", epoch, view, sequence, digest }, prepares));
}

/** The collector has a decision: everyone shall. */
export function shareCommits(core: PbftCore, { epoch, view, sequence, digest, commits }: CommitCertificate): void {
	if (!isCollecting(core)) return;
	broadcast(core, certificateOf(core, { phase: "commit", epoch, view, sequence, digest }, commits));
}

function certificateOf(
	core: PbftCore,
	about: Pick<VoteCertificate, "phase" | "epoch" | "view" | "sequence" | "digest">,
	votes: readonly Vote[],
): VoteCertificate {
	let signers = 0;
	const signatures: Uint8Array[] = [];
	for (const [i, member] of core.configuration.members.entries()) {
		const vote = votes.find(({ sender }) => sender === member);
		if (vote === undefined) continue;
		signers += 2 ** i;
		signatures.push(vote.signature);
	}
	return { type: "vote-certificate", ...about, signers, signatures };
}

/** The votes of a certificate that holds; null if it does not. */
export function verifyVoteCertificate(core: PbftCore, message: VoteCertificate): readonly Vote[] | null {
	const { epoch, view, sequence, digest } = message;
	const votes = votesOf(core.configuration.members, message);
	if (votes === null) return null;
	const context = { ...judgeOf(core), configuration: core.configuration };
	if (message.phase === "commit") {
		return verifyCertificate({ epoch, view, sequence, digest, commits: votes }, context) === null ? votes : null;
	}
	// The pre-prepare is checked on its own, when it comes.
	return verifyPrepares({ view, sequence, digest, prepares: votes }, context) === null ? votes : null;
}

/** Null if signers and signatures do not belong together. */
function votesOf(members: readonly NodeId[], { signers, signatures }: VoteCertificate): readonly Vote[] | null {
	if (signers >= 2 ** members.length) return null;
	const signing = members.filter((_, i) => Math.floor(signers / 2 ** i) % 2 === 1);
	if (signing.length !== signatures.length) return null;
	return signing.map((sender, i) => ({ sender, signature: signatures[i] as Uint8Array }));
}
