/**
 * Kills the leader's thread again and again while the load runs, and measures what that costs: the time until another
 * leader is elected and the time until the killed node's actor handles messages again.
 *
 * A kill counts only if the thread was the leader's at that moment: the node's own status says so right before, and no
 * other leader is heard of before its thread has ended. The next kill waits until the last one is mended, so that what
 * is measured is one loss at a time.
 */
import type { Subscription } from "rxjs";
import type { Clock, TimerHandle } from "../../runtime/index.ts";
import type { RunTarget, TargetEvent } from "./run-target.ts";

/** How often the killer looks for a leader when there is none at the time of a kill. */
const RETRY_MS = 20;
/** A leader that came late leads at least this part of an interval, else slow elections would leave no time to decide. */
const REIGN_SHARE = 1 / 4;

/** One kill of a leader's thread. Times count from the kill and are null until they are known. */
export interface LeaderKill {
	/** Since the start of the load. */
	readonly atMs: number;
	readonly node: string;
	/** The term it led. */
	readonly term: number;
	readonly newLeader: string | null;
	readonly newTerm: number | null;
	readonly electionMs: number | null;
	readonly restartMs: number | null;
}

type OpenKill = { -readonly [K in keyof LeaderKill]: LeaderKill[K] } & {
	readonly killedMs: number;
	/** Its thread has ended. */
	lost: boolean;
};

export interface LeaderKillerPorts {
	readonly target: RunTarget;
	readonly clock: Clock;
	/** False: the load begins nothing more, so nobody is killed any more. */
	readonly isLoadOn: () => boolean;
	/** Hears of each step of a kill. */
	readonly observe: (step: "killed" | "elected" | "recovered", kill: LeaderKill) => void;
}

export class LeaderKiller {
	readonly #intervalMs: number;
	readonly #ports: LeaderKillerPorts;
	readonly #kills: OpenKill[] = [];
	#subscription: Subscription | null = null;
	#timer: TimerHandle | null = null;
	#startMs = 0;
	#dueMs = 0;
	/** Since when a kill has been due that waits until the last one is mended; null when none does. */
	#heldUpSinceMs: number | null = null;
	#heldUpMs = 0;
	#waiting: (() => void) | null = null;

	/** @param intervalMs between the times at which kills are due */
	constructor(intervalMs: number, ports: LeaderKillerPorts) {
		this.#intervalMs = intervalMs;
		this.#ports = ports;
	}

	start(): void {
		this.#startMs = this.#ports.clock.nowMs();
		this.#dueMs = this.#startMs + this.#intervalMs;
		this.#subscription = this.#ports.target.events$.subscribe((event) => this.#hear(event));
		this.#schedule(this.#intervalMs);
	}

	/** Kills no more; resolves when the last kill is mended, or after `timeoutMs`. */
	async stop(timeoutMs: number): Promise<void> {
		const { clock } = this.#ports;
		if (this.#timer !== null) clock.cancel(this.#timer);
		this.#timer = null;
		const openHoldMs = this.#heldUpSinceMs === null ? 0 : clock.nowMs() - this.#heldUpSinceMs;
		this.#heldUpSinceMs = null;
		const last = this.#kills.at(-1);
		if (last !== undefined && !isMended(last)) {
			await new Promise<void>((resolve) => {
				const limit = clock.schedule(timeoutMs, resolve);
				this.#waiting = () => {
					clock.cancel(limit);
					resolve();
				};
			});
		}
		// A node that never comes back has not been waited for: then kills are missing.
		if (last !== undefined && isMended(last)) this.#heldUpMs += openHoldMs;
		this.#subscription?.unsubscribe();
	}

	/** The kills that count, in order. */
	get kills(): readonly LeaderKill[] {
		return this.#kills.filter((kill) => kill.lost).map(({ killedMs: _, lost: __, ...kill }) => kill);
	}

	/** The kills after which another leader was elected. */
	get survived(): number {
		return this.#kills.filter((kill) => kill.electionMs !== null).length;
	}

	/** For how long, until {@link stop}, kills that were due have waited until the last one was mended and its successor had led. */
	get heldUpMs(): number {
		return this.#heldUpMs;
	}

	#endHold(): void {
		if (this.#heldUpSinceMs === null) return;
		this.#heldUpMs += this.#ports.clock.nowMs() - this.#heldUpSinceMs;
		this.#heldUpSinceMs = null;
	}

	#schedule(afterMs: number): void {
		this.#timer = this.#ports.clock.schedule(afterMs, () => this.#tryKill());
	}

	#tryKill(): void {
		const { target, clock, isLoadOn } = this.#ports;
		if (!isLoadOn()) return;
		const last = this.#kills.at(-1);
		const isHeldUp = last !== undefined && !isMended(last);
		const leader = target.leader;
		const node = target.nodes.find(({ id }) => id === leader?.leader);
		const leads = leader !== null && node?.state === "running" && node.role === "leader" && node.term === leader.term;
		// A busy machine looks late: what was due has waited since it was.
		if (isHeldUp) this.#heldUpSinceMs ??= Math.min(clock.nowMs(), this.#dueMs);
		else this.#endHold();
		if (isHeldUp || !leads) {
			this.#schedule(RETRY_MS);
			return;
		}
		const nowMs = clock.nowMs();
		if (nowMs < this.#dueMs) {
			this.#schedule(this.#dueMs - nowMs);
			return;
		}
		this.#kills.push({
			atMs: nowMs - this.#startMs,
			node: leader.leader,
			term: leader.term,
			newLeader: null,
			newTerm: null,
			electionMs: null,
			restartMs: null,
			killedMs: nowMs,
			lost: false,
		});
		target.kill(leader.leader).catch(() => {
			// The node ended by itself first: its loss is heard of all the same, and is no kill of ours.
			this.#drop(leader.leader);
		});
		// Late kills do not pile up: the next is due one interval after this one was.
		this.#dueMs = Math.max(this.#dueMs + this.#intervalMs, nowMs + RETRY_MS);
		this.#schedule(this.#dueMs - nowMs);
	}

	#drop(node: string): void {
		const at = this.#kills.findIndex((kill) => kill.node === node && !kill.lost);
		if (at >= 0) this.#kills.splice(at, 1);
	}

	#hear(event: TargetEvent): void {
		const kill = this.#kills.at(-1);
		if (kill === undefined) return;
		const afterMs = this.#ports.clock.nowMs() - kill.killedMs;
		switch (event.type) {
			case "node-lost":
				if (event.node !== kill.node || kill.lost) return;
				kill.lost = true;
				this.#ports.observe("killed", kill);
				break;
			case "leader-elected":
				if (event.term <= kill.term) return;
				// Another leader before the thread has ended: what was killed did not lead any more.
				if (!kill.lost) {
					this.#drop(kill.node);
					return;
				}
				if (kill.electionMs !== null) return;
				kill.newLeader = event.leader;
				kill.newTerm = event.term;
				kill.electionMs = afterMs;
				this.#ports.observe("elected", kill);
				break;
			case "node-recovered":
				if (event.node !== kill.node || !kill.lost || kill.restartMs !== null) return;
				kill.restartMs = afterMs;
				this.#ports.observe("recovered", kill);
				break;
			case "noted":
				return;
		}
		if (isMended(kill)) {
			this.#endHold();
			const nowMs = this.#ports.clock.nowMs();
			const dueMs = Math.max(this.#dueMs, nowMs + this.#intervalMs * REIGN_SHARE);
			// After the end nobody waits for a reign.
			if (this.#waiting === null) this.#heldUpMs += dueMs - Math.max(nowMs, this.#dueMs);
			this.#dueMs = dueMs;
			this.#waiting?.();
		}
	}
}

function isMended(kill: OpenKill): boolean {
	return kill.electionMs !== null && kill.restartMs !== null;
}
