/** GET /v2/{project_id}/apps: a page of apps in order of name, of a stream when one is named. */
import { listApps } from '../../../apps/list-apps.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { integer, queryOf, text, type Query } from '../../query.ts';
import { AppListReply } from '../../schemas/apps.ts';
import type { Services } from '../../services.ts';
import { appReply } from './app-reply.ts';
import { APPS_PATHS } from './paths.ts';

const QUERY = queryOf({
  limit: integer({ min: 1, max: 100, fallback: 10 }, 'apps of the page'),
  start_app_name: text('the page begins behind this name'),
  stream_name: text('only apps that have a checkpoint on this stream'),
});

export function listAppsRoute(app: App, services: Services): void {
  for (const { path, hide } of APPS_PATHS) {
    app.get<{ Params: { projectId: string }; Querystring: Query }>(
      path,
      {
        config: { operation: 'listApps' },
        schema: { summary: 'List apps', hide, querystring: QUERY.schema, response: { 200: AppListReply } },
      },
      async ({ params, query, principal }) => {
        const { limit, start_app_name: after, stream_name: name } = QUERY.read(query);
        const stream =
          name === undefined ? undefined : findStream(services.registry, principal, { name }, 'getRecords');
        const page = await listApps(services, { projectId: params.projectId, limit, after, stream });
        return { total_number: page.total, has_more_app: page.hasMore, apps: page.apps.map(appReply) };
      },
    );
  }
}
