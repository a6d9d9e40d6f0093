/** Random experiments, drawn from the table that describes the format. */
import fc from "fast-check";
import { experimentShape } from "../../../supervisors/chaos/experiment-format.ts";
import type { Field, Shape } from "../../../supervisors/chaos/shape.ts";
import type { Experiment } from "../../../supervisors/index.ts";

/** Experiments as a parser would return them. */
export const arbitraryExperiment: fc.Arbitrary<Experiment> = dataOf(experimentShape).map((drawn) => {
	const experiment = drawn as Experiment;
	return { ...experiment, method: [...experiment.method].sort((a, b) => a.atMs - b.atMs) };
});

function dataOf(shape: Shape): fc.Arbitrary<unknown> {
	switch (shape.type) {
		case "text":
			return shape.pattern === undefined
				? fc
						.string({ minLength: shape.lengthMin, maxLength: Math.min(shape.lengthMax, 20), unit: "grapheme" })
						.filter(({ length }) => length >= shape.lengthMin && length <= shape.lengthMax)
				: fc.constantFrom("leader", "follower", "any", "all", "node-1", "n2.a:b_c", "1", "null", "true");
		case "integer":
			return fc.integer({ min: shape.min, max: shape.max });
		case "number":
			return fc.double({ min: shape.min, max: shape.max, noNaN: true }).map((value) => (value === 0 ? 0 : value));
		case "true":
			return fc.constant(true);
		case "regex":
			return fc.constantFrom("^a+$", "[0-9]", "", "\\p{L}: #");
		case "never":
			return fc.constant(null);
		case "duration":
			// Whole microseconds.
			return fc.oneof(
				fc.integer({ min: Math.ceil(shape.min), max: shape.max }),
				fc.integer({ min: shape.min * 1_000, max: shape.max * 1_000 }).map((us) => us / 1_000),
			);
		case "rate":
			return fc.oneof(
				fc.integer({ min: 1, max: shape.max }),
				fc.integer({ min: 1, max: 999_999 }).map((n) => n / 1_000),
			);
		case "choice":
			return fc.constantFrom(...shape.of);
		case "scalar":
			return fc.oneof(
				fc.boolean(),
				fc.constant(null),
				fc.integer(),
				fc.string(),
				fc.constantFrom("1", "true", "~", "no", ""),
			);
		case "list":
			return fc.array(dataOf(shape.of), { minLength: shape.countMin, maxLength: Math.min(shape.countMax, 5) });
		case "map":
			return fc.dictionary(fc.string({ minLength: 1 }), dataOf(shape.of), { maxKeys: 3, noNullPrototype: true });
		case "record":
			return fieldsOf(shape.fields);
		case "variants":
			return fc.oneof(
				...shape.variants.map(({ name, common, arguments: given }) =>
					fc
						.tuple(fieldsOf(common), fieldsOf(given))
						.map(([theirs, args]) => ({ ...theirs, [shape.on]: { kind: name, arguments: args } })),
				),
			);
		case "either":
			return fc.oneof(...shape.forms.map((form) => dataOf(form.shape).map((written) => form.toData(written))));
	}
}

function fieldsOf(fields: readonly Field[]): fc.Arbitrary<Record<string, unknown>> {
	const drawn = fields.map((field) => {
		const value = dataOf(field.shape);
		return field.default === null ? fc.oneof(value, fc.constant(null)) : value;
	});
	return fc
		.tuple(fc.tuple(...drawn), fc.tuple(...fields.map(() => fc.boolean())))
		.map(([values, kept]) =>
			Object.fromEntries(
				fields.flatMap(({ name, optional }, index) =>
					optional === true && kept[index] === false ? [] : [[name, values[index]]],
				),
			),
		);
}
