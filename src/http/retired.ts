/**
 * What DIS once had and has given up: destinations other than OBS, files in CarbonData form, destinations made together
 * with a stream, the upload of small files. Old clients that still ask for it learn so, by name, instead of reading that
 * a member is missing or a value unknown.
 */
import { DomainError } from '../model/errors.ts';

type Members = Readonly<Record<string, unknown>>;

const DESTINATIONS = ['MRS', 'DLI', 'UQUERY', 'CLOUDTABLE', 'OPENTSDB', 'DWS'];
/** The second is what an old example of the documents has. */
const FILE_TYPES = ['CARBON', 'CARBONDATA'];
const DATA_TYPES = ['FILE'];
/** As requests spell the member of a destination, and as answers do, which some clients send back. */
const ENDINGS = ['descriptor', 'description', 'descripton'];

/** Of a body that makes or changes a stream. Throws Retired. */
export function refuseRetiredStreamSettings(body: unknown): void {
  const members = asMembers(body);
  refuseValue('data_type', members['data_type'], DATA_TYPES);
  refuseDescriptors(members, ['OBS', ...DESTINATIONS]);
}

/** Of a body that makes or changes a dump task. Throws Retired. */
export function refuseRetiredDestinations(body: unknown): void {
  const members = asMembers(body);
  refuseValue('destination_type', members['destination_type'], DESTINATIONS);
  refuseDescriptors(members, DESTINATIONS);
  const { destination_file_type: fileType, carbon_properties: carbon } = asMembers(
    members['obs_destination_descriptor'],
  );
  refuseValue('destination_file_type', fileType, FILE_TYPES);
  if (isGiven(carbon)) refuse('carbon_properties');
}

function asMembers(value: unknown): Members {
  return typeof value === 'object' && value !== null ? (value as Members) : {};
}

/** Clients send null, "", [] and {} for what they do not set. */
function isGiven(value: unknown): boolean {
  if (typeof value === 'object' && value !== null) return Object.keys(value).length > 0;
  return value !== undefined && value !== null && value !== '';
}

function refuseDescriptors(members: Members, destinations: readonly string[]): void {
  for (const destination of destinations) {
    for (const ending of ENDINGS) {
      const name = `${destination.toLowerCase()}_destination_${ending}`;
      if (isGiven(members[name])) refuse(name);
    }
  }
}

function refuseValue(member: string, value: unknown, retired: readonly string[]): void {
  if (typeof value === 'string' && retired.includes(value.trim().toUpperCase())) refuse(member, value.trim());
}

function refuse(...what: readonly string[]): never {
  throw new DomainError('Retired', what);
}
