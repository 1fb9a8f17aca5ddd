/** What every benchmark is given. */
import type { LoadGenerator } from '../load/load-generator.ts';
import type { Section } from './markdown.ts';

export interface BenchContext {
  /** An empty folder of this run; removed afterwards. Its disk is the one that is measured. */
  readonly directory: string;
  /** Rounds of every comparison. */
  readonly repeats: number;
  /** Length of one load run. */
  readonly seconds: number;
  readonly load: LoadGenerator;
  /** Tells whoever waits what is going on. */
  readonly progress: (message: string) => void;
}

export type Benchmark = (context: BenchContext) => Promise<Section>;
