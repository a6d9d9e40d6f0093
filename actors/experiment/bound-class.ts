/**
 * What a simulation loads as a behaviour's class where instances must know of that simulation. A class made anew for each would have
 * hidden classes of its own, and the engine would throw away and compile again, seed after seed, the code that meets its instances
 * (seen with `--trace-deopt`). So the class is one, and only the function that constructs it is new.
 */
export function boundClass<Args, Instance extends object>(
	Class: { readonly prototype: Instance },
	construct: (args: Args) => Instance,
): new (
	args: Args,
) => Instance {
	function constructed(args: Args): Instance {
		return construct(args);
	}
	// By this the runtime knows a class.
	constructed.prototype = Class.prototype;
	return constructed as unknown as new (
		args: Args,
	) => Instance;
}
