/** Members that misbehave on purpose, as actors: to see that the group bears them. */
import { must } from "../../protocols/core/index.ts";
import { type Attack, ByzantineMachine, modeAttacks, pbftAttacks } from "../../protocols/pbft/attacks/index.ts";
import type { PbftTypes } from "../../protocols/pbft/index.ts";
import {
	Participant,
	type PbftParticipantArgs,
	type PbftTuning,
	pbftParticipantSettings,
} from "../participant/index.ts";

/** Where this module is, for a behaviour source: {@link AttackingParticipant} is its export. */
export const attackerModule: string = import.meta.url;

const attacks: readonly Attack[] = [...pbftAttacks, ...modeAttacks];

/** Names of attacks, several joined by `+`. */
export function attackNames(joined: string): string[] {
	return joined.split("+");
}

/** How members of a group vote and certify: see `PbftConfig`. */
export type VotingModes = Pick<PbftTuning, "votes" | "certificates">;

/** The names of all attacks, with what each does, and the setting of a group that it needs to do anything. */
export function knownAttacks(): readonly Pick<Attack, "name" | "description" | "needs">[] {
	return attacks;
}

/** The attack of this name, which there must be. */
export function attackOf(name: string): Attack {
	return must(
		attacks.find((known) => known.name === name),
		`there is an attack ${name}`,
	);
}

export function isAttack(name: string): boolean {
	return attacks.some((attack) => attack.name === name);
}

/** The setting that an attack needs and a group has not; null if it can be tried there. */
export function missingMode(name: string, { votes, certificates }: VotingModes): Attack["needs"] | null {
	const needs = attacks.find((attack) => attack.name === name)?.needs;
	return needs === undefined || needs === votes || needs === certificates ? null : needs;
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
		const chosen = attackNames(attack).map(attackOf);
		super({
			...pbftParticipantSettings(args, {
				replace: (_machine, config, crypto) => new ByzantineMachine(config, crypto, chosen, seed),
			}),
			speaksFreely: chosen.some(({ sendsNoMessages = false }) => sendsNoMessages),
		});
	}
}
