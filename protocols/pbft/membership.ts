/**
 * Who the members are, as a matter of the order itself: changes are requests that every member judges alike when it executes them. What
 * is judged here is a function of the replicated state and of settings that are the same at all members; who can be reached, is slow or is
 * suspected has no say.
 */
import { compareIds, type NodeId } from "../core/index.ts";
import { PBFT_MEMBERS_MAX } from "./config.ts";
import type { Configuration, Epoch, SequenceNumber } from "./entities.ts";
import { EVIDENCE_BYTE_STRINGS_MAX, type Evidence, isTooLarge, verifyEvidence } from "./evidence.ts";
import type { ViewChangeContext } from "./new-view-plan.ts";
import { decodeStructure, encodeStructure, type Structure } from "./structure.ts";

/** What the operation of a request of kind `configure` asks for. A replacement takes the place of the one that goes, in the same epoch. */
export type MembershipOperation =
	| { readonly type: "add"; readonly member: NodeId }
	| { readonly type: "remove"; readonly member: NodeId; readonly replacement: NodeId | null }
	/** Removes the culprit of the evidence, which every member checks for itself. Anyone who is enrolled may ask for it. */
	| { readonly type: "isolate"; readonly evidence: Evidence; readonly replacement: NodeId | null }
	/** Another f for the same members. */
	| { readonly type: "tolerate"; readonly faults: number };

/** Why a change was executed as nothing, at every member. */
export type MembershipRefusal =
	| { readonly reason: "malformed" }
	/** Only the `administrators` of the settings may ask for anything but an isolation. */
	| { readonly reason: "not-an-administrator"; readonly client: NodeId }
	/** Another change is ordered and not in force: one at a time. */
	| { readonly reason: "change-pending"; readonly effectiveAfter: SequenceNumber }
	| { readonly reason: "already-a-member"; readonly member: NodeId }
	| { readonly reason: "not-a-member"; readonly member: NodeId }
	/** The keys of who is to be added must be known before: see `candidates` of the settings. */
	| { readonly reason: "not-a-candidate"; readonly member: NodeId }
	/** No protocol is safe with n < 3f + 1. */
	| {
			readonly reason: "too-few-members";
			readonly members: number;
			readonly faults: number;
			readonly needed: number;
	  }
	| { readonly reason: "too-many-members"; readonly limit: number }
	| { readonly reason: "unchanged" }
	/** It holds more signatures than one request may make every member check. */
	| { readonly reason: "evidence-too-large"; readonly limit: number }
	| { readonly reason: "evidence-refuted"; readonly member: NodeId };

/** What a request of kind `configure` is answered with: f + 1 members say the same. */
export type MembershipOutcome =
	| {
			readonly type: "ordered";
			/** The epoch that the change begins. */
			readonly epoch: Epoch;
			/** The last slot of the epoch before. */
			readonly effectiveAfter: SequenceNumber;
			readonly members: readonly NodeId[];
			readonly faults: number;
	  }
	| ({ readonly type: "refused" } & MembershipRefusal);

/** The operation of a request of kind `configure`. */
export function encodeMembershipOperation(operation: MembershipOperation): Uint8Array {
	return encodeStructure(operation as unknown as Structure);
}

export function encodeMembershipOutcome(outcome: MembershipOutcome): Uint8Array {
	return encodeStructure(outcome as unknown as Structure);
}

/** What a client was answered; null if that is not how members answer. */
export function decodeMembershipOutcome(bytes: Uint8Array): MembershipOutcome | null {
	const value = decodeStructure(bytes) as { readonly type?: unknown } | null | undefined;
	return value?.type === "ordered" || value?.type === "refused" ? (value as MembershipOutcome) : null;
}

/** What one change is judged by: the same at every member that executes it. */
export interface MembershipContext {
	readonly configuration: Configuration;
	readonly client: NodeId;
	readonly administrators: readonly NodeId[];
	readonly candidates: readonly NodeId[];
	/** Whether something that was read from bytes is an operation, bounds included. */
	readonly isOperation: (value: unknown) => boolean;
	readonly judge: ViewChangeContext;
}

export type MembershipVerdict =
	| { readonly type: "changed"; readonly operation: MembershipOperation; readonly configuration: Configuration }
	| ({ readonly type: "refused" } & MembershipRefusal);

/** What a request of kind `configure` makes of the configuration. Cheap checks first; evidence is looked into last. */
export function judgeMembershipChange(bytes: Uint8Array, context: MembershipContext): MembershipVerdict {
	const operation = decodeStructure(bytes);
	if (operation === undefined || !context.isOperation(operation)) return refused({ reason: "malformed" });
	const asked = operation as unknown as MembershipOperation;
	const { client, administrators, configuration } = context;
	if (asked.type !== "isolate" && !administrators.includes(client)) {
		return refused({ reason: "not-an-administrator", client });
	}
	const changed = changeOf(asked, context);
	if ("reason" in changed) return refused(changed);
	const { members, faults } = changed;
	const needed = 3 * faults + 1;
	if (members.length < needed) {
		return refused({ reason: "too-few-members", members: members.length, faults, needed });
	}
	if (members.length > PBFT_MEMBERS_MAX) return refused({ reason: "too-many-members", limit: PBFT_MEMBERS_MAX });
	if (asked.type === "isolate") {
		const refusal = refuteEvidence(asked.evidence, context.judge);
		if (refusal !== null) return refused(refusal);
	}
	const next: Configuration = { epoch: (configuration.epoch + 1) as Epoch, members, faults };
	return { type: "changed", operation: asked, configuration: next };
}

function refused(refusal: MembershipRefusal): MembershipVerdict {
	return { type: "refused", ...refusal };
}

function changeOf(
	operation: MembershipOperation,
	context: MembershipContext,
): Omit<Configuration, "epoch"> | MembershipRefusal {
	const { members, faults } = context.configuration;
	switch (operation.type) {
		case "add":
			return refusalOfNewcomer(operation.member, context) ?? { members: sorted(members, operation.member), faults };
		case "tolerate":
			return operation.faults === faults ? { reason: "unchanged" } : { members, faults: operation.faults };
		default: {
			const member = operation.type === "isolate" ? operation.evidence.culprit : operation.member;
			if (!members.includes(member)) return { reason: "not-a-member", member };
			const others = members.filter((other) => other !== member);
			const { replacement } = operation;
			if (replacement === null) return { members: others, faults };
			return refusalOfNewcomer(replacement, context) ?? { members: sorted(others, replacement), faults };
		}
	}
}

function refusalOfNewcomer(member: NodeId, { configuration, candidates }: MembershipContext): MembershipRefusal | null {
	if (configuration.members.includes(member)) return { reason: "already-a-member", member };
	return candidates.includes(member) ? null : { reason: "not-a-candidate", member };
}

function sorted(members: readonly NodeId[], more: NodeId): readonly NodeId[] {
	return [...members, more].sort(compareIds);
}

function refuteEvidence(evidence: Evidence, judge: ViewChangeContext): MembershipRefusal | null {
	if (isTooLarge(evidence)) return { reason: "evidence-too-large", limit: EVIDENCE_BYTE_STRINGS_MAX };
	return verifyEvidence(evidence, judge) ? null : { reason: "evidence-refuted", member: evidence.culprit };
}
