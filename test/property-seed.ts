/**
 * Every property-based test draws from one seed, so that the verdict of `npm test` is a function of the sources alone.
 * `QUORATE_PROPERTY_SEED` sets another: a number replays a failure that was printed, `random` goes where no run has been.
 */
import fc from "fast-check";

const wanted = process.env["QUORATE_PROPERTY_SEED"];
if (wanted !== "random") fc.configureGlobal({ seed: Number(wanted ?? 1) });
