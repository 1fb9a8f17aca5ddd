/** GET /healthz: the server is up and takes requests. Open to load balancers: no token. */
import type { App } from '../../fastify-types.ts';

export function healthRoute(app: App): void {
  app.get('/healthz', { config: { operation: 'health', public: true } }, () => ({ status: 'ok' }));
}
