/** Crypto ports for what is attacked around agreement: ideal signatures, which are cheap and unforgeable, over real digests. */
import { createHash } from "node:crypto";
import type { CryptoPort, NodeId } from "../../protocols/core/index.ts";
import type { IdealAuthority } from "../../protocols/verification/index.ts";

export function hashingPort(authority: IdealAuthority, owner: NodeId): CryptoPort {
	return { ...authority.portOf(owner), digest: (bytes) => createHash("sha256").update(bytes).digest() };
}
