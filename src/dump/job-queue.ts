/**
 * Jobs that are done in the background, a few at a time, first in first out, and again after a while when they fail. What
 * has to be done is durable elsewhere: a job that is lost is found again at the next start.
 */
import type { Clock } from '../platform/clock.ts';

export interface Job {
  /** Says what the job is: of two jobs with the same key there is one. */
  readonly key: string;
  readonly taskId: string;
  /**
   * Resolves to undefined when the job is done with, or to the milliseconds after which to come back: 0 is at once, others
   * at the next `wake` that is due. Must not reject; an aborted one ends soon, whatever it resolves to.
   */
  run(signal: AbortSignal): Promise<number | undefined>;
}

interface Run {
  readonly abort: AbortController;
  /** Resolves when the run has ended. */
  readonly ended: Promise<void>;
}

export class JobQueue {
  readonly #clock: Clock;
  readonly #atATime: number;
  readonly #ready = new Map<string, Job>();
  readonly #running = new Map<Job, Run>();
  readonly #cleaning = new Set<Promise<void>>();
  /** Jobs that come back, and when, on the clock's monotonic scale. */
  readonly #waiting = new Map<Job, number>();
  /** Keys of all three. */
  readonly #keys = new Set<string>();
  readonly #again = new Set<string>();
  readonly #shutdown = new AbortController();
  #closed = false;

  constructor(clock: Clock, atATime: number) {
    this.#clock = clock;
    this.#atATime = atATime;
  }

  /** Jobs that run, and dropped tasks that are cleaned up after. */
  get working(): number {
    return this.#running.size + this.#cleaning.size;
  }

  /**
   * Adds a job and begins with it as soon as there is room. One that runs already, and may have looked before there was
   * this to do, runs once more when it is done.
   */
  add(job: Job): void {
    if (this.#closed) return;
    if (this.#keys.has(job.key)) {
      for (const { key } of this.#running.keys()) if (key === job.key) this.#again.add(key);
      return;
    }
    this.#keys.add(job.key);
    this.#ready.set(job.key, job);
    this.#pump();
  }

  /** Takes up the jobs that have waited long enough. */
  wake(): void {
    const now = this.#clock.monotonic();
    for (const [job, due] of this.#waiting) {
      if (due > now) continue;
      this.#waiting.delete(job);
      this.#ready.set(job.key, job);
    }
    this.#pump();
  }

  /**
   * Drops the jobs of a task, and aborts those that run. Once none of them runs any more `clean` removes what they may have
   * left; it must not reject, and gives up when its signal is aborted.
   */
  drop(taskId: string, clean?: (signal: AbortSignal) => Promise<void>): void {
    for (const job of [...this.#ready.values(), ...this.#waiting.keys()]) {
      if (job.taskId !== taskId) continue;
      this.#ready.delete(job.key);
      this.#waiting.delete(job);
      this.#keys.delete(job.key);
    }
    const ending: Promise<void>[] = [];
    for (const [job, { abort, ended }] of this.#running) {
      if (job.taskId !== taskId) continue;
      abort.abort(new Error('the task was deleted, or is another node’s'));
      ending.push(ended);
    }
    if (clean === undefined) return;
    const cleaning = Promise.all(ending)
      .then(() => clean(this.#shutdown.signal))
      .finally(() => this.#cleaning.delete(cleaning));
    this.#cleaning.add(cleaning);
  }

  /** Lets no further job begin; resolves once none runs and nothing is cleaned up. */
  async drain(): Promise<void> {
    this.#closed = true;
    while (this.working > 0) {
      await Promise.all([...this.#cleaning, ...[...this.#running.values()].map(({ ended }) => ended)]);
    }
  }

  /** Aborts what runs and what is cleaned up; lets no further job begin. */
  abortAll(): void {
    this.#closed = true;
    const reason = new Error('the server is shutting down');
    this.#shutdown.abort(reason);
    for (const { abort } of this.#running.values()) abort.abort(reason);
  }

  #pump(): void {
    for (const job of this.#ready.values()) {
      if (this.#closed || this.#running.size >= this.#atATime) return;
      this.#ready.delete(job.key);
      const abort = new AbortController();
      const { promise: ended, resolve } = Promise.withResolvers<void>();
      this.#running.set(job, { abort, ended });
      job
        .run(abort.signal)
        .then(
          (delay) => this.#ended(job, delay),
          () => this.#ended(job, undefined),
        )
        .finally(resolve);
    }
  }

  #ended(job: Job, delay: number | undefined): void {
    const aborted = this.#running.get(job)?.abort.signal.aborted === true;
    this.#running.delete(job);
    const again = this.#again.delete(job.key);
    if (aborted || (delay === undefined && !again)) this.#keys.delete(job.key);
    else if (delay === undefined || delay === 0) this.#ready.set(job.key, job);
    else this.#waiting.set(job, this.#clock.monotonic() + delay);
    this.#pump();
  }
}
