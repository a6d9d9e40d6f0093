/** Where a command writes: the terminal or a pipe, with or without colours. */

export interface Output {
	write(text: string): void;
	/** A terminal that can be written over; else text is only added. */
	readonly isTerminal: boolean;
	/** Columns of the terminal. */
	readonly columns: number;
	readonly hasColours: boolean;
}

/** Width of what is written where there is no terminal to ask. */
const COLUMNS_DEFAULT = 100;

/** An output on one of the process's streams. Colours follow the terminal, `NO_COLOR` and `FORCE_COLOR`. */
export function streamOutput(stream: NodeJS.WriteStream, environment: NodeJS.ProcessEnv): Output {
	const isTerminal = stream.isTTY === true && environment["TERM"] !== "dumb";
	const refuses = (environment["NO_COLOR"] ?? "") !== "";
	const forces = (environment["FORCE_COLOR"] ?? "") !== "" && environment["FORCE_COLOR"] !== "0";
	return {
		write: (text) => void stream.write(text),
		isTerminal,
		get columns() {
			return stream.columns ?? COLUMNS_DEFAULT;
		},
		hasColours: !refuses && (isTerminal || forces),
	};
}

/** An output that keeps nothing. */
export const silentOutput: Output = {
	write: () => undefined,
	isTerminal: false,
	columns: COLUMNS_DEFAULT,
	hasColours: false,
};

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;
export type Style = keyof typeof codes;

/** Paints text, where colours are shown. */
export function painter(hasColours: boolean): (style: Style, text: string) => string {
	return (style, text) => (hasColours && text !== "" ? `\u001b[${codes[style]}m${text}\u001b[0m` : text);
}
