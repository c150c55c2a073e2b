// SPDX-License-Identifier: MIT
//
// What people and programs get to see: examples that are valid, the demo, lines on a pipe, a panel on
// a terminal, and files that are complete.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { jsonAnswer, result as answer, startHostile } from './lib/hostile.mjs';
import { assertRan, baseline, checkBooks, mcpdrill, run, writeScenario } from './lib/mcpdrill.mjs';
import { startMock } from './lib/mock.mjs';
import { binDir, finished, pause, rootDir, start, tempDir } from './lib/process.mjs';

const ESCAPE = '\x1b';

function examples(folder = join(rootDir, 'examples')) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name);
    return entry.isDirectory() ? examples(path) : path.endsWith('.json') ? [path] : [];
  });
}

test('every example is valid, and explain and the schema know its fields', async () => {
  assert.ok(examples().length >= 2);
  for (const file of examples()) {
    for (const command of ['validate', 'explain']) {
      const end = await mcpdrill([command, file]);
      assert.equal(end.code, 0, `${command} ${file}\n${end.stdout}${end.stderr}`);
    }
  }
});

test('the demo ends with a summary of real operations', async (t) => {
  if (binDir !== join(rootDir, 'build/bin')) {
    t.skip('the demo takes the release binaries');
    return;
  }
  const demo = start('bash', ['scripts/demo.sh'], { timeoutMs: 300_000 });
  const end = await finished(demo, 'scripts/demo.sh');
  const path = end.stdout.match(/result in (\S+\.json)/)?.[1];
  assert.ok(path && existsSync(path), 'the path of the result is printed');
  const result = JSON.parse(readFileSync(path, 'utf8'));
  assertRan({ ...end, result, said: end.stdout + end.stderr });
  checkBooks(result);
  assert.equal(result.verdict, result.validity.state === 'valid' ? 'passed' : 'invalid');
  assert.ok(result.totals.operations_total > 100);
  assert.equal(result.totals.operations_failed, 0);
  assert.match(end.stdout, /^(PASSED|INVALID) /m);
});

function startDemo(t, args, limit = 1024) {
  if (binDir !== join(rootDir, 'build/bin')) {
    t.skip('the demo takes the release binaries');
    return null;
  }
  return start('bash', ['-c', `ulimit -n ${limit}; exec bash scripts/demo.sh "$@"`, 'demo', ...args], {
    timeoutMs: 300_000,
  });
}

const SHORT_DEMO = ['--set', 'stages[1].duration_ms=2000'];

// Too few descriptors for its users: the generator is the limit, on every machine, and no busy one is to blame.
test('the demo says what made its figures INVALID, and keeps the code unless it was the cores', async (t) => {
  const limited = startDemo(t, [...SHORT_DEMO, '--set', 'stages[1].load.target_vus=60'], 40);
  if (!limited) {
    return;
  }
  const end = await finished(limited, 'scripts/demo.sh');
  assert.match(end.stdout, /^INVALID · generator_bound/m);
  assert.match(end.stdout, /^demo: \d+ operations and \d+ connection attempts failed on our own side/m);
  assert.ok(!end.stdout.includes('too busy'), end.stdout);
  assert.equal(end.code, 6, end.stdout + end.stderr);
  const dead = await finished(
    startDemo(t, [...SHORT_DEMO, '--set', 'target.url=http://127.0.0.1:1']),
    'scripts/demo.sh',
  );
  assert.equal(dead.code, 5, dead.stdout + dead.stderr);
});

// The end of the script, with results that no machine has to bring about.
for (const [evidence, code] of [
  [['thread busy: 99 %, limit 95 %', "warning: pressure on the machine's CPU: 98 %"], 0],
  [['requests sent late (p99): 9 ms', 'thread waiting for a core: 40 %'], 0],
  [['thread busy: 99 %, limit 95 %', '3 of at most 5 virtual users ended for want of a session'], 6],
]) {
  test(`the demo ends with ${code} where the evidence is: ${evidence.join('; ')}`, () => {
    const result = join(tempDir(), 'result.json');
    const validity = { state: 'generator_bound', evidence };
    writeFileSync(result, JSON.stringify({ validity }, null, 2));
    const script = readFileSync(join(rootDir, 'scripts/demo.sh'), 'utf8');
    const judge = script.slice(script.indexOf('# The sentences that make'));
    const end = spawnSync('bash', ['-c', `set -euo pipefail; status=6 result=$1\n${judge}`, 'judge', result], {
      encoding: 'utf8',
    });
    assert.equal(end.status, code, end.stdout + end.stderr);
    assert.match(end.stdout, code === 0 ? /too busy/ : /^demo: 3 of at most 5/m);
  });
}

// All that a process has started and that still lives, as process ids.
function descendants(pid) {
  try {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
    return children.flatMap((child) => [child, ...descendants(child)]);
  } catch {
    return [];
  }
}

for (const [signal, code] of [
  ['SIGTERM', 143],
  ['SIGUSR1', 138],
]) {
  test(`${signal} ends the demo and all that it has started, in the middle of its run`, async (t) => {
    const demo = startDemo(t, ['--set', 'stages[1].duration_ms=120000']);
    if (!demo) {
      return;
    }
    const isRunning = () =>
      descendants(demo.pid).some((pid) => readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('mcpdrill\0run'));
    for (let i = 0; i < 2400 && !(demo.stdout.includes('mock MCP server at') && isRunning()); i++) {
      await pause(50);
    }
    await pause(2000);
    const started = descendants(demo.pid);
    assert.ok(started.length >= 2, 'the mock and the run');
    const begin = performance.now();
    demo.child.kill(signal);
    const end = await demo.ended;
    assert.equal(end.code, code, end.stdout + end.stderr);
    assert.ok(performance.now() - begin < 60_000, 'it does not wait for the end of the run');
    assert.deepEqual(started.filter((pid) => existsSync(`/proc/${pid}`)), []);
  });
}

test('on a pipe: plain lines without escape sequences, the verdict first in the summary', async (t) => {
  const mock = await startMock(t);
  const end = await run(baseline({ url: mock.url, vus: 2, ms: 3000 }));
  assertRan(end);
  assert.ok(!end.said.includes(ESCAPE), 'no escape sequences');
  assert.ok(!end.said.includes('\r'), 'no carriage returns');
  assert.match(end.stdout, new RegExp(`^${end.result.verdict}`, 'im'));
  assert.match(
    end.said,
    new RegExp(String(end.result.totals.operations_total).replace(/\B(?=(\d{3})+$)/g, '[, ]?')),
  );
  assert.match(end.said, /p99/);
});

test('--quiet keeps the verdict', async (t) => {
  const mock = await startMock(t);
  const scenario = baseline({ url: mock.url, ms: 2500 });
  const loud = await run(scenario);
  const quiet = await run(scenario, { args: ['--quiet'] });
  assertRan(quiet);
  assert.match(quiet.stdout, new RegExp(`^${quiet.result.verdict}`, 'i'));
  assert.ok(quiet.said.length < loud.said.length);
  assert.ok(quiet.result.totals.operations_total > 0);
});

test('two documents never go to one place', async () => {
  const scenario = writeScenario(baseline({ url: 'http://127.0.0.1:1' }));
  for (const place of ['-', join(tempDir(), 'both')]) {
    const end = await mcpdrill(['run', scenario, '--json', place, '--junit', place]);
    assert.equal(end.code, 2);
    assert.match(end.stderr, /--json and --junit both go to/);
  }
});

test('--quiet says why a run has not passed', async (t) => {
  const mock = await startMock(t);
  const scenario = baseline({ url: mock.url, ms: 2500 });
  const strict = await run(scenario, { args: ['--quiet', '--expect', 'latency_max_ms < 0.001'] });
  assertRan(strict, 4);
  assert.match(strict.said, /latency_max_ms < .* FAILED|generator_bound/);
  const lost = await run(scenario, { args: ['--quiet', '--set', 'target.url=http://127.0.0.1:1'] });
  assert.equal(lost.code, 5);
  assert.match(lost.said, /what to do: nothing listens there/);
});

// util-linux's `script` runs a command on a terminal of its own.
test('on a terminal: a panel that is redrawn in place', async (t) => {
  if (spawnSync('script', ['-qec', 'true', '/dev/null']).status !== 0) {
    t.skip('no script(1) or no pseudo terminals here');
    return;
  }
  const mock = await startMock(t);
  const file = writeScenario(baseline({ url: mock.url, vus: 2, ms: 3000 }));
  const outputs = {};
  for (const [name, env] of [
    ['colour', { NO_COLOR: '', TERM: 'xterm-256color' }],
    ['plain', { NO_COLOR: '1', TERM: 'xterm-256color' }],
  ]) {
    const json = join(tempDir(), 'result.json');
    const command = `stty rows 40 cols 100; ${join(binDir, 'mcpdrill')} run ${file} --json ${json}`;
    const end = await finished(
      start('script', ['-qec', command, '/dev/null'], { env, timeoutMs: 20_000 }),
      'script',
    );
    assertRan({ ...end, result: JSON.parse(readFileSync(json, 'utf8')), said: end.stdout });
    outputs[name] = end.stdout;
  }
  // Cursor movement in both; colours (SGR with a number) only where they are allowed.
  for (const text of Object.values(outputs)) {
    assert.match(text, /\x1b\[\d*[AFHJK]/);
  }
  assert.doesNotMatch(outputs.plain, /\x1b\[[0-9;]*3[0-7]m/);
});

test('--out writes its files into a folder that it makes', async (t) => {
  const mock = await startMock(t);
  const folder = join(tempDir(), 'results');
  const file = writeScenario(baseline({ url: mock.url, ms: 1000 }));
  const end = await mcpdrill(['run', file, '--out', folder]);
  const names = readdirSync(folder, { recursive: true }).map(String);
  const json = names.find((name) => name.endsWith('.json'));
  assert.ok(json, names.join(' '));
  const result = JSON.parse(readFileSync(join(folder, json), 'utf8'));
  checkBooks(result);
  assertRan({ ...end, result, said: end.stdout + end.stderr });
});

test('the result has every member of result/v1', async (t) => {
  const mock = await startMock(t);
  const { result } = await run(baseline({ url: mock.url, ms: 1000 }));
  for (const name of [
    'schema_version',
    'run_id',
    'scenario_id',
    'config_hash',
    'source_hash',
    'target_url',
    'command_line',
    'scenario',
    'seed',
    'started_at',
    'ended_at',
    'state',
    'verdict',
    'validity',
    'exit_code',
    'stop',
    'totals',
    'stages',
    'operations',
    'errors',
    'conditions',
    'integrity',
    'workers',
    'environment',
  ]) {
    assert.ok(name in result, name);
  }
  assert.match(result.run_id, /^run_[0-9a-f]+$/);
  assert.match(result.config_hash, /^[0-9a-f]{64}$/);
  assert.equal(result.stages.length, 1);
  assert.equal(typeof result.validity.state, 'string');
  assert.equal(result.totals.stream_stall_seconds ?? null, null, 'a metric without a sample has no value');
});

test('a stop condition on the error rate ends the run and says why', async (t) => {
  const mock = await startMock(t);
  const end = await run(
    baseline({
      url: mock.url,
      vus: 2,
      ms: 30_000,
      tool: 'error_tool',
      toolArguments: {},
      workload: { think_time: { mode: 'fixed', base_ms: 10 } },
      stage: {
        stop_conditions: [
          {
            id: 'too-bad',
            metric: 'error_rate',
            comparator: '>',
            threshold: 0.5,
            window_ms: 1000,
            sustain_windows: 2,
          },
        ],
      },
    }),
  );
  assert.equal(end.code, 4, end.said);
  assert.equal(end.result.state, 'stopped');
  assert.equal(end.result.stop.condition_id, 'too-bad');
  assert.match(end.said, /error_rate|error rate/i);
  assert.ok(end.seconds >= 2 && end.seconds < 15, `stopped after ${end.seconds} s of 30`);
});

test('a threshold that is equalled does not trigger, and a condition can watch the latency', async (t) => {
  const mock = await startMock(t);
  const slow = (threshold) =>
    baseline({
      url: mock.url,
      ms: 3000,
      tool: 'slow_echo',
      stage: { stop_conditions: [{ metric: 'latency_p99_ms', comparator: '>', threshold, window_ms: 1000 }] },
    });
  const calm = await run(slow(5000));
  assertRan(calm);
  const hit = await run(slow(100));
  assert.equal(hit.code, 4, hit.said);
  const never = await run(
    baseline({
      url: mock.url,
      ms: 2000,
      tool: 'error_tool',
      toolArguments: {},
      stage: { stop_conditions: [{ metric: 'error_rate', comparator: '>', threshold: 1, window_ms: 1000 }] },
    }),
  );
  assert.equal(never.result.state, 'completed', never.said);
});

test('the run id travels in the header and in the user agent', async (t) => {
  const heads = [];
  let handshakes = 0;
  const server = await startHostile(
    t,
    (socket, { id }) => socket.write(jsonAnswer(answer(id))),
    (socket, request, message) => {
      heads.push(request.text);
      handshakes += message.method === 'initialize' ? 1 : 0;
      return false;
    },
  );
  const end = await run(
    baseline({
      url: server.url,
      ms: 1000,
      workload: { think_time: { mode: 'fixed', base_ms: 100 } },
    }),
  );
  assertRan(end);
  const id = end.result.run_id;
  for (const head of heads) {
    assert.match(head, new RegExp(`^X-MCPDrill-Run-ID: ${id}\r?$`, 'im'));
    assert.match(head, new RegExp(`^User-Agent: mcpdrill/[0-9.]+.*${id}`, 'im'));
    assert.match(head, /^Host: 127\.0\.0\.1:\d+/im);
  }
  const calls = heads.filter((head) => /^mcp-session-id: hostile-1/im.test(head));
  assert.equal(calls.length, heads.length - handshakes, 'all but initialize carry the session');
  assert.ok(calls.every((head) => /^mcp-protocol-version: 2025-11-25/im.test(head)));
  assert.ok(
    heads.some((head) => head.startsWith('DELETE ')),
    'the session is closed',
  );
});
