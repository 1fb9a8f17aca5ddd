/**
 * Requests signed with an access key: what the HTTP side hands over, and what it gets back. Everything that the head of a
 * request tells is checked before its body is read; the signature itself when the body is there, over the bytes as they
 * came over the wire. Region and service are the signer's own word: they are checked, and part of what is signed.
 */
import { createHmac, hash, timingSafeEqual } from 'node:crypto';
import type { IncomingHttpHeaders } from 'node:http';
import type { Kysely } from 'kysely';
import type { Signer } from '../../catalog/access-keys.ts';
import { selectProject, type Project } from '../../catalog/projects.ts';
import type { Database } from '../../catalog/schema.ts';
import { DomainError } from '../../model/errors.ts';
import type { Principal } from '../../model/principal.ts';
import type { Clock } from '../../platform/clock.ts';
import { headerValue, missingHeader } from './canonical-request.ts';
import { KeyLookup } from './key-lookup.ts';
import { parseAuthorization, type Authorization } from './parse-authorization.ts';
import { Remembered } from './remembered.ts';
import { checkSigningDate } from './signing-date.ts';
import { SigningKeys } from './signing-keys.ts';
import { canonicalRequests } from './variants.ts';

/** A request before its body has arrived. */
export interface RequestHead {
  readonly method: string;
  /** Path and query as they stand in the request line. */
  readonly target: string;
  readonly headers: IncomingHttpHeaders;
  /** The project that the path names; undefined where paths name none. */
  readonly projectId: string | undefined;
}

/** A signed request whose key is known and whose time is right; whether the signature is depends on the body. */
export interface SignedRequest {
  /**
   * The signer, in the project of the path, or of `X-Project-Id`, or of its key. `body`: the bytes as they came over the
   * wire, undefined for none. Throws SignatureWrong, and ProjectMismatch for a project that is not the signer's.
   */
  verify(body: Buffer | undefined): Principal | Promise<Principal>;
}

export interface RequestSignatures {
  /** Throws the errors of the table from SignatureWrong to RegionInvalid, and SecurityTokenInvalid. */
  begin(head: RequestHead): SignedRequest | Promise<SignedRequest>;
}

export interface SignaturesOptions {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  /** The only region that is taken; undefined takes every one. */
  readonly region?: string | undefined;
  /** Whether a signature may leave the body out, as one that says UNSIGNED-PAYLOAD does. */
  readonly unsignedPayload: boolean;
}

/** The second one is what v3 SDKs with a derived key call IAM. */
const SERVICES = ['dis', 'iam'];
const CONTENT_HASH = 'x-sdk-content-sha256';
const UNSIGNED_PAYLOAD = 'UNSIGNED-PAYLOAD';
const NO_BODY = Buffer.alloc(0);

/** A request on its way through the checks. */
interface Claim {
  readonly head: RequestHead;
  readonly authorization: Authorization;
  /** As in `X-Sdk-Date`. */
  readonly date: string;
}

export class Signatures implements RequestSignatures {
  readonly #db: Kysely<Database>;
  readonly #clock: Clock;
  readonly #region: string | undefined;
  readonly #unsignedPayload: boolean;
  readonly #signers: KeyLookup;
  readonly #projects: Remembered<Project>;
  readonly #keys = new SigningKeys();

  constructor({ db, clock, region, unsignedPayload }: SignaturesOptions) {
    this.#db = db;
    this.#clock = clock;
    this.#region = region;
    this.#unsignedPayload = unsignedPayload;
    this.#signers = new KeyLookup(db, clock);
    this.#projects = new Remembered(clock);
  }

  begin(head: RequestHead): SignedRequest | Promise<SignedRequest> {
    const claim = this.#readClaim(head);
    const { accessKey } = claim.authorization;
    const signer = this.#signers.cached(accessKey);
    if (signer !== undefined) return this.#admit(claim, signer);
    return this.#signers.find(accessKey).then((found) => this.#admit(claim, found));
  }

  #readClaim(head: RequestHead): Claim {
    const { headers } = head;
    const authorization = parseAuthorization(headers.authorization ?? '');
    const date = checkSigningDate(headerValue(headers, 'x-sdk-date'), this.#clock.now());
    const { scope, signedHeaders } = authorization;
    if (scope !== undefined) {
      if (scope.date !== date.slice(0, 8))
        throw new DomainError('SignatureDateInvalid', [scope.date.slice(0, 8), date]);
      if (scope.region === '' || scope.region !== (this.#region ?? scope.region)) {
        throw new DomainError('RegionInvalid', [scope.region.slice(0, 64)]);
      }
      if (!SERVICES.includes(scope.service)) throw new DomainError('ServiceNameMissing', [scope.service.slice(0, 64)]);
    }
    const missing = missingHeader(signedHeaders, headers);
    if (missing !== undefined) throw new DomainError('SignaturePartMissing', [missing.slice(0, 64)]);
    return { head, authorization, date };
  }

  #admit(claim: Claim, signer: Signer | undefined): SignedRequest {
    if (signer === undefined || (signer.expiresAt !== null && signer.expiresAt <= this.#clock.now())) {
      throw new DomainError('AccessKeyInvalid', [claim.authorization.accessKey.slice(0, 64)]);
    }
    checkSecurityToken(headerValue(claim.head.headers, 'x-security-token'), signer.securityTokenHash);
    return {
      verify: (body) => {
        this.#checkSignature(claim, signer, body ?? NO_BODY);
        return this.#principal(signer, projectOf(claim) ?? signer.projectId);
      },
    };
  }

  #checkSignature({ head, authorization, date }: Claim, { secretKey }: Signer, body: Buffer): void {
    const { algorithm, scope, signature, signedHeaders } = authorization;
    const { method, target, headers } = head;
    const keys = this.#keys.of(authorization, secretKey);
    const stamp = scope === undefined ? `${algorithm}\n${date}\n` : `${algorithm}\n${date}\n${scope.text}\n`;
    const named = headerValue(headers, CONTENT_HASH);
    const bodyHashes = this.#bodyHashes(named, signedHeaders, body);
    for (const canonical of canonicalRequests({ method, target, headers, signedHeaders, bodyHashes })) {
      const text = Buffer.from(stamp + hash('sha256', Buffer.from(canonical, 'latin1'), 'hex'), 'latin1');
      for (const key of keys) {
        if (timingSafeEqual(createHmac('sha256', key).update(text).digest(), signature)) return;
      }
    }
    const unsigned = named === UNSIGNED_PAYLOAD && !bodyHashes.includes(UNSIGNED_PAYLOAD);
    throw new DomainError('SignatureWrong', unsigned ? [`${UNSIGNED_PAYLOAD} is not accepted`] : []);
  }

  /** What may stand for the body in the signed text. Throws SignatureWrong when the header names another body. */
  #bodyHashes(named: string | undefined, signedHeaders: readonly string[], body: Buffer): string[] {
    const real = hash('sha256', body, 'hex');
    if (named === undefined || named === '') return [real];
    if (named === UNSIGNED_PAYLOAD) {
      // Some clients say so and sign the body all the same.
      return this.#unsignedPayload && signedHeaders.includes(CONTENT_HASH) ? [UNSIGNED_PAYLOAD, real] : [real];
    }
    if (named.toLowerCase() !== real) throw new DomainError('SignatureWrong', ['X-Sdk-Content-Sha256']);
    return [named];
  }

  #principal(signer: Signer, projectId: string): Principal | Promise<Principal> {
    const project = this.#projects.get(projectId);
    if (project !== undefined) return inProject(signer, project, projectId);
    return this.#findProject(projectId).then((found) => inProject(signer, found, projectId));
  }

  async #findProject(id: string): Promise<Project | undefined> {
    const project = await selectProject(this.#db, id);
    if (project !== undefined) this.#projects.set(id, project);
    return project;
  }
}

/** A permanent key has no token: one that comes along belongs to another key, and says that something is mixed up. */
function checkSecurityToken(token: string | undefined, expected: string | null): void {
  const given = token === undefined || token === '' ? null : token;
  if (given === null && expected === null) return;
  const good =
    given !== null &&
    expected !== null &&
    timingSafeEqual(hash('sha256', given, 'buffer'), Buffer.from(expected, 'hex'));
  if (!good) throw new DomainError('SecurityTokenInvalid');
}

/** The project that the request names. Throws SignaturePartMissing for an `X-Project-Id` that anyone may have set. */
function projectOf({ head, authorization }: Claim): string | undefined {
  if (head.projectId !== undefined) return head.projectId;
  const named = headerValue(head.headers, 'x-project-id');
  if (named === undefined || named === '') return undefined;
  if (!authorization.signedHeaders.includes('x-project-id')) {
    throw new DomainError('SignaturePartMissing', ['x-project-id']);
  }
  return named;
}

function inProject(signer: Signer, project: Project | undefined, id: string): Principal {
  const { userId, userName, domain, role } = signer;
  if (project?.domain !== domain) throw new DomainError('ProjectMismatch', [id.slice(0, 64)]);
  return { userId, userName, domain, projectId: project.id, projectName: project.name, role };
}
