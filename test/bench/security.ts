/**
 * Threshold keys: generating one for 7, and signing with 3 of 4, by actors that each live on a thread of their own, as
 * `SecurityManager` runs them; beside it the same work in one thread without actors, here and by `@noble/curves`' own FROST. Every
 * signature that is counted is verified, outside of the measured time.
 *
 * By itself: `npm run bench -- security`.
 */
import { randomBytes } from "node:crypto";
import { performance } from "node:perf_hooks";
import { ristretto255_FROST } from "@noble/curves/ed25519.js";
import { SecurityManager } from "../../actors/index.ts";
import { assert, must, nodeId } from "../../protocols/core/index.ts";
import { ciphersuite, commitNonces, dealKey, SigningSession, verifySignature } from "../../protocols/security/index.ts";
import type { BenchRow } from "./row.ts";

const SIGNATURES = 60;
const WARM_UP = 20;
const CEREMONIES = 9;
const namesOf = (count: number): string[] => Array.from({ length: count }, (_, at) => `node-${at + 1}`);

export default async function benchSecurity(): Promise<readonly BenchRow[]> {
	return [await signingOnThreads(), await generationOnThreads(), signingInOneThread()];
}

async function signingOnThreads(): Promise<BenchRow> {
	const manager = new SecurityManager();
	try {
		await manager.generateDistributedKeys(namesOf(4), 3);
		const times: number[] = [];
		let sessions = 0;
		for (let round = 0; round < WARM_UP + SIGNATURES; round++) {
			const message = randomBytes(128);
			const fromMs = performance.now();
			const signed = await manager.createThresholdSignature(message);
			times.push(performance.now() - fromMs);
			sessions += signed.sessions;
			assert(manager.verifyThresholdSignature(message, signed.signature), "a signature verifies");
		}
		return {
			name: "FROST 3-of-4 signature, ristretto255, all parties in their threads",
			ours: median(times.slice(WARM_UP)),
			unit: "ms",
			target: 60,
			stretch: 25,
			better: "lower",
			note: `median of ${SIGNATURES}, ROAST with nonces offered ahead, every share checked; ${(sessions / times.length).toFixed(2)} sessions a signature`,
		};
	} finally {
		await manager.shutdown();
	}
}

async function generationOnThreads(): Promise<BenchRow> {
	const manager = new SecurityManager();
	try {
		const participants = namesOf(7);
		const times: number[] = [];
		// The first one also starts the threads, and warms them up.
		for (let round = 0; round <= CEREMONIES; round++) {
			const fromMs = performance.now();
			const key = await manager.generateDistributedKeys(participants, 5);
			times.push(performance.now() - fromMs);
			assert(key.certificate.confirmations.length === 7, "all have confirmed");
		}
		return {
			name: "DKG for 7, threshold 5, ristretto255, all parties in their threads",
			ours: median(times.slice(1)) / 1_000,
			unit: "s",
			target: 2,
			stretch: 0.6,
			better: "lower",
			note: `median of ${CEREMONIES} with threads running; with starting them ${((times[0] ?? 0) / 1_000).toFixed(2)} s; signed posts, sealed shares and the confirmation by all included`,
		};
	} finally {
		await manager.shutdown();
	}
}

/** All parties and the coordinator one after the other, no actors: what the arithmetic alone takes. */
function signingInOneThread(): BenchRow {
	const suite = ciphersuite("ristretto255");
	const scalars = [1, 2, 3].map(() => suite.encodeScalar(suite.hashToScalar("bench", randomBytes(32))));
	const members = namesOf(4).map((name, at) => ({ node: nodeId(name), identifier: at + 1 }));
	const { key, shares } = dealKey("ristretto255", scalars, members);
	const dealt = ristretto255_FROST.trustedDealer({ min: 3, max: 4 });
	const identifiers = Object.keys(dealt.secretShares).slice(0, 3);
	const ours: number[] = [];
	const theirs: number[] = [];
	for (let round = 0; round < WARM_UP + SIGNATURES; round++) {
		const message = randomBytes(128);
		const ourMs = performance.now();
		const nonces = shares.slice(0, 3).map((share) => commitNonces(share, randomBytes(64)));
		const commitments = nonces.map(({ commitment }) => commitment);
		// Each signer has a session of its own, as in its own thread; the coordinator has the fourth.
		const signed = nonces.map((own, at) =>
			new SigningSession(key, { message, commitments }).sign(must(shares[at], "as many"), own),
		);
		const signature = new SigningSession(key, { message, commitments }).aggregate(signed);
		const theirMs = performance.now();
		const made = identifiers.map((id) => {
			const secret = must(dealt.secretShares[id], "dealt");
			return { id, secret, round: ristretto255_FROST.commit(secret) };
		});
		const list = made.map((one) => one.round.commitments);
		const parts = made.map(
			(one) =>
				[one.id, ristretto255_FROST.signShare(one.secret, dealt.public, one.round.nonces, list, message)] as const,
		);
		for (const [id, share] of parts)
			assert(ristretto255_FROST.verifyShare(dealt.public, list, message, id, share), "a share verifies");
		const other = ristretto255_FROST.aggregate(dealt.public, list, message, Object.fromEntries(parts));
		const endMs = performance.now();
		ours.push(theirMs - ourMs);
		theirs.push(endMs - theirMs);
		assert(verifySignature("ristretto255", key.data.publicKey, message, signature), "ours verifies");
		assert(ristretto255_FROST.verify(other, message, must(dealt.public.commitments[0], "a key")), "theirs verifies");
	}
	const [own, peer] = [median(ours.slice(WARM_UP)), median(theirs.slice(WARM_UP))];
	return {
		name: "the same in one thread: 3 commit and sign, one checks and aggregates, against @noble/curves' FROST",
		ours: own,
		theirs: peer,
		unit: "ms",
		ratio: own / peer,
		target: null,
		stretch: null,
		better: "lower",
		note: `median of ${SIGNATURES}, interleaved; both check every share and the signature`,
	};
}

function median(values: readonly number[]): number {
	const sorted = [...values].sort((a, b) => a - b);
	return must(sorted[sorted.length >> 1], "a median is of something");
}
