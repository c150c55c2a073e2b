// SPDX-License-Identifier: MIT
//
// The log of operations: what is in it, and that no file of it holds up a run.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { closeSync, constants, mkdirSync, openSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { assertRan, baseline, checkBooks, mcpdrill, wasHindered, writeScenario } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { tempDir } from './lib/process.mjs';

async function outFolder(prepare, scenario) {
  const folder = join(tempDir(), 'out');
  mkdirSync(folder);
  prepare(folder);
  const end = await mcpdrill(['run', writeScenario(scenario), '--out', folder], { timeoutMs: 90_000 });
  end.result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
  end.said = `${end.stdout}\n${end.stderr}`;
  checkBooks(end.result);
  return { end, folder, result: end.result };
}

const readOps = (folder) =>
  readFileSync(join(folder, 'ops.ndjson'), 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));

const nulls = (value) =>
  value === null || (typeof value === 'object' && Object.values(value).some(nulls));

test('without a sample_rate: at most 1,000 successes a second, the rest counted, no null', async (t) => {
  const mock = await startMock(t);
  const mix = [
    { operation: 'tools_call', tool_name: 'fast_echo', arguments: { message: 'a' }, weight: 999 },
    { operation: 'tools_call', tool_name: 'error_tool', arguments: {}, weight: 1 },
  ];
  const { end, folder, result } = await outFolder(() => {}, baseline({ url: mock.url, vus: 8, ms: 3000, mix }));
  assertRan(end);
  const ops = readOps(folder);
  const { succeeded, failed } = result.integrity;
  assert.equal(ops.length + result.losses.op_log_lines + result.losses.op_log_thinned, succeeded + failed);
  const seconds = new Map();
  for (const op of ops.filter(({ ok }) => ok)) {
    const second = Math.floor((op.ts_ms - ops[0].ts_ms) / 1000);
    seconds.set(second, (seconds.get(second) ?? 0) + 1);
  }
  // The seconds of the run and of this count are not the same; a window of one holds parts of two.
  for (const count of seconds.values()) {
    assert.ok(count <= 1500, `${count} successes in a second`);
  }
  assert.ok(ops.filter(({ ok }) => ok).length <= 4000);
  assert.deepEqual(ops.filter(nulls), []);
  if (result.losses.op_log_thinned > 0) {
    assert.match(end.stdout, /log +a sample: [\d,]+ successes were left out evenly/);
  }
});

test('an explicit sample_rate of 1 is the whole run', async (t) => {
  const mock = await startMock(t);
  const scenario = baseline({
    url: mock.url,
    vus: 4,
    ms: 1000,
    telemetry: { structured_logs: { enabled: true, sample_rate: 1 } },
    // What waits for a slow file, and no bound of a second.
    safety: { hard_caps: { max_telemetry_q_depth: 1000 } },
  });
  const { end, folder, result } = await outFolder(() => {}, scenario);
  assertRan(end);
  assert.equal(readOps(folder).length, result.integrity.succeeded);
  assert.equal(result.losses.op_log_lines + result.losses.op_log_thinned, 0);
});

test('a stop at once: what it cut has lines too', async (t) => {
  const mock = await startMock(t);
  const { folder, result } = await outFolder(
    () => {},
    baseline({
      url: mock.url,
      vus: 6,
      ms: 60_000,
      tool: 'streaming_tool',
      toolArguments: { chunks: 10, delay_ms: 200 },
      safety: {
        stop_policy: { mode: 'immediate' },
        stop_conditions: [
          { id: 'enough', metric: 'operations_total', comparator: '>', threshold: 1, window_ms: 1000, sustain_windows: 1 },
        ],
      },
    }),
  );
  const ops = readOps(folder);
  const { started, unfinished } = result.integrity;
  assert.ok(unfinished > 0, JSON.stringify(result.integrity));
  assert.equal(ops.length + result.losses.op_log_lines + result.losses.op_log_thinned, started);
  const cut = ops.filter((op) => op.unfinished);
  assert.equal(cut.length, unfinished);
  assert.ok(cut.every((op) => op.unfinished_reason === 'stopped' && !op.ok && op.class === 'unfinished'));
});

test('a stop condition is not late because the log hangs', async (t) => {
  const mock = await startMock(t);
  const scenario = baseline({
    url: mock.url,
    vus: 4,
    ms: 60_000,
    telemetry: { structured_logs: { enabled: true, sample_rate: 1 } },
    safety: {
      hard_caps: { max_telemetry_q_depth: 1000 },
      stop_conditions: [
        { id: 'enough', metric: 'operations_total', comparator: '>', threshold: 10, window_ms: 1000, sustain_windows: 2 },
      ],
    },
  });
  let reader;
  const { end, result } = await outFolder((folder) => {
    execFileSync('mkfifo', [join(folder, 'ops.ndjson')]);
    reader = openSync(join(folder, 'ops.ndjson'), constants.O_RDONLY | constants.O_NONBLOCK);
  }, scenario);
  closeSync(reader);
  assert.equal(result.stop.kind, 'stop_condition_met', end.said);
  assert.ok(result.stop.latency_ms < (wasHindered(end) ? 5000 : 1500), `${result.stop.latency_ms} ms`);
  assert.ok(result.losses.op_log_lines > 1000, JSON.stringify(result.losses));
  assert.ok(
    result.warnings.some((line) => /ops\.ndjson could not be written in time/.test(line)),
    result.warnings.join('\n'),
  );
  assert.match(end.stdout, /operations were left out of the log/);
});

test('a full disk costs the log, not the run', async (t) => {
  const mock = await startMock(t);
  const { end, result } = await outFolder(
    (folder) => symlinkSync('/dev/full', join(folder, 'ops.ndjson')),
    baseline({ url: mock.url, vus: 2, ms: 1000 }),
  );
  assertRan(end);
  const { losses, integrity } = result;
  assert.equal(losses.op_log_lines + losses.op_log_thinned, integrity.succeeded);
  assert.equal(result.warnings.filter((line) => /No space left on device/.test(line)).length, 1);
});
