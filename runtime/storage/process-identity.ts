/** Tells one process from all others on this machine, past and present, and whether it still lives. */
import { readFileSync, readlinkSync } from "node:fs";

export interface ProcessIdentity {
	readonly pid: number;
	/** When it was started, in clock ticks since boot, so that a reused pid is known; null where the system does not tell (only Linux does). */
	readonly startTicks: string | null;
	/** The boot of the machine; null as above. */
	readonly bootId: string | null;
	/** In whose numbering the pid counts; null as above. */
	readonly pidNamespace: string | null;
}

/** `unknown`: it runs, or ran, in a pid namespace (a container) that can not be seen from here. */
export type ProcessState = "alive" | "dead" | "unknown";

export function ownIdentity(): ProcessIdentity {
	return {
		pid: process.pid,
		startTicks: startTicksOf(process.pid),
		bootId: readOrNull(() => readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim()),
		pidNamespace: readOrNull(() => readlinkSync("/proc/self/ns/pid")),
	};
}

/**
 * Whether that process lives. Errs on the side of `alive`: where start times are not known, a reused pid counts as the
 * old process.
 */
export function stateOf(other: ProcessIdentity): ProcessState {
	const own = ownIdentity();
	if (own.bootId !== other.bootId && own.bootId !== null && other.bootId !== null) return "dead";
	if (own.pidNamespace !== other.pidNamespace) return "unknown";
	if (!pidExists(other.pid)) return "dead";
	const startTicks = startTicksOf(other.pid);
	return startTicks !== null && other.startTicks !== null && startTicks !== other.startTicks ? "dead" : "alive";
}

function pidExists(pid: number): boolean {
	try {
		process.kill(pid, 0);
		return true;
	} catch (error) {
		// EPERM: it exists and belongs to another user.
		return !(error instanceof Error && "code" in error && error.code === "ESRCH");
	}
}

/** Field 22 of `/proc/PID/stat`; the second field, the command in parentheses, may hold anything. */
function startTicksOf(pid: number): string | null {
	const stat = readOrNull(() => readFileSync(`/proc/${pid}/stat`, "utf8"));
	if (stat === null) return null;
	const fieldsFromThird = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
	return fieldsFromThird[22 - 3] ?? null;
}

/** Null where the system has no such file: not an error, every system but Linux. */
function readOrNull(read: () => string): string | null {
	try {
		return read();
	} catch {
		return null;
	}
}
