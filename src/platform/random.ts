/** Randomness as an argument: the system's in production, seeded in tests. */
import { randomBytes } from 'node:crypto';

export interface Random {
  /** `size` uniform bytes; the system's are fit for keys and tokens. */
  bytes(size: number): Buffer;
  /** A number in [0, 1), for jitter. */
  fraction(): number;
}

export const systemRandom: Random = {
  bytes: (size) => randomBytes(size),
  fraction: () => Math.random(),
};
