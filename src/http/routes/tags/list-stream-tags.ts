/** GET /v2/{project_id}/stream/{stream_id}/tags: the tags of a stream. */
import { findTaggedStream } from '../../../streams/tags.ts';
import type { App } from '../../fastify-types.ts';
import { StreamTagsReply } from '../../schemas/tags.ts';
import type { Services } from '../../services.ts';

export function listStreamTagsRoute(app: App, { registry }: Services): void {
  app.get<{ Params: { projectId: string; streamId: string } }>(
    '/v2/:projectId/stream/:streamId/tags',
    {
      config: { operation: 'listStreamTags' },
      schema: { summary: 'List the tags of a stream', response: { 200: StreamTagsReply } },
    },
    ({ params, principal }) => ({ tags: findTaggedStream(registry, principal, params.streamId).tags }),
  );
}
