/** POST /v2/{project_id}/apps/{group}/consumers: a client becomes a member of the group, or joins again. */
import { NamePattern, PatternError } from '../../../apps/groups/name-pattern.ts';
import { DomainError } from '../../../model/errors.ts';
import type { App } from '../../fastify-types.ts';
import { JoinGroupBody, JoinGroupReply } from '../../schemas/consumers.ts';
import type { Services } from '../../services.ts';
import { GROUP_PATH, type GroupParams } from './paths.ts';

export function joinGroupRoute(app: App, { groups }: Services): void {
  app.post<{ Params: GroupParams; Body: JoinGroupBody }>(
    GROUP_PATH,
    {
      config: { operation: 'joinGroup' },
      schema: { summary: 'Join a consumer group', body: JoinGroupBody, response: { 200: JoinGroupReply } },
    },
    async ({ params, body, principal }) =>
      groups.join(params.projectId, params.group, {
        clientId: body.clientId,
        interest: {
          caller: principal,
          names: named(body.interestedStream),
          ids: named(body.interestedStreamIdList),
          pattern: body.streamPattern ? parsePattern(body.streamPattern) : undefined,
        },
        accelerated: body.accelerateAssignEnabled ?? false,
        // Clients that know nothing of it may send 0.
        rebalanceTimeoutMs: body.rebalanceTimeoutMs || undefined,
      }),
  );
}

/** Each once: they are kept for as long as the member is one. */
function named(list: readonly string[] | null | undefined): string[] {
  return [...new Set(list ?? [])].filter((name) => name !== '');
}

function parsePattern(text: string): NamePattern {
  try {
    return new NamePattern(text);
  } catch (error) {
    if (error instanceof PatternError) throw new DomainError('InvalidBody', ['streamPattern', error.message], error);
    throw error;
  }
}
