/** From the body of a create or update request to what the use cases take. */
import type { DumpDescriptor } from '../../../dump/settings.ts';
import { DESTINATION_TYPE } from '../../../dump/settings.ts';
import { DomainError } from '../../../model/errors.ts';
import type { TransferTaskBody } from '../../schemas/transfer-tasks.ts';

/** Throws UnsupportedDestination before anything else is looked at, and InvalidBody when the descriptor is missing. */
export function toDescriptor({ destination_type, obs_destination_descriptor }: TransferTaskBody): DumpDescriptor {
  if (destination_type && destination_type !== DESTINATION_TYPE) {
    throw new DomainError('UnsupportedDestination', ['destination_type', destination_type.slice(0, 64)]);
  }
  if (obs_destination_descriptor === undefined) {
    throw new DomainError('InvalidBody', ['obs_destination_descriptor', 'is missing']);
  }
  return obs_destination_descriptor;
}
