/**
 * Rumour mongering: push, pull and push-pull, with feedback or blind, by counter or coin, with a connection limit. Source:
 * Demers et al., PODC 1987. For urgent news that may miss somebody; membership and state have better ways (`swim/`, `repair/`).
 */
export {
	type Rumour,
	type RumourConfig,
	RumourMachine,
	type RumourMessage,
	type RumourTypes,
	rumourConfig,
} from "./rumour-machine.ts";
