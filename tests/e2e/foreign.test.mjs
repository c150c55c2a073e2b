// SPDX-License-Identifier: MIT
//
// Against a server that we did not write: the protocol's own reference server, which answers with
// server-sent events, primes them, and keeps sessions.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { assertRan, operation, run } from './lib/mcpdrill.mjs';
import { pause, rootDir, start } from './lib/process.mjs';

const here = join(rootDir, 'tests/e2e');
const program = join(here, 'node_modules/@modelcontextprotocol/server-everything/dist/index.js');
const isOld = Number(process.versions.node.split('.')[0]) < 20;
const missing = !existsSync(program)
  ? 'server-everything is not installed (npm ci in tests/e2e)'
  : isOld && 'server-everything answers every request with 400 on a Node.js below 20';

async function startEverything(t) {
  const running = start(
    process.execPath,
    ['--require', join(here, 'lib/loopback.cjs'), program, 'streamableHttp'],
    { timeoutMs: 120_000 },
  );
  t.after(async () => {
    running.child.kill('SIGKILL');
    await running.ended;
  });
  for (let waited = 0; waited < 15_000; waited += 50) {
    const port = running.stderr.match(/foreign server on port (\d+)/)?.[1];
    if (port) {
      return `http://127.0.0.1:${port}/mcp`;
    }
    await pause(50);
  }
  throw new Error(`server-everything did not come up\n${running.stderr}`);
}

const scenario = (url, mix) => ({
  target: { url },
  workload: { operation_mix: mix },
  stages: [
    { stage: 'preflight', duration_ms: 1000, load: { target_vus: 1 } },
    { stage: 'baseline', duration_ms: 2000, load: { target_vus: 3 } },
  ],
});

test('server-everything: every operation succeeds', { skip: missing }, async (t) => {
  const url = await startEverything(t);
  const end = await run(
    scenario(url, [
      { operation: 'tools_list' },
      { operation: 'tools_call', tool_name: 'echo', arguments: { message: 'hello' }, weight: 3 },
      { operation: 'resources_list' },
      { operation: 'resources_read', uri: 'demo://resource/dynamic/text/1' },
      { operation: 'prompts_list' },
      { operation: 'ping' },
    ]),
  );
  assertRan(end);
  assert.equal(end.result.totals.operations_failed, 0, JSON.stringify(end.result.errors));
  assert.ok(end.result.totals.operations_total > 20);
  assert.ok(operation(end.result, 'tools_call', 'echo').operations_total > 0);
  assert.ok(
    end.result.totals.events_received_total >= end.result.totals.operations_total,
    'it answers with streams',
  );
});

test('server-everything: progress notifications are counted as events', { skip: missing }, async (t) => {
  const url = await startEverything(t);
  const end = await run({
    target: { url },
    workload: {
      tools: {
        templates: [
          {
            tool_name: 'trigger-long-running-operation',
            arguments: { duration: 1, steps: 5 },
            expects_streaming: true,
          },
        ],
      },
    },
    stages: [{ stage: 'baseline', duration_ms: 2500, load: { target_vus: 2 } }],
  });
  assertRan(end);
  const { totals } = end.result;
  // Five steps and the response.
  assert.equal(totals.events_received_total, totals.operations_total * 6);
  assert.ok(totals.latency_p50_ms >= 950, `p50 ${totals.latency_p50_ms}`);
});

test('server-everything: a wrong tool name is found before the load', { skip: missing }, async (t) => {
  const url = await startEverything(t);
  const end = await run(scenario(url, [{ operation: 'tools_call', tool_name: 'eco', arguments: {} }]));
  assert.equal(end.code, 5, end.said);
  assert.match(end.said, /echo/);
});
