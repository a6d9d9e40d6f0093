/** What every space of a group is made of: tables of members, messages and watchers, and the start of all members. */
import { canonicalText, must, type NodeId, type ProtocolTypes } from "../../core/index.ts";
import { allRenamings, type Renamings } from "./component-table.ts";
import { modelMalformed } from "./errors.ts";
import type { GroupModel, GroupPort } from "./group-model.ts";
import { bootMember } from "./member.ts";
import { MemberTable } from "./member-table.ts";
import { renameNodes } from "./rename-nodes.ts";
import { StateEncoder } from "./state-encoder.ts";
import type { PropertyFinding, SpaceProperty } from "./state-space.ts";
import { WatcherEnsemble } from "./watcher-ensemble.ts";

/** One machine broke an invariant of its own; the property every model has, its last. */
const assertionProperty: SpaceProperty = {
	id: "machine-asserts",
	kind: "always",
	statement: "No machine breaks an invariant of its own: step never throws.",
	source: "protocols/core/state-machine.ts",
};

export class GroupParts<P extends ProtocolTypes, View> {
	readonly #model: GroupModel<P, View>;
	readonly renamings: Renamings;
	readonly table: MemberTable<P, View>;
	readonly ensemble: WatcherEnsemble<P, View>;
	readonly properties: readonly SpaceProperty[];
	readonly #observationsOf = (step: number): ReturnType<MemberTable<P, View>["observationsOf"]> =>
		this.table.observationsOf(step);

	constructor(model: GroupModel<P, View>) {
		const { port, properties, isSymmetric } = model;
		this.#model = model;
		this.renamings = isSymmetric ? renamingsOf(port) : [port.nodes.map((_, i) => i)];
		const encoder = new StateEncoder(port.nodes);
		this.table = new MemberTable(model, encoder, this.renamings);
		this.ensemble = new WatcherEnsemble(properties, encoder, this.renamings);
		this.properties = [
			...properties.map(({ id, kind, statement, source }) => ({ id, kind, statement, source })),
			assertionProperty,
		];
	}

	get memoryBytes(): number {
		return this.table.memoryBytes + this.ensemble.memoryBytes;
	}

	get sizes(): {
		readonly members: number;
		readonly messages: number;
		readonly ensembles: number;
		readonly transitions: number;
	} {
		return {
			members: this.table.members.size,
			messages: this.table.messages.size - 1,
			ensembles: this.ensemble.size,
			transitions: this.table.transitions,
		};
	}

	/**
	 * Starts every member on a blank disk: their numbers, the watchers, and what these have found.
	 * @throws QuorateError `model-malformed` if a start fails or sends something
	 */
	boot(): { readonly members: readonly number[]; readonly ensemble: number; readonly findings: number } {
		const { name, port, disk } = this.#model;
		const findings: PropertyFinding[] = [{ property: this.properties.length - 1, finding: { type: "holds" } }];
		let ensemble = 0;
		const members = port.nodes.map((node) => {
			const step = bootMember(port, node, { disk, crashWith: null, isReduced: false });
			if (step.failure !== null) throw modelMalformed({ model: name, problem: `a start fails: ${step.failure}` });
			if (step.sent.length > 0) throw modelMalformed({ model: name, problem: "a machine sends before it is asked" });
			const member = this.table.internMember(step.member);
			// Nobody observes what a liar does.
			if (port.liars?.includes(node)) return member;
			const reaction = this.ensemble.react(ensemble, this.table.boot(), () => step.observations);
			findings.push(...this.ensemble.findings(this.ensemble.findingsOf(reaction)));
			ensemble = this.ensemble.nextOf(reaction);
			return member;
		});
		return { members, ensemble, findings: this.ensemble.findingsNumber(findings) };
	}

	/** The number of what a watcher ensemble makes of a transition. */
	react(ensemble: number, transition: number): number {
		return this.ensemble.react(ensemble, transition, this.#observationsOf);
	}

	/** The findings of a machine that threw. */
	failureFindings(failure: string): number {
		const property = this.properties.length - 1;
		return this.ensemble.findingsNumber([{ property, finding: { type: "violated", details: { failure } } }]);
	}
}

/** The renamings under which liars stay liars, and lie alike: these make equal states of equal states. */
function renamingsOf<P extends ProtocolTypes, View>({
	nodes,
	liars = [],
	forgeries = [],
}: GroupPort<P, View>): number[][] {
	const lies = (names: ReadonlyMap<NodeId, NodeId>): string =>
		[...liars, ...forgeries]
			.map((lie) => canonicalText(renameNodes(lie, names)))
			.sort()
			.join("\n");
	const told = lies(new Map());
	return allRenamings(nodes.length).filter((order) => {
		return told === lies(new Map(nodes.map((node, i) => [node, must(nodes[order[i]!], "a node")])));
	});
}
