/** GET /metrics: the state of the server for Prometheus. Open to everybody, or, if so configured, to administrators. */
import Type from 'typebox';
import { DomainError } from '../../../model/errors.ts';
import type { App } from '../../fastify-types.ts';
import type { Services } from '../../services.ts';

export function prometheusRoute(app: App, { prometheus, metricsPublic }: Services): void {
  app.get(
    '/metrics',
    {
      config: { operation: 'prometheus', public: metricsPublic, always: true },
      schema: {
        summary: 'Show the state of the server',
        response: { 200: { content: { 'text/plain': { schema: Type.String() } } } },
      },
    },
    async (request, reply) => {
      if (!metricsPublic && request.principal.role !== 'admin') throw new DomainError('NotPermitted', ['prometheus']);
      const { contentType, text } = await prometheus.expose();
      return reply.type(contentType).send(text);
    },
  );
}
