/** Apps as they are listed and shown: with the streams on which they have checkpoints. */
import { selectAppsOfStream, selectCommittedStreams } from '../catalog/checkpoints.ts';
import type { ConsumerApp } from '../model/consumer-app.ts';
import type { Stream } from '../model/stream.ts';
import type { AppServices } from './app-services.ts';

export interface AppWithStreams {
  readonly app: ConsumerApp;
  /** Names of the streams on which it has checkpoints; ids of those that belong to another project. */
  readonly streams: readonly string[];
}

export interface AppPage {
  /** Apps in all pages. */
  readonly total: number;
  readonly apps: readonly AppWithStreams[];
  readonly hasMore: boolean;
}

export interface AppPageRequest {
  readonly projectId: string;
  readonly limit: number;
  /** The page begins behind this name. */
  readonly after: string | undefined;
  /** Only apps that have a checkpoint on it. */
  readonly stream: Stream | undefined;
}

type Services = Pick<AppServices, 'apps' | 'catalog' | 'registry'>;

/** A page in order of name. */
export async function listApps(services: Services, request: AppPageRequest): Promise<AppPage> {
  const { projectId, limit, after, stream } = request;
  let wanted = services.apps.ofProject(projectId);
  if (stream !== undefined) {
    const ids = new Set(await selectAppsOfStream(services.catalog.reader, stream.number));
    wanted = wanted.filter(({ id }) => ids.has(id));
  }
  const rest = after === undefined ? wanted : wanted.filter(({ name }) => name > after);
  const page = await withStreams(services, rest.slice(0, limit));
  return { total: wanted.length, apps: page, hasMore: rest.length > limit };
}

/** The apps, in their order. */
export async function withStreams(services: Services, apps: readonly ConsumerApp[]): Promise<AppWithStreams[]> {
  const ids = apps.map(({ id }) => id);
  const rows = await selectCommittedStreams(services.catalog.reader, ids);
  const numbers = Map.groupBy(rows, ({ app_id }) => app_id);
  return apps.map((app) => {
    const streams = (numbers.get(app.id) ?? []).flatMap(({ stream }) => services.registry.byNumber(stream) ?? []);
    return {
      app,
      streams: streams.map(({ projectId, name, id }) => (projectId === app.projectId ? name : id)).sort(),
    };
  });
}
