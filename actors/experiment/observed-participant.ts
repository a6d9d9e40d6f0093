/** The shipped Raft participant with its machine under observation: what a simulation loads in the place of it. */
import { type NodeId, nodeId } from "../../protocols/core/index.ts";
import type { RaftMachine, RaftMessage, RaftTypes, RaftView } from "../../protocols/raft/index.ts";
import { ObservedMachine, type ViewableMachine } from "../../protocols/verification/index.ts";
import { Participant, type RaftParticipantArgs, raftParticipantSettings } from "../participant/index.ts";
import { boundClass } from "./bound-class.ts";
import type { ParticipantObserver } from "./simulated-protocol.ts";

/** A Raft machine as observers need it. */
export type ViewableRaft = ViewableMachine<RaftTypes, RaftView>;

/** Puts something around a member's machine, such as a planted bug; called once for each life. */
export type MachineWrapper = (machine: RaftMachine, node: NodeId) => ViewableRaft;

/** The class that members are built from. */
export function observedParticipant(
	observer: ParticipantObserver<RaftTypes, RaftView>,
	wrap: MachineWrapper,
): new (
	args: RaftParticipantArgs,
) => Participant<RaftTypes> {
	return boundClass(ObservedParticipant, (args: RaftParticipantArgs) => new ObservedParticipant(args, observer, wrap));
}

class ObservedParticipant extends Participant<RaftTypes> {
	readonly #node: NodeId;
	readonly #observer: ParticipantObserver<RaftTypes, RaftView>;

	constructor(args: RaftParticipantArgs, observer: ParticipantObserver<RaftTypes, RaftView>, wrap: MachineWrapper) {
		const settings = raftParticipantSettings(args);
		const node = nodeId(args.node);
		super({
			...settings,
			open: async (context) => {
				const adapter = await settings.open(context);
				const recover = adapter.recover.bind(adapter);
				adapter.recover = (contents) => {
					const { machine, durable } = recover(contents);
					const wrapped = wrap(machine as RaftMachine, node);
					return { machine: new ObservedMachine(node, wrapped, (seen) => observer.observe(seen)), durable };
				};
				return adapter;
			},
		});
		this.#node = node;
		this.#observer = observer;
	}

	protected override heard(from: NodeId, message: RaftMessage): void {
		this.#observer.heard(this.#node, from, message.type);
		super.heard(from, message);
	}
}
