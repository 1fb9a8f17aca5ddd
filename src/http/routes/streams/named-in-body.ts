/** Operations that change a stream name it in the path and once more in the body. */
import { DomainError } from '../../../model/errors.ts';
import type { Principal } from '../../../model/principal.ts';
import type { Stream } from '../../../model/stream.ts';
import { findStream } from '../../../streams/stream-access.ts';
import type { Services } from '../../services.ts';

/** The stream of the path. Throws StreamNotFound, and InvalidBody when the body, by name or id, means another one. */
export function streamToChange(
  { registry }: Services,
  principal: Principal,
  inPath: string,
  inBody: string | null | undefined,
): Stream {
  const stream = findStream(registry, principal, { name: inPath });
  if (inBody && inBody !== stream.name && inBody !== stream.id) {
    throw new DomainError('InvalidBody', ['stream_name', `must be ${stream.name}, as in the path`]);
  }
  return stream;
}
