/** GET /v2/{project_id}/streams: a page of names. With `stream_id` it describes that stream, as the Java SDK expects. */
import Type from 'typebox';
import type { Stream } from '../../../model/stream.ts';
import { listStreams } from '../../../streams/list-streams.ts';
import { writableCount } from '../../../streams/repartition.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { App } from '../../fastify-types.ts';
import { integer, queryOf, text, type Query } from '../../query.ts';
import { StreamListReply, StreamReply } from '../../schemas/streams.ts';
import type { Services } from '../../services.ts';
import { describeReply, PARTITION_PAGE } from './describe-stream.ts';
import { streamSummary } from './stream-reply.ts';

const QUERY = queryOf({
  ...PARTITION_PAGE,
  limit: integer({ min: 1, max: 500, fallback: 10 }, 'streams of the page'),
  start_stream_name: text('the page begins behind this name'),
  stream_id: text('describes this one stream instead'),
});

const REPLY = Type.Union([StreamListReply, StreamReply]);

export function listStreamsRoute(app: App, services: Services): void {
  app.get<{ Params: { projectId: string }; Querystring: Query }>(
    '/v2/:projectId/streams',
    {
      config: { operation: 'listStreams' },
      schema: { summary: 'List streams', querystring: QUERY.schema, response: { 200: REPLY } },
    },
    (request) => {
      const { projectId } = request.params;
      const { limit, start_stream_name: after, stream_id: streamId } = QUERY.read(request.query);
      if (streamId !== undefined) {
        return describeReply(
          services,
          findStream(services.registry, request.principal, { id: streamId }, 'getStreamInfo'),
          request.query,
        );
      }
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
  return { ...streamSummary(stream), partition_count: writableCount(stream) };
}
