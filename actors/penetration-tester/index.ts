/**
 * `actors/penetration-tester`: attacks groups that it starts itself, and says what was found out, who was accused wrongly, how soon, and
 * what held. It knows who attacks; what is under test does not. Each scenario runs with as many attackers as can be borne, without any as
 * a control, and, where there is such a limit, with more, which must be seen to break.
 *
 * Agreement is attacked in simulated groups of the shipped machines, by the strategies of `protocols/pbft/attacks`; admission, load,
 * channels, certificates and keys by attempts on the shipped code; and one scenario runs on real threads.
 */
export type {
	Beyond,
	Floors,
	GroupMode,
	Means,
	PentestReport,
	Scenario,
	ScenarioContext,
	ScenarioReport,
	ScenarioVerdict,
	Tally,
	Vulnerability,
} from "./contract.ts";
export { maxFaults } from "./group-size.ts";
export { judge } from "./judge.ts";
export {
	chooseScenarios,
	PENTEST_NODES_MAX,
	PENTEST_NODES_MIN,
	PENTEST_SEED_MAX,
	PENTEST_TRIALS_MAX,
	type PentestOptions,
	pentestDefaults,
	pentestScenarios,
	runPentest,
} from "./tester.ts";
