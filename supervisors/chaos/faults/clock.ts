/** Faults of a member's clocks. */
import { choiceArgument, DURATION_MS_MAX, type FaultKind, target } from "../fault-kind.ts";
import { duration, type Field, integer } from "../shape.ts";

const whichClock = choiceArgument(
	"clock",
	["monotonic", "wall", "both"],
	"both",
	"The clock that timers use, the one that tells the date, or both.",
);

const offset = (key: string, means: string): Field => ({
	key,
	name: `${key}Ms`,
	shape: duration(-DURATION_MS_MAX, DURATION_MS_MAX),
	means,
	default: 1_000,
	typical: { min: -10_000, max: 10_000 },
});

const kind = (name: string, lasts: boolean, means: string, argument: Field): FaultKind => ({
	kind: name,
	category: "clock",
	lasts,
	counts: null,
	means,
	arguments: [target("any", "Whose clock."), argument, whichClock],
	concerns: "target",
});

export const clockFaults: readonly FaultKind[] = [
	kind(
		"clock-skew",
		true,
		"Sets a member's clock off by a constant.",
		offset("offset", "Ahead; negative: behind, which a monotonic clock comes to by running slower for a while."),
	),
	kind("clock-drift", true, "Lets a member's clock run at another rate.", {
		key: "partsPerMillion",
		name: "partsPerMillion",
		shape: integer(-500_000, 500_000),
		means: "Faster by so much; negative: slower.",
		default: 10_000,
		typical: { min: -100_000, max: 100_000 },
	}),
	kind(
		"clock-jump",
		false,
		"Moves a member's clock once.",
		offset("by", "Forward; negative: back, which no monotonic clock does."),
	),
];
