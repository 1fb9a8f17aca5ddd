/** DELETE /v2/{project_id}/streams/{stream_name}: 204. */
import { deleteStream } from '../../../streams/delete-stream.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { Empty } from '../../schemas/empty.ts';
import type { Services } from '../../services.ts';

const PATHS = [
  { path: '/v2/:projectId/streams/:streamName', hide: false },
  { path: '/v3/:projectId/streams/:streamName', hide: true },
] as const;

export function deleteStreamRoute(app: App, services: Services): void {
  for (const { path, hide } of PATHS) {
    app.delete<{ Params: { projectId: string; streamName: string } }>(
      path,
      {
        config: { operation: 'deleteStream', permission: 'streams' },
        schema: { summary: 'Delete a stream', hide, response: { 204: Empty } },
      },
      async (request, reply) => {
        const { params, principal } = request;
        await deleteStream(services, findStream(services.registry, principal, { name: params.streamName }));
        return reply.code(204).send();
      },
    );
  }
}
