/**
 * GET /readyz: whether the server can serve. 503 says what is missing, by name alone. Open to load balancers: no token.
 * The object store is not asked: without it records are taken and read all the same, and files are delivered late.
 */
import Type from 'typebox';
import type { App } from '../../fastify-types.ts';
import type { Services } from '../../services.ts';

const State = Type.Union([Type.Literal('ok'), Type.Literal('failed'), Type.Literal('timed out')]);
const Checks = Type.Record(Type.String(), State, { description: 'by dependency: catalog, membership, record_log' });
const ReadyReply = Type.Object({ status: Type.Literal('ready'), checks: Checks });
const NotReadyReply = Type.Object({ status: Type.Literal('not ready'), checks: Checks });

export function readyRoute(app: App, { readiness }: Services): void {
  app.get(
    '/readyz',
    {
      config: { operation: 'ready', public: true, always: true },
      schema: {
        summary: 'Tell whether the server can serve, and what is missing',
        response: { 200: ReadyReply, 503: NotReadyReply },
      },
    },
    async (_request, reply) => {
      const { ready, checks } = await readiness.report();
      return ready ? { status: 'ready' as const, checks } : reply.code(503).send({ status: 'not ready', checks });
    },
  );
}
