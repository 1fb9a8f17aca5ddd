/** GET /v2/{project_id}/apps/{app_name}. */
import { withStreams } from '../../../apps/list-apps.ts';
import type { App } from '../../fastify-types.ts';
import { AppReply } from '../../schemas/apps.ts';
import type { Services } from '../../services.ts';
import { appReply } from './app-reply.ts';
import type { AppParams } from './paths.ts';

export function showAppRoute(app: App, services: Services): void {
  app.get<{ Params: AppParams }>(
    '/v2/:projectId/apps/:appName',
    { config: { operation: 'showApp' }, schema: { summary: 'Show an app', response: { 200: AppReply } } },
    async ({ params }) => {
      const found = services.apps.require(params.projectId, params.appName);
      const [shown] = await withStreams(services, [found]);
      return appReply(shown!);
    },
  );
}
