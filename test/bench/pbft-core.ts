/**
 * How fast PBFT with signed votes is by itself: the machines of a whole group in one thread, real Ed25519 and HMAC-SHA-256 by the port on
 * `node:crypto`, function calls for a network, memory for a disk whose writes are durable one round later. Beside the figure stands the
 * bound: what the cryptography alone allows, from its primitives as measured in the same run. Both are per second of CPU time.
 */
import { assert, type Effect, groupId, type Input, must, type NodeId, nodeId } from "../../protocols/core/index.ts";
import {
	authenticatorsFor,
	type ClientRequest,
	PbftApplier,
	PbftMachine,
	type PbftTypes,
	pbftConfig,
	requestDigest,
	requestStatement,
} from "../../protocols/pbft/index.ts";
import { generateIdentity, KeyRing, NodeCryptoPort } from "../../runtime/crypto/index.ts";
import { cpuUs, decisionUs, describe, measurePrimitives } from "./pbft/bound.ts";
import type { BenchRow } from "./row.ts";

const BATCH = 100;
const OPERATION_BYTES = 64;
const DECISIONS = 300;
const WARM_UP = 60;
/** Clients, and requests of each that may be under way. */
const CLIENTS = 16;
const WINDOW = 64;
const cluster = groupId("bench");

class BenchNode {
	readonly machine: PbftMachine;
	readonly #applier: PbftApplier;
	inbox: Input<PbftTypes>[] = [];
	nextInbox: Input<PbftTypes>[] = [];
	#held: Effect<PbftTypes>[] = [];
	answered = 0;
	applied = 0;

	constructor(id: NodeId, members: readonly NodeId[], faults: number, port: NodeCryptoPort) {
		const config = pbftConfig({
			nodeId: id,
			cluster,
			members,
			faults,
			batchMaxRequests: BATCH,
			clientWindow: WINDOW,
		});
		this.machine = new PbftMachine(config, port);
		const { clientWindow, statePartBytes } = config;
		const application = {
			apply: (): Uint8Array => {
				this.applied++;
				return new Uint8Array(8);
			},
			query: (): Uint8Array => new Uint8Array(0),
			takeSnapshot: (): Uint8Array => new Uint8Array(64),
			restoreSnapshot: (): void => {},
		};
		this.#applier = new PbftApplier({ application, digest: port.digest, clientWindow, statePartBytes });
		const view = { view: 0 as never, isActive: true, viewChange: null, opened: null, alarm: null };
		this.inbox.push({ type: "start", durable: { view, stable: null, base: null, firstIndex: 1, records: [] } });
	}

	round(send: (to: NodeId, message: PbftTypes["message"]) => void): void {
		const released = this.#held;
		this.#held = [];
		for (const effect of released) this.#release(effect, send);
		if (this.inbox.length === 0) return;
		const effects: Effect<PbftTypes>[] = [];
		for (const input of this.inbox.splice(0)) this.machine.step(input, 0, effects);
		this.machine.step({ type: "batch-ended" }, 0, effects);
		let isHolding = false;
		for (const effect of effects) {
			if (effect.type === "persist") isHolding = true;
			else if (isHolding && "release" in effect && effect.release === "after-durable") this.#held.push(effect);
			else this.#release(effect, send);
		}
	}

	#release(effect: Effect<PbftTypes>, send: (to: NodeId, message: PbftTypes["message"]) => void): void {
		if (effect.type === "send") send(effect.to, effect.message);
		else if (effect.type === "apply") {
			const { delivery } = effect;
			if (delivery.type === "take-checkpoint") {
				const { snapshot } = this.#applier.capture(delivery.sequence);
				this.nextInbox.push({ type: "snapshot-ready", snapshot });
			} else {
				assert(delivery.type === "execute", "nothing is repeated, read or restored");
				this.answered += this.#applier.perform(delivery).length;
			}
		} else assert(effect.type !== "reply", "nothing is refused");
	}
}

/** One group, and what it has done in so much CPU time. */
function measure(size: number, faults: number): { requestsPerSecond: number; bound: number; note: string } {
	const members = Array.from({ length: size }, (_, i) => nodeId(`n${i + 1}`));
	const clients = Array.from({ length: CLIENTS }, (_, i) => nodeId(`c${i + 1}`));
	const identities = [...members, ...clients].map(generateIdentity);
	const ports = new Map(
		identities.map((own) => {
			const ring = new KeyRing(cluster, own);
			for (const other of identities) if (other !== own) ring.enrol(other.public);
			return [own.public.id, new NodeCryptoPort(ring)] as const;
		}),
	);
	const portOf = (id: NodeId): NodeCryptoPort => must(ports.get(id), "everyone has a port");
	const nodes = new Map(members.map((id) => [id, new BenchNode(id, members, faults, portOf(id))]));
	const primary = must(nodes.get(members[0] as NodeId), "there is a primary");
	const requests = prepareRequests(clients, members, portOf);
	let asked = 0;
	let startedUs = 0;
	let before = 0;
	const target = (WARM_UP + DECISIONS) * BATCH;
	while (primary.answered < target) {
		if (startedUs === 0 && primary.answered >= WARM_UP * BATCH) [startedUs, before] = [cpuUs(), primary.answered];
		while (asked < requests.length && asked - primary.answered < CLIENTS * WINDOW) {
			const request = requests[asked++] as ClientRequest;
			primary.inbox.push({ type: "request", requestId: asked, request: { type: "submit", request } });
		}
		for (const [from, node] of nodes) {
			node.round((to, message) =>
				must(nodes.get(to), "peers are known").nextInbox.push({ type: "message", from, message }),
			);
		}
		for (const node of nodes.values()) {
			node.inbox.push(...node.nextInbox);
			node.nextInbox = [];
		}
	}
	const seconds = (cpuUs() - startedUs) / 1e6;
	const answered = primary.answered - before;
	const behind = [...nodes.values()].filter(({ applied }) => applied < target - 10 * BATCH);
	assert(behind.length === 0, "every member executes");
	const primitives = measurePrimitives();
	const us = decisionUs({ members: size, faults, batch: BATCH }, primitives);
	return { requestsPerSecond: answered / seconds, bound: (BATCH * 1e6) / us, note: describe(primitives) };
}

function prepareRequests(
	clients: readonly NodeId[],
	members: readonly NodeId[],
	portOf: (id: NodeId) => NodeCryptoPort,
): ClientRequest[] {
	return Array.from({ length: (WARM_UP + DECISIONS) * BATCH + CLIENTS * WINDOW }, (_, i) => {
		const client = clients[i % CLIENTS] as NodeId;
		const body = { client, timestamp: Math.floor(i / CLIENTS) + 1, kind: "command" } as const;
		const request = { ...body, operation: new Uint8Array(OPERATION_BYTES).fill(i) };
		const port = portOf(client);
		const statement = requestStatement(requestDigest(cluster, port.digest, request));
		const macs = authenticatorsFor(members, (member) => port.authenticate(member, statement));
		return { ...request, signature: new Uint8Array(0), macs };
	});
}

/** Compares with the bound that the cryptography sets; half of it is the aim. */
export default function pbftCore(): readonly BenchRow[] {
	return [
		[4, 1],
		[7, 2],
	].map(([size, faults]) => {
		const { requestsPerSecond, bound, note } = measure(size as number, faults as number);
		return {
			name: `PBFT core, n = ${size}, signed votes, HMAC clients, batch ${BATCH}, against the bound`,
			ours: requestsPerSecond,
			theirs: bound,
			unit: "requests/CPU-s",
			ratio: requestsPerSecond / bound,
			target: 0.5,
			stretch: 0.75,
			note,
		};
	});
}
