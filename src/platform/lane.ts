/**
 * Runs jobs one at a time in the order in which they came: what a job has read is still true when it writes, and memory
 * follows the catalog in order. A job must not wait for another job of the same lane.
 */
export class Lane {
  #last: Promise<void> = Promise.resolve();
  #jobs = 0;

  /** Resolves or rejects as the job does; a failing job does not stop those behind it. */
  run<T>(job: () => Promise<T>): Promise<T> {
    this.#jobs += 1;
    const result = this.#last.then(job);
    const done = () => {
      this.#jobs -= 1;
    };
    this.#last = result.then(done, done);
    return result;
  }

  /** Jobs that wait or run. */
  get jobs(): number {
    return this.#jobs;
  }

  /** Resolves once every job so far is done. */
  idle(): Promise<void> {
    return this.#last;
  }
}
