/**
 * Announcements that are gathered until the lazy timer: of each message, the links that were lazy when it came. A link that is
 * lazy when they leave may have been of the tree then, and the other way round; it would get both or neither.
 */
import type { NodeId } from "../../core/index.ts";
import type { TreeMessage } from "./vocabulary.ts";

type Have = Extract<TreeMessage, { readonly type: "tree-have" }>;

/** Announcements in one message. */
export const HAVE_MAX = 256;

export class Announcements {
	#ids: string[] = NOTHING;
	#hops: number[] = NOTHING;
	/** Lists that nobody changes; most of the time all of them are the same one. */
	#links: (readonly NodeId[])[] = NOTHING;

	get isEmpty(): boolean {
		return this.#ids.length === 0;
	}
	get state(): unknown {
		return { ids: this.#ids, hops: this.#hops, links: this.#links };
	}

	/** @param links must not be changed any more */
	add(id: string, hops: number, links: readonly NodeId[]): void {
		if (this.#ids.length === 0) {
			// Mostly there is one, and lists that grow by pushing have room for many from the first on.
			this.#ids = [id];
			this.#hops = [hops];
			this.#links = [links];
			return;
		}
		this.#ids.push(id);
		this.#hops.push(hops);
		this.#links.push(links);
	}

	/** Empties it. The neighbours to whom nothing is announced get no call; one message may be sent to many. */
	take(send: (to: NodeId, have: Have) => void): void {
		const [ids, hops, links] = [this.#ids, this.#hops, this.#links];
		this.#ids = NOTHING;
		this.#hops = NOTHING;
		this.#links = NOTHING;
		const first = links[0];
		if (first === undefined) return;
		if (links.every((each) => each === first)) sendAll(first, ids, hops, send);
		else for (const to of new Set(links.flat())) sendAll([to], ...announcedTo(to, ids, hops, links), send);
	}

	copy(): Announcements {
		const copy = new Announcements();
		if (this.isEmpty) return copy;
		copy.#ids = [...this.#ids];
		copy.#hops = [...this.#hops];
		copy.#links = [...this.#links];
		return copy;
	}
}

/** Shared, so it is never pushed to. */
const NOTHING: never[] = [];

function sendAll(
	to: readonly NodeId[],
	ids: readonly string[],
	hops: readonly number[],
	send: (to: NodeId, have: Have) => void,
): void {
	for (let at = 0; at < ids.length; at += HAVE_MAX) {
		const isWhole = ids.length <= HAVE_MAX;
		const have: Have = {
			type: "tree-have",
			ids: isWhole ? ids : ids.slice(at, at + HAVE_MAX),
			hops: isWhole ? hops : hops.slice(at, at + HAVE_MAX),
		};
		for (const link of to) send(link, have);
	}
}

function announcedTo(
	link: NodeId,
	ids: readonly string[],
	hops: readonly number[],
	links: readonly (readonly NodeId[])[],
): [ids: string[], hops: number[]] {
	const isFor = (_: unknown, at: number): boolean => links[at]?.includes(link) === true;
	return [ids.filter(isFor), hops.filter(isFor)];
}
