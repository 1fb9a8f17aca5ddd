/**
 * Lets running requests finish when the server stops. From then on a request that still arrives, on a connection that
 * was open already, is refused with ShuttingDown, and every answer closes its connection.
 */
import type { FastifyInstance } from 'fastify';
import { DomainError } from '../../model/errors.ts';

export class Drain {
  #running = 0;
  #started = false;
  #idle: (() => void) | undefined;

  /** Requests whose answer is not on its way yet. */
  get running(): number {
    return this.#running;
  }

  /** Begins to refuse requests; resolves when none is running. */
  async start(): Promise<void> {
    this.#started = true;
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  install(app: FastifyInstance): void {
    app.addHook('onRequest', (_request, _reply, done) => {
      this.#running += 1;
      if (this.#started) done(new DomainError('ShuttingDown'));
      else done();
    });
    // Not onResponse: a caller that hangs up does not end what it has started.
    app.addHook('onSend', (_request, reply, payload, done) => {
      this.#running -= 1;
      if (this.#started) reply.header('connection', 'close');
      if (this.#running === 0) this.#idle?.();
      done(null, payload);
    });
  }
}
