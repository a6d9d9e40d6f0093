/** What an observer of a whole group sees, whoever hosts it: model checker, simulator or a test's driver. */
import type { Effect, NodeId, ProtocolTypes, RequestId } from "../core/index.ts";

/**
 * One thing that has happened in a group of one protocol. `View` is how the protocol's room shows a machine to
 * observers. It and `durable` may be the host's own live values: valid during the call only.
 */
export type GroupObservation<P extends ProtocolTypes, View> =
	/** A member's life begins with what was durable; nothing is stepped yet. Depth `machine`. */
	| { readonly type: "started"; readonly node: NodeId }
	/** A member is gone, with everything that was not durable. Depth `machine`. */
	| { readonly type: "ended"; readonly node: NodeId }
	/** A member has stepped a batch, the closing `batch-ended` included. Depth `machine`. */
	| {
			readonly type: "batch";
			readonly node: NodeId;
			/** In order; not performed yet. */
			readonly effects: readonly Effect<P>[];
			/** What clients have asked in this batch, by their numbers; hosts without clients of their own leave it out. */
			readonly asked?: ReadonlySet<RequestId>;
			readonly machine: View;
	  }
	/** A message leaves its sender, whose disk holds `durable` at that moment. Depth `disk`. */
	| {
			readonly type: "left";
			readonly from: NodeId;
			readonly to: NodeId;
			readonly message: P["message"];
			readonly durable: P["durable"];
	  }
	/** A persist has become durable; the disk then holds `durable`. Depth `disk`. */
	| { readonly type: "persisted"; readonly node: NodeId; readonly durable: P["durable"] }
	/**
	 * A member's application has taken the command at `index` into its state. Depth `machine`, of hosts that run an
	 * application; properties must not count on it.
	 */
	| { readonly type: "applied"; readonly node: NodeId; readonly index: number }
	/** A member has published an event. Depth `events`; on engines that see no more, the only kind. */
	| { readonly type: "event"; readonly node: NodeId; readonly event: P["event"] };
