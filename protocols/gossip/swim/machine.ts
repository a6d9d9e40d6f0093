/** The SWIM state machine: hands each input to its concern. */
import {
	assert,
	assertNever,
	type Effect,
	type Input,
	isNodeId,
	type MonotonicMs,
	type NodeId,
	type RequestId,
	type StateMachine,
} from "../../core/index.ts";
import { SEEDS_MAX, type SwimConfig, TAGS_BYTES_MAX, tuningFault, validateSwimConfig } from "./config.ts";
import { copyCore, createCore, NO_BYTES, reply, type SwimCore, type SwimPorts, setTimer, viewCore } from "./core.ts";
import { handleGossipTimer, spread } from "./dissemination.ts";
import type { SwimMessage } from "./messages.ts";
import {
	handleAck,
	handleNack,
	handlePing,
	handlePingRequest,
	handleProbeTimeout,
	handleProbeTimer,
	handleRelayTimer,
} from "./probe.ts";
import { signUpdate } from "./signing.ts";
import { handleDeadTimer } from "./standing.ts";
import { type SwimStatus, statusOf } from "./status.ts";
import { handleSuspicionTimer } from "./suspicion.ts";
import {
	beginJoin,
	handleHealTimer,
	handleJoinTimer,
	handleSyncRequest,
	handleSyncResponse,
	handleSyncTimer,
} from "./sync.ts";
import { announce, handleUpdate, INCARNATION_MAX } from "./updates.ts";
import { answerQuery, handleEvent, handleQueryAnswer, handleQueryTimer, startEvent } from "./user-events.ts";
import type { SwimDurable, SwimRequest, SwimTimer, SwimTypes } from "./vocabulary.ts";

/** One member of a group that watches over itself. `now` is never looked at. */
export class SwimMachine implements StateMachine<SwimTypes> {
	readonly #config: SwimConfig;
	readonly #ports: SwimPorts;
	#core: SwimCore;

	/** @throws QuorateError as `validateSwimConfig` */
	constructor(config: SwimConfig, ports: SwimPorts) {
		validateSwimConfig(config);
		this.#config = config;
		this.#ports = ports;
		this.#core = createCore(config, ports);
	}

	step(input: Input<SwimTypes>, _now: MonotonicMs, effects: Effect<SwimTypes>[]): void {
		const core = this.#core;
		core.out = effects;
		switch (input.type) {
			case "message":
				receive(core, input.from, input.message);
				return;
			case "timer":
				handleTimer(core, input.timer);
				return;
			case "request":
				handleRequest(core, input.requestId, input.request);
				return;
			case "start":
				handleStart(core, input.durable);
				return;
			case "batch-ended":
			case "write-completed":
			case "read-completed":
			case "snapshot-ready":
			case "peer-reachable":
			case "peer-unreachable":
				// Nothing is gathered over a batch and nothing waits for the disk; who can be reached, probes find out.
				return;
			default:
				assertNever(input, "input");
		}
	}

	get state(): unknown {
		return viewCore(this.#core);
	}

	get status(): SwimStatus {
		return statusOf(this.#core);
	}

	copy(): SwimMachine {
		const copy = new SwimMachine(this.#config, this.#ports);
		copy.#core = copyCore(this.#core);
		return copy;
	}
}

/** The clocks of a group are out of step, so the first period is of any length. */
function handleStart(core: SwimCore, { incarnation, tags = NO_BYTES }: SwimDurable): void {
	assert(core.phase === "new", "a life starts once");
	const { probeIntervalMs, syncIntervalMs, healIntervalMs } = core.config;
	core.phase = "running";
	if (tags.length <= TAGS_BYTES_MAX) core.tags = tags;
	announce(core, Math.min(incarnation + 1, INCARNATION_MAX));
	setTimer(core, "probe", 1, probeIntervalMs);
	setTimer(core, "sync", 1, syncIntervalMs);
	setTimer(core, "heal", 1, healIntervalMs);
}

function handleTimer(core: SwimCore, timer: SwimTimer): void {
	// Who has left does nothing by itself any more.
	if (core.phase === "left") return;
	switch (timer) {
		case "probe":
			handleProbeTimer(core);
			return;
		case "probe-timeout":
			handleProbeTimeout(core);
			return;
		case "gossip":
			handleGossipTimer(core);
			return;
		case "sync":
			handleSyncTimer(core);
			return;
		case "heal":
			handleHealTimer(core);
			return;
		case "join":
			handleJoinTimer(core);
			return;
		case "leave":
			finishLeave(core);
			return;
		default:
			handleNamedTimer(core, timer);
	}
}

/** Timers that are about one member, one relay or one query. */
function handleNamedTimer(core: SwimCore, timer: SwimTimer): void {
	const slash = timer.indexOf("/");
	const subject = timer.slice(slash + 1);
	switch (timer.slice(0, slash)) {
		case "suspicion":
			handleSuspicionTimer(core, subject as NodeId);
			return;
		case "dead":
			handleDeadTimer(core, subject as NodeId);
			return;
		case "relay":
			handleRelayTimer(core, Number(subject));
			return;
		default:
			handleQueryTimer(core, Number(subject));
	}
}

function receive(core: SwimCore, from: NodeId, message: SwimMessage): void {
	assert(core.phase !== "new", "a life starts before it hears");
	if (from === core.config.nodeId) return;
	// News first: they may say what the rest of the message must be seen with.
	if ("updates" in message) {
		for (const update of message.updates) handleUpdate(core, update, from);
		for (const event of message.events) handleEvent(core, event);
	}
	switch (message.type) {
		case "ping":
			handlePing(core, from, message);
			return;
		case "ack":
			handleAck(core, from, message);
			return;
		case "ping-request":
			handlePingRequest(core, from, message);
			return;
		case "nack":
			handleNack(core, from, message);
			return;
		case "gossip":
			return;
		case "sync-request":
			handleSyncRequest(core, from, message);
			return;
		case "sync-response":
			handleSyncResponse(core, from, message);
			return;
		case "query-answer":
			handleQueryAnswer(core, from, message);
			return;
		default:
			assertNever(message, "message");
	}
}

function handleRequest(core: SwimCore, requestId: RequestId, request: SwimRequest): void {
	if (core.phase !== "running") {
		reply(core, requestId, { type: "refused", reason: "leaving" });
		return;
	}
	switch (request.type) {
		case "join":
			join(core, requestId, request.seeds);
			return;
		case "leave":
			leave(core, requestId);
			return;
		case "set-tags":
			setTags(core, requestId, request.tags);
			return;
		case "spread-event":
			startEvent(core, requestId, request.name, request.payload, null);
			return;
		case "query":
			startEvent(core, requestId, request.name, request.payload, request.filter ?? NO_BYTES);
			return;
		case "tune":
			tune(core, requestId, request.gossipFanout, request.gossipIntervalMs);
			return;
		case "answer-query":
			answerQuery(core, requestId, request.origin, request.lamport, request.payload);
			return;
		default:
			assertNever(request, "request");
	}
}

function join(core: SwimCore, requestId: RequestId, seeds: readonly NodeId[]): void {
	if (!Array.isArray(seeds) || seeds.length === 0 || seeds.length > SEEDS_MAX || !seeds.every(isNodeId)) {
		reply(core, requestId, { type: "refused", reason: "malformed", field: "seeds" });
	} else if (core.joining !== null) {
		reply(core, requestId, { type: "refused", reason: "join-in-progress" });
	} else {
		beginJoin(core, requestId, seeds);
	}
}

function setTags(core: SwimCore, requestId: RequestId, tags: Uint8Array): void {
	if (!(tags instanceof Uint8Array)) {
		reply(core, requestId, { type: "refused", reason: "malformed", field: "tags" });
	} else if (tags.length > TAGS_BYTES_MAX) {
		const limitBytes = TAGS_BYTES_MAX;
		reply(core, requestId, { type: "refused", reason: "too-large", sizeBytes: tags.length, limitBytes });
	} else {
		core.tags = tags;
		announce(core, core.incarnation + 1);
		reply(core, requestId, { type: "tags-set", incarnation: core.incarnation });
	}
}

/** Takes effect with the next tick. */
function tune(core: SwimCore, requestId: RequestId, fanout: number, intervalMs: number): void {
	const field = tuningFault(fanout, intervalMs);
	if (field !== null) {
		reply(core, requestId, { type: "refused", reason: "malformed", field });
		return;
	}
	core.gossip = { fanout, intervalMs };
	reply(core, requestId, { type: "tuned" });
}

/** Says that it goes, and goes on to answer probes until that is spread: or it would be suspected meanwhile. */
function leave(core: SwimCore, requestId: RequestId): void {
	const { nodeId, leaveMs } = core.config;
	core.phase = "leaving";
	core.leaveRequestId = requestId;
	const { incarnation } = core;
	const farewell = {
		kind: "left",
		node: nodeId,
		incarnation,
		by: nodeId,
		tags: NO_BYTES,
		signature: NO_BYTES,
	} as const;
	core.own = signUpdate(core.ports.crypto, farewell);
	spread(core, core.own);
	setTimer(core, "leave", leaveMs);
}

function finishLeave(core: SwimCore): void {
	core.phase = "left";
	if (core.leaveRequestId !== null) reply(core, core.leaveRequestId, { type: "left" });
	core.leaveRequestId = null;
}
