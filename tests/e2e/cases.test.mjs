// SPDX-License-Identifier: MIT
//
// Scenario files in the forms in which people have them, read from where they lie beside the checkout:
// each is accepted as it stands, or has exactly the mistake that it is known for, and runs against the
// mock in a fraction of its time.
import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { assertRan, endedInAll, mcpdrill, run, writeScenario } from './lib/mcpdrill.mjs';
import { settledStats, startMock } from './lib/mock.mjs';
import { rootDir } from './lib/process.mjs';

const folder = join(rootDir, '../shared/cases/configs');
const VUS_MAX = 20;

// What else is known of a file: its mistake and how it is mended, and what its run shows.
const known = {
  'published-multi-node.json': {
    mistake: ['UNKNOWN_FIELD', '/environment/allowlist/allowed_hosts', /did you mean `allowed_targets`\?/],
    mend: ({ environment }) => delete environment.allowlist.allowed_hosts,
  },
  'old-wizard-default.json': {
    check({ result, said }) {
      const tools = new Set(result.errors.map(({ operations }) => operations.map((one) => one.tool_name)).flat());
      assert.deepEqual([...tools], ['weather_api'], 'only calls without the city that the tool wants fail');
      assert.match(said, /weather_api.* never succeeded/);
      const [error] = result.errors;
      assert.deepEqual([error.type, error.origin], ['tool_error', 'tool']);
    },
  },
};

// Overrides that shorten every stage and every stream, and send the load to the mock.
function shortening(scenario, url) {
  const sets = {
    'target.url': url,
    'environment.allowlist.allowed_targets': JSON.stringify([{ kind: 'exact', value: url }]),
  };
  scenario.stages.forEach(({ stage, load, ramp }, i) => {
    const at = `stages[${i}]`;
    sets[`${at}.duration_ms`] = stage === 'preflight' ? 1000 : 1500;
    sets[`${at}.load.target_vus`] = Math.min(load.target_vus, VUS_MAX);
    if (ramp) {
      sets[`${at}.max_duration_ms`] = 'null';
      sets[`${at}.ramp.max_vus`] = Math.min(ramp.max_vus, VUS_MAX);
      sets[`${at}.ramp.step_every_ms`] = 1000;
      sets[`${at}.ramp.hold_ms`] = 0;
    }
  });
  scenario.workload.tools?.templates.forEach((template, i) => {
    if (template.arguments.interval_ms) {
      sets[`workload.tools.templates[${i}].arguments.interval_ms`] = 5;
    }
  });
  return Object.entries(sets).flatMap(([name, value]) => ['--set', `${name}=${value}`]);
}

const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith('.json')) : [];

test('the folder of files that people have', (t) => {
  if (files.length === 0) {
    t.skip('shared/cases/configs is not beside the checkout');
  }
});

for (const name of files) {
  const { mistake, mend, check } = known[name] ?? {};

  test(`${name}: ${mistake ? 'exactly the one mistake' : 'accepted as it stands'}`, async () => {
    const end = await mcpdrill(['validate', '--json', join(folder, name)]);
    const { errors = [] } = JSON.parse(end.stdout);
    if (!mistake) {
      assert.deepEqual(errors, []);
      assert.equal(end.code, 0);
      return;
    }
    assert.equal(end.code, 2);
    assert.deepEqual(errors.map((one) => [one.code, one.json_pointer]), [mistake.slice(0, 2)]);
    assert.match(errors[0].remediation, mistake[2]);
  });

  test(`${name}: runs against the mock`, async (t) => {
    const mock = await startMock(t);
    const scenario = JSON.parse(readFileSync(join(folder, name), 'utf8'));
    mend?.(scenario);
    const file = mend ? writeScenario(scenario) : join(folder, name);
    const end = await run(file, { args: shortening(scenario, mock.url) });
    assertRan(end);
    assert.equal(end.result.state, 'completed');
    assert.ok(end.result.totals.operations_total > 10);
    const { requests } = await settledStats(mock);
    const calls = endedInAll(end.result, 'tools/call');
    assert.equal(requests['tools/call'] ?? 0, calls, 'as many calls as the server has seen');
    if (check) {
      check(end);
    } else {
      assert.equal(end.result.totals.operations_failed, 0);
    }
  });
}
