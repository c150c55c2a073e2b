// SPDX-License-Identifier: MIT
//
// What stays of a run: its folder, the summary that can be printed again, the report for build servers.
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { assertRan, baseline, checkBooks, mcpdrill, writeScenario } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { tempDir } from './lib/process.mjs';

const lines = (...path) =>
  readFileSync(join(...path), 'utf8')
    .split('\n')
    .filter(Boolean);

// A run with failures, of two stages, whose folder and JUnit report are kept.
async function storedRun(t) {
  const mock = await startMock(t);
  const scenario = baseline({
    url: mock.url,
    vus: 2,
    ms: 1000,
    mix: [{ operation: 'tools_list' }, { operation: 'tools_call', tool_name: 'error_tool', arguments: {} }],
    telemetry: { structured_logs: { enabled: true, sample_rate: 0.01 } },
  });
  scenario.stages.push({ ...scenario.stages[0], stage_id: 'second' });
  const folder = join(tempDir(), 'out');
  const junit = join(tempDir(), 'junit.xml');
  const end = await mcpdrill(['run', writeScenario(scenario), '--out', folder, '--junit', junit]);
  const result = JSON.parse(readFileSync(join(folder, 'result.json'), 'utf8'));
  end.result = result;
  assertRan(end);
  checkBooks(result);
  return { end, folder, junit, result };
}

test('report prints what the run printed, and exits as it did when asked to', async (t) => {
  const { end, folder, result } = await storedRun(t);
  const again = await mcpdrill(['report', folder]);
  assert.equal(again.code, 0, again.stderr);
  assert.ok(again.stdout.length > 500);
  assert.ok(end.stdout.endsWith(again.stdout), `${end.stdout}\n---\n${again.stdout}`);
  const code = await mcpdrill(['report', join(folder, 'result.json'), '--quiet', '--exit-code']);
  assert.equal(code.code, result.exit_code);
  assert.equal(code.stdout, again.stdout.split('\n')[0] + '\n');
});

test('the JUnit report is the same from the run and from its folder', async (t) => {
  const { folder, junit } = await storedRun(t);
  const later = join(tempDir(), 'later.xml');
  const again = await mcpdrill(['report', folder, '--junit', later]);
  assert.equal(again.code, 0, again.stderr);
  const text = readFileSync(junit, 'utf8');
  assert.equal(text, readFileSync(later, 'utf8'));
  assert.match(text, /^<\?xml version="1.0" encoding="UTF-8"\?>\n<testsuites tests="\d+" failures="\d+"/);
  assert.equal(text.match(/<testcase /g).length, Number(text.match(/tests="(\d+)"/)[1]));
  assert.match(text, /classname="mcpdrill.preflight" name="handshake"/);
  assert.match(text, /name="books"/);
});

test('the folder has the log of operations and histograms beside the result', async (t) => {
  const { folder, result } = await storedRun(t);
  assert.deepEqual(readdirSync(folder).sort(), [
    'events.ndjson',
    'histograms.hlog',
    'ops.ndjson',
    'result.json',
    'scenario.json',
    'windows.ndjson',
  ]);
  const ops = lines(folder, 'ops.ndjson').map((line) => JSON.parse(line));
  const failed = ops.filter((op) => !op.ok);
  assert.ok(failed.length >= 20 && ops.length > failed.length, `${failed.length} of ${ops.length}`);
  for (const op of ops) {
    assert.equal(op.schema_version, 'op-log/v1');
    assert.equal(op.run_id, result.run_id);
    assert.ok(op.ts_ms >= Date.parse(result.started_at) && op.ts_ms <= Date.parse(result.ended_at) + 1);
    assert.ok(op.latency_ms >= 0 && op.latency_ms <= 60_000);
    assert.match(op.vu_id, /^vu_[01]$/);
    assert.equal(op.ok, op.error === undefined);
  }
  assert.equal(new Set(ops.map((op) => op.op_id)).size, ops.length);
  assert.equal(failed[0].error.error_code, 'TOOL_ERROR');
  const log = lines(folder, 'histograms.hlog');
  assert.equal(log[1], '#[Histogram log format version 1.3]');
  const tags = log.filter((line) => line.startsWith('Tag=')).map((line) => line.split(',')[0]);
  assert.ok(tags.includes('Tag=second:tools/list:service'), tags.join(' '));
  assert.ok(tags.includes('Tag=run:response'));
  const seconds = lines(folder, 'windows.ndjson').map((line) => JSON.parse(line));
  const sum = seconds.reduce((all, { ops: count }) => all + count, 0);
  assert.equal(sum, result.totals.operations_total);
});

test('what is no result is refused in one line', async () => {
  for (const [path, said] of [
    ['/nowhere/at/all', /No such file/],
    [writeScenario('{"schema_version": "other/v1"}'), /result\/v1/],
    [writeScenario('{'), /:1:/],
  ]) {
    const end = await mcpdrill(['report', path]);
    assert.equal(end.code, 2);
    assert.equal(end.stdout, '');
    assert.match(end.stderr, said);
    assert.equal(end.stderr.trimEnd().split('\n').length, 1);
  }
});
