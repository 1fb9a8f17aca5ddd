/** Randomness that a seed decides. */
import type { Random } from '../../src/platform/random.ts';
/** Numbers in [0, 1): the same ones for the same seed (mulberry32). */
export declare function seededFraction(seed: number): () => number;
export declare function seededRandom(seed: number): Random;
