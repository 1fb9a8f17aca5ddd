/**
 * Refuses requests with NodeNotCurrent while this node does not know whether what it has in memory is true: it was cut off
 * from the catalog, and others may have gone on without it. Looked at when a request comes, so that the next node is asked
 * at once, and again when its body is there, just before it is carried out. Routes with `config: { always: true }` answer
 * all the same.
 */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { DomainError } from '../../model/errors.ts';

export function refuseUnlessCurrent(app: FastifyInstance, isCurrent: () => boolean): void {
  const check = (request: FastifyRequest, _reply: unknown, done: (error?: Error) => void) => {
    if (isCurrent() || request.routeOptions.config.always === true || request.is404) done();
    else done(new DomainError('NodeNotCurrent'));
  };
  app.addHook('onRequest', check);
  app.addHook('preHandler', check);
}
