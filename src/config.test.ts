import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { ConfigError, ConfigSchema, loadConfig } from './config.ts';

const load = (accounts: unknown) => loadConfig({ env: { SLUICE_ACCOUNTS: JSON.stringify(accounts) } }).accounts;

test('accounts: lists may be left out, a role is user, the rest is as it stands', () => {
  assert.deepEqual(loadConfig({ env: {} }).accounts, []);
  assert.deepEqual(load([{ domain: 'north' }]), [{ domain: 'north', projects: [], users: [] }]);
  assert.deepEqual(load([{ domain: 'north', users: [{ name: 'ada' }] }])[0]?.users, [
    { name: 'ada', role: 'user', access_keys: [] },
  ]);
});

test('accounts: names, ids, keys and roles outside of their rules are refused with their place', () => {
  const user = (members: object) => [{ domain: 'd', users: [{ name: 'u', ...members }] }];
  const key = (members: object) => user({ access_keys: [{ access_key: 'k', secret_key: 's', ...members }] });
  const good = [
    [{ domain: 'D'.repeat(64) }],
    [{ domain: 'd', projects: [{ name: 'cn-north-4_a.b', id: 'a'.repeat(64) }] }],
    user({ name: 'ann.smith@north' }),
    user({ role: 'operator' }),
    key({ access_key: 'K_-'.padEnd(128, 'k') }),
  ];
  for (const accounts of good) load(accounts);
  const bad: [string, unknown][] = [
    ['accounts.0.domain', [{ domain: 'D'.repeat(65) }]],
    ['accounts.0.domain', [{ domain: 'a.b' }]],
    ['accounts.0.domain', [{ domain: '' }]],
    ['accounts.0.projects.0.name', [{ domain: 'd', projects: [{ name: 'a b' }] }]],
    ['accounts.0.projects.0.id', [{ domain: 'd', projects: [{ name: 'a', id: 'a'.repeat(65) }] }]],
    ['accounts.0.users.0.name', user({ name: 'u'.repeat(65) })],
    ['accounts.0.users.0.role', user({ role: 'boss' })],
    ['accounts.0.users.0.password', user({ password: '' })],
    ['accounts.0.users.0.access_keys.0.access_key', key({ access_key: 'k'.repeat(129) })],
    ['accounts.0.users.0.access_keys.0.access_key', key({ access_key: 'a/b' })],
    ['accounts.0.users.0.access_keys.0.secret_key', key({ secret_key: '' })],
    ['accounts', { domain: 'd' }],
  ];
  for (const [place, accounts] of bad) {
    assert.throws(
      () => load(accounts),
      (error: Error) => error instanceof ConfigError && error.message.startsWith(`${place}: `),
      place,
    );
  }
});

test('what cannot be read is told in one line, without the text around it', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-config-'));
  t.after(() => rm(folder, { recursive: true }));
  const file = join(folder, 'config.yaml');
  await writeFile(file, 'password: secret\nlisten: [');
  const isDiscreet = (error: Error) => error instanceof ConfigError && !/secret|\n/.test(error.message);
  assert.throws(() => loadConfig({ file, env: {} }), isDiscreet);
  assert.throws(() => loadConfig({ env: { SLUICE_ACCOUNTS: '[{password: secret}' } }), isDiscreet);
});

test('docs/CONFIG.md tells every key, and none that there is not', async () => {
  const page = await readFile(join(import.meta.dirname, '../docs/CONFIG.md'), 'utf8');
  const told = [...page.matchAll(/^\| (`.*?`) \|/gm)].flatMap(([, cell]) => cell!.match(/[\w.]+\w/g)!);
  const keys = Object.entries(ConfigSchema.properties).flatMap(([key, schema]) => {
    if (key === 'limits') return ['limits', 'limits.profile'];
    return 'properties' in schema ? Object.keys(schema.properties).map((member) => `${key}.${member}`) : [key];
  });
  assert.deepEqual(told.toSorted(), keys.toSorted());
});
