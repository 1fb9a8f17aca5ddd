/** GET /v2/{project_id}/streams: a page of names. With `stream_id` it describes that stream, as the Java SDK expects. */
import type { Stream } from '../../../model/stream.ts';
import { listStreams } from '../../../streams/list-streams.ts';
import type { App } from '../../fastify-types.ts';
import { integerParameter, textParameter, type Query } from '../../query.ts';
import type { Services } from '../../services.ts';
import { describeReply } from './describe-stream.ts';
import { streamSummary } from './stream-reply.ts';

const LIMIT = { min: 1, max: 500, fallback: 10 };

export function listStreamsRoute(app: App, services: Services): void {
  app.get<{ Params: { projectId: string }; Querystring: Query }>(
    '/v2/:projectId/streams',
    { config: { operation: 'listStreams' } },
    (request) => {
      const { projectId } = request.params;
      const streamId = textParameter(request.query, 'stream_id');
      if (streamId !== undefined) {
        return describeReply(services, services.registry.get(projectId, undefined, streamId), request.query);
      }
      const limit = integerParameter(request.query, 'limit', LIMIT);
      const after = textParameter(request.query, 'start_stream_name');
      const page = listStreams(services.registry, projectId, limit, after);
      return {
        total_number: page.total,
        stream_names: page.streams.map(({ name }) => name),
        has_more_streams: page.hasMore,
        stream_info_list: page.streams.map(summary),
      };
    },
  );
}

function summary(stream: Stream) {
  return { ...streamSummary(stream), partition_count: stream.partitions.length };
}
