// SPDX-License-Identifier: MIT
//
// Memory does not grow with the length of a run, neither ours nor the mock's. What does fill up first is
// the history of the last minute, second by second; so a short run may grow a little, and a long one,
// measured after that (MCPDRILL_SOAK_SECONDS=600), hardly at all.
import assert from 'node:assert/strict';
import test from 'node:test';
import { assertRan, baseline, endOfRun, startRun } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { memoryOf, pause, sanitized } from './lib/process.mjs';

const mebibyte = 1024 * 1024;
const seconds = Number(process.env.MCPDRILL_SOAK_SECONDS ?? 20);
const historySeconds = 90;
const isLong = seconds > 2 * historySeconds;
const beginMs = isLong ? historySeconds * 1000 : seconds * 100;
const ourLimit = (isLong ? 1 : 2) * mebibyte;

async function soak(t, scenario) {
  const mock = await startMock(t);
  const running = startRun(scenario(mock.url), { timeoutMs: (seconds + 30) * 1000 });
  const samples = [];
  await pause(beginMs);
  while (running.child.exitCode === null && samples.length < seconds * 10 - beginMs / 100) {
    samples.push({ ours: memoryOf(running.pid, 'VmRSS'), mock: memoryOf(mock.pid, 'VmRSS') });
    await pause(100);
  }
  const end = await endOfRun(running);
  assertRan(end);
  // The last samples may fall into the end of the run, when the report is being made.
  const last = samples[samples.length - 10];
  return { first: samples[0], last, totals: end.result.totals };
}

function grewLittle(name, first, last, limit) {
  assert.ok(
    last - first <= limit,
    `${name} grew by ${((last - first) / mebibyte).toFixed(2)} MiB, from ${(first / mebibyte).toFixed(1)} MiB`,
  );
}

test(
  `calls: the memory at the end of ${seconds} s is that of the beginning`,
  { skip: sanitized && 'sanitizers keep freed memory' },
  async (t) => {
    const { first, last, totals } = await soak(t, (url) => baseline({ url, vus: 50, ms: seconds * 1000 }));
    // So many that a hundred bytes for each of them would be seen.
    assert.ok(totals.operations_total > 20_000, `${totals.operations_total} operations`);
    grewLittle('mcpdrill', first.ours, last.ours, ourLimit);
    grewLittle('the mock server', first.mock, last.mock, 2 * mebibyte);
  },
);

test(
  'streams, errors and lost sessions: the same',
  { skip: sanitized && 'sanitizers keep freed memory' },
  async (t) => {
    const { first, last } = await soak(t, (url) => ({
      target: { url },
      workload: {
        operation_mix: [
          { operation: 'tools_call', tool_name: 'streaming_tool', arguments: { chunks: 5, delay_ms: 1 } },
          { operation: 'tools_call', tool_name: 'error_tool', arguments: {} },
          {
            operation: 'tools_call',
            tool_name: 'flaky_connection',
            arguments: { failure_rate: 0.5, mode: 'reset' },
          },
          { operation: 'tools_list' },
        ],
      },
      stages: [{ stage: 'baseline', duration_ms: seconds * 1000, load: { target_vus: 20 } }],
    }));
    grewLittle('mcpdrill', first.ours, last.ours, ourLimit);
    grewLittle('the mock server', first.mock, last.mock, 2 * mebibyte);
  },
);
