/**
 * Goal: what an application does wrong is told for what it is, to the right one: a failure stops the participant and names its
 * place and cause; what only concerns one caller is that caller's answer. Method: applications with one mistake each.
 */
import { describe, expect, it } from "vitest";
import { HostedApplication, RESULT_BYTES_MAX } from "../../../actors/participant/hosted-application.ts";
import { decodeAnswer, decodeResult, encodeValue } from "../../../actors/participant/value-codec.ts";
import type { Application } from "../../../protocols/core/index.ts";

const position = { index: 7, term: 1 };
const command = encodeValue({ add: 1 });

function hosted(methods: Partial<Application>, applied?: number[]): HostedApplication {
	const application = { apply: () => 0, query: () => 0, takeSnapshot: () => 0, restoreSnapshot: () => undefined };
	const applying = applied === undefined ? undefined : { set: (value: number) => void applied.push(value) };
	return new HostedApplication("Tally", { ...application, ...methods }, applying);
}

function failureOf(run: () => unknown): unknown {
	try {
		return run();
	} catch (error) {
		return error;
	}
}

const failed = (hook: string, index: number, reason: string) => ({
	code: "application-failed",
	details: { application: "Tally", hook, index, reason },
	message: `the application Tally failed in ${hook} at index ${index}: ${reason}`,
});

/** What a large byte array takes beside its bytes. */
const overheadBytes = encodeValue(new Uint8Array(1_000_000)).length - 1_000_000;
/** Encodes to exactly so many bytes. */
const bytesOf = (encodedBytes: number): Uint8Array => new Uint8Array(encodedBytes - overheadBytes);

describe("a failure", () => {
	it("of apply names what was thrown", () => {
		const apply = (): never => {
			throw new Error("no such account");
		};
		const failure = failureOf(() => hosted({ apply }).apply(command, position));
		expect(failure).toMatchObject(failed("apply", 7, "it threw: no such account"));
	});

	it("is not called a throw when the result can not be encoded", () => {
		const failure = failureOf(() => hosted({ apply: () => () => 0 }).apply(command, position));
		expect(failure).toMatchObject({ code: "application-failed", details: { hook: "apply" } });
		expect((failure as Error).message).toMatch(/at index 7: its result is no plain data that could be encoded: /);
	});

	it("of restoreSnapshot names the index that the snapshot reaches", () => {
		const restoreSnapshot = (): never => {
			throw new Error("older format");
		};
		const application = hosted({ restoreSnapshot });
		application.restoringAt(41);
		const failure = failureOf(() => application.restoreSnapshot(encodeValue(null)));
		expect(failure).toMatchObject(failed("restoreSnapshot", 41, "it threw: older format"));
	});
});

describe("a promise", () => {
	const promise = (hook: string): string =>
		`${hook} returned a promise; it must return its value, so it can be no async function`;

	it.each(["apply", "takeSnapshot", "restoreSnapshot"] as const)(
		"of %s is a failure that names the mistake",
		(hook) => {
			const application = hosted({ [hook]: async () => Promise.reject(new Error("later")) });
			const failure = failureOf(() =>
				hook === "takeSnapshot" ? application[hook]() : application[hook](command, position as never),
			);
			const index = hook === "apply" ? 7 : 0;
			expect(failure).toMatchObject(failed(hook, index, `it is asynchronous: ${promise(hook)}`));
		},
	);

	it("of query is that query's failure", () => {
		const answer = hosted({ query: async () => 1 }).query(encodeValue("sum"));
		expect(failureOf(() => decodeAnswer(answer))).toMatchObject({
			code: "query-failed",
			details: { application: "Tally", reason: promise("query") },
		});
	});
});

describe("a result over the limit", () => {
	it("is told to who asked, and the command stays applied", () => {
		let applied = 0;
		const apply = (): Uint8Array => {
			applied += 1;
			return bytesOf(RESULT_BYTES_MAX + 1);
		};
		const result = hosted({ apply }).apply(command, position);
		expect(applied).toBe(1);
		// It is kept by every replica: nothing in it may depend on where it was made.
		expect(Buffer.from(result).includes("hosted-application")).toBe(false);
		expect(failureOf(() => decodeResult(result))).toMatchObject({
			code: "result-too-large",
			details: { hook: "apply", sizeBytes: RESULT_BYTES_MAX + 1, limitBytes: RESULT_BYTES_MAX },
			message: expect.stringMatching(/^the command was applied, but its result has 1048513 bytes, 1048512 are allowed/),
		});
	});

	it("is a query's answer too", () => {
		const answer = hosted({ query: () => bytesOf(RESULT_BYTES_MAX + 1) }).query(encodeValue("all"));
		expect(failureOf(() => decodeAnswer(answer))).toMatchObject({
			code: "result-too-large",
			message: expect.stringMatching(/^the answer has /),
		});
	});

	it("is none at the limit", () => {
		const application = hosted({ apply: () => bytesOf(RESULT_BYTES_MAX), query: () => bytesOf(RESULT_BYTES_MAX) });
		expect(decodeResult(application.apply(command, position))).toHaveLength(RESULT_BYTES_MAX - overheadBytes);
		expect(decodeAnswer(application.query(command))).toHaveLength(RESULT_BYTES_MAX - overheadBytes);
	});

	it("leaves an application free to return errors of its own", () => {
		const error = failureOf(() => decodeAnswer(hosted({ query: async () => 1 }).query(command)));
		expect(decodeResult(hosted({ apply: () => error }).apply(command, position))).toMatchObject({
			code: "query-failed",
		});
	});
});

it("tells which command is being applied, so that others know what a thread died of", () => {
	const applied: number[] = [];
	hosted({ apply: () => void applied.push(-1) }, applied).apply(command, position);
	expect(applied).toEqual([7, -1, 0]);
	failureOf(() => hosted({ apply: () => Promise.resolve() }, applied).apply(command, { index: 8, term: 1 }));
	expect(applied.slice(3)).toEqual([8, 0]);
});
