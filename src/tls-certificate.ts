/**
 * The certificate and key that the server shows, read from files. They are read again every minute and when an operator
 * asks, since certificates are renewed while servers run: what can be used is used from then on, for connections made from
 * then on; what cannot (a pair that is half written, a file that is gone) is told, and the server goes on with what it has.
 */
import { readFile } from 'node:fs/promises';
import { createSecureContext, type SecureVersion } from 'node:tls';

/** Certificate or key cannot be used; the message says why in one line. */
export class TlsCertificateError extends Error {
  override readonly name = 'TlsCertificateError';
}

export interface CertificateFiles {
  /** Path of a PEM file: the certificate, and behind it those that lead to a trusted one. */
  readonly cert: string;
  /** Path of the PEM file of its key. */
  readonly key: string;
  readonly minVersion: SecureVersion;
}

/** What Node needs for a listener. */
export interface TlsIdentity {
  readonly cert: Buffer;
  readonly key: Buffer;
  readonly minVersion: SecureVersion;
}

export class TlsCertificate {
  readonly #files: CertificateFiles;
  #identity: TlsIdentity;

  private constructor(files: CertificateFiles, identity: TlsIdentity) {
    this.#files = files;
    this.#identity = identity;
  }

  /** Throws TlsCertificateError. */
  static async load(files: CertificateFiles): Promise<TlsCertificate> {
    return new TlsCertificate(files, await read(files));
  }

  get identity(): TlsIdentity {
    return this.#identity;
  }

  /** Reads the files again. Resolves to whether they have changed; throws TlsCertificateError and changes nothing. */
  async refresh(): Promise<boolean> {
    const fresh = await read(this.#files);
    const same = fresh.cert.equals(this.#identity.cert) && fresh.key.equals(this.#identity.key);
    if (!same) this.#identity = fresh;
    return !same;
  }
}

async function read({ cert, key, minVersion }: CertificateFiles): Promise<TlsIdentity> {
  const identity = { cert: await readPem('tls.cert', cert), key: await readPem('tls.key', key), minVersion };
  try {
    // Also finds out whether the two belong together.
    createSecureContext(identity);
  } catch (error) {
    throw new TlsCertificateError(`tls: ${cert} and ${key} cannot be used: ${(error as Error).message}`, {
      cause: error,
    });
  }
  return identity;
}

async function readPem(setting: string, path: string): Promise<Buffer> {
  try {
    return await readFile(path);
  } catch (error) {
    throw new TlsCertificateError(`${setting}: ${(error as Error).message}`, { cause: error });
  }
}
