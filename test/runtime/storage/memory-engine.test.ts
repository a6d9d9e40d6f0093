/** Goal: the memory engine keeps the contract of engines. Method: the suite of `engine-compliance.ts`. */
import { MemoryEngine } from "../../../runtime/storage/memory-engine.ts";
import { testEngine } from "./engine-compliance.ts";

testEngine("memory", () => ({
	open: async () => new MemoryEngine(),
	reopen: null,
	settle: (promise) => promise,
	cleanUp: async () => undefined,
}));
