/** Members that misbehave on purpose, as actors: to see that the group bears them. */
import { must } from "../../protocols/core/index.ts";
import { pbftAttacks as attacks, ByzantineMachine } from "../../protocols/pbft/attacks/index.ts";
import type { PbftTypes } from "../../protocols/pbft/index.ts";
import { Participant, type PbftParticipantArgs, pbftParticipantSettings } from "../participant/index.ts";

/** Where this module is, for a behaviour source: {@link AttackingParticipant} is its export. */
export const attackerModule: string = import.meta.url;

/** Names of attacks, several joined by `+`. */
export function attackNames(joined: string): string[] {
	return joined.split("+");
}

/** The names of all attacks, with what each does. */
export function knownAttacks(): { readonly name: string; readonly description: string }[] {
	return attacks.map(({ name, description }) => ({ name, description }));
}

export function isAttack(name: string): boolean {
	return attacks.some((attack) => attack.name === name);
}

/** What an attacker gets beside the settings of every member. */
export interface AttackingParticipantArgs extends PbftParticipantArgs {
	/** See {@link attackNames}. */
	readonly attack: string;
	readonly seed: number;
}

/** A member with all that a correct one has, its keys included, that does as its attack says. */
export class AttackingParticipant extends Participant<PbftTypes> {
	constructor({ attack, seed, ...args }: AttackingParticipantArgs) {
		const chosen = attackNames(attack).map((name) =>
			must(
				attacks.find((known) => known.name === name),
				`there is an attack ${name}`,
			),
		);
		super(
			pbftParticipantSettings(args, (_machine, config, crypto) => new ByzantineMachine(config, crypto, chosen, seed)),
		);
	}
}
