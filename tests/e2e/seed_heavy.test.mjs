// SPDX-License-Identifier: MIT
//
// The scenario "SSE heavy load", with its steps two seconds apart instead of thirty: both sides' books,
// and its levels as the server saw them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { between, crossing, historyOf, lastAbove } from './lib/history.mjs';
import { assertRan, inAll, run } from './lib/mcpdrill.mjs';
import { settledStats, startMock } from './lib/mock.mjs';
import { rootDir, tempDir } from './lib/process.mjs';
import { watchMachine } from './lib/quiet.mjs';

const scenario = join(rootDir, 'examples/scenarios/sse-heavy-load.json');
const STEP_MS = 2000;
const IN_FLIGHT = 2;
const quick = [
  'stages[0].duration_ms=1000',
  'stages[1].duration_ms=2000',
  `stages[2].duration_ms=${4 * STEP_MS}`,
  `stages[2].ramp.step_every_ms=${STEP_MS}`,
  `stages[2].ramp.hold_ms=${STEP_MS}`,
  'workload.tools.templates[0].arguments.event_count=5',
];

const sets = (list) => list.flatMap((one) => ['--set', one]);

test('a pool of 100 sessions carries it: reused, complete, events counted to the last one', async (t) => {
  const mock = await startMock(t);
  const end = await run(scenario, { args: sets([...quick, `target.url=${mock.url}`]) });
  assertRan(end);
  const { totals } = end.result;
  const stats = await settledStats(mock);
  assert.ok(totals.operations_total > 1000, `${totals.operations_total} operations`);
  assert.equal(totals.operations_failed, 0);
  assert.equal(totals.operations_unfinished, 0);
  assert.equal(totals.stream_completion_rate, 1);
  assert.ok(totals.session_reuse_rate > 0.9, `reuse rate ${totals.session_reuse_rate}`);
  assert.ok(stats.sessions_max_open <= 100, `${stats.sessions_max_open} sessions at once`);
  assert.ok(stats.sessions_max_open >= 90, `${stats.sessions_max_open} sessions at once`);
  assert.equal(
    inAll(end.result, 'sessions_created') + (end.result.auxiliary_requests.initialize ?? 0),
    stats.sessions_opened,
  );
  assert.equal(stats.sessions_open, 0, 'the pool is closed at the end');
  assert.equal(stats.sessions_deleted, stats.sessions_opened);
  assert.equal(inAll(end.result, 'operations_total'), stats.tools.notifications_subscribe);
  assert.equal(inAll(end.result, 'events_received_total'), stats.events_sent);
  assert.equal(totals.events_received_total, totals.operations_total * 6);
});

test('its levels 50, 100, 150, 200 at the server: within one VU and 100 ms', async (t) => {
  const mock = await startMock(t);
  const machine = watchMachine();
  const out = tempDir();
  const end = await run(scenario, {
    args: [
      ...sets([
        ...quick,
        `target.url=${mock.url}`,
        'workload.think_time.mode=none',
        'workload.think_time.base_ms=0',
        'stages[1].load.start_spread_ms=0',
      ]),
      '--out',
      out,
    ],
  });
  assertRan(end);
  // What our own windows say at the end of each second.
  const seen = readFileSync(join(out, 'windows.ndjson'), 'utf8')
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line).active_vus);
  for (const vus of [50, 100, 150, 200]) {
    assert.ok(seen.includes(vus), `${vus} VUs in a window: ${seen}`);
  }
  assert.ok(Math.max(...seen) === 200, `${seen}`);
  if (machine.skips(t)) {
    return;
  }
  const history = await historyOf(mock);
  // Without think time each VU has two calls open all the time, but for the moment between two of them.
  const open = 'calls_open';
  const steps = [100, 150, 200].map((vus) => crossing(history, open, IN_FLIGHT * (vus - 50) + 8));
  for (let i = 1; i < steps.length; i++) {
    const apart = steps[i] - steps[i - 1];
    assert.ok(Math.abs(apart - STEP_MS) <= 100, `steps ${i} and ${i + 1} are ${apart} ms apart`);
  }
  const began = crossing(history, open, IN_FLIGHT * 25);
  assert.ok(Math.abs(steps[0] - began - (2000 + STEP_MS)) <= 100, `the first step after ${steps[0] - began} ms`);
  const finish = lastAbove(history, open, IN_FLIGHT * 175);
  // At its end a stage takes up nothing new; what is open ends within a stream's time.
  assert.ok(finish - steps[2] >= STEP_MS - 100 && finish - steps[2] <= STEP_MS + 700, `${finish - steps[2]} ms at the top`);
  const starts = [began, ...steps];
  [50, 100, 150, 200].forEach((vus, i) => {
    const until = i < 3 ? starts[i + 1] : starts[i] + STEP_MS;
    const most = Math.max(...between(history, open, starts[i] + 200, until - 100));
    assert.ok(
      most <= IN_FLIGHT * vus && most >= IN_FLIGHT * (vus - 1),
      `${most} calls at once with ${vus} VUs of ${IN_FLIGHT} slots`,
    );
  });
});
