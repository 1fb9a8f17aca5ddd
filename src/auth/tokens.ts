/**
 * Tokens: 32 random bytes that stand for one user in one project until they expire or are revoked. The catalog keeps
 * their hashes only. A verified token is remembered for five seconds, so that the path of a put asks no catalog.
 */
import { hash } from 'node:crypto';
import type { Kysely } from 'kysely';
import type { Project } from '../catalog/projects.ts';
import type { Database } from '../catalog/schema.ts';
import { deleteExpiredTokens, deleteToken, deleteTokensOfUser, insertToken, selectToken } from '../catalog/tokens.ts';
import type { User } from '../catalog/users.ts';
import { DomainError } from '../model/errors.ts';
import type { Principal } from '../model/principal.ts';
import type { Clock } from '../platform/clock.ts';
import type { Random } from '../platform/random.ts';

/** What a token stands for. */
export interface TokenPrincipal extends Principal {
  /** In ms since 1970; the token is no longer good at `expiresAt`. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface IssuedToken {
  readonly token: string;
  readonly principal: TokenPrincipal;
}

export interface TokensOptions {
  readonly db: Kysely<Database>;
  readonly clock: Clock;
  readonly random: Random;
  readonly lifeSeconds: number;
}

const TOKEN_BYTES = 32;
/** All that `issue` makes. Whatever else a header may hold is refused before it is hashed or looked for. */
const FORM = /^[A-Za-z0-9_-]{43}$/;

/** How long a verified token is believed, and how many are: about 2 MB of them. */
const REMEMBERED_MS = 5000;
const REMEMBERED_TOKENS = 4096;

interface Remembered {
  readonly principal: TokenPrincipal;
  /** On the monotonic clock. */
  readonly until: number;
}

export class Tokens {
  readonly #db: Kysely<Database>;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #lifeMs: number;
  /** The one verified longest ago comes first. */
  readonly #remembered = new Map<string, Remembered>();
  /** Tokens being looked up: who asks meanwhile gets the same answer. */
  readonly #asked = new Map<string, Promise<TokenPrincipal>>();
  /** Counts revocations: over several connections an answer read before one may arrive after it, and must not stay. */
  #revocations = 0;

  constructor({ db, clock, random, lifeSeconds }: TokensOptions) {
    this.#db = db;
    this.#clock = clock;
    this.#random = random;
    this.#lifeMs = lifeSeconds * 1000;
  }

  async issue(user: Omit<User, 'passwordHash'>, project: Project): Promise<IssuedToken> {
    const token = this.#random.bytes(TOKEN_BYTES).toString('base64url');
    const issuedAt = this.#clock.now();
    const expiresAt = issuedAt + this.#lifeMs;
    await insertToken(this.#db, {
      hash: digest(token),
      userId: user.id,
      projectId: project.id,
      issuedAt,
      expiresAt,
    });
    const principal = {
      userId: user.id,
      userName: user.name,
      domain: user.domain,
      projectId: project.id,
      projectName: project.name,
      role: user.role,
      issuedAt,
      expiresAt,
    };
    return { token, principal };
  }

  /** The principal of a token verified within the last five seconds; undefined means: ask `verify`. */
  cached(token: string): TokenPrincipal | undefined {
    const entry = this.#remembered.get(token);
    if (entry === undefined) return undefined;
    if (entry.until > this.#clock.monotonic() && entry.principal.expiresAt > this.#clock.now()) return entry.principal;
    this.#remembered.delete(token);
    return undefined;
  }

  /** Throws TokenMissing for none or an empty one, TokenInvalid for one that is malformed, unknown, expired or revoked. */
  async verify(token: string | undefined): Promise<TokenPrincipal> {
    if (token === undefined || token === '') throw new DomainError('TokenMissing');
    if (!FORM.test(token)) throw new DomainError('TokenInvalid');
    const known = this.cached(token) ?? this.#asked.get(token);
    if (known !== undefined) return known;
    const answer = this.#lookUp(token).finally(() => {
      if (this.#asked.get(token) === answer) this.#asked.delete(token);
    });
    this.#asked.set(token, answer);
    return answer;
  }

  /** From now on the token is refused. Tells whether it was good for anything. */
  async revoke(token: string): Promise<boolean> {
    if (!FORM.test(token)) return false;
    const existed = await deleteToken(this.#db, digest(token));
    this.#revocations++;
    this.#remembered.delete(token);
    this.#asked.delete(token);
    return existed;
  }

  /** Revokes every token of a user: after a change of password. */
  async revokeAllOf(userId: string): Promise<void> {
    await deleteTokensOfUser(this.#db, userId);
    this.#revocations++;
    this.#remembered.clear();
    this.#asked.clear();
  }

  /** Forgets expired tokens, which are refused anyway; returns how many. To be called now and then. */
  purgeExpired(): Promise<number> {
    return deleteExpiredTokens(this.#db, this.#clock.now());
  }

  async #lookUp(token: string): Promise<TokenPrincipal> {
    const revocations = this.#revocations;
    const principal = await selectToken(this.#db, digest(token));
    if (principal === undefined || principal.expiresAt <= this.#clock.now()) throw new DomainError('TokenInvalid');
    if (revocations === this.#revocations) this.#remember(token, principal);
    return principal;
  }

  #remember(token: string, principal: TokenPrincipal): void {
    this.#remembered.delete(token);
    this.#remembered.set(token, { principal, until: this.#clock.monotonic() + REMEMBERED_MS });
    if (this.#remembered.size <= REMEMBERED_TOKENS) return;
    const oldest = this.#remembered.keys().next().value;
    if (oldest !== undefined) this.#remembered.delete(oldest);
  }
}

function digest(token: string): string {
  return hash('sha256', token, 'hex');
}
