/** POST /v2/{project_id}/streams: 201 with an empty body. */
import type { Tag } from '../../../model/stream.ts';
import { createStream } from '../../../streams/create-stream.ts';
import type { StreamSettings } from '../../../streams/stream-settings.ts';
import type { App } from '../../fastify-types.ts';
import { refuseRetiredStreamSettings } from '../../retired.ts';
import { Empty } from '../../schemas/empty.ts';
import { CreateStreamBody } from '../../schemas/streams.ts';
import type { Services } from '../../services.ts';

export function createStreamRoute(app: App, services: Services): void {
  app.post<{ Params: { projectId: string }; Body: CreateStreamBody }>(
    '/v2/:projectId/streams',
    {
      config: { operation: 'createStream', permission: 'streams' },
      schema: { summary: 'Create a stream', body: CreateStreamBody, response: { 201: Empty } },
      preValidation: async ({ body }) => refuseRetiredStreamSettings(body),
    },
    async (request, reply) => {
      await createStream(services, request.params.projectId, toSettings(request.body));
      return reply.code(201).send();
    },
  );
}

function toSettings(body: CreateStreamBody): StreamSettings {
  return {
    name: body.stream_name,
    partitionCount: body.partition_count,
    type: body.stream_type || undefined,
    dataType: body.data_type || undefined,
    retentionHours: body.data_duration ?? undefined,
    dataSchema: body.data_schema || undefined,
    csvDelimiter: body.csv_properties?.delimiter || undefined,
    compressionFormat: body.compression_format || undefined,
    autoScaleEnabled: body.auto_scale_enabled ?? undefined,
    autoScaleMin: body.auto_scale_min_partition_count ?? undefined,
    autoScaleMax: body.auto_scale_max_partition_count ?? undefined,
    tags: toTags(body.tags),
    sysTags: toTags(body.sys_tags),
  };
}

/** Only the members of a tag: a body may hold others. */
function toTags(tags: readonly Tag[] | null | undefined): Tag[] {
  return (tags ?? []).map(({ key, value }) => ({ key, value }));
}
