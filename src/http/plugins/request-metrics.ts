/** Counts every answer by operation and class of status; requests that no operation takes are `unknown`. */
import type { FastifyInstance } from 'fastify';
import type { RequestMeter } from '../../metrics/request-meter.ts';

export function meterRequests(app: FastifyInstance, requests: RequestMeter): void {
  app.addHook('onResponse', (request, reply, done) => {
    const { operation = 'unknown' } = request.routeOptions.config;
    requests.count(operation, reply.statusCode, reply.elapsedTime);
    done();
  });
}
