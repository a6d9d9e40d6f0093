/** Markup that escapes what it is given: for HTML, SVG and XML. */

/** Text that is markup already. Made by {@link markup} only. */
export class Markup {
	readonly source: string;
	constructor(source: string) {
		this.source = source;
	}
}

export type MarkupValue = string | number | Markup | null | readonly MarkupValue[];

/** A template whose values are escaped, unless they are markup; lists are joined, null is nothing. */
export function markup(texts: TemplateStringsArray, ...values: readonly MarkupValue[]): Markup {
	return new Markup(
		texts.map((text, index) => text + (index < values.length ? render(values[index] ?? null) : "")).join(""),
	);
}

function render(value: MarkupValue): string {
	if (value === null) return "";
	if (value instanceof Markup) return value.source;
	if (typeof value === "object") return value.map(render).join("");
	return escapeText(String(value));
}

/** Characters that XML 1.0 can not hold, not even escaped: most controls, lone surrogates and two non-characters. */
const UNPRINTABLE = /[^\t\n\r\u0020-\uD7FF\uE000-\uFFFD\u{10000}-\u{10FFFF}]/gu;

/** Text for elements and quoted attributes. */
export function escapeText(text: string): string {
	return text
		.replace(UNPRINTABLE, "\uFFFD")
		.replace(/&/g, "&amp;")
		.replace(/</g, "&lt;")
		.replace(/>/g, "&gt;")
		.replace(/"/g, "&quot;")
		.replace(/'/g, "&#39;");
}
