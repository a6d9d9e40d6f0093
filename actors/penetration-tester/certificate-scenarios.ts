/** Certificates that were made up, before a judge that has nothing but the members' keys. */
import { type NodeId, nodeId } from "../../protocols/core/index.ts";
import {
	batchDigest,
	type CommitCertificate,
	type Configuration,
	type DecisionProof,
	type Epoch,
	quorumOf,
	requestDigest,
	type SequenceNumber,
	statementBytes,
	type ViewNumber,
	verifyConflict,
	verifyDecision,
} from "../../protocols/pbft/index.ts";
import { IdealAuthority } from "../../protocols/verification/index.ts";
import { Attempts } from "./attempt.ts";
import type { Beyond, Scenario, ScenarioContext, Tally } from "./contract.ts";
import { maxFaults } from "./group-size.ts";
import { hashingPort } from "./hashing-port.ts";

const CLUSTER = "pentest";
const client = nodeId("client-1");
const nothing = new Uint8Array(0);

class Court {
	readonly members: readonly NodeId[];
	readonly configuration: Configuration;
	readonly #authority: IdealAuthority;
	readonly #sequence: number;

	constructor(seed: number, nodes: number) {
		this.members = Array.from({ length: nodes }, (_, at) => nodeId(`node-${at + 1}`));
		this.configuration = { epoch: 0 as Epoch, members: this.members, faults: maxFaults(nodes) };
		this.#authority = new IdealAuthority(seed, [...this.members, nodeId("judge")]);
		this.#sequence = 1 + (seed % 1_000);
	}

	get verifier() {
		return hashingPort(this.#authority, nodeId("judge"));
	}

	/** A decision that those members have signed. */
	decided(text: string, signers: readonly NodeId[], type: "commit" | "prepare" = "commit"): DecisionProof {
		const { digest } = this.verifier;
		const operation = new TextEncoder().encode(text);
		const request = { client, timestamp: 1, kind: "command", operation } as const;
		const batch = { requests: [{ ...request, signature: nothing, macs: nothing }], choice: nothing };
		const place = { epoch: 0 as Epoch, view: 0 as ViewNumber, sequence: this.#sequence as SequenceNumber };
		const statement = { ...place, digest: batchDigest(CLUSTER, digest, batch) };
		const commits = signers.map((sender) => {
			const bytes = statementBytes(CLUSTER, sender, { type, ...statement });
			return { sender, signature: hashingPort(this.#authority, sender).sign(bytes) };
		});
		const requests = [requestDigest(CLUSTER, digest, request)];
		return { cluster: CLUSTER, certificate: { ...statement, commits }, requests, choice: nothing, index: 0, request };
	}

	isRefused(proof: DecisionProof): boolean {
		return verifyDecision(proof, { verifier: this.verifier, configuration: this.configuration }) !== null;
	}

	/** Who has signed both of two decisions; null if they are no conflict. */
	conflict(first: CommitCertificate, second: CommitCertificate): readonly NodeId[] | null {
		const configurationOf = (epoch: number): Configuration | null => (epoch === 0 ? this.configuration : null);
		const context = { cluster: CLUSTER, verifier: this.verifier, configurationOf, windowSize: 16 };
		return verifyConflict({ first, second }, context);
	}
}

/** All that f liars can make of their own signatures and of what others have signed. */
function forgeries(court: Court): [string, DecisionProof][] {
	const { members, configuration } = court;
	const quorum = quorumOf(configuration);
	const liars = members.slice(0, configuration.faults);
	const honest = court.decided("pay 5", members.slice(-quorum));
	const own = court.decided("pay 500", liars);
	const withCommits = (proof: DecisionProof, commits: CommitCertificate["commits"]): DecisionProof => ({
		...proof,
		certificate: { ...proof.certificate, commits },
	});
	const borrowed = honest.certificate.commits;
	return [
		["liars alone decided", own],
		[
			"one signature counted many times",
			withCommits(
				own,
				members.slice(0, quorum).map(() => own.certificate.commits[0] as never),
			),
		],
		[
			"a signature under others' names",
			withCommits(
				own,
				members
					.slice(0, quorum)
					.map((sender) => ({ sender, signature: own.certificate.commits[0]?.signature ?? nothing })),
			),
		],
		["signatures of another decision", withCommits(own, borrowed)],
		[
			"strangers counted",
			withCommits(
				own,
				Array.from({ length: quorum }, (_, at) => ({ sender: nodeId(`x-${at}`), signature: nothing })),
			),
		],
		["prepares as commits", court.decided("pay 5", members.slice(-quorum), "prepare")],
		["another request in the batch", { ...honest, request: { ...honest.request, timestamp: 2 } }],
		[
			"another slot",
			{
				...honest,
				certificate: { ...honest.certificate, sequence: (honest.certificate.sequence + 1) as SequenceNumber },
			},
		],
		["another view", { ...honest, certificate: { ...honest.certificate, view: 1 as ViewNumber } }],
		["another epoch", { ...honest, certificate: { ...honest.certificate, epoch: 1 as Epoch } }],
		["another group", { ...honest, cluster: "other" }],
		["a quorum less one", withCommits(honest, borrowed.slice(1))],
	];
}

function tally({ seed, nodes, trials }: ScenarioContext): Tally {
	const attempts = new Attempts();
	for (let trial = 0; trial < trials; trial++) {
		const court = new Court(seed + trial, nodes);
		for (const [what, proof] of forgeries(court))
			attempts.attack(`a certificate held with ${what}`, court.isRefused(proof));
		const quorum = quorumOf(court.configuration);
		for (let at = 0; at <= nodes - quorum; at++)
			attempts.honest(court.isRefused(court.decided(`pay ${at}`, court.members.slice(at, at + quorum))));
	}
	const { attacks, detected, innocents, accused, damage } = attempts;
	const figures = { trials, attacks, detected, innocents, accused, latenciesMs: [], damage };
	const mitigation = `${detected} of ${attacks} forgeries refused, ${innocents - accused} of ${innocents} true ones taken`;
	const [isSafe, hasProgress] = [damage.length === 0, accused === 0];
	return { ...figures, isSafe, hasProgress, mitigation, beyond: colluding(seed, nodes, trials) };
}

/** A quorum of liars certifies what it likes; beside what the honest have signed before, it convicts f + 1 of them. */
function colluding(seed: number, nodes: number, trials: number): Beyond {
	let [broken, alarmed, quorum] = [0, 0, 0];
	for (let trial = 0; trial < trials; trial++) {
		const court = new Court(seed + trial, nodes);
		quorum = quorumOf(court.configuration);
		const honest = court.decided("pay 5", court.members.slice(-quorum));
		const forged = court.decided("pay 500", court.members.slice(0, quorum));
		if (court.isRefused(forged)) continue;
		broken += 1;
		const culprits = court.conflict(honest.certificate, forged.certificate);
		if (culprits !== null && culprits.length > court.configuration.faults) alarmed += 1;
	}
	const damage = broken === 0 ? [] : ["two certificates of one slot hold"];
	return { attackers: `${quorum} of ${nodes} signers`, trials, broken, alarmed, damage };
}

export const certificateScenarios: readonly Scenario[] = [
	{
		name: "forged-certificates",
		kind: "security",
		mode: null,
		description:
			"Makes certificates of decisions out of f members' own signatures and what others have signed; beyond: with a quorum's.",
		means: "refusal",
		floors: { detection: 1, falsePositives: 0 },
		run: tally,
	},
];
