/** How many requests of each operation were answered with which class of status, and how long they took. */
import { Durations } from './durations.ts';

export class OperationMeter {
  /** By the first digit of the status. */
  readonly statuses = new Float64Array(6);
  /** From the arrival of the headers to the last byte of the answer. */
  readonly durations = new Durations();
}

export class RequestMeter {
  /** As many as there are operations. */
  readonly operations: ReadonlyMap<string, OperationMeter>;
  readonly #operations = new Map<string, OperationMeter>();

  constructor() {
    this.operations = this.#operations;
  }

  /** `status`: 100 to 599. */
  count(operation: string, status: number, ms: number): void {
    let meter = this.#operations.get(operation);
    if (meter === undefined) this.#operations.set(operation, (meter = new OperationMeter()));
    meter.statuses[Math.floor(status / 100)]! += 1;
    meter.durations.observe(ms);
  }
}
