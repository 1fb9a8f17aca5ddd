/**
 * The `Authorization` header of a signed request, taken apart. Two algorithm names stand for four families of
 * signatures, which differ in how they name their key and in what is signed with:
 *
 *     chained          SDK-HMAC-SHA256 Credential=AK/yyyyMMdd/region/service/sdk_request, SignedHeaders=…, Signature=…
 *     direct           SDK-HMAC-SHA256 Access=AK, SignedHeaders=…, Signature=…
 *     derived          V11-HMAC-SHA256 Credential=AK/yyyyMMdd/region/service, SignedHeaders=…, Signature=…
 *     derived-chained  V11-HMAC-SHA256 Credential=AK/yyyyMMdd/region/service/sdk_request, SignedHeaders=…, Signature=…
 */
import { DomainError } from '../../model/errors.ts';

export type Family = 'chained' | 'direct' | 'derived' | 'derived-chained';

export interface CredentialScope {
  /** yyyyMMdd. */
  readonly date: string;
  readonly region: string;
  readonly service: string;
  /** As it is signed: everything behind the access key. */
  readonly text: string;
}

export interface Authorization {
  readonly family: Family;
  readonly algorithm: string;
  readonly accessKey: string;
  /** Undefined in the direct family. */
  readonly scope: CredentialScope | undefined;
  /** As they are named and ordered there, none twice: in lower case, or they will not be found. */
  readonly signedHeaders: readonly string[];
  /** 32 bytes. */
  readonly signature: Buffer;
}

const SDK = 'SDK-HMAC-SHA256';
const V11 = 'V11-HMAC-SHA256';
const TERMINATOR = 'sdk_request';
const SIGNATURE = /^[0-9a-f]{64}$/;
/** How much of what a caller sent an error repeats. */
const SHOWN = 64;

/**
 * Throws AuthorizationMissing for an empty header, AuthorizationUnreadable, AuthorizationIncomplete, AccessKeyMissing,
 * and SignatureWrong for a signature that can be none.
 */
export function parseAuthorization(header: string): Authorization {
  const text = header.trim();
  if (text === '') throw new DomainError('AuthorizationMissing');
  const space = text.search(/[ \t]/);
  const algorithm = space === -1 ? text : text.slice(0, space);
  if (algorithm !== SDK && algorithm !== V11) {
    throw new DomainError('AuthorizationUnreadable', [algorithm.slice(0, SHOWN), 'is not supported']);
  }
  const members = readMembers(space === -1 ? '' : text.slice(space));
  const signedHeaders = readSignedHeaders(required(members, 'SignedHeaders'));
  const signature = required(members, 'Signature');
  const identity = algorithm === SDK ? readSdkIdentity(members) : readScoped(required(members, 'Credential'), V11);
  if (identity.accessKey === '') throw new DomainError('AccessKeyMissing');
  if (!SIGNATURE.test(signature)) throw new DomainError('SignatureWrong');
  return { algorithm, signedHeaders, signature: Buffer.from(signature, 'hex'), ...identity };
}

type Members = ReadonlyMap<string, string>;
type Identity = Pick<Authorization, 'family' | 'accessKey' | 'scope'>;

/** `Name=value` between commas. Names that nobody knows are left alone. */
function readMembers(text: string): Members {
  const members = new Map<string, string>();
  for (const part of text.split(',')) {
    const member = part.trim();
    if (member === '') continue;
    const equals = member.indexOf('=');
    const name = member.slice(0, Math.max(equals, 0));
    if (name === '' || members.has(name)) {
      throw new DomainError('AuthorizationUnreadable', [member.slice(0, SHOWN)]);
    }
    members.set(name, member.slice(equals + 1));
  }
  return members;
}

function required(members: Members, name: string): string {
  const value = members.get(name);
  if (value === undefined) throw new DomainError('AuthorizationIncomplete', [name]);
  return value;
}

function readSdkIdentity(members: Members): Identity {
  const accessKey = members.get('Access');
  if (accessKey === undefined) return readScoped(required(members, 'Credential'), SDK);
  if (members.has('Credential')) throw new DomainError('AuthorizationUnreadable', ['Access and Credential']);
  return { family: 'direct', accessKey, scope: undefined };
}

function readScoped(credential: string, algorithm: string): Identity {
  if (credential === '') throw new DomainError('AccessKeyMissing');
  const parts = credential.split('/');
  const chained = parts.at(-1) === TERMINATOR;
  // From the right: nothing says that an access key has no slash.
  const [date, region, service] = parts.slice(chained ? -4 : -3);
  const accessKey = parts.slice(0, chained ? -4 : -3).join('/');
  const complete = parts.length > (chained ? 4 : 3) && (chained || algorithm === V11);
  if (!complete || date === undefined || region === undefined || service === undefined) {
    throw new DomainError('AuthorizationUnreadable', [`Credential=${credential.slice(0, SHOWN)}`]);
  }
  const text = credential.slice(accessKey.length + 1);
  const family = algorithm === SDK ? 'chained' : chained ? 'derived-chained' : 'derived';
  return { family, accessKey, scope: { date, region, service, text } };
}

function readSignedHeaders(text: string): string[] {
  const names = text.split(';');
  // A header named a thousand times would make a small request a large one to hash.
  if (names.includes('') || new Set(names).size < names.length) {
    throw new DomainError('AuthorizationUnreadable', [`SignedHeaders=${text.slice(0, SHOWN)}`]);
  }
  return names;
}
