/**
 * What one round shows of its members: how late each answered, who answered otherwise than was decided, what they have signed, who was
 * convicted. It only looks; the detectors judge.
 */
import { assert, type NodeId } from "../../protocols/core/index.ts";
import { type DecisionProof, type Evidence, statementBytes } from "../../protocols/pbft/index.ts";
import type { SignedStatement } from "../../protocols/security/index.ts";
import type { Conviction, ObservedAnswer } from "../byzantine-coordinator/index.ts";
import type { ObservedRound, SecurityMonitor } from "../security-manager/index.ts";

/** Answers of requests that have not ended; the oldest goes first. */
const ANSWERS_KEPT = 4_096;

/** Gathers over the rounds of one wrapper. Rounds may overlap. */
export class RoundWatch {
	readonly #faults: number;
	/** Delays since the last round that was looked at. */
	#delaysMs = new Map<NodeId, number>();
	#answers: ObservedAnswer[] = [];

	constructor(faults: number) {
		this.#faults = faults;
	}

	answered(answer: ObservedAnswer): void {
		this.#answers.push(answer);
		if (this.#answers.length > ANSWERS_KEPT) this.#answers.shift();
		const { member, delayMs } = answer;
		this.#delaysMs.set(member, Math.max(delayMs, this.#delaysMs.get(member) ?? 0));
	}

	/** What is known at the end of the round that has brought `proof`; null for one that has brought nothing. */
	roundOf(proof: DecisionProof | null): ObservedRound {
		const delaysMs = this.#delaysMs;
		this.#delaysMs = new Map();
		if (proof === null) return { statements: [], delaysMs };
		const { timestamp } = proof.request;
		const answers = this.#answers.filter((answer) => answer.timestamp === timestamp);
		this.#answers = this.#answers.filter((answer) => answer.timestamp > timestamp);
		return { statements: statementsOf(proof), delaysMs, misvoters: this.#misvoters(answers) };
	}

	/** Members whose answer is not the one that f + 1 of them gave. */
	#misvoters(answers: readonly ObservedAnswer[]): readonly NodeId[] {
		const nameOf = ({ sequence, data }: ObservedAnswer): string => `${sequence}:${Buffer.from(data).toString("hex")}`;
		const counts = new Map<string, number>();
		for (const answer of answers) counts.set(nameOf(answer), (counts.get(nameOf(answer)) ?? 0) + 1);
		const decided = [...counts].find(([, count]) => count > this.#faults)?.[0];
		return decided === undefined
			? []
			: answers.filter((answer) => nameOf(answer) !== decided).map(({ member }) => member);
	}
}

/** The commits of a certificate, as what their members have signed: two for one place in one view are a contradiction. */
function statementsOf({ cluster, certificate }: DecisionProof): SignedStatement[] {
	const { epoch, view, sequence, digest, commits } = certificate;
	return commits.map(({ sender, signature }) => ({
		sender,
		slot: `commit ${epoch}.${view}.${sequence}`,
		bytes: statementBytes(cluster, sender, { type: "commit", epoch, view, sequence, digest }),
		signature,
	}));
}

/** Hands a conviction to the detectors: two contradicting statements as what they are, other evidence as the group's verdict. */
export function reportConviction(monitor: SecurityMonitor, cluster: string, { culprit, evidence }: Conviction): void {
	const statements = contradictionOf(cluster, culprit, evidence);
	if (statements.length > 0) monitor.detectByzantineAttacks({ statements });
	monitor.noteConviction(culprit, evidence.type);
}

function contradictionOf(cluster: string, culprit: NodeId, evidence: Evidence): SignedStatement[] {
	if (evidence.type !== "equivocation") return [];
	const { first, second } = evidence;
	assert(first.statement.sequence === second.statement.sequence, "an equivocation is on one place");
	const { epoch, view, sequence } = first.statement;
	return [first, second].map(({ statement, signature }) => ({
		sender: culprit,
		slot: `equivocation ${epoch}.${view}.${sequence}`,
		bytes: statementBytes(cluster, culprit, statement),
		signature,
	}));
}
