/** What is to happen in the deterministic driver: a binary heap by (time, order of scheduling). */

export interface Event {
	readonly at: number;
	readonly order: number;
	readonly run: () => void;
}

function isEarlier(a: Event, b: Event): boolean {
	return a.at === b.at ? a.order < b.order : a.at < b.at;
}
export function siftUp(queue: Event[]): void {
	let child = queue.length - 1;
	while (child > 0) {
		const parent = (child - 1) >> 1;
		const [a, b] = [queue[child] as Event, queue[parent] as Event];
		if (!isEarlier(a, b)) return;
		queue[child] = b;
		queue[parent] = a;
		child = parent;
	}
}
export function popEarliest(queue: Event[]): Event | undefined {
	const earliest = queue[0];
	const last = queue.pop();
	if (earliest === undefined || last === undefined || queue.length === 0) return earliest;
	queue[0] = last;
	let parent = 0;
	for (;;) {
		let least = parent;
		for (const child of [2 * parent + 1, 2 * parent + 2]) {
			if (child < queue.length && isEarlier(queue[child] as Event, queue[least] as Event)) least = child;
		}
		if (least === parent) return earliest;
		[queue[parent], queue[least]] = [queue[least] as Event, queue[parent] as Event];
		parent = least;
	}
}
