/** PBFT as a simulated world needs it: the shipped participant, its machine under observation, or in its place one that lies. */
import { type CryptoPort, type NodeId, nodeId, type StateMachine } from "../../../protocols/core/index.ts";
import { ByzantineMachine, TwinMachine } from "../../../protocols/pbft/attacks/index.ts";
import {
	type PbftConfig,
	type PbftMachine,
	type PbftMessage,
	type PbftTypes,
	type PbftView,
	pbftLayouts,
} from "../../../protocols/pbft/index.ts";
import { pbftProperties } from "../../../protocols/pbft/properties/index.ts";
import { ObservedMachine, type ViewableMachine } from "../../../protocols/verification/index.ts";
import { attackOf } from "../../byzantine-coordinator/index.ts";
import {
	Participant,
	type PbftParticipantArgs,
	PbftStoreView,
	pbftClientLayouts,
	pbftParticipantModule,
	pbftParticipantSettings,
	pbftStoreName,
} from "../../participant/index.ts";
import { boundClass } from "../bound-class.ts";
import type { ParticipantObserver, SimulatedProtocol } from "../simulated-protocol.ts";
import { type Liars, TWINS } from "./byzantine-plan.ts";

export const GROUP = "pbft";

/** A PBFT machine as observers need it. */
export type ViewablePbft = ViewableMachine<PbftTypes, PbftView>;
/** Puts something around a correct member's machine, such as a planted bug; called once for each life. */
export type PbftMachineWrapper = (machine: PbftMachine, node: NodeId) => ViewablePbft;

/** Who takes part, and how. */
export interface SimulatedPbft {
	readonly members: readonly NodeId[];
	readonly liars: Liars;
	readonly portOf: (node: NodeId) => CryptoPort;
	readonly wrap: PbftMachineWrapper;
	readonly seed: number;
}

export function simulatedPbft(group: SimulatedPbft): SimulatedProtocol<PbftTypes, PbftView> {
	return {
		group: GROUP,
		storeOf: (node) => pbftStoreName(GROUP, node),
		properties: pbftProperties,
		layouts: [pbftLayouts, pbftClientLayouts],
		viewOf: (contents) => PbftStoreView.of(contents),
		isJudged: (node) => !group.liars.has(node),
		modules: (observer) => [[pbftParticipantModule, { PbftParticipant: memberClass(group, observer) }]],
	};
}

type Observer = ParticipantObserver<PbftTypes, PbftView>;

function memberClass(group: SimulatedPbft, observer: Observer): new (args: PbftParticipantArgs) => SimulatedMember {
	return boundClass(SimulatedMember, (args: PbftParticipantArgs) => new SimulatedMember(args, group, observer));
}

class SimulatedMember extends Participant<PbftTypes> {
	readonly #node: NodeId;
	readonly #observer: Observer;

	constructor(args: PbftParticipantArgs, group: SimulatedPbft, observer: Observer) {
		const node = nodeId(args.node);
		super(
			pbftParticipantSettings(args, {
				crypto: group.portOf(node),
				replace: (machine, config, crypto) =>
					lyingMachine(group, config, crypto) ??
					new ObservedMachine<PbftTypes, PbftView>(node, group.wrap(machine, node), (seen) => observer.observe(seen)),
			}),
		);
		this.#node = node;
		this.#observer = observer;
	}

	protected override heard(from: NodeId, message: PbftMessage): void {
		this.#observer.heard(this.#node, from, message.type);
		super.heard(from, message);
	}
}

/** What runs at a liar; null at a correct member. */
function lyingMachine(
	{ members, liars, seed }: SimulatedPbft,
	config: PbftConfig,
	crypto: CryptoPort,
): StateMachine<PbftTypes> | null {
	const attacks = liars.get(config.nodeId);
	if (attacks === undefined) return null;
	if (!attacks.includes(TWINS)) return new ByzantineMachine(config, crypto, attacks.map(attackOf), seed);
	const correct = members.filter((member) => !liars.has(member));
	const half = Math.ceil(correct.length / 2);
	return new TwinMachine(config, crypto, {
		first: correct.slice(0, half),
		second: correct.slice(half),
		accomplices: [...liars.keys()],
	});
}
