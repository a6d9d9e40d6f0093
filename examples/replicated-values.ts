/**
 * Values that every node changes without asking anybody, and that come to be the same everywhere: a counter and a set at
 * three members of one group.
 */
import { CRDTSynchronizer } from "quorate";

const replicationGroup = ["node-1", "node-2", "node-3"];
const members = replicationGroup.map((node) => new CRDTSynchronizer(node, replicationGroup));
const values = members.map((synchronizer) => ({
	counter: synchronizer.registerCRDT("request_counter", "G_COUNTER"),
	users: synchronizer.registerCRDT("active_users", "OR_SET"),
}));
values[2]!.users.changes$.subscribe(({ type, source }) => console.log(`node-3: users ${type}, ${source}`));

for (const [i, { counter, users }] of values.entries()) {
	counter.increment(i + 1);
	if (i < 2) users.add(`user-${i + 1}`);
}
for (const synchronizer of members) await synchronizer.synchronize();
for (const [i, { counter, users }] of values.entries()) {
	console.log(`node-${i + 1}: ${counter.value} requests, ${users.values.join(" and ")}`);
}
for (const synchronizer of members) synchronizer.close();
