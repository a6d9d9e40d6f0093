/** The signed posts of one ceremony that a participant has seen: of each author and kind at most two, as two already convict. */
import type { NodeId } from "../../core/index.ts";
import { equalBytes } from "../bytes.ts";
import { bodyBytes, type Post, type PostBody, type PostKind } from "./messages.ts";

/** What became of a post: worth passing on only when it is `new` or a `conflict`. */
export type Posted = "new" | "known" | "conflict" | "convicted";

/** Two posts that one author has signed for one place: proof, for whoever can check the signatures. */
export type Equivocation = readonly [Post, Post];

export class PostBoard {
	readonly #posts = new Map<PostKind, Map<NodeId, readonly Post[]>>();

	/** What {@link add} would make of a post, without its signature being verified yet. */
	classify(post: Post): Posted {
		const seen = this.#seen(post);
		if (seen.some((other) => isSamePost(other, post))) return "known";
		if (seen.length === 0) return "new";
		return seen.length === 1 ? "conflict" : "convicted";
	}

	/** Keeps a post whose signature holds. */
	add(post: Post): void {
		const ofKind = this.#posts.get(post.body.type) ?? new Map<NodeId, readonly Post[]>();
		ofKind.set(post.author, [...this.#seen(post), post]);
		this.#posts.set(post.body.type, ofKind);
	}

	/** The author's one post of a kind; undefined if there is none, and if there are two. */
	get<Kind extends PostKind>(kind: Kind, author: NodeId): Extract<PostBody, { readonly type: Kind }> | undefined {
		const posts = this.#posts.get(kind)?.get(author) ?? [];
		return posts.length === 1 ? (posts[0]?.body as Extract<PostBody, { readonly type: Kind }>) : undefined;
	}

	/** The signed post itself. */
	signed(kind: PostKind, author: NodeId): Post | undefined {
		return this.#posts.get(kind)?.get(author)?.[0];
	}

	/** Whether anything of this kind has come from the author. */
	has(kind: PostKind, author: NodeId): boolean {
		return (this.#posts.get(kind)?.get(author) ?? []).length > 0;
	}

	/** All of one author's posts. */
	of(author: NodeId): readonly Post[] {
		return [...this.#posts.values()].flatMap((ofKind) => ofKind.get(author) ?? []);
	}

	/** Who has signed two things for one place, with the first such pair. */
	equivocations(): ReadonlyMap<NodeId, Equivocation> {
		const found = new Map<NodeId, Equivocation>();
		for (const ofKind of this.#posts.values())
			for (const [author, [one, other]] of ofKind)
				if (one !== undefined && other !== undefined && !found.has(author)) found.set(author, [one, other]);
		return found;
	}

	/** As plain data, for hashing and printing. */
	get state(): unknown {
		return this.#posts;
	}

	copy(): PostBoard {
		const copied = new PostBoard();
		for (const [kind, ofKind] of this.#posts) copied.#posts.set(kind, new Map(ofKind));
		return copied;
	}

	#seen({ author, body }: Post): readonly Post[] {
		return this.#posts.get(body.type)?.get(author) ?? [];
	}
}

/** Same author and same content: a second signature on the same words is no second word. */
function isSamePost(a: Post, b: Post): boolean {
	return a.author === b.author && equalBytes(bodyBytes(a.body), bodyBytes(b.body));
}
