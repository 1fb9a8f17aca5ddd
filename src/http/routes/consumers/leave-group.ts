/** DELETE /v2/{project_id}/apps/{group}/consumers/{client}: 204, also for a client that is no member. */
import type { App } from '../../fastify-types.ts';
import { Empty } from '../../schemas/empty.ts';
import type { Services } from '../../services.ts';
import { MEMBER_PATH, type MemberParams } from './paths.ts';

export function leaveGroupRoute(app: App, { groups }: Services): void {
  app.delete<{ Params: MemberParams }>(
    MEMBER_PATH,
    {
      config: { operation: 'leaveGroup' },
      schema: { summary: 'Leave a consumer group', response: { 204: Empty } },
    },
    async ({ params }, reply) => {
      await groups.leave(params.projectId, params.group, params.client);
      return reply.code(204).send();
    },
  );
}
