/** Attacks on what stands around agreement: admission, peers, load, statistics, channels, certificates, keys. */
import { admissionScenarios } from "./admission-scenarios.ts";
import { ceremonyScenarios } from "./ceremony-scenario.ts";
import { certificateScenarios } from "./certificate-scenarios.ts";
import { channelScenarios } from "./channel-scenarios.ts";
import type { Scenario } from "./contract.ts";
import { detectionScenarios } from "./detection-scenarios.ts";
import { floodScenarios } from "./flood-scenarios.ts";
import { thresholdScenarios } from "./threshold-scenarios.ts";

export const securityScenarios: readonly Scenario[] = [
	...admissionScenarios,
	...floodScenarios,
	...detectionScenarios,
	...channelScenarios,
	...certificateScenarios,
	...thresholdScenarios,
	...ceremonyScenarios,
];
