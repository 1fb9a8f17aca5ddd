/** A test for each step of a program that runs against a fresh server. */
import assert from 'node:assert/strict';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { CREDENTIALS, startServer, type TestServer } from '../support/server.ts';
import type { ClientProgram } from './programs.ts';
import { runProgram, type ProgramRun, type Setting } from './run-program.ts';
import { Trust } from './trust.ts';

const BUCKET = 'dumps';
const NOBODYS_PROJECT = 'fedcba9876543210fedcba9876543210';

interface TemporaryKeyReply {
  readonly credential: { readonly access: string; readonly secret: string; readonly securitytoken: string };
}

export function testProgram(program: ClientProgram, transport: 'http' | 'tls'): void {
  const name = `${program.name}, ${transport}`;
  describe(name, () => {
    let server: TestServer | undefined;
    let trust: Trust | undefined;
    let run: ProgramRun;

    before(async () => {
      server = await startServer({ tls: transport === 'tls', env: { SLUICE_LIMITS_PROFILE: 'dis' } });
      await mkdir(join(server.dataDir, 'objects', BUCKET), { recursive: true });
      trust = server.ca === undefined ? undefined : await Trust.of(server.ca);
      const setting = await settingFor(server, program, trust);
      run = await runProgram(await program.command(trust), setting);
    });
    after(async () => {
      await server?.stop();
      await trust?.remove();
    });

    for (const step of program.steps) {
      test(step, () => {
        const report = run.reports.get(step);
        assert.ok(report !== undefined, `${name}: ${step}: was not reached\n${run.output}`);
        assert.ok(report.ok, `${name}: ${step}: ${report.error}\n${server?.log}`);
      });
    }
    test('and no other step', () => {
      assert.deepEqual([...run.reports.keys()].sort(), [...program.steps].sort());
    });
  });
}

async function settingFor(server: TestServer, program: ClientProgram, trust: Trust | undefined): Promise<Setting> {
  const { projectId, projectName, accessKey, secretKey } = CREDENTIALS;
  const authToken = await server.token();
  const temporary = await server.client.call('POST', '/v3.0/OS-CREDENTIAL/securitytokens', {
    token: authToken,
    body: { auth: { identity: { methods: ['token'], token: { id: authToken, duration_seconds: 900 } } } },
  });
  assert.equal(temporary.status, 201, temporary.text);
  const { access, secret, securitytoken } = (temporary.json as TemporaryKeyReply).credential;
  return {
    ...program.form,
    endpoint: server.baseUrl,
    // The name of the project, by which a client that has no project id asks for it.
    region: projectName,
    accessKey,
    secretKey,
    projectId,
    temporaryAccessKey: access,
    temporarySecretKey: secret,
    securityToken: securitytoken,
    authToken,
    wrongProjectId: NOBODYS_PROJECT,
    bucket: BUCKET,
    certificate: trust?.certificate,
  };
}
