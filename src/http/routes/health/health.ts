/** GET /healthz: the server is alive; whether it can serve is /readyz. Open to load balancers: no token. */
import Type from 'typebox';
import type { App } from '../../fastify-types.ts';

const HealthReply = Type.Object({ status: Type.Literal('ok') });

export function healthRoute(app: App): void {
  app.get(
    '/healthz',
    {
      config: { operation: 'health', public: true, always: true },
      schema: { summary: 'Tell that the server is up', response: { 200: HealthReply } },
    },
    () => ({ status: 'ok' as const }),
  );
}
