/**
 * An actor of your own in the supervision tree, next to the participants: it lives on a thread of its own, fails on
 * purpose, and its supervisor starts it again.
 *
 * Run it: `npm run build && node dist/examples/own-actor.js`
 */
import { fileURLToPath } from "node:url";
import { Swarm } from "quorate";
import type { ActorContext, Behaviour } from "quorate/runtime";
import { filter, firstValueFrom, map, take, toArray } from "rxjs";

/** Publishes a beat every few milliseconds, and dies of the third. */
export class Heart implements Behaviour<"beat"> {
	readonly #everyMs: number;
	#beats = 0;

	constructor(args: { readonly everyMs: number }) {
		this.#everyMs = args.everyMs;
	}

	started(context: ActorContext<"beat">): void {
		context.timers.set("beat", this.#everyMs, "beat");
	}

	receive(_: "beat", context: ActorContext<"beat">): void {
		this.#beats++;
		if (this.#beats === 3) throw new Error("a beat too many");
		context.publish({ type: "beat" });
		context.timers.set("beat", this.#everyMs, "beat");
	}
}

async function main(): Promise<void> {
	const heart = {
		id: "heart",
		start: {
			name: "heart",
			behaviour: { module: import.meta.url, export: "Heart", args: { everyMs: 20 } },
			placement: "dedicated",
		},
	} as const;
	const swarm = await Swarm.start({ actors: [heart] });
	try {
		const story = swarm.events$.pipe(
			map((event) => {
				if (event.type === "published") return event.event.type;
				if (event.type === "child-restarted" && event.child === "heart") return "restarted";
				return null;
			}),
			filter((line) => line !== null),
			take(5),
			toArray(),
		);
		for (const line of await firstValueFrom(story)) console.log(line);
	} finally {
		await swarm.stop();
	}
}

// Threads import this module too, for the class alone. (No top-level await: the module must be loaded completely before
// it can be imported again.)
if (process.argv[1] === fileURLToPath(import.meta.url)) void main();
