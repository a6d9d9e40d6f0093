/** PBFT as an actor: what a thread builds from a member's settings. */
import {
	type CryptoPort,
	groupId,
	type NodeId,
	nodeId,
	requireInteger,
	type StateMachine,
} from "../../protocols/core/index.ts";
import { type PbftConfig, type PbftMachine, type PbftTypes, pbftConfig } from "../../protocols/pbft/index.ts";
import type { Address } from "../../runtime/actor/index.ts";
import {
	importIdentity,
	KeyRing,
	NodeCryptoPort,
	type PublicIdentity,
	type SecretIdentity,
} from "../../runtime/crypto/index.ts";
import { constructApplication, HostedApplication } from "./hosted-application.ts";
import { applyingGauge } from "./metrics.ts";
import { type Durability, Participant, type ParticipantSettings } from "./participant.ts";
import { PbftAdapter, pbftStoreName } from "./pbft-adapter.ts";

/** What a group may change of PBFT's configuration: all but who its members are and may become. */
export type PbftTuning = Partial<
	Omit<PbftConfig, "nodeId" | "cluster" | "members" | "faults" | "epoch" | "candidates" | "administrators">
>;

/** A batch is one record of a store, which holds so much beside what is around it. */
export const PBFT_BATCH_BYTES_MAX: number = 3 * 1024 * 1024;

/** A member's settings: cloneable, since they travel to its thread. */
export interface PbftParticipantArgs {
	readonly group: string;
	readonly node: string;
	/** Of the first configuration; later ones are learnt. */
	readonly members: readonly string[];
	/** Who may be added, beside whoever was a member; default nobody. */
	readonly candidates?: readonly string[];
	/** Clients that may order changes of membership; default nobody. */
	readonly administrators?: readonly string[];
	/** f: how many members may behave arbitrarily. */
	readonly faults: number;
	/** Where the storage actor is. Its thread is never replaced, so the address stays true. */
	readonly storage: Address;
	/** See `ParticipantSettings`. */
	readonly durability?: Durability;
	readonly application: { readonly module: string; readonly export: string; readonly args?: unknown };
	readonly tuning: PbftTuning;
	readonly identity: SecretIdentity;
	/** Everybody who may speak: members and clients. */
	readonly enrolled: readonly PublicIdentity[];
}

/** Where this module is, for a behaviour source: {@link PbftParticipant} is its export. */
export const pbftParticipantModule: string = import.meta.url;

/** One member of a PBFT group. */
export class PbftParticipant extends Participant<PbftTypes> {
	constructor(args: PbftParticipantArgs) {
		super(pbftParticipantSettings(args));
	}
}

/** What may be different about a member. */
export interface PbftVariation {
	/** Puts something else in the place of the correct machine; default: nothing. */
	readonly replace?: (machine: PbftMachine, config: PbftConfig, crypto: CryptoPort) => StateMachine<PbftTypes>;
	/** What it proves things with; default: the platform's cryptography, with the keys of its settings. */
	readonly crypto?: CryptoPort;
}

/** What makes a {@link Participant} a member of a PBFT group. */
export function pbftParticipantSettings(
	args: PbftParticipantArgs,
	{ replace, crypto: given }: PbftVariation = {},
): ParticipantSettings<PbftTypes> {
	const node = nodeId(args.node);
	const store = pbftStoreName(args.group, node);
	return {
		group: args.group,
		node,
		members: args.members.map(nodeId),
		store,
		storage: args.storage,
		durability: args.durability ?? "flushed",
		open: async (context) => {
			const config = configOf(args, node);
			const crypto = given ?? new NodeCryptoPort(keyRingOf(args));
			const { application: source } = args;
			const name = `${source.export} of ${source.module}`;
			const application = constructApplication(name, await context.loadModule(source), source.args);
			return new PbftAdapter({
				store,
				config,
				crypto,
				application: new HostedApplication(name, application, context.metrics.gauge(applyingGauge(node))),
				metrics: context.metrics,
				...(replace === undefined ? {} : { replace: (machine) => replace(machine, config, crypto) }),
			});
		},
	};
}

function configOf(
	{ group, members, candidates = [], administrators = [], faults, tuning }: PbftParticipantArgs,
	node: NodeId,
): PbftConfig {
	const config = pbftConfig({
		...tuning,
		nodeId: node,
		cluster: groupId(group),
		members: members.map(nodeId),
		candidates: candidates.map(nodeId),
		administrators: administrators.map(nodeId),
		faults,
	});
	requireInteger("batchMaxBytes", config.batchMaxBytes, 1, PBFT_BATCH_BYTES_MAX);
	return config;
}

function keyRingOf({ group, identity, enrolled }: PbftParticipantArgs): KeyRing {
	const ring = new KeyRing(group, importIdentity(identity));
	for (const other of enrolled) ring.enrol(other);
	return ring;
}
