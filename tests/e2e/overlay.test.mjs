// SPDX-License-Identifier: MIT
//
// Variations as files: partial documents that `--with` merges into a scenario.
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { assertRan, mcpdrill, run, writeScenario } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { rootDir } from './lib/process.mjs';

const scenario = (name) => join(rootDir, 'examples/scenarios', `${name}.json`);
const variation = (name) => join(rootDir, 'tests/data/overlays', `${name}.json`);
const said = (end) => `${end.stdout}\n${end.stderr}`;

const valid = {
  'sse-heavy-load': ['increase-load', 'longer-streams', 'adjust-session-pool', 'custom-tool-configuration'],
  'sse-with-churn': ['more-aggressive-churn', 'longer-soak', 'reduce-churn-frequency'],
  'stream-stall-test': ['adjust-stall-sensitivity', 'test-recovery', 'increase-detection-threshold'],
};

for (const [base, variations] of Object.entries(valid)) {
  for (const name of variations) {
    test(`${base} with ${name} is valid`, async () => {
      const end = await mcpdrill(['validate', scenario(base), '--with', variation(name)]);
      assert.equal(end.code, 0, said(end));
      assert.match(said(end), /valid\n/);
    });
  }
}

test('several are merged in their order, then --set has the last word', async () => {
  const second = writeScenario({ session_policy: { pool_size: 300 }, workload: { seed: 7 } });
  const args = ['--with', variation('adjust-session-pool'), '--with', second, '--set', 'workload.seed=8'];
  const end = await mcpdrill(['explain', scenario('sse-heavy-load'), ...args]);
  assert.equal(end.code, 0, said(end));
  const config = JSON.parse(end.stdout);
  assert.equal(config.session_policy.pool_size, 300);
  assert.equal(config.workload.seed, 8);
});

test('doctor sizes the load that they make', async () => {
  const end = await mcpdrill([
    'doctor',
    scenario('sse-heavy-load'),
    '--json',
    '--with',
    writeScenario({ safety: { hard_caps: { max_vus: 100000 } }, stages: [{ load: { target_vus: 90000 } }] }),
    '--set',
    'session_policy.mode=reuse',
    '--set',
    'session_policy.pool_size=null',
  ]);
  assert.ok([0, 6].includes(end.code), said(end));
  assert.ok(Math.max(...Object.values(JSON.parse(end.stdout).needs).filter(Number.isFinite)) >= 90000, said(end));
});

test('an error names the file that the value came from', async () => {
  const wrong = writeScenario({ stages: [{ stage: 'ramp', load: { target_vus: 'many' } }] });
  const end = await mcpdrill(['validate', scenario('sse-heavy-load'), '--with', wrong]);
  assert.equal(end.code, 2);
  assert.match(said(end), /at \/stages\/2\/load\/target_vus: .*\(from .*scenario\.json\)/);
});

test('a file that is no JSON: one error with its line and column', async () => {
  const wrong = writeScenario('{\n  "stages": [}\n');
  for (const command of ['validate', 'run', 'explain', 'doctor']) {
    const end = await mcpdrill([command, scenario('sse-heavy-load'), '--with', wrong]);
    assert.equal(end.code, 2, `${command}: ${said(end)}`);
    assert.ok(said(end).includes(`${wrong}:2:14: error SYNTAX_ERROR`), said(end));
    assert.equal(said(end).match(/ error /g).length, 1, said(end));
  }
});

test('a file that is not there', async () => {
  const end = await mcpdrill(['run', scenario('sse-heavy-load'), '--with', '/nowhere/at/all.json']);
  assert.equal(end.code, 2);
  assert.match(said(end), /--with: .*\/nowhere\/at\/all\.json/);
});

test('a run of a scenario with a larger pool, in a fraction of its time', async (t) => {
  const mock = await startMock(t);
  const short = writeScenario({
    target: { url: mock.url },
    workload: { think_time: { base_ms: 5 } },
    tools: { templates: [{ arguments: { interval_ms: 5 } }] },
    stages: [
      { duration_ms: 1500 },
      { stage: 'preflight', enabled: false },
      { stage: 'ramp', ramp: { step_every_ms: 150, hold_ms: 150 } },
    ],
  });
  const files = [scenario('sse-heavy-load'), variation('adjust-session-pool'), short];
  const end = await run(files[0], { args: files.slice(1).flatMap((file) => ['--with', file]) });
  assertRan(end);
  assert.ok((await mock.stats()).sessions_max_open > 100, 'more sessions than the scenario has');
  assert.deepEqual(
    end.result.stages.map(({ stage }) => stage),
    ['baseline', 'ramp'],
  );
  const hash = createHash('sha256');
  files.forEach((file) => hash.update(readFileSync(file)));
  assert.equal(end.result.source_hash, hash.digest('hex'));
});
