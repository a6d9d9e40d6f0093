/**
 * Goal: what detectors find reaches reputations, alerts, metrics and the forensic log, with the right names (SEC-11, SEC-14, SEC-29,
 * SEC-30, SEC-42, SEC-43). Method: one monitor over its life, on a clock that the test moves.
 */
import { describe, expect, it } from "vitest";
import { type SecurityAlert, SecurityMonitor } from "../../../actors/security-manager/index.ts";
import { ALERTS_KEPT } from "../../../actors/security-manager/security-monitor.ts";
import { Generator, type NodeId, nodeId } from "../../../protocols/core/index.ts";
import { type AuditRecord, verifyAuditLog } from "../../../protocols/security/index.ts";
import { cryptoOf, names } from "../../protocols/security/ceremony/world.ts";

const members = names(4);
const [one, two] = members as [NodeId, NodeId];

type Options = ConstructorParameters<typeof SecurityMonitor>[0];

function started(
	reputations?: SecurityMonitor["reputations"],
	patterns?: SecurityMonitor["patterns"],
	nowMs = 0,
	more: Pick<Options, "eclipse" | "lastRecord"> = {},
) {
	const time = { nowMs };
	const records: AuditRecord[] = [];
	const alerts: SecurityAlert[] = [];
	const monitor = new SecurityMonitor({
		node: nodeId("observer"),
		members,
		crypto: cryptoOf(nodeId("observer")),
		generator: new Generator(1),
		nowMs: () => time.nowMs,
		admission: { authority: nodeId("authority"), workChallenge: new Uint8Array([1]) },
		dos: { perSender: { capacity: 2, refillPerSecond: 1 }, strikes: 2 },
		record: (record) => records.push(record),
		alert: (alert) => alerts.push(alert),
		...(reputations === undefined ? {} : { reputations }),
		...(patterns === undefined ? {} : { patterns }),
		...more,
	});
	return { monitor, time, records, alerts };
}

function said(sender: NodeId, slot: string, text: string) {
	const bytes = new TextEncoder().encode(text);
	return { sender, slot, bytes, signature: cryptoOf(sender).sign(bytes) };
}

describe("a security monitor", () => {
	it("convicts on a contradiction, across rounds, and tells of it everywhere", () => {
		const { monitor, records, alerts } = started();
		const delaysMs = new Map([[two, 5]]);
		expect(
			monitor.detectByzantineAttacks({ statements: [said(one, "s", "a"), said(two, "s", "a")], delaysMs }),
		).toEqual([]);
		expect(monitor.detectByzantineAttacks({ statements: [said(one, "s", "b")], delaysMs })).toMatchObject([
			{ kind: "contradiction", culprits: [one] },
		]);
		expect(monitor.reputation(one)).toBe(0);
		expect(monitor.reputation(two)).toBeGreaterThan(0.5);
		expect(alerts).toEqual([{ atMs: 0, severity: "high", kind: "contradiction", about: [one] }]);
		expect(monitor.alerts).toEqual(alerts);
		expect(monitor.metrics).toEqual({ findings: 1, convicted: 1, admissionsRefused: 0, requestsRefused: 0 });
		expect(records.map(({ event }) => event)).toEqual([
			{ type: "security-alert", severity: "high", kind: "contradiction", about: [one] },
		]);
		expect(verifyAuditLog(records, cryptoOf(nodeId("judge")))).toMatchObject({ isIntact: true, signedThrough: 1 });
	});

	it("a conviction survives its restart", () => {
		const { monitor } = started();
		monitor.detectByzantineAttacks({ statements: [said(one, "s", "a"), said(one, "s", "b")] });
		const next = started(structuredClone(monitor.reputations));
		expect(next.monitor.reputation(one)).toBe(0);
		expect(next.monitor.reputation(two)).toBe(0.5);
		expect(next.monitor.metrics.convicted).toBe(1);
	});

	it("its forensic log goes on over its restart: what both lives have written is one chain", () => {
		const first = started();
		first.monitor.detectByzantineAttacks({ statements: [said(one, "s", "a"), said(one, "s", "b")] });
		const next = started(undefined, undefined, 0, { lastRecord: first.records.at(-1)! });
		next.monitor.noteConviction(two, "shown");
		const records = [...first.records, ...next.records];
		expect(records.map(({ sequence }) => sequence)).toEqual([1, 2]);
		expect(verifyAuditLog(records, cryptoOf(nodeId("judge")))).toMatchObject({ isIntact: true, signedThrough: 2 });
	});

	it("takes what another judge has proved once, and keeps the latest alerts alone", () => {
		const { monitor, alerts } = started();
		for (let i = 0; i < 2; i++) monitor.noteConviction(one, "shown");
		expect(alerts).toHaveLength(1);
		expect(monitor.metrics).toMatchObject({ findings: 1, convicted: 1 });
		const peers = [0, 1, 2, 3].map((at) => ({ node: nodeId(`p-${at}`), source: "evil", place: "a", network: "b" }));
		for (let i = 0; i < ALERTS_KEPT; i++) monitor.protectAgainstEclipseAttacks(peers);
		expect(alerts).toHaveLength(ALERTS_KEPT + 1);
		expect(monitor.alerts).toEqual(alerts.slice(1));
	});

	it("rewards nobody for a round in which it was blamed", () => {
		const { monitor } = started();
		const round = (delayMs: number) =>
			monitor.detectByzantineAttacks({ statements: [], delaysMs: new Map([[one, delayMs]]) });
		for (let i = 0; i < 20; i++) expect(round(10 + (i % 3))).toEqual([]);
		const before = monitor.reputation(one)!;
		expect(before).toBeCloseTo(0.7, 9);
		expect(round(10_000)).toMatchObject([{ kind: "timing", culprits: [one] }]);
		expect(monitor.reputation(one)).toBeCloseTo(before - 0.05, 9);
	});

	it("tells whom a full table has driven out, and calls nobody accepted who is out again", () => {
		const peers = Array.from({ length: 12 }, (_, at) => {
			return { node: nodeId(`p-${at}`), source: `10.${at}`, place: `a-${at}`, network: `b-${at}` };
		});
		for (let many = 3; many <= 9; many++) {
			const { monitor } = started(undefined, undefined, 0, { eclipse: { capacity: 3, anchors: 1 } });
			const table = new Set<string>(monitor.protectAgainstEclipseAttacks(peers.slice(0, 3)).accepted);
			const { accepted, evicted, blocked } = monitor.protectAgainstEclipseAttacks(peers.slice(3, 3 + many));
			for (const node of evicted) table.delete(node);
			for (const node of accepted) table.add(node);
			expect(table.size).toBe(3);
			expect(table.has("p-0")).toBe(true);
			expect(accepted.length + blocked.length).toBe(many);
		}
	});

	it("keeps its memory between calls: budgets, tables and origins are not new each time", () => {
		const { monitor, time, alerts } = started();
		const request = { sender: "x" };
		const passed = [1, 2, 3, 4, 5].flatMap(() => monitor.mitigateDoSAttacks([request]));
		expect(passed).toHaveLength(2);
		expect(alerts.map(({ kind, about }) => `${kind} ${about}`)).toEqual(["flood x"]);
		time.nowMs = 2_000;
		expect(monitor.mitigateDoSAttacks([request])).toHaveLength(1);
		const candidate = { node: nodeId("new"), publicKey: new Uint8Array(32), origin: "10.1" };
		const verdicts = [1, 2, 3, 4].map(() => monitor.preventSybilAttacks(candidate));
		expect(verdicts.map(({ isAlarm }) => isAlarm)).toEqual([false, false, false, true]);
		const peers = Array.from({ length: 5 }, (_, at) => ({
			node: nodeId(`p-${at}`),
			source: "evil",
			place: "a",
			network: "b",
		}));
		expect(monitor.protectAgainstEclipseAttacks(peers.slice(0, 3)).accepted).toHaveLength(3);
		expect(monitor.protectAgainstEclipseAttacks(peers.slice(3)).accepted).toHaveLength(0);
		expect(monitor.metrics).toMatchObject({ admissionsRefused: 4, requestsRefused: 3 });
		// What is only throttled counts as refused too.
		time.nowMs = 60_000;
		expect([1, 2, 3].flatMap(() => monitor.mitigateDoSAttacks([{ sender: "y" }]))).toHaveLength(2);
		expect(monitor.metrics.requestsRefused).toBe(4);
	});

	it("learns which alerts follow one another, over its restarts, and warns of the next", () => {
		const hourMs = 3_600_000;
		let patterns: SecurityMonitor["patterns"] | undefined;
		for (let hour = 0; hour < 12; hour++) {
			const { monitor, time } = started(undefined, patterns, hour * hourMs);
			const warned = (): string[] => monitor.threats.map(({ kind, after }) => `${kind} after ${after}`);
			const candidate = { node: nodeId("new"), publicKey: new Uint8Array(32), origin: "10.1" };
			for (let i = 0; i < 4; i++) monitor.preventSybilAttacks(candidate);
			expect(warned()).toEqual(hour < 6 ? [] : ["flood after sybil"]);
			time.nowMs += 10_000;
			for (let i = 0; i < 5; i++) monitor.mitigateDoSAttacks([{ sender: "x" }]);
			expect(warned()).toEqual([]);
			time.nowMs += hourMs / 2;
			expect(monitor.threats).toEqual([]);
			({ patterns } = structuredClone({ patterns: monitor.patterns }));
			if (hour === 11) expect(monitor.forecastSkill).toBeGreaterThan(0.3);
		}
	});
});
