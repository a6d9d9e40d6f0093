/**
 * Goal: a data directory serves one living process at a time and one cluster for ever; what a dead process left is taken over.
 * Method: lock files as other processes would leave them (living, dead, with a reused pid, of another boot, of a namespace
 * that can not be seen), damaged manifests, starts that were cut off.
 */
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { DataDirectory } from "../../../runtime/storage/data-directory.ts";
import { DirectoryLock } from "../../../runtime/storage/directory-lock.ts";
import { LmdbEngine } from "../../../runtime/storage/lmdb-engine.ts";
import { ownIdentity, type ProcessIdentity } from "../../../runtime/storage/process-identity.ts";
import { makeTemporaryDirectory } from "../../../runtime/storage/temporary-directory.ts";

const owner = { clusterId: "flights", nodeIds: ["node-1", "node-2", "node-3"], application: "Ledger" };
let directory = "";

beforeEach(() => {
	directory = mkdtempSync(join(tmpdir(), "quorate-data-"));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function leaveLock(number: number, identity: ProcessIdentity, released = false): void {
	writeFileSync(join(directory, `lock-${number}`), JSON.stringify({ ...identity, released }));
}

const locks = (): string[] => readdirSync(directory).filter((name) => name.startsWith("lock-"));

/** The pid of a process that has ended and been waited for. */
async function deadPid(): Promise<number> {
	const child = spawn(process.execPath, ["--version"], { stdio: "ignore" });
	await new Promise((resolve) => child.on("exit", resolve));
	return child.pid ?? 0;
}

const inUse = (pid: number | null): unknown =>
	expect.objectContaining({ code: "data-directory-in-use", details: expect.objectContaining({ directory, pid }) });

describe("the lock", () => {
	it("is held until it is released, also against this process itself", () => {
		const first = DirectoryLock.acquire(directory);
		expect(() => DirectoryLock.acquire(directory)).toThrowError(inUse(process.pid));
		first.release();
		const second = DirectoryLock.acquire(directory);
		expect(() => DirectoryLock.acquire(directory)).toThrowError(inUse(process.pid));
		second.release();
		expect(locks()).toHaveLength(1);
	});

	it("of another living process is respected", () => {
		leaveLock(4, { ...ownIdentity(), pid: process.ppid, startTicks: null });
		expect(() => DirectoryLock.acquire(directory)).toThrowError(inUse(process.ppid));
		expect(locks()).toEqual(["lock-4"]);
	});

	it("of a dead process is taken over", async () => {
		leaveLock(4, { ...ownIdentity(), pid: await deadPid() });
		DirectoryLock.acquire(directory);
		expect(locks()).toEqual(["lock-5"]);
		expect(() => DirectoryLock.acquire(directory)).toThrowError(inUse(process.pid));
	});

	it("of a dead process whose pid was given to another is taken over, where start times are known", () => {
		const own = ownIdentity();
		leaveLock(1, { ...own, startTicks: own.startTicks === null ? null : `${own.startTicks}0` });
		if (own.startTicks === null) expect(() => DirectoryLock.acquire(directory)).toThrowError(inUse(own.pid));
		else DirectoryLock.acquire(directory);
	});

	it("of an earlier boot is taken over, where boots are known", () => {
		const own = ownIdentity();
		leaveLock(1, { ...own, bootId: own.bootId === null ? null : "another" });
		if (own.bootId === null) expect(() => DirectoryLock.acquire(directory)).toThrowError(inUse(own.pid));
		else DirectoryLock.acquire(directory);
	});

	it("of a process that can not be seen from here, and one that can not be read, is respected without a pid", () => {
		leaveLock(1, { ...ownIdentity(), pidNamespace: "pid:[1]" });
		expect(() => DirectoryLock.acquire(directory)).toThrowError(inUse(null));
		writeFileSync(join(directory, "lock-2"), "{");
		expect(() => DirectoryLock.acquire(directory)).toThrowError(inUse(null));
	});

	it("goes by the highest number, whatever lies below", async () => {
		leaveLock(1, ownIdentity());
		leaveLock(2, { ...ownIdentity(), pid: await deadPid() });
		DirectoryLock.acquire(directory);
		expect(locks()).toEqual(["lock-3"]);
	});
});

describe("the manifest", () => {
	it("lets the same owner in again, whatever the order of its nodes", () => {
		const first = DataDirectory.open(directory, owner);
		expect(first.isNew).toBe(true);
		first.confirm();
		first.close();
		const again = DataDirectory.open(directory, { ...owner, nodeIds: ["node-3", "node-1", "node-2"] });
		expect(again.isNew).toBe(false);
		again.close();
	});

	it("makes directories that do not exist", () => {
		const path = join(directory, "a", "b");
		DataDirectory.open(path, owner).close();
		expect(readdirSync(join(directory, "a"))).toEqual(["b"]);
	});

	for (const [field, other, found] of [
		["cluster-id", { ...owner, clusterId: "others" }, "flights"],
		["node-ids", { ...owner, nodeIds: ["node-1"] }, "node-1, node-2, node-3"],
		["application", { ...owner, application: "Auction" }, "Ledger"],
	] as const) {
		it(`refuses another ${field}, and gives the lock back`, () => {
			const mine = DataDirectory.open(directory, owner);
			mine.confirm();
			mine.close();
			expect(() => DataDirectory.open(directory, other)).toThrowError(
				expect.objectContaining({
					code: "data-directory-foreign",
					details: expect.objectContaining({ directory, field, found }),
				}),
			);
			DataDirectory.open(directory, owner).close();
		});
	}

	it("of before the application was written down is accepted from any, and completed", () => {
		const { application: _, ...before } = owner;
		const old = DataDirectory.open(directory, before);
		old.confirm();
		old.close();
		DataDirectory.open(directory, owner).close();
		DataDirectory.open(directory, before).close();
		const other = { ...owner, application: "Auction" };
		expect(() => DataDirectory.open(directory, other)).toThrowError(
			`${directory} belongs to another swarm: it was made for the application Ledger, and this is the application Auction`,
		);
		expect(readdirSync(directory).filter((name) => !name.startsWith("lock-"))).toEqual(["manifest.json"]);
	});

	for (const [when, format] of [
		["the past", "quorate-data-1"],
		["the future", "quorate-data-3"],
	] as const) {
		it(`refuses a format of ${when}`, () => {
			writeFileSync(join(directory, "manifest.json"), JSON.stringify({ ...owner, format }));
			expect(() => DataDirectory.open(directory, owner)).toThrowError(
				expect.objectContaining({
					code: "data-directory-foreign",
					details: { directory, field: "format", expected: "quorate-data-2", found: format },
					message: `${directory} is in the format ${format}, this version reads quorate-data-2 only`,
				}),
			);
		});
	}

	for (const [what, text] of [
		["no JSON", "{"],
		["no manifest", "[]"],
		["half a manifest", '{"format":"quorate-data-2","clusterId":"flights"}'],
	] as const) {
		it(`that is ${what} is told as corrupt`, () => {
			writeFileSync(join(directory, "manifest.json"), text);
			expect(() => DataDirectory.open(directory, owner)).toThrowError(
				expect.objectContaining({ code: "data-directory-corrupt" }),
			);
		});
	}

	it("is not begun in a directory that holds other things, a database without a manifest among them", () => {
		for (const name of ["notes.txt", "data.mdb"]) {
			writeFileSync(join(directory, name), "mine");
			expect(() => DataDirectory.open(directory, owner)).toThrowError(
				expect.objectContaining({
					code: "data-directory-foreign",
					details: { directory, field: "content", expected: "an empty directory", found: name },
					message: `${directory} is no data directory and not empty: it holds ${name}, and no manifest.json that says whose it is`,
				}),
			);
			expect(readdirSync(directory), "nothing is left in it").toEqual([name]);
			rmSync(join(directory, name));
		}
	});

	it("is begun anew after a start that was cut off before its end", async () => {
		const cutOff = DataDirectory.open(directory, owner);
		writeFileSync(join(directory, "data.mdb"), "half made");
		cutOff.close();
		const engine = LmdbEngine.open(directory, owner);
		await engine.close();
		expect(readdirSync(directory).filter((name) => name.startsWith("manifest"))).toEqual(["manifest.json"]);
	});

	it("that can not be written is the disk's failure", () => {
		writeFileSync(join(directory, "file"), "");
		expect(() => DataDirectory.open(join(directory, "file", "below"), owner)).toThrowError(
			expect.objectContaining({ code: "disk-failed" }),
		);
		expect(() => DataDirectory.open(join(directory, "file"), owner)).toThrowError(
			expect.objectContaining({ code: "disk-failed", message: expect.stringContaining("it is not a directory") }),
		);
	});

	it("that is a temporary one is the disk's failure, too, where nothing can be made", async () => {
		const made = await makeTemporaryDirectory(directory);
		expect(readdirSync(directory).map((name) => join(directory, name))).toContain(made);
		await expect(makeTemporaryDirectory(join(directory, "none"))).rejects.toMatchObject({
			code: "disk-failed",
			details: { directory: join(directory, "none") },
		});
	});

	// `mkdir` with Node 20's own recursion never returns there.
	it.runIf(existsSync("/proc/self"))("below a directory in which nothing can be made is refused at once", () => {
		for (const path of ["/proc/nope", "/proc/nope/below"]) {
			expect(() => DataDirectory.open(path, owner)).toThrowError(expect.objectContaining({ code: "disk-failed" }));
		}
	});
});
