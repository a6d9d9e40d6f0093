/**
 * What PBFT's cryptography allows, and on threads the transport of its messages with it, whatever else is done: from primitives that are
 * measured in the same run.
 *
 * Counts of one decision, with votes verified only as far as a quorum needs (n members, f faults): 2n − 1 signatures made; verified are n − 1
 * pre-prepares, 2f prepares at the primary and 2f − 1 at each backup, 2f commits at each member; and each member checks each request.
 */
import { once } from "node:events";
import { cpuUsage } from "node:process";
import { Worker } from "node:worker_threads";
import { groupId, must, type NodeId, nodeId } from "../../../protocols/core/index.ts";
import { generateIdentity, KeyRing, NodeCryptoPort } from "../../../runtime/crypto/index.ts";

/** CPU microseconds each. */
export interface Primitives {
	readonly sign: number;
	readonly verify: number;
	/** An HMAC-SHA-256 of 32 to 128 bytes, made or checked. */
	readonly mac: number;
}

export interface DecisionShape {
	readonly members: number;
	readonly faults: number;
	readonly batch: number;
}

const STATEMENT_BYTES = 128;

export function measurePrimitives(): Primitives {
	const identities = ["a", "b"].map((id) => generateIdentity(nodeId(id)));
	const [a, b] = identities.map((own) => {
		const ring = new KeyRing(groupId("bound"), own);
		for (const other of identities) if (other !== own) ring.enrol(other.public);
		return new NodeCryptoPort(ring);
	}) as [NodeCryptoPort, NodeCryptoPort];
	const [idA, idB] = identities.map((own) => own.public.id) as [NodeId, NodeId];
	const bytes = new Uint8Array(STATEMENT_BYTES);
	const signature = a.sign(bytes);
	const mac = must(a.authenticate(idB, bytes), "both know each other");
	return {
		sign: usOf(2_000, () => a.sign(bytes)),
		verify: usOf(2_000, () => b.verify(idA, bytes, signature)),
		mac: usOf(20_000, () => b.isAuthentic(idA, bytes, mac)),
	};
}

/** CPU microseconds of the cryptography of one decision, of all members together. */
export function decisionUs({ members: n, faults: f, batch }: DecisionShape, { sign, verify, mac }: Primitives): number {
	const verified = n - 1 + 2 * f + (n - 1) * (2 * f - 1) + 2 * f * n;
	return (2 * n - 1) * sign + verified * verify + batch * n * mac;
}

/**
 * CPU microseconds of the messages of one decision on threads: 2n(n − 1) votes and proposals, and of each request its way to each member
 * and an answer of each. Nothing is encoded.
 */
export function transportUs({ members: n, batch }: DecisionShape, messageUs: number): number {
	return (2 * n * (n - 1) + 2 * n * batch) * messageUs;
}

const MESSAGES = 40_000;
const MESSAGE_BYTES = 140;

/** CPU microseconds of one `postMessage` of 140 bytes to another thread, both ends together. */
export async function measureMessage(): Promise<number> {
	const counter = `const { parentPort } = require("node:worker_threads");
		let left = ${MESSAGES} + ${MESSAGES / 10};
		parentPort.on("message", () => { left--; if (left === ${MESSAGES} || left === 0) parentPort.postMessage(left); });`;
	const worker = new Worker(counter, { eval: true });
	const bytes = new Uint8Array(MESSAGE_BYTES);
	const send = async (count: number): Promise<void> => {
		const received = once(worker, "message");
		for (let i = 0; i < count; i++) worker.postMessage(bytes);
		await received;
	};
	await send(MESSAGES / 10);
	const started = cpuUs();
	await send(MESSAGES);
	const us = (cpuUs() - started) / MESSAGES;
	await worker.terminate();
	return us;
}

export function describe({ sign, verify, mac }: Primitives): string {
	return `bound from sign ${sign.toFixed(0)} us, verify ${verify.toFixed(0)} us, HMAC ${mac.toFixed(1)} us of CPU`;
}

/** Of one call, the median of rounds: what else a machine does falls on some of them. */
function usOf(times: number, run: () => unknown): number {
	for (let i = 0; i < times / 10; i++) run();
	const rounds = Array.from({ length: PRIMITIVE_ROUNDS }, () => {
		const started = cpuUs();
		for (let i = 0; i < times / PRIMITIVE_ROUNDS; i++) run();
		return ((cpuUs() - started) * PRIMITIVE_ROUNDS) / times;
	});
	return rounds.sort((x, y) => x - y)[PRIMITIVE_ROUNDS >> 1] as number;
}

const PRIMITIVE_ROUNDS = 5;

export function cpuUs(): number {
	const { user, system } = cpuUsage();
	return user + system;
}
