/** Attacks of many names: to join a group (Douceur 2002), and to surround one of its members (Heilman et al., USENIX Security 2015). */
import { Generator, nodeId } from "../../protocols/core/index.ts";
import {
	type Credential,
	credentialBytes,
	type JoinRequest,
	type PeerLabels,
	SybilAdmission,
	workBytes,
} from "../../protocols/security/index.ts";
import { IdealAuthority } from "../../protocols/verification/index.ts";
import { SecurityMonitor, type SecurityMonitorOptions } from "../security-manager/index.ts";
import { Attempts } from "./attempt.ts";
import type { Beyond, Scenario, ScenarioContext, Tally } from "./contract.ts";
import { hashingPort } from "./hashing-port.ts";

const authority = nodeId("authority");
const thief = nodeId("thief");
const observer = nodeId("observer");
const workChallenge = Uint8Array.of(7);
/** Few bits: the attacker can pay for as many names as it likes, so that work alone would let it in. */
const WORK_BITS = 6;
/** Names that the attacker invents, and honest candidates in between; each a trial. */
const SYBILS = 24;
const HONEST = 4;
/** Between two requests. */
const PACE_MS = 50;

class World {
	readonly ports: IdealAuthority;
	readonly monitor: SecurityMonitor;
	nowMs = 0;
	alertedAtMs: number | null = null;

	constructor(seed: number, options: Partial<SecurityMonitorOptions> = {}) {
		this.ports = new IdealAuthority(seed, [authority, thief, observer]);
		this.monitor = new SecurityMonitor({
			node: observer,
			members: [],
			crypto: hashingPort(this.ports, observer),
			generator: new Generator(seed, "monitor"),
			nowMs: () => this.nowMs,
			admission: { authority, workChallenge, workBits: WORK_BITS },
			alert: () => {
				this.alertedAtMs ??= this.nowMs;
			},
			...options,
		});
	}

	credential(by: typeof authority, node: string, publicKey: Uint8Array, expiresAtMs: number): Credential {
		const unsigned = { node: nodeId(node), publicKey, expiresAtMs };
		return { ...unsigned, signature: hashingPort(this.ports, by).sign(credentialBytes(unsigned)) };
	}

	/** A nonce that is enough work, found by trying. */
	work(node: string, publicKey: Uint8Array): NonNullable<JoinRequest["work"]> {
		const { digest } = hashingPort(this.ports, observer);
		for (let nonce = 0; ; nonce++) {
			const [first = 255] = digest(workBytes(workChallenge, nodeId(node), publicKey, nonce));
			if (first >>> (8 - WORK_BITS) === 0) return { challenge: workChallenge, nonce };
		}
	}
}

const keyOf = (place: number): Uint8Array => new Uint8Array(32).fill(place + 1);
const FAR_MS = 3_600_000;

/** A name that the attacker has invented and worked for, with one of the papers that it can come by. */
function sybil(world: World, at: number, honest: readonly JoinRequest[]): JoinRequest {
	const [node, publicKey] = [`sybil-${at}`, keyOf(100 + at)];
	const base = { node: nodeId(node), publicKey, origin: `net-${at % 3}`, work: world.work(node, publicKey) };
	const stolen = honest[at % honest.length]?.credential;
	switch (at % 4) {
		case 0:
			return base;
		case 1:
			return { ...base, credential: world.credential(thief, node, publicKey, FAR_MS) };
		case 2:
			return stolen === undefined ? base : { ...base, credential: stolen };
		default:
			return { ...base, credential: world.credential(authority, node, publicKey, 0) };
	}
}

function sybilTally({ seed, trials }: ScenarioContext): Tally {
	const attempts = new Attempts();
	const latenciesMs: number[] = [];
	let openSeats = 0;
	for (let trial = 0; trial < trials; trial++) {
		const world = new World(seed + trial);
		const honest = Array.from({ length: HONEST }, (_, at): JoinRequest => {
			const [node, publicKey] = [`node-${at + 1}`, keyOf(at)];
			const credential = world.credential(authority, node, publicKey, FAR_MS);
			return { node: nodeId(node), publicKey, origin: `home-${at}`, credential, work: world.work(node, publicKey) };
		});
		const sybils = Array.from({ length: SYBILS }, (_, at) => sybil(world, at, honest));
		// The same requests before a gate that asks for work alone: without it the attack would prove nothing.
		const open = {
			authority,
			workChallenge,
			workBits: WORK_BITS,
			factorsMin: 1,
			needsCredential: false,
			originLimit: 10_000,
		};
		const rate = { capacity: 1_000, refillPerSecond: 1 };
		const gate = new SybilAdmission({ ...open, rate, crypto: hashingPort(world.ports, observer) }, 0);
		openSeats += sybils.filter((request) => gate.judge(request, 0).isAdmitted).length;
		const every = SYBILS / HONEST;
		for (const [at, request] of sybils.entries()) {
			if (at % every === 0)
				attempts.honest(!world.monitor.preventSybilAttacks(honest[at / every] as JoinRequest).isAdmitted);
			const { isAdmitted } = world.monitor.preventSybilAttacks(request);
			attempts.attack("an invented name was admitted", !isAdmitted);
			world.nowMs += PACE_MS;
		}
		if (world.alertedAtMs !== null) latenciesMs.push(world.alertedAtMs);
	}
	const { attacks, detected, innocents, accused, damage } = attempts;
	return {
		trials,
		attacks: openSeats === 0 ? 0 : attacks,
		detected,
		innocents,
		accused,
		latenciesMs,
		isSafe: damage.length === 0,
		hasProgress: accused < innocents,
		damage,
		mitigation: `${attacks - detected} of ${attacks} names in; by work alone ${openSeats}`,
		beyond: stolenAuthority(seed, trials),
	};
}

/** Who has the admission authority's key can have names admitted; what remains is that so many at a time from one place raise an alarm. */
function stolenAuthority(seed: number, trials: number): Beyond {
	let [broken, alarmed] = [0, 0];
	for (let trial = 0; trial < trials; trial++) {
		const world = new World(seed + trial);
		let admitted = 0;
		for (let at = 0; at < SYBILS; at++) {
			const [node, publicKey] = [`sybil-${at}`, keyOf(at)];
			const credential = world.credential(authority, node, publicKey, FAR_MS);
			const work = world.work(node, publicKey);
			const request = { node: nodeId(node), publicKey, origin: "one-place", credential, work };
			if (world.monitor.preventSybilAttacks(request).isAdmitted) admitted += 1;
			world.nowMs += PACE_MS;
		}
		if (admitted === 0) continue;
		broken += 1;
		if (world.alertedAtMs !== null) alarmed += 1;
	}
	return {
		attackers: "the authority's key",
		trials,
		broken,
		alarmed,
		damage: broken === 0 ? [] : ["names were admitted"],
	};
}

const TABLE = 32;
const PEERS = 24;
const NEWCOMERS = 8;
const FLOOD = 400;

/** Honest ones come from all over; the attacker has many names at a few addresses. */
function peer(kind: "home" | "flood", at: number, sources: number): PeerLabels {
	const node = nodeId(`${kind}-${at}`);
	if (kind === "home") return { node, source: `10.0.${at}`, place: `place-${at % 12}`, network: `as-${at % 8}` };
	return { node, source: `66.6.${at % sources}`, place: "place-0", network: "as-666" };
}

/** The attacker's share of a table that all of them have tried to get into. */
function shareOf(
	seed: number,
	perSource: number,
): { readonly world: World; readonly share: number; readonly attempts: Attempts } {
	const world = new World(seed, { eclipse: { capacity: TABLE, perSource } });
	const attempts = new Attempts();
	const { monitor } = world;
	const home = Array.from({ length: PEERS + NEWCOMERS }, (_, at) => peer("home", at, 1));
	const table = new Set<string>(monitor.protectAgainstEclipseAttacks(home.slice(0, PEERS)).accepted);
	world.alertedAtMs = null;
	for (let wave = 0; wave < NEWCOMERS; wave++) {
		const newcomer = home[PEERS + wave] as PeerLabels;
		const flood = Array.from({ length: FLOOD / NEWCOMERS }, (_, at) =>
			peer("flood", wave * (FLOOD / NEWCOMERS) + at, 2),
		);
		const said = monitor.protectAgainstEclipseAttacks([...flood, newcomer]);
		for (const node of said.evicted) table.delete(node);
		for (const node of said.accepted) table.add(node);
		attempts.honest(said.blocked.includes(newcomer.node));
		for (const { node } of flood) attempts.attack("", said.blocked.includes(node));
		world.nowMs += PACE_MS;
	}
	const inside = [...table].filter((node) => node.startsWith("flood")).length;
	const share = inside / TABLE;
	return { world, share, attempts };
}

function eclipseTally({ seed, trials }: ScenarioContext): Tally {
	const sums = { attacks: 0, detected: 0, innocents: 0, accused: 0 };
	const latenciesMs: number[] = [];
	let [worst, worstOpen] = [0, 0];
	for (let trial = 0; trial < trials; trial++) {
		const guarded = shareOf(seed + trial, 3);
		worst = Math.max(worst, guarded.share);
		worstOpen = Math.max(worstOpen, shareOf(seed + trial, TABLE).share);
		for (const key of ["attacks", "detected", "innocents", "accused"] as const) sums[key] += guarded.attempts[key];
		if (guarded.world.alertedAtMs !== null) latenciesMs.push(guarded.world.alertedAtMs);
	}
	return {
		trials,
		// Without a limit for each source the same flood must take the table over, or it is none.
		...(worstOpen <= 0.5 ? { ...sums, attacks: 0 } : sums),
		latenciesMs,
		isSafe: worst < 0.5,
		hasProgress: sums.accused < sums.innocents,
		damage: worst < 0.5 ? [] : [`${Math.round(100 * worst)} % of the table was the attacker's`],
		mitigation: `at most ${Math.round(100 * worst)} % of the table; without the limit a source ${Math.min(100, Math.round(100 * worstOpen))} %`,
		beyond: null,
	};
}

export const admissionScenarios: readonly Scenario[] = [
	{
		name: "sybil",
		kind: "security",
		mode: null,
		description:
			"Invents names and works for them, with no, forged, stolen or expired credentials; beyond: with the authority's key.",
		means: "refusal",
		floors: { detection: 1, falsePositives: 0 },
		run: sybilTally,
	},
	{
		name: "eclipse",
		kind: "security",
		mode: null,
		description: "Floods one member's table of peers with many names from two addresses.",
		means: "refusal",
		floors: { detection: 0.9, falsePositives: 0 },
		run: eclipseTally,
	},
];
