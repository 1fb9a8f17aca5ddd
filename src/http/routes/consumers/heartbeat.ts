/** POST /v2/{project_id}/apps/{group}/consumers/{client}/heartbeats: a member lives, and learns what it has to do. */
import type { App } from '../../fastify-types.ts';
import { HeartbeatReply, MemberBody } from '../../schemas/consumers.ts';
import type { Services } from '../../services.ts';
import { MEMBER_PATH, type MemberParams } from './paths.ts';

export function heartbeatRoute(app: App, { groups }: Services): void {
  app.post<{ Params: MemberParams; Body: MemberBody }>(
    `${MEMBER_PATH}/heartbeats`,
    {
      config: { operation: 'heartbeat' },
      schema: { summary: 'Send a heartbeat', body: MemberBody, response: { 200: HeartbeatReply } },
    },
    async ({ params, body }) => ({
      state: await groups.heartbeat(params.projectId, params.group, params.client, body.generation ?? undefined),
    }),
  );
}
