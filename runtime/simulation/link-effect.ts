/** What each fault of a network does to a message that passes a link. */
import { assertNever, type Generator } from "../../protocols/core/index.ts";
import { drawDelayMs } from "./delay-distribution.ts";
import { Gate } from "./gate.ts";
import type { Corruption } from "./network.ts";
import { CLOG_MESSAGES_MAX, type LinkFilter, type NetworkFault } from "./network-fault.ts";

/** A message on its way, and the copies of it that will arrive. */
export interface Passage {
	readonly from: string;
	readonly to: string;
	readonly messageType: string | null;
	readonly sizeBytes: number;
	readonly nowMs: number;
	/** Never empty while effects look at it; what an effect empties is lost. */
	readonly copies: MessageCopy[];
}

export interface MessageCopy {
	afterMs: number;
	gate?: Gate;
	corruption?: Corruption;
}

/** One fault at work. */
export interface LinkEffect {
	/** Changes the copies; true when it has. */
	alter(passage: Passage): boolean;
	/** Ends what it holds back. */
	end?(): void;
}

export function linkEffect(fault: NetworkFault, generator: Generator, newCopy: () => MessageCopy): LinkEffect {
	switch (fault.kind) {
		case "partition":
			return cut(({ from, to }) => !hearEachOther(fault.groups, from, to));
		case "one-way":
			return cut((passage) => isOn(fault, passage));
		case "ring":
			return cut(({ from, to }) => !areNeighbours(fault.order, fault.reach ?? 1, from, to));
		case "isolate":
			return cut(({ from, to }) => isIsolated(fault.nodes, fault.direction ?? "both", from, to));
		case "loss":
			return cut((passage) => isOn(fault, passage) && generator.chance(fault.probability));
		case "drop-kind": {
			const { messageTypes, probability = 1 } = fault;
			return cut(
				(passage) =>
					passage.messageType !== null &&
					messageTypes.includes(passage.messageType) &&
					isOn(fault, passage) &&
					generator.chance(probability),
			);
		}
		case "flap": {
			const periodMs = fault.upMs + fault.downMs;
			const phaseMs = generator.fraction() * periodMs;
			return cut((passage) => isOn(fault, passage) && (passage.nowMs + phaseMs) % periodMs >= fault.upMs);
		}
		case "duplicate":
			return some(fault, generator, ({ copies }) => {
				copies.push(newCopy());
			});
		case "replay":
			return some(fault, generator, ({ copies }) => {
				const { min, max } = fault.ageMs;
				copies.push({ afterMs: newCopy().afterMs + min + generator.fraction() * (max - min) });
			});
		case "reorder":
			return some(fault, generator, ({ copies }) => {
				for (const copy of copies) copy.afterMs += generator.fraction() * fault.windowMs;
			});
		case "delay":
			return some({ ...fault, probability: 1 }, generator, ({ copies }) => {
				for (const copy of copies) copy.afterMs += drawDelayMs(generator, fault.delay);
			});
		case "bandwidth":
			return bandwidth(fault);
		case "corrupt":
			return some(fault, generator, ({ copies }) => {
				const { bits, isChecked = true } = fault;
				const flips = Array.from({ length: bits }, () => generator.uint32());
				for (const copy of copies) copy.corruption = { flips, isChecked };
			});
		case "clog":
			return clog(fault);
		default:
			return assertNever(fault, "kind of network fault");
	}
}

/** Nothing of the message arrives. */
function cut(isCut: (passage: Passage) => boolean): LinkEffect {
	return {
		alter: (passage) => {
			if (!isCut(passage)) return false;
			passage.copies.length = 0;
			return true;
		},
	};
}

/** Changes some messages on some links. */
function some(
	fault: LinkFilter & { readonly probability: number },
	generator: Generator,
	change: (passage: Passage) => void,
): LinkEffect {
	return {
		alter: (passage) => {
			if (!isOn(fault, passage) || !generator.chance(fault.probability)) return false;
			change(passage);
			return true;
		},
	};
}

/** One message after the other on each link; what is being sent and what waits is known by the time it will be gone. */
function bandwidth(fault: Extract<NetworkFault, { kind: "bandwidth" }>): LinkEffect {
	const freeAtMs = new Map<string, number>();
	return {
		alter: (passage) => {
			if (!isOn(fault, passage)) return false;
			const { from, to, nowMs, sizeBytes, copies } = passage;
			const link = `${from}>${to}`;
			const kept: MessageCopy[] = [];
			for (const copy of copies) {
				const startMs = Math.max(nowMs, freeAtMs.get(link) ?? 0);
				if ((startMs - nowMs) * fault.bytesPerMs > fault.queueBytesMax) continue;
				const sentMs = startMs + sizeBytes / fault.bytesPerMs;
				freeAtMs.set(link, sentMs);
				copy.afterMs += sentMs - nowMs;
				kept.push(copy);
			}
			copies.splice(0, copies.length, ...kept);
			return true;
		},
	};
}

function clog(fault: LinkFilter): LinkEffect {
	const gate = new Gate(CLOG_MESSAGES_MAX);
	return {
		alter: (passage) => {
			if (!isOn(fault, passage)) return false;
			for (const copy of passage.copies) copy.gate ??= gate;
			return true;
		},
		end: () => gate.open(),
	};
}

function isOn({ from, to }: LinkFilter, passage: Passage): boolean {
	return (from === undefined || from.includes(passage.from)) && (to === undefined || to.includes(passage.to));
}

function hearEachOther(groups: readonly (readonly string[])[], from: string, to: string): boolean {
	if (groups.some((group) => group.includes(from) && group.includes(to))) return true;
	return !groups.some((group) => group.includes(from) || group.includes(to));
}

function areNeighbours(order: readonly string[], reach: number, from: string, to: string): boolean {
	const a = order.indexOf(from);
	const b = order.indexOf(to);
	if (a < 0 || b < 0) return true;
	const distance = Math.abs(a - b);
	return Math.min(distance, order.length - distance) <= reach;
}

function isIsolated(nodes: readonly string[], direction: "both" | "in" | "out", from: string, to: string): boolean {
	return (direction !== "in" && nodes.includes(from)) || (direction !== "out" && nodes.includes(to));
}
