/** GET /v2/{project_id}/stream/tags: every tag that some stream of the project has. */
import { collectTags } from '../../../streams/tags.ts';
import type { App } from '../../fastify-types.ts';
import { ProjectTagsReply } from '../../schemas/tags.ts';
import type { Services } from '../../services.ts';

export function listProjectTagsRoute(app: App, { registry }: Services): void {
  app.get<{ Params: { projectId: string } }>(
    '/v2/:projectId/stream/tags',
    {
      config: { operation: 'listProjectTags' },
      schema: { summary: 'List the tags of all streams', response: { 200: ProjectTagsReply } },
    },
    ({ params }) => ({ tags: collectTags(registry.ofProject(params.projectId)) }),
  );
}
