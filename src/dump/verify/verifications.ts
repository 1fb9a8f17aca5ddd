/** The verifications of a node, of which few run at a time: each reads a whole log, and a bucket. */
import { DomainError } from '../../model/errors.ts';
import type { DumpServices } from '../dump-services.ts';
import { verifyTask, type Verification, type VerifyRequest } from './verify-task.ts';

/** Two, so that one of a huge task does not keep people from looking at a small one. */
const AT_A_TIME = 2;

export class Verifications {
  readonly #services: DumpServices;
  #running = 0;

  constructor(services: DumpServices) {
    this.#services = services;
  }

  /**
   * As `verifyTask`; throws TooManyRequests while too many run. It counts as running until `request.signal` is aborted, so
   * that has to happen when the answer is out, too.
   */
  async begin(request: VerifyRequest): Promise<Verification> {
    const verification = await verifyTask(this.#services, request);
    if (this.#running >= AT_A_TIME)
      throw new DomainError('TooManyRequests', [`${AT_A_TIME} verifications are running`]);
    if (!request.signal.aborted) {
      this.#running += 1;
      request.signal.addEventListener('abort', () => (this.#running -= 1), { once: true });
    }
    return verification;
  }
}
