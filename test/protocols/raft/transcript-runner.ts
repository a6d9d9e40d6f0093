/**
 * Raft told as text: a group whose every step a script decides, and everything that the machines do, printed. The files
 * are in `test/transcripts/raft`, in the manner of etcd's testdata: commands, a line of four dashes, the full output.
 *
 * | command | does |
 * |---|---|
 * | `group a b c [option=value …]` | boots nodes; options are integer or boolean fields of the config, `lease=PPM`, `witnesses=c,d`, `priorities=a:2,b:0` |
 * | `group a=1,1,2 b=1 …` | the same with logs, given by their terms |
 * | `election NODE` / `heartbeat NODE` / `read-timer NODE` / `forward-timer NODE` | that timer fires, if it is set |
 * | `wait MS` | so much later by every node's clock; no timer fires by itself |
 * | `propose NODE TEXT …` | one batch of commands |
 * | `session NODE` / `command NODE SESSION SERIAL TEXT` | opens a session / a command of one |
 * | `read NODE [COUNT]` | one batch of linearizable reads |
 * | `disk [NODE …]` | the disks finish what they were handed |
 * | `deliver [FROM>TO …]` / `drop [FROM>TO …]` | what is on the network now arrives, or is lost; `*` is any node |
 * | `settle` | disks and network until nothing is left |
 * | `crash NODE` / `restart NODE` | memory and unfinished writes are lost / back from the disk |
 * | `join NODE …` | boots nodes that are no members yet, with the group's options |
 * | `change NODE add-learner/add-witness/promote/remove MEMBER [TRANSITION]` | asks for a membership change |
 * | `change NODE set VOTERS [LEARNERS [TRANSITION]]` | the same, with lists as `a,b,c`; `-` is the empty one |
 * | `leave NODE` | asks to leave a joint configuration |
 * | `transfer NODE [TO]` / `transfer-timeout NODE` | asks to hand leadership over / the time for that is over |
 * | `forget NODE` | tells it that its leader is gone |
 * | `unreachable NODE PEER` | its host believes so |
 * | `status` / `log NODE` / `progress NODE` / `members NODE` | prints |
 */
import { assert, type Effect, type Input, must, type NodeId, nodeId } from "../../../protocols/core/index.ts";
import {
	type Configuration,
	decodeConfiguration,
	type Entry,
	type LogIndex,
	type MembershipChange,
	type MembershipTransition,
	RaftApplier,
	type RaftConfig,
	type RaftDelivery,
	type RaftEvent,
	RaftMachine,
	type RaftMessage,
	type RaftRequest,
	type RaftTimer,
	type RaftTypes,
	type RaftWrite,
	raftConfig,
	type SessionId,
	type Term,
} from "../../../protocols/raft/index.ts";
import { Ledger } from "./chaos-run.ts";
import { type Disk, performWrite } from "./deterministic-driver.ts";
import { bytes, entriesOf } from "./lone-machine.ts";
import { decodeSnapshot, encodeSnapshot } from "./snapshot-bytes.ts";

/** Runs a transcript and returns it with its outputs as they are now. */
export function runTranscript(text: string): string {
	const group = new ScriptedGroup();
	return text
		.trimEnd()
		.split("\n\n")
		.map((block) => {
			const [script, ...rest] = block.split("\n----");
			if (rest.length === 0) return block;
			const commands = must(script, "a block has a script").split("\n");
			for (const line of commands) if (!line.startsWith("#")) group.perform(line);
			return [script, "----", ...group.takeOutput()].join("\n");
		})
		.join("\n\n")
		.concat("\n");
}

interface ScriptedNode {
	readonly id: NodeId;
	readonly config: RaftConfig;
	readonly disk: Disk;
	machine: RaftMachine;
	applier: RaftApplier;
	isUp: boolean;
	writes: { writeId: number; write: RaftWrite }[];
	/** Held effects; null marks the place of a persist. */
	held: (Effect<RaftTypes> | null)[];
	timers: Set<string>;
	/** What the host owes the machine: answers to reads, snapshots that are ready. */
	owed: Input<RaftTypes>[];
}

class ScriptedGroup {
	readonly #nodes = new Map<NodeId, ScriptedNode>();
	#network: { from: NodeId; to: NodeId; message: RaftMessage }[] = [];
	#output: string[] = [];
	#nextRequest = 1;
	#nowMs = 0;
	#voters: readonly NodeId[] = [];
	#options: Readonly<Record<string, unknown>> = {};

	takeOutput(): string[] {
		const output = this.#output;
		this.#output = [];
		return output.length === 0 ? ["ok"] : output;
	}

	perform(line: string): void {
		const [verb, ...words] = line.split(" ");
		const node = (): ScriptedNode => this.#node(must(words[0], "the command names a node"));
		const commands: Readonly<Record<string, () => void>> = {
			group: () => this.#boot(words),
			election: () => this.#fire(node(), "election"),
			heartbeat: () => this.#fire(node(), "heartbeat"),
			forget: () => this.#step(node(), this.#request({ type: "forget-leader" })),
			wait: () => {
				this.#nowMs += Number(words[0]);
			},
			"read-timer": () => this.#fire(node(), "read"),
			"forward-timer": () => this.#fire(node(), "forward"),
			propose: () => this.#step(node(), ...words.slice(1).map((text) => this.#request(proposal(0, 0, text)))),
			command: () => {
				const [, session, serial, text] = words;
				this.#step(node(), this.#request(proposal(Number(session), Number(serial), must(text, "a text"))));
			},
			session: () => this.#step(node(), this.#request({ type: "open-session" })),
			read: () => {
				const count = Number(words[1] ?? 1);
				const reads = Array.from({ length: count }, () => this.#request({ type: "read", query: bytes("") }));
				this.#step(node(), ...reads);
			},
			disk: () => {
				for (const id of words.length > 0 ? words : this.#nodes.keys()) this.#finishWrites(this.#node(id));
			},
			deliver: () => this.#deliver(words, true),
			drop: () => this.#deliver(words, false),
			settle: () => this.#settle(),
			crash: () => this.#crash(node()),
			restart: () => this.#start(node()),
			join: () => {
				for (const id of words) this.#bootOne(nodeId(id), []);
			},
			change: () => this.#step(node(), this.#request(changeOf(words.slice(1)))),
			leave: () => this.#step(node(), this.#request({ type: "leave-joint" })),
			transfer: () => {
				const to = words[1] === undefined ? null : nodeId(words[1]);
				this.#step(node(), this.#request({ type: "transfer-leadership", to }));
			},
			"transfer-timeout": () => this.#fire(node(), "transfer"),
			unreachable: () => {
				const peer = nodeId(must(words[1], "the command names a peer"));
				this.#step(node(), { type: "peer-unreachable", peer });
			},
			members: () => {
				const { configuration, configurationIndex, configurationCommitted } = node().machine.status;
				const state = configurationCommitted ? "committed" : "not committed";
				this.#print(node(), `members ${describeConfiguration(configuration)} of ${configurationIndex}, ${state}`);
			},
			status: () => {
				for (const each of this.#nodes.values()) this.#print(each, describeStatus(each));
			},
			log: () => this.#print(node(), describeLog(node())),
			progress: () => this.#printProgress(node()),
		};
		must(commands[must(verb, "a command has a verb")], `there is a command ${verb}`)();
	}

	#node(id: string): ScriptedNode {
		return must(this.#nodes.get(id as NodeId), `there is a node ${id}`);
	}

	#print(node: ScriptedNode, text: string): void {
		this.#output.push(`${node.id}  ${text}`);
	}

	#boot(words: readonly string[]): void {
		const options: Record<string, unknown> = {};
		const logs = new Map<NodeId, number[]>();
		for (const word of words) {
			const [name, value] = word.split("=") as [string, string | undefined];
			if (value === undefined || /^[a-g]$/.test(name)) {
				logs.set(nodeId(name), value === undefined || value === "" ? [] : value.split(",").map(Number));
			} else if (name === "witnesses") options[name] = value.split(",").map(nodeId);
			else if (name === "priorities") options[name] = Object.fromEntries(value.split(",").map(priorityOf));
			else if (name === "lease") options[name] = { maxClockDriftPpm: Number(value) };
			else options[name] = value === "true" || value === "false" ? value === "true" : Number(value);
		}
		this.#voters = [...logs.keys()];
		this.#options = options;
		for (const [id, terms] of logs) this.#bootOne(id, terms);
	}

	#bootOne(id: NodeId, terms: readonly number[]): void {
		const config = raftConfig({ nodeId: id, voters: this.#voters, ...this.#options });
		const entries = entriesOf(terms);
		const hardState = { term: Math.max(0, ...terms) as Term, votedFor: null };
		const disk = {
			hardState,
			snapshot: null,
			snapshotBytes: bytes(""),
			firstIndex: 1 as LogIndex,
			entries,
			received: [],
		};
		const node = { id, config, disk, isUp: false, writes: [], held: [], timers: new Set<string>(), owed: [] };
		const made = { ...node, machine: new RaftMachine(config), applier: new RaftApplier(new Ledger()) };
		this.#nodes.set(id, made);
		this.#start(made);
	}

	#start(node: ScriptedNode): void {
		assert(!node.isUp, "only a node that is down can start");
		node.machine = new RaftMachine(node.config);
		node.applier = new RaftApplier(new Ledger());
		node.isUp = true;
		const { hardState, snapshot, firstIndex, entries } = node.disk;
		const durable = { hardState, snapshot, firstIndex, entries: entries.slice() };
		this.#step(node, { type: "start", durable });
	}

	#crash(node: ScriptedNode): void {
		Object.assign(node, { isUp: false, writes: [], held: [], timers: new Set(), owed: [] });
		node.disk.received = [];
		this.#print(node, "down");
	}

	#fire(node: ScriptedNode, timer: RaftTimer): void {
		assert(node.timers.delete(timer), "the timer is set", { node: node.id, timer });
		this.#step(node, { type: "timer", timer });
	}

	#request(request: RaftRequest): Input<RaftTypes> {
		return { type: "request", requestId: this.#nextRequest++, request };
	}

	#step(node: ScriptedNode, ...inputs: Input<RaftTypes>[]): void {
		assert(node.isUp, "only a node that is up takes a step", { node: node.id });
		const effects: Effect<RaftTypes>[] = [];
		for (const input of [...inputs, { type: "batch-ended" } as const]) node.machine.step(input, this.#nowMs, effects);
		for (const effect of effects) {
			this.#print(node, describeEffect(effect));
			if (effect.type === "persist") {
				node.writes.push({ writeId: effect.writeId, write: effect.write });
				node.held.push(null);
			} else if ("release" in effect && effect.release === "after-durable" && node.writes.length > 0) {
				node.held.push(effect);
			} else this.#release(node, effect);
		}
	}

	#release(node: ScriptedNode, effect: Effect<RaftTypes>): void {
		if (effect.type === "send") this.#network.push({ from: node.id, to: effect.to, message: effect.message });
		else if (effect.type === "set-timer") node.timers.add(effect.timer);
		else if (effect.type === "cancel-timer") node.timers.delete(effect.timer);
		else if (effect.type === "apply") this.#apply(node, effect.delivery);
		else if (effect.type === "read") {
			const { lastIndex, offset, lengthBytes } = effect.read;
			const isPresent = node.disk.snapshot?.lastIndex === lastIndex;
			const data = node.disk.snapshotBytes.slice(offset, offset + lengthBytes);
			const result = isPresent
				? ({ type: "chunk", lastIndex, offset, data } as const)
				: ({ type: "missing", lastIndex } as const);
			node.owed.push({ type: "read-completed", readId: effect.readId, result });
		}
	}

	#apply(node: ScriptedNode, delivery: RaftDelivery): void {
		if (delivery.type === "restore-snapshot") {
			node.applier.restoreSnapshot(decodeSnapshot(node.disk.snapshotBytes));
		} else if (delivery.type === "take-snapshot") {
			const { lastIndex, lastTerm, configuration } = delivery;
			const data = encodeSnapshot(node.applier.takeSnapshot());
			const snapshot = { lastIndex, lastTerm, configuration, sizeBytes: data.length };
			node.disk.snapshot = snapshot;
			node.disk.snapshotBytes = data;
			node.owed.push({ type: "snapshot-ready", snapshot });
		} else {
			for (const { requestId, answer } of node.applier.perform(delivery)) {
				const data = "data" in answer ? ` "${new TextDecoder().decode(answer.data)}"` : "";
				const session = answer.type === "session-opened" ? ` ${answer.session}` : "";
				const members =
					answer.type === "membership-changed" ? ` ${answer.index} ${describeConfiguration(answer.configuration)}` : "";
				this.#print(node, `answer r${requestId} ${answer.type}${session}${members}${data}`);
			}
		}
	}

	/** The disk finishes what it was handed, reads and snapshots included. */
	#finishWrites(node: ScriptedNode): void {
		const owed = node.owed.splice(0);
		const last = node.writes.at(-1);
		for (const { write } of node.writes.splice(0)) performWrite(node.disk, write);
		for (const effect of node.held.splice(0)) if (effect !== null) this.#release(node, effect);
		if (last !== undefined) this.#step(node, { type: "write-completed", writeId: last.writeId });
		for (const input of owed) this.#step(node, input);
	}

	#deliver(links: readonly string[], arrives: boolean): void {
		const matches = (from: string, to: string): boolean =>
			links.length === 0 ||
			links.some((link) => {
				const [wantFrom, wantTo] = link.split(">");
				return (wantFrom === "*" || wantFrom === from) && (wantTo === "*" || wantTo === to);
			});
		const taken = this.#network.filter(({ from, to }) => matches(from, to));
		this.#network = this.#network.filter((sent) => !taken.includes(sent));
		for (const { from, to, message } of taken) {
			const node = this.#nodes.get(to);
			if (arrives && node?.isUp) this.#step(node, { type: "message", from, message });
			else this.#output.push(`${from} → ${to}  lost: ${message.type}`);
		}
	}

	#settle(): void {
		const isBusy = (): boolean =>
			this.#network.length > 0 ||
			[...this.#nodes.values()].some((node) => node.isUp && node.writes.length + node.owed.length > 0);
		for (let rounds = 0; isBusy(); rounds++) {
			assert(rounds < 100, "a group settles");
			for (const node of this.#nodes.values()) if (node.isUp) this.#finishWrites(node);
			this.#deliver([], true);
		}
	}

	#printProgress(node: ScriptedNode): void {
		const { progress } = node.machine.state as { progress: Map<NodeId, Record<string, unknown>> };
		for (const [peer, { mode, match, next, inflight }] of progress) {
			const window = (inflight as number[]).length > 0 ? ` inflight=${(inflight as number[]).join(",")}` : "";
			this.#print(node, `sees ${peer}: ${mode} match=${match} next=${next}${window}`);
		}
	}
}

function changeOf([type, ...words]: readonly string[]): RaftRequest {
	const list = (text = "-"): NodeId[] => (text === "-" ? [] : text.split(",").map(nodeId));
	const transition = (text = "automatic"): MembershipTransition => text as MembershipTransition;
	if (type === "set") {
		const change = { type: "set", voters: list(words[0]), learners: list(words[1]) } as const;
		return { type: "change-membership", change, transition: transition(words[2]) };
	}
	if (type === "add-witness") {
		const change = { type: "add-learner", node: nodeId(must(words[0], "a member")), witness: true } as const;
		return { type: "change-membership", change, transition: transition(words[1]) };
	}
	const change = { type, node: nodeId(must(words[0], "a member")) } as MembershipChange;
	return { type: "change-membership", change, transition: transition(words[1]) };
}

/** `a:2` as a member and its priority. */
function priorityOf(word: string): readonly [string, number] {
	const [node, priority] = word.split(":");
	return [must(node, "a member"), Number(priority)];
}

function proposal(session: number, serial: number, text: string): RaftRequest {
	return { type: "propose", session: session as SessionId, serial, firstIncomplete: serial, data: bytes(text) };
}

function describeEffect(effect: Effect<RaftTypes>): string {
	switch (effect.type) {
		case "send":
			return `→ ${effect.to}  ${describeMessage(effect.message)}${effect.release === "immediate" ? "" : "  (after disk)"}`;
		case "set-timer":
			return `timer ${effect.timer} ${effect.afterMs.min}..${effect.afterMs.max} ms`;
		case "cancel-timer":
			return `no timer ${effect.timer}`;
		case "persist":
			return `disk #${effect.writeId} ${describeWrite(effect.write)}`;
		case "read":
			return `read #${effect.readId} snapshot ${effect.read.lastIndex} from ${effect.read.offset}, ${effect.read.lengthBytes} bytes`;
		case "apply":
			return describeDelivery(effect.delivery);
		case "reply":
			return `reply r${effect.requestId} ${Object.values(effect.reply)
				.map((value) => value ?? "none")
				.join(" ")}`;
		case "emit":
			return describeEvent(effect.event);
	}
}

function describeMessage(message: RaftMessage): string {
	const head = `${message.type} term=${message.term}`;
	switch (message.type) {
		case "request-vote":
			return `${message.preVote ? "pre-" : ""}${head} last=${message.lastIndex}/${message.lastTerm}${message.transfer ? " transfer" : ""}`;
		case "vote":
			return `${message.preVote ? "pre-" : ""}${head} ${message.granted ? "granted" : "denied"}`;
		case "append-entries": {
			const { prevIndex, prevTerm, commit, round, entries } = message;
			return `${head} prev=${prevIndex}/${prevTerm} commit=${commit}${describeRound(round)} ${describeEntries(entries)}`;
		}
		case "append-response": {
			const { accepted, index, hintIndex, hintTerm, round } = message;
			const answer = accepted ? `accepted ${index}` : `refused ${index} hint=${hintIndex}/${hintTerm}`;
			return `${head} ${answer}${describeRound(round)}`;
		}
		case "install-snapshot": {
			const { lastIndex, lastTerm, offset, data, sizeBytes } = message;
			return `${head} last=${lastIndex}/${lastTerm} bytes ${offset}..${offset + data.length} of ${sizeBytes}`;
		}
		case "snapshot-response":
			return `${head} last=${message.lastIndex} next byte ${message.nextOffset}`;
		case "timeout-now":
			return `${head} last=${message.lastIndex}`;
		case "read-index-request":
			return `${head} question ${message.life}.${message.question}`;
		case "read-index-response":
			return `${head} question ${message.life}.${message.question} index=${message.index}`;
		case "forwarded-proposals":
			return `${head} from ${message.life}.${message.first} ${describeEntries(message.entries)}`;
		case "forward-response":
			return `${head} ${message.count} from ${message.life}.${message.number} at ${message.index}`;
		case "forward-refusal":
			return `${head} not ${message.life}.${message.number}: ${Object.values(message.refusal).join(" ")}`;
		case "repair-request":
			return `${head} question ${message.life} log ends at ${message.lastIndex}`;
		case "repair-response":
			return `${head} question ${message.life} log ends at ${message.index}`;
		case "snapshot-request":
			return `${head} from ${message.minIndex} on`;
		case "quiesce":
			return `${head} last=${message.lastIndex}`;
	}
}

const describeRound = (round: number): string => (round === 0 ? "" : ` round=${round}`);

function describeEntries(entries: readonly Entry[]): string {
	const text = ({ kind, data, session, serial }: Entry): string => {
		if (kind === "configuration") return `configuration ${describeConfiguration(decodeConfiguration(data))}`;
		if (kind !== "command") return kind;
		return `"${new TextDecoder().decode(data)}"${session === 0 ? "" : ` of ${session}#${serial}`}`;
	};
	return `[${entries.map((entry) => `${entry.term}:${text(entry)}`).join(", ")}]`;
}

function describeWrite(write: RaftWrite): string {
	const { hardState, truncateFrom, append, snapshotChunk, installSnapshot, compactThrough } = write;
	const parts: string[] = [];
	if (hardState !== undefined) parts.push(`term=${hardState.term} vote=${hardState.votedFor ?? "none"}`);
	if (truncateFrom !== undefined) parts.push(`cut from ${truncateFrom}`);
	if (append !== undefined) parts.push(`append ${append.firstIndex}.. ${describeEntries(append.entries)}`);
	if (snapshotChunk !== undefined) parts.push(`chunk at ${snapshotChunk.offset}, ${snapshotChunk.data.length} bytes`);
	if (installSnapshot !== undefined) parts.push(`install ${installSnapshot.lastIndex}/${installSnapshot.lastTerm}`);
	if (compactThrough !== undefined) parts.push(`compact through ${compactThrough}`);
	return parts.join(", ");
}

function describeDelivery(delivery: RaftDelivery): string {
	switch (delivery.type) {
		case "entries":
			return `apply ${delivery.firstIndex}.. ${describeEntries(delivery.entries)}`;
		case "query":
			return `query r${delivery.requestId}`;
		case "take-snapshot":
			return `take snapshot ${delivery.lastIndex}/${delivery.lastTerm}`;
		case "restore-snapshot":
			return `restore snapshot ${delivery.snapshot.lastIndex}/${delivery.snapshot.lastTerm}`;
	}
}

/** `{a b}`, joint `{a b} from {a b c}`, and what else it says. */
function describeConfiguration({ voters, outgoing, learners, witnesses, autoLeave }: Configuration): string {
	const joint = outgoing.length === 0 ? "" : ` from {${outgoing.join(" ")}}`;
	const more = learners.length === 0 ? "" : ` learners {${learners.join(" ")}}`;
	const withheld = witnesses.length === 0 ? "" : ` witnesses {${witnesses.join(" ")}}`;
	return `{${voters.join(" ")}}${joint}${more}${withheld}${autoLeave ? " auto-leave" : ""}`;
}

function describeEvent(event: RaftEvent): string {
	if (event.type === "configuration-changed" || event.type === "configuration-committed") {
		return `event ${event.type} index=${event.index} ${describeConfiguration(event)}`;
	}
	const { type, ...fields } = event;
	const text = Object.entries(fields).map(([name, value]) => `${name}=${value ?? "none"}`);
	return `event ${type} ${text.join(" ")}`;
}

function describeStatus(node: ScriptedNode): string {
	if (!node.isUp) return "down";
	const { role, term, leader, commitIndex, lastIndex, baseIndex } = node.machine.status;
	return `${role} term=${term} leader=${leader ?? "none"} commit=${commitIndex} log=${baseIndex + 1}..${lastIndex}`;
}

function describeLog(node: ScriptedNode): string {
	const { log } = node.machine.state as { log: { baseIndex: number; entries: readonly Entry[] } };
	return `log ${log.baseIndex + 1}.. ${describeEntries(log.entries)}`;
}
