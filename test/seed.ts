// Property tests have the same examples in every run: what a change breaks is seen in its own run, not in another's. SEED=7 gives others, and each
// `make campaigns` draws some.
import fc from "fast-check";

fc.configureGlobal({ seed: Number(process.env.SEED || 20_261_129) });
