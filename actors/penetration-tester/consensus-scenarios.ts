/**
 * Attacks on agreement, each by f members of simulated groups, and the same groups without attackers as controls; and f + 1 members that
 * work together, who must be seen to break it.
 *
 * What can be found out, and how, differs: a contradiction in signed words is proof; a malformed message tells its receivers, who can not
 * show it to anybody; a primary that is too slow is left; and who is silent, late, or selective looks like a slow network, and is borne.
 */

import { modeAttacks, pbftAttacks } from "../../protocols/pbft/attacks/index.ts";
import type { Beyond, Floors, GroupMode, Means, Scenario, ScenarioContext, Tally } from "./contract.ts";
import { modeOf, modesOf } from "./group-mode.ts";
import { maxFaults } from "./group-size.ts";
import { type MemberRecord, runTrial, type Strategy, type TrialResult } from "./group-trial.ts";

/**
 * By what each attack is found out at best. An attack of the library that is not named here is borne: so is `half-collector`, of which fewer than f + 1
 * may be told, and `bad-new-view`, which convicts only when somebody has the bodies of all view changes that it names: how often that is depends on the network, so no rate is asked of it.
 */
const meansOf: Readonly<Record<string, Means>> = {
	equivocate: "proof",
	"double-vote": "proof",
	"wrong-votes": "proof",
	"off-by-one": "proof",
	"hide-prepared": "proof",
	"unproved-view-change": "proof",
	"two-view-changes": "proof",
	"view-change-storm": "proof",
	"huge-view": "proof",
	"lying-checkpoint": "proof",
	"two-checkpoints": "proof",
	twins: "proof",
	"wrong-digest": "suspicion",
	"unasked-choice": "suspicion",
	"bad-signature": "suspicion",
	"forged-sender": "suspicion",
	"prepare-as-commit": "suspicion",
	replay: "suspicion",
	"false-decision": "suspicion",
	malformed: "suspicion",
	"flood-requests": "suspicion",
	"lazy-primary": "slowness",
	// An empty batch is no offence: it fills a slot that a change of members waits for. Who orders nothing else is left.
	"empty-batches": "slowness",
	"skip-sequence": "slowness",
	"huge-sequence": "slowness",
	"forged-request": "slowness",
	"starve-client": "slowness",
	"selective-proposals": "slowness",
	"silent-collector": "slowness",
	"forging-collector": "slowness",
};

/**
 * What is found out in another way than by signed votes that go to everybody. Authenticators are no proofs, so of a contradiction there is
 * at most a suspicion; and that needs f + 1 receivers of each half, or a word that is false for all.
 */
const otherMeans: Readonly<Record<GroupMode, Readonly<Record<string, Means>>>> = {
	signed: {},
	authenticated: {
		equivocate: "none",
		"double-vote": "none",
		"wrong-votes": "none",
		"off-by-one": "suspicion",
		"hide-prepared": "none",
		"unproved-view-change": "none",
		"two-view-changes": "none",
		"view-change-storm": "suspicion",
		"huge-view": "none",
		"lying-checkpoint": "none",
		"two-checkpoints": "none",
		twins: "none",
		// What a quorum is said to have decided is believed by f + 1 words, not by one.
		"false-decision": "none",
		// The claims of a view change make good for those that a proposal has not reached.
		"selective-proposals": "none",
	},
	collector: {
		// Votes reach the collector alone, and it is less than f + 1.
		"bad-signature": "none",
		"forged-sender": "none",
		"prepare-as-commit": "none",
		// Each machine of a twin is shown to one half, and so are the votes that the collector gathers.
		twins: "none",
	},
};

/**
 * What must be reached. Nobody may be convicted, suspected or left who did nothing; so any false positive misses its floor. A proof may
 * need an occasion (that both halves of a contradiction meet) which not each trial has, and slowness needs an attacker that leads, which
 * not each does: half of them. A suspicion needs no occasion but f + 1 receivers, so more is asked; 0.75 is chosen, not derived. A refusal has no excuse.
 */
const floorsOf: Readonly<Record<Means, Floors>> = {
	proof: { detection: 0.5, falsePositives: 0 },
	suspicion: { detection: 0.75, falsePositives: 0 },
	slowness: { detection: 0.5, falsePositives: 0 },
	refusal: { detection: 1, falsePositives: 0 },
	none: { detection: 0, falsePositives: 0 },
};

/** Trials without attackers, of the same groups. */
const CONTROLS = 2;
/** Trials with f + 1, at least: not each of them breaks. */
const BEYOND_TRIALS_MIN = 8;

/** Every attack that does something in this mode; null: every attack, in the mode without which it does nothing. */
export function consensusScenarios(asked: GroupMode | null): readonly Scenario[] {
	const attacks = [...pbftAttacks, ...modeAttacks].flatMap((attack) => {
		const mode = modeOf(attack, asked);
		return mode === null ? [] : [scenarioOf(attack, mode, { type: "attacks", attacks: [attack] }, () => null)];
	});
	return [...attacks, scenarioOf(twins, asked ?? "signed", { type: "twins" }, beyondLimit)];
}

const twins = {
	name: "twins",
	description:
		"Each attacker runs two correct machines under one name, one for each half of the group; f + 1 of them decide one slot twice.",
};

function scenarioOf(
	{ name, description }: { readonly name: string; readonly description: string },
	mode: GroupMode,
	strategy: Strategy,
	beyond: (context: ScenarioContext, mode: GroupMode) => Beyond | null,
): Scenario {
	const means = otherMeans[mode][name] ?? meansOf[name] ?? "none";
	return {
		name,
		kind: "consensus",
		mode,
		description,
		means,
		floors: floorsOf[means],
		run: (context) => tallyOf(context, { means, mode, strategy }, beyond(context, mode)),
	};
}

function tallyOf(
	context: ScenarioContext,
	{ means, mode, strategy }: { readonly means: Means; readonly mode: GroupMode; readonly strategy: Strategy },
	beyond: Beyond | null,
): Tally {
	const { seed, nodes, trials } = context;
	const faults = maxFaults(nodes);
	const group = { members: nodes, faults, modes: modesOf(mode) };
	const attacked = trialsOf(trials, context, (at) =>
		runTrial({ ...group, seed: seed + at, strategy, attackers: faults }),
	);
	const controls = trialsOf(CONTROLS, context, (at) =>
		runTrial({ ...group, seed: seed + at, strategy: null, attackers: 0 }),
	);
	const all = [...attacked, ...controls];
	const liars = attacked.flatMap(({ members }) => members).filter(({ deviations }) => deviations > 0);
	const innocents = all.flatMap(({ members }) => members).filter(({ isAttacker }) => !isAttacker);
	const found = liars.map((liar) => ({ liar, atMs: foundAtMs(liar, means) })).filter(({ atMs }) => atMs !== null);
	const sum = (of: (trial: TrialResult) => number): number => attacked.reduce((total, trial) => total + of(trial), 0);
	const stuck = all.filter(({ hasProgress }) => !hasProgress).length;
	const violated = new Set(all.flatMap((trial) => trial.violated));
	const deceived = all.reduce((total, trial) => total + trial.deceived, 0);
	return {
		trials: attacked.length,
		attacks: liars.length,
		detected: found.length,
		innocents: innocents.length,
		accused: innocents.filter(isAccused).length,
		latenciesMs: found.map(({ liar, atMs }) => Math.max(0, (atMs ?? 0) - (liar.deviatedAtMs ?? 0))),
		isSafe: violated.size === 0 && deceived === 0 && all.every(({ alarm }) => alarm === null),
		hasProgress: stuck === 0,
		damage: [
			...[...violated].map((property) => `${property} violated`),
			...(deceived === 0 ? [] : [`${deceived} clients were deceived`]),
			...(stuck === 0 ? [] : [`${stuck} of ${all.length} groups stood still`]),
		],
		mitigation: `${sum(({ answered }) => answered)} of ${sum(({ asked }) => asked)} requests answered, ${sum(({ views }) => views)} view changes`,
		beyond,
	};
}

/** The strongest way in which it was found out; for an attack that is borne, any way. */
function foundAtMs({ convictedAtMs, suspectedAtMs, slowAtMs }: MemberRecord, means: Means): number | null {
	if (means === "proof") return convictedAtMs;
	if (means === "suspicion") return convictedAtMs ?? suspectedAtMs;
	return convictedAtMs ?? suspectedAtMs ?? slowAtMs;
}

function isAccused({ convictedAtMs, suspectedAtMs, slowAtMs }: MemberRecord): boolean {
	return convictedAtMs !== null || suspectedAtMs !== null || slowAtMs !== null;
}

/** f + 1 twins that lead the first views. Broken is what the correct members, or clients, can see to be broken. */
function beyondLimit(context: ScenarioContext, mode: GroupMode): Beyond {
	const { seed, nodes, trials } = context;
	const faults = maxFaults(nodes);
	const even = seed + (seed % 2);
	const results = trialsOf(Math.max(BEYOND_TRIALS_MIN, trials), context, (at) =>
		runTrial({
			members: nodes,
			faults,
			modes: modesOf(mode),
			seed: even + 2 * at,
			strategy: { type: "twins" },
			attackers: faults + 1,
			isDivided: true,
		}),
	);
	const broken = results.filter(({ violated }) => violated.includes("agreement"));
	return {
		attackers: `${faults + 1} of ${nodes} members`,
		trials: results.length,
		broken: broken.length,
		alarmed: broken.filter(({ alarm }) => alarm !== null).length,
		damage: broken.length === 0 ? [] : ["one slot was decided twice"],
	};
}

/** As many as can be run before the user wants to end. */
function trialsOf<Result>(count: number, { interrupt }: ScenarioContext, run: (at: number) => Result): Result[] {
	const results: Result[] = [];
	for (let at = 0; at < count && !interrupt.aborted; at++) results.push(run(at));
	return results;
}
