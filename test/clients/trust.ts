/** The certificate of a test's server as files, for clients that trust nobody they have not been told of. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

export const KEY_STORE_PASSWORD = 'changeit';

export class Trust {
  /** Path of the certificate, in PEM. */
  readonly certificate: string;
  readonly #folder: string;

  private constructor(folder: string, certificate: string) {
    this.#folder = folder;
    this.certificate = certificate;
  }

  static async of(certificate: string): Promise<Trust> {
    const folder = await mkdtemp(join(tmpdir(), 'sluice-trust-'));
    const file = join(folder, 'certificate.pem');
    await writeFile(file, certificate);
    return new Trust(folder, file);
  }

  /** Makes a Java key store and resolves to its path. */
  async keyStore(): Promise<string> {
    const path = join(this.#folder, 'store.p12');
    const store = ['-keystore', path, '-storetype', 'PKCS12', '-storepass', KEY_STORE_PASSWORD];
    const certificate = ['-alias', 'sluice', '-file', this.certificate];
    await promisify(execFile)('keytool', ['-importcert', '-noprompt', ...certificate, ...store]);
    return path;
  }

  async remove(): Promise<void> {
    await rm(this.#folder, { recursive: true });
  }
}
