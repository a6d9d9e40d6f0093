/**
 * Goal: what protocols assume of quorums and votes is true for any number of members and terms, where tests and model
 * checkers can only try small numbers; and it is the code's arithmetic that it is true of.
 * Method: each lemma is an SMT-LIB text beside this file, which any SMT solver can read; here it is Z3, compiled to
 * WebAssembly. A `lemma:` asks for a counterexample, and there must be none (`unsat`). A `twin:` is a lemma with a guard
 * dropped or a quorum one smaller, and must have one (`sat`): so the assumptions do not contradict each other,
 * and the guard is needed. `unknown` is neither. Then the definitions in the texts are evaluated and held against `protocols/raft/quorum.ts`.
 */
import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, expect, it } from "vitest";
import { init, killThreads } from "z3-solver";
import { type NodeId, nodeId } from "../../../protocols/core/index.ts";
import { type Configuration, configurationOf } from "../../../protocols/raft/index.ts";
import { isQuorum, largestAgreed } from "../../../protocols/raft/quorum.ts";

const directory = new URL("./", import.meta.url);
const files = readdirSync(directory).filter((name) => name.endsWith(".smt2"));
const textOf = (file: string): string => readFileSync(new URL(file, directory), "utf8");

let solver: Awaited<ReturnType<typeof init>>;
beforeAll(async () => {
	solver = await init();
});
// They would keep the process alive.
afterAll(() => killThreads(solver.em));

/** Steps of the solver after which it says `unknown`. No question here takes a tenth of them. */
const RESOURCES_MAX = 1_000_000;

/**
 * What the solver prints, line by line. Not by its own `eval_smtlib2_string`, which lets another thread read the script
 * from a stack that is in use again by then (5.2.0), but at once, on this thread.
 */
function run(script: string): string[] {
	const { Z3, em } = solver;
	const context = Z3.mk_context(Z3.mk_config());
	try {
		const limited = `(set-option :rlimit ${RESOURCES_MAX})\n${script}`;
		return em.ccall("Z3_eval_smtlib2_string", "string", ["number", "string"], [context, limited]).trim().split("\n");
	} finally {
		Z3.del_context(context);
	}
}

/** What it must print: each claim, and then its answer. */
function expectedOf(script: string): string[] {
	const claims = [...script.matchAll(/^\(echo "(.*)"\)$/gm)].map((match) => match[1] as string);
	return claims.flatMap((claim) => [claim, claim.startsWith("lemma: ") ? "unsat" : "sat"]);
}

/** The definitions of a text, without what it assumes and asks. */
function definitionsOf(script: string): string[] {
	return script.match(/^\(define-fun .*(?:\n[ ].*)*/gm) ?? [];
}

const voters = (prefix: string, count: number): NodeId[] =>
	Array.from({ length: count }, (_, i) => nodeId(`${prefix}${i}`));

it.each(files)("%s", (file) => {
	const script = textOf(file);
	const expected = expectedOf(script);
	expect(run(script)).toEqual(expected);
	expect(expected.every((line) => /^(?:lemma: |twin: |unsat$|sat$)/.test(line))).toBe(true);
	expect(expected).toContain("unsat");
	expect(expected).toContain("sat");
});

it("a quorum that is one too small is found by its lemmas", () => {
	const planted = ["majorities.smt2", "joint-consensus.smt2", "single-server-change.smt2"];
	for (const file of planted) {
		const script = textOf(file).replace("(+ (div n 2) 1)", "(div n 2)");
		const answers = run(script);
		const wrong = expectedOf(script).filter((line, i) => line !== answers[i]);
		expect(wrong, file).toContain("unsat");
	}
});

it("a question that is too hard is not answered, and so fails", () => {
	const [, answer] = run(
		'(declare-const a Int)(echo "lemma: hard")(set-option :rlimit 1)(assert (> (* a a a) 7))(check-sat)',
	);
	expect(answer).toBe("unknown");
});

it("the majority of the lemmas is the one that the code counts", () => {
	const definitions = files.flatMap((file) =>
		definitionsOf(textOf(file)).filter((text) => text.includes("majority (")),
	);
	expect(definitions).toHaveLength(3);
	expect(new Set(definitions).size).toBe(1);

	const sizes = Array.from({ length: 61 }, (_, i) => i + 1);
	const questions = sizes.map((size) => `(simplify (majority ${size}))`);
	const answers = run([definitions[0], ...questions].join("\n")).map(Number);
	for (const [i, size] of sizes.entries()) {
		const all = voters("n", size);
		const configuration = configurationOf(all);
		const first = (count: number) => (voter: NodeId) => all.indexOf(voter) < count;
		const smallest = all.findIndex((_, j) => isQuorum(configuration, first(j + 1))) + 1;
		expect({ size, majority: answers[i] }).toEqual({ size, majority: smallest });
		// What that many have reached is agreed, and what one less has is not.
		const reached = (count: number) => (voter: NodeId) => (first(count)(voter) ? 1 : 0);
		expect(largestAgreed(configuration, reached(smallest))).toBe(1);
		expect(largestAgreed(configuration, reached(smallest - 1))).toBe(0);
	}
});

it("the joint quorum of the lemmas is the one that the code counts", () => {
	const definitions = definitionsOf(textOf("joint-consensus.smt2")).join("\n");
	const script: string[] = [];
	const counted: boolean[] = [];
	for (const [leaving, staying, coming] of triples([2, 2, 2])) {
		if (leaving + staying === 0 || staying + coming === 0) continue;
		script.push("(push 1)");
		script.push(`(define-fun leaving () Int ${leaving})`);
		script.push(`(define-fun staying () Int ${staying})`);
		script.push(`(define-fun coming () Int ${coming})`);
		script.push(definitions);
		const regions = [voters("leaving-", leaving), voters("staying-", staying), voters("coming-", coming)] as const;
		const configuration: Configuration = {
			...configurationOf([...regions[1], ...regions[2]]),
			outgoing: configurationOf([...regions[0], ...regions[1]]).voters,
		};
		for (const agree of triples([leaving, staying, coming])) {
			script.push(`(simplify (joint-quorum ${agree.join(" ")}))`);
			const agreeing = regions.flatMap((region, i) => region.slice(0, agree[i]));
			counted.push(isQuorum(configuration, (voter) => agreeing.includes(voter)));
		}
		script.push("(pop 1)");
	}
	expect(run(script.join("\n"))).toEqual(counted.map(String));
	expect(new Set(counted).size).toBe(2);
});

type Triple = readonly [number, number, number];

/** All triples of counts up to these. */
function triples([a, b, c]: Triple): Triple[] {
	const upTo = (max: number): number[] => Array.from({ length: max + 1 }, (_, i) => i);
	return upTo(a).flatMap((i) => upTo(b).flatMap((j) => upTo(c).map((k): Triple => [i, j, k])));
}
