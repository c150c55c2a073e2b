// SPDX-License-Identifier: MIT
//
// A result names what was tested, and none of its secrets.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { assertRan, baseline, mcpdrill, writeScenario } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { tempDir } from './lib/process.mjs';

const sha256 = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

async function played(args) {
  const folder = join(tempDir(), 'out');
  const junit = join(tempDir(), 'junit.xml');
  const end = await mcpdrill(['run', ...args, '--out', folder, '--junit', junit]);
  end.said = `${end.stdout}\n${end.stderr}`;
  end.result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
  assertRan(end);
  return { end, folder, result: end.result, junit: readFileSync(junit, 'utf8') };
}

test('target, scenario, command line and labels are in the result, the summary and the JUnit report', async (t) => {
  const mock = await startMock(t);
  const file = writeScenario({ ...baseline({ url: mock.url, ms: 1000 }), metadata: { tags: { team: 'a', kept: 'b' } } });
  const overlay = writeScenario({ workload: { think_time: { mode: 'fixed', base_ms: 5 } } });
  const labels = ['--name', 'nightly <7>', '--tag', 'team=core', '--tag', 'build=1=7'];
  const { end, folder, result, junit } = await played([file, '--with', overlay, '--set', 'workload.in_flight_per_vu=2', ...labels]);
  assert.equal(result.target_url, mock.url);
  assert.equal(result.name, 'nightly <7>');
  assert.deepEqual(result.tags, { team: 'core', kept: 'b', build: '1=7' });
  assert.equal(result.scenario.workload.think_time.base_ms, 5);
  assert.equal(result.scenario.workload.in_flight_per_vu, 2);
  assert.deepEqual(result.scenario.metadata.tags, { team: 'a', kept: 'b' }, 'labels are no part of the scenario');
  assert.ok(result.command_line.includes('--with') && result.command_line.includes(file));
  assert.deepEqual(JSON.parse(readFileSync(join(folder, 'scenario.json'), 'utf8')), result.scenario);
  assert.equal(result.config_hash, sha256(join(folder, 'scenario.json')));
  assert.match(end.stdout, new RegExp(`^target +${mock.url} · nightly <7>\n`, 'm'));
  assert.match(end.stdout, /^scenario +nightly <7> \(e2e\) · team=core · kept=b · build=1=7$/m);
  assert.match(junit, new RegExp(`name="target_url" value="${mock.url}"`));
  assert.match(junit, /name="name" value="nightly &lt;7&gt;"/);
  assert.match(junit, /name="tag.build" value="1=7"/);
  // The copy is a scenario like any other.
  const again = await played([join(folder, 'scenario.json')]);
  assert.equal(again.result.config_hash, result.config_hash);
  assert.equal(again.result.source_hash, result.config_hash);
});

test('no secret is in any file or on the screen', async (t) => {
  const mock = await startMock(t);
  const secrets = ['hunter2-in-query', 'bearer-in-header', 'token-in-header', 'password-of-a-tool', 'below-a-name', 'in-x-auth', 'in-a-label', 'of-an-owner'];
  const [query, bearer, token, password, below, auth, label, owner] = secrets;
  const toolArguments = { message: 'm', password, auth: { user: [{ n: below }] } };
  const scenario = baseline({ url: `${mock.url}?api_key=${query}`, ms: 1000, toolArguments });
  scenario.target.headers = { Authorization: `Bearer ${bearer}`, 'X-Session-Auth': auth };
  scenario.metadata = { tags: { owner: `http://u:${owner}@h/` } };
  const { end, folder, result, junit } = await played([
    writeScenario(scenario),
    '--set',
    `target.headers.X-Token=${token}`,
    '--name',
    `http://u:${label}@h/`,
    '--tag',
    `token=${label}`,
  ]);
  for (const name of readdirSync(folder)) {
    const text = readFileSync(join(folder, name), 'utf8');
    secrets.forEach((secret) => assert.ok(!text.includes(secret), `${secret} in ${name}`));
  }
  secrets.forEach((secret) => assert.ok(!(end.said + junit).includes(secret), `${secret} in ${end.said}${junit}`));
  assert.equal(result.target_url, `${mock.url}?api_key=[redacted]`);
  assert.equal(result.config_hash, sha256(join(folder, 'scenario.json')));
  assert.equal(result.scenario.target.headers['X-Token'], '[redacted]');
  assert.equal(result.name, 'http://[redacted]@h/');
  assert.deepEqual(result.tags, { owner: 'http://[redacted]@h/', token: '[redacted]' });
});

test('labels have bounds, and a scenario.json of somebody else stays', async (t) => {
  const mock = await startMock(t);
  const file = writeScenario(baseline({ url: mock.url, ms: 1000 }));
  for (const [args, said] of [
    [['--tag', 'novalue'], /KEY=VALUE/],
    [['--tag', '=x'], /KEY=VALUE/],
    [['--tag', 'a=1', '--tag', 'a=2'], /given twice/],
    [['--tag', `a=${'x'.repeat(201)}`], /at most 100 bytes/],
    [['--tag', 'a=b\nc'], /one line/],
    [['--name', ''], /--name/],
    [Array.from({ length: 65 }, (_, i) => ['--tag', `k${i}=v`]).flat(), /65 times/],
  ]) {
    const end = await mcpdrill(['run', file, ...args]);
    assert.equal(end.code, 2, end.stderr);
    assert.match(end.stderr, said);
  }
  const folder = tempDir();
  const own = join(folder, 'scenario.json');
  writeFileSync(own, readFileSync(file));
  const before = readFileSync(own, 'utf8');
  const end = await mcpdrill(['run', own, '--out', folder]);
  assert.equal(end.code, 2, end.stderr);
  assert.match(end.stderr, /scenario\.json/);
  assert.equal(readFileSync(own, 'utf8'), before);
});
