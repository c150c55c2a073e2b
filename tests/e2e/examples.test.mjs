// SPDX-License-Identifier: MIT
//
// Every scenario in examples/ is valid without a warning and really runs, in a shortened form, against
// the mock server: less time, fewer virtual users, shorter streams; everything else is as in the file.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { basename, join, relative } from 'node:path';
import test from 'node:test';
import { assertRan, inAll, mcpdrill, run } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { rootDir } from './lib/process.mjs';

const folder = join(rootDir, 'examples');
const files = [folder, join(folder, 'scenarios')].flatMap((where) =>
  readdirSync(where)
    .filter((name) => name.endsWith('.json'))
    .map((name) => join(where, name)),
);

const STAGE_MS = 3000;
const MOST_VUS = 16;
const MOST_RPS = 100;

// What is particular about a file: further overrides, and what has to be seen.
const particular = {
  'open-load.json': {
    seen: ({ totals }) => {
      assert.ok(totals.due_operations >= (MOST_RPS * STAGE_MS) / 1000, `${totals.due_operations} due`);
      assert.equal(totals.dropped_operations, 0);
    },
  },
  // The threshold of a short baseline with pauses is reached by fewer than 299 operations.
  'soak.json': {
    sets: ['workload.think_time.base_ms=5', 'workload.think_time.jitter_ms=5'],
  },
  'data-feed.json': {
    seen: ({ operations }, stats) => {
      for (const template of ['sign-in', 'weather', 'convert']) {
        assert.ok(
          operations.some((row) => row.template_id === template && row.totals.operations_total > 0),
          template,
        );
      }
      for (const tool of ['validate_email', 'weather_api', 'currency_convert']) {
        assert.ok(stats.tools[tool] > 0, tool);
      }
    },
  },
  'integrity.json': {
    seen: ({ totals }) => assert.equal(totals.integrity_mismatches, 0),
  },
  'sse-heavy-load.json': {
    sets: [
      'workload.tools.templates[0].arguments.event_count=5',
      'workload.tools.templates[0].arguments.interval_ms=10',
      'workload.think_time.base_ms=20',
    ],
    seen: (result, stats) => assert.equal(inAll(result, 'events_received_total'), stats.events_sent),
  },
  'sse-with-churn.json': {
    sets: [
      'workload.tools.templates[0].arguments.event_count=5',
      'workload.tools.templates[0].arguments.interval_ms=10',
      'workload.think_time.base_ms=20',
    ],
    seen: ({ totals }, stats) => {
      assert.equal(totals.session_reuse_rate, 0);
      assert.equal(stats.sessions_open, 0);
    },
  },
  // The condition is the expected end.
  'stream-stall-test.json': {
    sets: ['target.timeouts.stream_stall_timeout_ms=2500'],
    duration: 20_000,
    code: 4,
    seen: ({ totals }) => assert.ok(totals.stream_stall_count >= 5),
  },
};

function shortened(scenario, { sets = [], duration = STAGE_MS }) {
  const all = [...sets];
  scenario.stages.forEach((stage, i) => {
    const most = stage.stage === 'preflight' ? 2000 : duration;
    all.push(`stages[${i}].duration_ms=${Math.min(stage.duration_ms, most)}`);
    const { target_vus: vus = 1, target_rps: rps = 0 } = stage.load ?? {};
    all.push(`stages[${i}].load.target_vus=${Math.min(vus, MOST_VUS)}`);
    if (rps > 0) {
      all.push(`stages[${i}].load.target_rps=${Math.min(rps, MOST_RPS)}`);
    }
    if (stage.max_duration_ms) {
      all.push(`stages[${i}].max_duration_ms=null`);
    }
    if (stage.ramp) {
      all.push(`stages[${i}].ramp.hold_ms=1000`, `stages[${i}].ramp.step_every_ms=1000`);
    }
    if (stage.ramp?.step_vus) {
      all.push(`stages[${i}].ramp.step_vus=${MOST_VUS / 2}`);
    }
  });
  return all;
}

test('there are examples', () => {
  assert.ok(files.length >= 10, files.join(' '));
});

for (const file of files) {
  const name = relative(folder, file);

  test(`${name}: valid, without a warning`, async () => {
    for (const command of [['validate'], ['validate', '--json'], ['explain']]) {
      const end = await mcpdrill([command[0], file, ...command.slice(1)]);
      assert.equal(end.code, 0, `${command.join(' ')}\n${end.stdout}${end.stderr}`);
      assert.equal(end.stderr, '');
      if (command.includes('--json')) {
        assert.deepEqual(JSON.parse(end.stdout), { ok: true, errors: [], warnings: [] });
      }
    }
  });

  test(`${name}: runs`, async (t) => {
    const mock = await startMock(t);
    const special = particular[basename(file)] ?? {};
    const sets = [`target.url=${mock.url}/mcp`, ...shortened(JSON.parse(readFileSync(file)), special)];
    const end = await run(file, { args: sets.flatMap((set) => ['--set', set]) });
    if (special.code) {
      assert.equal(end.code, special.code, end.said);
    } else {
      assertRan(end);
    }
    assert.ok(end.result.totals.operations_total > 0);
    special.seen?.(end.result, await mock.stats());
  });
}
