/**
 * `protocols/pbft/attacks`: members that lie, for simulations, tests and penetration tests: a {@link ByzantineMachine} runs named
 * {@link Attack}s around a correct machine, a {@link TwinMachine} is two correct machines under one name.
 *
 * Source: Twins (OPODIS 2021), ByzzFuzz (OOPSLA 2023), and the bugs of other implementations that their issue lists tell of.
 *
 * Place: beside the machine, which does not know them. An attack has its owner's key and nobody else's, so it stays within the fault
 * model; how many members run one, and which, is the host's to choose.
 */
import type { Attack } from "./attack.ts";
import { floodAttacks } from "./flood-attacks.ts";
import { primaryAttacks } from "./primary-attacks.ts";
import { viewAttacks } from "./view-attacks.ts";
import { voteAttacks } from "./vote-attacks.ts";

export type { Attack, AttackMeans, Saying } from "./attack.ts";
export { ByzantineMachine } from "./byzantine-machine.ts";
export { modeAttacks } from "./mode-attacks.ts";
export { TwinMachine, type TwinSides } from "./twins.ts";

/** Every attack by its name. */
export const pbftAttacks: readonly Attack[] = [...primaryAttacks, ...voteAttacks, ...viewAttacks, ...floodAttacks];
