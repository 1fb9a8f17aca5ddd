/** GET /v1/{project_id}/quotas: what the project may have and how much of it it has. */
import { quotasOf } from '../../../streams/quotas.ts';
import type { App } from '../../fastify-types.ts';
import { QuotasReply } from '../../schemas/quotas.ts';
import type { Services } from '../../services.ts';

export function showQuotasRoute(app: App, services: Services): void {
  app.get<{ Params: { projectId: string } }>(
    '/v1/:projectId/quotas',
    {
      config: { operation: 'showQuotas' },
      schema: { summary: 'Show the quotas of a project', response: { 200: QuotasReply } },
    },
    async ({ params }) => {
      const quotas = await quotasOf(services, params.projectId);
      return { quotas: { resource: quotas, resources: quotas } };
    },
  );
}
