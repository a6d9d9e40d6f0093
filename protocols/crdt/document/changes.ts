/** What observers of a document are told: values that changed, as data with a `type`. */
import type { Value } from "../encoding/value.ts";
import type { Path } from "./container.ts";

/** Who changed it: a call on this document, or an update that was applied. */
export type ChangeSource = "own" | "remote";

/** Something of a container changed; `type` tells what. */
export type CrdtChange =
	/** Elements were inserted before `position`. */
	| {
			readonly type: "inserted";
			readonly path: Path;
			readonly source: ChangeSource;
			readonly position: number;
			readonly content: string | readonly Value[];
	  }
	/** `count` elements from `position` on were deleted. */
	| {
			readonly type: "deleted";
			readonly path: Path;
			readonly source: ChangeSource;
			readonly position: number;
			readonly count: number;
	  }
	/** A value other than a sequence was updated; of a set or counter, `key` says where. */
	| { readonly type: "updated"; readonly path: Path; readonly source: ChangeSource; readonly key: string };
