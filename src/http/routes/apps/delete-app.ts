/** DELETE /v2/{project_id}/apps/{app_name}: 204. */
import { deleteApp } from '../../../apps/delete-app.ts';
import type { App } from '../../fastify-types.ts';
import { Empty } from '../../schemas/empty.ts';
import type { Services } from '../../services.ts';
import type { AppParams } from './paths.ts';

export function deleteAppRoute(app: App, services: Services): void {
  app.delete<{ Params: AppParams }>(
    '/v2/:projectId/apps/:appName',
    {
      config: { operation: 'deleteApp' },
      schema: { summary: 'Delete an app with its checkpoints', response: { 204: Empty } },
    },
    async ({ params }, reply) => {
      await deleteApp(services, services.apps.require(params.projectId, params.appName));
      return reply.code(204).send();
    },
  );
}
