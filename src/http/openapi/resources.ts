/** What paths tell to the API description: the resource that an operation belongs to, and what each parameter is. */
import Type, { type TObject } from 'typebox';

/** In the order in which they are shown. */
export const RESOURCES = {
  streams: 'Streams and their partitions.',
  records: 'Putting and getting records, and the cursors to read with.',
  apps: 'Consuming apps, their checkpoints and how far they have come.',
  'consumer groups': 'Sharing the partitions of streams between the members of a group, as the Kafka adapter does.',
  'dump tasks': 'Delivering a stream as files, and the log of every file.',
  policies: 'What other accounts may do with a stream.',
  tags: 'Labels of streams.',
  metrics: 'Traffic by the minute, and quotas.',
  iam: 'Tokens, projects and temporary keys, as the identity service of the cloud has them.',
  server: 'The server itself.',
} as const;
type Resource = keyof typeof RESOURCES;

/** The first that fits a path is its resource. */
const PLACES: readonly (readonly [RegExp, Resource])[] = [
  [/^\/v3(?:\.0)?\/(?:auth|projects|OS-)/, 'iam'],
  [/\/transfer-?tasks?/, 'dump tasks'],
  [/\/policies$/, 'policies'],
  [/\/consumers/, 'consumer groups'],
  [/\/(?:apps|checkpoints)/, 'apps'],
  [/\/(?:tags|resource_instances)/, 'tags'],
  [/^\/v\d\/.*\/(?:metrics|quotas)$/, 'metrics'],
  [/\/(?:records|cursors)$/, 'records'],
  [/^\/v\d\/:projectId\/streams/, 'streams'],
];

const PARAMETERS: Readonly<Record<string, string | undefined>> = {
  projectId: 'id of the project: the one of the token or the signature',
  streamName: 'name of the stream, or its id',
  streamId: 'id of the stream',
  taskName: 'name of the dump task',
  backfillId: 'id of the backfill: 19 letters and digits',
  taskId: 'id of the dump task: 19 letters and digits',
  appName: 'name of the app',
  group: 'name of the consumer group: an app',
  client: 'id of the member of the group',
  partitionId: '`shardId-0000000000` or `0`',
  key: 'key of the tag',
};

export function resourceOf(path: string): Resource {
  return PLACES.find(([pattern]) => pattern.test(path))?.[1] ?? 'server';
}

/** The path as the documents of DIS write it, `/v2/{project_id}/streams`, in the form of a route. */
export function documentedPath(path: string): string {
  return path.replace(/:(\w+)/g, (_, name: string) => `:${snakeCase(name)}`);
}

/** The parameters of a path; undefined when it has none. */
export function pathParameters(path: string): TObject | undefined {
  const names = [...path.matchAll(/:(\w+)/g)].map(([, name = '']) => name);
  if (names.length === 0) return undefined;
  return Type.Object(
    Object.fromEntries(
      names.map((name) => [snakeCase(name), Type.String({ minLength: 1, description: PARAMETERS[name] ?? '' })]),
    ),
  );
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
