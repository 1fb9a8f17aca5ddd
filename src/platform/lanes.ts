/** A lane for each name, there as long as it has jobs. */
import { Lane } from './lane.ts';

export class Lanes {
  readonly #lanes = new Map<string, Lane>();

  /** Runs `job` when those of its name that came before it are done. */
  async run<T>(name: string, job: () => Promise<T>): Promise<T> {
    let lane = this.#lanes.get(name);
    if (lane === undefined) this.#lanes.set(name, (lane = new Lane()));
    try {
      return await lane.run(job);
    } finally {
      if (lane.jobs === 0) this.#lanes.delete(name);
    }
  }
}
