/**
 * Goal: a configuration comes out of its log entry as it went in, and at each moment the right one of a log is in force.
 * Method: random configurations through the codec, every damaged form refused; random appends, cuts and snapshots on a
 * history, against a plain list.
 */
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { AssertionError, type NodeId, nodeId } from "../../../protocols/core/index.ts";
import { ConfigurationHistory } from "../../../protocols/raft/configuration-history.ts";
import {
	type Configuration,
	configurationOf,
	decodeConfiguration,
	encodeConfiguration,
	isVoter,
	membersOf,
	votersOf,
} from "../../../protocols/raft/index.ts";
import { index } from "./lone-machine.ts";

const ids = fc.stringMatching(/^[A-Za-z0-9._-]{1,64}$/).map(nodeId);
const lists = fc.uniqueArray(ids, { maxLength: 6 }).map((list) => list.sort());
const configurations: fc.Arbitrary<Configuration> = fc.record({
	voters: lists,
	outgoing: lists,
	learners: lists,
	witnesses: lists,
	autoLeave: fc.boolean(),
});

describe("the entry of a configuration", () => {
	it("says what was put in", () => {
		fc.assert(
			fc.property(configurations, (configuration) => {
				expect(decodeConfiguration(encodeConfiguration(configuration))).toEqual(configuration);
			}),
		);
	});

	it("is refused when anything is missing, added or of another version", () => {
		fc.assert(
			fc.property(configurations, fc.nat(), (configuration, at) => {
				const data = encodeConfiguration(configuration);
				expect(() => decodeConfiguration(data.slice(0, at % data.length))).toThrow(AssertionError);
				expect(() => decodeConfiguration(Uint8Array.from([...data, 0]))).toThrow(AssertionError);
				expect(() => decodeConfiguration(Uint8Array.from([3, ...data.slice(1)]))).toThrow(AssertionError);
				expect(() => decodeConfiguration(Uint8Array.from([1, 2, ...data.slice(2)]))).toThrow(AssertionError);
			}),
		);
	});

	it("has these bytes: they are on disks", () => {
		const [a, b, c] = ["a", "bb", "c"].map(nodeId) as [NodeId, NodeId, NodeId];
		const joint = { voters: [a, b], outgoing: [c], learners: [], witnesses: [], autoLeave: true };
		expect([...encodeConfiguration(joint)]).toEqual([1, 1, 2, 1, 97, 2, 98, 98, 1, 1, 99, 0]);
		const witnessed = [...encodeConfiguration({ ...joint, witnesses: [c] })];
		expect(witnessed).toEqual([2, 1, 2, 1, 97, 2, 98, 98, 1, 1, 99, 0, 1, 1, 99]);
	});
});

describe("members and voters", () => {
	it("of a joint configuration are those of both halves; one that is being demoted still votes", () => {
		const [a, b, c, d] = ["a", "b", "c", "d"].map(nodeId) as [NodeId, NodeId, NodeId, NodeId];
		const joint = { ...configurationOf([b, a], [d, c]), outgoing: [a, c] };
		expect(votersOf(joint)).toEqual([a, b, c]);
		expect(membersOf(joint)).toEqual([a, b, c, d]);
		expect([a, b, c, d].map((node) => isVoter(joint, node))).toEqual([true, true, true, false]);
	});
});

describe("the history of configurations", () => {
	it("knows which one is in force at each index, through appends, cuts and snapshots", () => {
		const numbered = (n: number): Configuration => configurationOf([nodeId(`n${n}`)]);
		const steps = fc.array(fc.tuple(fc.constantFrom("entry", "configuration", "cut", "snapshot"), fc.nat(9)));
		fc.assert(
			fc.property(steps, (list) => {
				const first = numbered(0);
				let history = new ConfigurationHistory({ index: index(0), configuration: first });
				/** The configuration in force at each index from 0 on, and where the snapshot stands. */
				let model = [first];
				let covered = 0;
				let made = 0;
				for (const [step, back] of list) {
					const last = model.length - 1;
					if (step === "entry") model.push(model[last] as Configuration);
					else if (step === "configuration") {
						const configuration = numbered(++made);
						model.push(configuration);
						history.push({ index: index(last + 1), configuration });
					} else if (step === "cut") {
						const from = Math.max(covered + 1, last + 1 - back);
						const before = model[last];
						model = model.slice(0, from);
						expect(history.truncateFrom(index(from))).toBe(before !== model.at(-1));
					} else {
						covered = Math.max(covered, last - back);
						history.forgetBefore(index(covered));
					}
					history = history.copy();
					expect(history.latest.configuration).toBe(model.at(-1));
					for (let at = covered; at < model.length; at++) {
						expect(history.asOf(index(at)).configuration).toBe(model[at]);
					}
				}
			}),
		);
	});
});
