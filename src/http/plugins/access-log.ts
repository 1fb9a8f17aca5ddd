/** One debug line a request: what it asked for and how it went; never headers, bodies or tokens. */
import type { FastifyInstance } from 'fastify';
import type { Logger } from 'pino';

export function logAccess(app: FastifyInstance, logger: Logger): void {
  // Decided once: a server that does not log accesses does not pay for them.
  if (!logger.isLevelEnabled('debug')) return;
  app.addHook('onResponse', (request, reply, done) => {
    const { operation = 'unknown' } = request.routeOptions.config;
    const ms = Math.round(reply.elapsedTime * 1000) / 1000;
    request.log.debug({ requestId: request.id, operation, status: reply.statusCode, ms });
    done();
  });
}
