/** POST /v2/{project_id}/apps/{group}/consumers/{client}/partitions: what a member is to read, once that is settled. */
import type { App } from '../../fastify-types.ts';
import { MemberBody, SyncGroupReply } from '../../schemas/consumers.ts';
import type { Services } from '../../services.ts';
import { MEMBER_PATH, type MemberParams } from './paths.ts';

export function syncGroupRoute(app: App, { groups }: Services): void {
  app.post<{ Params: MemberParams; Body: MemberBody }>(
    `${MEMBER_PATH}/partitions`,
    {
      config: { operation: 'syncGroup' },
      schema: { summary: 'Get the partitions of a member', body: MemberBody, response: { 200: SyncGroupReply } },
    },
    ({ params }) => groups.sync(params.projectId, params.group, params.client),
  );
}
