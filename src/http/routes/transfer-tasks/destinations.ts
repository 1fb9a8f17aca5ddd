/** A dump task delivers to OBS; a body that asks for anything else is refused before its descriptor is looked for. */
import { DESTINATION_TYPE } from '../../../dump/settings/settings.ts';
import { DomainError } from '../../../model/errors.ts';
import { refuseRetiredDestinations } from '../../retired.ts';

/** `body` is parsed JSON that nothing has checked yet. Throws Retired and UnsupportedDestination. */
export function refuseOtherDestinations(body: unknown): void {
  refuseRetiredDestinations(body);
  const { destination_type: type } = (body ?? {}) as { readonly destination_type?: unknown };
  if (typeof type === 'string' && type !== '' && type !== DESTINATION_TYPE) {
    throw new DomainError('UnsupportedDestination', ['destination_type', type.slice(0, 64)]);
  }
}
