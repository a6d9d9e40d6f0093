/** Saying under which keys others have to speak to this member; see `session-keys.ts`. */
import type { NodeId } from "../core/index.ts";
import { type PbftCore, send } from "./core.ts";
import { newKeyStatement, statementBytes } from "./statements.ts";

/** Tells a member under which number to speak to this one. */
export function tellKey(core: PbftCore, to: NodeId): void {
	if (core.keyGeneration === 0) return;
	const { nodeId, cluster } = core.config;
	const { keyGeneration: generation } = core;
	const signature = core.crypto.sign(statementBytes(cluster, nodeId, newKeyStatement(generation)));
	send(core, to, { type: "new-key", generation, signature });
}
