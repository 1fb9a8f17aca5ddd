/** Every answer tells the id under which the log knows its request. */
import type { FastifyInstance } from 'fastify';

export function sendRequestIds(app: FastifyInstance): void {
  app.addHook('onRequest', (request, reply, done) => {
    reply.header('X-Request-Id', request.id);
    done();
  });
}
