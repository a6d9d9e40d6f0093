/**
 * The choices that a host makes for a protocol that must choose at random at once, within a step: a gossip's next peer, a
 * shuffle, a coin. As with delays, the protocol holds no generator; it asks, and the host decides.
 *
 * On threads and in the simulator the port is a seeded `Generator`. A model checker tries every answer: it steps a copy of
 * the machine under a script of answers, and where the machine asks beyond its end, once for each further answer.
 */
export interface ChoicePort {
	/** An integer in `[0, bound)`, every one of them possible; `bound` is an integer in `[1, 2^32]`. */
	below(bound: number): number;
}
