/** An app as the API writes it. */
import type { AppWithStreams } from '../../../apps/list-apps.ts';

export function appReply({ app, streams }: AppWithStreams) {
  return {
    app_id: app.id,
    app_name: app.name,
    create_time: app.createdAt,
    commit_checkpoint_stream_names: streams,
  };
}
