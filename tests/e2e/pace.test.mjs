// SPDX-License-Identifier: MIT
//
// What a run tells of a target that does not keep pace: silences, backlogs, the level at which it broke.
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertRan, baseline, endOfRun, run, startRun } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';

test('a target that freezes for some seconds is told, with how many operations waited', async (t) => {
  const mock = await startMock(t);
  const running = startRun(baseline({ url: mock.url, vus: 20, ms: 8000 }));
  await new Promise((done) => setTimeout(done, 2300));
  await mock.faults({ freeze: true });
  await new Promise((done) => setTimeout(done, 3000));
  await mock.faults({ freeze: false });
  const end = await endOfRun(running);
  assertRan(end);
  const told = end.result.warnings.filter((line) => line.startsWith('nothing ended'));
  assert.equal(told.length, 1, told.join('\n'));
  assert.match(told[0], /^nothing ended in seconds? \d(–\d)?; 20 operations waited$/);
  assert.match(end.stdout, /^warning +nothing ended in second/m);
});

test('an open load that the target cannot follow is told with the rate that is missing', async (t) => {
  const mock = await startMock(t);
  const end = await run(
    baseline({
      url: mock.url,
      ms: 12_000,
      tool: 'slow_echo',
      toolArguments: { message: 'x' },
      stage: { load: { target_vus: 2, target_rps: 30 } },
    }),
  );
  // Two users at 200 ms can do 10 a second at most; on a busy machine fewer.
  const [stage] = end.result.stages;
  assert.ok(stage.achieved.falls_behind_per_second > 18 && stage.achieved.falls_behind_per_second < 30);
  assert.match(end.stdout, /^stages .*, falls behind by \d/m);
  assert.match(
    end.result.warnings.join('\n'),
    /^stage stg_\w+: the target falls behind by [\d.]+\/s; \d+ operations waited at its end$/m,
  );
});

test('a ramp beyond what the target can do says where it fell behind', async (t) => {
  const mock = await startMock(t);
  const end = await run(
    baseline({
      url: mock.url,
      ms: 12_000,
      tool: 'slow_echo',
      toolArguments: { message: 'x' },
      stage: {
        stage: 'ramp',
        load: { target_vus: 3, target_rps: 42 },
        ramp: { mode: 'linear', start_rps: 2 },
      },
    }),
  );
  // Three users at 200 ms can do 15 a second at most; on a busy machine fewer.
  const from = end.result.stages[0].achieved.fell_behind_from_per_second;
  assert.ok(from > 2 && from < 25, `${from}`);
  assert.match(end.stdout, /^stages .*, fell behind from [\d.]+\/s on/m);
  assert.match(
    end.result.warnings.join('\n'),
    /^stage stg_\w+: the target fell behind from [\d.]+\/s on; \d+ operations waited in the ramp's last full second$/m,
  );
});

test('a ramp that ends at a condition says where it was', async (t) => {
  const mock = await startMock(t);
  const end = await run({
    target: { url: mock.url },
    workload: { tools: { templates: [{ tool_name: 'fast_echo', arguments: { message: 'x' } }] } },
    stages: [
      {
        stage: 'ramp',
        duration_ms: 30_000,
        load: { target_vus: 4, target_rps: 640 },
        ramp: { mode: 'linear', start_rps: 20 },
        stop_conditions: [
          { id: 'enough', metric: 'ops_per_second', comparator: '>', threshold: 60, window_ms: 1000, sustain_windows: 1 },
        ],
      },
    ],
  });
  const { stop, stages } = end.result;
  assert.equal(stop.kind, 'stop_condition_met', end.said);
  // 60 a second are on average due in the third second: 20 + 620 / 30 × 2.5 = 72.
  assert.ok(stop.at_rps > 60 && stop.at_rps < 130, `${stop.at_rps}`);
  assert.match(stop.sentence, /, at [\d.]+\/s to [\d.]+\/s of stage stg_\w+$/);
  assert.ok(stages[0].achieved.reached_rps >= stop.at_rps && stages[0].achieved.reached_rps < 200);
  assert.match(end.stdout, /^stages +ramp .*20\/s to 640\/s ordered, [\d.]+\/s reached/m);
});
