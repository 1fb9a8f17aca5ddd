/** POST /v2/{project_id}/apps: 201 with an empty body; the Java client takes no other. */
import { createApp } from '../../../apps/create-app.ts';
import type { App } from '../../fastify-types.ts';
import { CreateAppBody } from '../../schemas/apps.ts';
import { Empty } from '../../schemas/empty.ts';
import type { Services } from '../../services.ts';
import { APPS_PATHS } from './paths.ts';

export function createAppRoute(app: App, services: Services): void {
  for (const { path, hide } of APPS_PATHS) {
    app.post<{ Params: { projectId: string }; Body: CreateAppBody }>(
      path,
      {
        config: { operation: 'createApp' },
        schema: { summary: 'Create an app', hide, body: CreateAppBody, response: { 201: Empty } },
      },
      async ({ params, body }, reply) => {
        await createApp(services, params.projectId, body.app_name);
        return reply.code(201).send();
      },
    );
  }
}
