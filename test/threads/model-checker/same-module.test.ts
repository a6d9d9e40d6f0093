/**
 * Goal: what the checker proves, it proves of the code that runs. Method: the built package by its own name. A participant,
 * which threads and simulation share, makes its machine in this thread and in a worker; the checker's port makes one
 * here; all are of the class in the one file that `quorate/protocols/raft` stands for.
 */
import { Worker } from "node:worker_threads";
import { RaftMachine } from "quorate/protocols/raft";
import { raftModel } from "quorate/protocols/raft/model";
import { raftProperties } from "quorate/protocols/raft/properties";
import { explore, groupSpace } from "quorate/verification/model-checker";
import { expect, test } from "vitest";
import type { MachineOrigin, machineOrigin, participantMachine } from "../../fixtures/raft-module.ts";

const fixture = new URL("../../../dist/test/fixtures/raft-module.js", import.meta.url);
const model = raftModel({
	nodes: 3,
	terms: 1,
	log: 1,
	inFlight: 2,
	crashes: 0,
	losses: 0,
	duplicates: 0,
	requests: 0,
	preVote: false,
	disk: "synchronous",
	network: "set",
	isReduced: true,
	isSymmetric: true,
});

test("checker, simulation and worker load the same Raft machine", async () => {
	const here = (await import(fixture.href)) as {
		readonly machineOrigin: typeof machineOrigin;
		readonly participantMachine: typeof participantMachine;
	};
	const inWorker = await new Promise<MachineOrigin>((resolve, reject) => {
		const worker = new Worker(fixture);
		worker.once("message", resolve);
		worker.once("error", reject);
	});
	expect(here.machineOrigin()).toEqual({ url: inWorker.url, isPackageClass: true });
	expect(inWorker.isPackageClass).toBe(true);
	const [node] = model.port.nodes;
	expect(node).toBeDefined();
	if (node === undefined) return;
	const checked = model.port.create(node);
	expect(checked).toBeInstanceOf(RaftMachine);
	expect(Object.getPrototypeOf(here.participantMachine())).toBe(Object.getPrototypeOf(checked));
});

test("the built checker judges the built machine by the built properties", () => {
	const { verdict, properties } = explore(groupSpace(model), { statesMax: 10_000 });
	expect(verdict).toBe("proved");
	const known = new Set(raftProperties.map(({ id }) => id));
	expect(properties.filter(({ id }) => !known.has(id)).map(({ id }) => id)).toEqual(["machine-asserts"]);
});
