/** Goal: a cut parts two sides, in both directions and nowhere else, and what is lost to it is counted. Method: the board by itself. */
import { expect, it } from "vitest";
import { LinkBoard } from "../../../../actors/experiment/replicas/index.ts";

it("a cut parts both sides in both directions, for all who share the board, until it is healed", () => {
	const board = new LinkBoard(4);
	const other = new LinkBoard(4, board.memory);
	board.cut([1, 2]);
	const pairs = [0, 1, 2, 3].flatMap((from) => [0, 1, 2, 3].map((to) => [from, to] as const));
	const isApart = (member: number): boolean => member === 1 || member === 2;
	for (const [from, to] of pairs) expect(other.isCut(from, to), `${from} to ${to}`).toBe(isApart(from) !== isApart(to));
	other.noteLost();
	expect(board.lost).toBe(1);
	board.cut([]);
	for (const [from, to] of pairs) expect(other.isCut(from, to)).toBe(false);
	expect(board.lost).toBe(1);
});
