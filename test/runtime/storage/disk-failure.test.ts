/** Goal: a full disk is told from a broken one. Method: the errors that LMDB throws, by number, and Node's, by name, and a scripted free space. */
import { expect, it } from "vitest";
import { failureOf } from "../../../runtime/storage/disk-failure.ts";

const lmdbError = (code: number): Error => Object.assign(new Error("as LMDB says it"), { code });
const codeOf = (cause: unknown, freeBytes: number): string => failureOf("/data", "commit", cause, () => freeBytes).code;

it("tells a full disk from a broken one", () => {
	expect(codeOf(lmdbError(28), 1e9)).toBe("disk-full");
	expect(codeOf(lmdbError(5), 1000)).toBe("disk-full");
	for (const code of ["ENOSPC", "EDQUOT"]) expect(codeOf(Object.assign(new Error(), { code }), 1e9)).toBe("disk-full");
	expect(codeOf(Object.assign(new Error(), { code: "EROFS" }), 0)).toBe("disk-failed");
	expect(codeOf(lmdbError(5), 1e9)).toBe("disk-failed");
	expect(codeOf(lmdbError(-30796), 0)).toBe("disk-failed");
	expect(codeOf("thrown", 0)).toBe("disk-failed");
});

it("keeps what is needed to understand it", () => {
	const cause = lmdbError(5);
	const error = failureOf("/", "commit", cause);
	expect(error.details).toEqual({ directory: "/", operation: "commit", problem: "as LMDB says it" });
	expect(error.cause).toBe(cause);
});
