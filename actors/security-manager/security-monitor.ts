/**
 * The detectors and limits of `protocols/security` over the life of one node, with what follows from them: reputations, alerts, and a
 * forensic log. It observes and advises; who is excluded is the ordered membership's to decide, on proofs.
 */
import type { CryptoPort, Generator, NodeId } from "../../protocols/core/index.ts";
import {
	type Admission,
	type AdmissionVerdict,
	AuditLog,
	type AuditRecord,
	CollusionDetector,
	ContradictionDetector,
	type DiversityReport,
	DosLadder,
	type DosLadderOptions,
	EclipseGuard,
	type EclipseGuardOptions,
	type Finding,
	type JoinRequest,
	type PeerLabels,
	ReputationBook,
	type ReputationSnapshot,
	type SignedStatement,
	SybilAdmission,
	type SybilAdmissionOptions,
	type Threat,
	ThreatForecaster,
	type ThreatPatterns,
	TimingDetector,
} from "../../protocols/security/index.ts";

/** What is known of one finished round. */
export interface ObservedRound {
	/** Signed statements that were received in it. */
	readonly statements: readonly SignedStatement[];
	/** How long each member's answer took, in milliseconds. */
	readonly delaysMs?: ReadonlyMap<NodeId, number>;
	/** Who has voted against what was decided. */
	readonly misvoters?: readonly NodeId[];
}

export type AlertKind = Finding["kind"] | "sybil" | "eclipse" | "flood";

/** Something that somebody should look at. */
export interface SecurityAlert {
	readonly atMs: number;
	readonly severity: "low" | "medium" | "high";
	readonly kind: AlertKind;
	/** Whom it is about: nodes, origins or senders. */
	readonly about: readonly string[];
}

/** The four numbers that tell how a node stands. */
export interface SecurityMetrics {
	readonly findings: number;
	readonly convicted: number;
	readonly admissionsRefused: number;
	readonly requestsRefused: number;
}

export interface SecurityMonitorOptions {
	readonly node: NodeId;
	readonly members: readonly NodeId[];
	readonly crypto: Pick<CryptoPort, "digest" | "sign" | "verify">;
	readonly generator: Generator;
	readonly nowMs: () => number;
	readonly admission: Omit<SybilAdmissionOptions, "crypto" | "reputationOf">;
	readonly eclipse?: EclipseGuardOptions;
	readonly dos?: DosLadderOptions;
	/** Of a former life. */
	readonly reputations?: ReputationSnapshot;
	/** What a former life has learnt of alerts that follow one another. */
	readonly patterns?: ThreatPatterns;
	/** The last record of a former life's forensic log: the log goes on from it. */
	readonly lastRecord?: AuditRecord;
	/** Takes each record of the forensic log, to be stored; the monitor keeps none. */
	readonly record?: (record: AuditRecord) => void;
	readonly alert?: (alert: SecurityAlert) => void;
}

/** Alerts that are kept to be looked at; the oldest goes first. */
export const ALERTS_KEPT = 1_024;

const alertKinds: readonly AlertKind[] = [
	"contradiction",
	"conviction",
	"timing",
	"collusion",
	"sybil",
	"eclipse",
	"flood",
];

export class SecurityMonitor {
	readonly #options: SecurityMonitorOptions;
	readonly #contradictions: ContradictionDetector;
	readonly #timing: TimingDetector;
	readonly #collusion: CollusionDetector;
	readonly #reputations: ReputationBook;
	readonly #admission: SybilAdmission;
	readonly #eclipse: EclipseGuard;
	readonly #dos: DosLadder;
	readonly #log: AuditLog;
	readonly #forecaster: ThreatForecaster<AlertKind>;
	readonly #convictedElsewhere = new Set<NodeId>();
	#alerts: SecurityAlert[] = [];
	#findings = 0;
	#admissionsRefused = 0;
	#requestsRefused = 0;

	/** @throws QuorateError `detector-config-invalid` */
	constructor(options: SecurityMonitorOptions) {
		const { node, members, crypto, nowMs, lastRecord } = options;
		this.#options = options;
		this.#contradictions = new ContradictionDetector(members, crypto);
		this.#timing = new TimingDetector(members);
		this.#collusion = new CollusionDetector(members);
		this.#reputations = new ReputationBook(members, {}, options.reputations);
		const reputationOf = (candidate: NodeId): number | undefined => this.#reputations.score(candidate, nowMs());
		this.#admission = new SybilAdmission({ ...options.admission, crypto, reputationOf }, nowMs());
		this.#eclipse = new EclipseGuard(options.eclipse);
		this.#dos = new DosLadder(members, options.dos ?? {}, nowMs());
		this.#log = new AuditLog({ author: node, crypto, ...(lastRecord === undefined ? {} : { last: lastRecord }) });
		this.#forecaster = new ThreatForecaster(alertKinds, nowMs(), {}, options.patterns);
	}

	/** Looks at one round: contradictions, late answers, common misvotes. Whoever is found loses reputation; proofs convict. */
	detectByzantineAttacks({ statements, delaysMs = new Map(), misvoters = [] }: ObservedRound): readonly Finding[] {
		const findings = [
			...statements.map((statement) => this.#contradictions.observe(statement)),
			...[...delaysMs].map(([member, delayMs]) => this.#timing.observe(member, delayMs)),
			...this.#collusion.observe(misvoters),
		].filter((finding) => finding !== null);
		for (const finding of findings) {
			const moved = this.#reputations.record(finding, this.#options.nowMs());
			this.#findings += 1;
			this.#raise(finding.severity, finding.kind, moved);
		}
		const blamed = new Set(findings.flatMap(({ culprits }) => culprits));
		for (const member of delaysMs.keys())
			if (!blamed.has(member)) this.#reputations.reward(member, this.#options.nowMs());
		return findings;
	}

	/** Takes over what the protocol's own judge has proved. */
	noteConviction(culprit: NodeId, evidence: string): void {
		if (this.#convictedElsewhere.has(culprit)) return;
		const finding: Finding = { kind: "conviction", severity: "high", weight: "proof", culprits: [culprit], evidence };
		const moved = this.#reputations.record(finding, this.#options.nowMs());
		if (moved.length === 0) return;
		this.#convictedElsewhere.add(culprit);
		this.#findings += 1;
		this.#raise(finding.severity, finding.kind, moved);
	}

	/** Judges a request to join. */
	preventSybilAttacks(request: JoinRequest): AdmissionVerdict {
		const verdict = this.#admission.judge(request, this.#options.nowMs());
		if (!verdict.isAdmitted) this.#admissionsRefused += 1;
		if (verdict.isAlarm) this.#raise("high", "sybil", [request.origin]);
		return verdict;
	}

	/**
	 * Takes or refuses those that want to connect, and judges the whole table after. In a full table who is taken in drives somebody out:
	 * connections of the `evicted` are to be closed.
	 */
	protectAgainstEclipseAttacks(requests: readonly PeerLabels[]): {
		readonly accepted: readonly NodeId[];
		readonly evicted: readonly NodeId[];
		readonly blocked: readonly NodeId[];
		readonly diversity: DiversityReport;
	} {
		const { generator } = this.#options;
		const survivors = this.#eclipse.selectSurvivors(requests, generator);
		const before = this.#eclipse.peers.map(({ node }) => node);
		for (const peer of survivors) this.#eclipse.connect(peer, generator);
		// Who was taken in first may have been driven out by who came after.
		const there = new Set(this.#eclipse.peers.map(({ node }) => node));
		const accepted = survivors.flatMap(({ node }) => (there.has(node) ? [node] : []));
		const evicted = before.filter((node) => !there.has(node));
		const blocked = requests.filter(({ node }) => !accepted.includes(node)).map(({ node }) => node);
		const diversity = this.#eclipse.diversity();
		if (blocked.length > 0 || !diversity.isDiverse)
			this.#raise(diversity.isDiverse ? "medium" : "high", "eclipse", blocked);
		return { accepted, evicted, blocked, diversity };
	}

	/** Lets through what is within the budgets. A ban raises an alert, once. */
	mitigateDoSAttacks<Request extends { readonly sender: string }>(requests: readonly Request[]): readonly Request[] {
		return requests.filter((request) => {
			const { sender } = request;
			const wasBanned = this.#dos.banned(this.#options.nowMs()).has(sender);
			const admission: Admission = this.#dos.admit(sender, this.#options.nowMs());
			if (admission.verdict === "banned" && !wasBanned) this.#raise("high", "flood", [sender]);
			if (admission.verdict !== "admitted") this.#requestsRefused += 1;
			return admission.verdict === "admitted";
		});
	}

	/** The latest, the oldest first. */
	get alerts(): readonly SecurityAlert[] {
		return this.#alerts;
	}

	/** Kinds of alert that are likely soon, by what has followed such alerts as there just were. Advice only. */
	get threats(): readonly Threat<AlertKind>[] {
		return this.#forecaster.threats(this.#options.nowMs());
	}

	/** How much better than base rates {@link threats} have been so far: 1 always right, 0 or less of no use, null not known yet. */
	get forecastSkill(): number | null {
		return this.#forecaster.skill;
	}

	/** To be stored, and given to the next life. */
	get patterns(): ThreatPatterns {
		return this.#forecaster.patterns;
	}

	reputation(member: NodeId): number | undefined {
		return this.#reputations.score(member, this.#options.nowMs());
	}

	/** To be stored, and given to the next life. */
	get reputations(): ReputationSnapshot {
		return this.#reputations.snapshot;
	}

	get metrics(): SecurityMetrics {
		return {
			findings: this.#findings,
			convicted: this.#options.members.filter((member) => this.#reputations.isConvicted(member)).length,
			admissionsRefused: this.#admissionsRefused,
			requestsRefused: this.#requestsRefused,
		};
	}

	#raise(severity: SecurityAlert["severity"], kind: SecurityAlert["kind"], about: readonly string[]): void {
		const alert = { atMs: this.#options.nowMs(), severity, kind, about };
		this.#alerts.push(alert);
		this.#forecaster.observe(kind, alert.atMs);
		if (this.#alerts.length > ALERTS_KEPT) this.#alerts = this.#alerts.slice(-ALERTS_KEPT);
		const record = this.#log.append({ type: "security-alert", severity, kind, about }, alert.atMs);
		this.#options.record?.(record);
		this.#options.alert?.(alert);
	}
}
